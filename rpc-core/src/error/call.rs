//! What a call fails with: the method's own error, or an [`RpcError`].

use super::RpcError;
use std::fmt;

/// Why a call failed: by the method's own error, or by anything else.
pub enum CallError<E> {
    /// The method ran, and this is its answer.
    Method(E),
    /// Something else: see [`RpcError::kind`].
    Rpc(RpcError),
}

impl<E> CallError<E> {
    /// The method's own error.
    pub fn method(&self) -> Option<&E> {
        match self {
            Self::Method(error) => Some(error),
            Self::Rpc(_) => None,
        }
    }

    /// The error that is not the method's own.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Method(_) => None,
            Self::Rpc(error) => Some(error),
        }
    }
}

impl<E> From<RpcError> for CallError<E> {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl<E: fmt::Debug> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => write!(f, "the method failed: {error:?}"),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => f.debug_tuple("Method").field(error).finish(),
            Self::Rpc(error) => f.debug_tuple("Rpc").field(error).finish(),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for CallError<E> {
    /// What is behind an [`RpcError`]. A method's own error is shown by this one, and need not be an `Error` itself.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Method(_) => None,
            Self::Rpc(error) => error.source(),
        }
    }
}

/// The error of a method that has none: a value of it can't exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl serde::Serialize for Never {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> serde::Deserialize<'de> for Never {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "the method has no error of its own, but one arrived",
        ))
    }
}
