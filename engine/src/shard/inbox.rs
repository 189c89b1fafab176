//! The queue in front of a shard: bounded in commands, and in how long anybody waits in it.
//!
//! Requests are taken in the order in which they came, whatever their priority: a confirmation never overtakes the hold before
//! it. When the queue is long in time, who comes is let in or not: first organisers are put off, then reads, then new claims,
//! and whoever has something to pay for or to give back last.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crossbeam::{
    channel::{Receiver, Sender, TrySendError, bounded, never},
    select,
};

use super::{
    Priority, ShardOptions,
    committer::{Append, DECIDED_MEANWHILE_MIN},
    request::{Fault, Request},
};
use crate::time::Clock;

/// A queue's two ends.
pub(super) fn inbox(options: &ShardOptions, clock: Arc<dyn Clock>) -> (Entrance, Inbox) {
    let (sender, requests) = bounded(options.inbox_commands_max);
    let queue = Arc::new(Queue {
        commands: AtomicUsize::new(0),
        oldest_since_ns: AtomicU64::new(0),
        commands_max: options.inbox_commands_max,
        wait_max: Duration::from_millis(options.queue_wait_ms_max),
        clock,
    });
    (Entrance { requests: sender, queue: Arc::clone(&queue) }, Inbox { requests, gathered: VecDeque::new(), queue })
}

/// What both ends know.
struct Queue {
    /// That wait.
    commands: AtomicUsize,
    /// The first of those that wait came no earlier; of no meaning while none does.
    oldest_since_ns: AtomicU64,
    commands_max: usize,
    wait_max: Duration,
    clock: Arc<dyn Clock>,
}

/// A request in the queue.
struct Queued {
    request: Request,
    since: Duration,
    decide_by: Option<Duration>,
}

/// How long those wait who wait now.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    waited: Duration,
    wait_max: Duration,
}

impl Admission {
    /// Of those who wait for so long, where new claims are let in until `wait_max`.
    #[must_use]
    pub fn new(waited: Duration, wait_max: Duration) -> Self {
        Self { waited, wait_max }
    }

    /// Where they wait somewhere else as well.
    #[must_use]
    pub fn and_waited(self, waited: Duration) -> Self {
        Self { waited: self.waited.max(waited), ..self }
    }

    /// How long the first of them has waited.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// How long they may have waited when a new claim is let in.
    #[must_use]
    pub fn wait_max(&self) -> Duration {
        self.wait_max
    }

    /// Whether somebody of this priority is let in.
    ///
    /// # Errors
    /// [`Fault::Overloaded`].
    pub fn check(&self, priority: Priority) -> Result<(), Fault> {
        if self.waited <= priority.wait_max(self.wait_max) {
            return Ok(());
        }
        Err(Fault::Overloaded { waited_ms: u32::try_from(self.waited.as_millis()).unwrap_or(u32::MAX) })
    }
}

/// Where requests come in.
#[derive(Clone)]
pub(super) struct Entrance {
    requests: Sender<Queued>,
    queue: Arc<Queue>,
}

impl Entrance {
    pub(super) fn commands_max(&self) -> usize {
        self.queue.commands_max
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.commands.load(Ordering::Relaxed)
    }

    pub(super) fn admission(&self) -> Admission {
        self.queue.admission(self.queue.clock.elapsed())
    }

    /// Puts a request in, to be decided until then, or refuses it at once.
    pub(super) fn put(&self, request: Request, decide_by: Option<Duration>) {
        let since = self.queue.clock.elapsed();
        let commands = request.commands();
        let (priority, admission) = (request.priority(), self.queue.admission(since));
        if let Err(fault) = priority.map_or(Ok(()), |priority| admission.check(priority)) {
            return request.refuse(fault);
        }
        if self.queue.commands.load(Ordering::Relaxed) == 0 {
            // Before it counts: whoever comes at the same time must not see when the one before it came.
            self.queue.set_oldest(since);
        }
        let before = self.queue.commands.fetch_add(commands, Ordering::Relaxed);
        // An empty inbox takes any one request, however large.
        let all = self.queue.commands_max;
        if before > 0 && before + commands > priority.map_or(all, |priority| priority.inbox_max(all)) {
            self.queue.commands.fetch_sub(commands, Ordering::Relaxed);
            return request.refuse(Fault::InboxFull);
        }
        if let Err(refused) = self.requests.try_send(Queued { request, since, decide_by }) {
            self.queue.commands.fetch_sub(commands, Ordering::Relaxed);
            match refused {
                TrySendError::Full(queued) => queued.request.refuse(Fault::InboxFull),
                TrySendError::Disconnected(queued) => queued.request.refuse(Fault::NotServing),
            }
        }
    }
}

impl Queue {
    fn admission(&self, now: Duration) -> Admission {
        let oldest_since = Duration::from_nanos(self.oldest_since_ns.load(Ordering::Relaxed));
        let is_empty = self.commands.load(Ordering::Relaxed) == 0;
        let waited = if is_empty { Duration::ZERO } else { now.saturating_sub(oldest_since) };
        Admission { waited, wait_max: self.wait_max }
    }

    fn set_oldest(&self, since: Duration) {
        let ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        self.oldest_since_ns.store(ns, Ordering::Relaxed);
    }
}

/// Where the shard takes them.
pub(super) struct Inbox {
    requests: Receiver<Queued>,
    /// Those that it has from there already; they count as waiting.
    gathered: VecDeque<Queued>,
    queue: Arc<Queue>,
}

/// What ended a shard's sleep.
pub(super) enum Wake {
    Requests,
    Timer,
    /// The append that was under way has ended.
    Appended(Box<Append>),
    /// Nobody can reach the shard any more.
    Abandoned,
}

impl Inbox {
    /// Waits for a request; while an append is under way, for its end or as many as are worth being decided meanwhile.
    pub(super) fn wait(&mut self, longest: Duration, under_way: Option<&Receiver<Box<Append>>>) -> Wake {
        let never = never();
        let enough = if under_way.is_some() { DECIDED_MEANWHILE_MIN } else { 1 };
        while self.gathered.is_empty() || self.queue.commands.load(Ordering::Relaxed) < enough {
            select! {
                recv(self.requests) -> queued => match queued {
                    Ok(queued) => self.gathered.push_back(queued),
                    Err(_) if self.gathered.is_empty() => return Wake::Abandoned,
                    Err(_) => return Wake::Requests,
                },
                recv(under_way.unwrap_or(&never)) -> ended => {
                    // A reply panicked: an invariant is broken.
                    return Wake::Appended(ended.expect("the thread that appends"));
                }
                default(longest) => return Wake::Timer,
            }
        }
        Wake::Requests
    }

    /// For how long the first request has waited.
    pub(super) fn waited(&self) -> Duration {
        let now = || self.queue.clock.elapsed();
        self.gathered.front().map_or(Duration::ZERO, |first| now().saturating_sub(first.since))
    }

    /// What waits, until `commands_max` is reached; of much only half, so that one half is decided while the other is appended,
    /// and they do not all come again at once. Whoever's time is over is refused and not among them.
    pub(super) fn batch(&mut self, commands_max: usize) -> impl Iterator<Item = Request> + '_ {
        let half = self.queue.commands.load(Ordering::Relaxed) / 2;
        self.take(commands_max.min(half.max(DECIDED_MEANWHILE_MIN)))
    }

    /// A request leaves the count of waiting commands when it is taken.
    fn take(&mut self, commands_max: usize) -> impl Iterator<Item = Request> + '_ {
        let now = self.queue.clock.elapsed();
        let mut taken = 0;
        std::iter::from_fn(move || {
            while taken < commands_max {
                let gathered = self.gathered.pop_front();
                let Queued { request, since, decide_by } = gathered.or_else(|| self.requests.try_recv().ok())?;
                let commands = request.commands();
                taken += commands;
                self.queue.set_oldest(since);
                self.queue.commands.fetch_sub(commands, Ordering::Relaxed);
                match decide_by {
                    Some(end) if end <= now => request.refuse(Fault::DeadlinePassed),
                    _ => return Some(request),
                }
            }
            None
        })
    }

    /// Refuses everything that waits.
    pub(super) fn refuse_all(&mut self, fault: Fault) {
        self.take(usize::MAX).for_each(|request| request.refuse(fault));
    }
}
