//! Nova's compute API from 5.0 to 6.5.

mod live;
mod others;
mod rebuild;
mod resize;
mod shelve;

use crate::api::{ComputeClient, ComputeDispatcher, compute_api};
use crate::meaning::Meaning;
use crate::raw::Service;
use crate::table::Case;
use crate::types::{Flavor, Instance, Limits, Migration, RequestSpec};
use crate::wire::Wire;
use rpc_core::Context;
use serde_json::{Value, json};

pub(crate) const NODE: Service<'_> = Service {
    topic: "compute",
    server: "src",
    api: "Compute",
    namespace: None,
    versions: &[(6, 5), (5, 13)],
};

async fn world() -> (Wire, Meaning<'static>, ComputeClient, Values) {
    let dest = Service {
        server: "dest",
        ..NODE
    };
    let alt = Service {
        topic: "compute-alt",
        ..NODE
    };
    let alt_dest = Service {
        topic: "compute-alt",
        ..dest
    };
    let wire = Wire::to(&compute_api::API, &[NODE, dest, alt, alt_dest]).await;
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
        "flavor": { "name": "m1" },
        "request_spec": { "flavor": "m1", "instances": 1 },
        "legacy_spec": { "instance_type": "m1", "num_instances": 1 },
        "limits": { "vcpu": 4 },
        "null": null,
        "accel_uuids": [],
        "clean_shutdown": true,
        "filter_properties": ["retry"],
        "host_list": ["h-2"],
        "image": "img",
        "node": "n-1",
        "no_spec": null,
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

fn texts(text: &str) -> Vec<String> {
    vec![text.into()]
}
