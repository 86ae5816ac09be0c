//! Volumes, interfaces and diagnostics: arguments that are left out, and others that must not be.

use super::{case, world};
use crate::raw::CALL;
use crate::table::row;
use crate::wire::CapAt;
use serde_json::json;

#[tokio::test]
async fn arguments_that_are_left_out() {
    let (mut wire, mut meaning, client, v) = world().await;
    let values = json!({ "volume_id": "v-1", "attachment_id": "a-1" });
    case(
        "cast detach_volume to src on compute",
        "instance volume_id",
        values,
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).detach_volume(
                &v.ctx,
                &v.instance,
                "v-1",
                Some("a-1"),
            )
        },
        &[
            row("5.0", "5.0 {} attachment_id", "5.0 {} attachment_id"),
            row("4.22", "4.7 {} attachment_id", "4.7 {} attachment_id"),
            row("4.6", "4.0 {}", "4.0 {}"),
        ],
    )
    .await;
    let values =
        json!({ "old_volume_id": "v-1", "new_volume_id": "v-2", "new_attachment_id": "a-1" });
    case(
        "cast swap_volume to src on compute",
        "instance old_volume_id new_volume_id",
        values,
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).swap_volume(
                &v.ctx,
                &v.instance,
                "v-1",
                "v-2",
                Some("a-1"),
            )
        },
        &[
            row(
                "5.0",
                "5.0 {} new_attachment_id",
                "5.0 {} new_attachment_id",
            ),
            row(
                "4.22",
                "4.17 {} new_attachment_id",
                "4.17 {} new_attachment_id",
            ),
            row("4.16", "4.0 {}", "4.0 {}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn attach_interface_refuses_to_leave_out_a_tag() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "call attach_interface to src on compute";
    let always = "instance network_id port_id requested_ip:null";
    let values = json!({ "network_id": "n-1", "port_id": "p-1", "tag": "nic" });
    let attach = |cap: CapAt<'_>, tag| {
        let client = client.prepare(|call| cap.on(call));
        client.attach_interface(&v.ctx, &v.instance, "n-1", "p-1", None, tag)
    };
    case(what, always, values.clone())
        .check(
            &mut wire,
            &mut meaning,
            |cap| attach(cap, Some("nic")),
            &[
                row("5.0", "5.0 {} tag", "5.0 {} tag"),
                row("4.22", "4.16 {} tag", "4.16 {} tag"),
                row(
                    "4.15",
                    "refused: TaggedAttachmentNotSupported",
                    "refused: argument `tag` needs version 4.16, the client's cap is {cap}",
                ),
            ],
        )
        .await;
    case(what, always, values)
        .check(
            &mut wire,
            &mut meaning,
            |cap| attach(cap, None),
            &[
                row("5.0", "5.0 {} tag:null", "5.0 {} tag:null"),
                row("4.22", "4.16 {} tag:null", "4.0 {}"),
                row("4.15", "4.0 {}", "4.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn reserve_block_device_name() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "call reserve_block_device_name to src on compute";
    let always = "instance device volume_id";
    let case = |multiattach: bool| {
        let values = json!({ "device": "vdb", "volume_id": "v-1", "tag": "disk", "multiattach": multiattach });
        case(what, always, values)
    };
    let reserve = |cap: CapAt<'_>, tag, multiattach| {
        let client = client.prepare(|call| cap.on(call));
        client.reserve_block_device_name(&v.ctx, &v.instance, "vdb", "v-1", tag, multiattach)
    };
    case(true)
        .check(
            &mut wire,
            &mut meaning,
            |cap| reserve(cap, None, true),
            &[
                row(
                    "5.0",
                    "5.0 {} tag:null multiattach",
                    "5.0 {} tag:null multiattach",
                ),
                row(
                    "4.22",
                    "4.20 {} tag:null multiattach",
                    "4.20 {} tag:null multiattach",
                ),
                row(
                    "4.19",
                    "refused: MultiattachSupportNotYetAvailable",
                    "refused: argument `multiattach` needs version 4.20, the client's cap is {cap}",
                ),
            ],
        )
        .await;
    case(false)
        .check(
            &mut wire,
            &mut meaning,
            |cap| reserve(cap, Some("disk"), false),
            &[
                row("5.0", "5.0 {} tag multiattach", "5.0 {} tag multiattach"),
                row("4.22", "4.20 {} tag multiattach", "4.15 {} tag"),
                row("4.19", "4.15 {} tag", "4.15 {} tag"),
                row(
                    "4.14",
                    "refused: TaggedAttachmentNotSupported",
                    "refused: argument `tag` needs version 4.15, the client's cap is {cap}",
                ),
            ],
        )
        .await;
    case(false)
        .check(
            &mut wire,
            &mut meaning,
            |cap| reserve(cap, None, false),
            &[
                row(
                    "5.0",
                    "5.0 {} tag:null multiattach",
                    "5.0 {} tag:null multiattach",
                ),
                row("4.22", "4.20 {} tag:null multiattach", "4.0 {}"),
                row("4.19", "4.15 {} tag:null", "4.0 {}"),
                row("4.14", "4.0 {}", "4.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn diagnostics_that_cannot_be_read_are_not_asked_for() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "call get_instance_diagnostics to src on compute";
    case(what, "instance", json!({}))
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                client
                    .prepare(|call| cap.on(call))
                    .get_instance_diagnostics(&v.ctx, &v.instance)
            },
            &[
                row("5.0", "5.0 {}", "5.0 {}"),
                row("4.22", "4.14 {}", "4.14 {}"),
                row(
                    "4.13",
                    "refused: InstanceDiagnosticsNotSupported",
                    "refused: its answer needs version 4.14, the client's cap is {cap}",
                ),
            ],
        )
        .await;
    // an old client is answered as ever
    for (version, instance, answer) in [
        (
            (4, 12),
            json!({ "id": "i-1", "on": "src" }),
            "\u{81}vm_state",
        ),
        (
            (4, 13),
            json!({ "uuid": "i-1", "host": "src" }),
            "\u{81}vm_state",
        ),
        (
            (4, 14),
            json!({ "uuid": "i-1", "host": "src" }),
            "\u{81}state",
        ),
    ] {
        let args = json!({ "instance": instance });
        let ran = meaning
            .of(CALL, version, "get_instance_diagnostics", &args)
            .await
            .unwrap();
        assert_eq!(
            ran.as_what,
            r#"get_instance_diagnostics instance=Instance { uuid: "i-1", host: "src" }"#
        );
        let name = &answer[2..];
        assert!(
            ran.answer[2..].starts_with(name.as_bytes()),
            "{version:?} {:?}",
            ran.answer
        );
    }
}

#[tokio::test]
async fn a_method_that_came_later() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "cast trigger_crash_dump to src on compute",
        "instance",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .trigger_crash_dump(&v.ctx, &v.instance)
        },
        &[
            row("5.0", "5.0 {}", "5.0 {}"),
            row("4.22", "4.6 {}", "4.6 {}"),
            row(
                "4.5",
                "refused: TriggerCrashDumpNotSupported",
                "refused: it needs version 4.6, the client's cap is {cap}",
            ),
        ],
    )
    .await;
}
