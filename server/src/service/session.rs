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
    batch::{self, Asked, BATCH_COMMANDS_MAX, Batch, Of, Outcomes, Part},
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

/// A batch's number in its session, which part of it, and what its shard said. There are never more than may be under way.
type Decided = (u64, usize, batch::Decided);

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
    /// What became of its parts, and how many of them are not decided yet.
    decided: Vec<batch::Decided>,
    missing: usize,
    trace: Option<Arc<Trace>>,
}

/// A part of a batch that waits for room in its shard's inbox.
struct InLine {
    part: Part,
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
        for batch in message.batches {
            let (tag, timeout_ms) = (batch.tag, batch.timeout_ms);
            let commands = batch.commands.len() + batch.columns.as_ref().map_or(0, |columns| columns.kinds.len());
            let read = |(of, asked)| Ok((Batch::read(&self.router, &of, asked)?, decide_by(timeout_ms)?));
            match asked(batch).and_then(read) {
                Ok(((batch, parts), end)) => {
                    let (number, missing, trace) = (self.next, parts.len(), traces::of_batch());
                    self.next += 1;
                    self.commands += commands;
                    for (position, part) in parts.into_iter().enumerate() {
                        let (submitted, done) = (trace.clone().map(Trace::submitted), self.done.clone());
                        let reply = move |decided| {
                            submitted.into_iter().for_each(Submitted::answered);
                            // The session may have ended.
                            let _ = done.send((number, position, decided));
                        };
                        self.hand_over(part, end, Box::new(reply));
                    }
                    let decided = vec![Err(Fault::OutcomeUnknown); missing];
                    self.under_way.insert(number, UnderWay { tag, commands, batch, decided, missing, trace });
                }
                Err(refusal) => refused.push(outcomes_of(tag, Err(refusal.of_commands(commands.max(1))))),
            }
        }
        if refused.is_empty() { Ok(()) } else { self.send(refused).await }
    }

    /// Hands a part of a batch to its shard, or lets it wait behind those that came before it.
    fn hand_over(&mut self, part: Part, decide_by: Option<Duration>, reply: Reply<Vec<Outcome>>) {
        let (shard, commands) = (part.shard(&self.router), part.count());
        if self.line.is_empty()
            && let Some(room) = self.room.try_take(shard, commands)
        {
            return part.submit(&self.router, decide_by, until_answered(room, reply));
        }
        let longest = DecideBy::after(shard.admission().wait_max()).0;
        let until = decide_by.map_or(longest, |end| end.min(longest));
        let room = Box::pin(self.room.take(shard, commands, until));
        self.line.push_back(InLine { part, decide_by, reply, room });
    }

    /// Hands over the first in line, which has room now or has waited for too long.
    fn advance(&mut self, room: Option<OwnedSemaphorePermit>) {
        let Some(InLine { part, decide_by, reply, .. }) = self.line.pop_front() else { return };
        match room {
            Some(room) => part.submit(&self.router, decide_by, until_answered(room, reply)),
            None if decide_by.is_some_and(|end| end <= WallClock.elapsed()) => reply(Err(Fault::DeadlinePassed)),
            None => reply(Err(Fault::InboxFull)),
        }
    }

    /// Sends what is decided.
    async fn answer(
        &mut self,
        first: Decided,
        decided_parts: &mut mpsc::UnboundedReceiver<Decided>,
    ) -> Result<(), Gone> {
        let (mut batches, mut outcomes, mut next) = (Vec::new(), 0, Some(first));
        while let Some((number, part, decided_part)) = next {
            let Some(UnderWay { tag, commands, batch, decided, trace, .. }) = self.complete(number, part, decided_part)
            else {
                next = decided_parts.try_recv().ok();
                continue;
            };
            self.commands -= commands;
            outcomes += commands;
            let result = batch.outcomes(&self.router, decided).map_err(|refusal| refusal.of_commands(commands));
            trace.inspect(|trace| trace.ended(result.as_ref().map_or_else(Refusal::code, |_| Code::Ok)));
            batches.push(outcomes_of(tag, result));
            next = if outcomes < OUTCOMES_PER_MESSAGE { decided_parts.try_recv().ok() } else { None };
        }
        if batches.is_empty() { Ok(()) } else { self.send(batches).await }
    }

    /// Notes what became of a part of a batch; the batch, if that was the last of it.
    fn complete(&mut self, number: u64, part: usize, decided: batch::Decided) -> Option<UnderWay> {
        let under_way = self.under_way.get_mut(&number)?;
        under_way.decided[part] = decided;
        under_way.missing -= 1;
        if under_way.missing == 0 { self.under_way.remove(&number) } else { None }
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

/// The shows of a batch, and its commands.
fn asked(batch: v1::SessionBatch) -> Result<(Of, Asked), Refusal> {
    let v1::SessionBatch { show_id, show_ids, commands, columns, .. } = batch;
    let is_in_columns = columns.is_some();
    let asked = match columns {
        None => Asked::Commands(commands),
        Some(columns) if commands.is_empty() => Asked::Columns(columns),
        Some(_) => return Err(Refusal::wrong("columns", "must be absent where there are `commands`")),
    };
    match show_ids.len() {
        0 => Ok((Of::One(show_id), asked)),
        _ if !show_id.is_empty() => Err(Refusal::wrong("show_ids", "must be empty where there is a `show_id`")),
        _ if !is_in_columns => Err(Refusal::wrong("show_ids", "must be empty where there are no `columns`")),
        1..=BATCH_COMMANDS_MAX => Ok((Of::Several(show_ids), asked)),
        count => Err(Refusal::wrong("show_ids", format_args!("must be at most {BATCH_COMMANDS_MAX}, are {count}"))),
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
