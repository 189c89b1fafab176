//! The log in memory, for tests and simulation: the same frames and the same verification, and faults on demand.
//!
//! Its frames outlive its handles, as a disk's do, but not the process. It has no directory, no threads and no sync
//! that takes time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::acknowledged::Position;
use crate::chain::{Chain, encode_next, tail_of};
use crate::{
    Frame, Log, LogError, LogStart, Lsn, ReplayStop, ShardEpoch, ShardId, SnapshotId, SnapshotStore, Tail, frame,
};

mod snapshots;

use snapshots::MemorySnapshots;

/// What becomes of the frame of a failed append. Both are allowed to a real disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It never reached the disk: after reopening it is gone.
    Lost,
    /// It reached the disk, only the answer did not: after reopening it is there.
    Kept,
}

/// What a crash does to a frame whose append has not succeeded. Durable frames survive every crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// It is gone.
    LoseUnsynced,
    /// It is cut in half; recovery drops it, as RocksDB drops a torn tail.
    TearUnsynced,
    /// It is there, whole.
    KeepUnsynced,
}

/// The logs of any number of shards, in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shards: Arc<Mutex<BTreeMap<ShardId, Shared>>>,
}

type Shared = Arc<Mutex<MemoryShard>>;

/// What a disk would hold of one shard, and the faults ordered for it.
#[derive(Default)]
struct MemoryShard {
    start: LogStart,
    snapshots: BTreeMap<SnapshotId, Box<[u8]>>,
    /// In the order of their LSNs.
    durable: Vec<(Lsn, Box<[u8]>)>,
    /// The frame of a failed append, if it was the last thing that happened. There is never more than one.
    unsynced: Option<Unsynced>,
    acknowledged: Option<Position>,
    epoch: Option<ShardEpoch>,
    fail_next: Option<Failure>,
    disk_full: bool,
}

struct Unsynced {
    lsn: Lsn,
    encoded: Vec<u8>,
    fate: Failure,
}

impl MemoryStore {
    /// A store whose logs are all empty.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Opens the log of one shard, which is what a restart does: its epoch is raised, older handles are fenced, and
    /// the frame of a failed append is there or gone.
    ///
    /// # Errors
    /// What is wrong with the last frame.
    pub fn log(&self, shard: ShardId) -> Result<MemoryLog, LogError> {
        let shared = self.shared(shard);
        let (epoch, tail) = shared.lock().open(shard)?;
        Ok(MemoryLog { shared, shard, epoch, tail, failed: false, buffer: Vec::new() })
    }

    /// Makes the shard's next append fail, and decides what becomes of its frame.
    pub fn fail_next_append(&self, shard: ShardId, failure: Failure) {
        self.shared(shard).lock().fail_next = Some(failure);
    }

    /// Whether the shard's disk is nearly full. Appends do not ask: whoever decides does.
    pub fn set_disk_full(&self, shard: ShardId, is_full: bool) {
        self.shared(shard).lock().disk_full = is_full;
    }

    /// The process dies: every handle is fenced. Open the logs again to go on.
    pub fn crash(&self, crash: Crash) {
        for shared in self.shards.lock().values() {
            shared.lock().crash(crash);
        }
    }

    /// Damages one byte of a durable frame; `byte` counts from its start and wraps at its end. Returns whether the
    /// frame was there.
    pub fn corrupt_frame(&self, shard: ShardId, lsn: Lsn, byte: usize) -> bool {
        self.shared(shard).lock().change(lsn, |frames, index| {
            let encoded = &mut frames[index].1;
            let byte = byte % encoded.len();
            encoded[byte] ^= 0x10;
        })
    }

    /// Removes a durable frame, acknowledged or not. Returns whether it was there.
    pub fn delete_frame(&self, shard: ShardId, lsn: Lsn) -> bool {
        self.shared(shard).lock().change(lsn, |frames, index| drop(frames.remove(index)))
    }

    fn shared(&self, shard: ShardId) -> Shared {
        Arc::clone(self.shards.lock().entry(shard).or_default())
    }
}

impl MemoryShard {
    fn open(&mut self, shard: ShardId) -> Result<(ShardEpoch, Tail), LogError> {
        self.settle_unsynced();
        let last = self.durable.last().map(|(lsn, encoded)| (*lsn, &**encoded));
        let (tail, _) = tail_of(shard, last)?;
        Ok((self.raise_epoch(), tail))
    }

    fn raise_epoch(&mut self) -> ShardEpoch {
        *self.epoch.insert(self.epoch.unwrap_or(ShardEpoch::ZERO).next())
    }

    /// What recovery makes of the frame of a failed append: durable if it was kept and is whole, gone otherwise.
    fn settle_unsynced(&mut self) {
        if let Some(Unsynced { lsn, encoded, fate: Failure::Kept }) = self.unsynced.take()
            && frame::decode(&encoded).is_ok()
        {
            self.durable.push((lsn, encoded.into()));
        }
    }

    fn crash(&mut self, crash: Crash) {
        if let Some(unsynced) = &mut self.unsynced {
            // A torn frame is on the disk, in part; that it is no whole one is found out by whoever recovers.
            unsynced.fate = if crash == Crash::LoseUnsynced { Failure::Lost } else { Failure::Kept };
            if crash == Crash::TearUnsynced {
                unsynced.encoded.truncate(unsynced.encoded.len() / 2);
            }
        }
        self.fail_next = None;
        // The handles of the dead process may still be around in the test; none of them may write any more.
        self.raise_epoch();
    }

    fn change(&mut self, lsn: Lsn, how: impl FnOnce(&mut Vec<(Lsn, Box<[u8]>)>, usize)) -> bool {
        let found = self.durable.binary_search_by_key(&lsn, |(lsn, _)| *lsn);
        found.map(|index| how(&mut self.durable, index)).is_ok()
    }

    /// The write itself: durable and acknowledged, or failed as ordered.
    fn write(&mut self, position: Position, encoded: &[u8], shard: ShardId) -> Result<(), LogError> {
        let lsn = position.lsn;
        if let Some(fate) = self.fail_next.take() {
            self.unsynced = Some(Unsynced { lsn, encoded: encoded.to_vec(), fate });
            let message = "a failed sync was ordered".to_owned();
            return Err(LogError::AppendFailed { shard, lsn, message });
        }
        self.durable.push((lsn, encoded.into()));
        self.acknowledged = Some(position);
        Ok(())
    }

    fn check_reached(&self, shard: ShardId, recovered: Lsn) -> Result<(), LogError> {
        self.acknowledged.map_or(Ok(()), |acknowledged| acknowledged.check_reached(shard, recovered))
    }
}

/// A handle of one shard's log in a [`MemoryStore`].
pub struct MemoryLog {
    shared: Shared,
    shard: ShardId,
    epoch: ShardEpoch,
    tail: Tail,
    /// Whether an append has failed since the last opening.
    failed: bool,
    /// The frame being written; kept for its capacity.
    buffer: Vec<u8>,
}

impl MemoryLog {
    fn write(&self, lsn: Lsn) -> Result<(), LogError> {
        let mut stored = self.shared.lock();
        let current = stored.epoch.unwrap_or(ShardEpoch::ZERO);
        if current != self.epoch {
            return Err(LogError::Fenced { shard: self.shard, epoch: self.epoch, current });
        }
        stored.check_reached(self.shard, self.tail.lsn)?;
        stored.write(Position { epoch: self.epoch, lsn }, &self.buffer, self.shard)
    }
}

impl Log for MemoryLog {
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
        Ok(self.shared.lock().start.clone())
    }

    fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        Arc::new(MemorySnapshots { shared: Arc::clone(&self.shared), shard: self.shard })
    }

    fn append(&mut self, clock_ms: u64, payload: &[u8]) -> Result<Lsn, LogError> {
        if self.failed {
            return Err(LogError::Poisoned { shard: self.shard, lsn: self.tail.lsn });
        }
        let next = encode_next((self.shard, self.epoch), &self.tail, (clock_ms, payload), &mut self.buffer)?;
        if let Err(error) = self.write(next.lsn) {
            self.failed = matches!(error, LogError::AppendFailed { .. });
            return Err(error);
        }
        self.tail = next;
        Ok(next.lsn)
    }

    fn check_writable(&self) -> Result<(), LogError> {
        if self.shared.lock().disk_full {
            return Err(LogError::DiskFull { path: PathBuf::from("memory"), free_bytes: 0, reserve_bytes: 1 });
        }
        Ok(())
    }

    fn replay_from(
        &mut self,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        let mut stored = self.shared.lock();
        let mut chain = Chain::starting_at(self.shard, from, stored.start.lsn)?;
        let first = stored.durable.partition_point(|(lsn, _)| *lsn < chain.first_read());
        for (lsn, encoded) in &stored.durable[first..] {
            chain.read(*lsn, encoded, visit)?;
        }
        let (tail, _) = chain.end()?;
        stored.check_reached(self.shard, tail.lsn)?;
        // Answers rest on what was replayed, also on a frame that came back after its append had failed.
        if stored.epoch == Some(self.epoch) && tail.lsn > Lsn::ZERO {
            stored.acknowledged = Some(Position { epoch: self.epoch, lsn: tail.lsn });
        }
        Ok(tail)
    }

    fn reopen(&mut self) -> Result<(), LogError> {
        let (epoch, tail) = self.shared.lock().open(self.shard)?;
        (self.epoch, self.tail, self.failed) = (epoch, tail, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
