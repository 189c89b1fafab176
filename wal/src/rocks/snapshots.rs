//! The snapshots of a shard of a store: files beside RocksDB, and the trimming of the log in it.

use std::sync::Arc;

use super::RocksStore;
use crate::snapshot_files::SnapshotFiles;
use crate::{LogError, Lsn, ShardId, SnapshotId, SnapshotStore};

/// The snapshots of one shard of a [`RocksStore`], which it keeps open.
pub(super) struct RocksSnapshots {
    store: Arc<RocksStore>,
    shard: ShardId,
    files: SnapshotFiles,
}

impl RocksSnapshots {
    pub(super) fn new(store: Arc<RocksStore>, shard: ShardId) -> RocksSnapshots {
        let files = SnapshotFiles::new(&store.snapshots, shard);
        RocksSnapshots { store, shard, files }
    }
}

impl SnapshotStore for RocksSnapshots {
    fn put(&self, id: SnapshotId, state: &[u8]) -> Result<(), LogError> {
        self.files.put(id, state)
    }

    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        self.files.list()
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        self.files.read(id)
    }

    fn remove(&self, id: SnapshotId) -> Result<(), LogError> {
        self.files.remove(id)
    }

    fn trim_log(&self, start: Lsn) -> Result<(), LogError> {
        self.store.current.read().database()?.trim(self.shard, start)
    }
}
