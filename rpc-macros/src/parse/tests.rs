//! What reading a trait makes of its versions, and what it goes on with after a mistake.

use proc_macro2::TokenStream;
use quote::quote;

use super::{api, header, item};
use crate::check;
use crate::ctxt::Ctxt;
use crate::model::{Api, DefaultValue, Version};
use crate::types;

/// The model, and the errors on the way to it.
fn read(attr: TokenStream, tokens: TokenStream) -> (Api, Vec<String>) {
    let ctxt = Ctxt::new();
    let header = header(attr, &ctxt);
    let item = item(tokens).expect("a trait");
    let api = api(&header, &item, &ctxt);
    check::api(&api, &ctxt);
    let errors = match ctxt.check() {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    };
    (api, errors)
}

/// The model of a trait without mistakes.
fn good(attr: TokenStream, tokens: TokenStream) -> Api {
    let (api, errors) = read(attr, tokens);
    assert!(errors.is_empty(), "{errors:#?}");
    api
}

/// The errors about a method of an API that speaks 6.0 to 6.5, and 5.0 to 5.13.
fn errors(words: &TokenStream, args: &TokenStream) -> Vec<String> {
    let (_, errors) = read(
        quote!(version = "6.5", also = "5.13"),
        quote! {
            trait Compute {
                #[rpc(#words)]
                async fn reboot(&self, ctx: &Context, #args) -> bool;
            }
        },
    );
    errors
}

fn version(major: u16, minor: u16) -> Version {
    Version { major, minor }
}

#[test]
fn a_newer_argument_is_set_on_the_call_if_its_major_has_begun_without_it() {
    let api = good(
        quote!(version = "6.5", also = "5.13"),
        quote! {
            trait Compute {
                async fn reboot(
                    &self,
                    ctx: &Context,
                    id: u64,
                    #[rpc(since = "5.4")] of_the_older_major: Option<u8>,
                    #[rpc(since = "6.0", default)] of_the_base: u8,
                    #[rpc(since = "6.1", default = 5)] of_its_own: u8,
                    #[rpc(since = "6.1", default, positional)] not_to_be_forgotten: u8,
                );
            }
        },
    );
    let newer = api.methods[0].args.iter().map(|arg| arg.newer.as_ref());
    let setters: Vec<_> = newer.map(|newer| newer.map(|newer| newer.setter)).collect();
    let expected = [None, Some(false), Some(false), Some(true), Some(false)];
    assert_eq!(setters, expected);
}

#[test]
fn without_a_since_a_method_is_as_old_as_the_oldest_version() {
    for (attr, since) in [
        (quote!(version = "6.5"), version(6, 0)),
        (quote!(version = "6.5", also = "5.13"), version(5, 0)),
    ] {
        let api = good(
            attr,
            quote!(
                trait A {
                    async fn f(&self, ctx: &Context);
                }
            ),
        );
        assert_eq!(api.methods[0].since.version, since);
    }
}

#[test]
fn an_option_is_none_by_default_and_another_default_is_written() {
    let args = quote! {
        #[rpc(since = "2.1")] none: Option<u8>,
        #[rpc(since = "2.1")] lent: &Option<u8>,
        #[rpc(since = "2.1", default)] of_type: &str,
        #[rpc(since = "2.1", default = Some(5))] value: Option<u8>
    };
    let api = good(
        quote!(version = "2.1"),
        quote!(trait A { async fn f(&self, ctx: &Context, #args); }),
    );
    let defaults: Vec<_> = api.methods[0]
        .args
        .iter()
        .filter_map(|arg| arg.newer.as_ref())
        .map(|newer| match newer.default {
            DefaultValue::None => "none",
            DefaultValue::OfType => "of type",
            DefaultValue::Expr(_) => "value",
        })
        .collect();
    assert_eq!(defaults, ["none", "none", "of type", "value"]);
}

#[test]
fn a_history_begins_with_the_oldest() {
    let api = good(
        quote!(version = "6.5", also = "5.13"),
        quote! {
            trait Compute {
                #[rpc(
                    returned(type = Old<K, V>, until = "6.0"),
                    returned(type = Oldest, until = "5.1", one_way),
                    removed(x: Vec<Vec<u8>>= Vec::new(), until = "6.0",),
                    removed(b: u8 = x, since = "5.1", until = "5.4")
                )]
                async fn reboot(
                    &self,
                    ctx: &Context,
                    #[rpc(
                        was(name = "b", type = B, until = "6.0"),
                        was(type = C, until = "6.2"),
                        was(name = "a", until = "5.9")
                    )]
                    c: Option<Mode>,
                    #[rpc(values(None = "6.1", Mode::A | Mode::B(_) = "5.3"))] d: Option<Mode>,
                ) -> bool;
            }
        },
    );
    let method = &api.methods[0];
    let returned = method
        .returned
        .iter()
        .map(|older| (older.until, types::text(&older.ty), older.one_way));
    assert_eq!(
        returned.collect::<Vec<_>>(),
        [
            (version(5, 1), "Oldest".to_owned(), true),
            (version(6, 0), "Old<K, V>".to_owned(), false)
        ]
    );
    let removed = method
        .removed
        .iter()
        .map(|removed| (&*removed.wire_name, removed.since, removed.until));
    assert_eq!(
        removed.collect::<Vec<_>>(),
        [
            ("x", None, version(6, 0)),
            ("b", Some(version(5, 1)), version(5, 4))
        ]
    );
    let arg = &method.args[0];
    let names = arg.names.iter().map(|(until, name)| (*until, &**name));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [(version(5, 9), "a"), (version(6, 0), "b")]
    );
    assert_eq!(arg.name_spans.len(), 3);
    let ends = arg.types.iter().map(|(until, _)| *until);
    assert_eq!(ends.collect::<Vec<_>>(), [version(6, 0), version(6, 2)]);
    let values = method.args[1].values.iter().map(|(since, _)| *since);
    assert_eq!(values.collect::<Vec<_>>(), [version(5, 3), version(6, 1)]);
}

#[test]
fn names_may_follow_each_other() {
    let found = errors(
        &quote!(removed(id: u8 = 0, until = "5.3"), removed(id: u16 = 0, since = "5.3", until = "5.4")),
        &quote!(#[rpc(since = "5.4", default)] id: u32),
    );
    assert!(found.is_empty(), "{found:#?}");
    let found = errors(
        &quote!(removed(id: u8 = 0, until = "5.5")),
        &quote!(#[rpc(since = "5.4", default)] id: u32),
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    // Two arguments that have changed names with each other.
    let found = errors(
        &quote!(),
        &quote! {
            #[rpc(was(name = "b", until = "6.0"))] a: u32,
            #[rpc(was(name = "a", until = "6.0"))] b: u32
        },
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn reading_goes_on_after_a_mistake() {
    for (words, found) in [
        (quote!(since "5.1", until = "x"), 2),
        (quote!(since = "5.1" "5.2", until = "x"), 2),
        (quote!(colour = Vec<A, B>, until = "x"), 2),
        (quote!(colour(a, b = Vec<A, B>), until = "x"), 2),
        (quote!(colour = a.b.c(), until = "x"), 2),
        (
            quote!(retruned(type = Vec<A, B>, until = "x"), until = "x"),
            2,
        ),
        (quote!(server = , until = "x"), 2),
        (quote!(server = Vec < A, B > c, until = "x"), 2),
        (quote!(5, until = "x"), 2),
        (quote!(.., until = "x"), 2),
        (quote!(removed(a: 5, b: c), until = "x"), 2),
        (quote!(removed(a: u8 = 5, until = "x", since = "x")), 2),
        (quote!(returned(type = 5, until = "x")), 2),
        (quote!(routing(a: u8, b), until = "x"), 2),
        (quote!(routing = a, until = "x"), 2),
        (quote!(until = "x", until = "x"), 2),
    ] {
        let text = words.to_string();
        let errors = errors(&words, &quote!());
        assert_eq!(errors.len(), found, "{text}: {errors:#?}");
    }
}

#[test]
fn one_mistake_is_one_error() {
    for args in [
        quote!(#[rpc(since = "6.x")] a: u8),
        quote!(#[rpc(since = "6.9", was(name = "b", until = "5.3"))] a: u8),
        quote!(#[rpc(since)] a: u8),
        quote!(#[rpc(sinc = "6.1")] a: u8),
        quote!(#[rpc(sinc = "6.1", default)] a: u8),
        quote!(#[rpc(since = "6.1", defualt)] a: u8),
        quote!(#[rpc(since = "6.1", default = )] a: u8),
        quote!(#[rpc(since = 6.1, default, lossy)] a: u8),
        quote!(#[rpc(was(nam = "b", until = "6.1"))] a: u8),
        quote!(#[rpc(was(name = "b", unti = "6.1"))] a: u8),
        quote!(#[rpc(was(name "b", until = "6.1"))] a: u8),
        quote!(#[rpc(was)] a: u8),
        quote!(#[rpc(lossy, positional, default)] a: u8),
        quote!(#[rpc = "lossy"] a: u8),
        quote!(#[rpc(values(x = "6.1"))] a: u8),
    ] {
        let text = args.to_string();
        let errors = errors(&quote!(), &args);
        assert_eq!(errors.len(), 1, "{text}: {errors:#?}");
    }
}

#[test]
fn versions_are_not_judged_by_those_of_an_api_that_has_mistakes_in_its_own() {
    for attr in [
        quote!(version = "6.x", also = "5.13"),
        quote!(version = "6.5", also = "5.x"),
        quote!(version = "6.5", also = "6.1"),
        quote!(version = "6.5", aslo = "5.13"),
        quote!(also = "5.13"),
    ] {
        let text = attr.to_string();
        let (_, errors) = read(
            attr,
            quote! {
                trait Compute {
                    #[rpc(since = "5.3", until = "6.0", returned(type = Old, until = "5.4"))]
                    async fn reboot(
                        &self,
                        ctx: &Context,
                        #[rpc(since = "5.4", was(name = "a", until = "6.0"), values(Some(1) = "5.9"))]
                        b: Option<u8>,
                    ) -> bool;
                }
            },
        );
        assert_eq!(errors.len(), 1, "{text}: {errors:#?}");
    }
}

/// The errors about an API of 6.0 to 6.5 in which words of the major before were left.
fn leftovers(words: &TokenStream, args: &TokenStream) -> Vec<String> {
    let (_, errors) = read(
        quote!(version = "6.5"),
        quote! {
            trait Compute {
                #[rpc(#words)]
                async fn reboot(&self, ctx: &Context, #args) -> bool;
            }
        },
    );
    errors
}

#[test]
fn what_an_older_major_has_left_behind_is_one_error_that_says_what_to_remove() {
    let nothing = TokenStream::new;
    for (words, args, remove) in [
        (quote!(since = "5.3"), nothing(), "`since`;"),
        (quote!(until = "6.0"), nothing(), "the method;"),
        (
            quote!(since = "5.3", until = "6.0", removed(x: u8 = 0, until = "5.4")),
            quote!(#[rpc(since = "5.4", default, was(type = A, until = "5.7"), values(B = "5.6"))] b: B),
            "the method;",
        ),
        (
            quote!(removed(x: u8 = 0, since = "5.3", until = "5.7")),
            nothing(),
            "this `removed(..)`;",
        ),
        (
            quote!(removed(x: u8 = 0, since = "5.3", until = "6.1")),
            nothing(),
            "`since`;",
        ),
        (
            quote!(returned(type = Old, until = "6.0")),
            nothing(),
            "this `returned(..)`;",
        ),
        (
            nothing(),
            quote!(#[rpc(since = "5.4")] b: Option<u8>),
            "`since`;",
        ),
        (
            nothing(),
            quote!(#[rpc(lossy, since = "5.4", positional, default = 5)] b: u8),
            "`since`, `default`, `lossy` and `positional`;",
        ),
        (
            nothing(),
            quote!(#[rpc(was(name = "a", until = "6.0"))] b: u8),
            "this `was(..)`;",
        ),
        (
            nothing(),
            quote!(#[rpc(values(None = "5.7"))] b: Option<u8>),
            "this value, which every message can hold;",
        ),
    ] {
        let text = format!("{words} {args}");
        let errors = leftovers(&words, &args);
        assert_eq!(errors.len(), 1, "{text}: {errors:#?}");
        assert!(
            errors[0].contains(&format!(": remove {remove}")),
            "{text}: {errors:#?}"
        );
        assert!(
            errors[0].contains("major 5 is still spoken"),
            "{text}: {errors:#?}"
        );
    }
}

#[test]
fn an_argument_that_every_message_has_is_a_parameter() {
    let (api, errors) = read(
        quote!(version = "6.5"),
        quote!(
            trait A {
                async fn f(&self, ctx: &Context, #[rpc(since = "5.2")] a: Option<u8>);
            }
        ),
    );
    assert_eq!(errors.len(), 1);
    assert!(!api.methods[0].has_setters());
}
