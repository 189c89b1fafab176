//! A new data directory out of frames and snapshots that were elsewhere, and its way to the place of another.
//!
//! It is built beside the place that it is for, under another name and without the `format` file that would let anybody open
//! it; that is written last, and one rename puts it where it belongs. Whatever interrupts this leaves the draft, which the
//! next one throws away, and the place as it was. What belongs into it is its caller's business.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::database::Database;
use super::options::Ending;
use crate::acknowledged::{self, Position};
use crate::directory::{Directory, SHARDS_MAX, make_directory, parent_of, sync_directory};
use crate::snapshot_files::SnapshotFiles;
use crate::{DirectoryId, LogError, LogStart, Lsn, ShardEpoch, ShardId, SnapshotId, Tail};

/// What a draft may consist of.
const PARTS: [&str; 7] = ["lock", "format", "format.new", "acknowledged", "rocksdb", "snapshots", "clean"];

/// A data directory that nobody may open for writing as long as this lives.
#[derive(Debug)]
pub struct Held {
    dir: PathBuf,
    _lock: File,
}

impl Held {
    /// Takes the right to a data directory, which may be damaged.
    ///
    /// # Errors
    /// [`LogError::InUse`], [`LogError::Io`].
    pub fn take(dir: &Path) -> Result<Held, LogError> {
        Ok(Held { dir: dir.to_owned(), _lock: Directory::at(dir).lock_whatever_it_is()? })
    }
}

/// A data directory in the making.
pub struct NewDirectory {
    database: Option<Database>,
    directory: Directory,
    draft: PathBuf,
    /// Where it is to be.
    into: PathBuf,
    shards: NonZeroU32,
    /// By shard: its last frame.
    ends: Vec<Position>,
    _lock: File,
}

impl NewDirectory {
    /// Begins one that is to be at `into`. What an interrupted one left behind there is thrown away.
    ///
    /// # Errors
    /// [`LogError::InUse`] while another one is made there; [`LogError::NotADataDirectory`] where something else has the
    /// draft's name.
    pub fn begin(into: &Path, shards: NonZeroU32) -> Result<NewDirectory, LogError> {
        if shards.get() > SHARDS_MAX {
            return Err(LogError::TooManyShards { shards: shards.get(), shards_max: SHARDS_MAX });
        }
        let mut name = into.file_name().unwrap_or_default().to_owned();
        name.push(".restoring");
        let draft = into.with_file_name(name);
        make_directory(&draft)?;
        let directory = Directory::at(&draft);
        let lock = directory.lock_whatever_it_is()?;
        empty(&draft)?;
        make_directory(&directory.rocksdb())?;
        make_directory(&directory.snapshots())?;
        Database::create(&directory.rocksdb())?;
        let database = Some(Database::open(&directory.rocksdb(), Ending::Clean)?);
        let ends = (0..shards.get()).map(|_| Position::NONE).collect();
        Ok(NewDirectory { database, directory, draft, into: into.to_owned(), shards, ends, _lock: lock })
    }

    /// Where it is until it is put into its place.
    #[must_use]
    pub fn draft(&self) -> &Path {
        &self.draft
    }

    /// Makes it the directory of this id, in whose place it is to be: a new one is another directory.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn take_identity(&self, id: DirectoryId) -> Result<(), LogError> {
        self.database()?.set_identity(id)
    }

    /// Says where a shard's log begins, and an epoch that every later opening is to be above of.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn put_beginning(&self, shard: ShardId, start: &LogStart, epoch: ShardEpoch) -> Result<(), LogError> {
        self.database()?.put_beginning(shard, start, epoch)
    }

    /// Adds encoded frames, which go on where the last ones ended.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn put_frames(&self, shard: ShardId, frames: &[(Lsn, Vec<u8>)]) -> Result<(), LogError> {
        self.database()?.import(shard, frames)
    }

    /// Adds a snapshot; durable when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn put_snapshot(&self, shard: ShardId, id: SnapshotId, state: &[u8]) -> Result<(), LogError> {
        SnapshotFiles::new(&self.directory.snapshots(), shard).put(id, state)
    }

    /// Says what the last frame of a shard is: the log of the new directory must reach it.
    ///
    /// # Errors
    /// [`LogError::UnknownShard`].
    pub fn put_end(&mut self, shard: ShardId, tail: &Tail, epoch: ShardEpoch) -> Result<(), LogError> {
        let unknown = LogError::UnknownShard { shard, shards: self.shards.get() };
        *self.ends.get_mut(shard.index()).ok_or(unknown)? = Position { epoch, lsn: tail.lsn };
        Ok(())
    }

    /// Makes everything durable, and a data directory of the draft, as if it had been closed in order.
    ///
    /// # Errors
    /// [`LogError`]; the draft is none then.
    pub fn seal(&mut self) -> Result<(), LogError> {
        self.database()?;
        self.database.take().map_or(Ok(()), Database::close_in_order)?;
        acknowledged::create_at(&self.directory.acknowledged(), self.ends.iter().copied())?;
        self.directory.mark_clean()?;
        self.directory.write_ready(self.shards)
    }

    /// Puts it where nothing is, or an empty directory. It must have been sealed.
    ///
    /// # Errors
    /// [`LogError::Io`]; it is left where it was.
    pub fn place(self) -> Result<(), LogError> {
        fs::rename(&self.draft, &self.into).map_err(LogError::io(&self.into))?;
        sync_directory(parent_of(&self.into))
    }

    /// Exchanges it with the directory at its place, in one step: at each instant one of them is there. What was there is
    /// at `kept` from then on. It must have been sealed.
    ///
    /// # Errors
    /// [`LogError::Io`]; the place is as it was, and the new directory is whole where the error's path says.
    pub fn replace(self, held: Held, kept: &Path) -> Result<(), LogError> {
        // First to where the old one is to be: so that what lies there is one of the two at each instant, and never a draft.
        fs::rename(&self.draft, kept).map_err(LogError::io(&self.draft))?;
        let exchanged = renameat_with(CWD, kept, CWD, &held.dir, RenameFlags::EXCHANGE);
        exchanged.map_err(|error| LogError::Io { path: kept.to_owned(), source: error.into() })?;
        sync_directory(parent_of(&held.dir))
    }

    /// Throws it away.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn discard(mut self) -> Result<(), LogError> {
        drop(self.database.take());
        fs::remove_dir_all(&self.draft).map_err(LogError::io(&self.draft))
    }

    fn database(&self) -> Result<&Database, LogError> {
        let sealed = || LogError::Storage { path: self.draft.clone(), message: "it is sealed already".to_owned() };
        self.database.as_ref().ok_or_else(sealed)
    }
}

/// Empties a draft, whose lock the caller holds.
fn empty(draft: &Path) -> Result<(), LogError> {
    let entries = fs::read_dir(draft).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(LogError::io(draft))?;
    if entries.iter().any(|entry| !entry.file_name().to_str().is_some_and(|name| PARTS.contains(&name))) {
        return Err(LogError::NotADataDirectory { dir: draft.to_owned() });
    }
    // Without its format it is nothing that could be opened while the rest goes.
    let (format, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.file_name() == "format");
    for path in format.into_iter().chain(rest).map(|entry| entry.path()).filter(|path| !path.ends_with("lock")) {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(LogError::Io { path, source: error }),
            _ => {}
        }
    }
    Ok(())
}
