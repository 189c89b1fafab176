//! The trait that a shard writes to and recovers from, whatever keeps the frames.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::{Frame, LogError, LogStart, Lsn, ShardEpoch, ShardId, SnapshotStore, Tail};

/// A visitor's reason to end a replay. It comes back as the source of [`LogError::Rejected`].
pub type ReplayStop = Box<dyn Error + Send + Sync>;

/// Visits a frame together with its bytes as they are stored, and says whether it has enough.
pub type EncodedVisit<'a> = dyn FnMut(Frame<'_>, &[u8]) -> Result<ControlFlow<()>, ReplayStop> + 'a;

/// One shard's log, open for writing. At most one handle of a shard can append: a newer one fences the older.
///
/// The order of use is: open, [`Log::replay_from`], then [`Log::append`] for as long as it succeeds; after a failure
/// [`Log::reopen`], and again from the replay.
pub trait Log: Send {
    /// The shard. Never changes.
    fn shard(&self) -> ShardId;

    /// The epoch that this handle's frames carry. Changes only in [`Log::reopen`].
    fn epoch(&self) -> ShardEpoch;

    /// The last frame. Changes with each successful append and in [`Log::reopen`].
    fn tail(&self) -> Tail;

    /// Appends one frame, whole or not at all, and returns its LSN once it is durable.
    ///
    /// `clock_ms` is in milliseconds since the Unix epoch and never less than the last frame's; `payload` has at most
    /// [`PAYLOAD_BYTES_MAX`](crate::PAYLOAD_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// Whether the frame is durable is then **unknown**: treat every error so. After
    /// [`LogError::AppendFailed`] this log answers [`LogError::Poisoned`] to every append until [`Log::reopen`].
    fn append(&mut self, clock_ms: u64, payload: &[u8]) -> Result<Lsn, LogError>;

    /// Where the log begins: a replay visits what comes behind it.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    fn start(&self) -> Result<LogStart, LogError>;

    /// The shard's snapshots.
    fn snapshots(&self) -> Arc<dyn SnapshotStore>;

    /// Whether an append would find the disk in order: whoever decides what it then must log asks before.
    ///
    /// # Errors
    /// [`LogError::DiskFull`], [`LogError::DiskReadOnly`], [`LogError::WatermarkStalled`]: nothing has happened, and as
    /// soon as the cause has gone it is `Ok` again.
    fn check_writable(&self) -> Result<(), LogError>;

    /// Visits every frame from `from` (inclusive; [`Lsn::ZERO`] means all behind the start) in order, each verified
    /// against the one before, and returns the last one. `from` may be one past the end: nothing is visited.
    ///
    /// `visit` must not use the log or its store: the replay keeps the store's reopening out while it lasts.
    ///
    /// # Errors
    /// [`LogError::Trimmed`]; whatever is wrong with the log, naming shard and LSN; [`LogError::AcknowledgedLost`] when all that is there is
    /// sound but ends too early; [`LogError::Rejected`] when `visit` ended it. Frames already visited then prove
    /// nothing: whoever replays throws away what it built from them.
    fn replay_from(
        &mut self,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError>;

    /// After a failed append: raises the epoch, forgets what memory believed, and reads the tail anew. Whatever was
    /// derived from this log must then be derived again by [`Log::replay_from`].
    ///
    /// # Errors
    /// The log stays closed for appends; try again once the cause has gone.
    fn reopen(&mut self) -> Result<(), LogError>;
}
