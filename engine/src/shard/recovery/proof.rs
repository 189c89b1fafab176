//! Proof that snapshots and frames say the same: replaying from the first snapshots leads to each later one.

use std::{io::ErrorKind, sync::Arc};

use usher_wal::{Frame, LogError, LogStart, Lsn, ShardId, SnapshotId, Snapshots};

use super::{ApplyError, Loaded, RecoveryError};
use crate::{
    ids::ShowNumber,
    inventory::{Show, StateHash, stored},
};

/// Why snapshots and frames do not go together.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The beginning cannot be loaded, or a snapshot not be read.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A frame's bytes are no events that fit.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A snapshot is another state than the frames before it lead to.
    #[error(
        "the snapshot of show number {} of shard {shard} at LSN {lsn} has the state hash {stated}, replaying up to there \
         gives {}",
        number.0,
        found.map_or_else(|| "no such show".to_owned(), |found| found.to_string())
    )]
    Differs {
        /// Whose.
        shard: ShardId,
        /// Of which show.
        number: ShowNumber,
        /// When it was taken.
        lsn: Lsn,
        /// By the snapshot.
        stated: StateHash,
        /// By the frames.
        found: Option<StateHash>,
    },
}

impl From<LogError> for ProofError {
    fn from(error: LogError) -> Self {
        Self::Recovery(error.into())
    }
}

/// A replay that is compared with every snapshot on its way.
pub struct Proof {
    /// The state so far.
    pub loaded: Loaded,
    shard: ShardId,
    snapshots: Arc<dyn Snapshots>,
    /// Those that are still to come, the next one last.
    later: Vec<SnapshotId>,
    /// So many were found to be what the frames lead to.
    pub compared: u64,
}

impl Proof {
    /// Begins with the snapshots that the log rests on, and no later ones. All of them must be readable.
    ///
    /// # Errors
    /// [`ProofError::Recovery`].
    pub fn begin(shard: ShardId, snapshots: Arc<dyn Snapshots>, start: &LogStart) -> Result<Self, ProofError> {
        let all = snapshots.list()?;
        let first = OnlyFirst { snapshots: Arc::clone(&snapshots), first: &start.snapshots };
        let loaded = Loaded::load(shard, &first, start)?;
        let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| start.snapshots.contains(id));
        let (mut later, earlier): (Vec<_>, Vec<_>) = rest.into_iter().partition(|id| id.lsn > start.lsn);
        for id in first.iter().chain(&earlier) {
            read(shard, snapshots.as_ref(), *id)?;
        }
        later.sort_unstable_by_key(|id| std::cmp::Reverse((id.lsn, id.part)));
        Ok(Self { loaded, shard, snapshots, later, compared: 0 })
    }

    /// Applies a frame, and compares the state with the snapshots that were taken then.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn apply(&mut self, frame: &Frame<'_>) -> Result<u64, ProofError> {
        let events = self.loaded.apply(frame)?;
        while let Some(id) = self.later.pop_if(|id| id.lsn <= frame.lsn) {
            self.compare(id)?;
        }
        Ok(events)
    }

    fn compare(&mut self, id: SnapshotId) -> Result<(), ProofError> {
        let (shard, number, lsn) = (self.shard, ShowNumber(id.part.0), id.lsn);
        let stated = match read(shard, self.snapshots.as_ref(), id) {
            // A running server removes those that it needs no more.
            Err(RecoveryError::Log(LogError::Io { source, .. })) if source.kind() == ErrorKind::NotFound => {
                return Ok(());
            }
            stated => stated?,
        };
        let found = self.loaded.inventory.show(number).map(Show::state_hash);
        if found != Some(stated) {
            return Err(ProofError::Differs { shard, number, lsn, stated, found });
        }
        self.compared += 1;
        Ok(())
    }
}

fn read(shard: ShardId, snapshots: &dyn Snapshots, id: SnapshotId) -> Result<StateHash, RecoveryError> {
    let (number, lsn) = (ShowNumber(id.part.0), id.lsn);
    stored::state_hash(&snapshots.read(id)?).map_err(|source| RecoveryError::Snapshot { shard, number, lsn, source })
}

/// The snapshots that a log rests on.
struct OnlyFirst<'a> {
    snapshots: Arc<dyn Snapshots>,
    first: &'a [SnapshotId],
}

impl Snapshots for OnlyFirst<'_> {
    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        Ok(self.snapshots.list()?.into_iter().filter(|id| self.first.contains(id)).collect())
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        self.snapshots.read(id)
    }
}
