//! What was an object or a dictionary, by version.

use crate::types::{Flavor, Instance};
use serde::{Deserialize, Serialize};

/// A flavor as it was sent before 4.1.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FlavorPrimitive {
    flavor_name: String,
}

impl From<&Flavor> for FlavorPrimitive {
    fn from(flavor: &Flavor) -> Self {
        Self {
            flavor_name: flavor.name.clone(),
        }
    }
}

impl From<FlavorPrimitive> for Flavor {
    fn from(primitive: FlavorPrimitive) -> Self {
        Self {
            name: primitive.flavor_name,
        }
    }
}

/// A guest as it was sent to `get_instance_diagnostics` before 4.13.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InstancePrimitive {
    id: String,
    on: String,
}

impl From<&Instance> for InstancePrimitive {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.uuid.clone(),
            on: instance.host.clone(),
        }
    }
}

impl From<InstancePrimitive> for Instance {
    fn from(primitive: InstancePrimitive) -> Self {
        Self {
            uuid: primitive.id,
            host: primitive.on,
        }
    }
}

/// What the hosts of a live migration tell each other, from 4.8 on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MigrateData {
    pub(crate) block_migration: bool,
    pub(crate) graphics: Option<String>,
}

/// The same, or nothing. A type of its own, because `Option<Old>` cannot be made from `&Option<New>`: neither is ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MaybeMigrateData(pub(crate) Option<MigrateData>);

/// The dictionary of before.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MigrateDict {
    block: bool,
}

impl From<&MigrateData> for MigrateDict {
    fn from(data: &MigrateData) -> Self {
        Self {
            block: data.block_migration,
        }
    }
}

impl From<MigrateDict> for MigrateData {
    fn from(dict: MigrateDict) -> Self {
        Self {
            block_migration: dict.block,
            graphics: None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MaybeMigrateDict(Option<MigrateDict>);

impl From<&MaybeMigrateData> for MaybeMigrateDict {
    fn from(data: &MaybeMigrateData) -> Self {
        Self(data.0.as_ref().map(MigrateDict::from))
    }
}

impl From<MaybeMigrateDict> for MaybeMigrateData {
    fn from(dict: MaybeMigrateDict) -> Self {
        Self(dict.0.map(MigrateData::from))
    }
}

/// The dictionary that `live_migration` sent, which had the answer of `pre_live_migration` in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MaybeMigrateDictWithResult(Option<MigrateDictWithResult>);

#[derive(Debug, Serialize, Deserialize)]
struct MigrateDictWithResult {
    block: bool,
    pre_live_migration_result: PreLiveResult,
}

impl From<&MaybeMigrateData> for MaybeMigrateDictWithResult {
    fn from(data: &MaybeMigrateData) -> Self {
        Self(data.0.as_ref().map(|data| MigrateDictWithResult {
            block: data.block_migration,
            pre_live_migration_result: PreLiveResult::from(data),
        }))
    }
}

impl From<MaybeMigrateDictWithResult> for MaybeMigrateData {
    fn from(dict: MaybeMigrateDictWithResult) -> Self {
        Self(dict.0.map(|dict| MigrateData {
            block_migration: dict.block,
            ..dict.pre_live_migration_result.into()
        }))
    }
}

/// What `pre_live_migration` answered before 4.8: only what it had found out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PreLiveResult {
    graphics_listen: Option<String>,
}

impl From<&MigrateData> for PreLiveResult {
    fn from(data: &MigrateData) -> Self {
        Self {
            graphics_listen: data.graphics.clone(),
        }
    }
}

impl From<PreLiveResult> for MigrateData {
    fn from(result: PreLiveResult) -> Self {
        Self {
            graphics: result.graphics_listen,
            ..Self::default()
        }
    }
}

/// What a guest does, from 4.14 on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Diagnostics {
    pub(crate) state: String,
}

/// What it did before: nobody has ever read it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DiagnosticsDict {
    vm_state: String,
}

impl From<&Diagnostics> for DiagnosticsDict {
    fn from(diagnostics: &Diagnostics) -> Self {
        Self {
            vm_state: diagnostics.state.clone(),
        }
    }
}

/// A disk that a name is kept for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct BlockDevice {
    pub(crate) device_name: String,
}
