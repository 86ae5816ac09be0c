//! What clients of older releases send, to a server that implements nothing but the newest trait.

use crate::api::ComputeDispatcher;
use crate::compute5::NODE;
use crate::meaning::Meaning;
use crate::raw::{CALL, CAST};
use serde_json::{Value, json};

async fn server() -> Meaning<'static> {
    Meaning::to(NODE, ComputeDispatcher::new).await
}

fn instance() -> Value {
    json!({ "uuid": "i-1", "host": "src" })
}

fn migration() -> Value {
    json!({ "id": 7, "source_compute": "src", "dest_compute": "dest" })
}

fn with(mut args: Value, name: &str, value: Value) -> Value {
    args[name] = value;
    args
}

#[tokio::test]
async fn what_came_later_is_at_its_default() {
    let mut server = server().await;
    let rebuild = json!({
        "instance": instance(), "orig_image_ref": "old", "image_ref": "new", "injected_files": [], "new_pass": "pw",
        "orig_sys_metadata": [], "bdms": [], "recreate": false, "on_shared_storage": false, "preserve_ephemeral": true,
        "migration": null, "scheduled_node": null, "limits": { "vcpu": 4 }, "request_spec": { "flavor": "m1", "instances": 1 },
    });
    for (version, args, end) in [
        (
            (5, 0),
            rebuild.clone(),
            "accel_uuids=[] reimage_boot_volume=false target_state=None",
        ),
        (
            (5, 12),
            with(rebuild.clone(), "accel_uuids", json!(["gpu"])),
            "accel_uuids=[\"gpu\"] reimage_boot_volume=false target_state=None",
        ),
        (
            (6, 1),
            with(
                with(rebuild, "accel_uuids", json!([])),
                "reimage_boot_volume",
                json!(true),
            ),
            "accel_uuids=[] reimage_boot_volume=true target_state=None",
        ),
    ] {
        let ran = server
            .of(CAST, version, "rebuild_instance", &args)
            .await
            .unwrap();
        assert!(ran.as_what.ends_with(end), "{version:?}: {}", ran.as_what);
    }
    let check =
        json!({ "instance": instance(), "block_migration": true, "disk_over_commit": null });
    let ran = server
        .of(CALL, (5, 2), "check_can_live_migrate_destination", &check)
        .await
        .unwrap();
    assert!(
        ran.as_what
            .ends_with("disk_over_commit=None migration=None limits=None"),
        "{}",
        ran.as_what
    );
}

#[tokio::test]
async fn old_names_and_types_are_understood() {
    let mut server = server().await;
    let prep = |flavor: &str, spec: Value| {
        let args = json!({
            "image": "img", "instance": instance(), "request_spec": spec, "filter_properties": [], "node": null,
            "clean_shutdown": true, "migration": migration(), "host_list": [],
        });
        with(args, flavor, json!({ "name": "m1" }))
    };
    let object = json!({ "flavor": "m1", "instances": 2 });
    let mut ran = Vec::new();
    for (version, args) in [
        (
            (5, 0),
            prep(
                "instance_type",
                json!({ "instance_type": "m1", "num_instances": 2 }),
            ),
        ),
        ((5, 1), prep("instance_type", object.clone())),
        ((6, 5), prep("flavor", object)),
    ] {
        ran.push(
            server
                .of(CAST, version, "prep_resize", &args)
                .await
                .unwrap(),
        );
    }
    assert!(ran[0].as_what.contains(
        r#"flavor=Flavor { name: "m1" } request_spec=RequestSpec { flavor: "m1", instances: 2 }"#
    ));
    assert!(ran.iter().all(|other| *other == ran[0]), "{ran:?}");
}

#[tokio::test]
async fn a_removed_argument_is_read_and_ignored() {
    let mut server = server().await;
    let args = json!({ "instance": instance(), "disk": "vda", "migrate_data": { "block_migration": true } });
    let with_it = with(args.clone(), "block_migration", Value::Null);
    let old = server
        .of(CALL, (5, 13), "pre_live_migration", &with_it)
        .await
        .unwrap();
    let new = server
        .of(CALL, (6, 0), "pre_live_migration", &args)
        .await
        .unwrap();
    assert_eq!(old, new);
    // each version has exactly its own arguments
    let failure = server
        .of(CALL, (5, 13), "pre_live_migration", &args)
        .await
        .unwrap_err();
    assert_eq!(failure.0, "DecodeArguments");
    assert!(
        failure.1.contains("`block_migration`: it is missing"),
        "{failure:?}"
    );
    let failure = server
        .of(CALL, (6, 0), "pre_live_migration", &with_it)
        .await
        .unwrap_err();
    assert!(
        failure
            .1
            .contains("`block_migration`: no such argument in version 6.0"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_argument_from_the_future_is_refused_by_its_name() {
    let mut server = server().await;
    let remove = json!({ "instance": instance(), "volume_id": "v-1", "delete_attachment": true });
    for version in [(5, 0), (6, 2)] {
        let failure = server
            .of(CALL, version, "remove_volume_connection", &remove)
            .await
            .unwrap_err();
        let expected = format!(
            "`delete_attachment`: no such argument in version {}.{}",
            version.0, version.1
        );
        assert!(
            failure.0 == "DecodeArguments" && failure.1.contains(&expected),
            "{failure:?}"
        );
    }
    server
        .of(CALL, (6, 3), "remove_volume_connection", &remove)
        .await
        .unwrap();
    let unheard_of = with(remove, "force", json!(true));
    let failure = server
        .of(CALL, (6, 5), "remove_volume_connection", &unheard_of)
        .await
        .unwrap_err();
    assert!(
        failure
            .1
            .contains("`force`: no such argument in version 6.5"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_method_that_is_gone_serves_those_who_have_it() {
    let mut server = server().await;
    let args = json!({ "aggregate": "a-1", "host": "h-1" });
    let ran = server
        .of(CAST, (5, 13), "add_aggregate_host", &args)
        .await
        .unwrap();
    assert_eq!(
        ran.as_what,
        r#"add_aggregate_host aggregate="a-1" host="h-1""#
    );
    let failure = server
        .of(CAST, (6, 0), "add_aggregate_host", &args)
        .await
        .unwrap_err();
    assert_eq!(failure.0, "NoSuchMethod");
    assert!(
        failure
            .1
            .contains("there is no method `add_aggregate_host` in version 6.0"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn versions_that_nobody_speaks_are_refused() {
    let mut server = server().await;
    let args = json!({ "image_ids": [] });
    for version in [(4, 22), (5, 14), (6, 6), (7, 0)] {
        let failure = server
            .of(CALL, version, "cache_images", &args)
            .await
            .unwrap_err();
        let expected = format!(
            "version {}.{} is not served; there is Compute 6.5 and 5.13",
            version.0, version.1
        );
        assert!(
            failure.0 == "UnsupportedVersion" && failure.1.contains(&expected),
            "{failure:?}"
        );
    }
    // a message may say less than the version that its method came with, as nova's do
    server
        .of(CALL, (5, 0), "cache_images", &args)
        .await
        .unwrap();
}
