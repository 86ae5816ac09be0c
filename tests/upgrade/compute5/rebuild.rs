//! `rebuild_instance`: three arguments came later, and each is left out by another rule.

use super::{case, texts, world};
use crate::table::row;
use crate::wire::CapAt;
use serde_json::{Value, json};

const ALWAYS: &str = "instance orig_image_ref image_ref injected_files new_pass orig_sys_metadata bdms recreate on_shared_storage \
    preserve_ephemeral migration scheduled_node:node limits request_spec";
const NOVA_6_2: &str = "6.2 {} accel_uuids reimage_boot_volume target_state";

fn values(set: &str, value: Value) -> Value {
    let mut values = json!({
        "orig_image_ref": "old", "image_ref": "new", "injected_files": [], "new_pass": "pw", "orig_sys_metadata": [], "bdms": [],
        "recreate": false, "on_shared_storage": false, "preserve_ephemeral": true,
        "reimage_boot_volume": false, "target_state": null,
    });
    values[set] = value;
    values
}

#[tokio::test]
async fn rebuild_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "cast rebuild_instance to src on compute";
    let rebuild = |cap: CapAt<'_>, accel_uuids: &[String]| {
        client.prepare(|call| cap.on(call)).rebuild_instance(
            &v.ctx,
            &v.instance,
            "old",
            "new",
            &[],
            "pw",
            &[],
            &[],
            false,
            false,
            true,
            Some(v.migration.clone()),
            Some("n-1"),
            &v.limits,
            &v.spec,
            accel_uuids,
            None,
        )
    };

    case(what, ALWAYS, values("accel_uuids", json!([])))
        .check(
            &mut wire,
            &mut meaning,
            |cap| rebuild(cap, &[]),
            &[
                row("none", NOVA_6_2, "6.0 {} accel_uuids"),
                row("6.5", NOVA_6_2, "6.0 {} accel_uuids"),
                row(
                    "6.1",
                    "6.1 {} accel_uuids reimage_boot_volume",
                    "6.0 {} accel_uuids",
                ),
                row("6.0", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.12 {} accel_uuids", "5.0 {}"),
                row("5.11", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
    case(what, ALWAYS, values("accel_uuids", json!(["gpu"])))
        .check(
            &mut wire,
            &mut meaning,
            |cap| rebuild(cap, &texts("gpu")),
            &[
                row("none", NOVA_6_2, "6.0 {} accel_uuids"),
                row("6.5", NOVA_6_2, "6.0 {} accel_uuids"),
                row(
                    "6.1",
                    "6.1 {} accel_uuids reimage_boot_volume",
                    "6.0 {} accel_uuids",
                ),
                row("6.0", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.12 {} accel_uuids", "5.12 {} accel_uuids"),
                row("5.11", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
    case(what, ALWAYS, values("reimage_boot_volume", json!(true)))
        .check(&mut wire, &mut meaning, |cap| rebuild(cap, &[]).reimage_boot_volume(true), &[
            row("none", NOVA_6_2, "6.1 {} accel_uuids reimage_boot_volume"),
            row("6.5", NOVA_6_2, "6.1 {} accel_uuids reimage_boot_volume"),
            row("6.1", "6.1 {} accel_uuids reimage_boot_volume", "6.1 {} accel_uuids reimage_boot_volume"),
            row(
                "6.0",
                "refused: NovaException",
                "refused: argument `reimage_boot_volume` needs version 6.1, the client's cap is {cap}",
            ),
        ])
        .await;
    case(what, ALWAYS, values("target_state", json!("stopped")))
        .check(
            &mut wire,
            &mut meaning,
            |cap| rebuild(cap, &[]).target_state(Some("stopped")),
            &[
                row("none", NOVA_6_2, NOVA_6_2),
                row("6.5", NOVA_6_2, NOVA_6_2),
                row(
                    "6.1",
                    "refused: UnsupportedRPCVersion",
                    "refused: argument `target_state` needs version 6.2, the client's cap is {cap}",
                ),
            ],
        )
        .await;
}
