//! Snapshots of the shard's shows, taken while it goes on serving.
//!
//! ```text
//! shard's thread                          thread of its own
//! a round begins at LSN n
//!   freeze a changed show  ─────────────▶ store, write, sync, read back, load, compare the state hash
//!   (it shares its records)  ◀─────────── taken
//!   ... the next one, and the next
//!   every show is covered  ─────────────▶ trim the log below the round before this one; remove what is too old
//! ```
//! A show that has not changed since its last snapshot is covered by it. The log is kept from the round before on, and of
//! each show the last two snapshots, so that a damaged one is not the end. A snapshot that fails ends its round; the next
//! one tries again.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam::channel::{Receiver, Sender, TryRecvError, bounded};
use usher_wal::{LogError, LogStart, Lsn, PartId, SnapshotId, SnapshotStore};

use super::{
    ShardOptions,
    request::{Fault, Reply},
};
use crate::{
    codec::CodecError,
    ids::ShowNumber,
    inventory::{
        Inventory,
        stored::{self, FrozenShow},
    },
    time::Timestamp,
};

/// Snapshots of a show that are kept.
const KEPT_OF_A_SHOW: usize = 2;

/// What a round of snapshots did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotReport {
    /// Every show is covered up to this frame.
    pub lsn: Lsn,
    /// Shows that had changed.
    pub shows: u32,
    /// Of their states.
    pub bytes: u64,
    /// The log begins behind this frame now.
    pub log_start: Lsn,
    /// Milliseconds from its beginning to its end.
    pub took_ms: u64,
}

/// Why a snapshot was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It could not be written, or not be read back; or the log could not be trimmed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What was written is not the show.
    #[error("the snapshot of show {show:?} is not the show: {source}")]
    Wrong {
        /// Which.
        show: ShowNumber,
        /// How that was found.
        source: CodecError,
    },
    /// The thread ended in the middle of it: an invariant is broken.
    #[error("the thread that takes snapshots ended")]
    Ended,
    /// The system gives no thread.
    #[error("no thread for snapshots: {0}")]
    NoThread(#[from] std::io::Error),
}

/// What the shard's thread knows of its snapshots.
pub(super) struct Snapshotter {
    store: Arc<dyn SnapshotStore>,
    worker: Option<Worker>,
    covered: Covered,
    round: Option<Round>,
    /// Where the round before began: the log is kept from there on.
    before: LogStart,
    /// Bytes appended since the last round began, and when that was.
    appended_bytes: u64,
    begun_at: Timestamp,
    /// What the last round wrote.
    written_bytes: u64,
    asked: Vec<Reply<SnapshotReport>>,
}

/// By show: its version in its newest snapshot, and when that was taken.
pub(super) type Covered = BTreeMap<ShowNumber, (u64, Lsn)>;

/// A round under way.
struct Round {
    /// Shows that are still to be frozen, the next one last.
    todo: Vec<ShowNumber>,
    report: SnapshotReport,
    replies: Vec<Reply<SnapshotReport>>,
    /// A job is with the worker.
    is_working: bool,
}

/// The thread, and the ways to it and from it: never more than one job.
struct Worker {
    jobs: Option<Sender<Job>>,
    done: Receiver<Result<Done, SnapshotError>>,
    thread: Option<JoinHandle<()>>,
}

enum Job {
    Take { number: ShowNumber, lsn: Lsn, show: FrozenShow },
    End { log_start: LogStart },
}

enum Done {
    Taken { number: ShowNumber, version: u64, lsn: Lsn, bytes: u64 },
    Ended,
}

impl Snapshotter {
    /// Of a shard that recovered these versions of its shows from snapshots, and whose log begins there.
    pub(super) fn new(store: Arc<dyn SnapshotStore>, covered: Covered, log_start: LogStart, now: Timestamp) -> Self {
        Self {
            store,
            worker: None,
            covered,
            round: None,
            before: log_start,
            appended_bytes: 0,
            begun_at: now,
            written_bytes: 0,
            asked: Vec::new(),
        }
    }

    /// A frame was appended.
    pub(super) fn note_append(&mut self, bytes: usize) {
        self.appended_bytes += bytes as u64;
    }

    /// Somebody wants a round, whatever was appended.
    pub(super) fn ask(&mut self, reply: Reply<SnapshotReport>) {
        self.asked.push(reply);
    }

    /// Between two turns: begins a round if it is time, and takes it one step further. Returns what a round that has ended
    /// did. Everything in the inventory must be durable, up to `tail`.
    ///
    /// # Errors
    /// [`SnapshotError`] ends the round.
    pub(super) fn step(
        &mut self,
        inventory: &mut Inventory,
        (tail, now): (Lsn, Timestamp),
        options: &ShardOptions,
    ) -> Result<Option<SnapshotReport>, SnapshotError> {
        if self.round.is_none() && self.is_time(now, options) {
            self.begin(inventory, tail, now);
        }
        let stepped = self.step_round(inventory, tail);
        if stepped.is_err() {
            self.give_up();
        }
        let took_ms = now.ms_since(self.begun_at);
        stepped.map(|ended| ended.map(|report| SnapshotReport { took_ms, ..report }))
    }

    fn step_round(&mut self, inventory: &mut Inventory, tail: Lsn) -> Result<Option<SnapshotReport>, SnapshotError> {
        let ended = match self.worker.as_ref().map(|worker| worker.done.try_recv()) {
            None | Some(Err(TryRecvError::Empty)) => None,
            Some(Err(TryRecvError::Disconnected)) => return Err(SnapshotError::Ended),
            Some(Ok(done)) => self.note(done?),
        };
        if let Some(job) = self.next_job(inventory, tail) {
            self.send(job)?;
        }
        Ok(ended)
    }

    /// The round under way comes to nothing; whatever is with the worker is finished before this returns.
    pub(super) fn give_up(&mut self) {
        self.worker = None;
        let replies = self.round.take().map(|round| round.replies).unwrap_or_default();
        replies.into_iter().chain(self.asked.drain(..)).for_each(|reply| reply(Err(Fault::SnapshotFailed)));
    }

    /// A whole round at once, on this thread: for a shard that ends.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub(super) fn run(
        &mut self,
        inventory: &mut Inventory,
        (tail, now): (Lsn, Timestamp),
    ) -> Result<SnapshotReport, SnapshotError> {
        self.give_up();
        self.begin(inventory, tail, now);
        while let Some(job) = self.next_job(inventory, tail) {
            let done = work(self.store.as_ref(), job).inspect_err(|_| self.round = None)?;
            if let Some(report) = self.note(done) {
                return Ok(report);
            }
        }
        unreachable!("a round ends with its last job");
    }

    /// Whether [`Self::step`] would do something, for which everything has to be durable.
    pub(super) fn has_work(&self, now: Timestamp, options: &ShardOptions) -> bool {
        match (&self.round, &self.worker) {
            (None, _) => self.is_time(now, options),
            (Some(round), Some(worker)) => !round.is_working || !worker.done.is_empty() || worker.has_ended(),
            (Some(_), None) => true,
        }
    }

    /// Whether a round is under way, so that the shard should not sleep long.
    pub(super) fn is_busy(&self) -> bool {
        self.round.is_some()
    }

    fn is_time(&self, now: Timestamp, options: &ShardOptions) -> bool {
        let is_old = now.ms_since(self.begun_at) >= options.snapshot_interval_ms;
        !self.asked.is_empty()
            // Large states seldom, so that snapshots never write more than the log.
            || self.appended_bytes >= options.snapshot_log_bytes.max(self.written_bytes)
            || (self.appended_bytes > 0 && is_old)
    }

    fn begin(&mut self, inventory: &Inventory, tail: Lsn, now: Timestamp) {
        let is_changed = |(number, version): &(ShowNumber, u64)| {
            self.covered.get(number).is_none_or(|(covered, _)| covered != version)
        };
        let versions = inventory.shows().map(|(number, show)| (number, show.version()));
        let mut todo: Vec<ShowNumber> = versions.filter(is_changed).map(|(number, _)| number).collect();
        // The lower numbers first: whoever recovers needs those of all shows before one.
        todo.reverse();
        let report = SnapshotReport { lsn: tail, ..SnapshotReport::default() };
        (self.appended_bytes, self.begun_at) = (0, now);
        self.round = Some(Round { todo, report, replies: std::mem::take(&mut self.asked), is_working: false });
    }

    fn next_job(&mut self, inventory: &mut Inventory, tail: Lsn) -> Option<Job> {
        let round = self.round.as_mut().filter(|round| !round.is_working)?;
        round.is_working = true;
        Some(match round.todo.pop() {
            Some(number) => Job::Take { number, lsn: tail, show: inventory.freeze(number) },
            None => Job::End { log_start: self.before.clone() },
        })
    }

    /// What the last job did. Returns what the round did, if it has ended.
    fn note(&mut self, done: Done) -> Option<SnapshotReport> {
        let round = self.round.as_mut()?;
        round.is_working = false;
        match done {
            Done::Taken { number, version, lsn, bytes } => {
                self.covered.insert(number, (version, lsn));
                round.report.shows += 1;
                round.report.bytes += bytes;
                None
            }
            Done::Ended => {
                let round = self.round.take()?;
                let report = SnapshotReport { log_start: self.before.lsn, ..round.report };
                self.written_bytes = report.bytes;
                let id =
                    |(number, (_, lsn)): (&ShowNumber, &(u64, Lsn))| SnapshotId { part: PartId(number.0), lsn: *lsn };
                self.before = LogStart { lsn: report.lsn, snapshots: self.covered.iter().map(id).collect() };
                round.replies.into_iter().for_each(|reply| reply(Ok(report)));
                Some(report)
            }
        }
    }

    fn send(&mut self, job: Job) -> Result<(), SnapshotError> {
        let worker = match &mut self.worker {
            Some(worker) => worker,
            none => none.insert(Worker::start(Arc::clone(&self.store))?),
        };
        if let Some(jobs) = &worker.jobs {
            // There is room: never more than one is under way.
            let _ = jobs.try_send(job);
        }
        Ok(())
    }
}

impl Worker {
    fn start(store: Arc<dyn SnapshotStore>) -> std::io::Result<Self> {
        let (jobs, todo) = bounded::<Job>(1);
        let (results, done) = bounded(1);
        let thread = thread::Builder::new().name("usher-snapshots".to_owned()).spawn(move || {
            for job in todo {
                if results.send(work(store.as_ref(), job)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs: Some(jobs), done, thread: Some(thread) })
    }

    fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it went to standard error; a snapshot less is no loss.
            let _ = thread.join();
        }
    }
}

fn work(store: &dyn SnapshotStore, job: Job) -> Result<Done, SnapshotError> {
    match job {
        Job::Take { number, lsn, show } => {
            let (id, state) = (SnapshotId { part: PartId(number.0), lsn }, show.store());
            store.put(id, &state)?;
            stored::verify(&store.read(id)?).map_err(|source| SnapshotError::Wrong { show: number, source })?;
            Ok(Done::Taken { number, version: show.version(), lsn, bytes: state.len() as u64 })
        }
        Job::End { log_start } => {
            if log_start.lsn > Lsn::ZERO {
                store.trim_log(&log_start)?;
            }
            remove_old(store)?;
            Ok(Done::Ended)
        }
    }
}

fn remove_old(store: &dyn SnapshotStore) -> Result<(), LogError> {
    let mut newest_first = store.list()?;
    newest_first.reverse();
    for of_a_show in newest_first.chunk_by(|one, other| one.part == other.part) {
        of_a_show.iter().skip(KEPT_OF_A_SHOW).try_for_each(|id| store.remove(*id))?;
    }
    Ok(())
}
