//! Errors of every form, under lints that find what generated code should not have.

#![deny(warnings, clippy::all, clippy::pedantic, missing_docs, unused, unreachable_pub)]

mod errors {
    //! The errors, some of them private, under a prelude of their own.

    use rpc_core::RemoteError;
    use std::fmt;

    #[allow(dead_code)]
    struct String;
    #[allow(dead_code)]
    struct Option;
    #[allow(dead_code)]
    enum Result {}

    type Text = std::string::String;

    /// What a guest cannot do.
    #[derive(Debug, RemoteError)]
    #[non_exhaustive]
    pub(crate) enum GuestError {
        /// Nothing to say.
        Gone,
        /// A number.
        #[rpc(class = "Code")]
        Number(u32),
        /// Two of them.
        Range(
            #[serde(rename = "ignored in a tuple", default)] u8,
            u8,
        ),
        /// Two with names, one of them raw.
        Moved {
            /// The way.
            r#type: Text,
            /// The end of it.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            hosts: Vec<Text>,
        },
        /// Called otherwise in the past.
        #[deprecated]
        Old,
        /// Anything else.
        #[rpc(other)]
        Other {
            /// What it is.
            class: std::string::String,
            /// What is said of it.
            message: std::string::String,
        },
    }

    #[derive(RemoteError)]
    #[rpc(class = "Private")]
    struct Private {
        id: u64,
    }

    #[derive(RemoteError)]
    pub(crate) struct Unit;

    #[derive(RemoteError)]
    pub(super) struct Tuple(pub(super) u8, pub(super) u8);

    macro_rules! shown {
        ($($type:ty),*) => {$(
            impl fmt::Display for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("shown")
                }
            }
        )*};
    }
    shown!(GuestError, Private, Unit, Tuple);

    pub(super) fn check() {
        fn travels<T: serde::Serialize + for<'de> serde::Deserialize<'de>>(_: &T) {}
        let private = Private { id: 7 };
        travels(&private);
        travels(&Unit);
        travels(&Tuple(1, 2));
        assert_eq!(
            serde_json::to_string(&private).unwrap(),
            r#"{"class":"Private","message":"shown","data":{"id":7}}"#
        );
        let moved = GuestError::Moved { r#type: "live".into(), hosts: Vec::new() };
        assert_eq!(
            serde_json::to_string(&moved).unwrap(),
            r#"{"class":"Moved","message":"shown","data":{"type":"live"}}"#
        );
    }
}

macro_rules! error {
    ($name:ident, $variant:ident, $ty:ty) => {
        #[derive(rpc_core::RemoteError)]
        enum $name {
            $variant(#[allow(dead_code)] $ty),
            #[rpc(other)]
            #[allow(dead_code)]
            Other { class: $ty, message: $ty },
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("made")
            }
        }
    };
}
error!(Made, Up, String);

fn main() {
    errors::check();
    assert_eq!(
        serde_json::to_string(&Made::Up("x".into())).unwrap(),
        r#"{"class":"Up","message":"made","data":"x"}"#
    );
}
