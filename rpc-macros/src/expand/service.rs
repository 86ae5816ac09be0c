//! The trait itself: as written, but an `async fn` promises that its future is `Send`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{
    Block, FnArg, ItemTrait, TraitItem, TraitItemFn, parse_quote, parse_quote_spanned, token,
};

use super::at;
use crate::{attrs, types};

/// Rewrites the trait. It asks nothing of it, so that the fallback can do the same with a trait that has mistakes.
pub(crate) fn expand(item: &ItemTrait) -> TokenStream {
    let mut item = item.clone();
    item.attrs.retain(|attr| !attrs::is_ours(attr));
    item.colon_token.get_or_insert_with(token::Colon::default);
    // Requests of a service run at once, on any thread, and outlive whoever started them.
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    for item in &mut item.items {
        if let TraitItem::Fn(item) = item {
            method(item);
        }
    }
    item.into_token_stream()
}

fn method(item: &mut TraitItemFn) {
    item.attrs.retain(|attr| !attrs::is_ours(attr));
    for input in &mut item.sig.inputs {
        let (FnArg::Receiver(syn::Receiver { attrs, .. })
        | FnArg::Typed(syn::PatType { attrs, .. })) = input;
        // The compiler allows no docs there; they are those of the client's setter.
        attrs.retain(|attr| !attrs::is_ours(attr) && !attr.path().is_ident("doc"));
    }
    if item.sig.asyncness.take().is_none() {
        return;
    }
    let value = types::returned(&item.sig);
    let at = at(&value);
    let future =
        quote_spanned!(at=> impl ::core::future::Future<Output = #value> + ::core::marker::Send);
    item.sig.output = parse_quote!(-> #future);
    if let Some(Block { stmts, .. }) = &item.default {
        item.default = Some(parse_quote_spanned!(at=> { async move { #(#stmts)* } }));
    }
    if !attrs::named(&item.attrs, "must_use").is_empty() {
        // A future is `must_use` by itself, which the user does not see.
        item.attrs
            .push(parse_quote!(#[allow(clippy::double_must_use)]));
    }
}
