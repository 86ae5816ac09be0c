//! What a method answers, and whether its signature fits its kind.

use syn::{ReturnType, Signature, Type};

use crate::ctxt::Ctxt;
use crate::model::Kind;
use crate::types;

/// What one answer holds, if the signature fits the kind.
pub(super) fn read(sig: &Signature, kind: Kind, ctxt: &Ctxt) -> Option<Type> {
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
