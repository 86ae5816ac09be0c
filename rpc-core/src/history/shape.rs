//! What an API's messages look like in each version: derived from the constant that `#[rpc_api]` emits, or read from a file.

use super::scan::find;
use crate::{ApiInfo, ArgInfo, MethodInfo, MethodKind, Version};

/// An API as it is, or as it was released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Where it is served besides; `None` is having no namespace.
    pub(super) legacy_namespaces: Vec<Option<String>>,
    pub(super) topic: Option<String>,
    /// The end of each major version, the newest first.
    pub(super) released: Vec<Version>,
    pub(super) aliases: Vec<(String, Version)>,
    pub(super) methods: Vec<Method>,
}

/// A method through the versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) kind: MethodKind,
    /// Its shape from a version on, the oldest first; `None` from where it does not exist any more.
    pub(super) shapes: Vec<(Version, Option<Shape>)>,
    /// What was sent in some versions, the oldest first.
    pub(super) golden: Vec<(Version, Golden)>,
}

/// What the messages of a method hold, and what is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) args: Vec<Arg>,
    pub(super) answer: String,
}

/// An argument, as messages of some version hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arg {
    pub(super) name: String,
    pub(super) type_name: String,
    /// What older messages of the same major mean without it, encoded.
    pub(super) default: Option<Vec<u8>>,
    /// The values that came later than the argument, as patterns.
    pub(super) values: Vec<String>,
}

/// A message's encoded arguments, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Golden {
    Bytes(Vec<u8>),
    None(String),
}

impl History {
    /// What an API says of itself: all of it, as if it was released now.
    pub(super) fn of(api: &ApiInfo) -> Self {
        Self {
            name: api.name().into(),
            namespace: api.namespace().map(Into::into),
            legacy_namespaces: api
                .namespaces()
                .skip(1)
                .map(|namespace| namespace.map(Into::into))
                .collect(),
            topic: api.topic().map(Into::into),
            released: api.spoken().collect(),
            aliases: api
                .aliases()
                .iter()
                .map(|(name, version)| ((*name).into(), *version))
                .collect(),
            methods: api
                .methods()
                .iter()
                .map(|method| Method {
                    name: method.name().into(),
                    kind: method.kind(),
                    shapes: shapes(api, method),
                    golden: Vec::new(),
                })
                .collect(),
        }
    }

    pub(super) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// Whether it is served in this namespace.
    pub(super) fn is_in(&self, namespace: &Option<String>) -> bool {
        self.namespace == *namespace || self.legacy_namespaces.contains(namespace)
    }

    /// Whether this version is among those that it is about.
    pub(super) fn covers(&self, version: Version) -> bool {
        self.released.iter().any(|end| end.serves(version))
    }
}

impl Method {
    /// Its shape in a version, if it exists there.
    pub(super) fn shape_in(&self, version: Version) -> Option<&Shape> {
        let (_, shape) = self.shapes.iter().rfind(|(since, _)| *since <= version)?;
        shape.as_ref()
    }
}

impl Shape {
    pub(super) fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.name == name)
    }
}

/// A method's shapes, at the versions where they change.
fn shapes(api: &ApiInfo, method: &MethodInfo) -> Vec<(Version, Option<Shape>)> {
    let mut versions: Vec<Version> = api.spoken().map(first).collect();
    versions.push(method.since());
    versions.extend(method.until());
    versions.extend(method.answers().iter().map(crate::OldAnswer::until));
    for arg in method.args() {
        versions.extend(arg.since());
        versions.extend(arg.until());
        let histories = [arg.names(), arg.types(), arg.values()];
        versions.extend(
            histories
                .iter()
                .flat_map(|of| of.iter().map(|(version, _)| *version)),
        );
    }
    versions.retain(|version| api.serves(*version));
    versions.sort_unstable();
    versions.dedup();
    let mut shapes: Vec<(Version, Option<Shape>)> = Vec::new();
    for version in versions {
        let shape = shape_of(method, version);
        let before = shapes.last().and_then(|(_, shape)| shape.as_ref());
        if before != shape.as_ref() {
            shapes.push((version, shape));
        }
    }
    shapes
}

/// The first version of a major.
pub(super) fn first(version: Version) -> Version {
    Version::new(version.major(), 0)
}

fn shape_of(method: &MethodInfo, version: Version) -> Option<Shape> {
    (method.since() <= version && method.is_in(version)).then(|| Shape {
        args: method
            .args()
            .iter()
            .filter(|arg| arg.is_in(version))
            .map(|arg| arg_of(arg, version))
            .collect(),
        answer: answer_of(method, version),
    })
}

fn arg_of(arg: &ArgInfo, version: Version) -> Arg {
    // where every message of the major holds it, nobody fills it in
    let filled_in = arg.since().is_some_and(|since| since > first(version));
    Arg {
        name: arg.name_in(version).into(),
        type_name: one_line(arg.type_in(version)),
        default: arg
            .default_bytes()
            .filter(|bytes| filled_in && !bytes.is_empty())
            .map(Into::into),
        values: arg
            .values()
            .iter()
            .filter(|(since, _)| *since <= version)
            .map(|(_, pattern)| one_line(pattern))
            .collect(),
    }
}

fn answer_of(method: &MethodInfo, version: Version) -> String {
    let answer = one_line(method.answer());
    let older = method
        .answers()
        .iter()
        .find(|older| version < older.until());
    match older {
        None => answer,
        Some(older) => with_value(&answer, &one_line(older.type_name())),
    }
}

/// An answer's type with another value: `Result<T, E>` with an `Old` is `Result<Old, E>`.
fn with_value(answer: &str, value: &str) -> String {
    match result(answer) {
        Some((head, _, rest)) => format!("{head}<{value}{rest}"),
        None => value.into(),
    }
}

/// Takes a `Result<T, E>`, by whatever name, apart: what is before the `<`, the value, and the rest.
pub(super) fn result(answer: &str) -> Option<(&str, &str, &str)> {
    let (head, inside) = answer.split_once('<')?;
    if !head.trim_end().ends_with("Result") {
        return None;
    }
    let mut depth = 0usize;
    let mut before = ' ';
    for (at, c) in inside.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if before == '-' => {}
            ',' | '>' if depth == 0 => return Some((head, inside[..at].trim(), &inside[at..])),
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    None
}

/// A text of the source, which may have been broken into lines there.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether two types, as they are written, are the same in a message: what is borrowed by one is owned by the other.
pub(super) fn same_type(one: &str, other: &str) -> bool {
    one == other || owned(one) == owned(other)
}

/// The type without references: `&[&'a str]` is `Vec<String>`.
fn owned(type_name: &str) -> String {
    let mut out = String::new();
    let mut left = type_name;
    while let Some(c) = left.chars().next() {
        let rest = &left[c.len_utf8()..];
        let word = |c: char| c.is_alphanumeric() || c == '_';
        left = match c {
            '&' => match rest.trim_start().strip_prefix('\'') {
                Some(lifetime) => lifetime.trim_start_matches(word).trim_start(),
                None => rest.trim_start(),
            },
            '[' => match slice(rest) {
                Some((element, rest)) => {
                    out.extend(["Vec<", &owned(element), ">"]);
                    rest
                }
                None => {
                    out.push(c);
                    rest
                }
            },
            _ if word(c) => {
                let (name, rest) = left.split_at(left.find(|c| !word(c)).unwrap_or(left.len()));
                out.push_str(match name {
                    "str" => "String",
                    "Path" => "PathBuf",
                    other => other,
                });
                rest
            }
            _ => {
                out.push(c);
                rest
            }
        };
    }
    out
}

/// The element of a slice and what follows it, after its `[`. An array is none.
fn slice(text: &str) -> Option<(&str, &str)> {
    let end = find(text, "]")?;
    let element = &text[..end];
    find(element, ";")
        .is_none()
        .then_some((element, &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_answer_replaces_the_value_of_a_result() {
        for (answer, expected) in [
            ("Result<New, E>", "Result<Old, E>"),
            ("Result<Vec<(u8, New)>, E>", "Result<Old, E>"),
            ("io::Result<New>", "io::Result<Old>"),
            ("String", "Old"),
            ("Vec<New>", "Old"),
            ("Result<", "Old"),
        ] {
            assert_eq!(with_value(answer, "Old"), expected, "{answer}");
        }
    }

    #[test]
    fn what_is_lent_and_what_is_owned_is_the_same_in_a_message() {
        for (one, other) in [
            ("&str", "String"),
            ("&'a str", "String"),
            ("&[u8]", "Vec<u8>"),
            ("&[Vec<u8>]", "Vec<Vec<u8>>"),
            ("& Spec", "Spec"),
            ("Option<&'a [&str]>", "Option<Vec<String>>"),
            ("[&str; 2]", "[String; 2]"),
            ("&Path", "PathBuf"),
        ] {
            assert!(same_type(one, other), "{one} {other}");
        }
        assert!(!same_type("u8", "u16"));
        assert!(!same_type("&[u8; 4]", "Vec<u8; 4>"));
    }
}
