//! What a trait with mistakes expands to beside its errors: the same names and signatures, so that code that uses them
//! is not in error too, and one mistake is one error.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::visit_mut::VisitMut;
use syn::{
    FnArg, ItemTrait, Lifetime, LifetimeParam, Pat, PatWild, Signature, TraitItem, TraitItemFn,
};

use crate::check::RESERVED;
use crate::expand::{Names, api, client, dispatcher, service};
use crate::{attrs, types};

/// Expands what can be expanded.
pub(crate) fn expand(item: &ItemTrait, names: &Names) -> TokenStream {
    let item = mend(item);
    let Names { private, title, .. } = names;
    let bound = quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    let service = service::expand(&item);
    let client_frame = client::frame(names, &bound);
    let methods = methods(&item, names);
    let dispatcher_frame = dispatcher::frame(names, &bound);
    let endpoint = endpoint(names, &bound);
    let info = quote!(#private::ApiInfo::new(#title, #private::Version::new(0, 0)));
    let module = api::module(names, &info, &TokenStream::new());
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

fn methods(item: &ItemTrait, names: &Names) -> TokenStream {
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
    let methods = item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(item) => method(item, names, &strange),
        _ => None,
    });
    quote! {
        #[allow(dead_code, deprecated, unused_variables, clippy::all, clippy::pedantic)]
        impl<#pin> #client<#pin> {
            #(#methods)*
        }
    }
}

/// A method with the signature that it would have, or none if that could not stand on a client.
fn method(item: &TraitItemFn, names: &Names, strange: &HashSet<String>) -> Option<TokenStream> {
    let Names { private, vis, .. } = names;
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
    let inputs = inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&input.ty),
        FnArg::Receiver(_) => None,
    });
    let value = types::returned(&item.sig);
    let returned = match (kind(item), types::stream(&value)) {
        ("cast", _) => quote!(Cast),
        ("fanout", _) => quote!(FanoutCast),
        (_, Some(stream)) => {
            let item = stream.item;
            quote!(Multicall<#item>)
        }
        ("multicall", None) => quote!(Multicall<#value>),
        _ => quote!(Call<#value>),
    };
    let inputs = quote!(#(_: #inputs),*);
    if mentions(quote!(#inputs #returned), strange)
        || (types::has_impl(&value) && types::stream(&value).is_none())
    {
        return None;
    }
    let attrs = attrs::shared(&item.attrs);
    Some(quote! {
        #(#attrs)*
        #[doc = "This API has mistakes."]
        #vis fn #ident #params (&self, #inputs) -> #private::#returned #clause {
            ::core::panic!("this API has mistakes: see the compiler's errors")
        }
    })
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
    ["fanout", "cast", "multicall"]
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
