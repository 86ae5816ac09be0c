//! An API that was really released, many times.

use crate::node::Node;
use crate::older::{train, victoria, zed};
use rpc_core::{Endpoint, history};
use std::path::PathBuf;

fn node() -> Node {
    Node::new(|what| panic!("nothing is run: {what}"))
}

#[test]
fn the_released_api_is_kept() {
    history::check(
        "../examples/rolling_upgrade/compute.api",
        &crate::api::ComputeDispatcher::new(node()),
    );
    history::check(
        "history/compute4.api",
        &crate::compute4::api::ComputeDispatcher::new(node()),
    );
}

/// A place for a file of this test only.
fn place(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.api"));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn each_release_keeps_what_was_released_before_and_is_added_to_it() {
    let path = place("releases");
    let train = train::ComputeDispatcher::new(node());
    let victoria = victoria::ComputeDispatcher::new(node());
    let zed = zed::ComputeDispatcher::new(node());
    let now = crate::api::ComputeDispatcher::new(node());
    let releases: [&dyn Endpoint; 4] = [&train, &victoria, &zed, &now];
    let mut before = String::new();
    for endpoint in releases {
        let frozen = history::freeze(&path, endpoint).unwrap_or_else(|error| panic!("{error}"));
        assert!(frozen.is_changed());
        assert!(frozen.unmade().is_empty(), "{frozen}");
        history::verify(&path, endpoint).unwrap();
        assert!(!history::freeze(&path, endpoint).unwrap().is_changed());

        let text = std::fs::read_to_string(&path).unwrap();
        let golden = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.contains("golden"));
            lines.map(Into::into).collect()
        };
        for line in golden(&before) {
            assert!(text.contains(&line), "it is kept for ever: {line}");
        }
        assert!(golden(&text).len() > golden(&before).len());
        before = text;
    }
    // there is no way back
    let error = history::verify(&path, &zed).unwrap_err().to_string();
    assert!(
        error.contains("the API's version is below what was released: 6.5 was, it is 6.1 and 5.13"),
        "{error}"
    );
}
