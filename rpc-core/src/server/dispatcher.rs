//! Finds the endpoint and the method that a message is for.

use super::{Endpoint, StartError};
use crate::{ErrorKind, MethodInfo, MethodKind, Version, introspection, text};
use std::collections::HashMap;
use std::sync::Arc;

/// The endpoints of a server, in the order in which they were added.
pub(super) struct Dispatcher {
    endpoints: Vec<Entry>,
}

struct Entry {
    endpoint: Arc<dyn Endpoint>,
    methods: HashMap<&'static str, usize>,
}

/// Where a message goes.
pub(super) struct Found<'a> {
    pub(super) endpoint: &'a Arc<dyn Endpoint>,
    pub(super) index: usize,
    pub(super) method: &'static MethodInfo,
}

/// Why a message goes nowhere.
#[derive(Debug)]
pub(super) struct NotFound {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

impl Dispatcher {
    /// Refuses endpoints between which a message could not choose: of the same namespace and major, with a common method.
    pub(super) fn new(endpoints: Vec<Arc<dyn Endpoint>>) -> Result<Self, StartError> {
        for (at, one) in endpoints.iter().enumerate() {
            for other in &endpoints[..at] {
                let (a, b) = (other.api(), one.api());
                let major = a
                    .spoken()
                    .find(|a| b.spoken().any(|b| a.major() == b.major()));
                let same = major.filter(|_| a.namespace() == b.namespace());
                let common = a.methods().iter().find(|method| {
                    b.methods()
                        .iter()
                        .any(|other| other.name() == method.name())
                });
                if let (Some(version), Some(method)) = (same, common) {
                    return Err(StartError::Endpoints(format!(
                        "`{}` and `{}` both have `{}` in {} {}.x: give one of the APIs a namespace of its own",
                        a.name(),
                        b.name(),
                        method.name(),
                        a.namespace().map_or("version".into(), |name| format!(
                            "namespace {name}, version"
                        )),
                        version.major(),
                    )));
                }
            }
        }
        let endpoints = endpoints
            .into_iter()
            .map(|endpoint| {
                let methods = endpoint
                    .api()
                    .methods()
                    .iter()
                    .enumerate()
                    .map(|(index, method)| (method.name(), index))
                    .collect();
                Entry { endpoint, methods }
            })
            .collect();
        Ok(Self { endpoints })
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Arc<dyn Endpoint>> {
        self.endpoints.iter().map(|entry| &entry.endpoint)
    }

    /// Namespace, then version, then method: the first endpoint that has all three.
    pub(super) fn find(
        &self,
        namespace: Option<&str>,
        version: Version,
        method: &str,
        asked: MethodKind,
    ) -> Result<Found<'_>, NotFound> {
        let mut compatible = false;
        for entry in &self.endpoints {
            let api = entry.endpoint.api();
            if api.namespace() != namespace || !api.serves(version) {
                continue;
            }
            compatible = true;
            let Some(&index) = entry.methods.get(method) else {
                continue;
            };
            let info = &api.methods()[index];
            if !info.is_in(version) {
                continue;
            }
            // a call may be cast: then nobody waits for its value; and a gather is a call to each server
            let fits = match asked {
                MethodKind::Cast | MethodKind::Fanout => info.kind() != MethodKind::Multicall,
                MethodKind::Call | MethodKind::Gather => {
                    matches!(info.kind(), MethodKind::Call | MethodKind::Gather)
                }
                MethodKind::Multicall => info.kind() == MethodKind::Multicall,
            };
            if !fits {
                return Err(NotFound {
                    kind: ErrorKind::NoSuchMethod,
                    message: format!(
                        "`{}` is a {}, and was asked for as a {}",
                        info.name(),
                        kind_name(info.kind()),
                        kind_name(asked)
                    ),
                });
            }
            return Ok(Found {
                endpoint: &entry.endpoint,
                index,
                method: info,
            });
        }
        if compatible {
            return Err(NotFound {
                kind: ErrorKind::NoSuchMethod,
                message: format!(
                    "there is no method `{}` in version {version}",
                    text::shown(method)
                ),
            });
        }
        let spoken: Vec<String> = self
            .endpoints()
            .map(|endpoint| endpoint.api())
            .filter(|api| api.namespace() != Some(introspection::NAMESPACE))
            .map(|api| {
                let versions: Vec<String> = api.spoken().map(|end| end.to_string()).collect();
                let versions = versions.join(" and ");
                match api.namespace() {
                    Some(namespace) => format!("{} ({namespace}) {versions}", api.name()),
                    None => format!("{} {versions}", api.name()),
                }
            })
            .collect();
        Err(NotFound {
            kind: ErrorKind::UnsupportedVersion,
            message: format!(
                "version {version}{} is not served; there is {}",
                namespace.map_or(String::new(), |name| format!(
                    " of namespace {}",
                    text::shown(name)
                )),
                spoken.join(", ")
            ),
        })
    }
}

fn kind_name(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Call | MethodKind::Gather => "call",
        MethodKind::Cast | MethodKind::Fanout => "cast",
        MethodKind::Multicall => "multicall",
    }
}
