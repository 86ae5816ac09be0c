//! Names that travel with a message.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A name that is written in an API, or one that is known only at run time. Copying it does not allocate.
#[derive(Clone)]
pub(crate) enum Name {
    Written(&'static str),
    Given(Arc<str>),
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Written(name) => name,
            Self::Given(name) => name,
        }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::Written(name)
    }
}

impl From<Arc<str>> for Name {
    fn from(name: Arc<str>) -> Self {
        Self::Given(name)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
