//! Nova's compute API as it was in Queens.

use super::types::{
    BlockDevice, Diagnostics, DiagnosticsDict, FlavorPrimitive, InstancePrimitive,
    MaybeMigrateData, MaybeMigrateDict, MaybeMigrateDictWithResult, MigrateData, MigrateDict,
    PreLiveResult,
};
use crate::node::Node;
use crate::types::{Flavor, Instance, Limits, Migration, RequestSpec};
use rpc_core::{Context, Never, rpc_api};

crate::served_by_node! {
/// Runs the guests of one host.
#[rpc_api(
    version = "5.0",
    also = "4.22",
    topic = "compute",
    aliases(kilo = "4.0", liberty = "4.5", mitaka = "4.11", newton = "4.13", ocata = "4.13", pike = "4.17", queens = "5.0")
)]
pub(crate) trait Compute {
    /// Case 1.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn live_migration(
        &self,
        ctx: &Context,
        instance: &Instance,
        dest: &str,
        block_migration: bool,
        #[rpc(was(type = MaybeMigrateDictWithResult, until = "4.8"))] migrate_data: &MaybeMigrateData,
        #[rpc(since = "4.2", lossy)] migration: Option<Migration>,
    );

    /// Case 2.
    #[rpc(cast, routing(host: Option<&str>), server = host.unwrap_or(&instance.host))]
    async fn rebuild_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image_ref: &str,
        preserve_ephemeral: bool,
        #[rpc(since = "4.5", lossy)] migration: Option<Migration>,
        #[rpc(since = "4.5", lossy, name = "scheduled_node")] node: Option<&str>,
        #[rpc(since = "4.5", lossy)] limits: Option<Limits>,
        #[rpc(since = "4.22", lossy)] request_spec: Option<RequestSpec>,
    );

    /// Case 3.
    #[rpc(cast, server = &instance.host)]
    async fn detach_volume(
        &self,
        ctx: &Context,
        instance: &Instance,
        volume_id: &str,
        #[rpc(since = "4.7", lossy)] attachment_id: Option<&str>,
    );

    /// Case 4.
    #[rpc(routing(host: &str), server = host, returned(type = PreLiveResult, until = "4.8"))]
    async fn pre_live_migration(
        &self,
        ctx: &Context,
        instance: &Instance,
        block_migration: bool,
        disk: &str,
        #[rpc(was(type = MaybeMigrateDict, until = "4.8"))] migrate_data: &MaybeMigrateData,
    ) -> Result<MigrateData, Never>;

    /// Case 4.
    #[rpc(server = &instance.host, returned(type = MigrateDict, until = "4.8"))]
    async fn check_can_live_migrate_source(
        &self,
        ctx: &Context,
        instance: &Instance,
        #[rpc(was(type = MigrateDict, until = "4.8"))] dest_check_data: &MigrateData,
    ) -> Result<MigrateData, Never>;

    /// Case 4.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn rollback_live_migration_at_destination(
        &self,
        ctx: &Context,
        instance: &Instance,
        destroy_disks: bool,
        #[rpc(was(type = MaybeMigrateDict, until = "4.8"))] migrate_data: &MaybeMigrateData,
    );

    /// Case 5.
    #[rpc(routing(destination: &str), server = destination, returned(type = MigrateDict, until = "4.8"))]
    async fn check_can_live_migrate_destination(
        &self,
        ctx: &Context,
        instance: &Instance,
        #[rpc(values(None = "4.11"))] block_migration: Option<bool>,
        #[rpc(values(None = "4.11"))] disk_over_commit: Option<bool>,
    ) -> Result<MigrateData, Never>;

    /// Case 6.
    #[rpc(
        cast,
        since = "4.9",
        routing(migration: &Migration),
        server = &migration.source_compute,
        removed(migration_id: u64 = migration.id, until = "4.12")
    )]
    async fn live_migration_force_complete(&self, ctx: &Context, instance: &Instance);

    /// Case 7.
    #[rpc(server = &instance.host, returned(type = DiagnosticsDict, until = "4.14", one_way))]
    async fn get_instance_diagnostics(
        &self,
        ctx: &Context,
        #[rpc(was(type = InstancePrimitive, until = "4.13"))] instance: &Instance,
    ) -> Result<Diagnostics, Never>;

    /// Case 8.
    #[rpc(server = &instance.host)]
    async fn reserve_block_device_name(
        &self,
        ctx: &Context,
        instance: &Instance,
        device: &str,
        volume_id: &str,
        #[rpc(since = "4.15")] tag: Option<&str>,
        #[rpc(since = "4.20", default)] multiattach: bool,
    ) -> Result<BlockDevice, Never>;

    /// Case 9.
    #[rpc(server = &instance.host)]
    async fn attach_interface(
        &self,
        ctx: &Context,
        instance: &Instance,
        network_id: &str,
        port_id: &str,
        requested_ip: Option<&str>,
        #[rpc(since = "4.16")] tag: Option<&str>,
    ) -> bool;

    /// Case 10.
    #[rpc(cast, server = &instance.host)]
    async fn swap_volume(
        &self,
        ctx: &Context,
        instance: &Instance,
        old_volume_id: &str,
        new_volume_id: &str,
        #[rpc(since = "4.17", lossy)] new_attachment_id: Option<&str>,
    );

    /// Case 11.
    #[rpc(cast, routing(host: &str), server = host, removed(reservations: Option<Vec<String>> = None, until = "5.0"))]
    async fn prep_resize(
        &self,
        ctx: &Context,
        image: &str,
        instance: &Instance,
        #[rpc(was(type = FlavorPrimitive, until = "4.1"))] instance_type: &Flavor,
        request_spec: &[String],
        filter_properties: &[String],
        node: Option<&str>,
        #[rpc(since = "4.18", lossy)] migration: Option<Migration>,
        clean_shutdown: bool,
        #[rpc(since = "4.21", lossy)] host_list: Option<Vec<String>>,
    );

    /// Case 12.
    #[rpc(
        routing(host: Option<&str>),
        server = host.unwrap_or(&instance.host),
        removed(reservations: Option<Vec<String>> = None, until = "5.0")
    )]
    async fn confirm_resize(&self, ctx: &Context, instance: &Instance, migration: &Migration);

    /// Case 12.
    #[rpc(cast, server = &instance.host, removed(reservations: Option<Vec<String>> = None, until = "5.0"))]
    async fn terminate_instance(&self, ctx: &Context, instance: &Instance, bdms: &[String]);

    /// Case 12.
    #[rpc(cast, server = &instance.host, removed(reservations: Option<Vec<String>> = None, until = "5.0"))]
    async fn soft_delete_instance(&self, ctx: &Context, instance: &Instance);

    /// Case 12.
    #[rpc(cast, server = &instance.host, removed(reservations: Option<Vec<String>> = None, until = "5.0"))]
    async fn resize_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        migration: &Migration,
        image: &str,
        #[rpc(was(type = FlavorPrimitive, until = "4.1"))] instance_type: &Flavor,
        clean_shutdown: bool,
    );

    /// Case 14.
    #[rpc(cast, routing(host: &str), server = host)]
    async fn build_and_run_instance(
        &self,
        ctx: &Context,
        instance: &Instance,
        image: &str,
        limits: Option<Limits>,
        #[rpc(since = "4.19", lossy)] host_list: Option<Vec<String>>,
    );

    /// Case 18, as it was before.
    #[rpc(cast, since = "4.6", server = &instance.host)]
    async fn trigger_crash_dump(&self, ctx: &Context, instance: &Instance);

    /// Case 22: a cast once.
    #[rpc(routing(host: &str), server = host)]
    async fn post_live_migration_at_destination(&self, ctx: &Context, instance: &Instance, block_migration: bool);
}
}
