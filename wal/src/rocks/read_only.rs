//! Reading a data directory that another process may be writing: verification, inspection.
//!
//! It takes no lock, raises no epoch and writes nothing in the directory.

use std::fs::File;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::database::Database;
use super::options::Ending;
use crate::acknowledged::{self, Position};
use crate::directory::Directory;
use crate::snapshot_files::SnapshotFiles;
use crate::{
    DirectoryId, Durability, EncodedVisit, Frame, LogError, LogStart, Lsn, ReplayStop, ShardEpoch, ShardId, Snapshots,
    Tail,
};

/// A data directory as it was when it was opened here. Frames appended later are not seen.
pub struct ReadOnlyStore {
    database: Database,
    /// By shard: what had been acknowledged before the database was opened.
    acknowledged: Vec<Position>,
    shards: NonZeroU32,
    /// The directory of all snapshots.
    snapshots: PathBuf,
}

/// The process that has a data directory open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its id; `None` where it cannot be seen from here, as from another container.
    pub process_id: Option<i32>,
}

impl ReadOnlyStore {
    /// Who has `dir` open for writing now, if anybody has. Takes no lock itself, so that nobody's start is refused by
    /// the question. The directory need not be whole.
    ///
    /// # Errors
    /// [`LogError::Io`] when RocksDB's lock file cannot be asked.
    pub fn writer(dir: &Path) -> Result<Option<Writer>, LogError> {
        let path = Directory::at(dir).rocksdb().join("LOCK");
        let file = File::open(&path).map_err(LogError::io(&path))?;
        let lock = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock));
        let lock = lock.map_err(|error| LogError::Io { path, source: error.into() })?;
        Ok(lock.map(|lock| Writer { process_id: lock.pid.map(|pid| pid.as_raw_nonzero().get()) }))
    }

    /// Opens a whole data directory for reading.
    ///
    /// # Errors
    /// Why it is not one; [`LogError::Storage`] also when the writer replaced RocksDB's files during the opening, in
    /// which case trying again helps.
    pub fn open(dir: &Path) -> Result<ReadOnlyStore, LogError> {
        let directory = Directory::at(dir);
        let shards = directory.check_whole()?;
        // Read first: whatever was acknowledged by now must be in the database as it is opened next, however far its
        // writer has come since.
        let acknowledged = acknowledged::read(&directory.acknowledged(), shards)?;
        let ending = if directory.is_clean() { Ending::Clean } else { Ending::Interrupted };
        let database = Database::open_read_only(&directory.rocksdb(), ending)?;
        Ok(ReadOnlyStore { database, acknowledged, shards, snapshots: directory.snapshots() })
    }

    /// Opens a data directory that may be damaged, for reading what is sound: without regard to its watermark, and as far
    /// as RocksDB can read its files. Which frames are sound, [`Self::export`] finds.
    ///
    /// # Errors
    /// Where not even the directory's format or RocksDB's tables can be read.
    pub fn open_sound_part(dir: &Path) -> Result<ReadOnlyStore, LogError> {
        let directory = Directory::at(dir);
        let shards = directory.check_format()?;
        let acknowledged = acknowledged::read(&directory.acknowledged(), shards);
        let acknowledged = acknowledged.unwrap_or_else(|_| (0..shards.get()).map(|_| Position::NONE).collect());
        let acknowledged = acknowledged.into_iter().map(|position| Position { lsn: Lsn::ZERO, ..position }).collect();
        let rocksdb = directory.rocksdb();
        let database = Database::open_read_only(&rocksdb, Ending::Interrupted)
            .or_else(|_| Database::open_read_only(&rocksdb, Ending::Damaged))?;
        Ok(ReadOnlyStore { database, acknowledged, shards, snapshots: directory.snapshots() })
    }

    /// How many shards the directory was created with; they are counted from 0.
    #[must_use]
    pub fn shards(&self) -> NonZeroU32 {
        self.shards
    }

    /// The directory's id; `None` of one that only earlier releases have opened for writing.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn identity(&self) -> Result<Option<DirectoryId>, LogError> {
        self.database.identity()
    }

    /// The first and the last LSN that a shard's log has, unverified; `None` of an empty one.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn ends(&self, shard: ShardId) -> Result<Option<(Lsn, Lsn)>, LogError> {
        self.database.ends(shard)
    }

    /// Where a shard's log begins.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn start(&self, shard: ShardId) -> Result<LogStart, LogError> {
        self.database.start(shard)
    }

    /// The snapshots of a shard, as they are now: a running server removes those that it needs no more.
    #[must_use]
    pub fn snapshots(&self, shard: ShardId) -> Arc<dyn Snapshots> {
        Arc::new(SnapshotFiles::new(&self.snapshots, shard))
    }

    /// What appends wait for, or waited for when it was last open for writing.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn durability(&self) -> Result<Durability, LogError> {
        self.database.durability()
    }

    /// The epoch of a shard's latest opening, which may have written no frame.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn epoch(&self, shard: ShardId) -> Result<ShardEpoch, LogError> {
        self.database.epoch(shard)
    }

    /// The LSN that a shard's log was known to have reached when it was opened here.
    ///
    /// # Errors
    /// [`LogError::UnknownShard`].
    pub fn acknowledged(&self, shard: ShardId) -> Result<Lsn, LogError> {
        Ok(self.position(shard)?.lsn)
    }

    /// Visits every frame of a shard that is kept, in order and verified as [`Log::replay_from`](crate::Log::replay_from)
    /// does. A log that was trimmed begins behind [`Lsn::FIRST`]; see [`Self::ends`].
    ///
    /// # Errors
    /// As there, and [`LogError::UnknownShard`].
    pub fn replay(
        &self,
        shard: ShardId,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        let acknowledged = self.position(shard)?;
        let tail = self.database.replay(shard, Lsn::ZERO, visit)?;
        acknowledged.check_reached(shard, tail.lsn)?;
        Ok(tail)
    }

    /// As [`Self::replay`], from `from` (inclusive) on, which the frame before must be there for. It may be one past the
    /// end: nothing is visited.
    ///
    /// # Errors
    /// As there.
    pub fn replay_from(
        &self,
        shard: ShardId,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        let acknowledged = self.position(shard)?;
        let tail = self.database.replay(shard, from, visit)?;
        acknowledged.check_reached(shard, tail.lsn)?;
        Ok(tail)
    }

    /// Visits the frames of a shard from `from` on with their bytes, all verified, until the visitor has enough; the first
    /// is believed by itself. Returns the last one's tail and epoch.
    ///
    /// # Errors
    /// As [`Self::replay`]; [`LogError::PastEnd`] where there is none at `from`.
    pub fn export(
        &self,
        shard: ShardId,
        from: Lsn,
        visit: &mut EncodedVisit<'_>,
    ) -> Result<(Tail, ShardEpoch), LogError> {
        let acknowledged = self.position(shard)?;
        let (tail, epoch, is_end) = self.database.export(shard, from, visit)?;
        if is_end {
            acknowledged.check_reached(shard, tail.lsn)?;
        }
        Ok((tail, epoch))
    }

    /// The highest epoch that is known of a shard: of its latest opening, or of its last acknowledged frame.
    ///
    /// # Errors
    /// [`LogError::Storage`], [`LogError::UnknownShard`].
    pub fn highest_epoch(&self, shard: ShardId) -> Result<ShardEpoch, LogError> {
        Ok(self.database.epoch(shard)?.max(self.position(shard)?.epoch))
    }

    pub(crate) fn snapshot_files(&self, shard: ShardId) -> SnapshotFiles {
        SnapshotFiles::new(&self.snapshots, shard)
    }

    fn position(&self, shard: ShardId) -> Result<Position, LogError> {
        let unknown = LogError::UnknownShard { shard, shards: self.shards.get() };
        self.acknowledged.get(shard.index()).copied().ok_or(unknown)
    }
}
