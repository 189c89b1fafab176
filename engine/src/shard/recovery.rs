//! From the log back to a state: at the start, and after a failed append.

use std::{thread, time::Duration};

use usher_wal::{Log, LogError, Lsn, ShardEpoch};

use super::{Notice, Shard, handle::Inbox, request::CreatedShow, request::Fault};
use crate::{
    codec::{CodecError, read_payload},
    inventory::{Inventory, StateHash},
    time::Timestamp,
};

/// Between two tries to recover, at most.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);
const RETRY_WAIT_MIN: Duration = Duration::from_millis(50);

/// Why a state could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log cannot be read, is damaged, or does not reach what was acknowledged.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl RecoveryError {
    /// Trying again may help: the storage failed, rather than what is stored.
    fn is_passing(&self) -> bool {
        let Self::Log(error) = self;
        matches!(error, LogError::Storage { .. } | LogError::Io { .. })
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
    /// Events that were applied.
    pub events: u64,
    /// Of the state.
    pub state_hash: StateHash,
    /// Every show of the shard.
    pub shows: Vec<CreatedShow>,
}

/// Rebuilds a state from the first frame on.
///
/// # Errors
/// [`RecoveryError`] when the log cannot be read or its bytes are no events.
pub fn replay(log: &mut dyn Log) -> Result<(Inventory, Recovered), RecoveryError> {
    let mut inventory = Inventory::default();
    let mut events = 0;
    let tail = log.replay_from(Lsn::ZERO.next(), &mut |frame| {
        events += apply_payload(&mut inventory, frame.payload, Timestamp(frame.clock_ms))?;
        Ok(())
    })?;
    let shows = inventory.shows().map(|(number, _)| inventory.created_show(number, true)).collect();
    let state_hash = inventory.state_hash();
    let (lsn, clock) = (tail.lsn, Timestamp(tail.clock_ms));
    Ok((inventory, Recovered { lsn, epoch: log.epoch(), clock, events, state_hash, shows }))
}

/// Applies one frame's events and counts them. `at` is the frame's clock reading.
///
/// # Errors
/// [`CodecError`] when the bytes are no events.
///
/// # Panics
/// When an event does not fit the state, as [`Inventory::apply`] does.
pub fn apply_payload(inventory: &mut Inventory, payload: &[u8], at: Timestamp) -> Result<u64, CodecError> {
    let mut events = 0;
    let mut last = None;
    for record in read_payload(payload) {
        let (show, mut event) = record?;
        if let Some(before) = last.replace(show).filter(|before| *before != show) {
            inventory.replayed(before, at);
        }
        inventory.apply(show, &mut event, at);
        events += 1;
    }
    if let Some(last) = last {
        inventory.replayed(last, at);
    }
    Ok(events)
}

impl Shard {
    /// Throws the state away and rebuilds it, trying again as long as the storage may come back. Returns whether the
    /// shard can serve; meanwhile everything that waits is refused.
    pub(super) fn recover_again(&mut self, inbox: &Inbox) -> bool {
        let mut wait = RETRY_WAIT_MIN;
        loop {
            inbox.refuse_all(Fault::Recovering);
            match self.try_recover() {
                Ok(()) => return true,
                Err(error) if error.is_passing() => (self.observer)(self.log.shard(), Notice::RecoveryFailed(error)),
                Err(error) => {
                    (self.observer)(self.log.shard(), Notice::Failed(error.to_string()));
                    return false;
                }
            }
            thread::park_timeout(wait);
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    fn try_recover(&mut self) -> Result<(), RecoveryError> {
        self.inventory = Inventory::default();
        self.log.reopen()?;
        let (inventory, recovered) = replay(self.log.as_mut())?;
        self.inventory = inventory;
        self.now = self.now.max(recovered.clock);
        (self.observer)(self.log.shard(), Notice::Recovered(recovered));
        Ok(())
    }
}
