//! Namespaces in which an API was served before: `legacy_namespaces("base", none)`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Result};

use super::literal;
use super::words::{self, Words};
use crate::ctxt::Ctxt;

/// `"base"`, or `none`
struct Legacy {
    namespace: Option<LitStr>,
    at: Span,
}

impl Parse for Legacy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let at = input.span();
        if input.peek(LitStr) {
            let namespace = input.parse()?;
            return Ok(Self {
                namespace: Some(namespace),
                at,
            });
        }
        match input.parse::<Ident>() {
            Ok(word) if word == "none" => Ok(Self {
                namespace: None,
                at,
            }),
            _ => Err(Error::new(
                at,
                "a namespace is a string, such as `\"base\"`, or `none` for having none",
            )),
        }
    }
}

/// The namespaces in which the API is served besides its own.
pub(super) fn legacy(words: &Words, own: Option<&str>, ctxt: &Ctxt) -> Vec<Option<String>> {
    let mut namespaces = Vec::new();
    // of one that could not be read, nothing is known
    let own_is_known = own.is_some() || words.is_missing("namespace");
    for list in words.lists("legacy_namespaces") {
        for Legacy { namespace, at } in words::entries(list, ctxt) {
            let namespace = match &namespace {
                None => None,
                Some(literal) => match ctxt.ok(literal::name(literal, "namespace")) {
                    Some(name) => Some(name),
                    None => continue,
                },
            };
            if own_is_known && namespace.as_deref() == own {
                let message = match own {
                    Some(own) => format!("`{own}` is the API's own namespace: leave it out here"),
                    None => {
                        "the API has no namespace of its own, so `none` is no older one: leave it out, or write a `namespace`".to_owned()
                    }
                };
                ctxt.error(at, message);
            } else if namespaces.contains(&namespace) {
                ctxt.error(at, "this namespace is given twice: leave one out");
            } else {
                namespaces.push(namespace);
            }
        }
    }
    namespaces
}
