//! The arguments of one version of a method, as they were released and as they are.

use super::compare::{Methods, or_rename};
use super::file::hex;
use super::shape::{Arg, Shape, same_type};
use crate::{ArgInfo, Version};

pub(super) struct Args<'a, 'b> {
    pub(super) version: Version,
    pub(super) was: &'a Shape,
    pub(super) is: &'a Shape,
    pub(super) of: &'a mut Methods<'b>,
}

impl Args<'_, '_> {
    /// Their order does not matter: messages hold them by name.
    pub(super) fn compare(mut self) {
        let (was, is) = (self.was, self.is);
        let mut lost: Vec<&Arg> = was
            .args
            .iter()
            .filter(|arg| is.arg(&arg.name).is_none())
            .collect();
        let mut new: Vec<&Arg> = is
            .args
            .iter()
            .filter(|arg| was.arg(&arg.name).is_none())
            .collect();
        if let ([one], [other]) = (&lost[..], &new[..])
            && same_type(&one.type_name, &other.type_name)
            && self.info(&one.name).is_none()
        {
            self.renamed(one, other);
            (lost, new) = (Vec::new(), Vec::new());
        }
        lost.into_iter().for_each(|arg| self.lost(arg));
        new.into_iter().for_each(|arg| self.added(arg));
        for arg in &was.args {
            if let Some(now) = is.arg(&arg.name) {
                self.same(arg, now);
            }
        }
    }

    /// What the API says of an argument that some version calls so.
    fn info(&self, name: &str) -> Option<&'static ArgInfo> {
        let mut args = self.of.info.args().iter();
        args.find(|arg| arg.name() == name || arg.names().iter().any(|(_, older)| *older == name))
    }

    fn renamed(&mut self, was: &Arg, is: &Arg) {
        let (version, next) = (self.version, self.of.next);
        self.of.say(
            format_args!("renamed {} {}", was.name, is.name),
            format_args!("argument `{}` of {version} is called `{}`", was.name, is.name),
            format_args!(
                "write `#[rpc(was(name = \"{}\", until = \"{}\"))]` before it{}, or `#[rpc(name = \"{}\")]` to keep it. \
                 If it is another argument: `removed({}: {} = .., until = \"{}\")` for the old one, `since = \"{}\"` for the new one",
                was.name, next.version, next.and_raise, was.name, was.name, was.type_name, next.version, next.version
            ),
        );
    }

    fn lost(&mut self, arg: &Arg) {
        let (version, next) = (self.version, self.of.next);
        let what = format!("argument `{}` of {version} is not there any more", arg.name);
        let write = match self.info(&arg.name) {
            Some(info) if info.since().is_some_and(|since| since > version) => {
                "write its `since` as it was: messages of that version hold it".into()
            }
            Some(_) => "write its `until` and its older names as they were".into(),
            None => format!(
                "write `removed({}: {} = .., until = \"{}\")` in the method's `#[rpc(..)]`{}",
                arg.name, arg.type_name, next.version, next.and_raise
            ),
        };
        self.of.say(format_args!("lost {}", arg.name), what, write);
    }

    fn added(&mut self, arg: &Arg) {
        let (version, next) = (self.version, self.of.next);
        let later = self.of.was.shapes.iter().find(|(since, shape)| {
            *since > version
                && shape
                    .as_ref()
                    .is_some_and(|shape| shape.arg(&arg.name).is_some())
        });
        let what = match later {
            Some((since, _)) => format!(
                "argument `{}` came with {since}, and is said to be in {version}",
                arg.name
            ),
            None => format!(
                "argument `{}` was not released, and is said to be in {version}",
                arg.name
            ),
        };
        let write = match (later, self.info(&arg.name)) {
            (Some((since, _)), _) => {
                format!("write `#[rpc(since = \"{since}\")]` before it, as it was")
            }
            (None, Some(info)) if info.until().is_some() || info.name() != arg.name => {
                "what was removed or renamed was released: write the versions and names that it had"
                    .into()
            }
            (None, _) => {
                let default = if arg.type_name.starts_with("Option<") {
                    ""
                } else {
                    ", default = .."
                };
                format!(
                    "write `#[rpc(since = \"{}\"{default})]` before it{}",
                    next.version, next.and_raise
                )
            }
        };
        self.of.say(format_args!("new {}", arg.name), what, write);
    }

    fn same(&mut self, was: &Arg, is: &Arg) {
        let (version, next) = (self.version, self.of.next);
        let name = &was.name;
        // the Rust type that stands for what it was may have any name
        let older = self
            .info(name)
            .is_some_and(|info| info.form_in(version).is_some());
        if !older && !same_type(&was.type_name, &is.type_name) {
            let or = or_rename(&was.type_name);
            self.of.say(
                format_args!("type {name}"),
                format_args!(
                    "argument `{name}` was `{}` in {version}, is `{}`",
                    was.type_name, is.type_name
                ),
                format_args!(
                    "write `#[rpc(was(type = {}, until = \"{}\"))]` before it{}{or}",
                    was.type_name, next.version, next.and_raise
                ),
            );
        }
        if let (Some(before), Some(now)) = (&was.default, &is.default)
            && before != now
        {
            self.of.say(
                format_args!("default {name}"),
                format_args!(
                    "the default of argument `{name}` was {} in {version}, encoded, is {}",
                    hex(before),
                    hex(now)
                ),
                "a default is part of the released shape: give a new argument, or wait for the next major",
            );
        }
        let unlike = |one: &Arg, other: &Arg| {
            let mut values = one
                .values
                .iter()
                .filter(|value| !other.values.contains(value));
            values.next().cloned()
        };
        if let Some(value) = unlike(was, is) {
            self.of.say(
                format_args!("value {name}"),
                format_args!("argument `{name}`: that its value `{value}` came with {version} is not said any more"),
                format_args!("write `values({value} = \"{version}\")` before it, as it was"),
            );
        } else if let Some(value) = unlike(is, was) {
            self.of.say(
                format_args!("value {name}"),
                format_args!("argument `{name}`: its value `{value}` was not released, and is said to be in {version}"),
                format_args!("write `values({value} = \"{}\")` before it{}", next.version, next.and_raise),
            );
        }
    }
}
