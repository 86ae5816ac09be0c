//! Output. A reader that went away, as in `cargo xtask ci | head`, is no reason to fail.

use std::io::{self, Write};

/// One line to standard output.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Bytes as they are to standard output, at once.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// What went wrong, to standard error.
pub(crate) fn problem(text: &str) {
    let _ = writeln!(io::stderr().lock(), "\nerror: {text}");
}
