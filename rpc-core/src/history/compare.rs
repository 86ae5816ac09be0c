//! What was released beside what is: every difference, with what to write.

use super::args::Args;
use super::shape::{History, Method, Shape, first};
use crate::{ApiInfo, MethodInfo, MethodKind, Version};
use std::collections::BTreeSet;
use std::fmt;

/// A difference, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The method that it is about.
    pub(super) method: Option<String>,
    pub(super) what: String,
    pub(super) write: String,
}

impl Problem {
    pub(super) fn new(what: impl fmt::Display, write: impl fmt::Display) -> Self {
        Self {
            method: None,
            what: what.to_string(),
            write: write.to_string(),
        }
    }

    pub(super) fn of(
        kind: MethodKind,
        name: &str,
        what: impl fmt::Display,
        write: impl fmt::Display,
    ) -> Self {
        Self {
            method: Some(name.into()),
            ..Self::new(format_args!("{} `{name}`: {what}", kind.name()), write)
        }
    }
}

/// Everything in which an API is not what was released.
pub(super) fn compare(released: &History, api: &ApiInfo) -> Vec<Problem> {
    let now = History::of(api);
    let mut problems: Vec<Problem> = names(released, &now).into_iter().collect();
    problems.extend(namespaces(released, &now));
    problems.extend(versions(released, api));
    problems.extend(aliases(released, &now, api));
    let next = Next::of(released, api);
    for was in &released.methods {
        let info = api
            .methods()
            .iter()
            .find(|method| method.name() == was.name);
        match (now.method(&was.name), info) {
            (Some(is), Some(info)) => Methods {
                released,
                api,
                info,
                next: &next,
                was,
                is,
                said: BTreeSet::new(),
                problems: &mut problems,
            }
            .compare(),
            _ => problems.extend(gone(released, was, api)),
        }
    }
    for is in &now.methods {
        let early = is
            .shapes
            .iter()
            .find(|(version, _)| released.covers(*version));
        if let (None, Some((version, _))) = (released.method(&is.name), early) {
            problems.push(Problem::of(
                is.kind,
                &is.name,
                format_args!("it was not released, and says that it came with {version}"),
                format_args!(
                    "write `#[rpc(since = \"{}\")]` above it{}",
                    next.version, next.and_raise
                ),
            ));
        }
    }
    problems
}

fn names(was: &History, is: &History) -> Option<Problem> {
    let shown = |name: &Option<String>| match name {
        Some(name) => format!("`{name}`"),
        None => "none".into(),
    };
    let of = |what, was: &Option<String>, is: &Option<String>| {
        (was != is).then(|| format!("{what}: was {}, is {}", shown(was), shown(is)))
    };
    let changes = [
        of("name", &Some(was.name.clone()), &Some(is.name.clone())),
        // clients that go by the old one are still served
        of("namespace", &was.namespace, &is.namespace).filter(|_| !is.is_in(&was.namespace)),
        of("topic", &was.topic, &is.topic),
    ];
    let changes: Vec<String> = changes.into_iter().flatten().collect();
    (!changes.is_empty()).then(|| {
        Problem::new(
            format_args!("the API's {}", changes.join("; ")),
            "write it as it was: who was released looks for it there. If it is another API, delete the file",
        )
    })
}

fn namespaces<'a>(was: &'a History, is: &'a History) -> impl Iterator<Item = Problem> + 'a {
    let gone = was
        .legacy_namespaces
        .iter()
        .filter(|namespace| !is.is_in(namespace));
    gone.map(|namespace| {
        let (shown, word) = match namespace {
            Some(name) => (format!("in namespace `{name}`"), format!("\"{name}\"")),
            None => ("without a namespace".into(), "none".into()),
        };
        Problem::new(
            format_args!("the API was served {shown} too, and is not any more"),
            format_args!("write `legacy_namespaces({word})`: who was released looks for it there"),
        )
    })
}

fn versions(released: &History, api: &ApiInfo) -> Vec<Problem> {
    let below = |end: &&Version| match api.spoken().find(|spoken| spoken.major() == end.major()) {
        Some(spoken) => spoken < **end,
        None => end.major() > api.version().major(),
    };
    let problem = |end: &Version| {
        let older = end.major() < api.version().major();
        let word = if older { "also" } else { "version" };
        Problem::new(
            format_args!(
                "the API's version is below what was released: {end} was, it is {}",
                spoken(api)
            ),
            format_args!("write `{word} = \"{end}\"` or a higher one"),
        )
    };
    released
        .released
        .iter()
        .filter(below)
        .map(problem)
        .collect()
}

fn spoken(api: &ApiInfo) -> String {
    let spoken: Vec<String> = api.spoken().map(|end| end.to_string()).collect();
    spoken.join(" and ")
}

fn aliases(was: &History, is: &History, api: &ApiInfo) -> Vec<Problem> {
    let mut problems = Vec::new();
    // those of a major that is not spoken any more are gone with it
    for (name, version) in was
        .aliases
        .iter()
        .filter(|(_, version)| api.serves(*version))
    {
        let now = is.aliases.iter().find(|(other, _)| other == name);
        let what = match now {
            Some((_, now)) if now == version => continue,
            Some((_, now)) => format!("alias `{name}`: was {version}, is {now}"),
            None => format!("alias `{name}`: was {version}, is not there any more"),
        };
        problems.push(Problem::new(
            what,
            format_args!(
                "write `aliases({name} = \"{version}\")` as it was: it is in configurations"
            ),
        ));
    }
    problems
}

/// A method that is not there any more, if a version that is spoken had it.
fn gone(released: &History, was: &Method, api: &ApiInfo) -> Option<Problem> {
    let lines = was.shapes.iter().map(|(version, _)| *version);
    let versions = lines.chain(api.spoken().map(first));
    let kept = versions.filter(|version| released.covers(*version) && api.serves(*version));
    let last = kept
        .filter(|version| was.shape_in(*version).is_some())
        .max()?;
    Some(Problem::of(
        was.kind,
        &was.name,
        "it is not there any more",
        format_args!(
            "write it as it was (if only its name in Rust is another: `#[rpc(name = \"{}\")]`). A method ends with a major version: \
             `#[rpc(until = \"{}.0\")]`",
            was.name,
            u32::from(last.major()) + 1
        ),
    ))
}

/// What is new says that it came with this version.
pub(super) struct Next {
    pub(super) version: Version,
    /// What else to write, if the API is not there yet.
    pub(super) and_raise: String,
}

impl Next {
    pub(super) fn of(released: &History, api: &ApiInfo) -> Self {
        let newest = api.version();
        match released
            .released
            .iter()
            .find(|end| end.major() == newest.major())
        {
            Some(end) if *end >= newest => {
                let version = Version::new(end.major(), end.minor().saturating_add(1));
                Self {
                    version,
                    and_raise: format!(", and `version = \"{version}\"` on the API"),
                }
            }
            _ => Self {
                version: newest,
                and_raise: String::new(),
            },
        }
    }
}

/// One method beside itself.
pub(super) struct Methods<'a> {
    pub(super) released: &'a History,
    pub(super) api: &'a ApiInfo,
    pub(super) info: &'a MethodInfo,
    pub(super) next: &'a Next,
    pub(super) was: &'a Method,
    pub(super) is: &'a Method,
    /// What has been said, so that it is not said again of the next version.
    said: BTreeSet<String>,
    problems: &'a mut Vec<Problem>,
}

impl Methods<'_> {
    fn compare(mut self) {
        if self.was.kind != self.is.kind {
            let Self { was, is, .. } = self;
            return self.say(
                "kind",
                format_args!("is a {}", is.kind.name()),
                format_args!(
                    "write it as the {} that it was, and a new method beside it",
                    was.kind.name()
                ),
            );
        }
        for version in self.versions() {
            match (self.was.shape_in(version), self.is.shape_in(version)) {
                (Some(was), Some(is)) => self.shapes(version, was, is),
                (Some(_), None) => self.say(
                    "lost",
                    format_args!("{version} had it, and has it no more"),
                    "write its `since` and `until` as they were",
                ),
                (None, Some(_)) => self.say(
                    "early",
                    format_args!("{version} did not have it, and has it now"),
                    "write its `since` and `until` as they were; what comes back is a new method",
                ),
                (None, None) => {}
            }
        }
    }

    /// Every version that was released and is still spoken, in which something changes.
    fn versions(&self) -> BTreeSet<Version> {
        let lines = self
            .was
            .shapes
            .iter()
            .chain(&self.is.shapes)
            .map(|(version, _)| *version);
        lines
            .chain(self.api.spoken().map(first))
            .filter(|version| self.released.covers(*version) && self.api.serves(*version))
            .collect()
    }

    fn shapes(&mut self, version: Version, was: &Shape, is: &Shape) {
        Args {
            version,
            was,
            is,
            of: self,
        }
        .compare();
        self.answer(version, &was.answer, &is.answer);
    }

    fn answer(&mut self, version: Version, was: &str, is: &str) {
        use super::shape::{result, same_type};
        // the Rust type that stands for what it was may have any name
        let older = self
            .info
            .answers()
            .iter()
            .any(|older| version < older.until());
        if older || same_type(was, is) {
            return;
        }
        let value = match (result(was), result(is)) {
            (Some((_, value, rest)), Some((_, _, other))) if rest == other => Some(value),
            (None, None) => Some(was),
            _ => None,
        };
        let next = &self.next.version;
        let write = match value {
            Some(value) if matches!(self.was.kind, MethodKind::Call | MethodKind::Gather) => {
                format!(
                    "write `returned(type = {value}, until = \"{next}\")` in its `#[rpc(..)]`{}{}",
                    self.next.and_raise,
                    or_rename(was)
                )
            }
            _ => format!(
                "write it as it was, and a new method beside it{}",
                or_rename(was)
            ),
        };
        self.say(
            "answer",
            format_args!("its answer was `{was}` in {version}, is `{is}`"),
            write,
        );
    }

    /// Reports something of this method, once.
    pub(super) fn say(
        &mut self,
        key: impl fmt::Display,
        what: impl fmt::Display,
        write: impl fmt::Display,
    ) {
        if self.said.insert(key.to_string()) {
            let problem = Problem::of(self.was.kind, &self.was.name, what, write);
            self.problems.push(problem);
        }
    }
}

/// What to do about a type that only has another name.
pub(super) fn or_rename(was: &str) -> String {
    format!(". If only its name in Rust is another, correct `{was}` in the file")
}
