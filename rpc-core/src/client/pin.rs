//! What the type of a generated client says of the version that its servers speak.

use super::{Client, IntoVersion};
use crate::Version;
use std::sync::Arc;

/// What the type of a generated client says of the servers' version: nothing. What may be sent is decided at run time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dynamic;

/// What the type of a pinned client says: nothing newer than this version is sent.
///
/// On a `ComputeClient<Pinned<2, 3>>`, methods and arguments that came with a later version of `Compute` do not compile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pinned<const MAJOR: u16, const MINOR: u16>;

impl Client {
    /// Whether messages of this version, or of this release, may be sent: as `can_send_version` of oslo.messaging.
    ///
    /// For what behaves otherwise from some version on. While no cap is known, `true` for every version that this client speaks;
    /// `false` for a text that is no version. `None` asks for a message that says no version: it may be sent while no cap is known.
    #[must_use]
    pub fn can_send_version(&self, version: impl IntoVersion) -> bool {
        let Ok(version) = version.into_version(self.api) else {
            return false;
        };
        match self.options.versions() {
            Ok((cap, _)) => match version {
                Some(version) => {
                    self.api.serves(version) && cap.is_none_or(|cap| cap.version.serves(version))
                }
                None => cap.is_none(),
            },
            Err(_) => false,
        }
    }

    /// Whether a cap is known, and lets this version through.
    #[must_use]
    pub fn is_at_least(&self, version: Version) -> bool {
        match self.options.versions() {
            Ok((cap, _)) => cap.is_some_and(|cap| cap.version.serves(version)),
            Err(_) => false,
        }
    }

    /// A client that sends nothing newer than this. It only lowers a cap.
    #[must_use]
    pub fn pin(&self, version: Version) -> Self {
        let mut options = (*self.options).clone();
        options.pin = Some(options.pin.map_or(version, |pin| pin.min(version)));
        Self {
            options: Arc::new(options),
            ..self.clone()
        }
    }
}
