//! The client of a trait with mistakes: what its users see, and nothing behind it.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::visit_mut::VisitMut;
use syn::{FnArg, ItemTrait, Pat, PatType, Signature, TraitItem, TraitItemFn, Type};

use super::Lifetimes;
use crate::check::RESERVED;
use crate::expand::Names;
use crate::expand::setters::with_lifetime;
use crate::model::{Api, Arg, Form, Method};
use crate::{attrs, types};

/// The client's methods, and what those with setters return.
pub(super) fn methods(api: &Api, item: &ItemTrait, names: &Names) -> TokenStream {
    let Names { client, pin, .. } = names;
    // Names that mean nothing, or something else, outside the trait.
    let mut strange: HashSet<String> = HashSet::from(["Self".to_owned()]);
    strange.extend(
        item.generics
            .type_params()
            .map(|param| param.ident.to_string()),
    );
    strange.extend(
        item.generics
            .const_params()
            .map(|param| param.ident.to_string()),
    );
    let (mut methods, mut setters, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
    for item in &item.items {
        let TraitItem::Fn(item) = item else { continue };
        let cfgs = attrs::cfgs(&item.attrs);
        let known = api
            .methods
            .iter()
            .find(|method| method.ident == item.sig.ident && attrs::cfgs(&method.attrs) == cfgs);
        let Some(known) = known else { continue };
        let set: Vec<&Arg> = known.args.iter().filter(|arg| arg.is_set()).collect();
        let mut returned = names.setters(known);
        if !set.is_empty() {
            // That two have one name is an error already.
            while !taken.insert(returned.clone()) {
                returned = format_ident!("{returned}_");
            }
            let streams = matches!(kind(item), "multicall" | "gather")
                || types::stream(&types::returned(&item.sig)).is_some();
            setters.push(self::setters(
                known, &returned, &set, streams, names, &strange,
            ));
        }
        methods.extend(method(item, known, &returned, names, &strange));
    }
    let older = older_types(api, &strange);
    quote! {
        #[allow(dead_code, deprecated, unused_variables, clippy::all, clippy::pedantic)]
        impl<#pin> #client<#pin> {
            #(#methods)*
        }

        #(#setters)*

        #older
    }
}

/// Makes use of the types that only our attributes name, which would be unused imports without.
fn older_types(api: &Api, strange: &HashSet<String>) -> Option<TokenStream> {
    // Those of a method that is not there may not be there either.
    let methods = api.methods.iter();
    let methods = methods.filter(|method| attrs::cfgs(&method.attrs).is_empty());
    let types = methods.flat_map(|method| {
        let args = method.args.iter().flat_map(|arg| &arg.types);
        let args = args.map(|(_, ty)| ty);
        let answers = method.returned.iter().map(|returned| &returned.ty);
        let removed = method.removed.iter().map(|removed| &removed.ty);
        args.chain(answers).chain(removed)
    });
    let types: Vec<Type> = types
        .map(known_lifetimes)
        .filter(|ty| !mentions(ty.to_token_stream(), strange))
        .collect();
    (!types.is_empty()).then(|| {
        quote! {
            const _: () = {
                #[allow(dead_code, deprecated, clippy::all, clippy::pedantic)]
                fn older(#(_: #types),*) {}
            };
        }
    })
}

/// A method with the signature that it would have, or none if that could not stand on a client.
fn method(
    item: &TraitItemFn,
    known: &Method,
    setters: &Ident,
    names: &Names,
    strange: &HashSet<String>,
) -> Option<TokenStream> {
    let Names {
        private, vis, pin, ..
    } = names;
    let Signature {
        ident,
        generics,
        inputs,
        ..
    } = &item.sig;
    if RESERVED.contains(&&*ident.unraw().to_string()) {
        return None;
    }
    let (params, clause) = (&generics.params, &generics.where_clause);
    let params = (!params.is_empty()).then(|| quote!(<#params>));
    let is_setter = |input: &PatType| {
        let mut set = known.args.iter().filter(|arg| arg.is_set());
        set.any(|arg| matches!(&*input.pat, Pat::Ident(pat) if pat.ident == arg.ident))
    };
    let inputs = inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => (!is_setter(input)).then(|| (*input.ty).clone()),
        FnArg::Receiver(_) => None,
    });
    let routing = known.routing.iter();
    let routing = routing.map(|parameter| known_lifetimes(&parameter.ty));
    let inputs = inputs.chain(routing);
    let value = types::returned(&item.sig);
    let returned = match (kind(item), types::stream(&value)) {
        ("cast", _) => quote!(Cast),
        ("fanout", _) => quote!(FanoutCast),
        (_, Some(stream)) => {
            let item = stream.item;
            quote!(Multicall<#item>)
        }
        ("multicall", None) => quote!(Multicall<#value>),
        ("gather", None) => quote!(Gather<#value>),
        _ => quote!(Call<#value>),
    };
    let inputs = quote!(#(_: #inputs),*);
    if mentions(quote!(#inputs #returned), strange)
        || (types::has_impl(&value) && types::stream(&value).is_none())
    {
        return None;
    }
    let mut returned = quote!(#private::#returned);
    if known.has_setters() {
        returned = quote!(#setters<#pin, #returned>);
    }
    let attrs = attrs::shared(&item.attrs);
    Some(quote! {
        #(#attrs)*
        #[doc = "This API has mistakes."]
        #vis fn #ident #params (&self, #inputs) -> #returned #clause {
            ::core::panic!("this API has mistakes: see the compiler's errors")
        }
    })
}

/// The type without lifetimes that nothing declares.
fn known_lifetimes(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Lifetimes::default().visit_type_mut(&mut ty);
    ty
}

/// What a method with setters returns, whatever it wraps.
fn setters(
    method: &Method,
    name: &Ident,
    set: &[&Arg],
    streams: bool,
    names: &Names,
    strange: &HashSet<String>,
) -> TokenStream {
    let Names {
        private,
        vis,
        pin,
        implementor: call,
        ..
    } = names;
    let cfgs = attrs::cfgs(&method.attrs);
    let setters = set.iter().filter_map(|arg| {
        let ident = &arg.ident;
        let ty = known_lifetimes(&arg.ty);
        let (lifetime, taken) = match matches!(arg.form, Form::Value) && types::is_option(&ty) {
            true => {
                let (lifetime, named) = with_lifetime(&ty);
                (lifetime, quote!(impl ::core::convert::Into<#named>))
            }
            false => (None, quote!(#ty)),
        };
        let fits = !mentions(quote!(#taken), strange) && !types::has_impl(&ty);
        fits.then(|| {
            quote! {
                #[doc = "This API has mistakes."]
                #vis fn #ident #lifetime (self, _: #taken) -> Self {
                    self
                }
            }
        })
    });
    let other = [("cast", quote!(Cast)), ("fanout", quote!(FanoutCast))];
    let other = other
        .iter()
        .filter(|(other, _)| set.iter().all(|arg| arg.ident != other))
        .map(|(other, sent)| {
            let other = format_ident!("{other}");
            quote! {
                #[doc = "This API has mistakes."]
                #vis fn #other(self) -> #private::#sent {
                    ::core::panic!("this API has mistakes: see the compiler's errors")
                }
            }
        });
    let wraps = match streams {
        false => quote! {
            impl<#pin, #call: ::core::future::Future + ::core::marker::Unpin> ::core::future::Future
                for #name<#pin, #call>
            {
                type Output = <#call as ::core::future::Future>::Output;

                fn poll(
                    mut self: ::core::pin::Pin<&mut Self>,
                    context: &mut ::core::task::Context<'_>,
                ) -> ::core::task::Poll<Self::Output> {
                    ::core::future::Future::poll(::core::pin::Pin::new(&mut self.call), context)
                }
            }
        },
        true => quote! {
            impl<#pin, #call: #private::Stream + ::core::marker::Unpin> #private::Stream
                for #name<#pin, #call>
            {
                type Item = <#call as #private::Stream>::Item;

                fn poll_next(
                    mut self: ::core::pin::Pin<&mut Self>,
                    context: &mut ::core::task::Context<'_>,
                ) -> ::core::task::Poll<::core::option::Option<<#call as #private::Stream>::Item>> {
                    #private::Stream::poll_next(::core::pin::Pin::new(&mut self.call), context)
                }
            }
        },
    };
    quote! {
        #(#cfgs)*
        #[doc = "This API has mistakes."]
        #[allow(missing_debug_implementations, dead_code)]
        #vis struct #name<#pin, #call> {
            call: #call,
            pin: ::core::marker::PhantomData<fn() -> #pin>,
        }

        #(#cfgs)*
        #[allow(dead_code, deprecated, unused_variables, clippy::all, clippy::pedantic)]
        impl<#pin, #call> #name<#pin, #call> {
            #(#setters)*
            #(#other)*
        }

        #(#cfgs)*
        #wraps
    }
}

/// The kind, as far as it can be told without reading the attribute properly.
fn kind(item: &TraitItemFn) -> &'static str {
    let mut said = HashSet::new();
    for attr in item.attrs.iter().filter(|attr| attrs::is_ours(attr)) {
        said.extend(
            attr.to_token_stream()
                .into_iter()
                .flat_map(flat)
                .map(|word| word.to_string()),
        );
    }
    ["fanout", "cast", "multicall", "gather"]
        .into_iter()
        .find(|kind| said.contains(*kind))
        .unwrap_or("call")
}

fn mentions(tokens: TokenStream, names: &HashSet<String>) -> bool {
    tokens
        .into_iter()
        .flat_map(flat)
        .any(|word| names.contains(&word.to_string()))
}

/// The words in a token.
fn flat(token: TokenTree) -> Vec<Ident> {
    match token {
        TokenTree::Ident(ident) => vec![ident],
        TokenTree::Group(group) => group.stream().into_iter().flat_map(flat).collect(),
        _ => Vec::new(),
    }
}
