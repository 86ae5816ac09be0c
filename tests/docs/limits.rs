//! The table of limits is that of the code: every constant that is a number or a time has a row with its value.

use crate::read;
use crate::source::{Source, shipped};
use crate::table::{code, rows};
use std::collections::BTreeMap;

const CRATES: [&str; 3] = ["rpc-core", "rpc-macros", "rpc-zmq"];

/// Numbers that bound nothing: a constant, or with `::` at the end all of a module.
const NO_LIMITS: [(&str, &str); 11] = [
    ("curve::", "the layout of CURVE's commands and keys"),
    ("record::VERSION", "the version of a layout"),
    ("greeting::LEN", "the layout of a greeting"),
    ("outlet::HEAD", "the layout of a frame"),
    ("codec::HEADROOM", "room that is kept free"),
    ("frame::PREFIX", "the layout of a frame"),
    ("exchange::window::", "the layout of a word"),
    ("history::made_up::", "how tests of APIs make values up"),
    (
        "history::node::AHEAD",
        "room that is made at first, in tests of APIs",
    ),
    ("shared_cap::KNOWN", "a bit of a word"),
    ("transport::FAR", "a time that never comes"),
];

/// The types of what bounds something; a `u8` is a byte or a bit.
const KINDS: [&str; 7] = ["Duration", "f64", "i64", "u16", "u32", "u64", "usize"];

/// Options of URLs that are no limits.
const OPTIONS: [&str; 7] = [
    "listen",
    "advertise",
    "engine",
    "key",
    "peers",
    "auth",
    "resolver",
];

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
            "h" => Self::Micros(number * 3600 * 1_000_000),
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

/// Every constant that is a number or a time, by its whole path. `None` is a value that is not written as one.
fn numbers() -> BTreeMap<String, Option<Value>> {
    let mut numbers = BTreeMap::new();
    for source in CRATES.iter().flat_map(|name| shipped(name)) {
        for (name, kind, value) in constants(&source) {
            if KINDS.contains(&kind.as_str()) {
                let path = format!("{}::{name}", source.module());
                numbers.insert(path, Value::of_expression(&value));
            }
        }
    }
    assert!(numbers.len() > 30, "only {} were found", numbers.len());
    numbers
}

/// Takes out what is meant by the end of a path; or, with `::` at its end, by the path of a module.
fn take(numbers: &mut BTreeMap<String, Option<Value>>, meant: &str) -> Vec<Option<Value>> {
    let is_meant = |path: &str| {
        let (path, part) = (format!("::{path}"), format!("::{meant}"));
        if meant.ends_with("::") {
            path.contains(&part)
        } else {
            path.ends_with(&part)
        }
    };
    let paths: Vec<String> = numbers
        .keys()
        .filter(|path| is_meant(path))
        .cloned()
        .collect();
    paths
        .iter()
        .filter_map(|path| numbers.remove(path))
        .collect()
}

#[test]
fn every_limit_has_a_row_with_its_value() {
    let guide = read("rpc-core/guide/limits.md");
    let mut unnamed = numbers();
    for (name, _) in NO_LIMITS {
        assert!(
            !take(&mut unnamed, name).is_empty(),
            "{name} is gone: remove it from those that are no limits"
        );
    }
    for row in rows(&guide) {
        let documented = Value::of_cell(row[1])
            .unwrap_or_else(|| panic!("`{}` is no value that can be compared: {row:?}", row[1]));
        let names: Vec<&str> = code(row[row.len() - 1])
            .filter(|name| name.contains("::"))
            .collect();
        assert!(!names.is_empty(), "a row without a constant: {row:?}");
        for name in names {
            match take(&mut unnamed, name)[..] {
                [Some(value)] => assert_eq!(value, documented, "{name}, in the row {row:?}"),
                [None] => panic!(
                    "the value of {name} can't be read: write it as a number, a product, or a `Duration::from_..` of one"
                ),
                [] => panic!("there is no {name}, or another row has it: {row:?}"),
                _ => panic!("there are several {name}: write more of its path: {row:?}"),
            }
        }
    }
    assert!(
        unnamed.is_empty(),
        "no row of guide/limits.md names these, and {} does not say that they are no limits: {:?}",
        file!(),
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
    let reference = read("rpc-zmq/src/lib.rs");
    let options: Vec<&str> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split_once('='))
        .map(|(option, _)| option)
        .filter(|option| !OPTIONS.contains(option))
        .collect();
    assert!(options.contains(&"window"), "{options:?}");
    for option in options {
        let named = ["node's", "client's"].map(|whose| format!("`{option}` in the {whose} URL"));
        assert!(
            named.iter().any(|named| guide.contains(named)),
            "no row of guide/limits.md has {}",
            named.join(" or ")
        );
    }
}
