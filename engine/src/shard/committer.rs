//! What is decided on its way to the disk and to those who asked: at once, or on a thread of its own while the shard decides
//! the next batch.
//!
//! There is never more than one append under way, and nobody is answered before all that was decided before him is durable.
//! Only large batches are decided meanwhile: of small ones more gather while an append lasts, and go with one sync.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::channel::{Receiver, Sender, bounded};
use usher_wal::{Log, LogError};

use super::{
    Notice, Observer, Turn,
    disk::SlowAppends,
    request::{CreatedShow, Fault, Outcome, PreparedMember, Reply},
};
use crate::{
    codec::PayloadWriter,
    event::Event,
    inventory::{lookups::Page, overview::Overview, seat_map::SeatMap},
    rejection::Rejection,
    time::{Clock, Timestamp},
};

/// Commands from which a batch is worth being decided while the last one is appended: to decide them takes as long as a sync.
pub(super) const DECIDED_MEANWHILE_MIN: usize = 512;

/// What is decided, and waits to be durable.
#[derive(Default)]
pub(super) struct Pending {
    /// The clock reading of all of it.
    pub(super) now: Timestamp,
    pub(super) payload: PayloadWriter,
    /// Of the command that is being decided.
    pub(super) events: Vec<Event>,
    pub(super) answered: Vec<Answered>,
    /// Shows whose description changed.
    pub(super) changed: Vec<CreatedShow>,
    pub(super) turn: Box<Turn>,
    /// When the first of it was decided.
    pub(super) since: Duration,
}

/// A decided request that waits for its batch to be durable.
pub(super) enum Answered {
    Execute(Vec<Outcome>, Reply<Vec<Outcome>>),
    CreateShow(Result<CreatedShow, Rejection>, Reply<Result<CreatedShow, Rejection>>),
    SeatMap(SeatMap, Reply<SeatMap>),
    Lookup(Page, Reply<Page>),
    Overview(Box<Overview>, Reply<Overview>),
    Prepared(Vec<PreparedMember>, Reply<Vec<PreparedMember>>),
}

/// The log, and what it takes to tell of it. It goes with an append from thread to thread.
pub(super) struct Writer {
    pub(super) log: Box<dyn Log>,
    clock: Arc<dyn Clock>,
    observer: Observer,
    slow_appends: SlowAppends,
}

/// The shard's end: it has the writer unless an append is under way on the other thread.
pub(super) struct Committer {
    writer: Option<Writer>,
    /// Emptied, for its capacity.
    spare: Pending,
    helper: Option<Helper>,
}

/// An append on the other thread, and, as soon as it has ended, what became of it.
pub(super) struct Append {
    writer: Writer,
    pending: Pending,
    result: Result<(), LogError>,
}

/// The other thread, and the ways to it and from it: never more than one append.
struct Helper {
    appends: Option<Sender<Box<Append>>>,
    ended: Receiver<Box<Append>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn new(log: Box<dyn Log>, clock: Arc<dyn Clock>, observer: Observer) -> Self {
        let writer = Writer { log, clock, observer, slow_appends: SlowAppends::default() };
        Self { writer: Some(writer), spare: Pending::default(), helper: None }
    }

    /// From now on large batches are appended on another thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start_helper(&mut self, name: String) -> std::io::Result<()> {
        self.helper = Some(Helper::start(name)?);
        Ok(())
    }

    /// The append that is under way, if there is one.
    pub(super) fn under_way(&self) -> Option<&Receiver<Box<Append>>> {
        self.helper.as_ref().filter(|_| self.writer.is_none()).map(|helper| &helper.ended)
    }

    /// The log, if no append is under way.
    pub(super) fn writer(&mut self) -> Option<&mut Writer> {
        self.writer.as_mut()
    }

    /// The log, once everything that was handed over is durable and answered.
    ///
    /// # Errors
    /// When it did not become so.
    pub(super) fn settled(&mut self) -> Result<&mut Writer, LogError> {
        if let Some(ended) = self.under_way() {
            // A reply panicked: an invariant is broken.
            let ended = ended.recv().expect("the thread that appends");
            self.take_back(ended)?;
        }
        Ok(self.writer.as_mut().expect("no append is under way"))
    }

    /// Takes back what came from the other thread.
    ///
    /// # Errors
    /// The append's.
    pub(super) fn take_back(&mut self, ended: Box<Append>) -> Result<(), LogError> {
        let Append { writer, pending, result } = *ended;
        (self.writer, self.spare) = (Some(writer), pending);
        result
    }

    /// Makes durable what is decided and answers it, or has it done; then it is empty.
    ///
    /// # Errors
    /// When this or what was handed over before did not become durable: nobody knows the outcome, and the state is not to be
    /// used any more.
    pub(super) fn commit(&mut self, pending: &mut Pending) -> Result<(), LogError> {
        self.settled()?;
        match (&self.helper, self.writer.take()) {
            (Some(helper), Some(writer)) if pending.is_worth_a_thread() => {
                let pending = std::mem::replace(pending, std::mem::take(&mut self.spare));
                helper.begin(Box::new(Append { writer, pending, result: Ok(()) }));
                Ok(())
            }
            (_, writer) => {
                let writer = self.writer.insert(writer.expect("no append is under way"));
                writer.commit(pending)
            }
        }
    }
}

impl Helper {
    fn start(name: String) -> std::io::Result<Self> {
        let (appends, todo) = bounded::<Box<Append>>(1);
        let (results, ended) = bounded(1);
        let thread = thread::Builder::new().name(name).spawn(move || {
            for mut append in todo {
                append.result = append.writer.commit(&mut append.pending);
                if results.send(append).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { appends: Some(appends), ended, thread: Some(thread) })
    }

    fn begin(&self, append: Box<Append>) {
        let is_sent = self.appends.as_ref().is_some_and(|appends| appends.try_send(append).is_ok());
        assert!(is_sent, "never more than one append is under way");
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.appends.take());
        if let Some(thread) = self.thread.take() {
            // A panic of it went to standard error.
            let _ = thread.join();
        }
    }
}

impl Writer {
    /// Appends, then tells, then answers.
    fn commit(&mut self, pending: &mut Pending) -> Result<(), LogError> {
        if let Err(error) = self.append(pending) {
            pending.outcome_unknown();
            return Err(error);
        }
        let appended = self.clock.elapsed();
        // Before those who asked for the changes hear of them: whoever asks next finds them.
        for show in pending.changed.drain(..) {
            self.tell(Notice::ShowChanged(Box::new(show)));
        }
        self.tell(Notice::Decided(std::mem::take(&mut pending.turn)));
        pending.answered.drain(..).for_each(Answered::deliver);
        self.tell(Notice::Answered { took: self.clock.elapsed().saturating_sub(appended) });
        pending.payload.clear();
        Ok(())
    }

    fn append(&mut self, pending: &mut Pending) -> Result<(), LogError> {
        let Pending { now, payload, turn, .. } = pending;
        if payload.events() == 0 {
            return Ok(());
        }
        let (began, since) = (self.clock.now(), self.clock.elapsed());
        self.log.append(now.0, payload.bytes())?;
        turn.append = self.clock.elapsed().saturating_sub(since);
        turn.bytes = payload.bytes().len() as u64;
        turn.events = payload.events();
        if let Some(slow) = self.slow_appends.note(began, self.clock.now()) {
            self.tell(slow);
        }
        Ok(())
    }

    fn tell(&self, notice: Notice) {
        (self.observer)(self.log.shard(), notice);
    }
}

impl Pending {
    /// Whether it takes a while to append it, in which a large batch can be decided.
    fn is_worth_a_thread(&self) -> bool {
        self.payload.events() > 0 && self.turn.decided() as usize >= DECIDED_MEANWHILE_MIN
    }

    /// Whoever waits is told so, and it is empty.
    pub(super) fn outcome_unknown(&mut self) {
        self.answered.drain(..).for_each(Answered::outcome_unknown);
        self.changed.clear();
        self.payload.clear();
        *self.turn = Turn::default();
    }
}

impl Answered {
    fn deliver(self) {
        match self {
            Self::Execute(outcomes, reply) => reply(Ok(outcomes)),
            Self::CreateShow(created, reply) => reply(Ok(created)),
            Self::SeatMap(map, reply) => reply(Ok(map)),
            Self::Lookup(page, reply) => reply(Ok(page)),
            Self::Overview(overview, reply) => reply(Ok(*overview)),
            Self::Prepared(members, reply) => reply(Ok(members)),
        }
    }

    fn outcome_unknown(self) {
        match self {
            Self::Execute(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::CreateShow(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::SeatMap(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Lookup(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Overview(_, reply) => reply(Err(Fault::OutcomeUnknown)),
            Self::Prepared(_, reply) => reply(Err(Fault::OutcomeUnknown)),
        }
    }
}
