//! Nova's scheduler: two dictionaries that became one object.

use crate::meaning::Meaning;
use crate::node::Node;
use crate::raw::{CALL, Service};
use crate::table::{Case, row};
use crate::types::RequestSpec;
use crate::wire::{CapAt, Wire};
use rpc_core::{Context, rpc_api};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What was sent before 4.3 for the half of a `RequestSpec` that says what is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SpecDict {
    instance_type: String,
}

/// What was sent for the other half.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FiltersDict {
    num_instances: u32,
}

impl From<&RequestSpec> for SpecDict {
    fn from(spec: &RequestSpec) -> Self {
        Self {
            instance_type: spec.flavor.clone(),
        }
    }
}

/// Half of it is lost: a conversion sees one argument.
impl From<SpecDict> for RequestSpec {
    fn from(dict: SpecDict) -> Self {
        Self {
            flavor: dict.instance_type,
            instances: 1,
        }
    }
}

crate::served_by_node! {
/// Finds hosts for guests.
#[rpc_api(version = "4.5", topic = "scheduler", aliases(kilo = "4.2", liberty = "4.2", mitaka = "4.3", pike = "4.4"))]
pub(crate) trait Scheduler {
    /// Case 21.
    #[rpc(removed(filter_properties: FiltersDict = FiltersDict { num_instances: spec_obj.instances }, until = "4.3"))]
    async fn select_destinations(
        &self,
        ctx: &Context,
        #[rpc(was(name = "request_spec", until = "4.3"), was(type = SpecDict, until = "4.3"))] spec_obj: &RequestSpec,
        #[rpc(since = "4.4", default, lossy, positional)] instance_uuids: &[String],
        #[rpc(since = "4.5", default)] return_objects: bool,
        #[rpc(since = "4.5", default)] return_alternates: bool,
    ) -> bool;

    /// Case 21, beside it.
    #[rpc(cast, fanout, since = "4.1")]
    async fn update_aggregates(&self, ctx: &Context, aggregates: &[String]);
}
}

const NODE: Service<'_> = Service {
    topic: "scheduler",
    server: "any",
    api: "Scheduler",
    namespace: None,
    versions: &[(4, 5)],
};

async fn world() -> (Wire, Meaning<'static>, SchedulerClient) {
    let wire = Wire::to(&scheduler_api::API, &[NODE]).await;
    let client = SchedulerClient::new(wire.transport.clone());
    let meaning = Meaning::to(NODE, SchedulerDispatcher::new).await;
    (wire, meaning, client)
}

fn case(return_objects: bool) -> Case {
    Case {
        what: "call select_destinations to any on scheduler",
        always: "",
        values: json!({
            "spec_obj": { "flavor": "m1", "instances": 2 },
            "request_spec": { "instance_type": "m1" },
            "filter_properties": { "num_instances": 2 },
            "instance_uuids": ["i-1"],
            "return_objects": return_objects,
            "return_alternates": false,
        }),
    }
}

#[tokio::test]
async fn select_destinations() {
    let (mut wire, mut meaning, client) = world().await;
    let (ctx, spec) = (
        Context::new(),
        RequestSpec {
            flavor: "m1".into(),
            instances: 2,
        },
    );
    let select = |cap: CapAt<'_>| {
        let client = client.prepare(|call| cap.on(call));
        client.select_destinations(&ctx, &spec, &["i-1".to_owned()])
    };
    let newest = "4.5 spec_obj instance_uuids return_objects return_alternates";
    case(false)
        .check(
            &mut wire,
            &mut meaning,
            select,
            &[
                row("none", newest, "4.4 spec_obj instance_uuids"),
                row("4.5", newest, "4.4 spec_obj instance_uuids"),
                row(
                    "4.4",
                    "4.4 spec_obj instance_uuids",
                    "4.4 spec_obj instance_uuids",
                ),
                row("4.3", "4.3 spec_obj", "4.3 spec_obj"),
                row(
                    "4.2",
                    "4.0 request_spec filter_properties",
                    "4.0 request_spec filter_properties",
                ),
            ],
        )
        .await;
    case(true)
        .check(&mut wire, &mut meaning, |cap| select(cap).return_objects(true), &[
            row("4.5", newest, newest),
            row(
                "4.4",
                "refused: SelectionObjectsWithOldRPCVersionNotSupported",
                "refused: argument `return_objects` needs version 4.5, the client's cap is {cap}",
            ),
        ])
        .await;
}

/// Nova's scheduler makes one object of both dictionaries. Here the second is ignored: the one thing that a server cannot say.
#[tokio::test]
async fn a_server_sees_one_of_the_two() {
    let (_, mut meaning, _) = world().await;
    let old = json!({ "request_spec": { "instance_type": "m1" }, "filter_properties": { "num_instances": 2 } });
    let ran = meaning
        .of(CALL, (4, 0), "select_destinations", &old)
        .await
        .unwrap();
    assert!(
        ran.as_what
            .contains(r#"spec_obj=RequestSpec { flavor: "m1", instances: 1 }"#),
        "{ran:?}"
    );
    let failure = meaning
        .of(
            CALL,
            (4, 0),
            "select_destinations",
            &json!({ "request_spec": Value::Null }),
        )
        .await;
    assert_eq!(failure.unwrap_err().0, "DecodeArguments");
}

/// A server gets what it can read, whether it is called by its name or is one of several that are no newer.
#[tokio::test]
async fn where_no_server_is_newer_what_may_be_lost_is_left_out() {
    let old = Service {
        versions: &[(4, 3)],
        ..NODE
    };
    let mut wire = Wire::to(&scheduler_api::API, &[old]).await;
    let client = SchedulerClient::new(wire.transport.clone());
    let (ctx, spec) = (
        Context::new(),
        RequestSpec {
            flavor: "m1".into(),
            instances: 2,
        },
    );
    let uuids = ["i-1".to_owned()];
    let select = |client: &SchedulerClient| client.select_destinations(&ctx, &spec, &uuids);

    let sent = wire
        .sees(select(&client.prepare(|call| call.server("any"))))
        .await
        .unwrap();
    assert_eq!(
        (sent.version, &sent.args),
        (
            (4, 3),
            &json!({ "spec_obj": { "flavor": "m1", "instances": 2 } })
        )
    );
    assert_eq!(wire.sees(select(&client)).await.unwrap(), sent);
    client.rpc().negotiate().await.unwrap();
    assert_eq!(wire.sees(select(&client)).await.unwrap(), sent);
}
