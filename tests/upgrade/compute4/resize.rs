//! Resizes and rebuilds: arguments that came, one that went with the major, and a type that changed.

use super::{case, world};
use crate::table::row;
use crate::wire::CapAt;
use serde_json::json;

#[tokio::test]
async fn rebuild_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "cast rebuild_instance to src on compute";
    let always = "instance image_ref:image preserve_ephemeral:true";
    let values = json!({ "scheduled_node": "n-1" });
    case(what, always, values.clone())
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                client.prepare(|call| cap.on(call)).rebuild_instance(
                    &v.ctx,
                    &v.instance,
                    "img",
                    true,
                    Some(v.migration.clone()),
                    Some("n-1"),
                    Some(v.limits.clone()),
                    Some(v.spec.clone()),
                    None,
                )
            },
            &[
                row(
                    "5.0",
                    "5.0 {} migration scheduled_node limits request_spec",
                    "5.0 {} migration scheduled_node limits request_spec",
                ),
                row(
                    "4.22",
                    "4.22 {} migration scheduled_node limits request_spec",
                    "4.22 {} migration scheduled_node limits request_spec",
                ),
                row(
                    "4.21",
                    "4.5 {} migration scheduled_node limits",
                    "4.5 {} migration scheduled_node limits",
                ),
                row("4.4", "4.0 {}", "4.0 {}"),
            ],
        )
        .await;
    let none = "5.0 {} migration:null scheduled_node:null limits:null request_spec:null";
    case(what, always, values)
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                let client = client.prepare(|call| cap.on(call));
                client.rebuild_instance(
                    &v.ctx,
                    &v.instance,
                    "img",
                    true,
                    None,
                    None,
                    None,
                    None,
                    None,
                )
            },
            &[
                row("5.0", none, none),
                row(
                    "4.22",
                    "4.22 {} migration:null scheduled_node:null limits:null request_spec:null",
                    "4.0 {}",
                ),
                row(
                    "4.21",
                    "4.5 {} migration:null scheduled_node:null limits:null",
                    "4.0 {}",
                ),
                row("4.4", "4.0 {}", "4.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn prep_resize() {
    let (mut wire, mut meaning, client, v) = world().await;
    let always =
        "image instance request_spec:list filter_properties:list node:null clean_shutdown:true";
    let values = json!({ "list": [], "host_list": ["h-2"] });
    case("cast prep_resize to dest on compute", always, values)
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                client.prepare(|call| cap.on(call)).prep_resize(
                    &v.ctx,
                    "img",
                    &v.instance,
                    &v.flavor,
                    &[],
                    &[],
                    None,
                    Some(v.migration.clone()),
                    true,
                    Some(vec!["h-2".into()]),
                    "dest",
                )
            },
            &[
                row(
                    "5.0",
                    "5.0 {} instance_type migration host_list",
                    "5.0 {} instance_type migration host_list",
                ),
                row(
                    "4.22",
                    "4.21 {} instance_type migration host_list reservations:null",
                    "4.21 {} instance_type migration host_list reservations:null",
                ),
                row(
                    "4.20",
                    "4.18 {} instance_type migration reservations:null",
                    "4.18 {} instance_type migration reservations:null",
                ),
                row(
                    "4.17",
                    "4.1 {} instance_type reservations:null",
                    "4.1 {} instance_type reservations:null",
                ),
                row(
                    "4.0",
                    "4.0 {} instance_type:primitive reservations:null",
                    "4.0 {} instance_type:primitive reservations:null",
                ),
            ],
        )
        .await;
}

#[tokio::test]
async fn reservations_went_with_the_major() {
    let (mut wire, mut meaning, client, v) = world().await;
    let rows = [
        row("none", "5.0 {}", "5.0 {}"),
        row("5.0", "5.0 {}", "5.0 {}"),
        row(
            "4.22",
            "4.0 {} reservations:null",
            "4.0 {} reservations:null",
        ),
    ];
    case(
        "call confirm_resize to src on compute",
        "instance migration",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).confirm_resize(
                &v.ctx,
                &v.instance,
                &v.migration,
                None,
            )
        },
        &rows,
    )
    .await;
    case(
        "cast terminate_instance to src on compute",
        "instance bdms",
        json!({ "bdms": [] }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .terminate_instance(&v.ctx, &v.instance, &[])
        },
        &rows,
    )
    .await;
    case(
        "cast soft_delete_instance to src on compute",
        "instance",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .soft_delete_instance(&v.ctx, &v.instance)
        },
        &rows,
    )
    .await;
}

#[tokio::test]
async fn resize_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "cast resize_instance to src on compute",
        "instance migration image clean_shutdown:true",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap: CapAt<'_>| {
            let client = client.prepare(|call| cap.on(call));
            client.resize_instance(&v.ctx, &v.instance, &v.migration, "img", &v.flavor, true)
        },
        &[
            row("5.0", "5.0 {} instance_type", "5.0 {} instance_type"),
            row(
                "4.22",
                "4.1 {} instance_type reservations:null",
                "4.1 {} instance_type reservations:null",
            ),
            row(
                "4.0",
                "4.0 {} instance_type:primitive reservations:null",
                "4.0 {} instance_type:primitive reservations:null",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn build_and_run_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "cast build_and_run_instance to dest on compute",
        "instance image limits",
        json!({ "host_list": ["h-2"] }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).build_and_run_instance(
                &v.ctx,
                &v.instance,
                "img",
                Some(v.limits.clone()),
                Some(vec!["h-2".into()]),
                "dest",
            )
        },
        &[
            row("5.0", "5.0 {} host_list", "5.0 {} host_list"),
            row("4.22", "4.19 {} host_list", "4.19 {} host_list"),
            row("4.18", "4.0 {}", "4.0 {}"),
        ],
    )
    .await;
}
