//! Properties of the whole: what must hold whatever is asked, in whatever order, and wherever the process dies.
//!
//! Reading order: [`naive`] (the rules once more, in the plainest way), [`commands`] (random histories from a seed),
//! [`coverage`] (what such histories have reached), [`agreement`] (engine and naive model side by side), [`shrink`]
//! (the short form of a history that fails), [`ledger`] (what callers were told) and [`world`] (a shard on a disk that
//! fails). Below the log, on real files: [`receipts`] (what was acknowledged, and whether it is there), [`appender`] (the
//! process that appends until it dies), [`keeping`] (its backups), [`disk`] and [`volume`] (what its files are on), [`strace`] (faults at its system
//! calls). The properties themselves are in `tests/`.
//!
//! Nothing here is imported by a product crate, and nothing here is fast.

#![expect(clippy::unwrap_used, reason = "all of this is test code: what is not as it must be ends the test")]

use std::io::Write as _;

pub mod agreement;
pub mod appender;
pub mod commands;
pub mod coverage;
pub mod disk;
pub mod keeping;
pub mod ledger;
pub mod naive;
pub mod receipts;
pub mod shrink;
pub mod strace;
pub mod volume;
pub mod world;

/// Between its fork and its exec a child has the locks of this process. Whoever opens a data directory here reads this
/// meanwhile, and whoever starts a child writes it: nobody finds a directory in use that nobody uses.
pub(crate) static FORKS: parking_lot::RwLock<()> = parking_lot::RwLock::new(());

/// A new directory in memory where there is such a place: for processes that die there, not machines.
///
/// # Panics
/// When there is no room.
#[must_use]
pub fn fast_directory() -> tempfile::TempDir {
    let in_memory = std::path::Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }.unwrap()
}

/// Says that a test did not run, and why; also where the output of tests that pass is swallowed.
pub fn skipped(why: &str) {
    // Nobody to tell is no failure of the test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// A number from the environment, or `default` when the variable is not set.
///
/// # Panics
/// When the variable is no number.
#[must_use]
pub fn number_from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number, is {text:?}")),
        Err(_) => default,
    }
}
