//! The client: a struct with a method for each of the trait's, which packs the arguments.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::markers::Markers;
use super::{Names, about, at, docs, local, moved, pack, quiet, setters, version};
use crate::model::{Api, Arg, Kind, Method, Parameter, Returned};
use crate::{attrs, types};

pub(super) fn expand(api: &Api, markers: &Markers, names: &Names) -> TokenStream {
    let Names {
        client,
        pin,
        service,
        ..
    } = names;
    let frame = frame(names, &quote!(#service));
    let quiet = quiet();
    let methods = api.methods.iter().map(|item| method(item, markers, names));
    let setters = api.methods.iter().filter(|method| method.has_setters());
    let setters = setters.map(|method| setters::expand(method, markers, names));
    quote! {
        #frame

        #quiet
        #[allow(clippy::indexing_slicing)]
        impl<#pin> #client<#pin> {
            #(#methods)*
        }

        #(#setters)*
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
         `{pin}` is what the compiler knows of the servers' version: with `Dynamic`, nothing; see [`pin`](Self::pin)."
    ));
    let new = docs(&format!(
        "A client that reaches the servers of {link} through this transport."
    ));
    let local = docs(&format!(
        "A client of an implementation of {link} in the same process, with no network between them: made for tests."
    ));
    let pinned = docs(&format!(
        "A client for servers of this version of {link}: on it, what is newer does not compile.\n\n\
         What is sent needs no newer version either, as with a version cap. A pin only lowers the cap: one that is \
         lower already stays."
    ));
    let at_least = docs(&format!(
        "A client [pinned](Self::pin) to this version of {link}, if the version cap is not lower.\n\n\
         `None` if it is, and if there is no cap, by `version_cap` or `negotiate`: then nothing is known of the servers."
    ));
    let version = quote!(const MAJOR: ::core::primitive::u16, const MINOR: ::core::primitive::u16);
    let pinned_to = quote!(#private::Pinned<MAJOR, MINOR>);
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

            #pinned
            #[must_use]
            #vis fn pin<#version>(&self) -> #client<#pinned_to>
            where
                #pinned_to: #module::Known,
            {
                #client {
                    core: #private::Client::pin(&self.core, #private::Version::new(MAJOR, MINOR)),
                    pin: ::core::marker::PhantomData,
                }
            }

            #at_least
            #[must_use]
            #vis fn at_least<#version>(&self) -> ::core::option::Option<#client<#pinned_to>>
            where
                #pinned_to: #module::Known,
            {
                ::core::primitive::bool::then(
                    #private::Client::is_at_least(&self.core, #private::Version::new(MAJOR, MINOR)),
                    || Self::pin(self),
                )
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

fn method(method: &Method, markers: &Markers, names: &Names) -> TokenStream {
    let Names {
        module,
        private,
        pin,
        vis,
        ..
    } = names;
    let Method {
        ident,
        answer,
        args,
        ..
    } = method;
    let attrs = attrs::shared(&method.attrs);
    let docs = about::method(method, markers, names);
    let (context, context_ty) = (&method.context.ident, &method.context.ty);
    let given = args.iter().enumerate();
    let given = given.filter(|(_, arg)| arg.newer.as_ref().is_none_or(|newer| !newer.setter));
    let parameters = given
        .clone()
        .map(|(_, Arg { ident, ty, .. })| quote!(#ident: #ty));
    let routing = method
        .routing
        .iter()
        .map(|Parameter { ident, ty }| quote!(#ident: #ty));
    let parameters = parameters.chain(routing);
    let clause = markers.clause(method.since.version, method.until, ident.span(), names);

    let [request, value] = ["request", "value"].map(local);
    let lent = quote!(&mut #request);
    let packed = given.map(|(index, arg)| pack::argument(arg, index, &arg.ident, &lent, private));
    // The user's expressions come last: whatever they do with the parameters, it is encoded by then.
    let removed = method.removed.iter().zip(args.len()..);
    let removed =
        removed.map(|(removed, index)| pack::removed(removed, index, &value, &lent, private));
    let server = method
        .server
        .iter()
        .map(|expr| pack::server(expr, &lent, private));
    // They need not make use of all that is there for them.
    let unused = method
        .routing
        .iter()
        .map(|Parameter { ident, .. }| quote!(let _ = &#ident;));
    let statements: TokenStream = unused.chain(packed).chain(removed).chain(server).collect();

    let new = quote! {
        #private::Request::new(
            &self.core,
            &#private::ApiInfo::methods(&#module::API)[#module::Index::#ident as ::core::primitive::usize],
            #context,
        )
    };
    let (begin, request) = match statements.is_empty() {
        true => (None, new),
        false => (Some(quote!(let mut #request = #new;)), quote!(#request)),
    };
    let send = match method.kind {
        Kind::Call | Kind::Gather => {
            // An older answer that is not understood is not asked for.
            let older = method.returned.iter().filter(|older| !older.one_way);
            let older: Vec<_> = older
                .map(|older| older_answer(older, answer, private))
                .collect();
            let (send, send_with) = match method.kind {
                Kind::Gather => (quote!(gather), quote!(gather_with)),
                _ => (quote!(call), quote!(call_with)),
            };
            match older.is_empty() {
                true => quote!(#send::<#answer>(#request)),
                false => quote!(#send_with::<#answer>(#request, const { &[#(#older),*] })),
            }
        }
        Kind::Cast => quote!(cast(#request)),
        Kind::Fanout => quote!(fanout(#request)),
        Kind::Multicall => quote!(multicall::<#answer>(#request)),
    };
    let mut send = quote!(#private::Request::#send);
    let mut returned = setters::sender(method, private);
    if method.has_setters() {
        let name = names.setters(method);
        send = quote!(#name { call: #send, pin: ::core::marker::PhantomData });
        returned = quote!(#name<#pin>);
    }
    // What is returned is `must_use` by itself.
    let double = (!attrs::named(&method.attrs, "must_use").is_empty())
        .then(|| quote!(#[allow(clippy::double_must_use)]));
    quote! {
        #(#attrs)*
        #docs
        #double
        #[inline]
        #vis fn #ident(&self, #context: #context_ty #(, #parameters)*) -> #returned #clause {
            #begin
            #statements
            #send
        }
    }
}

/// How the client reads the answer of an older server.
fn older_answer(
    Returned { until, ty, .. }: &Returned,
    answer: &Type,
    private: &TokenStream,
) -> TokenStream {
    let at = at(ty);
    let (near, until) = (moved(private, at), version(*until, private));
    let value = types::result(answer).map_or(answer, |(value, _)| value);
    let way = pack::conversion(ty, value, &near);
    quote_spanned!(at=> #near::Older::of::<#way, #answer, #ty>(#until))
}
