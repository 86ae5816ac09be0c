//! From the model to the code: two shadows of the error, of which serde knows how their data is written and read.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Ident, parse_quote};

use super::{Class, Field, Fields, Model, Shape};

pub(super) fn expand(model: &Model) -> TokenStream {
    let (name, krate) = (&model.name, &model.krate);
    let private = quote!(#krate::__private);
    let shadows = shadows(model, &private);
    let serialize = serialize(model, &private);
    let deserialize = deserialize(model, &private);
    quote! {
        #[allow(dead_code, deprecated, unused_qualifications, clippy::all, clippy::pedantic, clippy::restriction)]
        const _: () = {
            #shadows

            impl #private::serde::Serialize for #name {
                fn serialize<S: #private::serde::Serializer>(
                    &self,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    #serialize
                }
            }

            #deserialize

            impl<'de> #private::serde::Deserialize<'de> for #name {
                fn deserialize<D: #private::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    #private::remote::read(deserializer)
                }
            }
        };
    }
}

/// What serde derives from. `remote` makes it write and read the error itself, whose fields are the same.
fn shadows(model: &Model, private: &TokenStream) -> TokenStream {
    let serde_path = quote!(#private::serde).to_string().replace(' ', "");
    let remote = model.name.to_string();
    let shadow = |name: &str, derive: &str, words: TokenStream, is_named: bool| {
        let shadow = Ident::new(name, Span::call_site());
        let derive = Ident::new(derive, Span::call_site());
        let head = quote! {
            #[derive(#private::serde::#derive)]
            #[serde(crate = #serde_path, remote = #remote, #words)]
        };
        match &model.shape {
            Shape::Struct(class) => {
                let fields = fields(&class.fields);
                let end = match class.fields {
                    Fields::Named(_) => quote!(),
                    Fields::None | Fields::Tuple(_) => quote!(;),
                };
                quote!(#head struct #shadow #fields #end)
            }
            Shape::Enum { classes, other } => {
                let variants = classes.iter().map(|class| {
                    let (ident, name) = (&class.ident, &class.name);
                    let rename = is_named.then(|| quote!(#[serde(rename = #name)]));
                    let fields = fields(&class.fields);
                    quote!(#rename #ident #fields,)
                });
                let other = other.iter().map(|other| {
                    let string = quote!(::std::string::String);
                    quote!(#[serde(skip)] #other { class: #string, message: #string },)
                });
                quote!(#head enum #shadow { #(#variants)* #(#other)* })
            }
        }
    };
    let untagged = match model.shape {
        Shape::Struct(_) => quote!(),
        Shape::Enum { .. } => quote!(untagged),
    };
    let written = shadow("__Written", "Serialize", untagged, false);
    let read = shadow("__Read", "Deserialize", quote!(), true);
    quote!(#written #read)
}

fn fields(fields: &Fields) -> TokenStream {
    let field = |field: &Field| {
        let Field { serde, name, ty } = field;
        let colon = name.as_ref().map(|_| quote!(:));
        quote!(#(#serde)* #name #colon #ty)
    };
    match fields {
        Fields::None => quote!(),
        Fields::Tuple(all) => {
            let all = all.iter().map(field);
            quote!((#(#all),*))
        }
        Fields::Named(all) => {
            let all = all.iter().map(field);
            quote!({ #(#all),* })
        }
    }
}

fn serialize(model: &Model, private: &TokenStream) -> TokenStream {
    let name = &model.name;
    let type_name = name.to_string();
    let known = |class: &Class, path: TokenStream| {
        let name = &class.name;
        let has_data = !matches!(class.fields, Fields::None);
        quote!(#path { .. } => (#name, #has_data),)
    };
    let arms = match &model.shape {
        Shape::Struct(class) => known(class, quote!(Self)),
        Shape::Enum { classes, other } => {
            let known = classes.iter().map(|class| {
                let ident = &class.ident;
                known(class, quote!(Self::#ident))
            });
            let other = other.iter().map(|other| {
                quote! {
                    Self::#other { class, message } => {
                        return #private::remote::write::<S, ()>(
                            serializer, #type_name, class, message, ::core::option::Option::None,
                        );
                    }
                }
            });
            quote!(#(#known)* #(#other)*)
        }
    };
    // an error that cannot be shown is found at its own name; what is named here is ours
    let at = Span::call_site().located_at(name.span());
    let shown = quote_spanned!(at=> let message: &dyn ::core::fmt::Display = self;);
    quote! {
        struct __Data<'a>(&'a #name);

        impl #private::serde::Serialize for __Data<'_> {
            fn serialize<S: #private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                __Written::serialize(self.0, serializer)
            }
        }

        let (class, has_data) = match self { #arms };
        #shown
        let data = __Data(self);
        let data = if has_data {
            ::core::option::Option::Some(&data)
        } else {
            ::core::option::Option::None
        };
        #private::remote::write(serializer, #type_name, class, message, data)
    }
}

fn deserialize(model: &Model, private: &TokenStream) -> TokenStream {
    let name = &model.name;
    let type_name = name.to_string();
    let (classes, other) = match &model.shape {
        Shape::Struct(class) => (std::slice::from_ref(class), None),
        Shape::Enum { classes, other } => (&**classes, other.as_ref()),
    };
    let classes = classes.iter().map(|class| &class.name);
    let other: TokenStream = match other {
        None => quote!(::core::option::Option::None),
        Some(other) => {
            parse_quote!(::core::option::Option::Some(|class, message| Self::#other { class, message }))
        }
    };
    quote! {
        impl<'de> #private::remote::RemoteError<'de> for #name {
            const NAME: &'static str = #type_name;
            const CLASSES: &'static [&'static str] = &[#(#classes),*];
            const OTHER: ::core::option::Option<
                fn(::std::string::String, ::std::string::String) -> Self,
            > = #other;

            fn known<D: #private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                __Read::deserialize(deserializer)
            }
        }
    }
}

/// What keeps an error in the derive from causing others where the type is used.
pub(super) fn fallback(input: &DeriveInput) -> TokenStream {
    let name = input.ident.to_token_stream();
    let private = quote!(::rpc_core::__private);
    let (plain, types, clause) = input.generics.split_for_impl();
    let mut with_lifetime = input.generics.clone();
    with_lifetime.params.insert(0, parse_quote!('__de));
    let (with_lifetime, ..) = with_lifetime.split_for_impl();
    quote! {
        impl #plain #private::serde::Serialize for #name #types #clause {
            fn serialize<S: #private::serde::Serializer>(
                &self,
                _: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                ::core::unreachable!()
            }
        }

        impl #with_lifetime #private::serde::Deserialize<'__de> for #name #types #clause {
            fn deserialize<D: #private::serde::Deserializer<'__de>>(
                _: D,
            ) -> ::core::result::Result<Self, D::Error> {
                ::core::unreachable!()
            }
        }
    }
}
