//! How callers reach a shard: a cheap handle on a bounded inbox. Nobody else gets the channel.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use usher_wal::{Log, LogError, ShardId};

use super::{
    Admission, Notice, Observer, Shard, ShardOptions,
    inbox::{Entrance, inbox},
    request::{Fault, Request},
};
use crate::time::Clock;

/// How a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardStatus {
    /// It rebuilds its state from the log.
    Recovering,
    /// It answers.
    Serving,
    /// It answers reads: its disk takes nothing more.
    ReadOnly,
    /// It ended, or its log is damaged.
    NotServing,
}

impl ShardStatus {
    /// Whether it knows its shows and answers reads at least.
    #[must_use]
    pub fn has_recovered(self) -> bool {
        matches!(self, Self::Serving | Self::ReadOnly)
    }
}

/// A status that others may look at while the shard's thread sets it.
#[derive(Debug)]
pub(super) struct StatusCell(AtomicU8);

impl StatusCell {
    pub(super) fn set(&self, status: ShardStatus) {
        // Set in every turn and read by every caller: the line that they share is not touched for nothing.
        if self.0.load(Ordering::Relaxed) != status as u8 {
            self.0.store(status as u8, Ordering::Release);
        }
    }

    fn get(&self) -> ShardStatus {
        match self.0.load(Ordering::Acquire) {
            0 => ShardStatus::Recovering,
            1 => ShardStatus::Serving,
            2 => ShardStatus::ReadOnly,
            _ => ShardStatus::NotServing,
        }
    }
}

/// A cheap way to a shard.
#[derive(Clone)]
pub struct ShardHandle {
    shard: ShardId,
    entrance: Entrance,
    status: Arc<StatusCell>,
}

impl ShardHandle {
    /// Starts a shard's thread, named `usher-shard-N`. It recovers first; until it serves, requests are refused as
    /// [`Fault::Recovering`]. `open_log` runs on that thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        shard: ShardId,
        open_log: impl FnOnce() -> Result<Box<dyn Log>, LogError> + Send + 'static,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        observer: Observer,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (entrance, mut inbox) = inbox(&options, Arc::clone(&clock));
        let status = Arc::new(StatusCell(AtomicU8::new(ShardStatus::Recovering as u8)));
        let own_status = Arc::clone(&status);
        let thread = thread::Builder::new().name(format!("usher-shard-{}", shard.0)).spawn(move || {
            let run = || {
                let log = open_log().map_err(super::RecoveryError::from)?;
                Shard::recover(log, clock, options, Arc::clone(&observer))
            };
            let served = catch_unwind(AssertUnwindSafe(|| run().map(|shard| shard.serve(&mut inbox, &own_status))));
            own_status.set(ShardStatus::NotServing);
            match served {
                Ok(Ok(())) => {}
                Ok(Err(error)) => observer(shard, Notice::Failed(error.to_string())),
                // The panic's message went to standard error with its place.
                Err(_) => observer(shard, Notice::Failed("an invariant is broken".to_owned())),
            }
            inbox.refuse_all(Fault::NotServing);
        })?;
        Ok((Self { shard, entrance, status }, thread))
    }

    /// Which shard.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> ShardStatus {
        self.status.get()
    }

    /// Commands that its inbox takes.
    #[must_use]
    pub fn inbox_commands_max(&self) -> usize {
        self.entrance.commands_max()
    }

    /// Commands that wait in its inbox.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.entrance.waiting()
    }

    /// Who would be let in now: for batches, of which some commands may be, and others not.
    #[must_use]
    pub fn admission(&self) -> Admission {
        self.entrance.admission()
    }

    /// Puts a request into the inbox, or refuses it at once. The reply is called in any case.
    pub fn submit(&self, request: Request) {
        self.submit_by(request, None);
    }

    /// The same, for whom it is too late at `decide_by`, by [`Clock::elapsed`]: from then on it is refused, and nothing happens.
    pub fn submit_by(&self, request: Request, decide_by: Option<Duration>) {
        let fault = match self.status() {
            ShardStatus::Recovering => Fault::Recovering,
            ShardStatus::NotServing => Fault::NotServing,
            ShardStatus::Serving | ShardStatus::ReadOnly => return self.entrance.put(request, decide_by),
        };
        request.refuse(fault);
    }
}
