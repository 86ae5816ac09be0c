//! Typed entries of a context.

use super::Metadata;
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a context holds by its type: see [`Context::set`](crate::Context::set) and [`Context::get`](crate::Context::get).
///
/// An entry stays in its process, unless it says how it is written into the [`Metadata`] of a message and read from there. Then
/// the server's context has it as well. It should be cheap to clone: put what is large into an `Arc`.
///
/// What is read from metadata is what the client says of itself. What a server has found out, as who the client is, belongs
/// into an entry without `read`, so that nobody can send it.
///
/// ```
/// use rpc_core::{Context, Entry, Metadata};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Auth { token: String }
///
/// impl Entry for Auth {
///     fn write(&self, metadata: &mut Metadata) {
///         metadata.insert("auth-token", &self.token);
///     }
///
///     fn read(metadata: &Metadata) -> Option<Self> {
///         Some(Self { token: metadata.get("auth-token")?.into() })
///     }
/// }
///
/// let ctx = Context::new().with_entry(Auth { token: "7f".into() });
/// assert_eq!(ctx.get::<Auth>().map(|auth| auth.token), Some("7f".into()));
/// assert_eq!(ctx.metadata("auth-token"), Some("7f")); // it travels
/// ```
pub trait Entry: Clone + Send + Sync + 'static {
    /// Writes it into what travels. Default: it does not travel.
    fn write(&self, metadata: &mut Metadata) {
        let _ = metadata;
    }

    /// Reads it from what has travelled. Default: it is not read from there.
    #[must_use]
    fn read(metadata: &Metadata) -> Option<Self> {
        let _ = metadata;
        None
    }
}

/// Entries that were set in this process, by their type.
#[derive(Clone, Default)]
pub(super) struct Entries(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Entries {
    pub(super) fn insert<T: Entry>(&mut self, entry: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(entry));
    }

    pub(super) fn get<T: Entry>(&self) -> Option<T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref().cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
