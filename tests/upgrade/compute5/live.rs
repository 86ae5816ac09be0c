//! Live migration: arguments that came, and one that went.

use super::{case, world};
use crate::table::row;
use crate::types::MigrateData;
use serde_json::json;

#[tokio::test]
async fn check_can_live_migrate_destination() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "call check_can_live_migrate_destination to dest on compute";
    let always = "instance block_migration disk_over_commit";
    let values = json!({ "block_migration": true, "disk_over_commit": null });
    let check = |cap: crate::wire::CapAt<'_>, migration, limits| {
        client
            .prepare(|call| cap.on(call))
            .check_can_live_migrate_destination(
                &v.ctx,
                &v.instance,
                Some(true),
                None,
                migration,
                limits,
                "dest",
            )
    };
    case(what, always, values.clone())
        .check(
            &mut wire,
            &mut meaning,
            |cap| check(cap, Some(v.migration.clone()), Some(v.limits.clone())),
            &[
                row("none", "6.0 {} migration limits", "6.0 {} migration limits"),
                row("6.5", "6.0 {} migration limits", "6.0 {} migration limits"),
                row("5.13", "5.3 {} migration limits", "5.3 {} migration limits"),
                row("5.2", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
    case(what, always, values)
        .check(
            &mut wire,
            &mut meaning,
            |cap| check(cap, None, None),
            &[
                row(
                    "6.5",
                    "6.0 {} migration:null limits:null",
                    "6.0 {} migration:null limits:null",
                ),
                row("5.13", "5.3 {} migration:null limits:null", "5.0 {}"),
                row("5.2", "5.0 {}", "5.0 {}"),
            ],
        )
        .await;
}

#[tokio::test]
async fn pre_live_migration() {
    let (mut wire, mut meaning, client, v) = world().await;
    let data = MigrateData {
        block_migration: true,
    };
    case(
        "call pre_live_migration to dest on compute",
        "instance disk migrate_data",
        json!({ "disk": "vda", "migrate_data": { "block_migration": true } }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client.prepare(|call| cap.on(call)).pre_live_migration(
                &v.ctx,
                &v.instance,
                "vda",
                &data,
                "dest",
            )
        },
        &[
            row("none", "6.0 {}", "6.0 {}"),
            row("6.5", "6.0 {}", "6.0 {}"),
            row(
                "5.13",
                "5.0 {} block_migration:null",
                "5.0 {} block_migration:null",
            ),
        ],
    )
    .await;
}
