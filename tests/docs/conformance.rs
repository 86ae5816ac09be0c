//! The page that says what holds the semantics names every behaviour once, and tests that exist.

use crate::table::{code, rows};
use crate::{read, root};
use std::collections::BTreeSet;

/// The rules of the semantics.
const RULES: [&str; 26] = [
    "version rule",
    "message of version v",
    "version sent",
    "at its default",
    "cap",
    "two majors",
    "call",
    "cast",
    "fanout",
    "once written, never again",
    "order",
    "round robin",
    "timeout",
    "retry",
    "call monitor",
    "multicall",
    "gather",
    "cancellation",
    "window and limits",
    "panic",
    "blocking",
    "errors",
    "expected errors",
    "access",
    "life cycle",
    "ping, describe",
];

/// What oslo.messaging's tests pin down and has a meaning here: letters, and the numbers that follow them.
const BEHAVIOURS: [(&str, &[u32]); 6] = [
    ("C", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    ("D", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    (
        "S",
        &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        ],
    ),
    ("F", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    ("R", &[10, 12]),
    ("U", &[1, 2, 3, 4, 5, 6, 9, 10, 11]),
];

fn expected() -> BTreeSet<String> {
    let behaviours = BEHAVIOURS.iter().flat_map(|(letter, numbers)| {
        numbers
            .iter()
            .map(move |number| format!("{letter}{number}"))
    });
    RULES
        .iter()
        .map(|rule| (*rule).to_owned())
        .chain(behaviours)
        .collect()
}

#[test]
fn every_behaviour_has_one_row() {
    let page = read("docs/conformance.md");
    let mut missing = expected();
    for row in rows(&page) {
        assert!(
            missing.remove(row[0]),
            "`{}` has two rows, or is none of the behaviours; or it was absent, and has a row now",
            row[0]
        );
    }
    assert!(missing.is_empty(), "these have no row: {missing:?}");
}

#[test]
fn every_row_names_tests_that_exist() {
    let page = read("docs/conformance.md");
    let rules: BTreeSet<&str> = rpc_core::testing::rules().collect();
    assert!(rules.len() > 100);
    for row in rows(&page) {
        let [id, rule, tests] = row[..] else {
            panic!("a row has three cells: {row:?}");
        };
        assert!(
            tests.contains('`') || rule.starts_with("Moot: "),
            "{id} names no test, and does not say why there is none"
        );
        for test in code(tests) {
            let exists = match test.split_once(".rs") {
                None => rules.contains(test),
                Some((file, "")) => root().join(format!("{file}.rs")).is_file(),
                Some((file, name)) => has_test(&format!("{file}.rs"), &name[2..]),
            };
            assert!(exists, "{id} names `{test}`, which is no test");
        }
    }
}

/// Whether a file has a function of this name that is marked as a test.
fn has_test(file: &str, name: &str) -> bool {
    let source = read(file);
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declared = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        let mut attributes = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("#["));
        line.trim_start_matches("async ").starts_with(&declared)
            && attributes
                .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}
