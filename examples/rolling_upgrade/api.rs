//! Nova's compute API, from 5.0 of 2018 to 6.5 of 2026: one trait, which is all that a client and a server are made of.
//!
//! It has the methods that changed, and some that did not. What nova's client leaves out without a word is `lossy` here; what it
//! refuses to leave out is not.

use super::node::Node;
use super::types::{
    Flavor, Instance, LegacyRequestSpec, Limits, MigrateData, Migration, MigrationContext,
    RequestSpec, ShareMapping,
};
use rpc_core::{Context, Never, rpc_api};

crate::served_by_node! {
/// Runs the guests of one host.
#[rpc_api(
    version = "6.5",
    also = "5.13",
    topic = "compute",
    aliases(
        queens = "5.0", rocky = "5.0", stein = "5.1", train = "5.3", ussuri = "5.11", victoria = "5.12",
        wallaby = "6.0", xena = "6.0", yoga = "6.0", zed = "6.1", antelope = "6.2", bobcat = "6.2",
        caracal = "6.3", dalmatian = "6.3", epoxy = "6.4", flamingo = "6.4", gazpacho = "6.5",
    )
)]
pub trait Compute {
    /// Starts a guest.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn build_and_run_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: &str,
        request_spec: &RequestSpec,
        filter_properties: &[String],
        admin_password: Option<&str>,
        injected_files: &[String],
        requested_networks: &[String],
        security_groups: &[String],
        block_device_mapping: &[String],
        node: Option<&str>,
        limits: &Limits,
        host_list: &[String],
        #[rpc(since = "5.11", default, lossy)] accel_uuids: &[String],
    );

    /// Makes a guest anew, from another image.
    #[rpc(cast, routing(host: Option<&str>), server = host.unwrap_or(&instance.host))]
    async fn rebuild_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        orig_image_ref: &str,
        image_ref: &str,
        injected_files: &[String],
        new_pass: &str,
        orig_sys_metadata: &[String],
        bdms: &[String],
        recreate: bool,
        on_shared_storage: bool,
        preserve_ephemeral: bool,
        migration: Option<Migration>,
        #[rpc(name = "scheduled_node")] node: Option<&str>,
        limits: &Limits,
        request_spec: &RequestSpec,
        #[rpc(since = "5.12", default, lossy)] accel_uuids: &[String],
        #[rpc(since = "6.1", default)] reimage_boot_volume: bool,
        #[rpc(since = "6.2")] target_state: Option<&str>,
    );

    /// Whether a guest could move here while it runs.
    #[rpc(routing(destination: &str), server = destination)]
    async fn check_can_live_migrate_destination(
        &self,
        ctx: &Context,
        instance: &Instance,
        block_migration: Option<bool>,
        disk_over_commit: Option<bool>,
        #[rpc(since = "5.3", lossy)] migration: Option<Migration>,
        #[rpc(since = "5.3", lossy)] limits: Option<Limits>,
    ) -> Result<MigrateData, Never>;

    /// Prepares the host that a running guest moves to.
    #[rpc(
        timeout = "30m",
        routing(host: &str),
        server = host,
        removed(block_migration: Option<bool> = None, until = "6.0")
    )]
    async fn pre_live_migration(
        &self,
        ctx: &Context,
        instance: &Instance,
        disk: &str,
        migrate_data: &MigrateData,
    ) -> Result<MigrateData, Never>;

    /// Finds room for a guest of another size.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn prep_resize(
        &self,
        ctx: &Context,
        image: &str,
        instance: &Instance,
        #[rpc(was(name = "instance_type", until = "6.0"))] flavor: &Flavor,
        #[rpc(was(type = LegacyRequestSpec, until = "5.1"))] request_spec: &RequestSpec,
        filter_properties: &[String],
        node: Option<&str>,
        clean_shutdown: bool,
        migration: &Migration,
        host_list: &[String],
    );

    /// Sends a guest to the host that has room for it.
    #[rpc(cast, server = &instance.host)]
    async fn resize_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: &str,
        migration: &Migration,
        #[rpc(was(name = "instance_type", until = "6.0"))] flavor: &Flavor,
        clean_shutdown: bool,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Starts a guest in its new size.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn finish_resize(
        &self,
        ctx: &Context,
        disk_info: &str,
        image: &str,
        instance: &Instance,
        migration: &Migration,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Forgets what a guest was before it was resized. Both called and cast.
    #[rpc(routing(host: Option<&str>), server = host.unwrap_or(&instance.host))]
    async fn confirm_resize(&self, ctx: &Context, instance: &Instance, migration: &Migration);

    /// Takes a guest back to what it was.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn revert_resize(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Takes a guest back to where it was.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn finish_revert_resize(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Whether a guest's disks are seen from this host.
    #[rpc(
        routing(instance: Option<&Instance>, host: Option<&str>),
        server = host.or(instance.map(|instance| &*instance.host)),
        removed(instance: Option<&Instance> = instance, until = "6.0")
    )]
    async fn check_instance_shared_storage(&self, ctx: &Context, data: &str) -> bool;

    /// Puts a guest aside as an image. With accelerators only where that is known to work.
    #[rpc(cast, server = &instance.host)]
    async fn shelve_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image_id: Option<&str>,
        clean_shutdown: bool,
        #[rpc(since = "5.13", default)] accel_uuids: &[String],
    );

    /// Takes a guest that was put aside off its host.
    #[rpc(cast, server = &instance.host)]
    async fn shelve_offload_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        clean_shutdown: bool,
        #[rpc(since = "5.13", default, lossy)] accel_uuids: &[String],
    );

    /// Brings a guest back that was put aside.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn unshelve_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: Option<&str>,
        filter_properties: &[String],
        node: Option<&str>,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
        #[rpc(since = "5.13", default, lossy)] accel_uuids: &[String],
    );

    /// Fetches images before they are needed.
    #[rpc(since = "5.4", timeout = "30m", routing(host: &str), server = host)]
    async fn cache_images(&self, ctx: &Context, image_ids: &[String]);

    /// Reserves what a guest from another cell will need.
    #[rpc(
        since = "5.5",
        timeout = "30m",
        routing(request_spec: &RequestSpec, destination: &str),
        server = destination,
        removed(request_spec: &RequestSpec = request_spec, until = "6.0")
    )]
    async fn prep_snapshot_based_resize_at_dest(
        &self,
        ctx: &Context,
        instance: &Instance,
        flavor: &Flavor,
        nodename: &str,
        migration: &Migration,
        limits: &Limits,
    ) -> Result<MigrationContext, Never>;

    /// Starts a guest that came from another cell.
    #[rpc(
        since = "5.7",
        timeout = "30m",
        routing(request_spec: &RequestSpec),
        server = &migration.dest_compute,
        removed(request_spec: &RequestSpec = request_spec, until = "6.0")
    )]
    async fn finish_snapshot_based_resize_at_dest(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        snapshot_id: &str,
    );

    /// Takes a volume off this host.
    #[rpc(routing(host: &str), server = host)]
    async fn remove_volume_connection(
        &self,
        ctx: &Context,
        instance: &Instance,
        volume_id: &str,
        #[rpc(since = "6.3", default, lossy)] delete_attachment: bool,
    );

    /// Adds a host to an aggregate. There was no need for it any more in 6.0.
    #[rpc(cast, until = "6.0", routing(to: &str), server = to)]
    async fn add_aggregate_host(&self, ctx: &Context, aggregate: &str, host: &str);

    /// Lets a guest mount a share.
    #[rpc(cast, since = "6.4", server = &instance.host)]
    async fn allow_share(&self, ctx: &Context, instance: &Instance, share_mapping: &ShareMapping);

    /// Takes a share away from a guest.
    #[rpc(cast, since = "6.4", server = &instance.host)]
    async fn deny_share(&self, ctx: &Context, instance: &Instance, share_mapping: &ShareMapping);
}
}
