//! Makes a pair of keys: `rpc-zmq-keygen /etc/rpc/node.key` writes the secret one into a new file that only its owner can read,
//! and prints the public one, for the lists of the others. `rpc-zmq-keygen --public /etc/rpc/node.key` prints that again.

use rpc_zmq::SecretKey;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: rpc-zmq-keygen FILE\nwrites a new secret key into FILE, which must not exist, and prints its public key\n\n       rpc-zmq-keygen --public FILE\nprints the public key of the secret key in FILE";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (path, key) = match &arguments[..] {
        [word, path] if word == "--public" => (path, SecretKey::read(Path::new(path))),
        [path] if !path.to_string_lossy().starts_with('-') => (path, make(Path::new(path))),
        _ => {
            let _ = writeln!(io::stderr(), "{USAGE}");
            return ExitCode::from(2);
        }
    };
    let printed = key.and_then(|key| writeln!(io::stdout(), "{}", key.public_key()));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let path = Path::new(path).display();
            let _ = writeln!(io::stderr(), "{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(path: &Path) -> io::Result<SecretKey> {
    let key = SecretKey::generate();
    key.write(path)?;
    Ok(key)
}
