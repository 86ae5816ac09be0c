//! Nova's conductor, namespace `compute_task`: twenty-six minors of one major.

use crate::meaning::Meaning;
use crate::node::Node;
use crate::raw::Service;
use crate::table::{Case, row};
use crate::types::{Flavor, Instance, RequestSpec};
use crate::wire::{CapAt, Wire};
use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A guest as it was sent before 1.6.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InstancePrimitive {
    id: String,
    on: String,
}

impl From<&Instance> for InstancePrimitive {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.uuid.clone(),
            on: instance.host.clone(),
        }
    }
}

impl From<InstancePrimitive> for Instance {
    fn from(primitive: InstancePrimitive) -> Self {
        Self {
            uuid: primitive.id,
            host: primitive.on,
        }
    }
}

/// A flavor as it was sent before 1.10.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FlavorPrimitive {
    flavor_name: String,
}

impl From<&Flavor> for FlavorPrimitive {
    fn from(flavor: &Flavor) -> Self {
        Self {
            flavor_name: flavor.name.clone(),
        }
    }
}

impl From<FlavorPrimitive> for Flavor {
    fn from(primitive: FlavorPrimitive) -> Self {
        Self {
            name: primitive.flavor_name,
        }
    }
}

/// What the scheduler's filters get. There is a flavor in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FilterProperties {
    instance_type: Flavor,
}

/// The same before 1.10.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OldFilterProperties {
    instance_type: FlavorPrimitive,
}

impl From<&FilterProperties> for OldFilterProperties {
    fn from(properties: &FilterProperties) -> Self {
        Self {
            instance_type: (&properties.instance_type).into(),
        }
    }
}

impl From<OldFilterProperties> for FilterProperties {
    fn from(properties: OldFilterProperties) -> Self {
        Self {
            instance_type: properties.instance_type.into(),
        }
    }
}

/// The networks of a guest. A type of its own, because there is no conversion between two `Vec`s that one could write.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Networks(Vec<Network>);

#[derive(Debug, Serialize, Deserialize)]
struct Network {
    id: String,
    address: String,
}

/// The same before 1.9.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NetworkTuples(Vec<(String, String)>);

impl From<&Networks> for NetworkTuples {
    fn from(networks: &Networks) -> Self {
        let tuple = |network: &Network| (network.id.clone(), network.address.clone());
        Self(networks.0.iter().map(tuple).collect())
    }
}

impl From<NetworkTuples> for Networks {
    fn from(tuples: NetworkTuples) -> Self {
        let network = |(id, address)| Network { id, address };
        Self(tuples.0.into_iter().map(network).collect())
    }
}

crate::served_by_node! {
/// Does what takes several hosts.
#[rpc_api(version = "1.26", topic = "conductor", namespace = "compute_task")]
pub(crate) trait ComputeTask {
    /// Case 20. Both called and cast.
    #[rpc(since = "1.4")]
    async fn migrate_server(
        &self,
        ctx: &Context,
        #[rpc(was(type = InstancePrimitive, until = "1.6"))] instance: &Instance,
        scheduler_hint: &[String],
        live: bool,
        rebuild: bool,
        #[rpc(was(type = FlavorPrimitive, until = "1.10"))] flavor: &Flavor,
        block_migration: Option<bool>,
        disk_over_commit: Option<bool>,
        reservations: Option<Vec<String>>,
        #[rpc(since = "1.11", default = true, lossy)] clean_shutdown: bool,
        #[rpc(since = "1.13", lossy)] request_spec: Option<RequestSpec>,
        #[rpc(since = "1.20", lossy)] host_list: Option<Vec<String>>,
    );

    /// Case 20.
    #[rpc(
        cast,
        since = "1.5",
        routing(block_device_mapping: &[String], legacy_bdm: bool),
        removed(block_device_mapping: &[String] = block_device_mapping, until = "1.7"),
        removed(legacy_bdm: bool = legacy_bdm, until = "1.7")
    )]
    async fn build_instances(
        &self,
        ctx: &Context,
        instances: &[Instance],
        image: &str,
        #[rpc(was(type = OldFilterProperties, until = "1.10"))] filter_properties: &FilterProperties,
        admin_password: Option<&str>,
        injected_files: &[String],
        #[rpc(was(type = NetworkTuples, until = "1.9"))] requested_networks: &Networks,
        security_groups: &[String],
        #[rpc(since = "1.18", lossy)] request_spec: Option<RequestSpec>,
        #[rpc(since = "1.19", lossy)] host_lists: Option<Vec<String>>,
    );
}
}

const NODE: Service<'_> = Service {
    topic: "conductor",
    server: "any",
    api: "ComputeTask",
    namespace: Some("compute_task"),
    versions: &[(1, 26)],
};

async fn world() -> (Wire, Meaning<'static>, ComputeTaskClient) {
    let wire = Wire::to(&compute_task_api::API, &[NODE]).await;
    let client = ComputeTaskClient::new(wire.transport.clone());
    let meaning = Meaning::to(NODE, ComputeTaskDispatcher::new).await;
    (wire, meaning, client)
}

fn instance() -> Instance {
    Instance {
        uuid: "i-1".into(),
        host: "src".into(),
    }
}

fn values() -> Value {
    json!({
        "instance": { "uuid": "i-1", "host": "src" }, "instance_p": { "id": "i-1", "on": "src" },
        "instances": [{ "uuid": "i-1", "host": "src" }],
        "flavor": { "name": "m1" }, "flavor_p": { "flavor_name": "m1" },
        "filter_properties": { "instance_type": { "name": "m1" } }, "filters_p": { "instance_type": { "flavor_name": "m1" } },
        "requested_networks": [{ "id": "n-1", "address": "::1" }], "tuples": [["n-1", "::1"]],
        "request_spec": { "flavor": "m1", "instances": 1 },
        "host_list": ["h-2"], "list": [], "null": null, "true": true, "false": false, "image": "img", "password": "pw",
    })
}

#[tokio::test]
async fn migrate_server() {
    let (mut wire, mut meaning, client) = world().await;
    let (ctx, instance, flavor) = (Context::new(), instance(), Flavor { name: "m1".into() });
    let case = |what| Case {
        what,
        always: "scheduler_hint:list live:true rebuild:false block_migration:null disk_over_commit:null reservations:null",
        values: values(),
    };
    let migrate = |cap: CapAt<'_>| {
        let client = client.prepare(|call| cap.on(call));
        client.migrate_server(&ctx, &instance, &[], true, false, &flavor, None, None, None)
    };
    let too_old = row(
        "1.3",
        "refused: RPCVersionCapError",
        "refused: it needs version 1.4, the client's cap is {cap}",
    );
    let at_1_20 = "1.20 {} instance flavor clean_shutdown:false request_spec host_list";
    let at_1_13 = "1.13 {} instance flavor clean_shutdown:false request_spec";
    case("call migrate_server to any on conductor")
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                let spec = RequestSpec {
                    flavor: "m1".into(),
                    instances: 1,
                };
                migrate(cap)
                    .clean_shutdown(false)
                    .request_spec(spec)
                    .host_list(vec!["h-2".into()])
            },
            &[
                row("none", at_1_20, at_1_20),
                row("1.26", at_1_20, at_1_20),
                row("1.19", at_1_13, at_1_13),
                row(
                    "1.12",
                    "1.11 {} instance flavor clean_shutdown:false",
                    "1.11 {} instance flavor clean_shutdown:false",
                ),
                row("1.10", "1.10 {} instance flavor", "1.10 {} instance flavor"),
                row(
                    "1.9",
                    "1.6 {} instance flavor:flavor_p",
                    "1.6 {} instance flavor:flavor_p",
                ),
                row(
                    "1.5",
                    "1.4 {} instance:instance_p flavor:flavor_p",
                    "1.4 {} instance:instance_p flavor:flavor_p",
                ),
                too_old,
            ],
        )
        .await;
    let too_old = row(
        "1.3",
        "refused: RPCVersionCapError",
        "refused: it needs version 1.4, the client's cap is {cap}",
    );
    case("cast migrate_server to any on conductor")
        .check(
            &mut wire,
            &mut meaning,
            |cap| migrate(cap).cast(),
            &[
                row(
                    "1.26",
                    "1.20 {} instance flavor clean_shutdown:true request_spec:null host_list:null",
                    "1.10 {} instance flavor",
                ),
                row(
                    "1.19",
                    "1.13 {} instance flavor clean_shutdown:true request_spec:null",
                    "1.10 {} instance flavor",
                ),
                row(
                    "1.12",
                    "1.11 {} instance flavor clean_shutdown:true",
                    "1.10 {} instance flavor",
                ),
                row("1.10", "1.10 {} instance flavor", "1.10 {} instance flavor"),
                row(
                    "1.9",
                    "1.6 {} instance flavor:flavor_p",
                    "1.6 {} instance flavor:flavor_p",
                ),
                row(
                    "1.5",
                    "1.4 {} instance:instance_p flavor:flavor_p",
                    "1.4 {} instance:instance_p flavor:flavor_p",
                ),
                too_old,
            ],
        )
        .await;
}

#[tokio::test]
async fn build_instances() {
    let (mut wire, mut meaning, client) = world().await;
    let (ctx, instance) = (Context::new(), instance());
    let filters = FilterProperties {
        instance_type: Flavor { name: "m1".into() },
    };
    let networks = Networks(vec![Network {
        id: "n-1".into(),
        address: "::1".into(),
    }]);
    let case = Case {
        what: "cast build_instances to any on conductor",
        always: "instances image admin_password:password injected_files:list security_groups:list",
        values: values(),
    };
    let newest = "1.19 {} filter_properties requested_networks request_spec host_lists:host_list";
    let at_1_18 = "1.18 {} filter_properties requested_networks request_spec";
    let at_1_5 = "1.5 {} filter_properties:filters_p requested_networks:tuples block_device_mapping:host_list legacy_bdm:false";
    case.check(
        &mut wire,
        &mut meaning,
        |cap| {
            let spec = RequestSpec {
                flavor: "m1".into(),
                instances: 1,
            };
            let client = client.prepare(|call| cap.on(call));
            let instances = std::slice::from_ref(&instance);
            let bdms = ["h-2".to_owned()];
            client
                .build_instances(
                    &ctx,
                    instances,
                    "img",
                    &filters,
                    Some("pw"),
                    &[],
                    &networks,
                    &[],
                    &bdms,
                    false,
                )
                .request_spec(spec)
                .host_lists(vec!["h-2".into()])
        },
        &[
            row("none", newest, newest),
            row("1.26", newest, newest),
            row("1.18", at_1_18, at_1_18),
            row(
                "1.17",
                "1.10 {} filter_properties requested_networks",
                "1.10 {} filter_properties requested_networks",
            ),
            row(
                "1.9",
                "1.9 {} filter_properties:filters_p requested_networks",
                "1.9 {} filter_properties:filters_p requested_networks",
            ),
            row(
                "1.8",
                "1.8 {} filter_properties:filters_p requested_networks:tuples",
                "1.7 {} filter_properties:filters_p requested_networks:tuples",
            ),
            // nova asks whether it may send 1.7, and then sends what it calls 1.8
            row(
                "1.7",
                "bug: RPCVersionCapError of 1.8",
                "1.7 {} filter_properties:filters_p requested_networks:tuples",
            ),
            row("1.6", at_1_5, at_1_5),
            row(
                "1.4",
                "refused: RPCVersionCapError",
                "refused: it needs version 1.5, the client's cap is {cap}",
            ),
        ],
    )
    .await;
}
