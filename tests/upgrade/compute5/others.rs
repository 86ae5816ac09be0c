//! Methods that came and went, an argument that is for routing alone, and the second topic.

use super::{case, texts, world};
use crate::table::row;
use crate::types::ShareMapping;
use crate::wire::CapAt;
use rpc_core::Target;
use serde_json::json;

#[tokio::test]
async fn check_instance_shared_storage() {
    let (mut wire, mut meaning, client, v) = world().await;
    let rows = [
        row("none", "6.0 {}", "6.0 {}"),
        row("6.5", "6.0 {}", "6.0 {}"),
        row("5.13", "5.0 {} instance", "5.0 {} instance"),
    ];
    let check = |cap: CapAt<'_>, host| {
        let client = client.prepare(|call| cap.on(call));
        client.check_instance_shared_storage(&v.ctx, "path", Some(&v.instance), host)
    };
    case(
        "call check_instance_shared_storage to dest on compute",
        "data",
        json!({ "data": "path" }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| check(cap, Some("dest")),
        &rows,
    )
    .await;
    case(
        "call check_instance_shared_storage to src on compute",
        "data",
        json!({ "data": "path" }),
    )
    .check(&mut wire, &mut meaning, |cap| check(cap, None), &rows)
    .await;
}

#[tokio::test]
async fn methods_that_came_later() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "call cache_images to dest on compute",
        "image_ids",
        json!({ "image_ids": ["img"] }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .cache_images(&v.ctx, &texts("img"), "dest")
        },
        &[
            row("none", "6.0 {}", "6.0 {}"),
            row("6.5", "6.0 {}", "6.0 {}"),
            row("5.13", "5.4 {}", "5.4 {}"),
            row(
                "5.3",
                "refused: NovaException",
                "refused: it needs version 5.4, the client's cap is {cap}",
            ),
        ],
    )
    .await;
    let share = ShareMapping {
        share_id: "s-1".into(),
    };
    let values = json!({ "share_mapping": { "share_id": "s-1" } });
    let rows = [
        row("none", "6.4 {}", "6.4 {}"),
        row("6.5", "6.4 {}", "6.4 {}"),
        row(
            "6.3",
            "refused: UnsupportedRPCVersion",
            "refused: it needs version 6.4, the client's cap is {cap}",
        ),
    ];
    case(
        "cast allow_share to src on compute",
        "instance share_mapping",
        values.clone(),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .allow_share(&v.ctx, &v.instance, &share)
        },
        &rows,
    )
    .await;
    case(
        "cast deny_share to src on compute",
        "instance share_mapping",
        values,
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .deny_share(&v.ctx, &v.instance, &share)
        },
        &rows,
    )
    .await;
}

#[tokio::test]
async fn a_method_that_is_gone() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "cast add_aggregate_host to dest on compute",
        "aggregate host",
        json!({ "aggregate": "a-1", "host": "h-1" }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .add_aggregate_host(&v.ctx, "a-1", "h-1", "dest")
        },
        &[
            // without a cap it goes in the last version that has it
            row("none", "5.0 {}", "5.0 {}"),
            row(
                "6.5",
                "refused: AttributeError",
                "refused: it was removed in version 6.0, the client's cap is {cap}",
            ),
            row("5.13", "5.0 {}", "5.0 {}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn remove_volume_connection() {
    let (mut wire, mut meaning, client, v) = world().await;
    let always = "instance volume_id";
    let remove = |cap: CapAt<'_>| {
        client
            .prepare(|call| cap.on(call))
            .remove_volume_connection(&v.ctx, &v.instance, "v-1", "dest")
    };
    let case = |delete_attachment| {
        let values = json!({ "volume_id": "v-1", "delete_attachment": delete_attachment });
        case(
            "call remove_volume_connection to dest on compute",
            always,
            values,
        )
    };
    case(true)
        .check(
            &mut wire,
            &mut meaning,
            |cap| remove(cap).delete_attachment(true),
            &[
                row(
                    "none",
                    "6.3 {} delete_attachment",
                    "6.3 {} delete_attachment",
                ),
                row(
                    "6.5",
                    "6.3 {} delete_attachment",
                    "6.3 {} delete_attachment",
                ),
                row("6.2", "6.0 {}", "6.0 {}"),
                row("5.13", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
    case(false)
        .check(
            &mut wire,
            &mut meaning,
            remove,
            &[
                row("6.5", "6.3 {} delete_attachment", "6.0 {}"),
                row("6.2", "6.0 {}", "6.0 {}"),
                row("5.13", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
}

/// Twelve methods go to another topic from 6.5 on, in the version that they had.
#[tokio::test]
async fn the_topic_by_what_may_be_sent() {
    let (mut wire, _, client, v) = world().await;
    let by_cap = |cap: &str| {
        let capped = client.prepare(|call| CapAt(cap).on(call));
        match capped.rpc().can_send_version("6.5") {
            true => capped.prepare(|call| call.target(Target::topic("compute-alt"))),
            false => capped,
        }
    };
    for (cap, expected) in [
        (
            "none",
            "call remove_volume_connection 6.0 to dest on compute-alt",
        ),
        (
            "gazpacho",
            "call remove_volume_connection 6.0 to dest on compute-alt",
        ),
        (
            "6.4",
            "call remove_volume_connection 6.0 to dest on compute",
        ),
        (
            "5.13",
            "call remove_volume_connection 5.0 to dest on compute",
        ),
    ] {
        let sent = wire
            .sees(by_cap(cap).remove_volume_connection(&v.ctx, &v.instance, "v-1", "dest"))
            .await;
        assert_eq!(sent.unwrap().to_string(), expected);
    }
}

#[tokio::test]
async fn releases_are_caps() {
    let (mut wire, _, client, v) = world().await;
    for (release, version) in [
        ("queens", "5.0"),
        ("victoria", "5.0"),
        ("wallaby", "6.0"),
        ("caracal", "6.3"),
        ("gazpacho", "6.3"),
    ] {
        let client = client.prepare(|call| call.version_cap(release));
        let remove = client.remove_volume_connection(&v.ctx, &v.instance, "v-1", "dest");
        let sent = wire.sees(remove.delete_attachment(true)).await.unwrap();
        assert_eq!(
            format!("{}.{}", sent.version.0, sent.version.1),
            version,
            "{release}"
        );
    }
    let client = client.prepare(|call| call.version_cap("antilope"));
    let error = wire
        .sees(client.cache_images(&v.ctx, &[], "dest"))
        .await
        .unwrap_err();
    assert!(
        error.starts_with("the client's version cap: \"antilope\" is neither a version, such as \"2.5\", nor a release of `Compute`: queens,"),
        "{error}"
    );
}
