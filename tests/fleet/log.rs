//! The log of a server: the id of each request that it ran, eight bytes each.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// A log that is being written.
pub(crate) struct Log(File);

impl Log {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .map(Self)
    }

    /// Runs a request: some calls and casts take a while, so that there is always something to finish when a server is told to stop.
    pub(crate) async fn ran(&self, id: u64) {
        if matches!(id % 16, 3 | 11) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // one write, so that a killed process leaves no half of an id; a panic reaches the caller as an error
        let written = (&self.0).write(&id.to_le_bytes());
        assert_eq!(written.expect("the log can be written"), 8);
    }
}

/// The ids in a log.
pub(crate) fn read(path: &Path) -> Result<Vec<u64>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (ids, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{} ends within an id", path.display()));
    }
    Ok(ids.iter().map(|id| u64::from_le_bytes(*id)).collect())
}
