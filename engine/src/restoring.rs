//! A show that is put back to what it was, by an event of its own log, while nobody serves it. What it was until then stays in
//! the log before.

use usher_wal::{Log, LogError, Lsn};

use crate::{
    codec::{CodecError, PayloadWriter},
    event::{Event, ShowLoaded},
    ids::ShowId,
    inventory::stored,
    resharding::STATE_BYTES_MAX,
    shard::{RecoveryError, replay},
    time::Timestamp,
};

/// Why a show was not put back. Nothing happened, unless it is the log's.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The shard cannot be recovered.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// It is no show, or another one than there is.
    #[error(transparent)]
    State(#[from] CodecError),
    /// It does not fit into a frame.
    #[error("the show is too large to be put back: its state has {0} bytes, at most {STATE_BYTES_MAX}")]
    TooLarge(usize),
    /// The event cannot be logged.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Loads a show in place of what it is in this log, or as a new one where it is not there. Returns its id and the frame that
/// says so.
///
/// # Errors
/// [`RestoreError`].
pub fn restore_show(log: &mut dyn Log, now: Timestamp, loaded: ShowLoaded) -> Result<(ShowId, Lsn), RestoreError> {
    if loaded.state.len() > STATE_BYTES_MAX {
        return Err(RestoreError::TooLarge(loaded.state.len()));
    }
    let (inventory, recovered) = replay(log)?;
    let id = stored::read(&loaded.state)?.id().clone();
    let number = inventory.number(&id).unwrap_or_else(|| inventory.next_number());
    inventory.check_load(number, &loaded)?;
    let mut payload = PayloadWriter::default();
    let now = now.max(recovered.clock);
    payload.push(number, &Event::ShowLoaded(Box::new(loaded)), now);
    Ok((id, log.append(now.0, payload.bytes())?))
}
