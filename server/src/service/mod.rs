//! The gRPC services, one file each, and how they ask a shard.

use std::{sync::Arc, time::Duration};

use tokio::sync::{oneshot, watch};
use usher_engine::{
    command::Command,
    ids::ShowId,
    router::{Router, ShowEntry},
    shard::{Fault, Reply, Request, ShardHandle},
};

use crate::{
    access::{self, Claims},
    status::Refusal,
    telemetry::traces::{self, Submitted, Trace},
};

pub mod availability;
pub mod batch;
pub mod groups;
mod inbox_room;
pub mod inventory;
pub mod operations;
pub mod session;
pub mod shows;
mod status;

/// Becomes true once the process is told to end.
pub type Draining = watch::Receiver<bool>;

/// Largest request for anything but a batch of commands or a plan.
pub const COMMAND_BYTES_MAX: usize = 64 << 10;
/// Largest answer; a seating plan is none.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Largest message that a service of commands reads: a full batch.
pub const COMMANDS_BYTES_MAX: usize = 4 << 20;
/// Largest message that a service of shows reads: a large seating plan.
pub const PLAN_BYTES_MAX: usize = 64 << 20;

/// Sends something to a shard, at once, and waits for its reply.
///
/// # Errors
/// The fault. A shard that ended without a reply leaves the outcome unknown.
pub(crate) fn ask<T: Send + 'static>(submit: impl FnOnce(Reply<T>)) -> impl Future<Output = Result<T, Refusal>> {
    let (sender, answer) = oneshot::channel();
    let submitted = traces::current().map(Trace::submitted);
    submit(Box::new(move |result| {
        submitted.into_iter().for_each(Submitted::answered);
        // Whoever asked may have gone.
        let _ = sender.send(result);
    }));
    async { answer.await.unwrap_or(Err(Fault::OutcomeUnknown)).map_err(Refusal::from) }
}

/// Whether a command is not one claim too many, of its buyer's or to its show, now by [`Clock::elapsed`].
///
/// [`Clock::elapsed`]: usher_engine::time::Clock::elapsed
fn charge(claims: Option<&Claims>, command: &Command, now: Duration) -> Result<(), Refusal> {
    claims.zip(command.claimant()).map_or(Ok(()), |(claims, buyer)| claims.take(buyer, now))
}

/// Hands a request to a shard, for whom it is too late when it is too late for the call that is being answered.
fn submit(shard: &ShardHandle, request: Request) {
    shard.submit_by(request, access::decide_by());
}

/// The show as it is after a shard's answer, which may speak of seats that were added since the question.
fn newest(router: &Router, id: &ShowId, before: Arc<ShowEntry>) -> Arc<ShowEntry> {
    router.catalog().find(id).unwrap_or(before)
}
