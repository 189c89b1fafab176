//! The log on RocksDB, and the only module that imports it: one database for all shards of the process.
//!
//! `RocksStore` owns what the shards share: the open database, their epochs and their watermark. What one shard does
//! with it is `log`'s; keys and column families are `database`'s.
//!
//! # Who shares an fsync with whom
//!
//! Each shard writes its own frame, and RocksDB's write groups let the shards that write at once share one fsync. A frame
//! is a whole batch of commands already, so there are as many writers as shards, and shards are half the cores. The roads
//! not taken were measured: a *leader* that combines the frames of all who wait into one batch, a *thread* that does
//! nothing else, and several databases (*log groups*). Thousands of appends/s, and p99 in ms, on 2 cores:
//!
//! ```text
//! frame   shards   own put      leader       thread       leader, 2 groups   leader, 4 groups
//! 64 B    2         5.6  1.7     6.5  0.4     5.8  0.5     9.4  0.7           9.6  0.3
//! 64 B    8        19.1  1.7    22.2  1.8    20.7  1.7    21.8  0.6          19.6  1.2
//! 64 B    64       54.8  5.6    55.2  8.1    75.1  4.8    82.2  5.3          90.8  2.5
//! 4 KiB   8        15.3  3.4    12.0  8.0     9.5  8.0    15.8  3.7          15.9  1.9
//! 4 KiB   64       31.5  14.6   52.0  5.7    44.7  8.9    52.2  4.1          54.3  3.5
//! ```
//!
//! Up to 8 shards they differ by less than two runs of the same do. With 64 threads on 2 cores combining gains up to 1.7
//! times, which is for a machine of 128 cores to show; until then the simplest stays. Log groups gain by syncing two files
//! at once, and cost a second watermark, a second place to fail and shards that are tied to a group.
//! `cargo bench -p usher-benches --bench commit -- groups` measures anew.
//!
//! # Who may do what when
//!
//! RocksDB refuses every write after a failed sync of its WAL until it is opened again, and all shards share it. So any
//! shard may have to open it again under the others. What keeps that safe:
//!
//! 1. **A shard's epoch lock is held from the comparison of its epoch to the end of the write.** A handle either writes
//!    before a newer one reads the tail, or is fenced. Two handles can never write the same LSN.
//! 2. **The database is used under the read lock and replaced under the write lock.** So no write is under way when
//!    RocksDB is closed, and each write happens in exactly one *generation*, the count of openings.
//! 3. **Only the first shard that failed in a generation opens the next**; the others that failed in it find a newer
//!    one and use it.
//! 4. **A shard that did not fail proves that it need not recover**: before its first append in a new generation it looks
//!    whether the frame it believes to be last is the last. Nobody else can have written there, by 1.
//! 5. **Locks are taken in this order**: a shard's epoch, then the database. Opening again takes only the latter.

mod building;
mod database;
mod log;
mod options;
mod read_only;
mod shards;
mod snapshots;
mod torn;

use std::fs::File;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::acknowledged::{self, Acknowledged};
use crate::directory::{Directory, SHARDS_MAX};
use crate::disk::Disk;
use crate::snapshot_files::SnapshotFiles;
use crate::{LogError, ShardEpoch, ShardId, StoreOptions, Tail};
use database::Database;
use options::Ending;

pub use building::{Held, NewDirectory};
pub use log::RocksLog;
pub use read_only::{ReadOnlyStore, Writer};
pub use shards::append_both;
pub use torn::TornTail;

/// A data directory, open for writing by this process alone. It closes when the last handle of it goes.
pub struct RocksStore {
    // The fields are dropped in this order: the lock must outlast all that it protects.
    current: RwLock<Current>,
    /// By shard: the epoch of its newest handle. The lock is also the right to write to that shard's log.
    epochs: Box<[Mutex<ShardEpoch>]>,
    acknowledged: Acknowledged,
    shards: NonZeroU32,
    disk: Disk,
    directory: Directory,
    options: StoreOptions,
    /// The directory of all snapshots.
    snapshots: PathBuf,
    _lock: File,
}

/// The database as it is now.
struct Current {
    /// `None` after an opening that failed; the next reopening tries again.
    database: Option<Database>,
    /// How often it has been opened again. Rises by one under the write lock.
    generation: u64,
    /// RocksDB's own directory.
    path: PathBuf,
}

impl Current {
    fn database(&self) -> Result<&Database, LogError> {
        let closed = || LogError::Storage {
            path: self.path.clone(),
            message: "closed, because opening it again failed".to_owned(),
        };
        self.database.as_ref().ok_or_else(closed)
    }
}

/// What a handle knows of its log when it begins.
struct Opening {
    epoch: ShardEpoch,
    tail: Tail,
    generation: u64,
}

impl RocksStore {
    /// [`RocksStore::open_with`] the default options.
    ///
    /// # Errors
    /// As there.
    pub fn open(dir: &Path, shards: NonZeroU32) -> Result<Arc<RocksStore>, LogError> {
        Self::open_with(dir, shards, StoreOptions::default())
    }

    /// Opens the data directory `dir`, or creates it where it is absent or empty.
    ///
    /// `shards` is fixed by the creation, at most [`SHARDS_MAX`].
    ///
    /// # Errors
    /// [`LogError::InUse`] when it is open elsewhere, and otherwise why it is not a whole data directory of this release
    /// and this number of shards. Frames are not looked at yet; [`Log::replay_from`](crate::Log::replay_from) does.
    pub fn open_with(dir: &Path, shards: NonZeroU32, options: StoreOptions) -> Result<Arc<RocksStore>, LogError> {
        if shards.get() > SHARDS_MAX {
            return Err(LogError::TooManyShards { shards: shards.get(), shards_max: SHARDS_MAX });
        }
        let directory = Directory::at(dir);
        let lock = directory.lock()?;
        directory.create_if_new(shards, || {
            Database::create(&directory.rocksdb())?;
            acknowledged::create(&directory.acknowledged(), shards)
        })?;
        directory.check_shards(shards)?;
        directory.bring_up_to_date()?;
        let acknowledged = Acknowledged::open(&directory.acknowledged(), shards)?;
        let database = open_marked(&directory)?;
        database.note_durability(options.durability)?;
        let database = Some(database);
        let current = RwLock::new(Current { database, generation: 0, path: directory.rocksdb() });
        let epochs = (0..shards.get()).map(|_| Mutex::new(ShardEpoch::ZERO)).collect();
        let disk = Disk::below(dir, &lock, options.disk_reserve_bytes)?;
        let snapshots = directory.snapshots();
        for shard in (0..shards.get()).map(ShardId) {
            SnapshotFiles::new(&snapshots, shard).remove_drafts()?;
        }
        Ok(Arc::new(RocksStore {
            current,
            epochs,
            acknowledged,
            shards,
            disk,
            directory,
            options,
            snapshots,
            _lock: lock,
        }))
    }

    /// Refuses where another directory, or none, is where the opened one was. Then nothing of it must be closed in order: what
    /// is written by a path would go into the other one.
    ///
    /// # Errors
    /// [`LogError::Exchanged`].
    pub fn check_in_place(&self) -> Result<(), LogError> {
        self.disk.check_in_place()
    }

    /// How many shards it was created with.
    #[must_use]
    pub fn shards(&self) -> NonZeroU32 {
        self.shards
    }

    /// Opens the log of one shard: raises its epoch durably, which fences every older handle, and reads its tail.
    ///
    /// # Errors
    /// [`LogError::UnknownShard`], [`LogError::Storage`], or what is wrong with the last frame.
    pub fn log(self: &Arc<RocksStore>, shard: ShardId) -> Result<RocksLog, LogError> {
        let opening = self.open_shard(shard)?;
        Ok(RocksLog::new(Arc::clone(self), shard, &opening))
    }

    /// What an interruption had left of a frame that was never acknowledged, and is gone since the last opening.
    #[must_use]
    pub fn torn_tail(&self) -> Option<TornTail> {
        self.current.read().database.as_ref().and_then(Database::torn_tail).cloned()
    }

    fn epoch_lock(&self, shard: ShardId) -> Result<&Mutex<ShardEpoch>, LogError> {
        let unknown = LogError::UnknownShard { shard, shards: self.shards.get() };
        self.epochs.get(shard.index()).ok_or(unknown)
    }

    /// Raises a shard's epoch and reads its tail, with the older handles shut out in between.
    fn open_shard(&self, shard: ShardId) -> Result<Opening, LogError> {
        let mut newest = self.epoch_lock(shard)?.lock();
        let current = self.current.read();
        let database = current.database()?;
        let (tail, last_written) = database.tail(shard)?;
        // The last frame's epoch counts too: no replay would accept a lower one after it.
        let epoch = database.epoch(shard)?.max(*newest).max(last_written).next();
        database.put_epoch(shard, epoch)?;
        *newest = epoch;
        Ok(Opening { epoch, tail, generation: current.generation })
    }

    /// Makes sure that the database is in a later generation than the one a shard failed in, and returns which.
    fn open_again(&self, failed_in: u64) -> Result<u64, LogError> {
        let mut current = self.current.write();
        if current.database.is_some() && current.generation != failed_in {
            return Ok(current.generation);
        }
        // RocksDB locks its directory: the old one must be closed before a new one can be opened.
        current.database = None;
        current.database = Some(Database::open(&current.path, Ending::Interrupted)?);
        current.generation += 1;
        Ok(current.generation)
    }

    /// Makes everything durable and says so in the directory.
    fn close_in_order(&mut self) -> Result<(), LogError> {
        let current = self.current.get_mut();
        current.database()?;
        current.database.take().map_or(Ok(()), Database::close_in_order)?;
        self.acknowledged.close()?;
        self.directory.mark_clean()
    }
}

impl Drop for RocksStore {
    fn drop(&mut self) {
        // Whatever fails here: the next opening is then one after an interruption, which loses nothing.
        drop(self.close_in_order());
    }
}

/// Opens the database as its last end allows, and takes the mark of an orderly one away before anything is written.
fn open_marked(directory: &Directory) -> Result<Database, LogError> {
    if !directory.is_clean() {
        return Database::open(&directory.rocksdb(), Ending::Interrupted);
    }
    directory.unmark_clean()?;
    Database::open(&directory.rocksdb(), Ending::Clean).inspect_err(|_| {
        // What was refused once must not be accepted the next time. Where that fails, the watermark is left.
        drop(directory.mark_clean());
    })
}

#[cfg(test)]
mod damage_matrix;
#[cfg(test)]
mod tests;
