//! From the model to tokens: the trait, the client, the dispatcher, and the API as data.
//!
//! Rules of all of them: only `::core`, `::std` and the support crate's `__private` are named; calls are written so that
//! no trait in the user's scope can take their place; locals have [`local`]'s span, so that any argument name is free;
//! and what is generated points at the user's tokens wherever the compiler may have something to say about them.

mod about;
pub(crate) mod api;
pub(crate) mod client;
pub(crate) mod dispatcher;
pub(crate) mod markers;
mod pack;
pub(crate) mod service;
pub(crate) mod setters;

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ItemTrait, Path, Visibility};

use crate::model::{Api, Method, Version};
use crate::{attrs, parse};
use markers::Markers;

/// Everything that the attribute makes of a trait.
pub(crate) fn expand(api: &Api, item: &ItemTrait, names: &Names) -> TokenStream {
    let markers = Markers::new(api);
    let service = service::expand(item);
    let client = client::expand(api, &markers, names);
    let dispatcher = dispatcher::expand(api, names);
    let data = api::expand(api, &markers, names);
    quote! {
        #service
        #client
        #dispatcher
        #data
    }
}

/// What the generated items are called, and who sees them.
#[derive(Debug)]
pub(crate) struct Names {
    /// `Compute`
    pub(crate) service: Ident,
    /// The same for docs: ``[`Compute`]``.
    pub(crate) link: String,
    /// The same as text, without `r#`.
    pub(crate) title: String,
    /// `ComputeClient`
    pub(crate) client: Ident,
    /// `ComputeDispatcher`
    pub(crate) dispatcher: Ident,
    /// `compute_api`
    pub(crate) module: Ident,
    /// `::rpc_core::__private`
    pub(crate) private: TokenStream,
    /// The client's type parameter.
    pub(crate) pin: Ident,
    /// The dispatcher's type parameter.
    pub(crate) implementor: Ident,
    pub(crate) vis: Visibility,
    /// The trait's `#[deprecated]`, which is true of its client and its dispatcher too.
    pub(crate) deprecated: Vec<Attribute>,
}

impl Names {
    pub(crate) fn new(item: &ItemTrait, krate: &Path) -> Self {
        let ident = &item.ident;
        let title = ident.unraw().to_string();
        // Type parameters have no hygiene: one that is called like a type of the user's would take its place.
        let mut taken = HashSet::new();
        words(item.to_token_stream(), &mut taken);
        let free = |letter: &str| {
            let mut name = letter.to_owned();
            while taken.contains(&name) {
                name.push('_');
            }
            Ident::new(&name, Span::mixed_site())
        };
        Self {
            service: ident.clone(),
            // A keyword is nothing that docs could link to.
            link: match *ident == title {
                true => format!("[`{title}`]"),
                false => format!("`{title}`"),
            },
            client: format_ident!("{}Client", ident),
            dispatcher: format_ident!("{}Dispatcher", ident),
            module: Ident::new(&format!("{}_api", parse::snake_case(&title)), ident.span()),
            private: quote!(#krate::__private),
            pin: free("V"),
            implementor: free("S"),
            vis: item.vis.clone(),
            deprecated: attrs::named(&item.attrs, "deprecated"),
            title,
        }
    }

    /// `ComputeSnapshotCall`: what a method with setters returns.
    pub(crate) fn setters(&self, method: &Method) -> Ident {
        let name = format!("{}{}", self.title, method.title());
        Ident::new(&name, method.ident.span())
    }
}

/// `Version::new(2, 5)`
fn version(Version { major, minor }: Version, private: &TokenStream) -> TokenStream {
    let (major, minor) = (
        Literal::u16_unsuffixed(major),
        Literal::u16_unsuffixed(minor),
    );
    quote!(#private::Version::new(#major, #minor))
}

/// All words in the tokens.
fn words(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), found),
            _ => {}
        }
    }
}

/// The name of a local variable, which no argument of the user's can clash with.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Where the compiler should point when it has something to say about the user's tokens, in code that is nevertheless
/// the macro's: lints leave it alone and locals stay apart.
fn at(tokens: &impl Spanned) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

/// The tokens, as if they stood [`at`] the user's.
fn moved(tokens: &TokenStream, at: Span) -> TokenStream {
    let place = |mut token: TokenTree| {
        token.set_span(at);
        token
    };
    tokens.clone().into_iter().map(place).collect()
}

/// Generated docs, with the space before each line that the user's `/// ` has too: they stand in one text.
fn docs(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| match line {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// Lints about names and about the shape of a signature are given on the trait, where the user can act on them. The
/// copies of a signature in the client and the dispatcher are silent.
fn quiet() -> TokenStream {
    quote! {
        #[allow(
            dead_code,
            deprecated,
            non_snake_case,
            clippy::fn_params_excessive_bools,
            clippy::implicit_hasher,
            clippy::large_types_passed_by_value,
            clippy::many_single_char_names,
            clippy::needless_pass_by_value,
            clippy::option_option,
            clippy::ptr_arg,
            clippy::ref_option,
            clippy::should_implement_trait,
            clippy::similar_names,
            clippy::too_many_arguments,
            clippy::too_many_lines,
            clippy::trivially_copy_pass_by_ref,
            clippy::type_complexity,
            clippy::used_underscore_binding,
            clippy::wrong_self_convention,
        )]
    }
}
