//! Values that cannot have come when they are said to.

use quote::ToTokens;
use syn::{Expr, Pat};

use crate::ctxt::Ctxt;
use crate::model::{DefaultValue, Method, Version};
use crate::types;

/// The default of a newer argument is what older messages mean, so it has not come later. Only what is written the same
/// way is known to be the same.
pub(super) fn default(method: &Method, ctxt: &Ctxt) {
    for arg in &method.args {
        let Some(newer) = &arg.newer else { continue };
        if newer.since == Version::UNREADABLE {
            continue;
        }
        let is_default = |pat: &Pat| match &newer.default {
            DefaultValue::Expr(expr) => text(pat) == text(plain(expr)),
            DefaultValue::None | DefaultValue::OfType => types::is_option(&arg.ty) && is_none(pat),
        };
        for (_, pat) in &arg.values {
            if let Some(value) = cases(pat).into_iter().find(|case| is_default(case)) {
                let message = format!(
                    "this is the default, which messages below {} mean: remove it here, or write another `default`",
                    newer.since
                );
                ctxt.error_on(value, message);
            }
        }
    }
}

/// What is between the `|`s of a pattern.
fn cases(pat: &Pat) -> Vec<&Pat> {
    match pat {
        Pat::Or(pat) => pat.cases.iter().flat_map(cases).collect(),
        Pat::Paren(pat) => cases(&pat.pat),
        other => vec![other],
    }
}

/// The expression inside parentheses and inside the groups of `macro_rules!`.
fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => plain(&group.expr),
        Expr::Paren(paren) => plain(&paren.expr),
        other => other,
    }
}

fn is_none(pat: &Pat) -> bool {
    match pat {
        Pat::Ident(pat) => pat.ident == "None",
        Pat::Path(pat) => pat
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "None"),
        _ => false,
    }
}

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
