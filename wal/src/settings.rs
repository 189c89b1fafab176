//! What whoever opens a store decides: how durable `Ok` is, and how much of the disk is left alone.
//!
//! It only names the choices; `rocks` acts on them.

use std::fmt;

/// What an append waits for before it returns `Ok`. There is nothing weaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// An fsync: what was answered survives the end of the process, of the operating system, and of the power.
    #[default]
    Fsync,
    /// The operating system has the frame: what was answered survives the end of the process. When the machine stops, the
    /// answers of the last seconds are lost; the watermark, which is synced all the same, then refuses the log.
    Os,
}

impl fmt::Display for Durability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fsync => "fsync",
            Self::Os => "os",
        })
    }
}

/// The settings of an open store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// What `Ok` means.
    pub durability: Durability,
    /// Bytes of the file system that are left free: with less, [`Log::check_writable`](crate::Log::check_writable)
    /// refuses. 0 is no reserve.
    pub disk_reserve_bytes: u64,
}

impl StoreOptions {
    /// What was taken already may still have to be written a second time, a memtable of 256 MiB at most, and in the 100 ms
    /// between two looks a fast disk takes 100 MB. The rest is for the snapshots after which the log can be trimmed, which
    /// is how a disk that the log has filled gets room again.
    pub const DISK_RESERVE_BYTES: u64 = 512 * 1024 * 1024;
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { durability: Durability::default(), disk_reserve_bytes: Self::DISK_RESERVE_BYTES }
    }
}
