//! What was otherwise in older versions: names, types, values, answers, and arguments that are gone.

use proc_macro2::{Group, Span};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::visit::Visit;
use syn::{Expr, Ident, LitStr, Pat, PatIdent, Token, Type};

use super::grammar::{Grammar, Takes};
use super::literal;
use super::versions::{Versions, Written};
use super::words::{self, Words};
use crate::ctxt::Ctxt;
use crate::model::{Kind, Removed, Returned, Version};
use crate::types;

const UNTIL: (&str, Takes) = ("until", Takes::String("2.1"));

const WAS: Grammar = Grammar {
    words: &[
        ("name", Takes::String("old_name")),
        ("type", Takes::Type("OldType")),
        UNTIL,
    ],
    elsewhere: &[],
};

const RETURNED: Grammar = Grammar {
    words: &[
        ("type", Takes::Type("OldAnswer")),
        UNTIL,
        ("one_way", Takes::Nothing),
    ],
    elsewhere: &[],
};

const REMOVED: Grammar = Grammar {
    words: &[("since", Takes::String("2.1")), UNTIL],
    elsewhere: &[],
};

/// The beginning of what has a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// What it is, for errors.
    pub(super) what: &'static str,
    pub(super) version: Version,
}

/// What an argument was; the oldest first.
#[derive(Debug, Default)]
pub(super) struct Was {
    pub(super) names: Vec<(Version, String)>,
    /// Where these are written.
    pub(super) name_spans: Vec<Span>,
    pub(super) types: Vec<(Version, Type)>,
}

/// Reads `was(name = "old_name", until = "2.1")`, and `was(type = Old, ..)`.
pub(super) fn was(words: &Words, start: Start, versions: Versions, ctxt: &Ctxt) -> Was {
    let (mut names, mut types) = (Vec::new(), Vec::new());
    for list in words.lists("was") {
        let inner = Words::inside(list, &WAS, ctxt);
        if inner.is_missing("name") && inner.is_missing("type") {
            let message = "say what it was: add `name = \"old_name\"`, or `type = OldType`";
            ctxt.error(list.span(), message);
        }
        let name = inner
            .string("name")
            .and_then(|literal| Some((ctxt.ok(literal::name(literal, "name"))?, literal.span())));
        let Some(until) = until("was", &inner, list, start, versions, ctxt) else {
            continue;
        };
        if let Some(name) = name {
            add(&mut names, until, name, "`was(name = ..)`", ctxt);
        }
        if let Some(ty) = inner.ty("type") {
            add(&mut types, until, ty.clone(), "`was(type = ..)`", ctxt);
        }
    }
    let mut was = Was {
        types,
        ..Was::default()
    };
    for (version, (name, at)) in names {
        was.names.push((version, name));
        was.name_spans.push(at);
    }
    was
}

/// Reads `returned(type = Old, until = "2.1")`.
pub(super) fn returned(
    words: &Words,
    kind: Option<Kind>,
    start: Start,
    versions: Versions,
    ctxt: &Ctxt,
) -> Vec<Returned> {
    let kind = kind.unwrap_or(Kind::Call);
    if let Some(at) = words.span("returned")
        && !kind.is_answered()
    {
        let instead = match kind {
            Kind::Multicall => "keep the item's type, or give a new method with `since`",
            _ => "remove `returned`",
        };
        let message = format!(
            "only the answer of a call or gather has older types, and this is a {}: {instead}",
            kind.word()
        );
        ctxt.error(at, message);
        return Vec::new();
    }
    let mut older = Vec::new();
    for list in words.lists("returned") {
        let inner = Words::inside(list, &RETURNED, ctxt);
        if inner.is_missing("type") {
            ctxt.error(
                list.span(),
                "say what the answer was: add `type = OldAnswer`",
            );
        }
        let until = until("returned", &inner, list, start, versions, ctxt);
        if let (Some(ty), Some(until)) = (inner.ty("type"), until) {
            let value = (ty.clone(), inner.span("one_way").is_some());
            add(&mut older, until, value, "`returned(..)`", ctxt);
        }
    }
    let returned = |(until, (ty, one_way))| Returned { until, ty, one_way };
    older.into_iter().map(returned).collect()
}

/// Puts an entry into a history where it belongs. Two that end at once could not be told apart.
fn add<T>(history: &mut Vec<(Version, T)>, until: Written, entry: T, what: &str, ctxt: &Ctxt) {
    let at = history.partition_point(|(version, _)| *version < until.version);
    if history
        .get(at)
        .is_some_and(|(version, _)| *version == until.version)
    {
        let message = format!(
            "another {what} is until {} too: each ends with a version of its own, so write another here",
            until.version
        );
        ctxt.error(until.at, message);
        return;
    }
    history.insert(at, (until.version, entry));
}

/// Reads the version from which on something is no more.
fn until(
    word: &str,
    inner: &Words,
    list: &Group,
    start: Start,
    versions: Versions,
    ctxt: &Ctxt,
) -> Option<Written> {
    if inner.is_missing("until") {
        let first = match word {
            "removed" => "the first version without the argument",
            _ => "the first version in which it is what it is now",
        };
        let message = format!(
            "`{word}` has no end: add `until = \"{}\"`, with {first}",
            versions.example()
        );
        ctxt.error(list.span(), message);
    }
    let until = versions.until(inner.string("until")?, &format!("this `{word}(..)`"));
    let until = ctxt.ok(until)?;
    if versions.are_readable() && until.version <= start.version {
        let message = format!(
            "the {} came with {}: write a later version, or remove this `{word}(..)`",
            start.what, start.version
        );
        ctxt.error(until.at, message);
        return None;
    }
    Some(until)
}

/// `Mode::Fast = "2.1"`
struct Later {
    pat: Pat,
    version: LitStr,
}

impl Parse for Later {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const USAGE: &str = "after a value stands the version that it came with: write such as `Mode::Fast = \"2.1\"`";
        let usage = |at: Span| move |_| syn::Error::new(at, USAGE);
        let at = input.span();
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>().map_err(usage(at))?;
        let at = input.span();
        let version = input.parse().map_err(usage(at))?;
        Ok(Self { pat, version })
    }
}

/// Reads `values(Mode::Fast = "2.1")`.
pub(super) fn values(
    words: &Words,
    start: Start,
    versions: Versions,
    ctxt: &Ctxt,
) -> Vec<(Version, Pat)> {
    let lists = words.lists("values");
    let mut values = Vec::new();
    for Later { pat, version } in lists.flat_map(|list| words::entries(list, ctxt)) {
        pattern(&pat, ctxt);
        let Some(since) = ctxt.ok(versions.since(
            &version,
            "the version of this value",
            "this value, which every message can hold",
        )) else {
            continue;
        };
        if versions.are_readable() && since.version <= start.version {
            let message = format!(
                "the {} came with {}, and this value with it: write a later version, or remove the value",
                start.what, start.version
            );
            ctxt.error(since.at, message);
            continue;
        }
        values.push((since.version, pat));
    }
    values.sort_by_key(|(version, _)| *version);
    values
}

/// Reports a pattern that is every value, or has a variable in it, which nothing could use. A name that begins with a small
/// letter is one.
fn pattern(pat: &Pat, ctxt: &Ctxt) {
    struct Variables<'a>(&'a Ctxt);

    impl<'ast> Visit<'ast> for Variables<'_> {
        fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
            if is_variable(&pat.ident) {
                let message = format!(
                    "`{}` would be a variable: write `_` where any value fits",
                    pat.ident
                );
                self.0.error_on(pat, message);
            }
        }
    }

    let any = match pat {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(pat) => pat.subpat.is_none() && is_variable(&pat.ident),
        Pat::Or(pat) => return pat.cases.iter().for_each(|case| pattern(case, ctxt)),
        _ => false,
    };
    if any {
        let message =
            "this is every value: write those that came later, such as `None` or `Mode::Fast`";
        ctxt.error_on(pat, message);
    } else {
        Variables(ctxt).visit_pat(pat);
    }
}

fn is_variable(ident: &Ident) -> bool {
    ident.unraw().to_string().starts_with(char::is_lowercase)
}

/// `reservations: Option<Vec<Uuid>> = None`
struct Declaration {
    ident: Ident,
    ty: Type,
    value: Option<Expr>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const USAGE: &str = "begin with the argument: name, type, and what old servers get, such as `force: bool = false`";
        let at = input.span();
        let usage = |_| syn::Error::new(at, USAGE);
        let ident = input.parse().map_err(usage)?;
        input.parse::<Token![:]>().map_err(usage)?;
        let ty = input.parse()?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { ident, ty, value })
    }
}

/// Reads `removed(reservations: Option<Vec<Uuid>> = None, until = "2.1")`.
pub(super) fn removed(
    words: &Words,
    method: Start,
    versions: Versions,
    ctxt: &Ctxt,
) -> Vec<Removed> {
    let read = |list: &Group| {
        let (declaration, inner) =
            words::entry_and_words(list, Declaration::parse, &REMOVED, ctxt)?;
        let Declaration { ident, ty, value } = declaration;
        if value.is_none() {
            let value = match types::is_option(&ty) {
                true => "None",
                false => "..",
            };
            let message = format!(
                "old servers still expect this argument: write `{ident}: {} = {value}`, with what they get",
                types::text(&ty)
            );
            ctxt.error(ident.span(), message);
        }
        // What nobody speaks of any more is one error, however much is said of it.
        let past = inner
            .string("until")
            .and_then(|until| literal::version(until).ok())
            .is_some_and(|until| versions.is_past(until));
        let since = (!past).then(|| removed_since(&inner, method, versions, ctxt));
        let since = since.flatten();
        let until = until("removed", &inner, list, method, versions, ctxt)?;
        if let Some(since) = since
            && since.version >= until.version
        {
            let message = format!(
                "`since` is not below `until`, which is {}: write an older version here, or a later one there",
                until.version
            );
            ctxt.error(since.at, message);
        }
        Some(Removed {
            wire_name: ident.unraw().to_string(),
            ident,
            ty,
            since: since.map(|since| since.version),
            until: until.version,
            value: value?,
        })
    };
    words.lists("removed").filter_map(read).collect()
}

fn removed_since(inner: &Words, method: Start, versions: Versions, ctxt: &Ctxt) -> Option<Written> {
    let since = ctxt.ok(versions.since(inner.string("since")?, "`since`", "`since`"))?;
    if versions.are_readable() && since.version <= method.version {
        let message = format!(
            "the method came with {}, and had this argument from then on: remove `since`",
            method.version
        );
        ctxt.error(since.at, message);
        return None;
    }
    Some(since)
}
