//! The file: a history as text that people read and that changes line by line.

use super::scan::{self, quoted, unquoted};
use super::shape::{Arg, Golden, History, Method, Shape};
use crate::{MethodKind, Version};
use std::fmt::{self, Write};

/// Why a text is no history, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileError {
    pub(super) line: usize,
    pub(super) message: String,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The released messages of `{}`. Written by RPC_HISTORY=freeze cargo test; commit it.\n\
             # A line for each version in which the messages of a method change, and a message of that version, encoded.\n\
             # See \"Changing an API\" in the guide of rpc-core.",
            crate::text::shown(&self.name)
        )?;
        writeln!(f, "api {}", quoted(&self.name))?;
        if let Some(namespace) = &self.namespace {
            writeln!(f, "namespace {}", quoted(namespace))?;
        }
        if let Some(topic) = &self.topic {
            writeln!(f, "topic {}", quoted(topic))?;
        }
        let released: Vec<String> = self.released.iter().map(Version::to_string).collect();
        writeln!(f, "released {}", released.join(", "))?;
        for (name, version) in &self.aliases {
            writeln!(f, "alias {} = {version}", quoted(name))?;
        }
        self.methods.iter().try_for_each(|method| method.fmt(f))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} {}", self.kind.name(), quoted(&self.name))?;
        for (version, shape) in &self.shapes {
            match shape {
                Some(shape) => writeln!(f, "    {version} {shape}")?,
                None => writeln!(f, "    {version} removed")?,
            }
        }
        for (version, golden) in &self.golden {
            match golden {
                Golden::Bytes(bytes) => writeln!(f, "    golden {version} {}", hex(bytes))?,
                Golden::None(reason) => {
                    writeln!(f, "    golden {version} none: {}", scan::line(reason))?
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        for (at, arg) in self.args.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(
                f,
                "{comma}{}: {}",
                quoted(&arg.name),
                scan::type_name(&arg.type_name)
            )?;
            if let Some(default) = &arg.default {
                write!(f, " = {}", hex(default))?;
            }
            for value in &arg.values {
                write!(f, " with {value:?}")?;
            }
        }
        f.write_char(')')?;
        if self.answer != "()" {
            write!(f, " -> {}", scan::line(&self.answer))?;
        }
        Ok(())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = bytes.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    match pairs.collect::<Option<Vec<u8>>>() {
        Some(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err("bytes are pairs of hexadecimal digits".into()),
    }
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<History, FileError> {
    let mut parser = Parser::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        parser.line(line).map_err(|message| FileError {
            line: at + 1,
            message,
        })?;
    }
    parser.end().map_err(|message| FileError {
        line: text.lines().count().max(1),
        message,
    })
}

/// What has been read so far.
#[derive(Default)]
struct Parser {
    name: Option<String>,
    namespace: Option<String>,
    topic: Option<String>,
    released: Option<Vec<Version>>,
    aliases: Vec<(String, Version)>,
    methods: Vec<Method>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "api" => once(&mut self.name, word, unquoted(rest)?),
            "namespace" => once(&mut self.namespace, word, unquoted(rest)?),
            "topic" => once(&mut self.topic, word, unquoted(rest)?),
            "released" => {
                let versions = rest.split(',').map(|text| version(text.trim()));
                once(
                    &mut self.released,
                    word,
                    versions.collect::<Result<_, _>>()?,
                )
            }
            "alias" => {
                let (name, at) = rest
                    .rsplit_once(" = ")
                    .ok_or("an alias is `alias name = 1.2`")?;
                self.aliases.push((unquoted(name)?, version(at)?));
                Ok(())
            }
            "golden" => self.golden(rest),
            _ => match kind(word) {
                Some(kind) => self.method(kind, unquoted(rest)?),
                None if word.starts_with(|c: char| c.is_ascii_digit()) => {
                    self.shape(version(word)?, rest)
                }
                None => Err(format!(
                    "a line does not begin with `{}`",
                    crate::text::shown(word)
                )),
            },
        }
    }

    fn method(&mut self, kind: MethodKind, name: String) -> Result<(), String> {
        if self.methods.iter().any(|method| method.name == name) {
            return Err(format!("`{name}` is there twice"));
        }
        self.methods.push(Method {
            name,
            kind,
            shapes: Vec::new(),
            golden: Vec::new(),
        });
        Ok(())
    }

    fn shape(&mut self, version: Version, rest: &str) -> Result<(), String> {
        let method = self
            .methods
            .last_mut()
            .ok_or("a version belongs to a method")?;
        let shape = match rest {
            "removed" => None,
            _ => Some(shape(rest)?),
        };
        rising(&method.shapes, version)?;
        method.shapes.push((version, shape));
        Ok(())
    }

    fn golden(&mut self, rest: &str) -> Result<(), String> {
        let method = self
            .methods
            .last_mut()
            .ok_or("a message belongs to a method")?;
        let (at, message) = rest
            .split_once(' ')
            .ok_or("a message is `golden 1.2 81a2..`")?;
        let at = version(at)?;
        let message = match message.strip_prefix("none:") {
            Some(reason) => Golden::None(scan::unlined(reason.trim())?),
            None => Golden::Bytes(unhex(message)?),
        };
        rising(&method.golden, at)?;
        method.golden.push((at, message));
        Ok(())
    }

    fn end(self) -> Result<History, String> {
        if let Some(empty) = self.methods.iter().find(|method| method.shapes.is_empty()) {
            return Err(format!("`{}` has no version", empty.name));
        }
        Ok(History {
            name: self.name.ok_or("there is no line `api`")?,
            namespace: self.namespace,
            topic: self.topic,
            released: self.released.ok_or("there is no line `released`")?,
            aliases: self.aliases,
            methods: self.methods,
        })
    }
}

fn once<T>(place: &mut Option<T>, word: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("`{word}` is there twice")),
    }
}

fn rising<T>(lines: &[(Version, T)], next: Version) -> Result<(), String> {
    match lines.last() {
        Some((last, _)) if *last >= next => Err(format!(
            "{next} stands after {last}: the oldest comes first"
        )),
        _ => Ok(()),
    }
}

fn version(text: &str) -> Result<Version, String> {
    text.parse()
        .map_err(|error: crate::ParseVersionError| error.to_string())
}

fn kind(word: &str) -> Option<MethodKind> {
    use MethodKind::{Call, Cast, Fanout, Multicall};
    [Call, Cast, Fanout, Multicall]
        .into_iter()
        .find(|kind| kind.name() == word)
}

fn shape(text: &str) -> Result<Shape, String> {
    let wrong = "a shape is `(name: Type, ..) -> Type`";
    let inside = text.strip_prefix('(').ok_or(wrong)?;
    let end = scan::find(inside, ")").ok_or(wrong)?;
    let (args, rest) = (&inside[..end], inside[end + 1..].trim());
    let answer = match rest.strip_prefix("->") {
        Some(answer) => scan::unlined(answer.trim())?,
        None if rest.is_empty() => "()".into(),
        None => return Err(wrong.into()),
    };
    let mut shape = Shape {
        args: Vec::new(),
        answer,
    };
    let mut left = (!args.trim().is_empty()).then_some(args);
    while let Some(text) = left {
        let (one, rest) = match scan::find(text, ",") {
            Some(comma) => (&text[..comma], Some(&text[comma + 1..])),
            None => (text, None),
        };
        let arg = arg(one.trim())?;
        if shape.arg(&arg.name).is_some() {
            return Err(format!("argument `{}` is there twice", arg.name));
        }
        shape.args.push(arg);
        left = rest;
    }
    Ok(shape)
}

fn arg(text: &str) -> Result<Arg, String> {
    let wrong = "an argument is `name: Type`, `name: Type = c0` or `name: Type with \"pattern\"`";
    let colon = scan::find(text, ": ").ok_or(wrong)?;
    let name = unquoted(&text[..colon])?;
    let mut rest = text[colon + 2..].trim();
    let mut values = Vec::new();
    if let Some(first) = scan::find(rest, " with ") {
        let mut left = Some(&rest[first + 6..]);
        while let Some(text) = left {
            let end = scan::find(text, " with ");
            values.push(unquoted(&text[..end.unwrap_or(text.len())])?);
            left = end.map(|end| &text[end + 6..]);
        }
        rest = &rest[..first];
    }
    let mut default = None;
    if let Some(at) = scan::find(rest, " = ") {
        default = Some(unhex(rest[at + 3..].trim())?);
        rest = &rest[..at];
    }
    Ok(Arg {
        name,
        type_name: scan::unlined(rest.trim())?,
        default,
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r#"# The released messages of `Compute`. Written by RPC_HISTORY=freeze cargo test; commit it.
# A line for each version in which the messages of a method change, and a message of that version, encoded.
# See "Changing an API" in the guide of rpc-core.
api Compute
namespace v
topic "compute nodes"
released 6.5, 5.13
alias zed = 6.1

call snapshot
    2.1 (id: Uuid) -> Result<Uuid, ComputeError>
    2.3 (id: Uuid, clean_shutdown: Option<bool> = c0 with "None" with "Some(a, b)") -> Result<Uuid, ComputeError>
    3.0 removed
    golden 2.1 81a26964a161
    golden 2.3 none: `id`: it is strange

fanout drop_caches
    2.4 ()
    golden 2.4 80
"#;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let history = parse(TEXT).unwrap();
        assert_eq!(history.to_string(), TEXT);
        assert_eq!(history.methods[0].shapes.len(), 3);
        let with_returns = TEXT.replace('\n', "\r\n");
        assert_eq!(parse(&with_returns), Ok(history));
    }

    #[test]
    fn what_is_no_history_is_named() {
        for (from, to, expected) in [
            ("api Compute", "", "19: there is no line `api`"),
            (
                "released 6.5, 5.13",
                "released 6",
                r#"7: "6" is not a version"#,
            ),
            ("alias", "alas", "8: a line does not begin with `alas`"),
            ("2.3 (id", "2.1 (id", "12: 2.1 stands after 2.1"),
            ("2.1 (id: Uuid)", "2.1 id: Uuid", "11: a shape is"),
            ("2.1 (id: Uuid)", "2.1 (id)", "11: an argument is"),
            ("= c0", "= c", "12: bytes are pairs"),
            (
                "fanout drop_caches",
                "fanout snapshot",
                "17: `snapshot` is there twice",
            ),
            ("    2.4 ()\n", "", "18: `drop_caches` has no version"),
        ] {
            let error = parse(&TEXT.replace(from, to)).unwrap_err();
            let text = format!("{}: {}", error.line, error.message);
            assert!(text.starts_with(expected), "{to:?}: {text}");
        }
    }

    fn type_name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z_]{1,6}",
            Just("Vec<(u8, [Uuid; 4])>".into()),
            Just("Box<dyn Fn(u8) -> u8>".into()),
            Just("&'a str".into()),
            any::<String>(),
        ]
    }

    fn arg() -> impl Strategy<Value = Arg> {
        let bytes = prop::collection::vec(any::<u8>(), 1..4);
        let values = prop::collection::vec(any::<String>(), 0..3);
        (
            "[a-z ,:()\"]{1,4}",
            type_name(),
            prop::option::of(bytes),
            values,
        )
            .prop_map(|(name, type_name, default, values)| Arg {
                name,
                type_name,
                default,
                values,
            })
    }

    fn shape() -> impl Strategy<Value = Shape> {
        (prop::collection::vec(arg(), 0..4), type_name()).prop_map(|(mut args, answer)| {
            args.sort_by(|one, other| one.name.cmp(&other.name));
            args.dedup_by(|one, other| one.name == other.name);
            Shape { args, answer }
        })
    }

    fn versions<T: Clone + fmt::Debug>(
        of: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Vec<(Version, T)>> {
        let version = (0u16..4, 0u16..9).prop_map(|(major, minor)| Version::new(major, minor));
        prop::collection::btree_map(version, of, 1..4).prop_map(|lines| lines.into_iter().collect())
    }

    fn golden() -> impl Strategy<Value = Golden> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 1..9).prop_map(Golden::Bytes),
            any::<String>().prop_map(Golden::None),
        ]
    }

    fn history() -> impl Strategy<Value = History> {
        let kind = prop::sample::select(vec![
            MethodKind::Call,
            MethodKind::Cast,
            MethodKind::Multicall,
        ]);
        let method = (
            kind,
            versions(prop::option::of(shape())),
            versions(golden()),
        );
        let methods = prop::collection::btree_map("[a-z_ ]{1,8}", method, 0..4);
        let ends = versions(Just(()));
        (
            any::<[String; 2]>(),
            prop::option::of(any::<String>()),
            ends,
            methods,
        )
            .prop_map(|([name, alias], topic, released, methods)| History {
                name,
                namespace: None,
                topic,
                aliases: vec![(alias, Version::new(1, 2))],
                released: released.into_iter().map(|(version, ())| version).collect(),
                methods: methods
                    .into_iter()
                    .map(|(name, (kind, shapes, golden))| Method {
                        name,
                        kind,
                        shapes,
                        golden,
                    })
                    .collect(),
            })
    }

    proptest! {
        #[test]
        fn any_history_reads_back_as_it_was_written(history in history()) {
            let text = history.to_string();
            let read = parse(&text);
            prop_assert_eq!(read.as_ref(), Ok(&history), "{}", text);
            prop_assert_eq!(parse(&text).map(|history| history.to_string()), Ok(text));
        }

        #[test]
        fn no_text_panics(text: String, lines in prop::collection::vec("[ a-z0-9.(){}<>:,=\"\\\\>-]{0,20}", 0..6), at in 0usize..700) {
            let _ = parse(&text);
            let mut file: Vec<&str> = TEXT.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                let place = (at + index * 7) % file.len();
                file[place] = line;
            }
            let _ = parse(&file.join("\n"));
            let cut: String = TEXT.chars().take(at).collect();
            let _ = parse(&cut);
        }
    }
}
