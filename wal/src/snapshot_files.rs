//! Snapshots as files: one for each, written beside the log and not into it.
//!
//! In RocksDB each byte would be written at least twice more, and a large one would make every append wait that shares
//! the WAL with it. A file is written once, in the background, and can be copied, looked at and removed by itself.
//!
//! ```text
//! snapshots/<shard>/<part>-<lsn>.snapshot
//!
//! byte 0        4         6       8           12         16        24              32         32 + length
//!      ├────────┼─────────┼───────┼───────────┼──────────┼─────────┼───────────────┼──────────┼─────────────────┐
//!      │ "USHS" │version  │ zeros │ shard u32 │ part u32 │ LSN u64 │ length u64    │ state    │ XXH3-128 of all │
//!      │        │u16      │ u16   │           │          │         │               │          │ before, 16 bytes│
//!      └────────┴─────────┴───────┴───────────┴──────────┴─────────┴───────────────┴──────────┴─────────────────┘
//! ```
//! All numbers are little-endian. A file is written under another name, synced, and renamed: what has the name is whole,
//! or the disk damaged it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::bytes::{take, take_u32, take_u64};
use crate::directory::{make_directory, replace_synced};
use crate::{LogError, Lsn, PartId, ShardId, SnapshotId, Snapshots};

const MAGIC: [u8; 4] = *b"USHS";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 32;
const ENDING: &str = ".snapshot";
const DRAFT_ENDING: &str = ".new";
const TOO_SHORT: &str = "it is too short";

/// The snapshot files of one shard.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotFiles {
    dir: PathBuf,
    shard: ShardId,
}

impl SnapshotFiles {
    /// Under the directory of all snapshots. Nothing is made before the first snapshot.
    pub(crate) fn new(snapshots: &Path, shard: ShardId) -> Self {
        Self { dir: snapshots.join(shard.to_string()), shard }
    }

    pub(crate) fn put(&self, id: SnapshotId, state: &[u8]) -> Result<(), LogError> {
        make_directory(&self.dir)?;
        let (path, draft) = (self.path(id), self.path(id).with_extension(&DRAFT_ENDING[1..]));
        replace_synced(&path, &draft, &encode(self.shard, id, state))
    }

    pub(crate) fn remove(&self, id: SnapshotId) -> Result<(), LogError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(LogError::Io { path, source: error }),
            _ => Ok(()),
        }
    }

    /// Removes every snapshot of the shard.
    pub(crate) fn remove_all(&self) -> Result<(), LogError> {
        match fs::remove_dir_all(&self.dir) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(LogError::Io { path: self.dir.clone(), source }),
            _ => Ok(()),
        }
    }

    /// Removes what an interrupted writing left behind.
    pub(crate) fn remove_drafts(&self) -> Result<(), LogError> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Ok(()) };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.ends_with(DRAFT_ENDING)) {
                fs::remove_file(entry.path()).map_err(LogError::io(&entry.path()))?;
            }
        }
        Ok(())
    }

    /// The whole file of a snapshot, once it has been found sound.
    ///
    /// # Errors
    /// As [`Snapshots::read`].
    pub(crate) fn read_file(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        read_checked(&self.path(id), self.shard, id)
    }

    /// The hash at the end of a snapshot's file, unverified, and its length: by them two files are told apart without reading
    /// them.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub(crate) fn stated_hash(&self, id: SnapshotId) -> Result<(u128, u64), LogError> {
        let path = self.path(id);
        let mut hash = [0; 16];
        let read = File::open(&path).and_then(|mut file| {
            let before = file.seek(SeekFrom::End(-16))?;
            file.read_exact(&mut hash).map(|()| before + 16)
        });
        let length = read.map_err(LogError::io(&path))?;
        Ok((u128::from_le_bytes(hash), length))
    }

    fn path(&self, id: SnapshotId) -> PathBuf {
        self.dir.join(format!("{:010}-{:020}{ENDING}", id.part.0, id.lsn.0))
    }
}

impl Snapshots for SnapshotFiles {
    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(LogError::io(&self.dir))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.map_err(LogError::io(&self.dir))?.file_name();
            found.extend(name.to_str().and_then(id_of));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        let path = self.path(id);
        let (mut header, mut state) = ([0; HEADER_BYTES], Vec::new());
        let mut file = File::open(&path).map_err(LogError::io(&path))?;
        let read = file.read_exact(&mut header).and_then(|()| file.read_to_end(&mut state));
        let checked = match read {
            Ok(_) => check(self.shard, id, &header, &state),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(TOO_SHORT),
            Err(source) => return Err(LogError::Io { path, source }),
        };
        let length = checked.map_err(|reason| LogError::SnapshotDamaged { path, reason })?;
        state.truncate(length);
        Ok(state)
    }
}

/// The whole file at `path`, which must be this snapshot.
///
/// # Errors
/// As [`Snapshots::read`].
pub(crate) fn read_checked(path: &Path, shard: ShardId, id: SnapshotId) -> Result<Vec<u8>, LogError> {
    let bytes = fs::read(path).map_err(LogError::io(path))?;
    let (header, state) = bytes.split_at(bytes.len().min(HEADER_BYTES));
    match check(shard, id, header, state) {
        Ok(_) => Ok(bytes),
        Err(reason) => Err(LogError::SnapshotDamaged { path: path.to_owned(), reason }),
    }
}

/// What a sound file holds.
pub(crate) fn state_of(mut file: Vec<u8>) -> Vec<u8> {
    file.truncate(file.len() - 16);
    file.drain(..HEADER_BYTES);
    file
}

/// The snapshot of a file's name, if it is one's.
fn id_of(name: &str) -> Option<SnapshotId> {
    let (part, lsn) = name.strip_suffix(ENDING)?.split_once('-')?;
    Some(SnapshotId { part: PartId(part.parse().ok()?), lsn: Lsn(lsn.parse().ok()?) })
}

fn encode(shard: ShardId, id: SnapshotId, state: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + state.len() + 16);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&shard.0.to_le_bytes());
    bytes.extend_from_slice(&id.part.0.to_le_bytes());
    bytes.extend_from_slice(&id.lsn.0.to_le_bytes());
    bytes.extend_from_slice(&(state.len() as u64).to_le_bytes());
    bytes.extend_from_slice(state);
    let hash = xxh3_128(&bytes);
    bytes.extend_from_slice(&hash.to_le_bytes());
    bytes
}

/// How long the state is that follows a header, before its checksum; or what is wrong if this is not the snapshot that it
/// should be.
fn check(shard: ShardId, id: SnapshotId, header: &[u8], state: &[u8]) -> Result<usize, &'static str> {
    let (body, hash) = state.split_last_chunk::<16>().ok_or(TOO_SHORT)?;
    let mut rest = header;
    if take(&mut rest) != Some(MAGIC) {
        return Err("it does not begin as a snapshot");
    }
    if take(&mut rest).map(u16::from_le_bytes) != Some(VERSION) {
        return Err("its version is unknown: was it written by a newer release?");
    }
    let mut computed = Xxh3::new();
    computed.update(header);
    computed.update(body);
    if computed.digest128() != u128::from_le_bytes(*hash) {
        return Err("its checksum does not match");
    }
    let _zeros: Option<[u8; 2]> = take(&mut rest);
    let stated = (take_u32(&mut rest), take_u32(&mut rest), take_u64(&mut rest));
    if stated != (Some(shard.0), Some(id.part.0), Some(id.lsn.0)) {
        return Err("it is another one than its name says");
    }
    if take_u64(&mut rest) != Some(body.len() as u64) {
        return Err("it is not as long as it says");
    }
    Ok(body.len())
}

#[cfg(test)]
mod tests;
