//! From one argument of a method to an [`Arg`].

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Pat, PatType, Type};

use super::grammar::{Grammar, Takes};
use super::history::{self, Start};
use super::literal;
use super::versions::{Versions, Written};
use super::words::Words;
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Arg, DefaultValue, Form, Newer, Version};
use crate::types;

const OF_METHOD: &str = "is said of the method: write it in the `#[rpc(..)]` above that";

const ARGUMENT: Grammar = Grammar {
    words: &[
        ("since", Takes::String("2.1")),
        ("default", Takes::MaybeExpr("5")),
        ("lossy", Takes::Nothing),
        ("positional", Takes::Nothing),
        ("name", Takes::String("wire_name")),
        ("was", Takes::Lists("name = \"old_name\", until = \"2.1\"")),
        ("values", Takes::List("Mode::Fast = \"2.1\"")),
    ],
    elsewhere: &[
        (
            "until",
            "is said of a method: an argument that is gone is written above its method, as `removed(name: Type = value, until = \"..\")`",
        ),
        ("removed", OF_METHOD),
        ("routing", OF_METHOD),
        ("returned", OF_METHOD),
        ("server", OF_METHOD),
        ("timeout", OF_METHOD),
        ("monitor", OF_METHOD),
        ("during_drain", OF_METHOD),
        ("no_cancel", OF_METHOD),
        ("blocking", OF_METHOD),
        ("call", OF_METHOD),
        ("cast", OF_METHOD),
        ("fanout", OF_METHOD),
        ("multicall", OF_METHOD),
        ("gather", OF_METHOD),
    ],
};

/// Reads an argument of a method that is there from `method` on, up to `until`.
pub(super) fn read(
    input: &PatType,
    method: Start,
    until: Option<Version>,
    versions: Versions,
    ctxt: &Ctxt,
) -> Option<Arg> {
    let words = Words::of(&input.attrs, &ARGUMENT, ctxt);
    let ident = name(input, "value", ctxt);
    let since = since(&words, method, until, versions, ctxt);
    let readable = since.filter(|since| since.version != Version::UNREADABLE);
    let start = readable.map_or(method, |since| Start {
        what: "argument",
        version: since.version,
    });
    let newer = newer(&words, since, input, versions, ctxt);
    let was = history::was(&words, start, versions, ctxt);
    let values = history::values(&words, start, versions, ctxt);
    let wire_name = words.string("name").and_then(|literal| {
        let name = ctxt.ok(literal::name(literal, "name"))?;
        Some((name, literal.span()))
    });
    let ident = ident?;
    let (wire_name, at) = wire_name.unwrap_or_else(|| (ident.unraw().to_string(), ident.span()));
    Some(Arg {
        wire_name,
        form: types::form(&input.ty),
        ty: (*input.ty).clone(),
        ident,
        docs: attrs::docs(&input.attrs),
        newer,
        names: was.names,
        name_spans: was.name_spans.into_iter().chain([at]).collect(),
        types: was.types,
        values,
    })
}

/// The version that a newer argument came with. One that cannot be read is newer than anything.
fn since(
    words: &Words,
    method: Start,
    until: Option<Version>,
    versions: Versions,
    ctxt: &Ctxt,
) -> Option<Written> {
    if words.is_missing("since") {
        return None;
    }
    let literal = words.string("since");
    let since =
        literal.and_then(|literal| ctxt.ok(versions.since(literal, "`since`", &with_since(words))));
    let Some(since) = since else {
        // Without it, the argument is as old as its method.
        let written = literal.and_then(|literal| literal::version(literal).ok());
        if written.is_some_and(|version| versions.is_gone(version)) {
            return None;
        }
        return Some(Written {
            version: Version::UNREADABLE,
            at: Span::call_site(),
        });
    };
    if versions.are_readable() && since.version <= method.version {
        let message = format!(
            "the method came with {}, and had this argument from then on: remove {}",
            method.version,
            with_since(words)
        );
        ctxt.error(since.at, message);
        return None;
    }
    if let Some(until) = until
        && since.version >= until
    {
        let message = format!(
            "the method is gone from {until} on: remove the argument, or write an older version"
        );
        ctxt.error(since.at, message);
        return None;
    }
    Some(since)
}

/// `since`, and the words beside it that go with it.
fn with_since(words: &Words) -> String {
    let there = ["since", "default", "lossy", "positional"]
        .into_iter()
        .filter(|word| words.span(word).is_some());
    let there: Vec<_> = there.map(|word| format!("`{word}`")).collect();
    match &*there {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.concat(),
    }
}

fn newer(
    words: &Words,
    since: Option<Written>,
    input: &PatType,
    versions: Versions,
    ctxt: &Ctxt,
) -> Option<Newer> {
    if words.is_missing("since") {
        alone(words, versions, ctxt);
    }
    let since = since?;
    let default = match words.expr("default") {
        Some(expr) => DefaultValue::Expr(Box::new(expr.clone())),
        None if words.span("default").is_some() => DefaultValue::OfType,
        None => {
            let option = types::is_option(&input.ty);
            let readable = since.version != Version::UNREADABLE;
            if !option && readable && words.is_missing("default") {
                no_default(since, input, ctxt);
            }
            DefaultValue::None
        }
    };
    let of_own_major = !versions.are_readable() || since.version > versions.base();
    Some(Newer {
        since: since.version,
        default,
        lossy: words.span("lossy").is_some(),
        setter: of_own_major && words.span("positional").is_none(),
    })
}

/// Words that go with a `since`, where there is none.
fn alone(words: &Words, versions: Versions, ctxt: &Ctxt) {
    let found = ["default", "lossy", "positional"]
        .into_iter()
        .find_map(|word| Some((word, words.span(word)?)));
    if let Some((word, at)) = found {
        let message = format!(
            "`{word}` is said of an argument that is newer than its method: write `since = \"{}\"` beside it, or remove it",
            versions.example()
        );
        ctxt.error(at, message);
    }
}

fn no_default(since: Written, input: &PatType, ctxt: &Ctxt) {
    let version = since.version;
    let (lent, ty) = match types::peel(&input.ty) {
        // of `&str` and `&[T]`, the one in an `Option` is borrowed
        Type::Reference(ty) if matches!(types::form(&input.ty), Form::Reference(_)) => {
            ("&", types::text(&ty.elem))
        }
        _ => ("", types::text(&input.ty)),
    };
    let message = format!(
        "messages below {version} do not hold this argument, so it needs a value to stand in for it: \
         add `, default` for the `Default` of `{ty}`, or `, default = ..` with another value, or make it an `{lent}Option<{ty}>`"
    );
    ctxt.error(since.at, message);
}

/// An argument's name, which is its name on the wire too unless it has another there, so that it must be a plain one.
pub(super) fn name(input: &PatType, example: &str, ctxt: &Ctxt) -> Option<Ident> {
    let conditional =
        |attr: &&Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
    for attr in input.attrs.iter().filter(conditional) {
        let message = "both ends must agree on the arguments, so one cannot depend on how each end was built: \
                       make it an `Option`, or put the `cfg` on the method";
        ctxt.error_on(attr, message);
    }
    match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            if let Some(token) = pat.mutability {
                let message = format!(
                    "the trait only names its arguments: write `{}`, and `mut` in the `impl`",
                    pat.ident
                );
                ctxt.error_on(token, message);
            }
            Some(pat.ident.clone())
        }
        other => {
            let ty = types::text(&input.ty);
            let message = format!(
                "an argument needs a name, which it has on the wire too: write `{example}: {ty}`"
            );
            ctxt.error_on(other, message);
            None
        }
    }
}
