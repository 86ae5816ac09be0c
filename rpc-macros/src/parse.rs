//! From the attribute and the trait to the model.
//!
//! What is wrong here is whatever the model has no place for; [`check`](crate::check) judges the rest. After an error,
//! reading goes on with the next thing that does not depend on it.

mod answer;
mod argument;
mod context;
pub(crate) mod grammar;
mod history;
pub(crate) mod literal;
mod method;
mod namespaces;
mod running;
#[cfg(test)]
mod tests;
mod versions;
pub(crate) mod words;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Item, ItemTrait, LitStr, Path, Token, TraitItem, parse_quote};

use crate::attrs;
use crate::ctxt::Ctxt;
use crate::model::{Api, Version};
use grammar::{Grammar, Takes};
use versions::Versions;
use words::Words;

const API: Grammar = Grammar {
    words: &[
        ("version", Takes::String("2.5")),
        ("also", Takes::String("1.9")),
        ("aliases", Takes::List("bobcat = \"2.5\"")),
        ("topic", Takes::String("compute")),
        ("namespace", Takes::String("admin")),
        ("legacy_namespaces", Takes::List("\"base\", none")),
        ("crate", Takes::String("my_crate::rpc_core")),
    ],
    elsewhere: &[],
};

/// The attribute's own words.
#[derive(Debug)]
pub(crate) struct Header {
    versions: Versions,
    aliases: Vec<(String, Version)>,
    topic: Option<String>,
    namespace: Option<String>,
    legacy_namespaces: Vec<Option<String>>,
    /// The crate that generated code leans on.
    pub(crate) krate: Path,
}

/// Reads what stands in `#[rpc_api(..)]`. Whatever is wrong with it, there is a header to go on with.
pub(crate) fn header(attr: TokenStream, ctxt: &Ctxt) -> Header {
    let list = Group::new(Delimiter::Parenthesis, attr);
    let words = Words::inside(&list, &API, ctxt);
    let versions = versions(&words, ctxt);
    let name = |key: &str| {
        words
            .string(key)
            .and_then(|literal| ctxt.ok(literal::name(literal, key)))
    };
    let krate = words
        .string("crate")
        .and_then(|literal| ctxt.ok(literal::krate(literal)));
    let namespace = name("namespace");
    Header {
        versions,
        aliases: aliases(&words, versions, ctxt),
        topic: name("topic"),
        legacy_namespaces: namespaces::legacy(&words, namespace.as_deref(), ctxt),
        namespace,
        krate: krate.unwrap_or_else(|| parse_quote!(::rpc_core)),
    }
}

fn versions(words: &Words, ctxt: &Ctxt) -> Versions {
    let read = |key: &str| {
        let literal = words.string(key)?;
        Some((ctxt.ok(literal::version(literal))?, literal))
    };
    if words.is_missing("version") {
        let message = "the API has no version: write `#[rpc_api(version = \"1.0\")]`";
        ctxt.error(Span::call_site(), message);
    }
    let (current, also) = (read("version"), read("also"));
    match (current, also) {
        (Some((current, _)), Some((also, literal))) if also.major >= current.major => {
            let message = match current.major.checked_sub(1) {
                Some(older) => format!(
                    "`also` is the last version of an older major than the API's own {current}: write one such as \"{older}.0\", or remove it"
                ),
                None => format!("no major is older than that of {current}: remove `also`"),
            };
            ctxt.error(literal.span(), message);
            Versions::UNREADABLE
        }
        (Some((current, _)), Some((also, _))) => Versions {
            current,
            also: Some(also),
        },
        (Some((current, _)), None) if words.is_missing("also") => Versions {
            current,
            also: None,
        },
        _ => Versions::UNREADABLE,
    }
}

/// `zed = "6.1"`
struct Alias {
    name: Ident,
    version: LitStr,
}

impl Parse for Alias {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const USAGE: &str =
            "an alias is a word for a version: write one such as `bobcat = \"2.5\"`";
        let usage = |at: Span| move |_| syn::Error::new(at, USAGE);
        let at = input.span();
        let name = Ident::parse_any(input).map_err(usage(at))?;
        input.parse::<Token![=]>().map_err(usage(at))?;
        let at = input.span();
        let version = input.parse().map_err(usage(at))?;
        Ok(Self { name, version })
    }
}

fn aliases(words: &Words, versions: Versions, ctxt: &Ctxt) -> Vec<(String, Version)> {
    let mut aliases = Vec::new();
    for list in words.lists("aliases") {
        for Alias { name, version } in words::entries(list, ctxt) {
            let text = name.unraw().to_string();
            if aliases.iter().any(|(other, _)| *other == text) {
                let message = format!("`{text}` is given twice: leave one out");
                ctxt.error(name.span(), message);
            } else if let Some(version) = ctxt.ok(versions.alias(&version, &format!("`{text}`"))) {
                aliases.push((text, version.version));
            }
        }
    }
    aliases
}

/// The trait under the attribute.
pub(crate) fn item(tokens: TokenStream) -> syn::Result<ItemTrait> {
    const MESSAGE: &str = "an API is a trait: put `#[rpc_api]` on the trait";
    let on = |keyword: Span| Err(syn::Error::new(keyword, MESSAGE));
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
            TraitItem::Fn(item) => Some(method::read(item, header.versions, ctxt)),
            other => {
                no_method(other, ctxt);
                None
            }
        })
        .collect();
    Api {
        docs: attrs::docs(&item.attrs),
        version: header.versions.current,
        also: header.versions.also,
        aliases: header.aliases.clone(),
        topic: header.topic.clone().unwrap_or_else(|| snake_case(&name)),
        namespace: header.namespace.clone(),
        legacy_namespaces: header.legacy_namespaces.clone(),
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

/// `drop_caches` is `DropCaches`.
pub(crate) fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
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
