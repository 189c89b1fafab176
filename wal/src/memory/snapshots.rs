//! The snapshots of a shard in memory. They outlive crashes, as files do.

use std::path::PathBuf;

use super::Shared;
use crate::{LogError, Lsn, ShardId, SnapshotId, SnapshotStore};

pub(super) struct MemorySnapshots {
    pub(super) shared: Shared,
    pub(super) shard: ShardId,
}

impl SnapshotStore for MemorySnapshots {
    fn put(&self, id: SnapshotId, state: &[u8]) -> Result<(), LogError> {
        self.shared.lock().snapshots.insert(id, state.into());
        Ok(())
    }

    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        Ok(self.shared.lock().snapshots.keys().copied().collect())
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        let path = || PathBuf::from(format!("{}-{}", id.part, id.lsn));
        let shared = self.shared.lock();
        let state = shared.snapshots.get(&id).map(|state| state.to_vec());
        state.ok_or_else(|| LogError::SnapshotDamaged { path: path(), reason: "it is not there" })
    }

    fn remove(&self, id: SnapshotId) -> Result<(), LogError> {
        self.shared.lock().snapshots.remove(&id);
        Ok(())
    }

    fn trim_log(&self, start: Lsn) -> Result<(), LogError> {
        let mut shared = self.shared.lock();
        if shared.durable.last().is_none_or(|(last, _)| *last < start) {
            return Err(LogError::PastEnd { shard: self.shard, from: start });
        }
        if start > shared.start {
            shared.durable.retain(|(lsn, _)| *lsn >= start);
            shared.start = start;
        }
        Ok(())
    }
}
