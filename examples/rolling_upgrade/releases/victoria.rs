//! The API as it was in Victoria, of 2020.

use crate::node::Node;
use crate::types::{
    Flavor, Instance, LegacyRequestSpec, Limits, MigrateData, Migration, MigrationContext,
    RequestSpec,
};
use rpc_core::{Context, Never, rpc_api};

crate::served_by_node! {
/// Runs the guests of one host.
#[rpc_api(version = "5.12", topic = "compute")]
pub trait Compute {
    /// Starts a guest.
    #[rpc(cast)]
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
    #[rpc(cast)]
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
    );

    /// Whether a guest could move here while it runs.
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
    async fn pre_live_migration(
        &self,
        ctx: &Context,
        instance: &Instance,
        disk: &str,
        migrate_data: &MigrateData,
        block_migration: Option<bool>,
    ) -> Result<MigrateData, Never>;

    /// Finds room for a guest of another size.
    #[rpc(cast)]
    async fn prep_resize(
        &self,
        ctx: &Context,
        image: &str,
        instance: &Instance,
        instance_type: &Flavor,
        #[rpc(was(type = LegacyRequestSpec, until = "5.1"))] request_spec: &RequestSpec,
        filter_properties: &[String],
        node: Option<&str>,
        clean_shutdown: bool,
        migration: &Migration,
        host_list: &[String],
    );

    /// Sends a guest to the host that has room for it.
    #[rpc(cast)]
    async fn resize_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: &str,
        migration: &Migration,
        instance_type: &Flavor,
        clean_shutdown: bool,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Starts a guest in its new size.
    #[rpc(cast)]
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
    async fn confirm_resize(&self, ctx: &Context, instance: &Instance, migration: &Migration);

    /// Takes a guest back to what it was.
    #[rpc(cast)]
    async fn revert_resize(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Takes a guest back to where it was.
    #[rpc(cast)]
    async fn finish_revert_resize(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Whether a guest's disks are seen from this host.
    async fn check_instance_shared_storage(&self, ctx: &Context, data: &str, instance: Option<Instance>) -> bool;

    /// Puts a guest aside as an image. With accelerators only where that is known to work.
    #[rpc(cast)]
    async fn shelve_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image_id: Option<&str>,
        clean_shutdown: bool,
    );

    /// Takes a guest that was put aside off its host.
    #[rpc(cast)]
    async fn shelve_offload_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        clean_shutdown: bool,
    );

    /// Brings a guest back that was put aside.
    #[rpc(cast)]
    async fn unshelve_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: Option<&str>,
        filter_properties: &[String],
        node: Option<&str>,
        #[rpc(since = "5.2", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Fetches images before they are needed.
    #[rpc(since = "5.4")]
    async fn cache_images(&self, ctx: &Context, image_ids: &[String]);

    /// Reserves what a guest from another cell will need.
    #[rpc(since = "5.5")]
    async fn prep_snapshot_based_resize_at_dest(
        &self,
        ctx: &Context,
        instance: &Instance,
        flavor: &Flavor,
        nodename: &str,
        migration: &Migration,
        limits: &Limits,
        request_spec: &RequestSpec,
    ) -> Result<MigrationContext, Never>;

    /// Starts a guest that came from another cell.
    #[rpc(since = "5.7")]
    async fn finish_snapshot_based_resize_at_dest(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        snapshot_id: &str,
        request_spec: &RequestSpec,
    );

    /// Takes a volume off this host.
    async fn remove_volume_connection(
        &self,
        ctx: &Context,
        instance: &Instance,
        volume_id: &str,
    );

    /// Adds a host to an aggregate.
    #[rpc(cast)]
    async fn add_aggregate_host(&self, ctx: &Context, aggregate: &str, host: &str);
}
}
