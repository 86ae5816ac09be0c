//! The word lists in `#[rpc_api(..)]` and `#[rpc(..)]`: `cast, since = "2.1"`.

use proc_macro2::{Group, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token, token};

use super::literal;
use crate::ctxt::Ctxt;

/// What a list may hold.
#[derive(Debug)]
pub(crate) struct Grammar {
    /// Words that stand alone.
    pub(crate) flags: &'static [&'static str],
    /// Words with a string, and an example of one.
    pub(crate) strings: &'static [(&'static str, &'static str)],
}

/// The words of a list, each known to the grammar and there once.
#[derive(Debug, Default)]
pub(crate) struct Words {
    seen: Vec<Ident>,
    /// The words that unknown ones were probably meant to be.
    meant: Vec<&'static str>,
    strings: Vec<(Ident, LitStr)>,
}

impl Words {
    /// Adds the words of one list. What is wrong with a word is an error at that word, and the others still count. False
    /// when it is no list at all: then nothing is known to be missing from it.
    pub(crate) fn read(&mut self, list: TokenStream, grammar: &Grammar, ctxt: &Ctxt) -> bool {
        let parser = Punctuated::<Word, Token![,]>::parse_terminated;
        let Some(words) = ctxt.ok(parser.parse2(list)) else {
            return false;
        };
        for word in words {
            if let Some(error) = self.add(word, grammar) {
                ctxt.push(error);
            }
        }
        true
    }

    fn add(&mut self, Word { key, value }: Word, grammar: &Grammar) -> Option<syn::Error> {
        let error = |message: String| Some(syn::Error::new(key.span(), message));
        let name = key.to_string();
        let example = grammar.strings.iter().find(|(known, _)| *known == name);
        if example.is_none() && !grammar.flags.contains(&&*name) {
            let nearest = grammar.nearest(&name);
            self.meant.extend(nearest);
            return error(grammar.unknown(&name, nearest));
        }
        if self.seen.contains(&key) {
            return error(format!("`{name}` is given twice: leave one out"));
        }
        self.seen.push(key.clone());

        match (example, value) {
            (None, Value::Nothing) => None,
            (None, Value::List(_) | Value::Expr(_)) => {
                error(format!("`{name}` takes no value: write `{name}` alone"))
            }
            (Some((_, example)), Value::Nothing) => error(format!(
                "`{name}` needs a value: write `{name} = \"{example}\"`"
            )),
            (Some((_, example)), Value::List(list)) => Some(syn::Error::new(
                list.span(),
                format!("`{name}` has its value after an `=`: write `{name} = \"{example}\"`"),
            )),
            (Some((_, example)), Value::Expr(value)) => match string(&value) {
                Ok(string) => {
                    self.strings.push((key, string));
                    None
                }
                Err(Some(literal)) => Some(syn::Error::new_spanned(value, {
                    let value = literal::meant(&name, &literal, example);
                    format!("`{name}` is a string: write `{name} = \"{value}\"`")
                })),
                Err(None) => Some(syn::Error::new_spanned(
                    value,
                    format!("`{name}` is a string literal, such as `{name} = \"{example}\"`"),
                )),
            },
        }
    }

    /// Where the word stands, if it does.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.seen.iter().find(|key| *key == name).map(Ident::span)
    }

    /// Whether the word stands there with a slip in it, which is an error already.
    pub(crate) fn is_misspelt(&self, name: &str) -> bool {
        self.meant.contains(&name)
    }

    pub(crate) fn string(&self, name: &str) -> Option<&LitStr> {
        self.strings
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

impl Grammar {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.flags
            .iter()
            .chain(self.strings.iter().map(|(key, _)| key))
            .copied()
    }

    /// The word that an unknown one was probably meant to be.
    fn nearest(&self, name: &str) -> Option<&'static str> {
        let nearest = self.words().min_by_key(|word| distance(word, name));
        // More than a third of the letters wrong is another word, not a slip.
        nearest.filter(|word| distance(word, name) <= word.len().div_ceil(3))
    }

    fn unknown(&self, name: &str, nearest: Option<&str>) -> String {
        match nearest {
            Some(word) => format!("unknown key `{name}`: did you mean `{word}`?"),
            None => {
                let words: Vec<String> = self.words().map(|word| format!("`{word}`")).collect();
                format!("unknown key `{name}`: expected one of {}", words.join(", "))
            }
        }
    }
}

/// One entry, before it is known what may stand there.
struct Word {
    key: Ident,
    value: Value,
}

enum Value {
    /// `key`
    Nothing,
    /// `key(..)`
    List(Group),
    /// `key = ..`
    Expr(Expr),
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Lit) {
            return Err(input.error("expected a key before the value, such as `version = \"2.5\"`"));
        }
        let key = Ident::parse_any(input)?;
        let value = if input.peek(token::Paren) {
            Value::List(input.parse()?)
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Expr(input.parse()?)
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

/// The string that the expression is; or, where it is another literal, that literal's text.
fn string(value: &Expr) -> Result<LitStr, Option<String>> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(string),
            ..
        }) => Ok(string.clone()),
        Expr::Lit(ExprLit { lit, .. }) => Err(Some(lit.to_token_stream().to_string())),
        // What a `$version:literal` of `macro_rules!` is wrapped in.
        Expr::Group(group) => string(&group.expr),
        _ => Err(None),
    }
}

/// How many letters must be put in, taken out or changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
