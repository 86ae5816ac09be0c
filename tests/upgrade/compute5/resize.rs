//! The steps of a resize: a new name, a new type, arguments that came and went.

use super::{case, texts, world};
use crate::table::row;
use rpc_core::Context;
use serde_json::json;

#[tokio::test]
async fn prep_resize() {
    let (mut wire, mut meaning, client, v) = world().await;
    let always = "image instance filter_properties node clean_shutdown migration host_list";
    case("cast prep_resize to dest on compute", always, json!({}))
        .check(
            &mut wire,
            &mut meaning,
            |cap| {
                client.prepare(|call| cap.on(call)).prep_resize(
                    &v.ctx,
                    "img",
                    &v.instance,
                    &v.flavor,
                    &v.spec,
                    &texts("retry"),
                    Some("n-1"),
                    true,
                    &v.migration,
                    &texts("h-2"),
                    "dest",
                )
            },
            &[
                row(
                    "none",
                    "6.0 {} flavor request_spec",
                    "6.0 {} flavor request_spec",
                ),
                row(
                    "6.5",
                    "6.0 {} flavor request_spec",
                    "6.0 {} flavor request_spec",
                ),
                row(
                    "5.13",
                    "5.1 {} instance_type:flavor request_spec",
                    "5.1 {} instance_type:flavor request_spec",
                ),
                row(
                    "5.0",
                    "5.0 {} instance_type:flavor request_spec:legacy_spec",
                    "5.0 {} instance_type:flavor request_spec:legacy_spec",
                ),
            ],
        )
        .await;
}

#[tokio::test]
async fn resize_instance() {
    let (mut wire, mut meaning, client, v) = world().await;
    let always = "instance image migration clean_shutdown";
    // the topic that nova takes at 6.5 is tried beside the others that have two
    let what = "cast resize_instance to src on compute";
    let resize = |cap: crate::wire::CapAt<'_>, spec| {
        let client = client.prepare(|call| cap.on(call));
        client.resize_instance(
            &v.ctx,
            &v.instance,
            "img",
            &v.migration,
            &v.flavor,
            true,
            spec,
        )
    };
    case(what, always, json!({}))
        .check(
            &mut wire,
            &mut meaning,
            |cap| resize(cap, Some(v.spec.clone())),
            &[
                row(
                    "none",
                    "6.0 {} flavor request_spec",
                    "6.0 {} flavor request_spec",
                ),
                row(
                    "6.5",
                    "6.0 {} flavor request_spec",
                    "6.0 {} flavor request_spec",
                ),
                row(
                    "5.13",
                    "5.2 {} instance_type:flavor request_spec",
                    "5.2 {} instance_type:flavor request_spec",
                ),
                row(
                    "5.1",
                    "5.0 {} instance_type:flavor",
                    "5.0 {} instance_type:flavor",
                ),
            ],
        )
        .await;
    case(what, always, json!({}))
        .check(
            &mut wire,
            &mut meaning,
            |cap| resize(cap, None),
            &[
                row(
                    "6.5",
                    "6.0 {} flavor request_spec:null",
                    "6.0 {} flavor request_spec:null",
                ),
                row(
                    "5.13",
                    "5.2 {} instance_type:flavor request_spec:null",
                    "5.0 {} instance_type:flavor",
                ),
                row(
                    "5.1",
                    "5.0 {} instance_type:flavor",
                    "5.0 {} instance_type:flavor",
                ),
            ],
        )
        .await;
}

#[tokio::test]
async fn the_steps_that_got_a_request_spec() {
    let (mut wire, mut meaning, client, v) = world().await;
    let rows = [
        row("none", "6.0 {} request_spec", "6.0 {} request_spec"),
        row("6.5", "6.0 {} request_spec", "6.0 {} request_spec"),
        row("5.13", "5.2 {} request_spec", "5.2 {} request_spec"),
        row("5.1", "5.0 {}", "5.0 {}"),
    ];
    let spec = || Some(v.spec.clone());
    case(
        "cast finish_resize to dest on compute",
        "disk_info image instance migration",
        json!({ "disk_info": "vda" }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.finish_resize(
                &v.ctx,
                "vda",
                "img",
                &v.instance,
                &v.migration,
                spec(),
                "dest",
            )
        },
        &rows,
    )
    .await;
    case(
        "cast revert_resize to dest on compute",
        "instance migration",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).revert_resize(
                &v.ctx,
                &v.instance,
                &v.migration,
                spec(),
                "dest",
            )
        },
        &rows,
    )
    .await;
    case(
        "cast finish_revert_resize to src on compute",
        "instance migration",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).finish_revert_resize(
                &v.ctx,
                &v.instance,
                &v.migration,
                spec(),
                "src",
            )
        },
        &rows,
    )
    .await;
}

#[tokio::test]
async fn confirm_resize_is_called_and_cast() {
    let (mut wire, mut meaning, client, v) = world().await;
    let same = [
        row("none", "6.0 {}", "6.0 {}"),
        row("6.5", "6.0 {}", "6.0 {}"),
        row("5.13", "5.0 {}", "5.0 {}"),
    ];
    let confirm = |cap: crate::wire::CapAt<'_>, host| {
        client.prepare(|call| cap.on(call)).confirm_resize(
            &Context::new(),
            &v.instance,
            &v.migration,
            host,
        )
    };
    // no host is said, so it is the instance's
    case(
        "call confirm_resize to src on compute",
        "instance migration",
        json!({}),
    )
    .check(&mut wire, &mut meaning, |cap| confirm(cap, None), &same)
    .await;
    case(
        "cast confirm_resize to dest on compute",
        "instance migration",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| confirm(cap, Some("dest")).cast(),
        &same,
    )
    .await;
}

#[tokio::test]
async fn the_steps_between_cells() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "call prep_snapshot_based_resize_at_dest to dest on compute",
        "instance flavor nodename:node migration limits",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .prep_snapshot_based_resize_at_dest(
                    &v.ctx,
                    &v.instance,
                    &v.flavor,
                    "n-1",
                    &v.migration,
                    &v.limits,
                    &v.spec,
                    "dest",
                )
        },
        &[
            row("none", "6.0 {}", "6.0 {}"),
            row("6.5", "6.0 {}", "6.0 {}"),
            row("5.13", "5.5 {} request_spec", "5.5 {} request_spec"),
            row(
                "5.4",
                "refused: MigrationPreCheckError",
                "refused: it needs version 5.5, the client's cap is {cap}",
            ),
        ],
    )
    .await;
    case(
        "call finish_snapshot_based_resize_at_dest to dest on compute",
        "instance migration snapshot_id",
        json!({ "snapshot_id": "s-1" }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.finish_snapshot_based_resize_at_dest(
                &v.ctx,
                &v.instance,
                &v.migration,
                "s-1",
                &v.spec,
            )
        },
        &[
            row("none", "6.0 {}", "6.0 {}"),
            row("6.5", "6.0 {}", "6.0 {}"),
            row("5.13", "5.7 {} request_spec", "5.7 {} request_spec"),
            row(
                "5.6",
                "refused: MigrationError",
                "refused: it needs version 5.7, the client's cap is {cap}",
            ),
        ],
    )
    .await;
}
