//! How callers reach a shard: a cheap handle on a bounded inbox. Nobody else gets the channel.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use usher_wal::{Log, LogError, ShardId};

use super::{
    Notice, Observer, Shard, ShardOptions,
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

/// The receiving end of an inbox.
pub(super) struct Inbox {
    requests: Receiver<Request>,
    waiting: Arc<AtomicUsize>,
}

impl Inbox {
    pub(super) fn requests(&self) -> &Receiver<Request> {
        &self.requests
    }

    /// `first` and what else is there, until `commands_max` is reached. A request leaves the count of waiting commands
    /// when it is taken.
    pub(super) fn batch(&self, first: Option<Request>, commands_max: usize) -> impl Iterator<Item = Request> + '_ {
        let mut first = first;
        let mut taken = 0;
        std::iter::from_fn(move || {
            if taken >= commands_max {
                return None;
            }
            let request = first.take().or_else(|| self.requests.try_recv().ok())?;
            taken += request.commands();
            self.waiting.fetch_sub(request.commands(), Ordering::Relaxed);
            Some(request)
        })
    }

    /// Refuses everything that waits.
    pub(super) fn refuse_all(&self, fault: Fault) {
        self.batch(None, usize::MAX).for_each(|request| request.refuse(fault));
    }
}

/// A cheap way to a shard.
#[derive(Clone)]
pub struct ShardHandle {
    shard: ShardId,
    requests: Sender<Request>,
    waiting: Arc<AtomicUsize>,
    commands_max: usize,
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
        let (sender, requests) = bounded(options.inbox_commands_max);
        let waiting = Arc::new(AtomicUsize::new(0));
        let status = Arc::new(StatusCell(AtomicU8::new(ShardStatus::Recovering as u8)));
        let inbox = Inbox { requests, waiting: Arc::clone(&waiting) };
        let (commands_max, own_status) = (options.inbox_commands_max, Arc::clone(&status));
        let thread = thread::Builder::new().name(format!("usher-shard-{}", shard.0)).spawn(move || {
            let run = || {
                let log = open_log().map_err(super::RecoveryError::from)?;
                Shard::recover(log, clock, options, Arc::clone(&observer))
            };
            let served = catch_unwind(AssertUnwindSafe(|| run().map(|shard| shard.serve(&inbox, &own_status))));
            own_status.set(ShardStatus::NotServing);
            match served {
                Ok(Ok(())) => {}
                Ok(Err(error)) => observer(shard, Notice::Failed(error.to_string())),
                // The panic's message went to standard error with its place.
                Err(_) => observer(shard, Notice::Failed("an invariant is broken".to_owned())),
            }
            inbox.refuse_all(Fault::NotServing);
        })?;
        Ok((Self { shard, requests: sender, waiting, commands_max, status }, thread))
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

    /// Whether its inbox would take so many commands now.
    #[must_use]
    pub fn has_room(&self, commands: usize) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting == 0 || waiting + commands <= self.commands_max
    }

    /// Puts a request into the inbox, or refuses it at once. The reply is called in any case.
    pub fn submit(&self, request: Request) {
        let fault = match self.status() {
            ShardStatus::Recovering => Fault::Recovering,
            ShardStatus::NotServing => Fault::NotServing,
            ShardStatus::Serving | ShardStatus::ReadOnly => return self.enqueue(request),
        };
        request.refuse(fault);
    }

    fn enqueue(&self, request: Request) {
        let commands = request.commands();
        let before = self.waiting.fetch_add(commands, Ordering::Relaxed);
        // An empty inbox takes any one request, however large.
        if before > 0 && before + commands > self.commands_max {
            self.waiting.fetch_sub(commands, Ordering::Relaxed);
            return request.refuse(Fault::InboxFull);
        }
        if let Err(refused) = self.requests.try_send(request) {
            self.waiting.fetch_sub(commands, Ordering::Relaxed);
            match refused {
                TrySendError::Full(request) => request.refuse(Fault::InboxFull),
                TrySendError::Disconnected(request) => request.refuse(Fault::NotServing),
            }
        }
    }
}
