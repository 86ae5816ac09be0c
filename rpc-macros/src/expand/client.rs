//! The client: a struct with a method for each of the trait's, which packs the arguments.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Names, at, docs, quiet};
use crate::attrs;
use crate::model::{Api, Arg, Form, Kind, Method};

pub(super) fn expand(api: &Api, names: &Names) -> TokenStream {
    let Names {
        client,
        pin,
        service,
        ..
    } = names;
    let frame = frame(names, &quote!(#service));
    let quiet = quiet();
    let methods = api.methods.iter().map(|item| method(item, names));
    quote! {
        #frame

        #quiet
        #[allow(clippy::indexing_slicing)]
        impl<#pin> #client<#pin> {
            #(#methods)*
        }
    }
}

/// The client without the API's methods. `local` takes what is `bound`.
pub(crate) fn frame(names: &Names, bound: &TokenStream) -> TokenStream {
    let Names {
        link,
        client,
        dispatcher,
        module,
        private,
        pin,
        implementor,
        vis,
        deprecated,
        ..
    } = names;
    let name = client.to_string();
    let about = docs(&format!(
        "Client of {link}: has its methods, and sends them to a server. Cheap to clone.\n\n\
         `{pin}` is what the compiler knows of the servers' version: with `Dynamic`, nothing."
    ));
    let new = docs(&format!(
        "A client that reaches the servers of {link} through this transport."
    ));
    let local = docs(&format!(
        "A client of an implementation of {link} in the same process, with no network between them: made for tests."
    ));
    quote! {
        #about
        #(#deprecated)*
        #[allow(dead_code)]
        #vis struct #client<#pin = #private::Dynamic> {
            core: #private::Client,
            pin: ::core::marker::PhantomData<fn() -> #pin>,
        }

        #[allow(dead_code, deprecated)]
        impl #client {
            #new
            #[must_use]
            #vis fn new(transport: #private::Transport) -> Self {
                Self {
                    core: #private::Client::new(transport, &#module::API),
                    pin: ::core::marker::PhantomData,
                }
            }

            #local
            #[must_use]
            #vis fn local<#implementor: #bound>(service: #implementor) -> Self {
                Self {
                    core: #private::Client::local(#dispatcher::new(service)),
                    pin: ::core::marker::PhantomData,
                }
            }
        }

        #[allow(dead_code, deprecated)]
        impl<#pin> #client<#pin> {
            /// A client with other options, such as a server, a timeout or a version cap, for what is sent through it.
            #[must_use]
            #vis fn prepare(
                &self,
                set: impl ::core::ops::FnOnce(#private::CallOptions) -> #private::CallOptions,
            ) -> Self {
                Self {
                    core: #private::Client::prepare(&self.core, set),
                    pin: ::core::marker::PhantomData,
                }
            }

            /// What every client can do, whatever its API.
            #[must_use]
            #vis fn rpc(&self) -> &#private::Client {
                &self.core
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl<#pin> ::core::clone::Clone for #client<#pin> {
            fn clone(&self) -> Self {
                Self {
                    core: ::core::clone::Clone::clone(&self.core),
                    pin: ::core::marker::PhantomData,
                }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl<#pin> ::core::fmt::Debug for #client<#pin> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::DebugStruct::finish(::core::fmt::DebugStruct::field(
                    &mut ::core::fmt::Formatter::debug_struct(f, #name),
                    "core",
                    &self.core,
                ))
            }
        }
    }
}

fn method(method: &Method, names: &Names) -> TokenStream {
    let Names {
        module,
        private,
        vis,
        title,
        ..
    } = names;
    let Method {
        ident,
        answer,
        args,
        ..
    } = method;
    let attrs = attrs::shared(&method.attrs);
    let docs = method_docs(method, title);
    let (context, context_ty) = (&method.context.ident, &method.context.ty);
    let parameters = args.iter().map(|Arg { ident, ty, .. }| quote!(#ident: #ty));
    let packed = args.iter().map(pack);
    let (returned, send) = match method.kind {
        Kind::Call => (quote!(Call<#answer>), quote!(call::<#answer>)),
        Kind::Cast => (quote!(Cast), quote!(cast)),
        Kind::Fanout => (quote!(FanoutCast), quote!(fanout)),
        Kind::Multicall => (quote!(Multicall<#answer>), quote!(multicall::<#answer>)),
    };
    // What is returned is `must_use` by itself.
    let double = (!attrs::named(&method.attrs, "must_use").is_empty())
        .then(|| quote!(#[allow(clippy::double_must_use)]));
    quote! {
        #(#attrs)*
        #docs
        #double
        #vis fn #ident(&self, #context: #context_ty #(, #parameters)*) -> #private::#returned {
            #private::Request::new(
                &self.core,
                &#private::ApiInfo::methods(&#module::API)[#module::Index::#ident as ::core::primitive::usize],
                #context,
            )
            #(#packed)*
            .#send()
        }
    }
}

/// `.arg::<T>(&id)`: the type is named, so that an error about it is one about the user's type.
fn pack(
    Arg {
        ident, ty, form, ..
    }: &Arg,
) -> TokenStream {
    let at = at(ty);
    match form {
        Form::Value => quote_spanned!(at=> .arg::<#ty>(&#ident)),
        Form::Str => quote_spanned!(at=> .arg::<::core::primitive::str>(#ident)),
        Form::Bytes => quote_spanned!(at=> .bytes(#ident)),
        Form::Slice(elem) => quote_spanned!(at=> .arg::<[#elem]>(#ident)),
        Form::Reference(elem) | Form::ReferenceToBorrowed(elem) => {
            quote_spanned!(at=> .arg::<#elem>(#ident))
        }
    }
}

/// What the user has not written, and the line about how the method travels.
fn method_docs(method: &Method, title: &str) -> TokenStream {
    let name = &method.wire_name.value;
    let sentence = match method.kind {
        Kind::Call => format!("Runs `{name}` on a server, and gets its answer."),
        Kind::Cast => format!("Has a server run `{name}`, with no reply."),
        Kind::Fanout => format!("Has every server run `{name}`, with no reply."),
        Kind::Multicall => format!("Runs `{name}` on a server, which answers item by item."),
    };
    let (since, kind) = (method.since.version, method.kind.word());
    let timeout = method
        .timeout
        .as_ref()
        .map(|timeout| format!(" · timeout {}", timeout.text));
    let line = format!(
        "\n*`{title}` {since} · {kind}{}*",
        timeout.unwrap_or_default()
    );
    match attrs::has_docs(&method.attrs) {
        true => docs(&line),
        false => docs(&format!("{sentence}\n{line}")),
    }
}
