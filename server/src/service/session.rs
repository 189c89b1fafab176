//! `usher.v1.Inventory.Session`: batches for many shows on one stream, pipelined.
//!
//! One task a stream. It takes a message only while few enough commands are under way, hands the batches to their shards in
//! the order in which they came, and sends outcomes as they are ready, as many as there are in one message. Whoever does not
//! read his answers is not read from either, and whoever sends more than a shard takes is read from when it has taken that:
//! the queue is where his buyers are, who can still go home.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use usher_engine::{
    router::Router,
    shard::{Fault, Outcome, Reply},
    time::Clock as _,
};
use usher_proto::v1;

use super::{
    Draining,
    batch::{Asked, BATCH_COMMANDS_MAX, Batch, Outcomes, ToDecide},
    inbox_room::InboxRoom,
};
use crate::{
    access,
    clock::WallClock,
    edge::DecideBy,
    status::{self, Refusal},
    telemetry::traces::{self, Submitted, Trace},
};

/// Most commands of a stream that are under way: a message more is taken only below it.
pub const SESSION_COMMANDS_MAX: usize = 4 * BATCH_COMMANDS_MAX;
/// Most batches of a stream that are under way, and of a message.
pub const SESSION_BATCHES_MAX: usize = 1_024;
/// Longest that a batch may be given.
const TIMEOUT_MS_MAX: u32 = 90_000;
/// Outcomes after which a message is sent, although more are ready.
const OUTCOMES_PER_MESSAGE: usize = BATCH_COMMANDS_MAX;
/// Messages that wait for the connection to take them.
const ANSWERS_MAX: usize = 4;

/// The answers.
pub type SessionStream = ReceiverStream<Result<v1::SessionResponse, Status>>;

/// Runs a session until its caller ends it, or the process drains.
pub(super) fn start(
    router: Router,
    room: InboxRoom,
    requests: Streaming<v1::SessionRequest>,
    draining: Draining,
) -> SessionStream {
    let (answers, stream) = mpsc::channel(ANSWERS_MAX);
    let (done, decided) = mpsc::unbounded_channel();
    let (under_way, line) = (HashMap::new(), VecDeque::new());
    let session = Session { router, room, answers, done, under_way, line, commands: 0, next: 0 };
    let running = access::within(access::current(), session.run(requests, decided, draining));
    tokio::spawn(traces::within(traces::current(), running));
    ReceiverStream::new(stream)
}

/// A batch's number in its session, and what its shard said. There are never more than may be under way.
type Decided = (u64, Result<Vec<Outcome>, Fault>);

struct Session {
    router: Router,
    room: InboxRoom,
    answers: mpsc::Sender<Result<v1::SessionResponse, Status>>,
    done: mpsc::UnboundedSender<Decided>,
    under_way: HashMap<u64, UnderWay>,
    /// Of these, those that their shards have not taken yet, in the order in which they came.
    line: VecDeque<InLine>,
    /// Of all batches under way.
    commands: usize,
    next: u64,
}

struct UnderWay {
    tag: u64,
    commands: usize,
    batch: Batch,
    trace: Option<Arc<Trace>>,
}

/// A batch that waits for room in its shard's inbox.
struct InLine {
    to_decide: ToDecide,
    decide_by: Option<Duration>,
    reply: Reply<Vec<Outcome>>,
    /// Its place among those of all sessions, from when it is the first here.
    room: Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>,
}

impl Session {
    async fn run(
        mut self,
        mut requests: Streaming<v1::SessionRequest>,
        mut decided: mpsc::UnboundedReceiver<Decided>,
        mut draining: Draining,
    ) {
        let (mut is_open, mut wrong) = (true, None);
        while is_open || !self.under_way.is_empty() {
            let is_below = self.commands < SESSION_COMMANDS_MAX && self.under_way.len() < SESSION_BATCHES_MAX;
            let has_room = is_below && self.line.is_empty();
            tokio::select! {
                biased;
                Some(first) = decided.recv() => {
                    if self.answer(first, &mut decided).await.is_err() {
                        // Nobody is there to be told.
                        return;
                    }
                }
                _ = draining.changed(), if is_open => is_open = false,
                message = requests.message(), if is_open && has_room => match message {
                    Ok(Some(message)) => {
                        if self.take(message).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => is_open = false,
                    // What he sent before is decided all the same. Whoever was cut off learns nothing more.
                    Err(status) => (is_open, wrong) = (false, status::meant(&status)),
                },
                room = first_room(&mut self.line) => self.advance(room),
            }
        }
        if let Some(refusal) = wrong {
            // He may have gone.
            let _ = self.answers.send(Err(refusal.into_status())).await;
        }
    }

    /// Hands the batches of a message to their shards.
    async fn take(&mut self, message: v1::SessionRequest) -> Result<(), Gone> {
        let count = message.batches.len();
        if !(1..=SESSION_BATCHES_MAX).contains(&count) {
            let wrong = Refusal::wrong("batches", format_args!("must be 1 to {SESSION_BATCHES_MAX}, are {count}"));
            // There is no tag to answer under.
            return self.answers.send(Err(wrong.into_status())).await.map_err(|_| Gone).and(Err(Gone));
        }
        let mut refused = Vec::new();
        for v1::SessionBatch { tag, show_id, commands, timeout_ms, columns } in message.batches {
            let router = self.router.clone();
            let asked = asked(commands, columns);
            let count = asked.as_ref().map_or(0, Asked::count);
            let read = |asked| Ok((Batch::read(&router, show_id, asked)?, decide_by(timeout_ms)?));
            match asked.and_then(read) {
                Ok(((batch, to_decide), end)) => {
                    let (number, done) = (self.next, self.done.clone());
                    self.next += 1;
                    self.commands += count;
                    let trace = traces::of_batch();
                    let submitted = trace.clone().map(Trace::submitted);
                    self.under_way.insert(number, UnderWay { tag, commands: count, batch, trace });
                    let reply = move |decided| {
                        submitted.into_iter().for_each(Submitted::answered);
                        // The session may have ended.
                        let _ = done.send((number, decided));
                    };
                    self.hand_over(to_decide, end, Box::new(reply));
                }
                Err(refusal) => refused.push(outcomes_of(tag, Err(refusal))),
            }
        }
        if refused.is_empty() { Ok(()) } else { self.send(refused).await }
    }

    /// Hands a batch to its shard, or lets it wait behind those that came before it.
    fn hand_over(&mut self, to_decide: ToDecide, decide_by: Option<Duration>, reply: Reply<Vec<Outcome>>) {
        let (shard, commands) = (to_decide.shard(&self.router), to_decide.count());
        if self.line.is_empty()
            && let Some(room) = self.room.try_take(shard, commands)
        {
            return to_decide.submit(&self.router, decide_by, until_answered(room, reply));
        }
        let longest = DecideBy::after(shard.admission().wait_max()).0;
        let until = decide_by.map_or(longest, |end| end.min(longest));
        let room = Box::pin(self.room.take(shard, commands, until));
        self.line.push_back(InLine { to_decide, decide_by, reply, room });
    }

    /// Hands over the first in line, which has room now or has waited for too long.
    fn advance(&mut self, room: Option<OwnedSemaphorePermit>) {
        let Some(InLine { to_decide, decide_by, reply, .. }) = self.line.pop_front() else { return };
        match room {
            Some(room) => to_decide.submit(&self.router, decide_by, until_answered(room, reply)),
            None if decide_by.is_some_and(|end| end <= WallClock.elapsed()) => reply(Err(Fault::DeadlinePassed)),
            None => reply(Err(Fault::InboxFull)),
        }
    }

    /// Sends what is decided.
    async fn answer(&mut self, first: Decided, decided: &mut mpsc::UnboundedReceiver<Decided>) -> Result<(), Gone> {
        let (mut batches, mut outcomes, mut next) = (Vec::new(), 0, Some(first));
        while let Some((number, decided_batch)) = next {
            let Some(UnderWay { tag, commands, batch, trace }) = self.under_way.remove(&number) else { break };
            self.commands -= commands;
            outcomes += commands;
            let result = decided_batch.map(|decided| batch.outcomes(&self.router, decided)).map_err(Refusal::from);
            trace.inspect(|trace| trace.ended(result.as_ref().map_or_else(Refusal::code, |_| Code::Ok)));
            batches.push(outcomes_of(tag, result));
            next = if outcomes < OUTCOMES_PER_MESSAGE { decided.try_recv().ok() } else { None };
        }
        self.send(batches).await
    }

    async fn send(&mut self, batches: Vec<v1::SessionOutcomes>) -> Result<(), Gone> {
        self.answers.send(Ok(v1::SessionResponse { batches })).await.map_err(|_| Gone)
    }
}

/// What the first in line waits for; never where there is none.
async fn first_room(line: &mut VecDeque<InLine>) -> Option<OwnedSemaphorePermit> {
    match line.front_mut() {
        Some(first) => first.room.as_mut().await,
        None => std::future::pending().await,
    }
}

/// A reply that gives the room back.
fn until_answered(room: OwnedSemaphorePermit, reply: Reply<Vec<Outcome>>) -> Reply<Vec<Outcome>> {
    Box::new(move |decided| {
        drop(room);
        reply(decided);
    })
}

/// The caller is gone, or is told that the session ends.
struct Gone;

fn asked(commands: Vec<v1::Command>, columns: Option<v1::CommandColumns>) -> Result<Asked, Refusal> {
    match columns {
        None => Ok(Asked::Commands(commands)),
        Some(columns) if commands.is_empty() => Ok(Asked::Columns(columns)),
        Some(_) => Err(Refusal::wrong("columns", "must be absent where there are `commands`")),
    }
}

fn outcomes_of(tag: u64, result: Result<Outcomes, Refusal>) -> v1::SessionOutcomes {
    let answer = v1::SessionOutcomes { tag, ..Default::default() };
    match result {
        Ok(Outcomes::Each(outcomes)) => v1::SessionOutcomes { outcomes, ..answer },
        Ok(Outcomes::Columns(columns)) => v1::SessionOutcomes { columns: Some(columns), ..answer },
        Err(refusal) => v1::SessionOutcomes { refused: Some(refusal.into_rejection()), ..answer },
    }
}

/// When it is too late for a batch that has just come.
fn decide_by(timeout_ms: Option<u32>) -> Result<Option<Duration>, Refusal> {
    match timeout_ms {
        None => Ok(None),
        Some(ms @ 1..=TIMEOUT_MS_MAX) => Ok(Some(DecideBy::after(Duration::from_millis(ms.into())).0)),
        Some(ms) => Err(Refusal::wrong("timeout_ms", format_args!("must be 1 to {TIMEOUT_MS_MAX}, is {ms}"))),
    }
}
