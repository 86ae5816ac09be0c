//! Guests that are started, put aside and brought back: one argument, by different rules.

use super::{case, texts, world};
use crate::table::row;
use serde_json::json;

#[tokio::test]
async fn build_and_run_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    let always = "instance image request_spec filter_properties admin_password injected_files requested_networks security_groups \
                  block_device_mapping node limits host_list";
    let case = |accel_uuids| {
        let values = json!({
            "admin_password": "pw", "injected_files": [], "requested_networks": ["net"], "security_groups": [],
            "block_device_mapping": [], "accel_uuids": accel_uuids,
        });
        case(
            "cast build_and_run_instance to dest on compute",
            always,
            values,
        )
    };
    let build = |cap: crate::wire::CapAt<'_>, accel_uuids: &[String]| {
        client.prepare(|call| cap.on(call)).build_and_run_instance(
            &v.ctx,
            &v.instance,
            "img",
            &v.spec,
            &texts("retry"),
            Some("pw"),
            &[],
            &texts("net"),
            &[],
            &[],
            Some("n-1"),
            &v.limits,
            &texts("h-2"),
            accel_uuids,
            "dest",
        )
    };
    case(json!(["gpu"]))
        .check(
            &mut wire,
            &mut meaning,
            |cap| build(cap, &texts("gpu")),
            &[
                row("none", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("6.5", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.11 {} accel_uuids", "5.11 {} accel_uuids"),
                row("5.10", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
    case(json!([]))
        .check(
            &mut wire,
            &mut meaning,
            |cap| build(cap, &[]),
            &[
                row("6.5", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.11 {} accel_uuids", "5.0 {}"),
                row("5.10", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn shelve_instance_refuses_to_leave_out_accelerators() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "cast shelve_instance to src on compute";
    let always = "instance image_id:image clean_shutdown";
    let shelve = |cap: crate::wire::CapAt<'_>, accel_uuids: &[String]| {
        let client = client.prepare(|call| cap.on(call));
        client.shelve_instance(&v.ctx, &v.instance, Some("img"), true, accel_uuids)
    };
    case(what, always, json!({ "accel_uuids": ["gpu"] }))
        .check(
            &mut wire,
            &mut meaning,
            |cap| shelve(cap, &texts("gpu")),
            &[
                row("none", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("6.5", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.13 {} accel_uuids", "5.13 {} accel_uuids"),
                row(
                    "5.12",
                    "refused: ForbiddenWithAccelerators",
                    "refused: argument `accel_uuids` needs version 5.13, the client's cap is {cap}",
                ),
            ],
        )
        .await;
    case(what, always, json!({}))
        .check(
            &mut wire,
            &mut meaning,
            |cap| shelve(cap, &[]),
            &[
                row("6.5", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
                row("5.13", "5.13 {} accel_uuids", "5.0 {}"),
                row("5.12", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn the_other_two_leave_them_out() {
    let (mut wire, mut meaning, client, v) = world().await;
    let values = json!({ "accel_uuids": ["gpu"] });
    case(
        "cast shelve_offload_instance to src on compute",
        "instance clean_shutdown",
        values.clone(),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.shelve_offload_instance(&v.ctx, &v.instance, true, &texts("gpu"))
        },
        &[
            row("none", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
            row("6.5", "6.0 {} accel_uuids", "6.0 {} accel_uuids"),
            row("5.13", "5.13 {} accel_uuids", "5.13 {} accel_uuids"),
            row("5.12", "5.0 {}", "5.0 {}"),
        ],
    )
    .await;
    case(
        "cast unshelve_instance to dest on compute",
        "instance image filter_properties node",
        values,
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).unshelve_instance(
                &v.ctx,
                &v.instance,
                Some("img"),
                &texts("retry"),
                Some("n-1"),
                Some(v.spec.clone()),
                &texts("gpu"),
                "dest",
            )
        },
        &[
            row(
                "none",
                "6.0 {} request_spec accel_uuids",
                "6.0 {} request_spec accel_uuids",
            ),
            row(
                "6.5",
                "6.0 {} request_spec accel_uuids",
                "6.0 {} request_spec accel_uuids",
            ),
            row(
                "5.13",
                "5.13 {} request_spec accel_uuids",
                "5.13 {} request_spec accel_uuids",
            ),
            row("5.12", "5.2 {} request_spec", "5.2 {} request_spec"),
            row("5.1", "5.0 {}", "5.0 {}"),
        ],
    )
    .await;
}
