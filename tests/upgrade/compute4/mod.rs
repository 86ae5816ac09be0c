//! Nova's compute API from 4.0 to 5.0.

mod api;
mod attach;
mod live;
mod resize;
mod types;

use crate::meaning::Meaning;
use crate::raw::Service;
use crate::table::Case;
use crate::types::{Flavor, Instance, Limits, Migration, RequestSpec};
use crate::wire::Wire;
use api::{ComputeClient, ComputeDispatcher, compute_api};
use rpc_core::Context;
use serde_json::{Value, json};

const NODE: Service<'_> = Service {
    topic: "compute",
    server: "src",
    api: "Compute",
    namespace: None,
    versions: &[(5, 0), (4, 22)],
};

async fn world() -> (Wire, Meaning<'static>, ComputeClient, Values) {
    let dest = Service {
        server: "dest",
        ..NODE
    };
    let wire = Wire::to(&compute_api::API, &[NODE, dest]).await;
    let client = ComputeClient::new(wire.transport.clone());
    let meaning = Meaning::to(NODE, ComputeDispatcher::new).await;
    (wire, meaning, client, Values::new())
}

/// What the callers give.
struct Values {
    ctx: Context,
    instance: Instance,
    migration: Migration,
    flavor: Flavor,
    spec: RequestSpec,
    limits: Limits,
}

impl Values {
    fn new() -> Self {
        Self {
            ctx: Context::new(),
            instance: Instance {
                uuid: "i-1".into(),
                host: "src".into(),
            },
            migration: Migration {
                id: 7,
                source_compute: "src".into(),
                dest_compute: "dest".into(),
            },
            flavor: Flavor { name: "m1".into() },
            spec: RequestSpec {
                flavor: "m1".into(),
                instances: 1,
            },
            limits: Limits { vcpu: 4 },
        }
    }
}

/// A call with the values that it gives, beside those that many give.
fn case(what: &'static str, always: &'static str, more: Value) -> Case {
    let mut values = json!({
        "instance": { "uuid": "i-1", "host": "src" },
        "migration": { "id": 7, "source_compute": "src", "dest_compute": "dest" },
        "instance_type": { "name": "m1" },
        "primitive": { "flavor_name": "m1" },
        "request_spec": { "flavor": "m1", "instances": 1 },
        "limits": { "vcpu": 4 },
        "null": null,
        "true": true,
        "image": "img",
        "migrate_data": { "block_migration": true, "graphics": "vnc" },
        "dict": { "block": true },
        "dict_with_result": { "block": true, "pre_live_migration_result": { "graphics_listen": "vnc" } },
    });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    values.as_object_mut().unwrap().extend(more);
    Case {
        what,
        always,
        values,
    }
}
