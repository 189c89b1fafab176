//! A batch of commands for one show: read, handed to its shard, and answered in the order of the commands.

use std::sync::Arc;

use usher_engine::{
    command::Command,
    ids::ShowId,
    router::{Router, ShowEntry},
    shard::{Outcome, Reply, Request, ShardHandle},
};
use usher_proto::v1::{self, command::Command as WireCommand, outcome::Outcome as WireOutcome};

use super::newest;
use crate::{
    access,
    convert::{self, answers},
    status::Refusal,
};

/// Most commands of one batch.
pub const BATCH_COMMANDS_MAX: usize = 4_096;

/// A batch under way.
pub(super) struct Batch {
    wire: Vec<v1::Command>,
    show_id: String,
    id: ShowId,
    show: Arc<ShowEntry>,
    /// What could not be read, by position.
    unread: Vec<(usize, Refusal)>,
}

/// What of it the shard is to decide.
pub(super) struct ToDecide<'a> {
    pub(super) shard: &'a ShardHandle,
    show: Arc<ShowEntry>,
    pub(super) commands: Vec<Command>,
}

impl Batch {
    /// Reads a batch. What cannot be read is refused in its place.
    ///
    /// # Errors
    /// The refusal of the batch as a whole.
    pub(super) fn read(
        router: &Router,
        show_id: String,
        wire: Vec<v1::Command>,
    ) -> Result<(Self, ToDecide<'_>), Refusal> {
        let is_lookup = |command: &v1::Command| matches!(command.command, Some(WireCommand::GetHold(_)));
        access::permit_batch(!wire.iter().all(is_lookup))?;
        let count = wire.len();
        let is_batch = (1..=BATCH_COMMANDS_MAX).contains(&count);
        let wrong = || Refusal::wrong("commands", format_args!("must be 1 to {BATCH_COMMANDS_MAX}, are {count}"));
        let (id, ()) = convert::both(convert::show_id(&show_id), is_batch.then_some(()).ok_or_else(wrong))?;
        let (show, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(&show_id, why))?;
        let mut commands = Vec::with_capacity(count);
        let mut unread = Vec::new();
        for (position, command) in wire.iter().enumerate() {
            match convert::command_of_batch(command, &show_id, &show.manifest) {
                Ok(command) => commands.push(command),
                Err(refusal) => unread.push((position, refusal)),
            }
        }
        let to_decide = ToDecide { shard, show: Arc::clone(&show), commands };
        Ok((Self { wire, show_id, id, show, unread }, to_decide))
    }

    /// The outcomes on the wire: as many as there were commands.
    pub(super) fn outcomes(self, router: &Router, decided: Vec<Outcome>) -> Vec<v1::Outcome> {
        let Self { wire, show_id, id, show, unread } = self;
        let show = newest(router, &id, show);
        let mut decided = decided.into_iter();
        let mut unread = unread.into_iter().peekable();
        let outcomes = wire.iter().enumerate().map(|(position, wire)| {
            let outcome = match (unread.next_if(|(refused, _)| *refused == position), &wire.command) {
                (Some((_, refusal)), _) => Some(WireOutcome::Rejection(refusal.into_rejection())),
                (None, Some(asked)) => decided.next().map(|outcome| match outcome {
                    Ok(answer) => answers::outcome(asked, answer, &show_id, &show.manifest),
                    Err(no) => WireOutcome::Rejection(Refusal::rejected(&no, &show.manifest).into_rejection()),
                }),
                (None, None) => None,
            };
            v1::Outcome { outcome }
        });
        outcomes.collect()
    }
}

impl ToDecide<'_> {
    /// Hands it over. The reply is called in any case; at once if there is nothing to decide.
    pub(super) fn submit(self, reply: Reply<Vec<Outcome>>) {
        if self.commands.is_empty() {
            return reply(Ok(Vec::new()));
        }
        self.shard.submit(Request::Execute { show: self.show.number, commands: self.commands, reply });
    }
}
