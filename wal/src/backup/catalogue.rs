//! The catalogue of one backup: what it has, and which files that is in. It is all that makes files a backup.
//!
//! ```text
//! backups/<id>.json   {"backup": {...}, "checksum": "<XXH3-128 of the text of what stands behind \"backup\":>"}
//! ```
//! It is written when everything that it names is durable, and never changed.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::BackupError;
use crate::directory::write_synced;
use crate::{DirectoryId, LogError, LogStart, Lsn, ShardEpoch, ShardId, SnapshotId};

/// The version of catalogues, segments and their layout that this release writes and reads.
pub const BACKUP_FORMAT: u32 = 1;

/// A backup: a state of every shard of a data directory, and how it came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The format's version.
    pub format: u32,
    /// Its name: when it was made.
    pub id: String,
    /// Rises by one with each backup of its directory, whatever the clock does.
    pub number: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// What made it, with its version.
    pub program: String,
    /// Of which data directory it is; `None` where neither that nor the backups before had an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_directory: Option<DirectoryId>,
    /// Every shard, in their order.
    pub shards: Vec<ShardBackup>,
}

/// What a backup has of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardBackup {
    /// Which.
    pub shard: ShardId,
    /// How it was made.
    pub kind: Kind,
    /// The highest epoch that was known.
    pub epoch: ShardEpoch,
    /// What was known to be acknowledged; the backup reaches it.
    pub acknowledged: Lsn,
    /// What it begins with.
    pub start: Beginning,
    /// Where the log itself began. The next backup begins there: so the ranges of two that follow each other overlap, and
    /// every instant between them can be restored.
    pub log_start: Beginning,
    /// Its last frame.
    pub end: End,
    /// In the order of their LSNs, which have no gaps.
    pub segments: Vec<Segment>,
    /// Sorted.
    pub snapshots: Vec<SnapshotFile>,
    /// Of files that were written for this backup.
    pub new_bytes: u64,
}

/// Why a shard's backup has what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It goes on where the one before ended, and shares files with it.
    Incremental,
    /// There was none before.
    First,
    /// The log had been trimmed past the end of the one before.
    Trimmed,
    /// The log is not a continuation of the one before: it was restored, or is another one.
    Diverged,
}

/// Where a log begins, and from where on it can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The frame that the others are checked against, and the snapshots that stand for what was before.
    pub log: LogStart,
    /// The first LSN at which all of these snapshots had been taken.
    pub from: Lsn,
    /// Its clock, in milliseconds since the Unix epoch; 0 of a log that begins with the first frame.
    pub from_clock_ms: u64,
}

/// The last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its position; [`Lsn::ZERO`] when there is none.
    pub lsn: Lsn,
    /// Its hash.
    pub hash: FileHash,
    /// Its clock, in milliseconds since the Unix epoch.
    pub clock_ms: u64,
    /// The opening that wrote it.
    pub epoch: ShardEpoch,
}

/// A file of frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its first frame.
    pub from: Lsn,
    /// Its last one.
    pub to: Lsn,
    /// Its length.
    pub bytes: u64,
    /// Of the whole file but the hash at its end.
    pub hash: FileHash,
}

/// A file with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Which.
    pub id: SnapshotId,
    /// Its length.
    pub bytes: u64,
    /// Of the whole file but the hash at its end.
    pub hash: FileHash,
}

/// An XXH3-128 hash, in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FileHash(pub u128);

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<FileHash> for String {
    fn from(hash: FileHash) -> String {
        hash.to_string()
    }
}

impl TryFrom<String> for FileHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<FileHash, Self::Error> {
        // Only as it is written, so that no bit of it can flip unseen.
        let hash = u128::from_str_radix(&text, 16).map(FileHash).ok();
        hash.filter(|hash| hash.to_string() == text).ok_or("a hash is not 32 digits")
    }
}

#[derive(Serialize)]
struct Written<'a> {
    backup: &'a Catalogue,
    checksum: FileHash,
}

#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    backup: &'a serde_json::value::RawValue,
    checksum: FileHash,
}

impl Catalogue {
    /// Of all that it names, shared with other backups or not.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of = |shard: &ShardBackup| {
            let segments: u64 = shard.segments.iter().map(|segment| segment.bytes).sum();
            segments + shard.snapshots.iter().map(|snapshot| snapshot.bytes).sum::<u64>()
        };
        self.shards.iter().map(of).sum()
    }

    /// Whether it shares files with the one before.
    #[must_use]
    pub fn is_incremental(&self) -> bool {
        self.shards.iter().any(|shard| shard.kind == Kind::Incremental)
    }

    /// Writes it under a name that is not its own yet.
    pub(super) fn write(&self, path: &Path) -> Result<(), BackupError> {
        let damaged =
            |error: serde_json::Error| BackupError::Catalogue { path: path.into(), reason: error.to_string() };
        let checksum = FileHash(xxh3_128(serde_json::to_string(self).map_err(damaged)?.as_bytes()));
        let text = serde_json::to_string(&Written { backup: self, checksum }).map_err(damaged)?;
        Ok(write_synced(path, (text + "\n").as_bytes())?)
    }

    /// Reads one, and believes it only if it is as it was written.
    pub(super) fn read(path: &Path) -> Result<Catalogue, BackupError> {
        let damaged = |reason: String| BackupError::Catalogue { path: path.to_owned(), reason };
        let bytes = fs::read(path).map_err(LogError::io(path))?;
        let stored: Stored<'_> = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if FileHash(xxh3_128(stored.backup.get().as_bytes())) != stored.checksum {
            return Err(damaged("its checksum does not match".to_owned()));
        }
        let catalogue: Catalogue =
            serde_json::from_str(stored.backup.get()).map_err(|error| damaged(error.to_string()))?;
        if catalogue.format != BACKUP_FORMAT {
            return Err(damaged(format!("it has format {}, this release reads {BACKUP_FORMAT}", catalogue.format)));
        }
        Ok(catalogue)
    }
}
