//! A compute node of any release: it runs no guests, and tells what it was told.

use super::types::Nothing;
use std::fmt::Debug;

/// Where a node tells what it runs.
pub struct Node(Box<dyn Fn(String) + Send + Sync>);

impl Node {
    /// A node that tells `told`.
    pub fn new(told: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Box::new(told))
    }

    /// Tells that a method runs, with its arguments.
    pub fn run<T: Nothing>(&self, method: &str, args: &[(&str, &dyn Debug)]) -> T {
        let args: Vec<String> = args
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        (self.0)(format!("{method} {}", args.join(" ")));
        T::nothing()
    }
}

/// Writes the implementation of an API under the API: each method is run by [`Node::run`].
#[macro_export]
macro_rules! served_by_node {
    (
        $(#[$($api:tt)*])*
        $vis:vis trait $name:ident {
            $(
                $(#[$($method:tt)*])*
                async fn $method_name:ident(
                    &self,
                    ctx: &Context
                    $(, $(#[$($of_arg:tt)*])* $arg:ident: $type:ty)* $(,)?
                ) $(-> $answer:ty)?;
            )*
        }
    ) => {
        $(#[$($api)*])*
        #[allow(clippy::too_many_arguments)] // nova's methods have up to 17
        $vis trait $name {
            $(
                $(#[$($method)*])*
                async fn $method_name(
                    &self,
                    ctx: &Context
                    $(, $(#[$($of_arg)*])* $arg: $type)*
                ) $(-> $answer)?;
            )*
        }

        #[allow(clippy::too_many_arguments)]
        impl $name for Node {
            $(
                async fn $method_name(&self, _: &Context $(, $arg: $type)*) $(-> $answer)? {
                    self.run(stringify!($method_name), &[$((stringify!($arg), &$arg)),*])
                }
            )*
        }
    };
}
