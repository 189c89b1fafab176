//! Backups: frames and snapshots copied out of a data directory beside its server, and what can be made of them again.
//!
//! They are logical: raw frames and snapshot files, nothing of RocksDB. So they are checked as a log is, shared by all
//! backups that need them, and read by every release that reads frames. When to make one, and what is printed about it, is
//! the command line's business; what a state is, the engine's.
//!
//! ```text
//! <directory of backups>/     0700
//!   usher-backups             text: what it is
//!   lock                      empty; shared by readers, alone for who makes or prunes
//!   backups/<id>.json         what a backup has: see `catalogue`
//!   segments/<shard>/         frames: see `segment`
//!   snapshots/<shard>/        as they were in the data directory
//! ```
//! Every file is written under another name, synced, renamed, its directory synced; a catalogue when all that it names is
//! there. So a backup that was interrupted is none: what it left is swept away by the next one.
//!
//! # What one backup has
//!
//! ```text
//! the log of the data directory        begins at ├──────────────┤ ends at          first backup
//! later, trimmed                                        ├───────┼──────┤           second: copies the frames behind
//! what the second one has                        ├──────────────┴──────┤           from where the first one began
//! ```
//! A backup begins where the log began when the one before was made, and not where it begins itself: the ranges of two that
//! follow each other overlap, so every instant between them can be restored, and no chain grows for ever.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::LogError;
use crate::directory::{lock_file, locked, make_directory, write_synced};

mod catalogue;
mod create;
mod error;
mod prune;
mod restore;
mod segment;
mod snapshots;
mod source;
#[cfg(test)]
mod tests;

pub use catalogue::{BACKUP_FORMAT, Beginning, Catalogue, End, FileHash, Kind, Segment, ShardBackup, SnapshotFile};
pub use create::NewBackup;
pub use error::BackupError;
pub use prune::Pruning;
pub use restore::{Point, Target, copy_shard, find, range};
pub use source::{Backup, SoundPart, Source};

const MARK: &str = "usher-backups";
const BACKUPS: &str = "backups";
const SEGMENTS: &str = "segments";
const SNAPSHOTS: &str = "snapshots";
/// How the names end of files that are not finished.
const DRAFT: &str = ".new";
const CATALOGUE: &str = ".json";

/// A directory of backups.
#[derive(Clone, Debug)]
pub struct Backups {
    dir: PathBuf,
}

impl Backups {
    /// An existing one.
    ///
    /// # Errors
    /// [`BackupError::NoBackups`].
    pub fn open(dir: &Path) -> Result<Backups, BackupError> {
        if dir.join(MARK).is_file() {
            return Ok(Backups { dir: dir.to_owned() });
        }
        Err(BackupError::NoBackups { dir: dir.to_owned() })
    }

    /// An existing one, or a new one where nothing is.
    ///
    /// # Errors
    /// [`BackupError::NoBackups`] where something else is; [`LogError::Io`].
    pub fn open_or_create(dir: &Path) -> Result<Backups, BackupError> {
        let mark = dir.join(MARK);
        if mark.is_file() {
            return Self::open(dir);
        }
        make_directory(dir)?;
        if fs::read_dir(dir).map_err(LogError::io(dir))?.next().is_some() {
            return Err(BackupError::NoBackups { dir: dir.to_owned() });
        }
        write_synced(&mark, format!("usher backups\nformat {BACKUP_FORMAT}\n").as_bytes())?;
        crate::directory::sync_directory(dir)?;
        Self::open(dir)
    }

    /// Every backup, the oldest first; in place of one that cannot be read, why.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn list(&self) -> Result<Vec<Result<Catalogue, BackupError>>, BackupError> {
        let dir = self.dir.join(BACKUPS);
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(LogError::io(&dir))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(LogError::io(&dir))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                found.push(Catalogue::read(&path));
            }
        }
        found.sort_by_key(|found| found.as_ref().map_or(0, |catalogue| catalogue.number));
        Ok(found)
    }

    /// One backup by its id, or the newest one, to be read.
    ///
    /// # Errors
    /// [`BackupError::Unknown`], [`BackupError::Empty`], [`BackupError::Catalogue`], [`BackupError::InUse`] while one is
    /// made or pruned.
    pub fn backup(&self, id: Option<&str>) -> Result<Backup, BackupError> {
        let lock = self.lock(File::try_lock_shared)?;
        let catalogue = match id {
            Some(id) => self.catalogue(id)?,
            None => self.newest()?.ok_or_else(|| BackupError::Empty { dir: self.dir.clone() })?,
        };
        Ok(Backup { catalogue, dir: self.dir.clone(), _lock: lock })
    }

    fn catalogue(&self, id: &str) -> Result<Catalogue, BackupError> {
        let is_name = !id.contains('/') && !id.starts_with('.');
        let path = self.catalogue_path(id);
        if !is_name || !path.is_file() {
            return Err(BackupError::Unknown { dir: self.dir.clone(), id: id.to_owned() });
        }
        Catalogue::read(&path)
    }

    /// The newest one, which must be readable: that an older one served in its place must not go unseen.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn newest(&self) -> Result<Option<Catalogue>, BackupError> {
        self.list()?.into_iter().next_back().transpose()
    }

    /// Looks whether every file of a backup is there and as long as its catalogue says. What is in it is not read.
    ///
    /// # Errors
    /// [`BackupError::NotWhole`].
    pub fn check_files(&self, catalogue: &Catalogue) -> Result<(), BackupError> {
        let length = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
        let files = self.files(catalogue).into_iter();
        let mut wrong = files.filter(|(path, bytes)| length(path).ok() != Some(*bytes));
        let Some((path, bytes)) = wrong.next() else { return Ok(()) };
        let what = match length(&path) {
            Ok(found) => format!("has {found} bytes, not {bytes}"),
            Err(error) if error.kind() == ErrorKind::NotFound => "is missing".to_owned(),
            Err(error) => format!("cannot be looked at: {error}"),
        };
        Err(BackupError::NotWhole { id: catalogue.id.clone(), path, what, others: wrong.count() })
    }

    /// Every file that a catalogue names, with its length.
    fn files(&self, catalogue: &Catalogue) -> Vec<(PathBuf, u64)> {
        let (segments, snapshots) = (self.dir.join(SEGMENTS), self.dir.join(SNAPSHOTS));
        let of = |own: &ShardBackup| {
            let of_segments = own.segments.iter().map(|file| (file.path(&segments, own.shard), file.bytes));
            let of_snapshots = own.snapshots.iter().map(|file| (file.path(&snapshots, own.shard), file.bytes));
            of_segments.chain(of_snapshots).collect::<Vec<_>>()
        };
        catalogue.shards.iter().flat_map(of).collect()
    }

    /// The newest one that can be read: for the next one to go on from.
    fn newest_readable(&self) -> Result<Option<Catalogue>, BackupError> {
        Ok(self.list()?.into_iter().filter_map(Result::ok).next_back())
    }

    fn catalogue_path(&self, id: &str) -> PathBuf {
        self.dir.join(BACKUPS).join(format!("{id}{CATALOGUE}"))
    }

    fn lock(&self, how: fn(&File) -> Result<(), fs::TryLockError>) -> Result<File, BackupError> {
        // Who only reads may not be allowed to write here.
        let file = File::open(self.dir.join("lock")).map_or_else(|_| lock_file(&self.dir), Ok)?;
        match locked(how(&file), &self.dir) {
            Err(LogError::InUse { dir }) => Err(BackupError::InUse { dir }),
            locked => Ok(locked.map(|()| file)?),
        }
    }
}
