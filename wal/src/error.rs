//! Every way in which a log can fail, with what an operator needs to know: shard, LSN, path and the remedy.
//!
//! These are faults, never answers to a buyer. Their texts are for people; code matches the variants.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{FrameError, FrameHash, Lsn, ReplayStop, ShardEpoch, ShardId};

/// A failed operation on a log or on its data directory.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named and explained by each variant's message")]
pub enum LogError {
    /// Another process, or another store of this one, has the directory open.
    #[error("{} is in use; stop the process that has it open, or name another data directory", dir.display())]
    InUse { dir: PathBuf },

    /// The directory holds something, and it is not ours.
    #[error(
        "{} is not empty and has no `format` file, so it is not a data directory; \
         name an empty one, or put back the missing file from a backup",
        dir.display()
    )]
    NotADataDirectory { dir: PathBuf },

    /// The directory was moved or removed while it was open.
    #[error(
        "{} is not the data directory any more that was opened: it was moved, removed or exchanged; start again on the one \
         that is meant",
        dir.display()
    )]
    Exchanged { dir: PathBuf },

    /// A part of the directory is gone. It is never made again: an empty log would look like an empty house.
    #[error("{} is missing from its data directory; restore the directory from a backup", path.display())]
    Missing { path: PathBuf },

    /// Its creation was interrupted, so nothing was ever acknowledged from it.
    #[error("the creation of {} was interrupted; open it for writing once, which creates it anew", dir.display())]
    Unfinished { dir: PathBuf },

    /// The `format` file does not read as one.
    #[error("{} does not read as a data directory's format; restore it from a backup", path.display())]
    Malformed { path: PathBuf },

    /// Written by a release that lays its directory out in another way.
    #[error("{} has format {found}, this release reads format {supported}; use the release that wrote it", dir.display())]
    UnknownFormat { dir: PathBuf, found: u32, supported: u32 },

    /// The number of shards is the directory's own.
    #[error("{} has {found} shards and is opened with {wanted}; configure {found}, or reshard it", dir.display())]
    ShardCount { dir: PathBuf, found: u32, wanted: u32 },

    /// More shards than one process may drive.
    #[error("{shards} shards are too many, at most {shards_max} share a store; configure fewer")]
    TooManyShards { shards: u32, shards_max: u32 },

    /// The store has no such shard.
    #[error("there is no shard {shard}: the store's {shards} shards are counted from 0")]
    UnknownShard { shard: ShardId, shards: u32 },

    /// A frame is missing.
    #[error("the log of shard {shard} has a gap: LSN {expected} is missing, LSN {found} is there; restore the shard")]
    Gap { shard: ShardId, expected: Lsn, found: Lsn },

    /// A replay, or the log itself, was to begin where the log does not reach.
    #[error("the log of shard {shard} ends before LSN {from}, where it was to begin; restore the shard")]
    PastEnd { shard: ShardId, from: Lsn },

    /// A replay was asked to begin before the first frame that is kept.
    #[error(
        "the log of shard {shard} begins behind LSN {start}, so that LSN {from} is not in it; begin with a snapshot"
    )]
    Trimmed { shard: ShardId, from: Lsn, start: Lsn },

    /// A snapshot's file is not as it was written.
    #[error(
        "the snapshot {} is damaged: {reason}; move it away, so that an older one serves with the log behind it, or \
         restore the shard",
        path.display()
    )]
    SnapshotDamaged { path: PathBuf, reason: &'static str },

    /// A frame's bytes are damaged.
    #[error("LSN {lsn} of shard {shard} is damaged: {reason}; restore the shard")]
    Corrupt { shard: ShardId, lsn: Lsn, reason: FrameError },

    /// A sound frame at the place of another.
    #[error(
        "the frame kept as LSN {lsn} of shard {shard} is LSN {found_lsn} of shard {found_shard}; restore the shard"
    )]
    Misplaced { shard: ShardId, lsn: Lsn, found_shard: ShardId, found_lsn: Lsn },

    /// A sound frame that followed another past than the one before it.
    #[error("LSN {lsn} of shard {shard} follows a frame of hash {found}, not {expected} before it; restore the shard")]
    ChainBroken { shard: ShardId, lsn: Lsn, expected: FrameHash, found: FrameHash },

    /// A fenced writer's frame after its successor's.
    #[error("LSN {lsn} of shard {shard} has epoch {epoch} after epoch {previous}; restore the shard")]
    EpochFell { shard: ShardId, lsn: Lsn, epoch: ShardEpoch, previous: ShardEpoch },

    /// A clock reading less than the frame's before. In an append: nothing was written.
    #[error("LSN {lsn} of shard {shard} has clock {clock_ms} ms after {previous_ms} ms; set the clock right")]
    ClockFell { shard: ShardId, lsn: Lsn, clock_ms: u64, previous_ms: u64 },

    /// Frames whose appends were answered are gone: the one loss that the frames themselves cannot show.
    #[error(
        "shard {shard} ends at LSN {recovered}, but LSN {acknowledged} was acknowledged: durable frames are lost; \
         restore the shard"
    )]
    AcknowledgedLost { shard: ShardId, recovered: Lsn, acknowledged: Lsn },

    /// Neither of a shard's two slots can be read.
    #[error("{} has no readable slot for shard {shard}; restore the directory from a backup", path.display())]
    WatermarkUnreadable { path: PathBuf, shard: ShardId },

    /// The acknowledged watermark cannot be written, so a later loss would go unseen. Nothing was appended.
    #[error("{} cannot be written, so nothing more is acknowledged; repair the disk", path.display())]
    WatermarkStalled { path: PathBuf, source: Arc<io::Error> },

    /// The file system is nearly full. Nothing was appended.
    #[error(
        "{} has {free_bytes} bytes free, fewer than the reserve of {reserve_bytes}; make room, and it goes on by itself",
        path.display()
    )]
    DiskFull { path: PathBuf, free_bytes: u64, reserve_bytes: u64 },

    /// The file system is mounted read-only. Nothing was appended.
    #[error("{} is on a read-only file system; mount it for writing, and it goes on by itself", path.display())]
    DiskReadOnly { path: PathBuf },

    /// A newer handle of the shard exists. Nothing was written.
    #[error("shard {shard} was opened again: epoch {epoch} is fenced by {current}; use the newer handle")]
    Fenced { shard: ShardId, epoch: ShardEpoch, current: ShardEpoch },

    /// This handle's append failed, or its log was not found whole after another shard's failure. Nothing was written.
    #[error("the log of shard {shard} failed after LSN {lsn}; reopen it and replay")]
    Poisoned { shard: ShardId, lsn: Lsn },

    /// A payload above the limit. Nothing was written.
    #[error("a payload of {bytes} bytes for shard {shard} is too large, at most {bytes_max}; split the batch")]
    PayloadTooLarge { shard: ShardId, bytes: usize, bytes_max: usize },

    /// The write or its fsync failed. The frame may come back at the next opening, or not.
    #[error("whether LSN {lsn} of shard {shard} is durable is unknown: {message}; reopen the log and replay")]
    AppendFailed { shard: ShardId, lsn: Lsn, message: String },

    /// RocksDB found its files damaged, or not as long or as many as they were.
    #[error("RocksDB in {} is damaged: {message}; restore the directory from a backup", path.display())]
    StorageDamaged { path: PathBuf, message: String },

    /// RocksDB failed outside an append.
    #[error("RocksDB in {}: {message}; see the LOG file there", path.display())]
    Storage { path: PathBuf, message: String },

    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },

    /// The visitor of a replay did not accept a frame.
    #[error("LSN {lsn} of shard {shard} was rejected: {source}; restore the shard")]
    Rejected { shard: ShardId, lsn: Lsn, source: ReplayStop },
}

impl LogError {
    /// Whoever reads beside a running server may try again: it may just have replaced or removed a file that was about to be
    /// read. RocksDB takes a table for damaged that was merged into another one meanwhile.
    #[must_use]
    pub fn is_passing_for_readers(&self) -> bool {
        match self {
            Self::Storage { .. } => true,
            Self::StorageDamaged { message, .. } => message.contains("No such file or directory"),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Names the path that an IO error is about.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> LogError + '_ {
        move |source| LogError::Io { path: path.to_owned(), source }
    }
}
