//! Collects errors, so that a reader of the compiler's output sees all of them at once.

use std::cell::RefCell;

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// The errors found so far. It must be asked for them with [`Ctxt::check`]: an error that nobody looks at would become
/// an expansion of nonsense, so forgetting is a panic here.
#[derive(Debug)]
pub(crate) struct Ctxt {
    /// `None` once checked.
    errors: RefCell<Option<Vec<Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    /// Adds an error at one place in the user's code.
    pub(crate) fn error(&self, at: Span, message: impl std::fmt::Display) {
        self.push(Error::new(at, message));
    }

    /// Adds an error that underlines all of `tokens`.
    pub(crate) fn error_on(&self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&self, error: Error) {
        if let Some(errors) = &mut *self.errors.borrow_mut() {
            errors.push(error);
        }
    }

    /// The value, or its error added to the others.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// All errors in one, if there was any.
    pub(crate) fn check(self) -> syn::Result<()> {
        let errors = self.errors.take().unwrap_or_default();
        match errors.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        }) {
            Some(all) => Err(all),
            None => Ok(()),
        }
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        let forgotten = self.errors.borrow().is_some();
        assert!(
            !forgotten || std::thread::panicking(),
            "errors were collected and not checked"
        );
    }
}
