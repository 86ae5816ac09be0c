//! Plain counters, and what they are read into.

/// A struct of counters, and a struct of the same names with what they count; and, before these, what is counted elsewhere, under a lock
/// that is held anyway.
macro_rules! counters {
    (
        $visibility:vis struct $counters:ident;
        $(#[doc = $stats_doc:literal])*
        pub struct $stats:ident {
            $(@elsewhere { $($(#[doc = $given_doc:literal])* $given:ident,)* })?
            $($(#[doc = $doc:literal])* $name:ident,)*
        }
    ) => {
        #[derive(Debug, Default)]
        $visibility struct $counters {
            $($visibility $name: std::sync::atomic::AtomicU64,)*
        }

        impl $counters {
            $visibility fn read(&self $($(, $given: u64)*)?) -> $stats {
                $stats {
                    $($($given,)*)?
                    $($name: self.$name.load(std::sync::atomic::Ordering::Relaxed),)*
                }
            }
        }

        $(#[doc = $stats_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $stats {
            $($($(#[doc = $given_doc])* pub $given: u64,)*)?
            $($(#[doc = $doc])* pub $name: u64,)*
        }
    };
}
pub(crate) use counters;
