//! What organisers do with a show: how a command of theirs gets to its shard, and what its answer says.

use std::sync::Arc;

use usher_engine::{
    command::Command,
    ids::ShowId,
    inventory::{Answer, manifest::Manifest, sale::ShowState},
    router::{Router, ShowEntry},
    shard::{Fault, Request as ShardRequest},
    time::Clock as _,
};
use usher_proto::v1;

use super::{ask, newest};
use crate::{
    clock::WallClock,
    convert::{self, selection, shows},
    status::Refusal,
};

/// A show after a command of its organiser.
pub(super) struct Organised {
    pub(super) id: ShowId,
    pub(super) entry: Arc<ShowEntry>,
    pub(super) answer: Answer,
}

/// Sends the command that `read` makes of a request. Reading may take a while, as a million labels do, and the runtime
/// has others to serve.
pub(super) async fn organise(
    router: &Router,
    show_id: &str,
    read: impl FnOnce(&Manifest) -> Result<Command, Refusal> + Send + 'static,
) -> Result<Organised, Refusal> {
    let id = convert::show_id(show_id)?;
    let (entry, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
    let manifest = Arc::clone(&entry.manifest);
    let command = tokio::task::spawn_blocking(move || read(&manifest)).await;
    let command = command.unwrap_or_else(|_| Err(Refusal::internal("reading the request failed")))?;
    let (show, commands) = (entry.number, vec![command]);
    let outcomes = ask(|reply| shard.submit(ShardRequest::Execute { show, commands, reply })).await?;
    let entry = newest(router, &id, entry);
    match outcomes.into_iter().next() {
        Some(Ok(answer)) => Ok(Organised { id, entry, answer }),
        Some(Err(rejection)) => Err(Refusal::rejected(&rejection, &entry.manifest)),
        None => Err(Refusal::from(Fault::OutcomeUnknown)),
    }
}

impl Organised {
    /// The show as it is now.
    pub(super) fn show(&self) -> v1::Show {
        let state = match self.answer {
            Answer::Sale(state) => state,
            _ => state_now(&self.entry),
        };
        shows::show(&self.id, &self.entry, state)
    }

    pub(super) fn report(&self) -> Option<v1::BulkReport> {
        match &self.answer {
            Answer::Bulk(report) => Some(selection::report_to_wire(report, &self.entry.manifest)),
            _ => None,
        }
    }
}

/// The state of a show for people to read; what a command may do is decided by its shard's clock.
pub(super) fn state_now(entry: &ShowEntry) -> ShowState {
    entry.sale.state_at(WallClock.now())
}
