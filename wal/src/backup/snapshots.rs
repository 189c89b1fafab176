//! Snapshot files in a backup: those of the data directory, byte for byte, under names that have their hashes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::catalogue::{FileHash, SnapshotFile};
use super::{DRAFT, segment};
use crate::directory::{make_directory, replace_synced};
use crate::snapshot_files::{self, SnapshotFiles};
use crate::{LogError, ShardId, SnapshotId, Snapshots};

impl SnapshotFile {
    /// Where it is, below the directory of all snapshots.
    pub(super) fn path(&self, snapshots: &Path, shard: ShardId) -> PathBuf {
        let SnapshotId { part, lsn } = self.id;
        let name = format!("{:010}-{:020}-{}.snapshot", part.0, lsn.0, segment::short(self.hash));
        snapshots.join(shard.to_string()).join(name)
    }
}

/// Copies a snapshot, unless it is there. Returns the file, and how many bytes were written.
///
/// # Errors
/// As [`Snapshots::read`].
pub(super) fn copy(
    from: &SnapshotFiles,
    (snapshots, shard): (&Path, ShardId),
    id: SnapshotId,
) -> Result<(SnapshotFile, u64), LogError> {
    let (hash, length) = from.stated_hash(id)?;
    let (hash, there) = (FileHash(hash), SnapshotFile { id, bytes: length, hash: FileHash(hash) });
    if fs::metadata(there.path(snapshots, shard)).is_ok_and(|metadata| metadata.len() == length) {
        return Ok((there, 0));
    }
    let bytes = from.read_file(id)?;
    let length = bytes.len() as u64;
    // As it is in what was read: the file may be another one by now.
    let hash = bytes.last_chunk().map_or(hash, |hash| FileHash(u128::from_le_bytes(*hash)));
    let file = SnapshotFile { id, bytes: length, hash };
    let path = file.path(snapshots, shard);
    let dir = snapshots.join(shard.to_string());
    make_directory(&dir)?;
    let draft = dir.join(format!("snapshot{DRAFT}"));
    replace_synced(&path, &draft, &bytes)?;
    Ok((file, length))
}

/// The snapshots of one shard in a backup.
pub(super) struct BackupSnapshots {
    dir: PathBuf,
    shard: ShardId,
    files: Vec<SnapshotFile>,
}

impl BackupSnapshots {
    pub(super) fn new(dir: PathBuf, shard: ShardId, files: Vec<SnapshotFile>) -> Self {
        Self { dir, shard, files }
    }
}

impl Snapshots for BackupSnapshots {
    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        Ok(self.files.iter().map(|file| file.id).collect())
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        let file = self.files.iter().find(|file| file.id == id);
        let none = || LogError::SnapshotDamaged { path: self.dir.clone(), reason: "it is not in the catalogue" };
        let file = file.ok_or_else(none)?;
        let path = file.path(&self.dir, self.shard);
        match snapshot_files::read_checked(&path, self.shard, id) {
            Ok(bytes) if bytes.ends_with(&file.hash.0.to_le_bytes()) => Ok(snapshot_files::state_of(bytes)),
            Ok(_) => Err(LogError::SnapshotDamaged { path, reason: "it is another one than its catalogue says" }),
            Err(LogError::Io { source, path }) if source.kind() == ErrorKind::NotFound => {
                Err(LogError::SnapshotDamaged { path, reason: "it is missing" })
            }
            Err(error) => Err(error),
        }
    }
}
