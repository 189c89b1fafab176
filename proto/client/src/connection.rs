//! A connection: the calls of many tasks, put together into batches on one `Session`.
//!
//! One task owns the stream. While it cannot send, calls gather; when it can, all that are there go in one message, a batch
//! for each show, in the order in which they came. If the stream breaks, every call on it is told so, and whoever made it
//! decides whether to repeat it.

use std::{collections::HashMap, sync::Arc};

use prost::{Message as _, bytes::Bytes};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use usher_proto::v1::{self, inventory_client::InventoryClient, outcome::Outcome as Answer};

use crate::{
    backlog::{Backlog, put_off, settles},
    batch::{BATCH_COMMANDS_MAX, Batch, Became, became},
    credentials::Calling,
    error::Refused,
    gathering::{Answers, Gathered, Gathering},
    options::Options,
};

/// Largest command, in bytes on the wire: what servers read of a message, but for its frame.
pub(crate) const COMMAND_BYTES_MAX: usize = (4 << 20) - 1_024;
/// A message is closed once it has so many bytes.
const MESSAGE_BYTES: usize = 256 << 10;
/// Most calls of a message: what a server takes of batches, should each be for another show.
const MESSAGE_CALLS_MAX: usize = 1_024;
/// Longest that a server gives a batch.
const TIMEOUT_MS_MAX: u32 = 90_000;
/// Messages that wait for the connection to take them: few, so that calls gather behind them.
const MESSAGES_MAX: usize = 1;
/// Largest message of answers: a full batch of large holds.
const ANSWERS_BYTES_MAX: usize = 64 << 20;

type Outcome = Result<Answer, Box<Refused>>;
type Outcomes = Result<Vec<Became>, Box<Refused>>;

/// A way to the task that owns a stream, which ends with the last of these.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    calls: mpsc::Sender<Call>,
    gathering: Gathering,
    backlog: Backlog,
}

#[derive(Debug)]
struct Call {
    what: What,
    bytes: usize,
    since: Instant,
    /// Nobody waits for it from then on.
    deadline: Instant,
}

#[derive(Debug)]
enum What {
    One(Box<str>, v1::Command, oneshot::Sender<Outcome>),
    /// In columns.
    Many(v1::SessionBatch, oneshot::Sender<Outcomes>),
}

impl What {
    /// Nobody waits for it any more.
    fn is_forsaken(&self) -> bool {
        match self {
            Self::One(.., reply) => reply.is_closed(),
            Self::Many(_, reply) => reply.is_closed(),
        }
    }
}

impl Call {
    fn refuse(self, refused: Box<Refused>) {
        // Whoever asked may have gone.
        match self.what {
            What::One(.., reply) => drop(reply.send(Err(refused))),
            What::Many(_, reply) => drop(reply.send(Err(refused))),
        }
    }
}

/// Who waits for the outcomes of a batch under way.
#[derive(Debug)]
enum Waiting {
    Each(Vec<oneshot::Sender<Outcome>>),
    /// With the kinds of the commands.
    All(Bytes, WhoAsked),
}

/// Who is told what became of a batch in columns.
#[derive(Debug)]
enum WhoAsked {
    One(oneshot::Sender<Outcomes>),
    /// Of this show.
    Many(Box<str>, Arc<Answers>),
}

impl WhoAsked {
    fn tell(self, outcomes: Outcomes) {
        match self {
            // He may have gone.
            Self::One(reply) => drop(reply.send(outcomes)),
            Self::Many(_, answers) => answers.tell(outcomes),
        }
    }
}

impl Connection {
    pub(crate) fn open(channel: Calling, options: &Options) -> Self {
        let (sender, calls) = mpsc::channel(options.calls_waiting_max.max(1));
        let (backlog, gathering) = (Backlog::new(options.queue_wait_max), Gathering::default());
        let client = InventoryClient::new(channel).max_decoding_message_size(ANSWERS_BYTES_MAX);
        tokio::spawn(run(client, calls, gathering.clone(), backlog.clone()));
        Self { calls: sender, gathering, backlog }
    }

    /// One attempt. Dropping the future leaves the command under way.
    pub(crate) async fn call(&self, show_id: &str, command: v1::Command, deadline: Instant) -> Outcome {
        self.check(command.command.as_ref().is_some_and(settles))?;
        let bytes = command.encoded_len();
        self.ask(bytes, deadline, |reply| What::One(show_id.into(), command, reply)).await
    }

    /// The same with many, in columns.
    pub(crate) async fn call_all(&self, batch: v1::SessionBatch, deadline: Instant) -> Outcomes {
        self.check(false)?;
        let bytes = batch.encoded_len();
        self.ask(bytes, deadline, |reply| What::Many(batch, reply)).await
    }

    /// The same with a plain one, which goes with others in columns.
    pub(crate) async fn call_plainly(
        &self,
        show_id: &str,
        settles: bool,
        command: impl FnOnce(&mut Batch),
        deadline: Instant,
    ) -> Result<Became, Box<Refused>> {
        let place = self.gathering.add(show_id, (Instant::now(), deadline), self.backlog.wait_max(settles), command);
        place.map_err(put_off)?.answer().await
    }

    /// Whether one more may wait.
    fn check(&self, settles: bool) -> Result<(), Box<Refused>> {
        if self.calls.capacity() < self.calls.max_capacity() { self.backlog.check(settles) } else { Ok(()) }
    }

    async fn ask<T>(
        &self,
        bytes: usize,
        deadline: Instant,
        what: impl FnOnce(oneshot::Sender<Result<T, Box<Refused>>>) -> What,
    ) -> Result<T, Box<Refused>> {
        let (reply, answer) = oneshot::channel();
        let call = Call { what: what(reply), bytes, since: Instant::now(), deadline };
        if self.calls.send(call).await.is_err() {
            return Err(ended());
        }
        answer.await.unwrap_or_else(|_| Err(lost("the connection broke")))
    }
}

fn ended() -> Box<Refused> {
    lost("the client's connection has ended")
}

/// Nobody knows what became of it.
pub(crate) fn lost(message: &str) -> Box<Refused> {
    Box::new(Status::unavailable(message).into())
}

/// One stream after the other, each opened when somebody calls.
async fn run(
    mut client: InventoryClient<Calling>,
    mut calls: mpsc::Receiver<Call>,
    gathering: Gathering,
    backlog: Backlog,
) {
    loop {
        let first = tokio::select! {
            call = calls.recv() => match call {
                Some(call) => vec![call],
                None => return,
            },
            () = gathering.word() => Vec::new(),
        };
        let (messages, requests) = mpsc::channel(MESSAGES_MAX);
        // Servers answer the opening at once, before anything is sent.
        match client.session(ReceiverStream::new(requests)).await {
            Ok(answers) => {
                let (gathering, backlog) = (gathering.clone(), backlog.clone());
                Stream { messages, under_way: HashMap::new(), next_tag: 0, gathering, backlog }
                    .run(first, &mut calls, answers.into_inner())
                    .await
            }
            // Whoever else waits makes the next attempt.
            Err(status) => {
                let refused = Box::new(Refused::from(status));
                gathering.refuse_all(&refused);
                first.into_iter().for_each(|call| call.refuse(refused.clone()));
            }
        }
    }
}

struct Stream {
    messages: mpsc::Sender<v1::SessionRequest>,
    /// Who waits for the outcomes of a batch, by its tag.
    under_way: HashMap<u64, Waiting>,
    next_tag: u64,
    gathering: Gathering,
    backlog: Backlog,
}

impl Stream {
    /// Until the stream ends, or nobody can call any more and all are answered.
    async fn run(
        mut self,
        mut waiting: Vec<Call>,
        calls: &mut mpsc::Receiver<Call>,
        mut answers: Streaming<v1::SessionResponse>,
    ) {
        let mut can_be_called = true;
        while can_be_called || !self.under_way.is_empty() || !waiting.is_empty() {
            let has_something = !waiting.is_empty() || self.gathering.is_ready();
            tokio::select! {
                biased;
                answered = answers.message() => match answered {
                    Ok(Some(message)) => message.batches.into_iter().for_each(|batch| self.answer(batch)),
                    ended => return self.end(waiting, ended.err()),
                },
                permit = self.messages.clone().reserve_owned(), if has_something => {
                    let Ok(permit) = permit else { return self.end(waiting, None) };
                    // Those who were answered together get to call before the message is closed.
                    tokio::task::yield_now().await;
                    while waiting.len() < MESSAGE_CALLS_MAX && let Ok(call) = calls.try_recv() {
                        waiting.push(call);
                    }
                    if let Some(message) = self.message(&mut waiting) {
                        permit.send(message);
                    }
                }
                call = calls.recv(), if can_be_called && waiting.is_empty() => match call {
                    Some(call) => waiting.push(call),
                    None => can_be_called = false,
                },
                () = self.gathering.word(), if !has_something => {}
            }
        }
    }

    /// As many calls as a message takes, from the front, and what has gathered. Those that nobody waits for any more are not
    /// sent.
    fn message(&mut self, waiting: &mut Vec<Call>) -> Option<v1::SessionRequest> {
        waiting.last().into_iter().for_each(|last| self.backlog.note(last.since));
        waiting.retain(|call| !call.what.is_forsaken());
        let mut bytes = 0;
        let fitting = waiting.iter().take_while(|call| {
            let fits = bytes == 0 || bytes + call.bytes <= MESSAGE_BYTES;
            bytes += call.bytes;
            fits
        });
        let count = fitting.count();
        let mut batches: Vec<v1::SessionBatch> = Vec::new();
        let mut of_show: HashMap<Box<str>, usize> = HashMap::new();
        let now = Instant::now();
        for Call { what, deadline, .. } in waiting.drain(..count) {
            let tag = self.next_tag;
            match what {
                What::Many(batch, reply) => {
                    // What comes after it comes after it.
                    of_show.clear();
                    batches.push(self.in_columns(batch, WhoAsked::One(reply), (deadline, now)));
                }
                What::One(show_id, command, reply) => {
                    let position = *of_show.entry(show_id).or_insert_with_key(|show_id| {
                        batches.push(v1::SessionBatch { tag, show_id: show_id.to_string(), ..Default::default() });
                        batches.len() - 1
                    });
                    let batch = &mut batches[position];
                    self.next_tag += u64::from(batch.commands.is_empty());
                    batch.commands.push(command);
                    batch.timeout_ms = batch.timeout_ms.max(timeout_ms(deadline, now));
                    match self.under_way.entry(batch.tag).or_insert_with(|| Waiting::Each(Vec::new())) {
                        Waiting::Each(replies) => replies.push(reply),
                        Waiting::All(..) => unreachable!("a tag of its own"),
                    }
                }
            }
        }
        let mut gathered = 0;
        while batches.len() < MESSAGE_CALLS_MAX
            && gathered < BATCH_COMMANDS_MAX
            && let Some((show_id, Gathered { batch, answers, deadline, .. })) = self.gathering.take()
        {
            gathered += batch.len();
            let (show, columns) = (show_id.to_string(), Some(batch.into()));
            let batch = v1::SessionBatch { show_id: show, columns, ..Default::default() };
            batches.push(self.in_columns(batch, WhoAsked::Many(show_id, answers), (deadline, now)));
        }
        (!batches.is_empty()).then_some(v1::SessionRequest { batches })
    }

    fn in_columns(
        &mut self,
        batch: v1::SessionBatch,
        asked: WhoAsked,
        (deadline, now): (Instant, Instant),
    ) -> v1::SessionBatch {
        let tag = self.next_tag;
        self.next_tag += 1;
        let kinds = batch.columns.as_ref().map(|columns| columns.kinds.clone()).unwrap_or_default();
        self.under_way.insert(tag, Waiting::All(kinds, asked));
        v1::SessionBatch { tag, timeout_ms: timeout_ms(deadline, now), ..batch }
    }

    fn answer(&mut self, batch: v1::SessionOutcomes) {
        let refused = batch.refused.map(|wire| Box::new(Refused::from(wire)));
        match self.under_way.remove(&batch.tag) {
            None => {}
            Some(Waiting::All(kinds, asked)) => {
                let outcomes = batch.columns.and_then(|columns| became(&kinds, columns));
                let outcomes =
                    outcomes.ok_or_else(|| refused.unwrap_or_else(|| lost("the outcomes are not those of the batch")));
                if let WhoAsked::Many(show_id, _) = &asked {
                    self.gathering.was_answered(show_id);
                }
                asked.tell(outcomes);
            }
            Some(Waiting::Each(replies)) => {
                let mut outcomes = batch.outcomes.into_iter();
                for reply in replies {
                    let outcome = match (&refused, outcomes.next().and_then(|outcome| outcome.outcome)) {
                        (Some(refused), _) => Err(refused.clone()),
                        (None, Some(Answer::Rejection(wire))) => Err(Box::new(wire.into())),
                        (None, Some(answer)) => Ok(answer),
                        (None, None) => Err(lost("the server sent no outcome")),
                    };
                    let _ = reply.send(outcome);
                }
            }
        }
    }

    /// The stream is over: nobody knows what became of what is under way, and what waits was not sent.
    fn end(self, waiting: Vec<Call>, status: Option<Status>) {
        let status = status.unwrap_or_else(|| Status::unavailable("the server ended the session"));
        tracing::debug!(%status, under_way = self.under_way.len(), "a session ended");
        let refused = || Box::new(Refused::from(status.clone()));
        for sent in self.under_way.into_values() {
            match sent {
                Waiting::Each(replies) => replies.into_iter().for_each(|reply| drop(reply.send(Err(refused())))),
                Waiting::All(_, asked) => asked.tell(Err(refused())),
            }
        }
        self.gathering.refuse_all(&refused());
        waiting.into_iter().for_each(|call| call.refuse(refused()));
    }
}

/// As long as anybody waits.
fn timeout_ms(deadline: Instant, now: Instant) -> Option<u32> {
    let wait_ms = deadline.saturating_duration_since(now).as_millis().clamp(1, TIMEOUT_MS_MAX.into());
    u32::try_from(wait_ms).ok()
}
