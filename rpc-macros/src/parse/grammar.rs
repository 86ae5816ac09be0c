//! What the word lists may hold, and what is said of a word that they may not hold.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, Lit, Result, Token, token};

/// What a list may hold.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub(crate) words: &'static [(&'static str, Takes)],
    /// Words that belong into another list, and what to do instead of writing them here.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// What a word takes, with an example.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// `lossy`
    Nothing,
    /// `since = "2.1"`
    String(&'static str),
    /// `server = instance.host`
    Expr(&'static str),
    /// `default`, or `default = 5`
    MaybeExpr(&'static str),
    /// `type = Old`
    Type(&'static str),
    /// `routing(host: &str)`
    List(&'static str),
    /// `was(..)`, as often as needed
    Lists(&'static str),
}

impl Takes {
    /// The word as it is written.
    pub(super) fn usage(self, name: &str) -> String {
        match self {
            Self::Nothing => format!("`{name}`"),
            Self::String(example) => format!("`{name} = \"{example}\"`"),
            Self::Expr(example) | Self::MaybeExpr(example) | Self::Type(example) => {
                format!("`{name} = {example}`")
            }
            Self::List(example) | Self::Lists(example) => format!("`{name}({example})`"),
        }
    }

    /// What to say of a word that has its value in another form.
    pub(super) fn misuse(self, name: &str) -> String {
        let usage = self.usage(name);
        match self {
            Self::Nothing => format!("`{name}` takes no value: write `{name}` alone"),
            Self::String(_) | Self::Expr(_) | Self::MaybeExpr(_) | Self::Type(_) => {
                format!("`{name}` has its value after an `=`: write {usage}")
            }
            Self::List(_) | Self::Lists(_) => {
                format!("`{name}` has its values in parentheses: write {usage}")
            }
        }
    }
}

impl Grammar {
    pub(super) fn find(&self, name: &str) -> Option<(&'static str, Takes)> {
        self.words.iter().find(|(word, _)| *word == name).copied()
    }

    /// A word as it is written.
    pub(super) fn example(&self) -> String {
        let example = |(word, takes): &(&str, Takes)| match takes {
            Takes::String(example) => Some(format!("{word} = \"{example}\"")),
            _ => None,
        };
        self.words.iter().find_map(example).unwrap_or_default()
    }

    pub(super) fn key(&self, input: ParseStream<'_>) -> Result<Ident> {
        let example = self.example();
        if input.peek(Lit) {
            let message = format!("expected a key before the value, such as `{example}`");
            return Err(input.error(message));
        }
        Ident::parse_any(input).map_err(|error| {
            Error::new(error.span(), format!("expected a key, such as `{example}`"))
        })
    }

    /// Goes on to where a word surely begins: a comma does not say so, as there are some in types.
    pub(super) fn skip(&self, input: ParseStream<'_>) {
        while let Ok(token) = input.parse::<TokenTree>() {
            let comma = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
            if comma && self.begins(&input.fork()) {
                return;
            }
        }
    }

    fn begins(&self, input: ParseStream<'_>) -> bool {
        let known = Ident::parse_any(input).is_ok_and(|key| self.find(&key.to_string()).is_some());
        let ends = input.is_empty() || input.peek(Token![,]);
        known && (ends || input.peek(Token![=]) || input.peek(token::Paren))
    }

    /// The word that an unknown one was probably meant to be.
    pub(super) fn nearest(&self, name: &str) -> Option<&'static str> {
        if self.elsewhere.iter().any(|(word, _)| *word == name) {
            return None;
        }
        let words = self.words.iter().map(|(word, _)| *word);
        let nearest = words.min_by_key(|word| distance(word, name));
        // More than a third of the letters wrong is another word, not a slip.
        nearest.filter(|word| distance(word, name) <= word.len().div_ceil(3))
    }

    pub(super) fn unknown(&self, name: &str, nearest: Option<&str>) -> String {
        if let Some((_, instead)) = self.elsewhere.iter().find(|(word, _)| *word == name) {
            return format!("`{name}` {instead}");
        }
        match nearest {
            Some(word) => format!("unknown key `{name}`: did you mean `{word}`?"),
            None => {
                let words: Vec<_> = self
                    .words
                    .iter()
                    .map(|(word, _)| format!("`{word}`"))
                    .collect();
                format!("unknown key `{name}`: expected one of {}", words.join(", "))
            }
        }
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
