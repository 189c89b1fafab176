//! Reading a data directory that another process may be writing: verification, inspection.
//!
//! It takes no lock, raises no epoch and writes nothing in the directory.

use std::num::NonZeroU32;
use std::path::Path;

use super::database::Database;
use super::options::Ending;
use crate::acknowledged::{self, Position};
use crate::directory::Directory;
use crate::{Frame, LogError, Lsn, ReplayStop, ShardId, Tail};

/// A data directory as it was when it was opened here. Frames appended later are not seen.
pub struct ReadOnlyStore {
    database: Database,
    /// By shard: what had been acknowledged before the database was opened.
    acknowledged: Vec<Position>,
    shards: NonZeroU32,
}

impl ReadOnlyStore {
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
        Ok(ReadOnlyStore { database, acknowledged, shards })
    }

    /// How many shards the directory was created with; they are counted from 0.
    #[must_use]
    pub fn shards(&self) -> NonZeroU32 {
        self.shards
    }

    /// Visits every frame of a shard in order, verified as [`Log::replay_from`](crate::Log::replay_from) does.
    ///
    /// # Errors
    /// As there, and [`LogError::UnknownShard`].
    pub fn replay(
        &self,
        shard: ShardId,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        let unknown = LogError::UnknownShard { shard, shards: self.shards.get() };
        let acknowledged = *self.acknowledged.get(shard.index()).ok_or(unknown)?;
        let tail = self.database.replay(shard, Lsn::ZERO, visit)?;
        acknowledged.check_reached(shard, tail.lsn)?;
        Ok(tail)
    }
}
