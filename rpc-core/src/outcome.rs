//! What a method may return.

use crate::Never;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

/// What a method may return: a `Result`, or a plain value of the standard library where the method itself can't fail.
///
/// It is implemented for every `Result<T, E>`, and with the error [`Never`] for `()`, `bool`, numbers, `char`, `String`,
/// `Option`, `Vec`, maps, sets, tuples and `Bytes`. Another type of your own goes into a `Result`.
#[diagnostic::on_unimplemented(
    message = "an RPC method returns a `Result`, not `{Self}`",
    label = "write `Result<{Self}, E>`, where `E` is the method's error",
    note = "if the method cannot fail, `Result<{Self}, Never>` says so; the caller still sees that the network can"
)]
pub trait Outcome {
    /// What the caller gets when all went well.
    type Value;
    /// The method's own error.
    type Error;

    /// The outcome as a `Result`.
    #[expect(clippy::missing_errors_doc, reason = "the error is the outcome's own")]
    fn into_result(self) -> Result<Self::Value, Self::Error>;
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Result<T, E> {
        self
    }
}

macro_rules! plain {
    ($([$($generics:ident),*] $type:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics),*> Outcome for $type {
            type Value = Self;
            type Error = Never;

            fn into_result(self) -> Result<Self, Never> {
                Ok(self)
            }
        }
    )*};
}

plain! {
    [] (); [] bool; [] char; [] String; [] bytes::Bytes;
    [] u8; [] u16; [] u32; [] u64; [] u128; [] usize;
    [] i8; [] i16; [] i32; [] i64; [] i128; [] isize;
    [] f32; [] f64;
    [T] Option<T>; [T] Vec<T>; [T] VecDeque<T>; [T] BTreeSet<T>; [T, S] HashSet<T, S>;
    [K, V] BTreeMap<K, V>; [K, V, S] HashMap<K, V, S>;
    [A, B] (A, B); [A, B, C] (A, B, C);
    [] std::time::Duration; [] std::net::IpAddr; [] std::net::SocketAddr; [] std::path::PathBuf;
}
