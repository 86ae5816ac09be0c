//! The table of limits is that of the code: every constant that is a number or a time has a row with its value.

use crate::read;
use crate::source::{Source, shipped};
use crate::table::{code, rows};
use std::collections::{BTreeMap, BTreeSet};

const CRATES: [&str; 3] = ["rpc-core", "rpc-macros", "rpc-zmq"];

/// Numbers that bound nothing.
const NO_LIMITS: [(&str, &str); 10] = [
    ("codec::HEADROOM", "room that is kept free"),
    ("frame::PREFIX", "the layout of a frame"),
    ("frame::PROTOCOL", "the version of the protocol"),
    ("made_up::DEPTH", "how tests of APIs make values up"),
    ("made_up::TRIES", "how tests of APIs make values up"),
    (
        "node::AHEAD",
        "room that is made at first, in tests of APIs",
    ),
    ("shared_cap::KNOWN", "a bit of a word"),
    ("transport::FAR", "a time that never comes"),
    ("wish::PADDING", "a byte of the codec"),
    ("wish::SOME", "a byte of the codec"),
];

/// Options of URLs that are no limits.
const OPTIONS: [&str; 2] = ["listen", "advertise"];

/// A number, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Number(u64),
    Micros(u64),
}

impl Value {
    /// The value of a constant: a number, a product, or a `Duration` made of one.
    fn of_expression(text: &str) -> Option<Self> {
        let product = |text: &str| {
            text.split('*')
                .map(|factor| factor.trim().replace('_', "").parse::<u64>().ok())
                .product::<Option<u64>>()
        };
        for (unit, micros) in [("secs", 1_000_000), ("millis", 1000), ("micros", 1)] {
            let made = text.strip_prefix(&format!("Duration::from_{unit}("));
            if let Some(count) = made.and_then(|rest| rest.strip_suffix(')')) {
                return Some(Self::Micros(product(count)? * micros));
            }
        }
        product(text).map(Self::Number)
    }

    /// The value of a cell: `1,024`, `64 MiB`, `50 ms`.
    fn of_cell(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
        let number: u64 = number.replace(',', "").parse().ok()?;
        Some(match unit {
            "" => Self::Number(number),
            "KiB" => Self::Number(number * 1024),
            "MiB" => Self::Number(number * 1024 * 1024),
            "ms" => Self::Micros(number * 1000),
            "s" => Self::Micros(number * 1_000_000),
            "min" => Self::Micros(number * 60 * 1_000_000),
            _ => return None,
        })
    }
}

/// The name, type and value of each constant of a file, as they are written.
fn constants(source: &Source) -> Vec<(String, String, String)> {
    let text = source.lines().collect::<Vec<_>>().join("\n");
    let mut constants = Vec::new();
    for (at, _) in text.match_indices("const ") {
        let declared = &text[at + "const ".len()..];
        let parts = declared
            .split_once(';')
            .and_then(|(declared, _)| declared.split_once('='))
            .and_then(|(left, value)| Some((left.split_once(':')?, value)));
        if let Some(((name, kind), value)) = parts
            && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            constants.push((name.into(), kind.trim().into(), value));
        }
    }
    constants
}

/// Every constant that is a number or a time, by `module::NAME`.
fn numbers() -> BTreeMap<String, Value> {
    let mut numbers = BTreeMap::new();
    for source in CRATES.iter().flat_map(|name| shipped(name)) {
        for (name, kind, value) in constants(&source) {
            if ![
                "Duration", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i64",
            ]
            .contains(&kind.as_str())
            {
                continue;
            }
            let key = format!("{}::{name}", source.module());
            let value = Value::of_expression(&value).or(NO_LIMITS
                .iter()
                .any(|(known, _)| *known == key)
                .then_some(Value::Number(0)));
            let value = value.unwrap_or_else(|| {
                panic!(
                    "{key} in {}: write it as a number, a product or a `Duration::from_..` of one",
                    source.path.display()
                )
            });
            let before = numbers.insert(key.clone(), value);
            assert!(before.is_none(), "two constants are {key}: rename one");
        }
    }
    assert!(numbers.len() > 30, "only {} were found", numbers.len());
    numbers
}

#[test]
fn every_limit_has_a_row_with_its_value() {
    let guide = read("rpc-core/guide/limits.md");
    let mut unnamed = numbers();
    for row in rows(&guide) {
        let documented = Value::of_cell(row[1])
            .unwrap_or_else(|| panic!("`{}` is no value that can be compared: {row:?}", row[1]));
        let names: Vec<&str> = code(row[row.len() - 1])
            .filter(|name| name.contains("::"))
            .collect();
        assert!(!names.is_empty(), "a row without a constant: {row:?}");
        for name in names {
            let value = unnamed.remove(name);
            assert_eq!(value, Some(documented), "{name}, in the row {row:?}");
        }
    }
    for (name, _) in NO_LIMITS {
        assert!(
            unnamed.remove(name).is_some(),
            "{name} is gone, or has a row: remove it from those that are no limits"
        );
    }
    assert!(
        unnamed.is_empty(),
        "no row of guide/limits.md names these: {:?}",
        unnamed.keys()
    );
}

#[test]
fn every_time_has_a_name() {
    for source in CRATES.iter().flat_map(|name| shipped(name)) {
        for line in source.lines().filter(|line| !line.contains("const ")) {
            let bare = line
                .split("Duration::from_")
                .skip(1)
                .filter_map(|rest| rest.split_once('('))
                .any(|(_, value)| value.starts_with(|c: char| c.is_ascii_digit()));
            assert!(
                !bare,
                "{}: `{line}`: make the time a constant, and give it a row in guide/limits.md",
                source.path.display()
            );
        }
    }
}

#[test]
fn every_option_of_a_url_that_is_a_limit_has_a_row() {
    let guide = read("rpc-core/guide/limits.md");
    let mut options = BTreeSet::new();
    for source in CRATES.iter().flat_map(|name| shipped(name)) {
        let text = source.lines().collect::<String>();
        for known in text.split("only_options(&[").skip(1) {
            let (known, _) = known.split_once(']').expect("a list of options");
            options.extend(known.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(options.len() >= 4, "{options:?}");
    for option in options {
        if OPTIONS.contains(&option.as_str()) {
            continue;
        }
        let named = format!("`{option}` in the node's URL");
        assert!(
            guide.contains(&named),
            "no row of guide/limits.md has {named}"
        );
    }
}
