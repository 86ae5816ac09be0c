//! Makes a pair of keys: `rpc-zmq-keygen /etc/rpc/node.key` writes the secret one into a new file that only its owner can read,
//! and prints the public one, for the lists of the others.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        let _ = writeln!(
            std::io::stderr(),
            "usage: rpc-zmq-keygen FILE\nwrites a new secret key into FILE and prints its public key"
        );
        return ExitCode::from(2);
    };
    let path = Path::new(&path);
    let key = rpc_zmq::SecretKey::generate();
    let written = key
        .write(path)
        .and_then(|()| writeln!(std::io::stdout(), "{}", key.public_key()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
