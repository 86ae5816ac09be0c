//! Servers of several exchanges, topics, names, namespaces and versions, which say where a message arrived.

use crate::testing::world::World;
use rpc_core::{Server, Target, Transport};

/// APIs that say where a message arrived: a namespace, and a major version.
macro_rules! places {
    ($($module:ident $version:literal $(, namespace = $namespace:literal)?;)*) => {$(
        pub(crate) mod $module {
            use rpc_core::{Context, rpc_api};

            #[rpc_api(version = $version, topic = "prepared" $(, namespace = $namespace)?)]
            pub(crate) trait Place {
                async fn place(&self, ctx: &Context) -> String;
                #[rpc(cast)]
                async fn note(&self, ctx: &Context);
            }

            pub(crate) struct Here(pub(crate) String);

            impl Place for Here {
                async fn place(&self, _: &Context) -> String {
                    format!("{} {}", self.0, stringify!($module))
                }

                async fn note(&self, _: &Context) {}
            }
        }
    )*};
}

places! {
    v1 "1.0";
    v2 "2.0";
    v3 "3.0";
    n1 "1.0", namespace = "n1";
    n2 "1.0", namespace = "n2";
}

async fn serve(transport: &Transport, target: Target) -> Server {
    let here = target.to_string();
    Server::builder(transport.clone())
        .target(target)
        .endpoint(v1::PlaceDispatcher::new(v1::Here(here.clone())))
        .endpoint(v2::PlaceDispatcher::new(v2::Here(here.clone())))
        .endpoint(v3::PlaceDispatcher::new(v3::Here(here.clone())))
        .endpoint(n1::PlaceDispatcher::new(n1::Here(here.clone())))
        .endpoint(n2::PlaceDispatcher::new(n2::Here(here)))
        .start()
        .await
        .unwrap()
}

/// Servers of two exchanges besides the unnamed one, of three topics, with two names.
pub(crate) async fn places(world: &mut World) -> (Vec<Server>, Transport) {
    let node = world.node("").await;
    let prepared = || Target::topic("prepared");
    let targets = [
        prepared().server("s1"),
        prepared().server("s2"),
        prepared().exchange("e1").server("s1"),
        prepared().exchange("e2").server("s1"),
        Target::topic("t1").server("s1"),
        Target::topic("t2").server("s1"),
    ];
    let mut servers = Vec::new();
    for target in targets {
        servers.push(serve(&node, target).await);
    }
    world.list(&node);
    // kept by the servers
    (servers, world.client_transport().await)
}
