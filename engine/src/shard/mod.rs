//! The driver: one thread a shard that decides in memory, makes it durable, and only then answers.
//!
//! ```text
//! inbox -> now -> expire what is due -> decide and apply each command -> one append -> answer all
//! ```
//! The append of a large batch, and its answers, are another thread's, while the shard decides the next one ([`committer`]).
//! Laws: one clock reading a batch, never less than the last one. Nothing leaves before its batch is durable, not even a
//! refusal, for it may rest on a hold that is not. A failed append stops the shard: memory may be ahead of the log, so
//! it is thrown away and rebuilt from the log, and the callers' outcome is unknown.
//!
//! The rules about seats are in [`crate::inventory`]; callers hold a [`ShardHandle`].

use std::{sync::Arc, time::Duration};

use usher_wal::{Log, LogError, ShardId};

use crate::{
    inventory::Inventory,
    time::{Clock, Timestamp},
};

mod committer;
mod decide;
mod disk;
mod handle;
mod inbox;
mod priority;
mod recovery;
mod request;
mod shard_time;
mod snapshotter;
#[cfg(test)]
mod tests;
mod turn;

pub use handle::{ShardHandle, ShardStatus};
pub use inbox::Admission;
pub use priority::Priority;
pub use recovery::{ApplyError, Loaded, Proof, ProofError, Recovered, RecoveryError, rebuild, replay, show_at};
pub use request::{CreateShow, CreatedShow, Fault, Outcome, PreparedMember, Reply, Request, Shows, StopReport};
pub use shard_time::ClockNews;
pub use snapshotter::{SnapshotError, SnapshotReport};
pub use turn::Turn;

use committer::{Committer, Pending};
use decide::Flow;
use disk::DiskState;
use handle::StatusCell;
use inbox::{Inbox, Wake};
use shard_time::ShardTime;
use snapshotter::Snapshotter;
use turn::Turns;

/// Longest sleep of an idle shard: the wall clock may jump, so that a deadline comes sooner than it seemed.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(1);
/// Longest sleep while snapshots are taken: when one is ready, the next show is frozen.
const SNAPSHOT_WAIT_MAX: Duration = Duration::from_millis(5);

/// The limits of a shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardOptions {
    /// Commands waiting in the inbox; beyond it callers are refused.
    pub inbox_commands_max: usize,
    /// Milliseconds that those in the inbox may have waited when a new claim is let in ([`Priority::wait_max`] has the others).
    pub queue_wait_ms_max: u64,
    /// Commands taken from the inbox for one batch; one request may exceed it.
    pub batch_commands_max: usize,
    /// Bytes of events after which a frame is appended within a batch.
    pub batch_bytes_max: usize,
    /// Holds expired in one batch: what bounds how late an expiry can be and how long others wait for it.
    pub expiries_per_batch_max: usize,
    /// Bytes of events after which snapshots of what has changed are taken; as many as the last ones took, where that is more.
    pub snapshot_log_bytes: u64,
    /// Milliseconds after which they are taken even of less.
    pub snapshot_interval_ms: u64,
    /// Milliseconds between two looks at the clock beyond which it was set, or the machine stood still: the shard's time does
    /// not follow at once.
    pub clock_leap_ms: u64,
}

impl Default for ShardOptions {
    fn default() -> Self {
        Self {
            inbox_commands_max: 65_536,
            queue_wait_ms_max: 1_000,
            batch_commands_max: 16_384,
            batch_bytes_max: 1 << 20,
            expiries_per_batch_max: 4_096,
            snapshot_log_bytes: 64 << 20,
            snapshot_interval_ms: 600_000,
            clock_leap_ms: 10_000,
        }
    }
}

/// What a shard tells the process about itself. It logs nothing.
#[derive(Debug)]
pub enum Notice {
    /// The state was rebuilt from the log.
    Recovered(Recovered),
    /// A show's manifest, rules or sale are others from now on.
    ShowChanged(Box<CreatedShow>),
    /// It replays its log, and has come so far.
    Recovering {
        /// The frame that it is at.
        lsn: usher_wal::Lsn,
        /// The last one.
        end: usher_wal::Lsn,
    },
    /// It answers from now on.
    Serving,
    /// A turn is durable, and is answered now.
    Decided(Box<Turn>),
    /// Everybody in it has his answer.
    Answered {
        /// For the answers.
        took: Duration,
    },
    /// Every show is in a snapshot, and the log was trimmed below the one before.
    SnapshotsTaken(SnapshotReport),
    /// A snapshot failed; the log keeps everything, and another round comes.
    SnapshotFailed(SnapshotError),
    /// Only reads are answered from now on: the disk is full, or cannot be written.
    DiskRefuses(usher_wal::LogError),
    /// The disk is in order again, and so is the shard.
    DiskWritable,
    /// An append took long. Told at most every 10 s.
    SlowAppend {
        /// Milliseconds, by the clock.
        took_ms: u64,
    },
    /// The clock does not run as it should, or does so again.
    Clock(ClockNews),
    /// An append failed; the shard recovers.
    AppendFailed(usher_wal::LogError),
    /// Recovery failed, and is tried again after a while.
    RecoveryFailed(RecoveryError),
    /// The log is damaged, or an invariant is broken: the shard serves no more.
    Failed(String),
}

/// Called on the shard's thread, and of its appends on the one that appends: never on both at once about the same batch.
pub type Observer = Arc<dyn Fn(ShardId, Notice) + Send + Sync>;

/// One shard's state and what drives it. It lives on its own thread; tests turn it by hand.
pub struct Shard {
    shard: ShardId,
    inventory: Inventory,
    clock: Arc<dyn Clock>,
    options: ShardOptions,
    observer: Observer,
    time: ShardTime,
    snapshotter: Snapshotter,
    disk: DiskState,
    committer: Committer,
    /// Empty between two turns.
    pending: Pending,
    turns: Turns,
}

impl Shard {
    /// Rebuilds the state from the log.
    ///
    /// # Errors
    /// [`RecoveryError`] when the log cannot be read or does not make sense.
    pub fn recover(
        mut log: Box<dyn Log>,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        observer: Observer,
    ) -> Result<Self, RecoveryError> {
        let (inventory, recovered) = Self::replay(log.as_mut(), &observer)?;
        let (now, time) = (recovered.clock, ShardTime::new(recovered.clock, options.clock_leap_ms));
        let (covered, log_start) = (recovered.covered.clone(), recovered.log_start.clone());
        let snapshotter = Snapshotter::new(log.snapshots(), covered, log_start, now.max(clock.now()));
        let shard = log.shard();
        observer(shard, Notice::Recovered(recovered));
        let committer = Committer::new(log, Arc::clone(&clock), Arc::clone(&observer));
        let (disk, pending, turns) = (DiskState::default(), Pending::default(), Turns::default());
        Ok(Self { shard, inventory, clock, options, observer, time, snapshotter, disk, committer, pending, turns })
    }

    /// Everything that the shard has.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    fn advance_clock(&mut self) -> Timestamp {
        if let Some(news) = self.time.look(self.clock.now()) {
            (self.observer)(self.shard, Notice::Clock(news));
        }
        self.time.now()
    }

    /// How long it may sleep before something is due.
    fn idle_wait(&self) -> Duration {
        if self.disk.refuses().is_some() {
            // What is due waits, too.
            return disk::LOOK_WAIT;
        }
        let now = self.time.at(self.clock.now());
        let due = self.inventory.next_deadline().map(|at| Duration::from_millis(at.ms_since(now)));
        let longest = if self.snapshotter.is_busy() { SNAPSHOT_WAIT_MAX } else { IDLE_WAIT_MAX };
        due.map_or(longest, |due| due.min(longest))
    }

    /// Goes on with the snapshots, or begins them if it is time. Between two turns.
    fn step_snapshots(&mut self) -> Result<(), LogError> {
        let now = self.time.now();
        if !self.snapshotter.has_work(now, &self.options) {
            return Ok(());
        }
        let tail = self.committer.settled()?.log.tail().lsn;
        match self.snapshotter.step(&mut self.inventory, (tail, now), &self.options) {
            Ok(None) => {}
            Ok(Some(report)) => (self.observer)(self.shard, Notice::SnapshotsTaken(report)),
            Err(error) => (self.observer)(self.shard, Notice::SnapshotFailed(error)),
        }
        Ok(())
    }

    /// Takes a snapshot of every show that has changed, now, on this thread, and trims the log. Between two turns. Where what is
    /// decided did not become durable there is nothing to take.
    pub fn take_snapshots(&mut self) {
        let notice = match self.committer.settled() {
            Ok(writer) => {
                let at = (writer.log.tail().lsn, self.time.now());
                match self.snapshotter.run(&mut self.inventory, at) {
                    Ok(report) => Notice::SnapshotsTaken(report),
                    Err(error) => Notice::SnapshotFailed(error),
                }
            }
            Err(error) => Notice::AppendFailed(error),
        };
        (self.observer)(self.shard, notice);
    }

    /// Serves its inbox until it is told to stop or nobody can reach it any more.
    fn serve(mut self, inbox: &mut Inbox, status: &StatusCell) {
        if let Err(error) = self.committer.start_helper(format!("usher-log-{}", self.shard.0)) {
            return (self.observer)(self.shard, Notice::Failed(format!("no thread for appends: {error}")));
        }
        self.open_for_business(status);
        loop {
            let flow = match inbox.wait(self.idle_wait(), self.committer.under_way()) {
                Wake::Abandoned => return self.take_snapshots(),
                Wake::Appended(ended) => self.committer.take_back(ended).map(|()| Flow::Go),
                Wake::Requests | Wake::Timer => {
                    self.turns.waited = inbox.waited();
                    self.turn(inbox.batch(self.options.batch_commands_max))
                }
            };
            match flow.and_then(|flow| self.step_snapshots().map(|()| flow)) {
                Ok(Flow::Go) => status.set(self.disk.status()),
                Ok(Flow::Stop) => return self.take_snapshots(),
                Err(error) => {
                    status.set(ShardStatus::Recovering);
                    (self.observer)(self.shard, Notice::AppendFailed(error));
                    if !self.recover_again(inbox) {
                        return;
                    }
                    self.open_for_business(status);
                }
            }
        }
    }

    fn open_for_business(&mut self, status: &StatusCell) {
        self.look_at_disk();
        status.set(self.disk.status());
        (self.observer)(self.shard, Notice::Serving);
    }
}
