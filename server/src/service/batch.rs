//! A batch of commands for one show: read, handed to its shard, and answered in the order of the commands.

use std::{sync::Arc, time::Duration};

use usher_engine::{
    command::Command,
    ids::ShowId,
    router::{Router, ShowEntry},
    shard::{Admission, Outcome, Reply, Request, ShardHandle},
};
use usher_proto::v1::{self, command::Command as WireCommand, outcome::Outcome as WireOutcome};

use super::{charge, newest};
use crate::{
    access,
    convert::{self, answers},
    edge,
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
    /// What could not be read, or is not let in now, by position.
    refused: Vec<(usize, Refusal)>,
}

/// What of it the shard is to decide.
pub(super) struct ToDecide<'a> {
    pub(super) shard: &'a ShardHandle,
    show: Arc<ShowEntry>,
    pub(super) commands: Vec<Command>,
}

impl Batch {
    /// Reads a batch. What cannot be read, or is not let in now, is refused in its place.
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
        access::charge(count)?;
        let (id, ()) = convert::both(convert::show_id(&show_id), is_batch.then_some(()).ok_or_else(wrong))?;
        let (show, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(&show_id, why))?;
        let mut commands = Vec::with_capacity(count);
        let (mut refused, admission) = (Vec::new(), shard.admission().and_waited(edge::delay()));
        for (position, command) in wire.iter().enumerate() {
            let read = convert::command_of_batch(command, &show_id, &show.manifest);
            match read.and_then(|command| let_in(&id, &admission, &command).map(|()| command)) {
                Ok(command) => commands.push(command),
                Err(refusal) => refused.push((position, refusal)),
            }
        }
        let to_decide = ToDecide { shard, show: Arc::clone(&show), commands };
        Ok((Self { wire, show_id, id, show, refused }, to_decide))
    }

    /// The outcomes on the wire: as many as there were commands.
    pub(super) fn outcomes(self, router: &Router, decided: Vec<Outcome>) -> Vec<v1::Outcome> {
        let Self { wire, show_id, id, show, refused } = self;
        let show = newest(router, &id, show);
        let mut decided = decided.into_iter();
        let mut refused = refused.into_iter().peekable();
        let outcomes = wire.iter().enumerate().map(|(position, wire)| {
            let outcome = match (refused.next_if(|(which, _)| *which == position), &wire.command) {
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

/// Whether there is time for a command, and whether it is not one claim too many.
fn let_in(show: &ShowId, admission: &Admission, command: &Command) -> Result<(), Refusal> {
    admission.check(command.priority())?;
    charge(show, command)
}

impl ToDecide<'_> {
    /// Hands it over, to be decided until then. The reply is called in any case; at once if there is nothing to decide.
    pub(super) fn submit(self, decide_by: Option<Duration>, reply: Reply<Vec<Outcome>>) {
        if self.commands.is_empty() {
            return reply(Ok(Vec::new()));
        }
        self.show.note_commands(self.commands.len());
        let request = Request::Execute { show: self.show.number, commands: self.commands, reply };
        self.shard.submit_by(request, decide_by);
    }
}
