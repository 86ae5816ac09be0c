//! The word lists in `#[rpc_api(..)]` and `#[rpc(..)]`, and the lists inside of them: `cast, since = "2.1", was(..)`.

use proc_macro2::{Delimiter, Group, Span};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Result, Token, Type, parenthesized,
    token,
};

use super::grammar::{Grammar, Takes};
use super::literal;
use crate::attrs;
use crate::ctxt::Ctxt;
use crate::types;

/// The words of a list, each known to the grammar, and there once unless it may be repeated.
#[derive(Debug, Default)]
pub(crate) struct Words {
    seen: Vec<(Ident, Value)>,
    /// The words that unknown ones were probably meant to be.
    meant: Vec<&'static str>,
    /// A part could not be read at all: then nothing is known to be missing.
    broken: bool,
}

#[derive(Debug)]
enum Value {
    Nothing,
    String(LitStr),
    Expr(Expr),
    Type(Type),
    List(Group),
    /// There is one, and it is in error already.
    Wrong,
}

impl Words {
    /// All that stands in the `#[rpc(..)]` of a method or an argument; two of them are read as one.
    pub(crate) fn of(attrs: &[Attribute], grammar: &Grammar, ctxt: &Ctxt) -> Self {
        let mut words = Self::default();
        for attr in attrs.iter().filter(|attr| attrs::is_ours(attr)) {
            match &attr.meta {
                Meta::List(list) => {
                    let mut group = Group::new(Delimiter::Parenthesis, list.tokens.clone());
                    group.set_span(list.delimiter.span().close());
                    words.read(&group, grammar, ctxt);
                }
                Meta::Path(_) => {}
                Meta::NameValue(meta) => {
                    words.broken = true;
                    let example = grammar.example();
                    let message = format!("write the words in parentheses: `#[rpc({example})]`");
                    ctxt.error_on(meta, message);
                }
            }
        }
        words
    }

    /// The words of a list inside another.
    pub(crate) fn inside(list: &Group, grammar: &Grammar, ctxt: &Ctxt) -> Self {
        let mut words = Self::default();
        words.read(list, grammar, ctxt);
        words
    }

    /// Adds the words of one list in parentheses. What is wrong with a word is an error at that word, and the others still
    /// count.
    pub(crate) fn read(&mut self, list: &Group, grammar: &Grammar, ctxt: &Ctxt) {
        let parser = |input: ParseStream<'_>| {
            self.parse(input, grammar, ctxt);
            Ok(())
        };
        ctxt.ok(in_parentheses(list, parser));
    }

    /// Reads words up to the end.
    pub(crate) fn parse(&mut self, input: ParseStream<'_>, grammar: &Grammar, ctxt: &Ctxt) {
        while !input.is_empty() {
            if let Err(error) = self.word(input, grammar, ctxt) {
                ctxt.push(error);
                self.broken = true;
                grammar.skip(input);
            }
        }
    }

    /// Reads a word and the comma after it. An error that is returned is one after which it is not known where the next
    /// word begins.
    fn word(&mut self, input: ParseStream<'_>, grammar: &Grammar, ctxt: &Ctxt) -> Result<()> {
        let key = grammar.key(input)?;
        let name = key.to_string();
        let Some((name, takes)) = grammar.find(&name) else {
            let nearest = grammar.nearest(&name);
            self.meant.extend(nearest);
            ctxt.error(key.span(), grammar.unknown(&name, nearest));
            skip_value(input);
            if end(input).is_err() {
                grammar.skip(input);
            }
            return Ok(());
        };
        let value = value(input, &key, name, takes, ctxt)?;
        if self.span(name).is_some() && !matches!(takes, Takes::Lists(_)) {
            let message = format!("`{name}` is given twice: leave one out");
            ctxt.error(key.span(), message);
        } else {
            self.seen.push((key, value));
        }
        end(input)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (Ident, Value)> {
        self.seen.iter().filter(move |(key, _)| key == name)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.seen
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Where the word stands, if it does.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.all(name).next().map(|(key, _)| key.span())
    }

    /// Whether the word is surely not there: not even with a slip in it, which is an error already.
    pub(crate) fn is_missing(&self, name: &str) -> bool {
        !self.broken && self.span(name).is_none() && !self.meant.contains(&name)
    }

    pub(crate) fn string(&self, name: &str) -> Option<&LitStr> {
        match self.value(name)? {
            Value::String(string) => Some(string),
            _ => None,
        }
    }

    pub(crate) fn expr(&self, name: &str) -> Option<&Expr> {
        match self.value(name)? {
            Value::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    pub(crate) fn ty(&self, name: &str) -> Option<&Type> {
        match self.value(name)? {
            Value::Type(ty) => Some(ty),
            _ => None,
        }
    }

    /// The lists of this word.
    pub(crate) fn lists<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Group> {
        self.all(name).filter_map(|(_, value)| match value {
            Value::List(list) => Some(list),
            _ => None,
        })
    }
}

/// Reads what stands between the parentheses of a list, so that what is missing at its end is missing at the parenthesis.
fn in_parentheses<T>(list: &Group, read: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
    let parser = |input: ParseStream<'_>| {
        let content;
        parenthesized!(content in input);
        read(&content)
    };
    parser.parse2(list.to_token_stream())
}

/// The entries of a list that holds no words, but whatever `T` is. What stands before one that cannot be read counts.
pub(crate) fn entries<T: Parse>(list: &Group, ctxt: &Ctxt) -> Vec<T> {
    let mut entries = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            entries.push(input.parse()?);
            end(input)?;
        }
        Ok(())
    };
    ctxt.ok(in_parentheses(list, read));
    entries
}

/// Reads an entry, then words.
pub(crate) fn entry_and_words<T>(
    list: &Group,
    entry: impl FnOnce(ParseStream<'_>) -> Result<T>,
    grammar: &Grammar,
    ctxt: &Ctxt,
) -> Option<(T, Words)> {
    let parser = |input: ParseStream<'_>| {
        let entry = entry(input)?;
        end(input)?;
        let mut words = Words::default();
        words.parse(input, grammar, ctxt);
        Ok((entry, words))
    };
    ctxt.ok(in_parentheses(list, parser))
}

/// Reads a word's value. A value of the wrong kind is an error in `ctxt`; what is returned is as for [`Words::word`].
fn value(
    input: ParseStream<'_>,
    key: &Ident,
    name: &str,
    takes: Takes,
    ctxt: &Ctxt,
) -> Result<Value> {
    let wrong = |at: Span, message: String| {
        ctxt.error(at, message);
        Ok(Value::Wrong)
    };
    let missing = || format!("`{name}` needs a value: write {}", takes.usage(name));
    if input.peek(token::Paren) {
        let list: Group = input.parse()?;
        return match takes {
            Takes::List(_) | Takes::Lists(_) => Ok(Value::List(list)),
            Takes::Nothing => wrong(key.span(), takes.misuse(name)),
            _ => wrong(list.span(), takes.misuse(name)),
        };
    }
    if !input.peek(Token![=]) {
        return match takes {
            _ if !at_end(input) => Err(input.error(takes.misuse(name))),
            Takes::Nothing | Takes::MaybeExpr(_) => Ok(Value::Nothing),
            _ => wrong(key.span(), missing()),
        };
    }
    if matches!(takes, Takes::Nothing | Takes::List(_) | Takes::Lists(_)) {
        skip_value(input);
        return wrong(key.span(), takes.misuse(name));
    }
    input.parse::<Token![=]>()?;
    if at_end(input) {
        return wrong(key.span(), missing());
    }
    match takes {
        Takes::Type(example) => {
            // Where a string is, it may be the type in quotes.
            let quoted = input.fork().parse::<LitStr>();
            input.parse().map(Value::Type).map_err(|error| {
                let ty = quoted.and_then(|quoted| quoted.parse::<Type>());
                let ty = ty.map_or_else(|_| example.to_owned(), |ty| types::text(&ty));
                Error::new(
                    error.span(),
                    format!("`{name}` is a type: write `{name} = {ty}`"),
                )
            })
        }
        Takes::String(example) => {
            let value: Expr = input.parse()?;
            match string(&value) {
                Ok(string) => Ok(Value::String(string)),
                Err(literal) => {
                    let message = match literal {
                        Some(literal) => {
                            let value = literal::meant(name, &literal, example);
                            format!("`{name}` is a string: write `{name} = \"{value}\"`")
                        }
                        None => format!(
                            "`{name}` is a string literal, such as `{name} = \"{example}\"`"
                        ),
                    };
                    ctxt.error_on(value, message);
                    Ok(Value::Wrong)
                }
            }
        }
        _ => input.parse().map(Value::Expr),
    }
}

/// Goes past a value that is of no use.
fn skip_value(input: ParseStream<'_>) {
    if input.peek(token::Paren) {
        let _ = input.parse::<Group>();
    } else if input.peek(Token![=]) {
        let _ = input.parse::<Token![=]>();
        // Types come first: as an expression, one could end at a comma inside.
        let copy = input.fork();
        match copy.parse::<Type>().is_ok() && at_end(&copy) {
            true => drop(input.parse::<Type>()),
            false => drop(input.parse::<Expr>()),
        }
    }
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Reads the comma after an entry, which the last may have.
fn end(input: ParseStream<'_>) -> Result<()> {
    match input.is_empty() {
        true => Ok(()),
        false => input.parse::<Token![,]>().map(drop),
    }
}

/// The string that the expression is; or, where it is another literal, that literal's text.
fn string(value: &Expr) -> std::result::Result<LitStr, Option<String>> {
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
