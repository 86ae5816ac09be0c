//! From one `fn` of the trait to a [`Method`].

use std::collections::VecDeque;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, Ident, Meta, Pat, PatType, ReceiverKind, ReturnType, Signature, TraitItemFn,
    Type, parse_quote,
};

use super::literal;
use super::words::{Grammar, Words};
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Arg, Context, Kind, Method, Since, Version, WireName};
use crate::types;

const METHOD: Grammar = Grammar {
    flags: &["call", "cast", "fanout", "multicall"],
    strings: &[("since", "2.1"), ("timeout", "10m"), ("name", "wire_name")],
};

/// Reads a method. What it lacks is an error, and something harmless stands in for it, so that the rest is judged too.
pub(super) fn read(item: &TraitItemFn, api: Version, ctxt: &Ctxt) -> Method {
    let sig = &item.sig;
    let words = words(&item.attrs, ctxt);
    let first = Version {
        major: api.major,
        minor: 0,
    };
    let since = words.string("since").and_then(|literal| {
        let version = ctxt.ok(literal::version(literal))?;
        let written = Some(literal.span());
        Some(Since { version, written })
    });
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
    let context = match misplaced_context(&inputs) {
        Some(at) => {
            if let Some(input) = inputs.remove(at) {
                let message = "the context is the first argument after `&self`: move this one there, as `ctx: &Context`";
                ctxt.error_on(input, message);
            }
            None
        }
        None => {
            let input = inputs.pop_front();
            inputs.retain(|other| !second_context(input, other, ctxt));
            context(&sig.ident, input, ctxt)
        }
    };
    // What stands in has a name that no argument has.
    let context = context.unwrap_or_else(|| Context {
        ident: Ident::new("__rpc_no_context", Span::call_site()),
        ty: parse_quote!(&Context),
    });
    let args = inputs
        .into_iter()
        .filter_map(|input| arg(input, ctxt))
        .collect();
    let kind = kind(&words, ctxt);
    let answer = kind.and_then(|kind| answer(sig, kind, ctxt));

    Method {
        ident: sig.ident.clone(),
        wire_name: name.unwrap_or_else(|| WireName {
            value: sig.ident.unraw().to_string(),
            span: sig.ident.span(),
        }),
        kind: kind.unwrap_or(Kind::Call),
        since: since.unwrap_or(Since {
            version: first,
            written: None,
        }),
        timeout,
        attrs: attrs::without_ours(&item.attrs),
        context,
        args,
        answer: answer.unwrap_or_else(|| parse_quote!(())),
    }
}

/// All that stands in the `#[rpc(..)]` of a method; two of them are read as one.
fn words(attrs: &[Attribute], ctxt: &Ctxt) -> Words {
    let mut words = Words::default();
    for attr in attrs.iter().filter(|attr| attrs::is_ours(attr)) {
        match &attr.meta {
            Meta::List(list) => {
                words.read(list.tokens.clone(), &METHOD, ctxt);
            }
            Meta::Path(_) => {}
            Meta::NameValue(meta) => ctxt.error_on(
                meta,
                "write the words in parentheses: `#[rpc(since = \"2.1\")]`",
            ),
        }
    }
    words
}

fn kind(words: &Words, ctxt: &Ctxt) -> Option<Kind> {
    let kinds = [
        ("call", Kind::Call),
        ("cast", Kind::Cast),
        ("multicall", Kind::Multicall),
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

fn context(method: &Ident, input: Option<&PatType>, ctxt: &Ctxt) -> Option<Context> {
    let Some(input) = input else {
        let message = format!("`{method}` has no context: write `ctx: &Context` after `&self`");
        ctxt.error(method.span(), message);
        return None;
    };
    let ident = argument_name(input, "ctx", ctxt);
    match types::peel(&input.ty) {
        Type::Reference(ty) if ty.mutability.is_some() => {
            ctxt.error_on(&input.ty, "the context is only lent: write `&Context`");
            None
        }
        // These are surely data: without this, the error would be one about types in generated code.
        Type::Reference(ty)
            if types::is_word(&ty.elem, "str")
                || matches!(types::peel(&ty.elem), Type::Slice(_)) =>
        {
            missing_context(input, ctxt)
        }
        Type::Reference(_) => Some(Context {
            ident: ident?,
            ty: (*input.ty).clone(),
        }),
        Type::Path(ty)
            if ty
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Context") =>
        {
            ctxt.error_on(&input.ty, "the context is only lent: write `&Context`");
            None
        }
        _ => missing_context(input, ctxt),
    }
}

/// Which argument is the context, if it surely is not the first. The type may be in scope under another name, and an
/// argument may well be called `ctx`.
fn misplaced_context(inputs: &VecDeque<&PatType>) -> Option<usize> {
    let first = inputs.front()?;
    if is_context(&first.ty) || is_named_ctx(first) && may_be_context(&first.ty) {
        return None;
    }
    let open = may_be_context(&first.ty);
    inputs.iter().position(|input| {
        let (named, typed) = (is_named_ctx(input), is_context(&input.ty));
        match open {
            true => named && typed,
            false => typed || named && may_be_context(&input.ty),
        }
    })
}

/// Reports an argument of the same type as the context's. Another `Context`, of another path, may be data.
fn second_context(context: Option<&PatType>, input: &PatType, ctxt: &Ctxt) -> bool {
    let Some(context) = context else {
        return false;
    };
    let second = is_context(&context.ty)
        && types::text(referent(&context.ty)) == types::text(referent(&input.ty));
    if second {
        let message =
            "only the first argument is the context, a method has no other: remove this one";
        ctxt.error_on(input, message);
    }
    second
}

/// What a reference is to, or the type itself.
fn referent(ty: &Type) -> &Type {
    match types::peel(ty) {
        Type::Reference(ty) => types::peel(&ty.elem),
        other => other,
    }
}

/// Whether it is a `Context` by its name, lent or not.
fn is_context(ty: &Type) -> bool {
    types::last_segment(referent(ty)).is_some_and(|(last, _)| last == "Context")
}

/// Whether it may be a `&Context` under another name: a reference to what is not surely data.
fn may_be_context(ty: &Type) -> bool {
    let data = |ty: &Type| types::is_word(ty, "str") || matches!(ty, Type::Slice(_));
    is_context(ty) || matches!(types::peel(ty), Type::Reference(_)) && !data(referent(ty))
}

fn is_named_ctx(input: &PatType) -> bool {
    matches!(&*input.pat, Pat::Ident(pat) if pat.ident == "ctx")
}

fn missing_context(input: &PatType, ctxt: &Ctxt) -> Option<Context> {
    let message =
        "the first argument after `&self` is the context: write `ctx: &Context` before this one";
    ctxt.error_on(input, message);
    None
}

fn arg(input: &PatType, ctxt: &Ctxt) -> Option<Arg> {
    let ident = argument_name(input, "value", ctxt)?;
    Some(Arg {
        wire_name: ident.unraw().to_string(),
        form: types::form(&input.ty),
        ty: (*input.ty).clone(),
        ident,
    })
}

/// An argument's name, which is its name on the wire too, so that it must be a plain one.
fn argument_name(input: &PatType, example: &str, ctxt: &Ctxt) -> Option<Ident> {
    for attr in &input.attrs {
        if attrs::is_ours(attr) {
            ctxt.error_on(
                attr,
                "`#[rpc(..)]` is for methods: an argument takes none, remove it",
            );
        } else if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
            let message = "both ends must agree on the arguments, so one cannot depend on how each end was built: \
                           make it an `Option`, or put the `cfg` on the method";
            ctxt.error_on(attr, message);
        }
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

/// What one answer holds, if the signature fits the kind.
fn answer(sig: &Signature, kind: Kind, ctxt: &Ctxt) -> Option<Type> {
    let name = &sig.ident;
    let ty = types::returned(sig);
    if kind == Kind::Multicall {
        return item(sig, ctxt);
    }
    // What is `const` cannot be async as well: without it, it will be.
    if sig.asyncness.is_none() && sig.constness.is_none() {
        let message = match types::stream(&ty) {
            Some(_) => format!(
                "`{name}` returns a stream, so it is a multicall: write `#[rpc(multicall)]`"
            ),
            None => format!("a {} is async: write `async fn {name}`", kind.word()),
        };
        ctxt.error(sig.fn_token.span, message);
        if types::has_impl(&ty) {
            // A stream, or a future written out: the error is about it already.
            return None;
        }
    }
    if matches!(kind, Kind::Cast | Kind::Fanout) && !types::is_unit(&ty) {
        let message = format!(
            "a {} has no reply: remove `-> {}`, or make `{name}` a call",
            kind.word(),
            types::text(&ty)
        );
        ctxt.error_on(ty, message);
        return None;
    }
    Some(ty)
}

/// The item of the stream that a multicall returns.
fn item(sig: &Signature, ctxt: &Ctxt) -> Option<Type> {
    let name = &sig.ident;
    let ty = types::returned(sig);
    let stream = types::stream(&ty);
    if let Some(token) = sig.asyncness {
        let message =
            format!("the stream of a multicall is async, `{name}` itself is not: remove `async`");
        ctxt.error_on(token, message);
    }
    match &stream {
        Some(stream) if stream.send => {}
        Some(_) => {
            let message = format!(
                "the stream moves between threads: write `{} + Send`",
                types::text(&ty)
            );
            ctxt.error_on(&ty, message);
        }
        None => {
            let item = match types::is_unit(&ty) {
                true => "T".to_owned(),
                false => types::text(&types::one_of(&ty)),
            };
            let message = format!(
                "a multicall returns a stream: write `-> impl Stream<Item = {item}> + Send`"
            );
            match &sig.output {
                ReturnType::Default => ctxt.error(name.span(), message),
                ReturnType::Type(..) => ctxt.error_on(&ty, message),
            }
        }
    }
    stream.map(|stream| stream.item.clone())
}
