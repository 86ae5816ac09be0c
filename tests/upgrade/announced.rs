//! What is sent without a cap: as much as the server that is called has announced.

use crate::api::{ComputeClient, compute_api};
use crate::compute5::NODE;
use crate::raw::Service;
use crate::types::Instance;
use crate::wire::Wire;
use rpc_core::{CallError, Context, ErrorKind, RpcError};
use serde_json::json;

const FLEET: [Service<'_>; 4] = [
    Service {
        server: "train",
        versions: &[(5, 3)],
        ..NODE
    },
    Service {
        server: "victoria",
        versions: &[(5, 12)],
        ..NODE
    },
    Service {
        server: "zed",
        versions: &[(6, 1), (5, 13)],
        ..NODE
    },
    Service {
        server: "gazpacho",
        ..NODE
    },
];

async fn world() -> (Wire, ComputeClient) {
    let wire = Wire::to(&compute_api::API, &FLEET).await;
    // the survey among all of them is over, and its cap gone with its client
    let client = ComputeClient::new(wire.transport.clone());
    (wire, client)
}

fn on(host: &str) -> Instance {
    Instance {
        uuid: "i-1".into(),
        host: host.into(),
    }
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, RpcError>) -> (ErrorKind, String) {
    let error = outcome.unwrap_err();
    (error.kind(), error.message().to_owned())
}

#[tokio::test]
async fn each_server_gets_what_it_can_read() {
    let (mut wire, client) = world().await;
    let ctx = Context::new();
    for (host, expected, names) in [
        (
            "train",
            "call remove_volume_connection 5.0 to train on compute",
            2,
        ),
        (
            "victoria",
            "call remove_volume_connection 5.0 to victoria on compute",
            2,
        ),
        (
            "zed",
            "call remove_volume_connection 6.0 to zed on compute",
            2,
        ),
        (
            "gazpacho",
            "call remove_volume_connection 6.3 to gazpacho on compute",
            3,
        ),
    ] {
        let call = client
            .remove_volume_connection(&ctx, &on(host), "v-1", host)
            .delete_attachment(true);
        let sent = wire.sees(call).await.unwrap();
        assert_eq!(
            (
                sent.to_string().as_str(),
                sent.args.as_object().unwrap().len()
            ),
            (expected, names)
        );
    }
    for (host, version) in [
        ("train", (5, 0)),
        ("victoria", (5, 0)),
        ("zed", (6, 0)),
        ("gazpacho", (6, 0)),
    ] {
        let call = client.check_instance_shared_storage(&ctx, "path", Some(&on(host)), None);
        let sent = wire.sees(call).await.unwrap();
        assert_eq!((&*sent.server, sent.version), (host, version));
        let instance = (version.0 == 5).then(|| json!({ "uuid": "i-1", "host": host }));
        assert_eq!(sent.args.get("instance"), instance.as_ref(), "{host}");
    }
}

#[tokio::test]
async fn what_it_cannot_read_is_refused_in_its_name() {
    let (_wire, client) = world().await;
    let ctx = Context::new();
    let gpu = ["gpu".to_owned()];
    let shelve = client
        .shelve_instance(&ctx, &on("victoria"), None, true, &gpu)
        .await;
    let (kind_of, text) = kind(shelve);
    assert_eq!(kind_of, ErrorKind::VersionCap);
    assert!(
        text.contains("argument `accel_uuids` needs version 5.13, the server announced 5.12"),
        "{text}"
    );
    let Err(CallError::Rpc(error)) = client.cache_images(&ctx, &[], "train").await else {
        panic!()
    };
    assert!(
        error
            .message()
            .contains("it needs version 5.4, the server announced 5.3"),
        "{error}"
    );
}

/// A cap selects its major, as it does with oslo.messaging: whoever may send 6.1 does not fall back to 5.x by himself.
#[tokio::test]
async fn a_cap_of_another_major_does_not_fall_back() {
    let (mut wire, client) = world().await;
    let ctx = Context::new();
    let zed = client.prepare(|call| call.version_cap("zed"));
    let Err(CallError::Rpc(error)) = zed
        .confirm_resize(&ctx, &on("train"), &migration(), None)
        .await
    else {
        panic!()
    };
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(
        error
            .message()
            .contains("it needs version 6.0; the server speaks Compute 5.3"),
        "{error}"
    );
    let victoria = client.prepare(|call| call.version_cap("victoria"));
    let sent = wire
        .sees(victoria.confirm_resize(&ctx, &on("gazpacho"), &migration(), None))
        .await
        .unwrap();
    assert_eq!(sent.version, (5, 0));
}

fn migration() -> crate::types::Migration {
    crate::types::Migration {
        id: 7,
        source_compute: "src".into(),
        dest_compute: "dest".into(),
    }
}
