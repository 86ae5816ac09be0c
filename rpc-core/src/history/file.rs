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
        for namespace in &self.legacy_namespaces {
            match namespace {
                Some(namespace) => writeln!(f, "legacy_namespace {}", quoted(namespace))?,
                None => writeln!(f, "legacy_without_namespace")?,
            }
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
                    writeln!(f, "    golden {version} none: {}", scan::line(reason))?;
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
    legacy_namespaces: Vec<Option<String>>,
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
            "legacy_namespace" => {
                self.legacy_namespaces.push(Some(unquoted(rest)?));
                Ok(())
            }
            "legacy_without_namespace" => {
                self.legacy_namespaces.push(None);
                Ok(())
            }
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
            legacy_namespaces: self.legacy_namespaces,
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
    use MethodKind::{Call, Cast, Fanout, Gather, Multicall};
    [Call, Cast, Fanout, Multicall, Gather]
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
mod tests;
