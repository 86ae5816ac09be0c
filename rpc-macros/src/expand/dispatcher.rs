//! The dispatcher: decodes the arguments of a request, runs the method, encodes its answer.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

use super::{Names, at, docs, local, moved, pack, quiet, version};
use crate::model::{Api, Arg, Form, Kind, Method, Returned};
use crate::{attrs, types};

pub(super) fn expand(api: &Api, names: &Names) -> TokenStream {
    let Names {
        dispatcher,
        module,
        private,
        implementor,
        service,
        ..
    } = names;
    let frame = frame(names, &quote!(#service));
    let quiet = quiet();
    let arms = api.methods.iter().map(|method| {
        let cfgs = attrs::cfgs(&method.attrs);
        let arm = arm(method, names);
        quote!(#(#cfgs)* #arm)
    });
    quote! {
        #frame

        #quiet
        impl<#implementor: #service> #private::Endpoint for #dispatcher<#implementor> {
            fn api(&self) -> &'static #private::ApiInfo {
                &#module::API
            }

            fn dispatch(&self, method: ::core::primitive::usize, incoming: #private::Incoming) -> #private::Running {
                let table: &'static [fn(::std::sync::Arc<#implementor>, #private::Incoming) -> #private::Running] =
                    &[#(#arms,)*];
                match <[_]>::get(table, method) {
                    ::core::option::Option::Some(run) => run(::core::clone::Clone::clone(&self.service), incoming),
                    ::core::option::Option::None => #private::Incoming::no_such_method(incoming),
                }
            }
        }
    }
}

/// The dispatcher without what it does for a request. `new` takes what is `bound`.
pub(crate) fn frame(names: &Names, bound: &TokenStream) -> TokenStream {
    let Names {
        link,
        dispatcher,
        implementor,
        vis,
        deprecated,
        ..
    } = names;
    let name = dispatcher.to_string();
    let about = docs(&format!(
        "Serves {link}: the endpoint of an implementation, to give to a server. Cheap to clone."
    ));
    let new = docs(&format!(
        "An endpoint that runs the methods of this implementation of {link}."
    ));
    quote! {
        #about
        #(#deprecated)*
        #[allow(dead_code)]
        #vis struct #dispatcher<#implementor> {
            service: ::std::sync::Arc<#implementor>,
        }

        #[allow(dead_code, deprecated)]
        impl<#implementor: #bound> #dispatcher<#implementor> {
            #new
            #[must_use]
            #vis fn new(service: #implementor) -> Self {
                Self { service: ::std::sync::Arc::new(service) }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl<#implementor> ::core::convert::From<::std::sync::Arc<#implementor>> for #dispatcher<#implementor> {
            fn from(service: ::std::sync::Arc<#implementor>) -> Self {
                Self { service }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl<#implementor> ::core::clone::Clone for #dispatcher<#implementor> {
            fn clone(&self) -> Self {
                Self { service: ::core::clone::Clone::clone(&self.service) }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl<#implementor> ::core::fmt::Debug for #dispatcher<#implementor> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::DebugStruct::finish_non_exhaustive(&mut ::core::fmt::Formatter::debug_struct(f, #name))
            }
        }
    }
}

/// One method's closure. It captures nothing, so that a table of them is a constant; and each has a future of its own,
/// so that none is as large as the largest.
fn arm(method: &Method, names: &Names) -> TokenStream {
    let Names {
        private,
        implementor,
        service,
        ..
    } = names;
    let Method { ident, args, .. } = method;
    let [this, incoming, context, frame, items, asked] = [
        "service", "incoming", "context", "frame", "items", "version",
    ]
    .map(local);

    let slots = args.iter().map(|arg| arg.ident.to_token_stream());
    // What was removed is in old messages, and nobody asks for it.
    let slots = slots.chain(method.removed.iter().map(|_| quote!(_)));
    let idents = args.iter().map(|arg| &arg.ident);
    let decoded = args.iter().map(|arg| decode(arg, private));
    let values = (!args.is_empty()).then(|| quote!(let (#(#idents,)*) = (#(#decoded,)*);));
    // The bytes are given back before the method runs, unless it runs on them.
    let free = (!args.iter().any(borrows)).then(|| quote!(::core::mem::drop(#frame);));
    let passed = args.iter().map(pass);
    let asked = (!method.returned.is_empty())
        .then(|| quote!(let #asked = #private::Frame::version(&#frame);));
    let lent = moved(&quote!(&#context), at(&method.context.ty));
    let run = quote!(<#implementor as #service>::#ident(&#this, #lent #(, #passed)*));

    let (open, finish) = match method.kind {
        Kind::Call | Kind::Gather => (
            quote!(let (#context, #frame) = #private::Incoming::open(#incoming);),
            answer(method, &run, names),
        ),
        Kind::Cast | Kind::Fanout => (
            quote!(let (#context, #frame) = #private::Incoming::open(#incoming);),
            quote! {
                #run.await;
                ::core::result::Result::Ok(#private::Reply::none())
            },
        ),
        Kind::Multicall => (
            quote!(let (#context, #frame, #items) = #private::Incoming::open_stream(#incoming);),
            {
                let (item, at) = (&method.answer, at(&method.answer));
                let near = moved(private, at);
                let send_all = quote_spanned!(at=> #near::ItemSink::send_all::<#item, _>);
                quote!(#send_all(#items, #run).await)
            },
        ),
    };
    quote! {
        |#this, #incoming| ::std::boxed::Box::pin(async move {
            #open
            let [#(#slots),*] = #private::Frame::args(&#frame)?;
            #values
            #private::Frame::decoded(&#frame)?;
            #asked
            #free
            #finish
        })
    }
}

/// Runs a call and encodes its answer. This is the one place that asks something of the return type.
fn answer(method: &Method, run: &TokenStream, names: &Names) -> TokenStream {
    let private = &names.private;
    let answer = &method.answer;
    let [outcome, encode, asked] = ["outcome", "encode", "version"].map(local);
    let encoded = |run: &TokenStream| match types::result(answer) {
        Some((value, error)) => encode_result(answer, value, error, run, names),
        None => {
            let at = at(answer);
            let near = moved(private, at);
            let encoder = quote_spanned!(at=> #near::encoder::<#answer>());
            quote! {
                let #encode = #encoder;
                #encode(#run)
            }
        }
    };
    if method.returned.is_empty() {
        return encoded(&quote!(#run.await));
    }
    // The oldest come first, so that each sees what is too old for the next.
    let older = method.returned.iter().map(|Returned { until, ty, .. }| {
        let at = at(ty);
        let (near, until) = (moved(private, at), version(*until, private));
        let value = types::result(answer).map_or(answer, |(value, _)| value);
        let way = pack::conversion(ty, value, &near);
        let converted = quote_spanned!(at=> #near::older_answer::<#way, #answer, #ty>(#outcome));
        quote!(if #asked < #until { #converted } else)
    });
    let newest = encoded(&quote!(#outcome));
    quote! {
        let #outcome = #run.await;
        #(#older)* { #newest }
    }
}

/// Encodes the two sides of a `Result<T, E>` that is written out apart, so that an error about the one is at that one.
/// The types themselves are still the outcome's: `Result` may be somebody's own.
fn encode_result(
    answer: &Type,
    value: &Type,
    error: &Type,
    run: &TokenStream,
    Names { private, .. }: &Names,
) -> TokenStream {
    let side = local("side");
    let (at_value, at_error) = (at(value), at(error));
    let near = moved(private, at_value);
    let encode_value = quote_spanned! {at_value=>
        #near::encoder::<::core::result::Result<<#answer as #near::Outcome>::Value, ()>>()
    };
    let near = moved(private, at_error);
    let encode_error = quote_spanned! {at_error=>
        #near::encoder::<::core::result::Result<(), <#answer as #near::Outcome>::Error>>()
    };
    quote! {
        match #private::Outcome::into_result(#run) {
            ::core::result::Result::Ok(#side) => #encode_value(::core::result::Result::Ok(#side)),
            ::core::result::Result::Err(#side) => #encode_error(::core::result::Result::Err(#side)),
        }
    }
}

/// `Slot::decode::<T>(id)?`
fn decode(arg: &Arg, private: &TokenStream) -> TokenStream {
    let Arg {
        ident,
        ty,
        form,
        types,
        ..
    } = arg;
    let at = at(ty);
    let near = moved(private, at);
    let owned = match form {
        Form::Bytes if types.is_empty() => return quote_spanned!(at=> #near::Slot::bytes(#ident)?),
        Form::Str if types.is_empty() => quote_spanned!(at=> &::core::primitive::str),
        _ => owned(arg, &near),
    };
    let present = match form {
        Form::Bytes => {
            quote_spanned!(at=> <[::core::primitive::u8]>::to_vec(#near::Slot::bytes(#ident)?))
        }
        _ => quote_spanned!(at=> #near::Slot::decode::<#owned>(#ident)?),
    };
    if types.is_empty() {
        return present;
    }
    let older = types.iter().enumerate().map(|(index, (_, old))| {
        let (index, at) = (Literal::usize_unsuffixed(index), super::at(old));
        let near = moved(private, at);
        let way = pack::conversion(old, ty, &near);
        let converted = quote_spanned!(at=> #near::Slot::converted::<#way, #old, #owned>(#ident)?);
        quote!(::core::option::Option::Some(#index) => #converted,)
    });
    quote! {
        match #private::Slot::form(&#ident) {
            #(#older)*
            _ => #present,
        }
    }
}

/// The type of a value that is decoded and lent to the method, or given to it.
pub(super) fn owned(Arg { ty, form, .. }: &Arg, private: &TokenStream) -> TokenStream {
    let at = at(ty);
    match form {
        Form::Value => ty.to_token_stream(),
        Form::Str => quote_spanned!(at=> ::std::string::String),
        Form::Bytes => quote_spanned!(at=> ::std::vec::Vec<::core::primitive::u8>),
        Form::Slice(elem) => quote_spanned!(at=> ::std::vec::Vec<#elem>),
        Form::Reference(elem) => quote_spanned!(at=> <#elem as #private::OwnedArg>::Owned),
        Form::ReferenceToBorrowed(elem) => elem.to_token_stream(),
    }
}

/// The decoded value as the method takes it.
fn pass(
    Arg {
        ident, form, types, ..
    }: &Arg,
) -> TokenStream {
    match form {
        Form::Str | Form::Bytes if types.is_empty() => quote!(#ident),
        Form::Value => quote!(#ident),
        _ => quote!(&#ident),
    }
}

/// Whether the decoded value points into the frame.
fn borrows(arg: &Arg) -> bool {
    match &arg.form {
        Form::Value => types::borrows(&arg.ty),
        Form::Slice(elem) => types::borrows(elem),
        Form::Str | Form::Bytes => arg.types.is_empty(),
        Form::ReferenceToBorrowed(_) => true,
        Form::Reference(_) => false,
    }
}
