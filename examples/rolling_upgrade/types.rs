//! What the messages hold: nova's objects, cut down to what the calls need.

use rpc_core::Never;
use serde::{Deserialize, Serialize};

/// A guest, and the host that it runs on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub uuid: String,
    pub host: String,
}

/// The way of a guest from one host to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    pub id: u64,
    pub source_compute: String,
    pub dest_compute: String,
}

/// How large a guest is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flavor {
    pub name: String,
}

/// What was asked for when a guest was scheduled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestSpec {
    pub flavor: String,
    pub instances: u32,
}

/// The same as a dictionary, as it was sent before 5.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegacyRequestSpec {
    pub instance_type: String,
    pub num_instances: u32,
}

impl From<&RequestSpec> for LegacyRequestSpec {
    fn from(spec: &RequestSpec) -> Self {
        Self {
            instance_type: spec.flavor.clone(),
            num_instances: spec.instances,
        }
    }
}

impl From<LegacyRequestSpec> for RequestSpec {
    fn from(legacy: LegacyRequestSpec) -> Self {
        Self {
            flavor: legacy.instance_type,
            instances: legacy.num_instances,
        }
    }
}

/// How much of a host may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub vcpu: u32,
}

/// What the two hosts of a live migration tell each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MigrateData {
    pub block_migration: bool,
}

/// What a migration has reserved on the host that it goes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MigrationContext {
    pub migration_id: u64,
}

/// A share that a guest mounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareMapping {
    pub share_id: String,
}

/// What a node answers here: it has no guests.
pub trait Nothing {
    fn nothing() -> Self;
}

impl Nothing for () {
    fn nothing() {}
}

impl Nothing for bool {
    fn nothing() -> Self {
        false
    }
}

impl<T: Default> Nothing for Result<T, Never> {
    fn nothing() -> Self {
        Ok(T::default())
    }
}
