//! From the attribute and the trait to the model.
//!
//! What is wrong here is whatever the model has no place for; [`check`](crate::check) judges the rest. After an error,
//! reading goes on with the next thing that does not depend on it.

mod literal;
mod method;
mod words;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Item, ItemTrait, Path, TraitItem, parse_quote};

use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Api, Version};
use words::{Grammar, Words};

const API: Grammar = Grammar {
    flags: &[],
    strings: &[
        ("version", "2.5"),
        ("topic", "compute"),
        ("namespace", "admin"),
        ("crate", "my_crate::rpc_core"),
    ],
};

/// The attribute's own words.
#[derive(Debug)]
pub(crate) struct Header {
    version: Version,
    topic: Option<String>,
    namespace: Option<String>,
    /// The crate that generated code leans on.
    pub(crate) krate: Path,
}

/// Reads what stands in `#[rpc_api(..)]`. Whatever is wrong with it, there is a header to go on with.
pub(crate) fn header(attr: TokenStream, ctxt: &Ctxt) -> Header {
    let mut words = Words::default();
    let readable = words.read(attr, &API, ctxt);

    let version = match words.string("version") {
        Some(literal) => ctxt.ok(literal::version(literal)),
        // One that is there without a string has its error already.
        None if readable && words.span("version").is_none() && !words.is_misspelt("version") => {
            ctxt.error(
                proc_macro2::Span::call_site(),
                "the API has no version: write `#[rpc_api(version = \"1.0\")]`",
            );
            None
        }
        None => None,
    };
    let name = |key: &str| {
        words
            .string(key)
            .and_then(|literal| ctxt.ok(literal::name(literal, key)))
    };
    let krate = words
        .string("crate")
        .and_then(|literal| ctxt.ok(literal::krate(literal)));
    Header {
        version: version.unwrap_or(Version::UNREADABLE),
        topic: name("topic"),
        namespace: name("namespace"),
        krate: krate.unwrap_or_else(|| parse_quote!(::rpc_core)),
    }
}

/// The trait under the attribute.
pub(crate) fn item(tokens: TokenStream) -> syn::Result<ItemTrait> {
    const MESSAGE: &str = "an API is a trait: put `#[rpc_api]` on the trait";
    let on = |keyword: proc_macro2::Span| Err(syn::Error::new(keyword, MESSAGE));
    match syn::parse2(tokens)? {
        Item::Trait(item) => Ok(item),
        Item::Impl(item) => Err(syn::Error::new(
            item.impl_token.span,
            "an API is a trait: put `#[rpc_api]` on the trait, and nothing on its `impl`",
        )),
        Item::Struct(item) => on(item.struct_token.span),
        Item::Enum(item) => on(item.enum_token.span),
        Item::Fn(item) => on(item.sig.fn_token.span),
        Item::Mod(item) => on(item.mod_token.span),
        Item::TraitAlias(item) => on(item.trait_token.span),
        other => Err(syn::Error::new_spanned(other, MESSAGE)),
    }
}

/// Reads the trait.
pub(crate) fn api(header: &Header, item: &ItemTrait, ctxt: &Ctxt) -> Api {
    trait_shape(item, ctxt);
    let name = item.ident.unraw().to_string();
    let methods = item
        .items
        .iter()
        .filter_map(|item| match item {
            TraitItem::Fn(item) => Some(method::read(item, header.version, ctxt)),
            other => {
                no_method(other, ctxt);
                None
            }
        })
        .collect();
    Api {
        docs: attrs::docs(&item.attrs),
        version: header.version,
        topic: header.topic.clone().unwrap_or_else(|| snake_case(&name)),
        namespace: header.namespace.clone(),
        methods,
        name,
    }
}

fn trait_shape(item: &ItemTrait, ctxt: &Ctxt) {
    for attr in item.attrs.iter().filter(|attr| attrs::is_ours(attr)) {
        ctxt.error_on(
            attr,
            "`#[rpc(..)]` is for methods: what is said of the whole API goes into `#[rpc_api(..)]`",
        );
    }
    if let Some(token) = item.unsafety {
        ctxt.error_on(token, "an API cannot be an unsafe trait: remove `unsafe`");
    }
    if let Some(token) = item.modifiers.auto_token {
        ctxt.error_on(token, "an API cannot be an auto trait: remove `auto`");
    }
    if !item.generics.params.is_empty() {
        let message = "an API has no generics: its types are what both ends of the wire agree on";
        ctxt.error_on(&item.generics.params, message);
    }
    if let Some(clause) = &item.generics.where_clause {
        ctxt.error_on(
            clause,
            "an API has no `where` clause: write what it needs as supertraits",
        );
    }
}

fn no_method(item: &TraitItem, ctxt: &Ctxt) {
    match item {
        TraitItem::Type(item) => {
            let message = "an API has no associated types: the client could not name them. Write the type itself";
            ctxt.error(item.type_token.span, message);
        }
        TraitItem::Const(item) => {
            let message = "an API has no associated constants: put it beside the trait";
            ctxt.error(item.const_token.span, message);
        }
        other => ctxt.error_on(other, "an API holds methods only: write them out"),
    }
}

/// `ComputeNode` is `compute_node`, `HTTPServer` is `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_word = i > 0 && !letters[i - 1].is_uppercase() && letters[i - 1] != '_';
        let starts_word = i > 0
            && letters[i - 1].is_uppercase()
            && letters.get(i + 1).is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (after_word || starts_word) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
