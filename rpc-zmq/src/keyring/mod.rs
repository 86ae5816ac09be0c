//! The keys of this process: its own, and those of the others with what each may do.
//!
//! Both are in files. The list is read again when it changes, so that a key can be added or taken away while links are up.

mod holder;
mod listed;

pub(crate) use holder::Holder;
pub(crate) use listed::Listed;

use crate::curve::SecretKey;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often it is looked whether the list has changed.
const POLL: Duration = Duration::from_secs(2);

/// The keys of this process.
pub(crate) struct Keyring {
    own: SecretKey,
    path: PathBuf,
    listed: watch::Sender<Arc<Listed>>,
    /// What the file held when it was read last.
    seen: Mutex<Result<String, String>>,
}

impl Keyring {
    /// Reads both files. An error names the file.
    pub(crate) fn open(own: &Path, list: &Path) -> Result<Self, String> {
        let own = SecretKey::read(own).map_err(|error| format!("{}: {error}", own.display()))?;
        let text = read(list);
        let listed = parse(list, &text)?;
        Ok(Self {
            own,
            path: list.into(),
            listed: watch::Sender::new(Arc::new(listed)),
            seen: Mutex::new(text),
        })
    }

    /// With this list, which is in no file.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of(own: SecretKey, list: &str) -> Self {
        let listed = Listed::parse(list).expect("a list");
        Self {
            own,
            path: PathBuf::new(),
            listed: watch::Sender::new(Arc::new(listed)),
            seen: Mutex::new(Ok(list.into())),
        }
    }

    /// This process's own key.
    pub(crate) fn own(&self) -> &SecretKey {
        &self.own
    }

    /// The keys of the others, as they are listed now.
    pub(crate) fn listed(&self) -> Arc<Listed> {
        Arc::clone(&self.listed.borrow())
    }

    /// Tells of every list that comes after this one.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<Listed>> {
        self.listed.subscribe()
    }

    /// Reads the list again every other moment, for ever. A list that can't be read changes nothing, so that a slip of the pen
    /// does not stop a fleet: it is an error in the log, once.
    pub(crate) async fn follow(self: &Arc<Self>) {
        loop {
            tokio::time::sleep(POLL).await;
            let keyring = Arc::clone(self);
            let (tell, told) = oneshot::channel();
            // not one of the threads that handlers may block: a key is taken out also while they all are
            let reading = thread::Builder::new().spawn(move || tell.send(keyring.reload()));
            if reading.is_err() {
                continue;
            }
            match told.await {
                Ok(Ok(false)) | Err(_) => {}
                Ok(Ok(true)) => {
                    tracing::info!(name: "rpc.keys.reloaded", file = %self.path.display(), "the list of keys has changed");
                }
                Ok(Err(error)) => {
                    tracing::error!(name: "rpc.keys.unreadable", error, "the list of keys can't be read; the one before stays in force");
                }
            }
        }
    }

    /// Reads the list again. `true` if it says something else now.
    fn reload(&self) -> Result<bool, String> {
        // it is read while it is held, so that nobody brings back what they read before somebody else
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = read(&self.path);
        if text == *seen {
            return Ok(false);
        }
        let listed = parse(&self.path, &text);
        *seen = text;
        let listed = Arc::new(listed?);
        Ok(self.listed.send_if_modified(|before| {
            let changed = *before != listed;
            *before = listed;
            changed
        }))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("own", &self.own.public_key())
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn parse(path: &Path, text: &Result<String, String>) -> Result<Listed, String> {
    text.as_ref()
        .map_err(Clone::clone)
        .and_then(|text| Listed::parse(text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

impl SecretKey {
    /// Reads a key from a file that nobody but its owner can read.
    ///
    /// # Errors
    ///
    /// When the file can't be read, others can read it too (on Unix), or it holds no key.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = std::fs::File::open(path)?;
        private(&file)?;
        let text = io::read_to_string(file)?;
        text.trim()
            .parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Writes the key into a new file that nobody but its owner can read.
    ///
    /// # Errors
    ///
    /// When there is such a file, or it can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{}", self.reveal())?;
        file.sync_all()
    }
}

#[cfg(unix)]
fn private(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata()?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "others can read this secret key: `chmod 600` it, or make a new one",
    ))
}

#[cfg(not(unix))]
fn private(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rpc-zmq-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_secret_key_is_kept_from_others() {
        let folder = Folder::new("secret");
        let path = folder.0.join("node.key");
        let key = SecretKey::generate();
        key.write(&path).unwrap();
        assert_eq!(
            SecretKey::read(&path).unwrap().public_key(),
            key.public_key()
        );
        assert!(key.write(&path).is_err(), "a key was overwritten");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = SecretKey::read(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_list_that_changes_is_read_again() {
        let folder = Folder::new("list");
        let (own, list) = (folder.0.join("node.key"), folder.0.join("peers.toml"));
        SecretKey::generate().write(&own).unwrap();
        std::fs::write(&list, "").unwrap();
        let keyring = Keyring::open(&own, &list).unwrap();
        assert_eq!(keyring.reload(), Ok(false));

        let client = SecretKey::generate().public_key();
        let entry = format!("[[client]]\nkey = \"{client}\"\ntopics = [\"*\"]\n");
        std::fs::write(&list, &entry).unwrap();
        assert_eq!(keyring.reload(), Ok(true));
        assert!(keyring.listed().has_client(&client));

        // what can't be read changes nothing, and is told once
        std::fs::write(&list, "[[client]]").unwrap();
        assert!(keyring.reload().is_err());
        assert_eq!(keyring.reload(), Ok(false));
        assert!(keyring.listed().has_client(&client));

        std::fs::write(&list, "# nobody\n").unwrap();
        assert_eq!(keyring.reload(), Ok(true));
        assert!(!keyring.listed().has_client(&client));
    }
}
