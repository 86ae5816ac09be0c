//! What is generated is as visible as the trait.
#![deny(warnings, unreachable_pub)]

use rpc_core::{Context, rpc_api};

struct Private;

impl serde::Serialize for Private {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Private {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <()>::deserialize(from).map(|()| Self)
    }
}

#[rpc_api(version = "1.0")]
trait Hidden {
    async fn take(&self, ctx: &Context, value: Private) -> Option<Private>;
}

mod inner {
    use rpc_core::{Context, rpc_api};

    pub(crate) mod deeper {
        use super::*;

        #[rpc_api(version = "1.0")]
        pub(super) trait InSuper {
            async fn ask(&self, ctx: &Context);
        }

        #[rpc_api(version = "1.0")]
        pub(in crate::inner) trait InPath {
            async fn ask(&self, ctx: &Context);
        }

        #[rpc_api(version = "1.0")]
        #[allow(clippy::needless_pub_self)]
        pub(self) trait InSelf {
            async fn ask(&self, ctx: &Context);
        }
    }

    #[rpc_api(version = "1.0")]
    pub(crate) trait InCrate {
        async fn ask(&self, ctx: &Context);
    }

    pub(crate) fn names() -> [&'static str; 2] {
        [
            deeper::in_super_api::API.name(),
            deeper::in_path_api::API.name(),
        ]
    }
}

struct Node;

impl Hidden for Node {
    async fn take(&self, _: &Context, value: Private) -> Option<Private> {
        Some(value)
    }
}

fn main() {
    #[rpc_api(version = "1.0")]
    trait InFunction {
        async fn ask(&self, ctx: &Context);
    }

    let _ = HiddenDispatcher::new(Node);
    fn take(client: &HiddenClient) {
        drop(client.take(&Context::new(), Private));
    }
    let _ = take;
    assert_eq!(inner::names(), ["InSuper", "InPath"]);
    assert_eq!(inner::in_crate_api::API.name(), "InCrate");
    assert_eq!(in_function_api::API.name(), "InFunction");
}
