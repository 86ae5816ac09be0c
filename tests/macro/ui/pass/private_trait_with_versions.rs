//! Setters, markers and defaults of traits that not everybody sees, which may be inside a function.
#![deny(warnings, unreachable_pub)]

use rpc_core::{Context, rpc_api};

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Private(u8);

#[derive(serde::Serialize, serde::Deserialize)]
struct OldPrivate(u8);

impl From<&Private> for OldPrivate {
    fn from(new: &Private) -> Self {
        Self(new.0)
    }
}

impl From<OldPrivate> for Private {
    fn from(old: OldPrivate) -> Self {
        Self(old.0)
    }
}

#[rpc_api(version = "1.2")]
trait Hidden {
    #[rpc(since = "1.1", returned(type = OldPrivate, until = "1.2"))]
    async fn take(
        &self,
        ctx: &Context,
        #[rpc(since = "1.2", default = Private(1))] value: Private,
        #[rpc(was(type = OldPrivate, until = "1.2"))] older: Private,
    ) -> Result<Private, Private>;
}

mod inner {
    use rpc_core::{Context, rpc_api};

    pub(crate) mod deeper {
        use super::*;

        #[rpc_api(version = "1.2")]
        pub(super) trait InSuper {
            async fn ask(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
        }

        #[rpc_api(version = "1.2")]
        pub(in crate::inner) trait InPath {
            async fn ask(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
        }

        #[rpc_api(version = "1.2")]
        #[allow(clippy::needless_pub_self)]
        pub(self) trait InSelf {
            async fn ask(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
        }

        fn in_self<V: in_self_api::Since1_2>(client: &InSelfClient<V>) {
            drop(client.ask(&Context::new()).value(1));
        }

        pub(crate) fn run() {
            let _ = in_self::<rpc_core::Dynamic>;
        }
    }

    #[rpc_api(version = "1.2")]
    pub(crate) trait InCrate {
        async fn ask(&self, ctx: &Context, #[rpc(since = "1.2")] value: Option<u8>);
    }

    fn others<V: deeper::in_super_api::Since1_2, W: deeper::in_path_api::Since1_2>(
        one: &deeper::InSuperClient<V>,
        other: &deeper::InPathClient<W>,
    ) {
        drop(one.ask(&Context::new()).value(1));
        drop(other.ask(&Context::new()).value(1));
    }

    pub(crate) fn run() {
        deeper::run();
        let _ = others::<rpc_core::Dynamic, rpc_core::Pinned<1, 2>>;
    }
}

fn in_crate(client: &inner::InCrateClient) -> inner::InCrateAskCall<rpc_core::Pinned<1, 2>> {
    client.pin::<1, 2>().ask(&Context::new()).value(1)
}

fn main() {
    const DEFAULT: Local = Local(5);

    #[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
    struct Local(u8);

    #[rpc_api(version = "1.2")]
    trait InFunction {
        async fn ask(&self, ctx: &Context, #[rpc(since = "1.2", default = DEFAULT)] value: Local);
    }

    fn call<V: in_function_api::Since1_2>(client: &InFunctionClient<V>) {
        drop(client.ask(&Context::new()).value(Local(1)));
    }

    let _ = (call::<rpc_core::Dynamic>, in_crate, inner::run);
    let _ = |client: &HiddenClient| {
        let OldPrivate(value) = OldPrivate(1);
        drop(
            client
                .take(&Context::new(), Private(value))
                .value(Private(2)),
        );
    };
    let arg = &in_function_api::API.methods()[0].args()[0];
    assert_eq!(arg.default_bytes(), Some(&b"\x05"[..]));
}
