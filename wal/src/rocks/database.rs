//! The one RocksDB of a store: keys, column families, and the four things done with them.
//!
//! It holds no state of its own and decides nothing about epochs or generations; that is `RocksStore`'s.
//!
//! ```text
//! column family   key                          value
//! log             shard u32 BE ++ lsn u64 BE   an encoded frame
//! meta            "epoch" ++ shard u32 BE      the shard's epoch, u64 LE
//! meta            "start" ++ shard u32 BE      where the shard's log begins: LSN u64 LE, and of each part that there was
//!                                              the snapshot that holds it: part u32 LE ++ LSN u64 LE
//! meta            "identity"                   which data directory this is, 16 bytes
//! meta            "durability"                 what appends wait for, if that is not an fsync
//! ```
//!
//! Big-endian keys sort as their numbers do, so a shard's frames lie together, in order.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, DBRawIterator, ErrorKind, WriteBatch, properties};

use super::options::{self, Ending};
use super::torn::{TornTail, torn_tail};
use crate::bytes::{take, take_u32, take_u64};
use crate::chain::{Chain, tail_of};
use crate::{Durability, Frame, LogError, LogStart, Lsn, PartId, ReplayStop, ShardEpoch, ShardId, SnapshotId, Tail};

mod bulk;
mod identity;

const LOG: &str = "log";
const META: &str = "meta";
const DURABILITY: &[u8] = b"durability";

/// RocksDB, open.
pub(super) struct Database {
    db: DB,
    path: PathBuf,
    /// A write failed: its remains may lie torn in the WAL.
    failed: AtomicBool,
    torn_tail: Option<TornTail>,
}

impl Database {
    /// Makes an empty database and closes it.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn create(path: &Path) -> Result<(), LogError> {
        let result = families().and_then(|families| DB::open_cf_descriptors(&options::creating()?, path, families));
        result.map(drop).map_err(|error| storage(path, error))
    }

    /// Opens an existing database for writing, and gives it an id if it has none.
    ///
    /// # Errors
    /// [`LogError::Storage`], also for what RocksDB finds damaged or missing.
    pub(super) fn open(path: &Path, ending: Ending) -> Result<Database, LogError> {
        let database = Self::opened((path, ending), |ending, families| {
            DB::open_cf_descriptors(&options::writing(ending)?, path, families)
        })?;
        database.give_identity()?;
        Ok(database)
    }

    /// Opens an existing database for reading, beside whoever writes it; sees what was there at this moment.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn open_read_only(path: &Path, ending: Ending) -> Result<Database, LogError> {
        // An existing WAL is no error: it is where the newest frames are.
        Self::opened((path, ending), |ending, families| {
            DB::open_cf_descriptors_read_only(&options::reading(ending), path, families, false)
        })
    }

    fn opened(
        (path, ending): (&Path, Ending),
        open: impl FnOnce(Ending, Vec<ColumnFamilyDescriptor>) -> Result<DB, rocksdb::Error>,
    ) -> Result<Database, LogError> {
        // After an orderly end a torn tail is damage, as RocksDB then says.
        let torn_tail = torn_tail(path)?.filter(|_| ending == Ending::Interrupted);
        let ending = torn_tail.as_ref().map_or(ending, |_| Ending::Torn);
        let db = families().and_then(|families| open(ending, families)).map_err(|error| storage(path, error))?;
        Ok(Database { db, path: path.to_owned(), failed: AtomicBool::new(false), torn_tail })
    }

    /// What was torn at the end of the WAL when it was opened, and is gone.
    pub(super) fn torn_tail(&self) -> Option<&TornTail> {
        self.torn_tail.as_ref()
    }

    /// Syncs everything that was written, as an orderly end needs.
    ///
    /// # Errors
    /// [`LogError::Storage`], also if a write has failed since it was opened: then its end is not orderly.
    pub(super) fn close_in_order(self) -> Result<(), LogError> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(self.malformed("a write has failed".to_owned()));
        }
        self.db.flush_wal(true).map_err(|error| self.storage(error))
    }

    /// Notes a failed write.
    fn written<T>(&self, result: Result<T, rocksdb::Error>) -> Result<T, rocksdb::Error> {
        self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    }

    /// Writes one frame; as durable as asked for when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::AppendFailed`]: the frame may be there after the next opening.
    pub(super) fn put_frame(
        &self,
        (shard, lsn): (ShardId, Lsn),
        encoded: &[u8],
        durability: Durability,
    ) -> Result<(), LogError> {
        let write = options::write(durability);
        let result = self.db.put_cf_opt(self.family(LOG)?, frame_key(shard, lsn), encoded, &write);
        self.written(result).map_err(|error| LogError::AppendFailed { shard, lsn, message: error.into_string() })
    }

    /// Writes a frame into each of some logs, all or none; as durable as asked for when it returns `Ok`.
    ///
    /// # Errors
    /// As [`Self::put_frame`], naming the first.
    pub(super) fn put_frames(&self, frames: &[(ShardId, Lsn, &[u8])], durability: Durability) -> Result<(), LogError> {
        let (family, mut batch) = (self.family(LOG)?, WriteBatch::default());
        for (shard, lsn, encoded) in frames {
            batch.put_cf(family, frame_key(*shard, *lsn), encoded);
        }
        let failed = |error: rocksdb::Error| match frames.first() {
            Some(&(shard, lsn, _)) => LogError::AppendFailed { shard, lsn, message: error.into_string() },
            None => self.storage(error),
        };
        self.written(self.db.write_opt(batch, &options::write(durability))).map_err(failed)
    }

    /// Removes all frames of a shard, and where its log begins; durable when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn forget(&self, shard: ShardId) -> Result<(), LogError> {
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(self.family(LOG)?, frame_key(shard, Lsn::ZERO), frame_key(shard, Lsn(u64::MAX)));
        batch.delete_cf(self.family(META)?, meta_key(b"start", shard));
        self.written(self.db.write_opt(batch, &options::write(Durability::Fsync))).map_err(|error| self.storage(error))
    }

    /// The tail of a shard's log and the epoch of its last frame, from that frame alone.
    ///
    /// # Errors
    /// [`LogError::Storage`], or what is wrong with the last frame.
    pub(super) fn tail(&self, shard: ShardId) -> Result<(Tail, ShardEpoch), LogError> {
        let mut frames = self.frames(shard, Lsn::FIRST)?;
        frames.seek_to_last();
        let last = frames.item().map(|(key, encoded)| Ok((self.lsn_of(key)?, encoded))).transpose()?;
        frames.status().map_err(|error| self.storage(error))?;
        tail_of(shard, last)
    }

    /// The first and the last LSN that a shard's log has, by their keys alone; `None` of an empty one.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn ends(&self, shard: ShardId) -> Result<Option<(Lsn, Lsn)>, LogError> {
        let mut frames = self.frames(shard, Lsn::FIRST)?;
        frames.seek_to_first();
        let first = frames.key().map(|key| self.lsn_of(key)).transpose()?;
        frames.seek_to_last();
        let last = frames.key().map(|key| self.lsn_of(key)).transpose()?;
        frames.status().map_err(|error| self.storage(error))?;
        Ok(first.zip(last))
    }

    /// Visits the frames of a shard from `from` on, all verified, and returns the last one.
    ///
    /// # Errors
    /// As [`Log::replay_from`](crate::Log::replay_from), without the watermark.
    pub(super) fn replay(
        &self,
        shard: ShardId,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        let mut chain = Chain::starting_at(shard, from, self.start(shard)?.lsn)?;
        let mut frames = self.frames(shard, chain.first_read())?;
        frames.seek_to_first();
        while let Some((key, encoded)) = frames.item() {
            chain.read(self.lsn_of(key)?, encoded, visit)?;
            frames.next();
        }
        // An iterator that met damage ends like one that met the end.
        frames.status().map_err(|error| self.storage(error))?;
        Ok(chain.end()?.0)
    }

    /// Where a shard's log begins.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn start(&self, shard: ShardId) -> Result<LogStart, LogError> {
        let stored = self.db.get_pinned_cf(self.family(META)?, meta_key(b"start", shard));
        let Some(stored) = stored.map_err(|error| self.storage(error))? else { return Ok(LogStart::default()) };
        decode_start(&stored).ok_or_else(|| self.malformed(format!("the start of the log of shard {shard} is none")))
    }

    /// What appends waited for when it was last opened for writing; the default where nobody said otherwise.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn durability(&self) -> Result<Durability, LogError> {
        let stored = self.db.get_pinned_cf(self.family(META)?, DURABILITY).map_err(|error| self.storage(error))?;
        let is_os = stored.is_some_and(|stored| *stored == *Durability::Os.to_string().as_bytes());
        Ok(if is_os { Durability::Os } else { Durability::Fsync })
    }

    /// Says what appends wait for from now on.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn note_durability(&self, durability: Durability) -> Result<(), LogError> {
        if self.durability()? == durability {
            return Ok(());
        }
        let write = options::write(Durability::Fsync);
        let result = self.db.put_cf_opt(self.family(META)?, DURABILITY, durability.to_string(), &write);
        self.written(result).map_err(|error| self.storage(error))
    }

    /// Removes the frames of a shard before `start`, unless that was done already.
    ///
    /// # Errors
    /// [`LogError::PastEnd`] where there is no frame at `start`, [`LogError::Storage`].
    pub(super) fn trim(&self, shard: ShardId, start: &LogStart) -> Result<(), LogError> {
        let from = start.lsn;
        if from <= self.start(shard)?.lsn {
            return Ok(());
        }
        let anchor = self.db.get_pinned_cf(self.family(LOG)?, frame_key(shard, from));
        if anchor.map_err(|error| self.storage(error))?.is_none() {
            return Err(LogError::PastEnd { shard, from });
        }
        // Both or none: a log that begins later than it says has lost something.
        let (log, meta) = (self.family(LOG)?, self.family(META)?);
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(log, frame_key(shard, Lsn::ZERO), frame_key(shard, from));
        batch.put_cf(meta, meta_key(b"start", shard), encode_start(start));
        // Durable before it is believed: the snapshots of an earlier start are removed next.
        let result = self.db.write_opt(batch, &options::write(Durability::Fsync));
        self.written(result).map_err(|error| self.storage(error))?;
        self.written(self.flush_what_is_left()).map_err(|error| self.storage(error))
    }

    /// After a trim: writes what is live in the log's memtable into a table, if enough else is in it, so that RocksDB's
    /// WAL can go. What was trimmed is not written.
    fn flush_what_is_left(&self) -> Result<(), rocksdb::Error> {
        let (Some(log), Some(meta)) = (self.db.cf_handle(LOG), self.db.cf_handle(META)) else { return Ok(()) };
        let held = self.db.property_int_value_cf(log, properties::CUR_SIZE_ACTIVE_MEM_TABLE)?;
        if held < Some(options::FLUSH_AT_BYTES) {
            return Ok(());
        }
        // The little that is in meta would keep the WAL as well as the frames do.
        self.db.flush_cf(meta)?;
        self.db.flush_cf(log)
    }

    /// The epoch stored for a shard; [`ShardEpoch::ZERO`] before its first opening.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn epoch(&self, shard: ShardId) -> Result<ShardEpoch, LogError> {
        let stored = self.db.get_pinned_cf(self.family(META)?, meta_key(b"epoch", shard));
        let Some(stored) = stored.map_err(|error| self.storage(error))? else { return Ok(ShardEpoch::ZERO) };
        let epoch = <[u8; 8]>::try_from(stored.as_ref());
        let epoch = epoch.map_err(|_| self.malformed(format!("the epoch of shard {shard} is not eight bytes")))?;
        Ok(ShardEpoch(u64::from_le_bytes(epoch)))
    }

    /// Stores a shard's epoch; durable when it returns `Ok`.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub(super) fn put_epoch(&self, shard: ShardId, epoch: ShardEpoch) -> Result<(), LogError> {
        let (key, value) = (meta_key(b"epoch", shard), epoch.0.to_le_bytes());
        let result = self.db.put_cf_opt(self.family(META)?, key, value, &options::write(Durability::Fsync));
        self.written(result).map_err(|error| self.storage(error))
    }

    /// An iterator, not yet placed, over one shard's frames from `from` on.
    fn frames(&self, shard: ShardId, from: Lsn) -> Result<DBRawIterator<'_>, LogError> {
        let range = options::range(&frame_key(shard, from), &frame_key(shard, Lsn(u64::MAX)));
        Ok(self.db.raw_iterator_cf_opt(self.family(LOG)?, range))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, LogError> {
        self.db.cf_handle(name).ok_or_else(|| self.malformed(format!("there is no column family {name}")))
    }

    fn lsn_of(&self, mut key: &[u8]) -> Result<Lsn, LogError> {
        let lsn = take::<4>(&mut key).and_then(|_shard| key.try_into().ok());
        let lsn = lsn.ok_or_else(|| self.malformed("a key of the log is not twelve bytes".to_owned()))?;
        Ok(Lsn(u64::from_be_bytes(lsn)))
    }

    fn storage(&self, error: rocksdb::Error) -> LogError {
        storage(&self.path, error)
    }

    fn malformed(&self, message: String) -> LogError {
        LogError::Storage { path: self.path.clone(), message }
    }
}

fn storage(path: &Path, error: rocksdb::Error) -> LogError {
    let (path, kind) = (path.to_owned(), error.kind());
    match kind {
        ErrorKind::Corruption => LogError::StorageDamaged { path, message: error.into_string() },
        _ => LogError::Storage { path, message: error.into_string() },
    }
}

fn families() -> Result<Vec<ColumnFamilyDescriptor>, rocksdb::Error> {
    let describe = |name| {
        let options = if name == LOG { options::log_family() } else { options::family() };
        Ok(ColumnFamilyDescriptor::new(name, options?))
    };
    [rocksdb::DEFAULT_COLUMN_FAMILY_NAME, LOG, META].into_iter().map(describe).collect()
}

fn frame_key(shard: ShardId, lsn: Lsn) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&shard.0.to_be_bytes());
    key[4..].copy_from_slice(&lsn.0.to_be_bytes());
    key
}

fn meta_key(what: &[u8; 5], shard: ShardId) -> [u8; 9] {
    let mut key = [0; 9];
    key[..5].copy_from_slice(what);
    key[5..].copy_from_slice(&shard.0.to_be_bytes());
    key
}

fn encode_start(start: &LogStart) -> Vec<u8> {
    let mut bytes = start.lsn.0.to_le_bytes().to_vec();
    for SnapshotId { part, lsn } in &start.snapshots {
        bytes.extend_from_slice(&part.0.to_le_bytes());
        bytes.extend_from_slice(&lsn.0.to_le_bytes());
    }
    bytes
}

fn decode_start(mut bytes: &[u8]) -> Option<LogStart> {
    let mut start = LogStart { lsn: Lsn(take_u64(&mut bytes)?), snapshots: Vec::with_capacity(bytes.len() / 12) };
    while !bytes.is_empty() {
        let (part, lsn) = (PartId(take_u32(&mut bytes)?), Lsn(take_u64(&mut bytes)?));
        start.snapshots.push(SnapshotId { part, lsn });
    }
    Some(start)
}
