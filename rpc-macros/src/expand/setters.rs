//! What a method with newer arguments returns: a call on which they are set before it is sent.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type, TypeReference};

use super::markers::Markers;
use super::{Names, about, at, local, pack, quiet};
use crate::model::{Arg, Form, Kind, Method, Newer};
use crate::{attrs, types};

/// The arguments that are set, with their indices among all.
pub(super) fn set(method: &Method) -> impl Iterator<Item = (usize, &Arg, &Newer)> {
    method.args.iter().enumerate().filter_map(|(index, arg)| {
        let newer = arg.newer.as_ref().filter(|newer| newer.setter)?;
        Some((index, arg, newer))
    })
}

/// `Call<R>`: what sends a message of this kind.
pub(super) fn sender(method: &Method, private: &TokenStream) -> TokenStream {
    let answer = &method.answer;
    match method.kind {
        Kind::Call => quote!(#private::Call<#answer>),
        Kind::Cast => quote!(#private::Cast),
        Kind::Fanout => quote!(#private::FanoutCast),
        Kind::Multicall => quote!(#private::Multicall<#answer>),
        Kind::Gather => quote!(#private::Gather<#answer>),
    }
}

pub(super) fn expand(method: &Method, markers: &Markers, names: &Names) -> TokenStream {
    let Names {
        private, pin, vis, ..
    } = names;
    let name = names.setters(method);
    let cfgs = attrs::cfgs(&method.attrs);
    let deprecated = attrs::named(&method.attrs, "deprecated");
    let about = about::returned(method, names);
    let must_use = match method.kind {
        kind if kind.streams() => format!("a {} is sent when it is polled", kind.word()),
        kind => format!("a {} is sent when it is awaited", kind.word()),
    };
    let sender = sender(method, private);
    let quiet = quiet();
    let setters = set(method).map(|(index, arg, newer)| setter(index, arg, newer, markers, names));
    let other = other(method).map(|way| match way {
        "cast" => quote! {
            /// Sends it as a cast: there is no reply, only whether a server has accepted it.
            #vis fn cast(self) -> #private::Cast {
                #private::Call::cast(self.call)
            }
        },
        _ => quote! {
            /// Sends it to every server of the topic, and says which have accepted it.
            #vis fn fanout(self) -> #private::FanoutCast {
                #private::Cast::fanout(self.call)
            }
        },
    });
    let [cx, f] = ["cx", "f"].map(local);
    // Bound to a lifetime, it is not asked for here but where it is awaited: a type that cannot be an answer is one error
    // already, in the dispatcher.
    let unasked = Lifetime::new("'unasked", Span::mixed_site());
    let call = quote!(::core::pin::Pin::new(
        &mut ::core::pin::Pin::get_mut(self).call
    ));
    let send = match method.kind.streams() {
        true => quote! {
            #(#cfgs)*
            #[allow(deprecated)]
            impl<#pin> #private::Stream for #name<#pin>
            where
                for<#unasked> #sender: #private::Stream,
            {
                type Item = <#sender as #private::Stream>::Item;

                fn poll_next(
                    self: ::core::pin::Pin<&mut Self>,
                    #cx: &mut ::core::task::Context<'_>,
                ) -> ::core::task::Poll<::core::option::Option<Self::Item>> {
                    #private::Stream::poll_next(#call, #cx)
                }
            }
        },
        false => quote! {
            #(#cfgs)*
            #[allow(deprecated)]
            impl<#pin> ::core::future::Future for #name<#pin>
            where
                for<#unasked> #sender: ::core::future::Future,
            {
                type Output = <#sender as ::core::future::Future>::Output;

                fn poll(
                    self: ::core::pin::Pin<&mut Self>,
                    #cx: &mut ::core::task::Context<'_>,
                ) -> ::core::task::Poll<Self::Output> {
                    ::core::future::Future::poll(#call, #cx)
                }
            }
        },
    };
    quote! {
        #about
        #(#cfgs)*
        #(#deprecated)*
        #[must_use = #must_use]
        #[allow(dead_code, non_camel_case_types)]
        #vis struct #name<#pin = #private::Dynamic> {
            call: #sender,
            pin: ::core::marker::PhantomData<fn() -> #pin>,
        }

        #(#cfgs)*
        #quiet
        impl<#pin> #name<#pin> {
            #(#setters)*
            #other
        }

        #send

        #(#cfgs)*
        #[automatically_derived]
        #[allow(deprecated)]
        impl<#pin> ::core::fmt::Debug for #name<#pin> {
            fn fmt(&self, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.call, #f)
            }
        }
    }
}

/// The other way in which it can be sent: a call that has nothing to say when all went well, without waiting for that; a cast,
/// to every server.
fn other(method: &Method) -> Option<&'static str> {
    let value = types::result(&method.answer).map_or(&method.answer, |(value, _)| value);
    match method.kind {
        Kind::Call if types::is_unit(value) => Some("cast"),
        Kind::Cast => Some("fanout"),
        _ => None,
    }
}

fn setter(index: usize, arg: &Arg, newer: &Newer, markers: &Markers, names: &Names) -> TokenStream {
    let Names { private, vis, .. } = names;
    let Arg { ident, ty, .. } = arg;
    let about = about::setter(arg, newer, names);
    let [request, value] = ["request", "value"].map(local);
    let clause = markers.clause(newer.since, None, ident.span(), names);
    let packed = pack::argument(arg, index, &value, &quote!(#request), private);
    // A value becomes an `Option` of it. What is written for another type is one already: a literal would not know what to become.
    let at = at(ty);
    let convertible = matches!(arg.form, Form::Value) && types::is_option(ty);
    let (lifetime, taken, made) = match convertible {
        true => {
            let (lifetime, named) = with_lifetime(ty);
            (
                lifetime,
                quote_spanned!(at=> impl ::core::convert::Into<#named>),
                Some(quote_spanned!(at=> let #value: #ty = ::core::convert::Into::into(#value);)),
            )
        }
        false => (None, quote!(#ty), None),
    };
    quote! {
        #about
        #[inline]
        #vis fn #ident #lifetime (mut self, #value: #taken) -> Self #clause {
            if let ::core::option::Option::Some(#request) = #private::Prepared::request(&mut self.call) {
                #made
                #packed
            }
            self
        }
    }
}

/// The type with a name for what it borrows for, which an `impl Trait` asks for; and the declaration of that.
pub(crate) fn with_lifetime(ty: &Type) -> (Option<TokenStream>, Type) {
    struct Namer(Lifetime);

    impl VisitMut for Namer {
        fn visit_type_reference_mut(&mut self, ty: &mut TypeReference) {
            ty.lifetime.get_or_insert_with(|| self.0.clone());
            visit_mut::visit_type_reference_mut(self, ty);
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = self.0.clone();
            }
        }
    }

    let mut ty = ty.clone();
    if !types::borrows(&ty) {
        return (None, ty);
    }
    let lifetime = Lifetime::new("'value", Span::mixed_site());
    let declared = quote!(<#lifetime>);
    Namer(lifetime).visit_type_mut(&mut ty);
    (Some(declared), ty)
}
