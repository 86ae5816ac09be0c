//! The calls of the matrix: each as a caller writes it, once, whatever the fleet speaks.

use crate::api::ComputeClient;
use crate::types::{Flavor, Instance, Limits, MigrateData, Migration, RequestSpec, ShareMapping};
use rpc_core::{CallError, Context, Never, RpcError, Target, version};

/// What comes of a message.
pub type Sent = std::pin::Pin<Box<dyn Future<Output = Result<(), RpcError>>>>;

/// One call.
pub struct Row {
    pub what: &'static str,
    /// Whether it goes to `compute-alt` where there is that topic.
    pub is_alt: bool,
    pub send: fn(&Caller<'_>) -> Sent,
}

const fn row(what: &'static str, send: fn(&Caller<'_>) -> Sent) -> Row {
    Row {
        what,
        is_alt: false,
        send,
    }
}

const fn alt(what: &'static str, send: fn(&Caller<'_>) -> Sent) -> Row {
    Row {
        what,
        is_alt: true,
        send,
    }
}

/// Who calls, and what about.
pub struct Caller<'a> {
    pub client: &'a ComputeClient,
    pub ctx: Context,
    pub host: &'a str,
    pub instance: Instance,
    pub migration: Migration,
    pub flavor: Flavor,
    pub spec: RequestSpec,
    pub limits: Limits,
}

impl<'a> Caller<'a> {
    pub fn new(client: &'a ComputeClient, host: &'a str) -> Self {
        Self {
            client,
            ctx: Context::new(),
            host,
            instance: Instance {
                uuid: "i-1".into(),
                host: host.into(),
            },
            migration: Migration {
                id: 7,
                source_compute: host.into(),
                dest_compute: host.into(),
            },
            flavor: Flavor {
                name: "m1.small".into(),
            },
            spec: RequestSpec {
                flavor: "m1.small".into(),
                instances: 1,
            },
            limits: Limits { vcpu: 4 },
        }
    }

    /// Twelve of nova's methods go to a second topic where there is one. That came with 6.5, so it is for those who know that
    /// everybody is there.
    fn alt(&self) -> ComputeClient {
        match self.client.rpc().is_at_least(version!("6.5")) {
            true => self
                .client
                .prepare(|call| call.target(Target::topic("compute-alt"))),
            false => self.client.clone(),
        }
    }

    fn rebuild(&self, accel_uuids: &[String]) -> crate::api::ComputeRebuildInstanceCast {
        self.client.rebuild_instance(
            &self.ctx,
            &self.instance,
            "old",
            "new",
            &[],
            "secret",
            &[],
            &[],
            false,
            false,
            true,
            Some(self.migration.clone()),
            None,
            &self.limits,
            &self.spec,
            accel_uuids,
            None,
        )
    }
}

fn gpu() -> Vec<String> {
    vec!["gpu-1".into()]
}

fn called<R>(call: impl Future<Output = Result<R, CallError<Never>>> + 'static) -> Sent {
    Box::pin(async move {
        match call.await {
            Ok(_) => Ok(()),
            Err(CallError::Rpc(error)) => Err(error),
            Err(CallError::Method(never)) => match never {},
        }
    })
}

pub const ROWS: [Row; 24] = [
    row("rebuild_instance", |c| Box::pin(c.rebuild(&[]))),
    row("rebuild_instance, with accelerators", |c| {
        Box::pin(c.rebuild(&gpu()))
    }),
    row("rebuild_instance, with reimage_boot_volume", |c| {
        Box::pin(c.rebuild(&[]).reimage_boot_volume(true))
    }),
    row("rebuild_instance, with target_state", |c| {
        Box::pin(c.rebuild(&[]).target_state(Some("stopped")))
    }),
    row("build_and_run_instance, with accelerators", |c| {
        Box::pin(c.client.build_and_run_instance(
            &c.ctx,
            &c.instance,
            "image",
            &c.spec,
            &[],
            None,
            &[],
            &[],
            &[],
            &[],
            None,
            &c.limits,
            &[],
            &gpu(),
            c.host,
        ))
    }),
    row("shelve_instance, with accelerators", |c| {
        Box::pin(
            c.client
                .shelve_instance(&c.ctx, &c.instance, None, true, &gpu()),
        )
    }),
    row("shelve_offload_instance, with accelerators", |c| {
        Box::pin(
            c.client
                .shelve_offload_instance(&c.ctx, &c.instance, true, &gpu()),
        )
    }),
    row(
        "unshelve_instance, with a request_spec and accelerators",
        |c| {
            let spec = Some(c.spec.clone());
            Box::pin(c.client.unshelve_instance(
                &c.ctx,
                &c.instance,
                None,
                &[],
                None,
                spec,
                &gpu(),
                c.host,
            ))
        },
    ),
    row("prep_resize", |c| {
        Box::pin(c.client.prep_resize(
            &c.ctx,
            "image",
            &c.instance,
            &c.flavor,
            &c.spec,
            &[],
            None,
            true,
            &c.migration,
            &[],
            c.host,
        ))
    }),
    alt("resize_instance", |c| {
        let spec = Some(c.spec.clone());
        Box::pin(c.alt().resize_instance(
            &c.ctx,
            &c.instance,
            "image",
            &c.migration,
            &c.flavor,
            true,
            spec,
        ))
    }),
    alt("finish_resize", |c| {
        let spec = Some(c.spec.clone());
        Box::pin(c.alt().finish_resize(
            &c.ctx,
            "disk",
            "image",
            &c.instance,
            &c.migration,
            spec,
            c.host,
        ))
    }),
    row("confirm_resize, called", |c| {
        called(
            c.client
                .confirm_resize(&c.ctx, &c.instance, &c.migration, None),
        )
    }),
    row("confirm_resize, cast", |c| {
        Box::pin(
            c.client
                .confirm_resize(&c.ctx, &c.instance, &c.migration, None)
                .cast(),
        )
    }),
    row("revert_resize", |c| {
        let spec = Some(c.spec.clone());
        Box::pin(
            c.client
                .revert_resize(&c.ctx, &c.instance, &c.migration, spec, c.host),
        )
    }),
    alt("finish_revert_resize", |c| {
        let spec = Some(c.spec.clone());
        Box::pin(
            c.alt()
                .finish_revert_resize(&c.ctx, &c.instance, &c.migration, spec, c.host),
        )
    }),
    row("check_can_live_migrate_destination", |c| {
        let (migration, limits) = (Some(c.migration.clone()), Some(c.limits.clone()));
        called(c.client.check_can_live_migrate_destination(
            &c.ctx,
            &c.instance,
            None,
            None,
            migration,
            limits,
            c.host,
        ))
    }),
    alt("pre_live_migration", |c| {
        let data = MigrateData {
            block_migration: true,
        };
        called(
            c.alt()
                .pre_live_migration(&c.ctx, &c.instance, "disk", &data, c.host),
        )
    }),
    alt("check_instance_shared_storage", |c| {
        called(
            c.alt()
                .check_instance_shared_storage(&c.ctx, "path", Some(&c.instance), None),
        )
    }),
    row("prep_snapshot_based_resize_at_dest", |c| {
        called(c.client.prep_snapshot_based_resize_at_dest(
            &c.ctx,
            &c.instance,
            &c.flavor,
            "node",
            &c.migration,
            &c.limits,
            &c.spec,
            c.host,
        ))
    }),
    row("cache_images", |c| {
        called(c.client.cache_images(&c.ctx, &["image".into()], c.host))
    }),
    alt("remove_volume_connection, with delete_attachment", |c| {
        called(
            c.alt()
                .remove_volume_connection(&c.ctx, &c.instance, "v-1", c.host)
                .delete_attachment(true),
        )
    }),
    row("add_aggregate_host", |c| {
        Box::pin(
            c.client
                .add_aggregate_host(&c.ctx, "aggregate", "host", c.host),
        )
    }),
    row("allow_share", |c| {
        let share = ShareMapping {
            share_id: "s-1".into(),
        };
        Box::pin(c.client.allow_share(&c.ctx, &c.instance, &share))
    }),
    row("deny_share", |c| {
        let share = ShareMapping {
            share_id: "s-1".into(),
        };
        Box::pin(c.client.deny_share(&c.ctx, &c.instance, &share))
    }),
];
