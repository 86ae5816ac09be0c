//! Nova's compute API from 3.0 to 4.0: a flag that chose the type of the answer, and a ladder of versions.

use crate::meaning::Meaning;
use crate::node::Node;
use crate::raw::{CALL, Service};
use crate::table::{Case, row};
use crate::types::{Instance, Nothing};
use crate::wire::{CapAt, Wire};
use rpc_core::{Context, Never, rpc_api};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a name is reserved for. Old servers tell the name alone, and a caller that needs more reads it from the database.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reserved {
    Device { device_name: String, id: u64 },
    Name(String),
}

impl Default for Reserved {
    fn default() -> Self {
        Self::Device {
            device_name: "vdb".into(),
            id: 3,
        }
    }
}

/// What old servers answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeviceName(String);

impl From<&Reserved> for DeviceName {
    fn from(reserved: &Reserved) -> Self {
        match reserved {
            Reserved::Device {
                device_name: name, ..
            }
            | Reserved::Name(name) => Self(name.clone()),
        }
    }
}

impl From<DeviceName> for Reserved {
    fn from(name: DeviceName) -> Self {
        Self::Name(name.0)
    }
}

crate::served_by_node! {
/// Runs the guests of one host.
#[rpc_api(version = "4.0", also = "3.40", topic = "compute", aliases(icehouse = "3.23", juno = "3.35", kilo = "4.0"))]
pub(crate) trait Compute {
    /// Case 8.
    #[rpc(
        since = "3.16",
        server = &instance.host,
        removed(return_bdm_object: bool = true, since = "3.35", until = "4.0"),
        returned(type = DeviceName, until = "3.35")
    )]
    async fn reserve_block_device_name(
        &self,
        ctx: &Context,
        instance: &Instance,
        device: &str,
        volume_id: &str,
    ) -> Result<Reserved, Never>;

    /// Case 22.
    #[rpc(cast, since = "3.9", server = &instance.host)]
    async fn rescue_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        rescue_password: &str,
        #[rpc(since = "3.24", lossy)] rescue_image_ref: Option<&str>,
        #[rpc(since = "3.37", default = true, lossy)] clean_shutdown: bool,
    );
}
}

const NODE: Service<'_> = Service {
    topic: "compute",
    server: "src",
    api: "Compute",
    namespace: None,
    versions: &[(4, 0), (3, 40)],
};

async fn world() -> (Wire, Meaning<'static>, ComputeClient, Instance) {
    let wire = Wire::to(&compute_api::API, &[NODE]).await;
    let client = ComputeClient::new(wire.transport.clone());
    let meaning = Meaning::to(NODE, ComputeDispatcher::new).await;
    let instance = Instance {
        uuid: "i-1".into(),
        host: "src".into(),
    };
    (wire, meaning, client, instance)
}

#[tokio::test]
async fn a_flag_that_chose_the_answer() {
    let (mut wire, mut meaning, client, instance) = world().await;
    let ctx = Context::new();
    let reserve = |cap: CapAt<'_>| {
        let client = client.prepare(|call| cap.on(call));
        client.reserve_block_device_name(&ctx, &instance, "vdb", "v-1")
    };
    let values = json!({
        "instance": { "uuid": "i-1", "host": "src" }, "device": "vdb", "volume_id": "v-1", "return_bdm_object": true,
    });
    Case {
        what: "call reserve_block_device_name to src on compute",
        always: "instance device volume_id",
        values,
    }
    .check(
        &mut wire,
        &mut meaning,
        reserve,
        &[
            row("none", "4.0 {}", "4.0 {}"),
            row("4.0", "4.0 {}", "4.0 {}"),
            row(
                "3.40",
                "3.35 {} return_bdm_object",
                "3.35 {} return_bdm_object",
            ),
            row("3.34", "3.16 {}", "3.16 {}"),
            row(
                "3.15",
                "refused: RPCVersionCapError",
                "refused: it needs version 3.16, the client's cap is {cap}",
            ),
        ],
    )
    .await;
    for (cap, answer, reserved) in [
        (
            "4.0",
            json!({ "device_name": "vdc", "id": 3 }),
            Reserved::Device {
                device_name: "vdc".into(),
                id: 3,
            },
        ),
        ("3.34", json!("vdc"), Reserved::Name("vdc".into())),
    ] {
        let (_, outcome) = wire.answers(reserve(CapAt(cap)), &answer).await;
        assert_eq!(outcome.unwrap().unwrap(), reserved);
    }
    // what an old client gets
    let args = json!({ "instance": { "uuid": "i-1", "host": "src" }, "device": "vdb", "volume_id": "v-1" });
    let ran = meaning
        .of(CALL, (3, 16), "reserve_block_device_name", &args)
        .await
        .unwrap();
    assert_eq!(ran.answer, b"\xa3vdb");
    assert_eq!(
        Result::<Reserved, Never>::nothing(),
        Ok(Reserved::default())
    );
}

#[tokio::test]
async fn a_ladder() {
    let (mut wire, mut meaning, client, instance) = world().await;
    let ctx = Context::new();
    let values = json!({
        "instance": { "uuid": "i-1", "host": "src" }, "rescue_password": "pw", "rescue_image_ref": "img", "clean_shutdown": false,
    });
    Case {
        what: "cast rescue_instance to src on compute",
        always: "instance rescue_password",
        values,
    }
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.rescue_instance(&ctx, &instance, "pw", Some("img"), false)
        },
        &[
            row(
                "4.0",
                "4.0 {} rescue_image_ref clean_shutdown",
                "4.0 {} rescue_image_ref clean_shutdown",
            ),
            row(
                "3.40",
                "3.37 {} rescue_image_ref clean_shutdown",
                "3.37 {} rescue_image_ref clean_shutdown",
            ),
            row(
                "3.36",
                "3.24 {} rescue_image_ref",
                "3.24 {} rescue_image_ref",
            ),
            row("3.23", "3.9 {}", "3.9 {}"),
            row(
                "3.8",
                "refused: RPCVersionCapError",
                "refused: it needs version 3.9, the client's cap is {cap}",
            ),
        ],
    )
    .await;
}
