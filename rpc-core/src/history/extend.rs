//! What is added to a file at a release.

use super::golden::Target;
use super::shape::{Golden, History, Method};
use crate::{Endpoint, Version};

/// What is released now, after what was.
pub(super) fn extended(released: Option<History>, endpoint: &dyn Endpoint) -> History {
    let mut now = History::of(endpoint.api());
    let was = released
        .map(|released| released.methods)
        .unwrap_or_default();
    for method in &mut now.methods {
        if let Some(was) = was.iter().find(|was| was.name == method.name) {
            keep(was, method);
        }
        let golden = std::mem::take(&mut method.golden);
        let mut golden: Vec<(Version, Golden)> = golden
            .into_iter()
            .filter(|(version, golden)| {
                matches!(golden, Golden::Bytes(_)) && endpoint.api().serves(*version)
            })
            .collect();
        for (version, _) in method.shapes.iter().filter(|(_, shape)| shape.is_some()) {
            if let (false, Some(target)) = (
                golden.iter().any(|(other, _)| other == version),
                Target::of(endpoint, &method.name, *version),
            ) {
                golden.push((*version, target.message()));
            }
        }
        golden.sort_by_key(|(version, _)| *version);
        method.golden = golden;
    }
    // what is new comes last
    now.methods.sort_by_key(|method| {
        let place = was.iter().position(|was| was.name == method.name);
        place.unwrap_or(was.len())
    });
    now
}

/// Keeps the messages, and lines in which only the order of arguments is another.
fn keep(was: &Method, now: &mut Method) {
    now.golden.clone_from(&was.golden);
    for (version, shape) in &mut now.shapes {
        let before = was.shapes.iter().find(|(before, _)| before == version);
        if let (Some(shape), Some((_, Some(before)))) = (shape, before) {
            let place = |name: &str| before.args.iter().position(|arg| arg.name == name);
            shape
                .args
                .sort_by_key(|arg| place(&arg.name).unwrap_or(before.args.len()));
        }
    }
}
