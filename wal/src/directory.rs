//! The data directory: its parts, its one writer, and the rule that it is created only where nothing is.
//!
//! It does not look into the parts: RocksDB's files are `rocks`'s, the watermark is `acknowledged`'s.
//!
//! ```text
//! <data directory>/      0700
//!   format               text: whose it is, the layout's number, the shards, whether its creation was finished
//!   lock                 empty; locked by the one process that writes
//!   acknowledged         the watermark of each shard
//!   rocksdb/             the frames and the epochs
//!   snapshots/           states that stand for the frames before them
//!   clean                present while nobody has it open and the last one closed it in order
//! ```
//! Format 1 had no snapshots; such a directory is brought up to date when it is opened for writing.
//!
//! The worst thing to do with a damaged directory is to find nothing in it and to start anew: an empty log is an empty
//! house, and every seat in it would be sold again. So a directory is created only when absent or empty. `format` is
//! written first, in state `creating`, and replaced last, in state `ready`; an interrupted creation is redone, since
//! nothing can have been acknowledged from it, and whatever is missing from a ready directory refuses it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::num::NonZeroU32;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::LogError;

/// The most shards of one store. A shard is a thread; more than a large machine has cores are a mistake.
pub const SHARDS_MAX: u32 = 1024;

/// The layout of the data directories that this release writes.
pub const DIRECTORY_FORMAT: u32 = 2;
const FORMAT: u32 = DIRECTORY_FORMAT;
/// The first format that had snapshots.
const FORMAT_WITH_SNAPSHOTS: u32 = 2;
const FIRST_LINE: &str = "usher data directory";
/// Where `format` is written before it is renamed into place.
const FORMAT_DRAFT: &str = "format.new";

/// A data directory by its path; nothing is open.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

/// What the `format` file says, its number being ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// The layout's number.
    number: u32,
    /// How many shards the directory was created with.
    pub(crate) shards: NonZeroU32,
    /// Whether the creation was finished.
    pub(crate) ready: bool,
}

impl Directory {
    pub(crate) fn at(path: &Path) -> Directory {
        Directory { path: path.to_owned() }
    }

    pub(crate) fn acknowledged(&self) -> PathBuf {
        self.path.join("acknowledged")
    }

    pub(crate) fn rocksdb(&self) -> PathBuf {
        self.path.join("rocksdb")
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    fn clean(&self) -> PathBuf {
        self.path.join("clean")
    }

    /// Whether the last one who had it open closed it in order, and nobody has opened it since.
    pub(crate) fn is_clean(&self) -> bool {
        self.clean().exists()
    }

    /// Says, durably, that it was closed in order: every part is on the disk, and nothing will be written any more.
    ///
    /// # Errors
    /// [`LogError::Io`]; it then counts as not closed in order.
    pub(crate) fn mark_clean(&self) -> Result<(), LogError> {
        write_synced(&self.clean(), b"closed in order\n")?;
        sync_directory(&self.path)
    }

    /// Takes that back, durably, before anything is written.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub(crate) fn unmark_clean(&self) -> Result<(), LogError> {
        remove(&self.clean(), |path| fs::remove_file(path))?;
        sync_directory(&self.path)
    }

    fn format(&self) -> PathBuf {
        self.path.join("format")
    }

    /// Makes the directory if it is absent and locks it; the lock ends with the returned file.
    ///
    /// # Errors
    /// [`LogError::InUse`], or why the directory is not one of ours; nothing was written into it then.
    pub(crate) fn lock(&self) -> Result<File, LogError> {
        make_directory(&self.path)?;
        self.read_format()?;
        self.lock_whatever_it_is()
    }

    /// Locks an existing directory, however damaged it is.
    ///
    /// # Errors
    /// [`LogError::InUse`], [`LogError::Io`].
    pub(crate) fn lock_whatever_it_is(&self) -> Result<File, LogError> {
        let file = lock_file(&self.path)?;
        locked(file.try_lock(), &self.path).map(|()| file)
    }

    /// Creates the directory's parts, unless they were created before. The caller holds the lock.
    ///
    /// # Errors
    /// Whatever `fill` failed with, or the file system; the creation is then redone at the next opening.
    pub(crate) fn create_if_new(
        &self,
        shards: NonZeroU32,
        fill: impl FnOnce() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        if self.read_format()?.is_some_and(|format| format.ready) {
            return Ok(());
        }
        self.write_format(Format { number: FORMAT, shards, ready: false })?;
        // What an interrupted creation left behind. The state just written says that it may go.
        remove(&self.acknowledged(), |path| fs::remove_file(path))?;
        for dir in [self.rocksdb(), self.snapshots()] {
            remove(&dir, |path| fs::remove_dir_all(path))?;
            make_directory(&dir)?;
        }
        fill()?;
        sync_directory(&self.path)?;
        // Somebody else may have made the directory a moment ago. If its own entry were lost with the next power cut, all
        // that is acknowledged from it would be lost without a trace.
        sync_directory(parent_of(&self.path))?;
        self.write_format(Format { number: FORMAT, shards, ready: true })
    }

    /// Brings a whole directory of an older format up to date. The caller holds the lock.
    ///
    /// # Errors
    /// [`LogError::Io`]; trying again helps as soon as the cause has gone.
    pub(crate) fn bring_up_to_date(&self) -> Result<(), LogError> {
        match self.read_format()? {
            Some(format) if format.ready && format.number < FORMAT => {
                make_directory(&self.snapshots())?;
                self.write_format(Format { number: FORMAT, ..format })
            }
            _ => Ok(()),
        }
    }

    /// Says that it has another number of shards.
    ///
    /// # Errors
    /// [`LogError::Io`], or what [`Directory::check_whole`] finds.
    pub(crate) fn set_shards(&self, shards: NonZeroU32) -> Result<(), LogError> {
        self.check_whole()?;
        self.write_format(Format { number: FORMAT, shards, ready: true })
    }

    /// How many shards it has; `None` where nothing was created yet, or not to the end.
    ///
    /// # Errors
    /// What [`Directory::check_whole`] finds in one that was.
    pub(crate) fn shards(&self) -> Result<Option<NonZeroU32>, LogError> {
        Ok(self.read_format()?.filter(|format| format.ready).map(|format| format.shards))
    }

    /// Refuses a directory whose creation was not finished or that lacks a part; returns its number of shards.
    ///
    /// # Errors
    /// [`LogError::Missing`], [`LogError::Unfinished`], or what [`Directory::read_format`] finds.
    pub(crate) fn check_whole(&self) -> Result<NonZeroU32, LogError> {
        let format = self.read_format()?.ok_or_else(|| LogError::Missing { path: self.format() })?;
        if !format.ready {
            return Err(LogError::Unfinished { dir: self.path.clone() });
        }
        // Without CURRENT, RocksDB would take its own directory for a new one.
        let snapshots = (format.number >= FORMAT_WITH_SNAPSHOTS).then(|| self.snapshots());
        for path in [self.acknowledged(), self.rocksdb().join("CURRENT")].into_iter().chain(snapshots) {
            if !path.exists() {
                return Err(LogError::Missing { path });
            }
        }
        Ok(format.shards)
    }

    /// The number of shards by the `format` file alone, whatever else is missing.
    ///
    /// # Errors
    /// As [`Directory::check_whole`], as far as `format` goes.
    pub(crate) fn check_format(&self) -> Result<NonZeroU32, LogError> {
        let format = self.read_format()?.ok_or_else(|| LogError::Missing { path: self.format() })?;
        if format.ready { Ok(format.shards) } else { Err(LogError::Unfinished { dir: self.path.clone() }) }
    }

    /// Says that the directory is one, when all of its parts are there and durable.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub(crate) fn write_ready(&self, shards: NonZeroU32) -> Result<(), LogError> {
        self.write_format(Format { number: FORMAT, shards, ready: true })
    }

    /// Refuses a directory that was created with another number of shards.
    ///
    /// # Errors
    /// [`LogError::ShardCount`], or what [`Directory::check_whole`] finds.
    pub(crate) fn check_shards(&self, wanted: NonZeroU32) -> Result<(), LogError> {
        let found = self.check_whole()?;
        if found != wanted {
            return Err(LogError::ShardCount { dir: self.path.clone(), found: found.get(), wanted: wanted.get() });
        }
        Ok(())
    }

    /// Reads `format`; `None` in an absent or empty directory.
    fn read_format(&self) -> Result<Option<Format>, LogError> {
        let path = self.format();
        match fs::read_to_string(&path) {
            Ok(text) => self.parse_format(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => self.check_nothing_there().map(|()| None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(LogError::Malformed { path }),
            Err(source) => Err(LogError::Io { path, source }),
        }
    }

    fn parse_format(&self, text: &str) -> Result<Format, LogError> {
        let malformed = || LogError::Malformed { path: self.format() };
        let mut lines = text.lines();
        let mut value_of = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        value_of("usher").filter(|rest| *rest == &FIRST_LINE["usher ".len()..]).ok_or_else(malformed)?;
        let found: u32 = value_of("format").and_then(|value| value.parse().ok()).ok_or_else(malformed)?;
        // The number comes before all else: what follows it is only known to mean something in a format of ours.
        if !(1..=FORMAT).contains(&found) {
            return Err(LogError::UnknownFormat { dir: self.path.clone(), found, supported: FORMAT });
        }
        let shards = value_of("shards").and_then(|value| value.parse().ok()).ok_or_else(malformed)?;
        match value_of("state") {
            Some("ready") => Ok(Format { number: found, shards, ready: true }),
            Some("creating") => Ok(Format { number: found, shards, ready: false }),
            _ => Err(malformed()),
        }
    }

    /// Without `format`, only what precedes it in a creation may be there.
    fn check_nothing_there(&self) -> Result<(), LogError> {
        if !self.path.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(&self.path).map_err(LogError::io(&self.path))? {
            let name = entry.map_err(LogError::io(&self.path))?.file_name();
            match name.to_str() {
                Some("lock" | FORMAT_DRAFT) => {}
                Some("acknowledged" | "rocksdb" | "snapshots" | "clean") => {
                    return Err(LogError::Missing { path: self.format() });
                }
                _ => return Err(LogError::NotADataDirectory { dir: self.path.clone() }),
            }
        }
        Ok(())
    }

    /// Replaces `format` as a whole: a reader, or a start after power loss, sees the old one or the new one.
    fn write_format(&self, format: Format) -> Result<(), LogError> {
        let state = if format.ready { "ready" } else { "creating" };
        let text = format!("{FIRST_LINE}\nformat {}\nshards {}\nstate {state}\n", format.number, format.shards);
        let draft = self.path.join(FORMAT_DRAFT);
        replace_synced(&self.format(), &draft, text.as_bytes())
    }
}

/// The file by which a directory is locked, made if need be.
pub(crate) fn lock_file(dir: &Path) -> Result<File, LogError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(&path).map_err(LogError::io(&path))
}

/// What became of locking a directory.
pub(crate) fn locked(result: Result<(), TryLockError>, dir: &Path) -> Result<(), LogError> {
    match result {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(LogError::Io { path: dir.join("lock"), source }),
    }
}

/// Bytes of a large file that are written before they are synced. File systems commit for everybody at once, so that the log's
/// syncs wait for all that others wrote meanwhile: beside files of 10 MiB that is 9 to 16 ms in one of a hundred, in parts 4 to 5.
const SYNCED_AT_ONCE: usize = 1 << 20;

/// Writes a whole new file, readable by its owner only, and syncs it. Its directory's entry is the caller's to sync.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    let mut file = options.open(path).map_err(LogError::io(path))?;
    let mut parts = bytes.chunks(SYNCED_AT_ONCE).peekable();
    let mut write = || {
        while let Some(part) = parts.next() {
            file.write_all(part)?;
            if parts.peek().is_some() {
                file.sync_data()?;
            }
        }
        file.sync_all()
    };
    write().map_err(LogError::io(path))
}

/// Puts a whole file at `path`, by way of a draft beside it: after an interruption there is the old one or the new one.
pub(crate) fn replace_synced(path: &Path, draft: &Path, bytes: &[u8]) -> Result<(), LogError> {
    write_synced(draft, bytes)?;
    fs::rename(draft, path).map_err(LogError::io(path))?;
    sync_directory(parent_of(path))
}

/// Makes a directory and those above it, each durable before anything is put into it.
pub(crate) fn make_directory(path: &Path) -> Result<(), LogError> {
    if path.exists() {
        return Ok(());
    }
    make_directory(parent_of(path))?;
    DirBuilder::new().mode(0o700).create(path).map_err(LogError::io(path))?;
    sync_directory(parent_of(path))
}

pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new or renamed entry is durable only when its directory is.
pub(crate) fn sync_directory(path: &Path) -> Result<(), LogError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(LogError::io(path))
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), LogError> {
    match how(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(LogError::Io { path: path.to_owned(), source: error }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
