//! `#[derive(RemoteError)]`: an error's variants travel by name, each with its message and its data.

mod expand;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Ident, LitStr, Path, Type};

use crate::ctxt::Ctxt;

/// The error as it is written.
#[derive(Debug)]
struct Model {
    name: Ident,
    /// The crate that generated code leans on.
    krate: Path,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Struct(Class),
    Enum {
        classes: Vec<Class>,
        /// The variant for classes that this side does not know.
        other: Option<Ident>,
    },
}

/// A variant, or a whole struct: what has a name on the wire.
#[derive(Debug)]
struct Class {
    ident: Ident,
    name: LitStr,
    fields: Fields,
}

#[derive(Debug)]
enum Fields {
    None,
    Tuple(Vec<Field>),
    Named(Vec<Field>),
}

#[derive(Debug)]
struct Field {
    /// What serde is told of it.
    serde: Vec<syn::Attribute>,
    /// `None` in a tuple.
    name: Option<Ident>,
    ty: Type,
}

/// The derive on tokens that work outside of a compiler too.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let ctxt = Ctxt::new();
    let model = parse::model(&input, &ctxt);
    match (ctxt.check(), model) {
        (Ok(()), Some(model)) => expand::expand(&model),
        (Err(errors), _) => {
            let errors = errors.to_compile_error();
            let fallback = expand::fallback(&input);
            quote!(#errors #fallback)
        }
        // without a model there is an error
        (Ok(()), None) => TokenStream::new(),
    }
}
