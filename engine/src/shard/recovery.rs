//! From the log back to a state: at the start, and after a failed append.

use std::{collections::BTreeMap, thread, time::Duration};

use usher_wal::{Log, LogError, LogStart, Lsn, ShardEpoch, ShardId, backup::BackupError};

use super::{
    Notice, Observer, Shard,
    inbox::Inbox,
    request::{CreatedShow, Fault},
    snapshotter::Snapshotter,
};
use crate::{
    codec::CodecError,
    ids::ShowNumber,
    inventory::{Inventory, StateHash},
    time::Timestamp,
};

mod loaded;
mod proof;
mod rebuilt;

pub use loaded::{ApplyError, Loaded};
pub use proof::{Proof, ProofError};
pub use rebuilt::{rebuild, show_at};

/// A long recovery is told of every so many frames: at most a few times a second.
const TOLD_EVERY_FRAMES: u64 = 1 << 15;
/// Between two tries to recover, at most.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);
const RETRY_WAIT_MIN: Duration = Duration::from_millis(50);

/// Why a state could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log cannot be read, is damaged, or does not reach what was acknowledged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The same of a backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A snapshot that is whole is not a show.
    #[error("the snapshot of show number {} of shard {shard} at LSN {lsn}: {source}; restore the shard", number.0)]
    Snapshot {
        /// Whose.
        shard: ShardId,
        /// Of which show.
        number: ShowNumber,
        /// When it was taken.
        lsn: Lsn,
        /// What is wrong with it.
        source: CodecError,
    },
    /// A snapshot that the log rests on is gone, or not as it was.
    #[error(
        "the snapshot of show number {} of shard {shard} at LSN {lsn} is missing or damaged, and the log begins later; restore the \
         shard",
        number.0
    )]
    SnapshotMissing {
        /// Whose.
        shard: ShardId,
        /// Of which show.
        number: ShowNumber,
        /// When it was taken.
        lsn: Lsn,
    },
    /// The log ends before a snapshot that was taken of it.
    #[error(
        "shard {shard} ends at LSN {recovered}, but a snapshot was taken at LSN {lsn}: durable frames are lost; restore \
         the shard"
    )]
    BehindSnapshot {
        /// Whose.
        shard: ShardId,
        /// Where the log ends.
        recovered: Lsn,
        /// When the snapshot was taken.
        lsn: Lsn,
    },
}

impl RecoveryError {
    /// Trying again may help: the storage failed, rather than what is stored.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Log(LogError::Storage { .. } | LogError::Io { .. }))
    }
}

/// What recovery found.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The last frame.
    pub lsn: Lsn,
    /// The epoch that begins.
    pub epoch: ShardEpoch,
    /// The clock reading of the last frame.
    pub clock: Timestamp,
    /// Where the log begins.
    pub log_start: LogStart,
    /// Events that were applied: those that no snapshot held.
    pub events: u64,
    /// By show: its version in the snapshot that it was loaded from, and when that was taken.
    pub covered: BTreeMap<ShowNumber, (u64, Lsn)>,
    /// Snapshots that are damaged, where an older one served.
    pub damaged: Vec<String>,
    /// Of the state.
    pub state_hash: StateHash,
    /// Every show of the shard.
    pub shows: Vec<CreatedShow>,
}

/// Rebuilds a state: the newest snapshot of each show, then the frames behind it.
///
/// # Errors
/// [`RecoveryError`] when the log or a snapshot cannot be read or its bytes are no events.
pub fn replay(log: &mut dyn Log) -> Result<(Inventory, Recovered), RecoveryError> {
    replay_told(log, &mut |_| {})
}

/// As [`replay`], telling of a frame now and then.
pub(super) fn replay_told(
    log: &mut dyn Log,
    tell: &mut dyn FnMut(Lsn),
) -> Result<(Inventory, Recovered), RecoveryError> {
    let log_start = log.start()?;
    let mut loaded = Loaded::load(log.shard(), log.snapshots().as_ref(), &log_start)?;
    let mut events = 0;
    let tail = log.replay_from(Lsn::ZERO, &mut |frame| {
        events += loaded.apply(&frame)?;
        if frame.lsn.0.is_multiple_of(TOLD_EVERY_FRAMES) {
            tell(frame.lsn);
        }
        Ok(())
    })?;
    if let Some(&lsn) = loaded.lsns.iter().find(|lsn| **lsn > tail.lsn) {
        return Err(RecoveryError::BehindSnapshot { shard: log.shard(), recovered: tail.lsn, lsn });
    }
    let Loaded { inventory, covered, damaged, .. } = loaded;
    let here = inventory.shows().map(|(number, _)| number).filter(|number| !inventory.has_left(*number));
    let shows = here.map(|number| inventory.created_show(number, true)).collect();
    let state_hash = inventory.state_hash();
    let (lsn, clock, epoch) = (tail.lsn, Timestamp(tail.clock_ms), log.epoch());
    Ok((inventory, Recovered { lsn, epoch, clock, log_start, events, covered, damaged, state_hash, shows }))
}

impl Shard {
    /// Throws the state away and rebuilds it, trying again as long as the storage may come back. Returns whether the
    /// shard can serve; meanwhile everything that waits is refused.
    pub(super) fn recover_again(&mut self, inbox: &mut Inbox) -> bool {
        let mut wait = RETRY_WAIT_MIN;
        loop {
            inbox.refuse_all(Fault::Recovering);
            match self.try_recover() {
                Ok(()) => return true,
                Err(error) if error.is_passing() => (self.observer)(self.shard, Notice::RecoveryFailed(error)),
                Err(error) => {
                    (self.observer)(self.shard, Notice::Failed(error.to_string()));
                    return false;
                }
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    /// Replays a log, and tells how far it is.
    pub(super) fn replay(log: &mut dyn Log, observer: &Observer) -> Result<(Inventory, Recovered), RecoveryError> {
        let (shard, end) = (log.shard(), log.tail().lsn);
        replay_told(log, &mut |lsn| observer(shard, Notice::Recovering { lsn, end }))
    }

    fn try_recover(&mut self) -> Result<(), RecoveryError> {
        self.inventory = Inventory::default();
        self.snapshotter.give_up();
        let log = &mut self.committer.settled()?.log;
        log.reopen()?;
        let (inventory, recovered) = Self::replay(log.as_mut(), &self.observer)?;
        let snapshots = log.snapshots();
        self.inventory = inventory;
        self.time.reach(recovered.clock);
        self.snapshotter =
            Snapshotter::new(snapshots, recovered.covered.clone(), recovered.log_start.clone(), self.time.now());
        (self.observer)(self.shard, Notice::Recovered(recovered));
        Ok(())
    }
}
