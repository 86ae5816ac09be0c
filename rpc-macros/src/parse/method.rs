//! From one `fn` of the trait to a [`Method`].

use std::collections::VecDeque;

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, PatType, ReceiverKind, Signature, Token, TraitItemFn, parse_quote};

use super::grammar::{Grammar, Takes};
use super::history::{self, Start};
use super::versions::Versions;
use super::words::{self, Words};
use super::{answer, argument, context, literal, running};
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Kind, Method, Parameter, Since, Version, WireName};

const OF_ARGUMENT: &str =
    "is said of an argument: write it before that, in an `#[rpc(..)]` of its own";
const OF_API: &str = "is said of the whole API: write it in `#[rpc_api(..)]`";

const METHOD: Grammar = Grammar {
    words: &[
        ("call", Takes::Nothing),
        ("cast", Takes::Nothing),
        ("fanout", Takes::Nothing),
        ("multicall", Takes::Nothing),
        ("gather", Takes::Nothing),
        ("since", Takes::String("2.1")),
        ("until", Takes::String("2.0")),
        ("timeout", Takes::String("10m")),
        ("monitor", Takes::String("60s")),
        ("during_drain", Takes::Nothing),
        ("no_cancel", Takes::Nothing),
        ("blocking", Takes::Nothing),
        ("name", Takes::String("wire_name")),
        (
            "removed",
            Takes::Lists("force: bool = false, until = \"2.1\""),
        ),
        (
            "returned",
            Takes::Lists("type = OldAnswer, until = \"2.1\""),
        ),
        ("routing", Takes::List("host: &str")),
        ("server", Takes::Expr("host")),
    ],
    elsewhere: &[
        ("default", OF_ARGUMENT),
        ("lossy", OF_ARGUMENT),
        ("positional", OF_ARGUMENT),
        ("values", OF_ARGUMENT),
        ("was", OF_ARGUMENT),
        ("version", OF_API),
        ("also", OF_API),
        ("aliases", OF_API),
        ("topic", OF_API),
        ("namespace", OF_API),
        ("legacy_namespaces", OF_API),
    ],
};

/// Reads a method. What it lacks is an error, and something harmless stands in for it, so that the rest is judged too.
pub(super) fn read(item: &TraitItemFn, versions: Versions, ctxt: &Ctxt) -> Method {
    let sig = &item.sig;
    let words = Words::of(&item.attrs, &METHOD, ctxt);
    // What else is said of a method that must go needs no mending.
    let unkept = is_unkept(&words, versions, ctxt);
    let versions = match unkept {
        true => versions.with_older(),
        false => versions,
    };
    let since = words
        .string("since")
        .and_then(|literal| ctxt.ok(versions.since(literal, "`since`", "`since`")))
        .map_or_else(|| versions.oldest(), |since| since.version);
    let until = (!unkept).then(|| until(&words, since, versions, ctxt));
    let until = until.flatten();
    let start = Start {
        what: "method",
        version: since,
    };
    let timeout = words
        .string("timeout")
        .and_then(|literal| ctxt.ok(literal::timeout(literal)));
    let name = words.string("name").and_then(|literal| {
        let value = ctxt.ok(literal::name(literal, "name"))?;
        let span = literal.span();
        Some(WireName { value, span })
    });

    qualifiers(item, ctxt);
    receiver(sig, ctxt);
    let mut inputs: VecDeque<&PatType> = typed_inputs(sig).collect();
    let context = context::take(&sig.ident, &mut inputs, ctxt);
    let args = inputs
        .into_iter()
        .filter_map(|input| argument::read(input, start, until, versions, ctxt))
        .collect();
    let kind = kind(&words, ctxt);
    let answer = kind.and_then(|kind| answer::read(sig, kind, ctxt));

    Method {
        ident: sig.ident.clone(),
        wire_name: name.unwrap_or_else(|| WireName {
            value: sig.ident.unraw().to_string(),
            span: sig.ident.span(),
        }),
        kind: kind.unwrap_or(Kind::Call),
        since: Since { version: since },
        until,
        running: running::read(&words, kind, timeout.as_ref(), ctxt),
        timeout,
        attrs: attrs::without_ours(&item.attrs),
        context,
        args,
        removed: history::removed(&words, start, versions, ctxt),
        routing: routing(&words, ctxt),
        server: words.expr("server").cloned(),
        returned: history::returned(&words, kind, start, versions, ctxt),
        answer: answer.unwrap_or_else(|| parse_quote!(())),
    }
}

/// Reports a method of an older major, where none is spoken.
fn is_unkept(words: &Words, versions: Versions, ctxt: &Ctxt) -> bool {
    let (Some(at), Some(literal)) = (words.span("until"), words.string("until")) else {
        return false;
    };
    let Ok(until) = literal::version(literal) else {
        return false;
    };
    let unkept = versions.are_readable() && versions.also.is_none();
    if unkept {
        let message = match versions.current.major {
            0 => "no major is older than this one: remove `until`, or the method".to_owned(),
            _ => format!(
                "only an API that speaks an older major keeps a method for the clients of that: remove the method{}",
                versions.or_also(until)
            ),
        };
        ctxt.error(at, message);
    }
    unkept
}

fn until(words: &Words, since: Version, versions: Versions, ctxt: &Ctxt) -> Option<Version> {
    let literal = words.string("until")?;
    let until = ctxt.ok(versions.until(literal, "the method, which nobody calls any more"))?;
    if versions.are_readable() && until.version <= since {
        let message =
            format!("the method came with {since}: write a later version, or remove `until`");
        ctxt.error(until.at, message);
        return None;
    }
    Some(until.version)
}

impl Parse for Parameter {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let at = input.span();
        let usage = |_| {
            let message = "write name and type of a parameter, such as `host: &str`";
            syn::Error::new(at, message)
        };
        let ident = input.parse().map_err(usage)?;
        input.parse::<Token![:]>().map_err(usage)?;
        let ty = input.parse().map_err(usage)?;
        Ok(Self { ident, ty })
    }
}

fn routing(words: &Words, ctxt: &Ctxt) -> Vec<Parameter> {
    let lists = words.lists("routing");
    lists.flat_map(|list| words::entries(list, ctxt)).collect()
}

fn kind(words: &Words, ctxt: &Ctxt) -> Option<Kind> {
    let kinds = [
        ("call", Kind::Call),
        ("cast", Kind::Cast),
        ("multicall", Kind::Multicall),
        ("gather", Kind::Gather),
    ];
    let mut written = kinds
        .iter()
        .filter_map(|(word, kind)| Some((*kind, words.span(word)?)));
    let first = written.next();
    if let (Some((first, _)), Some((second, at))) = (first, written.next()) {
        let message = format!(
            "a method is of one kind: it is a {} already, so remove one of `{}` and `{}`",
            first.word(),
            first.word(),
            second.word(),
        );
        ctxt.error(at, message);
        return None;
    }
    match (first.map(|(kind, _)| kind), words.span("fanout")) {
        (Some(Kind::Cast), Some(_)) => Some(Kind::Fanout),
        (Some(Kind::Gather), Some(at)) => {
            ctxt.error(
                at,
                "a gather goes to every server by itself: remove `fanout`",
            );
            None
        }
        (_, Some(at)) => {
            ctxt.error(
                at,
                "a fanout has no reply, so it is a cast: write `#[rpc(cast, fanout)]`",
            );
            None
        }
        (kind, None) => Some(kind.unwrap_or(Kind::Call)),
    }
}

/// What may not stand before or after the `fn`.
fn qualifiers(item: &TraitItemFn, ctxt: &Ctxt) {
    let sig = &item.sig;
    let name = &sig.ident;
    if let Some(token) = sig.constness {
        ctxt.error_on(
            token,
            format!("`{name}` runs on another machine: remove `const`"),
        );
    }
    if let syn::Safety::Unsafe(token) = sig.safety {
        let message = format!(
            "`{name}` cannot be unsafe: whoever is on the network can call it. Remove `unsafe`"
        );
        ctxt.error_on(token, message);
    }
    if let Some(abi) = &sig.abi {
        ctxt.error_on(
            abi,
            format!("`{name}` is not called through an ABI: remove `extern`"),
        );
    }
    if !sig.generics.params.is_empty() {
        let message =
            format!("`{name}` has one form on the wire: remove its generics and write the types");
        ctxt.error_on(&sig.generics.params, message);
    }
    if let Some(clause) = &sig.generics.where_clause {
        ctxt.error_on(
            clause,
            format!("`{name}` is there for every implementation: remove its `where` clause"),
        );
    }
}

fn receiver(sig: &Signature, ctxt: &Ctxt) {
    let Some(receiver) = sig.receiver() else {
        let message = format!(
            "`{}` has no receiver: write `&self` before the other arguments",
            sig.ident
        );
        match sig.inputs.first() {
            Some(input) => ctxt.error_on(input, message),
            None => ctxt.error(sig.ident.span(), message),
        }
        return;
    };
    for attr in receiver.attrs.iter().filter(|attr| attrs::is_ours(attr)) {
        ctxt.error_on(
            attr,
            "`#[rpc(..)]` is for methods and their arguments: `self` takes none, remove it",
        );
    }
    if !matches!(receiver.kind, ReceiverKind::Reference(_, None, None)) {
        ctxt.error_on(
            receiver,
            "many requests run at once and share the service: write `&self`",
        );
    }
}

fn typed_inputs(sig: &Signature) -> impl Iterator<Item = &PatType> {
    sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    })
}
