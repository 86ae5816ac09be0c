//! What a trait with mistakes expands to beside its errors: the same names and signatures, so that code that uses them
//! is not in error too, and one mistake is one error.

mod client;

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::visit_mut::VisitMut;
use syn::{FnArg, ItemTrait, Lifetime, LifetimeParam, Pat, PatWild, Signature, TraitItem};

use crate::attrs;
use crate::expand::{self, Names, api, dispatcher, markers, service};
use crate::model::Api;

/// Expands what can be expanded. Of what the model says, only what a client looks like counts: the rest has mistakes.
pub(crate) fn expand(api: &Api, item: &ItemTrait, names: &Names) -> TokenStream {
    let item = mend(item);
    let Names { private, title, .. } = names;
    let bound = quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    let service = service::expand(&item);
    let client_frame = expand::client::frame(names, &bound);
    let methods = client::methods(api, &item, names);
    let dispatcher_frame = dispatcher::frame(names, &bound);
    let endpoint = endpoint(names, &bound);
    let info = quote!(#private::ApiInfo::new(#title, #private::Version::new(0, 0)));
    let module = api::module(names, &info, &markers::any(names));
    quote! {
        #service
        #client_frame
        #methods
        #dispatcher_frame
        #endpoint
        #module
    }
}

fn endpoint(names: &Names, bound: &TokenStream) -> TokenStream {
    let Names {
        private,
        dispatcher,
        module,
        implementor,
        ..
    } = names;
    quote! {
        #[allow(deprecated)]
        impl<#implementor: #bound> #private::Endpoint for #dispatcher<#implementor> {
            fn api(&self) -> &'static #private::ApiInfo {
                &#module::API
            }

            fn dispatch(&self, _: ::core::primitive::usize, incoming: #private::Incoming) -> #private::Running {
                #private::Incoming::no_such_method(incoming)
            }
        }
    }
}

/// The trait without what the compiler would refuse on its own, once more.
fn mend(item: &ItemTrait) -> ItemTrait {
    let mut item = item.clone();
    item.unsafety = None;
    item.modifiers.auto_token = None;
    let outer = declared(|visitor| visitor.visit_generics(&item.generics));
    let mut seen = HashSet::new();
    item.items.retain(|item| match item {
        TraitItem::Fn(item) => {
            seen.insert(item.sig.ident.clone()) || !attrs::cfgs(&item.attrs).is_empty()
        }
        _ => true,
    });
    for item in &mut item.items {
        if let TraitItem::Fn(item) = item {
            let mut known = declared(|visitor| visitor.visit_signature(&item.sig));
            known.0.extend(outer.0.iter().cloned());
            item.sig.constness = None;
            known.visit_signature_mut(&mut item.sig);
            if item.default.is_none() {
                plain_names(&mut item.sig);
            }
        }
    }
    item
}

/// A method without a body cannot take its arguments apart, and nobody needs their names.
fn plain_names(sig: &mut Signature) {
    for input in &mut sig.inputs {
        let FnArg::Typed(input) = input else {
            continue;
        };
        let cfg =
            |attr: &syn::Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
        input.attrs.retain(|attr| !cfg(attr));
        if !matches!(&*input.pat, Pat::Ident(pat) if pat.mutability.is_none()) {
            *input.pat = Pat::Wild(PatWild {
                attrs: Vec::new(),
                underscore_token: syn::Token![_](Span::mixed_site()),
            });
        }
    }
}

/// The lifetimes that a trait and a method declare. As a [`VisitMut`], it turns others into `'_`.
#[derive(Default)]
struct Lifetimes(HashSet<Ident>);

fn declared(visit: impl FnOnce(&mut Lifetimes)) -> Lifetimes {
    let mut lifetimes = Lifetimes::default();
    visit(&mut lifetimes);
    lifetimes
}

impl<'ast> Visit<'ast> for Lifetimes {
    fn visit_lifetime_param(&mut self, param: &'ast LifetimeParam) {
        self.0.insert(param.lifetime.ident.clone());
        visit::visit_lifetime_param(self, param);
    }
}

impl VisitMut for Lifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" && lifetime.ident != "_" && !self.0.contains(&lifetime.ident)
        {
            lifetime.ident = Ident::new("_", lifetime.ident.span());
        }
    }
}
