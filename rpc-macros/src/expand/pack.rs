//! The statements that put one argument into a request.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprGroup, ExprParen, Type};

use super::{at, moved, version};
use crate::model::{Arg, Form, Removed};
use crate::types;

/// Packs what the variable `value` holds, which has the argument's type. `request` is a `&mut Request`.
pub(super) fn argument(
    arg: &Arg,
    index: usize,
    value: &Ident,
    request: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let index = Literal::usize_unsuffixed(index);
    let sent = send(&arg.ty, &arg.form, &index, value, request, private);
    let (whole, lent) = lent(&arg.ty, &arg.form, value);
    let older = arg.types.iter().enumerate().map(|(form, (_, old))| {
        let (form, at) = (Literal::usize_unsuffixed(form), at(old));
        let near = moved(private, at);
        let way = conversion(old, &arg.ty, &near);
        quote_spanned!(at=> #near::Request::form::<#way, #old, #whole>(#request, #index, #form, #lent);)
    });
    let newer = arg.values.iter().map(|(since, pattern)| {
        let at = at(pattern);
        let (near, since) = (moved(private, at), version(*since, private));
        // The value itself is looked at and not a reference to it, which a string in a pattern would not match. No
        // pattern of the user's binds anything, so that it stays where it is.
        let came = quote_spanned!(at=> match #value {
            #pattern => true,
            #[allow(unreachable_patterns)]
            _ => false,
        });
        quote_spanned!(at=> #near::Request::came_with(#request, #index, #since, #came);)
    });
    quote!(#sent #(#older)* #(#newer)*)
}

/// How the one type becomes the other, either way: what is inside of both is converted, where nobody could write a conversion of the
/// whole.
pub(super) fn conversion(old: &Type, new: &Type, private: &TokenStream) -> TokenStream {
    match (types::inside(old), types::inside(new)) {
        (Some((old_word, old)), Some((new_word, new))) if old_word == new_word => {
            let inner = conversion(old, new, private);
            quote!(#private::In<#inner>)
        }
        _ => quote!(#private::Whole),
    }
}

/// Packs what old servers get for an argument that was removed.
pub(super) fn removed(
    removed: &Removed,
    index: usize,
    value: &Ident,
    request: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let Removed {
        ty, value: expr, ..
    } = removed;
    let index = Literal::usize_unsuffixed(index);
    let sent = send(ty, &types::form(ty), &index, value, request, private);
    quote! {
        let #value: #ty = #expr;
        #sent
    }
}

/// The type is named, so that an error about it is one about the user's type.
fn send(
    ty: &Type,
    form: &Form,
    index: &Literal,
    value: &Ident,
    request: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let at = at(ty);
    let near = moved(private, at);
    if let Form::Bytes = form {
        return quote_spanned!(at=> #near::Request::bytes(#request, #index, #value););
    }
    let (whole, lent) = lent(ty, form, value);
    quote_spanned!(at=> #near::Request::arg::<#whole>(#request, #index, #lent);)
}

/// The type that is encoded, and a reference to the value.
fn lent(ty: &Type, form: &Form, value: &Ident) -> (TokenStream, TokenStream) {
    let at = at(ty);
    match form {
        Form::Value => (ty.to_token_stream(), quote!(&#value)),
        Form::Str => (quote_spanned!(at=> ::core::primitive::str), quote!(#value)),
        Form::Bytes => (quote_spanned!(at=> [::core::primitive::u8]), quote!(#value)),
        Form::Slice(elem) => (quote_spanned!(at=> [#elem]), quote!(#value)),
        Form::Reference(elem) | Form::ReferenceToBorrowed(elem) => {
            (elem.to_token_stream(), quote!(#value))
        }
    }
}

/// Says which server the message goes to.
pub(super) fn server(expr: &Expr, request: &TokenStream, private: &TokenStream) -> TokenStream {
    let at = at(expr);
    let near = moved(private, at);
    let mut place = expr;
    // What a `$host:expr` of `macro_rules!` is wrapped in.
    while let Expr::Group(ExprGroup { expr: inner, .. })
    | Expr::Paren(ExprParen { expr: inner, .. }) = place
    {
        place = inner;
    }
    // A name that is a part of something is only looked at there.
    let lent = matches!(place, Expr::Field(_) | Expr::Index(_)).then(|| quote!(&));
    quote_spanned!(at=> #near::Request::server(#request, #lent #expr);)
}
