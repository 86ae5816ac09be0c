//! The dispatcher: decodes the arguments of a request, runs the method, encodes its answer.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type};

use super::{Names, at, docs, local, moved, quiet};
use crate::model::{Api, Arg, Form, Kind, Method};
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
    let Method {
        ident,
        args,
        answer,
        ..
    } = method;
    let [this, incoming, context, frame, items, encode] =
        ["service", "incoming", "context", "frame", "items", "encode"].map(local);

    let idents: Vec<&Ident> = args.iter().map(|arg| &arg.ident).collect();
    let decoded = args.iter().map(|arg| decode(arg, private));
    let values = (!args.is_empty()).then(|| quote!(let (#(#idents,)*) = (#(#decoded,)*);));
    // The bytes are given back before the method runs, unless it runs on them.
    let free = (!args.iter().any(borrows)).then(|| quote!(::core::mem::drop(#frame);));
    let passed = args.iter().map(pass);
    let lent = moved(&quote!(&#context), at(&method.context.ty));
    let run = quote!(<#implementor as #service>::#ident(&#this, #lent #(, #passed)*));

    let at = at(answer);
    let near = moved(private, at);
    let (open, finish) = match method.kind {
        Kind::Call => (
            quote!(let (#context, #frame) = #private::Incoming::open(#incoming);),
            // The one place that asks something of the return type.
            match types::result(answer) {
                Some((value, error)) => encode_result(answer, value, error, &run, names),
                None => {
                    let encoder = quote_spanned!(at=> #near::encoder::<#answer>());
                    quote! {
                        let #encode = #encoder;
                        #encode(#run.await)
                    }
                }
            },
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
                let send_all = quote_spanned!(at=> #near::ItemSink::send_all::<#answer, _>);
                quote!(#send_all(#items, #run).await)
            },
        ),
    };
    quote! {
        |#this, #incoming| ::std::boxed::Box::pin(async move {
            #open
            let [#(#idents),*] = #private::Frame::args(&#frame)?;
            #values
            #free
            #finish
        })
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
        match #private::Outcome::into_result(#run.await) {
            ::core::result::Result::Ok(#side) => #encode_value(::core::result::Result::Ok(#side)),
            ::core::result::Result::Err(#side) => #encode_error(::core::result::Result::Err(#side)),
        }
    }
}

/// `Slot::required::<T>(id)?`
fn decode(
    Arg {
        ident, ty, form, ..
    }: &Arg,
    private: &TokenStream,
) -> TokenStream {
    let at = at(ty);
    let private = moved(private, at);
    let ty = match form {
        Form::Bytes => return quote_spanned!(at=> #private::Slot::bytes(#ident)?),
        Form::Value => quote!(#ty),
        Form::Str => quote_spanned!(at=> &::core::primitive::str),
        Form::Slice(elem) => quote_spanned!(at=> ::std::vec::Vec<#elem>),
        Form::Reference(elem) => quote_spanned!(at=> <#elem as #private::OwnedArg>::Owned),
        Form::ReferenceToBorrowed(elem) => quote!(#elem),
    };
    quote_spanned!(at=> #private::Slot::required::<#ty>(#ident)?)
}

/// The decoded value as the method takes it.
fn pass(Arg { ident, form, .. }: &Arg) -> TokenStream {
    match form {
        Form::Value | Form::Str | Form::Bytes => quote!(#ident),
        Form::Slice(_) | Form::Reference(_) | Form::ReferenceToBorrowed(_) => quote!(&#ident),
    }
}

/// Whether the decoded value points into the frame.
fn borrows(arg: &Arg) -> bool {
    match &arg.form {
        Form::Value => types::borrows(&arg.ty),
        Form::Slice(elem) => types::borrows(elem),
        Form::Str | Form::Bytes | Form::ReferenceToBorrowed(_) => true,
        Form::Reference(_) => false,
    }
}
