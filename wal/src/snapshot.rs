//! Snapshots: the state of a part of a shard at an LSN, so that a recovery need not replay everything that ever happened.
//!
//! What a part is, and what its bytes mean, is the owner's business; here they are kept whole or refused. A snapshot is
//! never changed: a newer one stands beside it, and the older one is removed when nobody needs it any more. Where they are
//! kept is `snapshot_files`'s and `memory`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{LogError, Lsn};

/// A part of a shard's state, by a number that its owner gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartId(pub u32);

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which snapshot of a shard. They sort by part, then by age, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Of which part.
    pub part: PartId,
    /// All frames up to this one are in it, and none behind.
    pub lsn: Lsn,
}

/// Where a log begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStart {
    /// The first frame that is kept, the one that the next is checked against; what happened up to it is in the snapshots.
    /// [`Lsn::ZERO`] as long as the log was never trimmed.
    pub lsn: Lsn,
    /// Of each part that there was the snapshot that holds it as it was at `lsn`, in the order of the parts. A recovery
    /// needs each of them, or a newer one of the same part.
    pub snapshots: Vec<SnapshotId>,
}

/// The snapshots of one shard, to be read.
pub trait Snapshots: Send + Sync {
    /// Every snapshot that is there, sorted.
    ///
    /// # Errors
    /// [`LogError::Io`].
    fn list(&self) -> Result<Vec<SnapshotId>, LogError>;

    /// The bytes of a snapshot, as they were put.
    ///
    /// # Errors
    /// [`LogError::SnapshotDamaged`] where they are not, [`LogError::Io`].
    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError>;
}

/// The snapshots of one shard, and the right to trim its log below them. It may be used from any thread while the log is
/// appended to on another.
pub trait SnapshotStore: Snapshots {
    /// Keeps a snapshot; durable when it returns `Ok`. The frames that it rests on must be durable before.
    ///
    /// # Errors
    /// [`LogError::Io`]; it may be there or not, whole in any case.
    fn put(&self, id: SnapshotId, state: &[u8]) -> Result<(), LogError>;

    /// Removes a snapshot. One that is not there is removed already.
    ///
    /// # Errors
    /// [`LogError::Io`].
    fn remove(&self, id: SnapshotId) -> Result<(), LogError>;

    /// Removes the frames before `start` from the log, unless that was done already. The frame at `start` stays.
    ///
    /// # Errors
    /// [`LogError::PastEnd`] where the log does not reach `start`; [`LogError::Storage`]: the frames may be there still.
    fn trim_log(&self, start: &LogStart) -> Result<(), LogError>;
}
