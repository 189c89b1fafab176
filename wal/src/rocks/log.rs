//! One shard's log on the shared database: append, replay, reopen.
//!
//! The rules by which shards share the database are the parent module's; this file keeps them.

use std::sync::Arc;

use super::snapshots::RocksSnapshots;
use super::{Opening, RocksStore};
use crate::acknowledged::Position;
use crate::chain::encode_next;
use crate::{Frame, Log, LogError, LogStart, Lsn, ReplayStop, ShardEpoch, ShardId, SnapshotStore, Tail};

/// A handle of one shard's log in a [`RocksStore`], which it keeps open.
pub struct RocksLog {
    pub(super) store: Arc<RocksStore>,
    pub(super) shard: ShardId,
    pub(super) epoch: ShardEpoch,
    pub(super) tail: Tail,
    /// The generation of the database in which `tail` was last known to be the end.
    generation: u64,
    /// Whether memory may differ from the disk. Set by a failed append, cleared by reopening.
    pub(super) failed: bool,
    /// The frame being written; kept for its capacity.
    pub(super) buffer: Vec<u8>,
}

impl RocksLog {
    pub(super) fn new(store: Arc<RocksStore>, shard: ShardId, opening: &Opening) -> RocksLog {
        let Opening { epoch, tail, generation } = *opening;
        RocksLog { store, shard, epoch, tail, generation, failed: false, buffer: Vec::new() }
    }

    /// Writes the encoded frame in `buffer`; returns the generation in which it was written.
    fn write(&self, lsn: Lsn) -> Result<u64, LogError> {
        // Held until the frame is durable, so that no newer handle reads the tail in between.
        let newest = self.store.epoch_lock(self.shard)?.lock();
        self.check_newest(*newest)?;
        // A log that was never replayed must not grow over a loss: the next replay would no longer see it.
        self.store.acknowledged.position(self.shard).check_reached(self.shard, self.tail.lsn)?;
        let current = self.store.current.read();
        let database = current.database()?;
        // Another shard had the database opened again. This log has not failed, so its tail must still be the end.
        if current.generation != self.generation && database.tail(self.shard)?.0 != self.tail {
            return Err(self.poisoned());
        }
        database.put_frame((self.shard, lsn), &self.buffer, self.store.options.durability)?;
        // Not before: a frame whose append failed is acknowledged only once a replay has found it.
        self.store.acknowledged.publish(self.shard, Position { epoch: self.epoch, lsn });
        Ok(current.generation)
    }

    /// Refuses where a newer handle has the shard.
    pub(super) fn check_newest(&self, newest: ShardEpoch) -> Result<(), LogError> {
        if newest != self.epoch {
            return Err(LogError::Fenced { shard: self.shard, epoch: self.epoch, current: newest });
        }
        Ok(())
    }

    pub(super) fn poisoned(&self) -> LogError {
        LogError::Poisoned { shard: self.shard, lsn: self.tail.lsn }
    }
}

impl Log for RocksLog {
    fn shard(&self) -> ShardId {
        self.shard
    }

    fn epoch(&self) -> ShardEpoch {
        self.epoch
    }

    fn tail(&self) -> Tail {
        self.tail
    }

    fn start(&self) -> Result<LogStart, LogError> {
        self.store.current.read().database()?.start(self.shard)
    }

    fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        Arc::new(RocksSnapshots::new(Arc::clone(&self.store), self.shard))
    }

    fn append(&mut self, clock_ms: u64, payload: &[u8]) -> Result<Lsn, LogError> {
        if self.failed {
            return Err(self.poisoned());
        }
        self.store.acknowledged.check_writable()?;
        let next = encode_next((self.shard, self.epoch), &self.tail, (clock_ms, payload), &mut self.buffer)?;
        match self.write(next.lsn) {
            Ok(generation) => {
                self.generation = generation;
                self.tail = next;
                Ok(next.lsn)
            }
            Err(error) => {
                // Neither of these touched the database, so neither may make the store open it again.
                self.failed = !matches!(error, LogError::Fenced { .. } | LogError::AcknowledgedLost { .. });
                Err(error)
            }
        }
    }

    fn check_writable(&self) -> Result<(), LogError> {
        self.store.disk.check_writable()?;
        self.store.acknowledged.check_writable()
    }

    fn replay_from(
        &mut self,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        // Asked before the frames are read: what a newer handle acknowledges meanwhile need not be among them.
        let acknowledged = self.store.acknowledged.position(self.shard);
        let tail = self.store.current.read().database()?.replay(self.shard, from, visit)?;
        acknowledged.check_reached(self.shard, tail.lsn)?;
        // Answers rest on what was replayed, also on a frame that came back after its append had failed: from now on it
        // must not be lost unseen. Opening has made it durable. A fenced handle leaves this to its successor.
        let newest = self.store.epoch_lock(self.shard)?.lock();
        if *newest == self.epoch && tail.lsn == self.tail.lsn {
            self.store.acknowledged.publish(self.shard, Position { epoch: self.epoch, lsn: tail.lsn });
        }
        drop(newest);
        Ok(tail)
    }

    fn reopen(&mut self) -> Result<(), LogError> {
        if self.failed {
            self.generation = self.store.open_again(self.generation)?;
        }
        // Until the tail has been read, this log stays as failed as it was.
        let Opening { epoch, tail, generation } = self.store.open_shard(self.shard)?;
        (self.epoch, self.tail, self.generation, self.failed) = (epoch, tail, generation, false);
        Ok(())
    }
}
