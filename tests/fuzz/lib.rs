//! What the fuzz targets do with bytes: one function a target. It panics when something is wrong.
//!
//! The programs of `fuzz/` make up the bytes; the test `corpus` replays those that are kept in `fuzz/corpus`. A target that is added
//! gets a line in [`TARGETS`] and a program.

mod codec;
mod frames;
mod links;
mod text;
mod zmtp;

pub use links::Ends;

/// What is done with some bytes.
type Target = fn(&[u8]);

/// The name of each target, and what it does.
pub const TARGETS: [(&str, Target); 7] = [
    ("codec", codec::codec),
    ("curve", zmtp::curve),
    ("frames_to_a_client", frames::to_a_client),
    ("frames_to_a_node", frames::to_a_node),
    ("urls", text::urls),
    ("versions", text::versions),
    ("zmtp", zmtp::connection),
];

/// Does what a target does with these bytes.
///
/// # Panics
///
/// When something is wrong, or there is no such target.
pub fn run(target: &str, bytes: &[u8]) {
    let known = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, run) = known.expect("a target of this name");
    run(bytes);
}
