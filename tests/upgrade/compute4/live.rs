//! Live migration: dictionaries that became objects, values that came later, and a cast that became a call.

use super::types::{MaybeMigrateData, MigrateData};
use super::{case, world};
use crate::raw::CAST;
use crate::table::row;
use crate::wire::CapAt;
use serde_json::json;

fn data() -> MigrateData {
    MigrateData {
        block_migration: true,
        graphics: Some("vnc".into()),
    }
}

#[tokio::test]
async fn live_migration() {
    let (mut wire, mut meaning, client, v) = world().await;
    let data = MaybeMigrateData(Some(data()));
    case(
        "cast live_migration to src on compute",
        "instance dest block_migration:true",
        json!({ "dest": "dest" }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.live_migration(
                &v.ctx,
                &v.instance,
                "dest",
                true,
                &data,
                Some(v.migration.clone()),
                "src",
            )
        },
        &[
            row(
                "none",
                "5.0 {} migrate_data migration",
                "5.0 {} migrate_data migration",
            ),
            row(
                "5.0",
                "5.0 {} migrate_data migration",
                "5.0 {} migrate_data migration",
            ),
            row(
                "4.22",
                "4.8 {} migrate_data migration",
                "4.8 {} migrate_data migration",
            ),
            row(
                "4.7",
                "4.2 {} migrate_data:dict_with_result migration",
                "4.2 {} migrate_data:dict_with_result migration",
            ),
            row(
                "4.1",
                "4.0 {} migrate_data:dict_with_result",
                "4.0 {} migrate_data:dict_with_result",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn dictionaries_that_became_objects() {
    let (mut wire, mut meaning, client, v) = world().await;
    let some = MaybeMigrateData(Some(data()));
    let none = MaybeMigrateData(None);
    let pre = |cap: CapAt<'_>, data: &MaybeMigrateData| {
        let client = client.prepare(|call| cap.on(call));
        client.pre_live_migration(&v.ctx, &v.instance, true, "vda", data, "dest")
    };
    let pre_case = || {
        let what = "call pre_live_migration to dest on compute";
        case(
            what,
            "instance block_migration:true disk",
            json!({ "disk": "vda" }),
        )
    };
    pre_case()
        .check(
            &mut wire,
            &mut meaning,
            |cap| pre(cap, &some),
            &[
                row("5.0", "5.0 {} migrate_data", "5.0 {} migrate_data"),
                row("4.22", "4.8 {} migrate_data", "4.8 {} migrate_data"),
                row(
                    "4.7",
                    "4.0 {} migrate_data:dict",
                    "4.0 {} migrate_data:dict",
                ),
            ],
        )
        .await;
    pre_case()
        .check(
            &mut wire,
            &mut meaning,
            |cap| pre(cap, &none),
            &[
                row(
                    "5.0",
                    "5.0 {} migrate_data:null",
                    "5.0 {} migrate_data:null",
                ),
                row(
                    "4.22",
                    "4.8 {} migrate_data:null",
                    "4.8 {} migrate_data:null",
                ),
                row(
                    "4.7",
                    "4.0 {} migrate_data:null",
                    "4.0 {} migrate_data:null",
                ),
            ],
        )
        .await;
    case(
        "call check_can_live_migrate_source to src on compute",
        "instance",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            client
                .prepare(|call| cap.on(call))
                .check_can_live_migrate_source(&v.ctx, &v.instance, &data())
        },
        &[
            row(
                "5.0",
                "5.0 {} dest_check_data:migrate_data",
                "5.0 {} dest_check_data:migrate_data",
            ),
            row(
                "4.22",
                "4.8 {} dest_check_data:migrate_data",
                "4.8 {} dest_check_data:migrate_data",
            ),
            row(
                "4.7",
                "4.0 {} dest_check_data:dict",
                "4.0 {} dest_check_data:dict",
            ),
        ],
    )
    .await;
    case(
        "cast rollback_live_migration_at_destination to dest on compute",
        "instance destroy_disks:true",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.rollback_live_migration_at_destination(&v.ctx, &v.instance, true, &some, "dest")
        },
        &[
            row("5.0", "5.0 {} migrate_data", "5.0 {} migrate_data"),
            row("4.22", "4.8 {} migrate_data", "4.8 {} migrate_data"),
            row(
                "4.7",
                "4.0 {} migrate_data:dict",
                "4.0 {} migrate_data:dict",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_old_answer_becomes_the_new_one() {
    let (mut wire, _, client, v) = world().await;
    let none = MaybeMigrateData(None);
    for (cap, answer) in [
        (
            "5.0",
            json!({ "block_migration": false, "graphics": "spice" }),
        ),
        ("4.7", json!({ "graphics_listen": "spice" })),
    ] {
        let client = client.prepare(|call| call.version_cap(cap));
        let call = client.pre_live_migration(&v.ctx, &v.instance, true, "vda", &none, "dest");
        let (_, outcome) = wire.answers(call, &answer).await;
        let expected = MigrateData {
            block_migration: false,
            graphics: Some("spice".into()),
        };
        assert_eq!(outcome.unwrap().unwrap(), expected, "{cap}");
    }
}

#[tokio::test]
async fn values_that_came_later() {
    let (mut wire, mut meaning, client, v) = world().await;
    let what = "call check_can_live_migrate_destination to dest on compute";
    let check = |cap: CapAt<'_>, block, over_commit| {
        let client = client.prepare(|call| cap.on(call));
        client.check_can_live_migrate_destination(&v.ctx, &v.instance, block, over_commit, "dest")
    };
    // nova asks in 4.0 and looks at what comes back; here the version says what comes back, so it is asked for
    case(
        what,
        "instance block_migration:true disk_over_commit:true",
        json!({}),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| check(cap, Some(true), Some(true)),
        &[
            row("5.0", "5.0 {}", "5.0 {}"),
            row("4.22", "4.11 {}", "4.8 {}"),
            row("4.10", "older: 4.0 {}", "4.8 {}"),
            row("4.7", "4.0 {}", "4.0 {}"),
        ],
    )
    .await;
    case(what, "instance block_migration:null disk_over_commit:true", json!({}))
        .check(&mut wire, &mut meaning, |cap| check(cap, None, Some(true)), &[
            row("5.0", "5.0 {}", "5.0 {}"),
            row("4.22", "4.11 {}", "4.11 {}"),
            row(
                "4.10",
                "refused: LiveMigrationWithOldNovaNotSupported",
                "refused: this value of argument `block_migration` needs version 4.11, the client's cap is {cap}",
            ),
        ])
        .await;
    case(what, "instance block_migration:true disk_over_commit:null", json!({}))
        .check(&mut wire, &mut meaning, |cap| check(cap, Some(true), None), &[
            row("5.0", "5.0 {}", "5.0 {}"),
            row("4.22", "4.11 {}", "4.11 {}"),
            row(
                "4.10",
                "refused: LiveMigrationWithOldNovaNotSupported",
                "refused: this value of argument `disk_over_commit` needs version 4.11, the client's cap is {cap}",
            ),
        ])
        .await;
}

#[tokio::test]
async fn an_argument_that_is_for_routing_alone() {
    let (mut wire, mut meaning, client, v) = world().await;
    case(
        "cast live_migration_force_complete to src on compute",
        "instance",
        json!({ "migration_id": 7 }),
    )
    .check(
        &mut wire,
        &mut meaning,
        |cap| {
            let client = client.prepare(|call| cap.on(call));
            client.live_migration_force_complete(&v.ctx, &v.instance, &v.migration)
        },
        &[
            row("5.0", "5.0 {}", "5.0 {}"),
            row("4.22", "4.12 {}", "4.12 {}"),
            row("4.11", "4.9 {} migration_id", "4.9 {} migration_id"),
            row(
                "4.8",
                "refused: RPCVersionCapError",
                "refused: it needs version 4.9, the client's cap is {cap}",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cast_that_became_a_call() {
    let (mut wire, mut meaning, client, v) = world().await;
    let rows = [
        row("5.0", "5.0 {}", "5.0 {}"),
        row("4.22", "4.0 {}", "4.0 {}"),
    ];
    let post = |cap: CapAt<'_>| {
        let client = client.prepare(|call| cap.on(call));
        client.post_live_migration_at_destination(&v.ctx, &v.instance, true, "dest")
    };
    let always = "instance block_migration:true";
    case(
        "call post_live_migration_at_destination to dest on compute",
        always,
        json!({}),
    )
    .check(&mut wire, &mut meaning, post, &rows)
    .await;
    // old clients cast it, and a new one may
    let args = json!({ "instance": { "uuid": "i-1", "host": "src" }, "block_migration": true });
    let ran = meaning
        .of(CAST, (4, 0), "post_live_migration_at_destination", &args)
        .await
        .unwrap();
    assert!(
        ran.as_what
            .starts_with("post_live_migration_at_destination instance="),
        "{ran:?}"
    );
    case(
        "cast post_live_migration_at_destination to dest on compute",
        always,
        json!({}),
    )
    .check(&mut wire, &mut meaning, |cap| post(cap).cast(), &rows)
    .await;
}
