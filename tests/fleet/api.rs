//! One service, as two releases have it.

use super::log::Log;

/// What an argument is that nobody set.
pub(crate) const LIMIT: u32 = 10;

/// A release of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    Old,
    New,
}

impl Build {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }
}

/// All newer arguments as one number, so that the answer of a method says what arrived.
pub(crate) fn mark(weight: Option<u32>, limit: u32, hint: Option<u8>) -> u64 {
    let weight = weight.map_or(0, |weight| u64::from(weight) + 1);
    let hint = hint.map_or(0, |hint| u64::from(hint) + 1);
    weight << 48 | u64::from(limit) << 16 | hint
}

pub(crate) mod old {
    use super::{LIMIT, Log, mark};
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "2.2", topic = "fleet")]
    pub(crate) trait Fleet {
        async fn put(&self, ctx: &Context, id: u64) -> (u64, u64);
        #[rpc(cast)]
        async fn note(&self, ctx: &Context, id: u64);
    }

    pub(crate) struct Node(pub(crate) Log);

    impl Fleet for Node {
        async fn put(&self, _: &Context, id: u64) -> (u64, u64) {
            self.0.ran(id).await;
            (id, mark(None, LIMIT, None))
        }

        async fn note(&self, _: &Context, id: u64) {
            self.0.ran(id).await;
        }
    }
}

pub(crate) mod new {
    use super::{LIMIT, Log, mark};
    use rpc_core::{Context, rpc_api};

    #[rpc_api(version = "2.5", topic = "fleet")]
    pub(crate) trait Fleet {
        async fn put(
            &self,
            ctx: &Context,
            id: u64,
            #[rpc(since = "2.3")] weight: Option<u32>,
            #[rpc(since = "2.4", default = LIMIT)] limit: u32,
            #[rpc(since = "2.5", lossy)] hint: Option<u8>,
        ) -> (u64, u64);
        #[rpc(cast)]
        async fn note(&self, ctx: &Context, id: u64, #[rpc(since = "2.4")] urgent: Option<bool>);
        #[rpc(since = "2.4")]
        async fn take(&self, ctx: &Context, id: u64) -> (u64, u64);
    }

    pub(crate) struct Node(pub(crate) Log);

    impl Fleet for Node {
        async fn put(
            &self,
            _: &Context,
            id: u64,
            weight: Option<u32>,
            limit: u32,
            hint: Option<u8>,
        ) -> (u64, u64) {
            self.0.ran(id).await;
            (id, mark(weight, limit, hint))
        }

        async fn note(&self, _: &Context, id: u64, _urgent: Option<bool>) {
            self.0.ran(id).await;
        }

        async fn take(&self, _: &Context, id: u64) -> (u64, u64) {
            self.0.ran(id).await;
            (id, mark(None, LIMIT, None))
        }
    }
}
