//! Plain counters, and what they are read into.

/// A struct of counters, and a struct of the same names with what they count.
macro_rules! counters {
    (
        $visibility:vis struct $counters:ident;
        $(#[doc = $stats_doc:literal])*
        pub struct $stats:ident { $($(#[doc = $doc:literal])* $name:ident,)* }
    ) => {
        #[derive(Debug, Default)]
        $visibility struct $counters {
            $($visibility $name: std::sync::atomic::AtomicU64,)*
        }

        impl $counters {
            $visibility fn read(&self) -> $stats {
                $stats {
                    $($name: self.$name.load(std::sync::atomic::Ordering::Relaxed),)*
                }
            }
        }

        $(#[doc = $stats_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $stats {
            $($(#[doc = $doc])* pub $name: u64,)*
        }
    };
}
pub(crate) use counters;
