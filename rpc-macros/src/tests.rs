//! The expansion as a reader sees it, one snapshot per kind of method; and the small functions that are easy to get
//! wrong.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand_api, parse, types};

/// The expansion, as `rustfmt` would write it.
fn expanded(attr: TokenStream, item: &TokenStream) -> String {
    let file = syn::parse2(expand_api(attr, item)).expect("the expansion is a list of items");
    prettyplease::unparse(&file)
}

/// Compares the expansion with the one in `snapshots/`; `INSTA_UPDATE=always` writes what it is now.
fn snapshot(name: &str, attr: TokenStream, item: &TokenStream) {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, expanded(attr, item));
    });
}

#[test]
fn a_call() {
    snapshot(
        "a_call",
        quote!(version = "2.5", topic = "compute", namespace = "admin"),
        &quote! {
            /// Runs the guests of one compute node.
            pub trait Compute {
                /// Reboots a guest.
                ///
                /// It is the same guest afterwards.
                #[rpc(since = "2.1", timeout = "10m")]
                async fn reboot(&self, ctx: &Context, id: Uuid, kind: RebootKind) -> Result<(), ComputeError>;
            }
        },
    );
}

#[test]
fn a_remote_error() {
    let error = quote! {
        /// Why a guest is not moved.
        #[derive(Debug, RemoteError)]
        pub enum MoveError {
            NoSuchGuest {
                #[serde(default)]
                id: u64,
                r#type: String,
            },
            #[rpc(class = "NoValidHost")]
            Full,
            Range(u8, u8),
            /// What newer servers know.
            #[rpc(other)]
            Other { class: String, message: String },
        }
    };
    let file = syn::parse2(crate::remote_error::expand(error)).expect("a list of items");
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("a_remote_error", prettyplease::unparse(&file));
    });
}

#[test]
fn a_cast() {
    snapshot(
        "a_cast",
        quote!(version = "1.0"),
        &quote! {
            pub(crate) trait Notes {
                #[rpc(cast, name = "remember")]
                #[cfg(feature = "notes")]
                async fn note(&self, ctx: &Context, text: String) {
                    println!("{text}");
                }
            }
        },
    );
}

#[test]
fn a_fanout() {
    snapshot(
        "a_fanout",
        quote!(version = "1.2", crate = "crate::facade"),
        &quote! {
            trait ImageCache: Debug {
                /// Forgets cached images.
                #[rpc(cast, fanout, timeout = "1500ms")]
                #[deprecated = "they are not cached any more"]
                async fn drop_caches(&self, ctx: &Context);
            }
        },
    );
}

#[test]
fn a_multicall() {
    snapshot(
        "a_multicall",
        quote!(version = "2.5"),
        &quote! {
            pub trait Compute {
                #[rpc(multicall, since = "2.5")]
                fn guests(&self, ctx: &Context, of: &Project) -> impl Stream<Item = Result<Guest, ComputeError>> + Send;
            }
        },
    );
}

#[test]
fn a_gather() {
    snapshot(
        "a_gather",
        quote!(version = "2.5"),
        &quote! {
            pub trait Compute {
                #[rpc(gather, returned(type = u64, until = "2.4"))]
                async fn load(&self, ctx: &Context, #[rpc(since = "2.2")] cpu: Option<u32>) -> Result<Load, ComputeError>;
            }
        },
    );
}

#[test]
fn borrowed_arguments_and_raw_identifiers() {
    snapshot(
        "borrowed_arguments_and_raw_identifiers",
        quote!(version = "1.0"),
        &quote! {
            pub trait r#async {
                #[expect(clippy::too_many_arguments)]
                async fn r#match(
                    &self,
                    r#ref: &Context,
                    r#type: &str,
                    data: &[u8],
                    spec: &Spec,
                    all: &[Spec],
                    names: &[&str],
                    name: Option<&str>,
                    maybe: &Option<&str>,
                ) -> u32;
            }
        },
    );
}

#[test]
fn a_call_with_setters() {
    snapshot(
        "a_call_with_setters",
        quote!(version = "2.5"),
        &quote! {
            pub trait Compute {
                /// Takes a snapshot.
                #[rpc(since = "2.1")]
                #[cfg(feature = "images")]
                #[deprecated]
                async fn snapshot(
                    &self,
                    ctx: &Context,
                    id: Uuid,
                    /// Whether the guest is shut down first.
                    #[rpc(since = "2.3")] clean_shutdown: Option<bool>,
                    #[rpc(since = "2.4", default = "raw", lossy)] r#type: &str,
                    #[rpc(since = "2.5", default, positional)] tags: &[String],
                ) -> Result<(), ComputeError>;
            }
        },
    );
}

#[test]
fn older_shapes() {
    snapshot(
        "older_shapes",
        quote!(version = "2.5"),
        &quote! {
            pub trait Compute {
                #[rpc(
                    removed(reservations: Option<Vec<Uuid>> = None, until = "2.1"),
                    removed(host: &str = &instance.host, since = "2.2", until = "2.4"),
                    routing(migration: &Migration, force: bool),
                    server = migration.host,
                    returned(type = FirstDiagnostics, until = "2.2", one_way),
                    returned(type = OldDiagnostics, until = "2.3"),
                )]
                async fn diagnostics(
                    &self,
                    ctx: &Context,
                    #[rpc(name = "server", was(name = "guest", until = "2.1"))] instance: &Instance,
                    #[rpc(was(type = FirstSpec, until = "2.2"), was(type = OldSpec, until = "2.5"))] spec: Spec,
                    #[rpc(was(type = u64, until = "2.2"))] node: &str,
                    #[rpc(values(None = "2.3", Some(Block::Wait | Block::Never) = "2.4"))] block: Option<Block>,
                ) -> Result<Diagnostics, ComputeError>;
            }
        },
    );
}

#[test]
fn markers_of_two_majors() {
    snapshot(
        "markers_of_two_majors",
        quote!(
            version = "6.1",
            also = "5.2",
            aliases(zed = "6.0", bobcat = "6.1")
        ),
        &quote! {
            pub(crate) trait Compute {
                #[rpc(cast)]
                async fn always(&self, ctx: &Context);
                #[rpc(cast, since = "5.1", until = "6.0")]
                async fn old(&self, ctx: &Context);
                #[rpc(cast, fanout, until = "6.1", since = "6.0")]
                async fn between(&self, ctx: &Context);
                #[rpc(multicall)]
                fn list(
                    &self,
                    ctx: &Context,
                    #[rpc(since = "5.2")] limit: Option<u32>,
                    #[rpc(since = "6.1")] marker: Option<&str>,
                ) -> impl Stream<Item = u32> + Send;
            }
        },
    );
}

#[test]
fn a_fallback() {
    snapshot(
        "a_fallback",
        quote!(version = "1.0"),
        &quote! {
            pub trait Compute {
                async fn reboot(&self, ctx: &Context, id: Uuid) -> bool;
                #[rpc(cast, since = "1.1")]
                async fn note(&self, ctx: &Context, (a, b): (u8, u8));
                #[rpc(multicall)]
                fn guests(&self, ctx: Context) -> impl Stream<Item = Guest> + Send;
            }
        },
    );
}

/// The compiler caches expansions, and so do editors.
#[test]
fn an_expansion_is_the_same_each_time() {
    let expand = || {
        expanded(
            quote!(version = "1.0"),
            &quote! {
                pub trait Compute {
                    async fn reboot(&self, ctx: &Context, id: Uuid) -> V;
                    async fn start(&self, ctx: &Context, id: S) -> V_;
                }
            },
        )
    };
    assert_eq!(expand(), expand());
}

#[test]
fn an_item_that_is_no_trait_stays_beside_the_error() {
    let text = expanded(
        quote!(version = "1.0"),
        &quote! {
            pub struct Node;
        },
    );
    assert!(text.contains("compile_error!"), "{text}");
    assert!(text.contains("pub struct Node;"), "{text}");
}

/// The messages of the errors in an expansion.
fn errors(attr: TokenStream, item: &TokenStream) -> Vec<String> {
    let file: syn::File =
        syn::parse2(expand_api(attr, item)).expect("the expansion is a list of items");
    let message = |item: &syn::Item| match item {
        syn::Item::Macro(item) => Some(item.mac.parse_body::<syn::LitStr>().ok()?.value()),
        _ => None,
    };
    file.items.iter().filter_map(message).collect()
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = errors(
        quote!(version = "2.x", topik = "compute"),
        &quote! {
            pub trait Compute {
                #[rpc(cast, since = "2", timeout = "never")]
                fn note(self, id: u64, text: &mut String) -> bool;
                async fn prepare(&self, ctx: &Context, (a, b): (u8, u8)) -> &str;
            }
        },
    );
    assert_eq!(found.len(), 12, "{found:#?}");
}

#[test]
fn what_an_error_says_to_write_is_not_refused_next() {
    for (key, literal, meant) in [
        ("timeout", quote!(10), "10s"),
        ("timeout", quote!(10m), "10m"),
        ("timeout", quote!(1.5), "10m"),
        ("since", quote!(2), "2.0"),
        ("since", quote!(2.1), "2.1"),
        ("since", quote!(true), "2.1"),
        ("name", quote!(5), "5"),
        ("name", quote!(b'x'), "wire_name"),
    ] {
        let key_ident = quote::format_ident!("{key}");
        let found = errors(
            quote!(version = "2.5"),
            &quote! {
                pub trait Compute {
                    #[rpc(#key_ident = #literal)]
                    async fn reboot(&self, ctx: &Context);
                }
            },
        );
        let said = format!("`{key}` is a string: write `{key} = \"{meant}\"`");
        assert_eq!(found, [said]);
    }
}

#[test]
fn an_item_is_one_of_what_was_returned() {
    for (whole, item) in [
        ("Vec<u32>", "u32"),
        ("Result<Vec<u32>, E>", "Result<u32, E>"),
        ("io::Result<std::vec::Vec<u32>>", "io::Result<u32>"),
        ("Result<u32, E>", "Result<u32, E>"),
        ("Option<Vec<u32>>", "Option<Vec<u32>>"),
        ("u32", "u32"),
    ] {
        let ty = syn::parse_str(whole).expect(whole);
        assert_eq!(types::text(&types::one_of(&ty)), item);
    }
}

#[test]
fn references_inside_a_type_are_to_text_or_bytes() {
    for (written, mended) in [
        ("Option<&Own>", "Option<Own>"),
        ("&Option<&Own>", "&Option<Own>"),
        ("&[&Own]", "&[Own]"),
        ("&&Own", "&Own"),
        ("(u8, &&Own, &str)", "(u8, Own, &str)"),
        ("Vec<Option<&[u16]>>", "Vec<Option<Vec<u16>>>"),
        ("&[u16]", "&[u16]"),
        ("Option<&[u8]>", "Option<&[u8]>"),
    ] {
        let ty = syn::parse_str(written).expect(written);
        assert_eq!(types::text(&types::owned_inside(&ty)), mended);
        let found = errors(
            quote!(version = "2.5"),
            &quote! {
                pub trait Compute {
                    async fn reboot(&self, ctx: &Context, arg: #ty);
                }
            },
        );
        assert_eq!(found.len(), usize::from(written != mended), "{found:#?}");
    }
}

#[test]
fn methods_that_exclude_each_other_may_share_a_name() {
    let found = errors(
        quote!(version = "1.0"),
        &quote! {
            pub trait Compute {
                #[cfg(unix)]
                async fn reboot(&self, ctx: &Context, id: u64);
                #[cfg(not(unix))]
                async fn reboot(&self, ctx: &Context, id: u32);
            }
        },
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn topics_are_in_snake_case() {
    for (name, snake) in [
        ("Compute", "compute"),
        ("ComputeNode", "compute_node"),
        ("HTTPServer", "http_server"),
        ("NodeV2", "node_v2"),
        ("Already_Snake", "already_snake"),
        ("lower", "lower"),
        ("Ärger", "ärger"),
    ] {
        assert_eq!(parse::snake_case(name), snake);
    }
}

#[test]
fn types_are_written_as_people_write_them() {
    for text in [
        "u8",
        "&str",
        "&[u8]",
        "Vec<u8>",
        "&'static str",
        "Option<&'a str>",
        "HashMap<String, Vec<Option<u8>>>",
        "(u8, u16)",
        "(u8,)",
        "()",
        "[u8; 4]",
        "std::collections::BTreeMap<K, V>",
        "::core::option::Option<T>",
        "<Vec<T> as Deref>::Target",
        "fn(u8, u16) -> u8",
        "Box<dyn Fn(u8) -> Vec<u8> + Send>",
        "impl Stream<Item = Result<u8, E>> + Send",
        "*const u8",
        "&mut Vec<String>",
        "Vec<r#type>",
        "[u8; { N + 1 }]",
    ] {
        let ty = syn::parse_str(text).expect(text);
        assert_eq!(types::text(&ty), text);
    }
}
