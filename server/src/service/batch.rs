//! A batch of commands for one show: read, handed to its shard, and answered in the order of the commands.

use std::{sync::Arc, time::Duration};

use usher_engine::{
    command::Command,
    ids::ShowId,
    router::{Router, ShowEntry},
    shard::{Admission, Fault, Outcome, Reply, Request, ShardHandle},
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

/// Commands as they came.
pub(super) enum Asked {
    /// Each by itself.
    Commands(Vec<v1::Command>),
    /// In columns.
    Columns(v1::CommandColumns),
}

/// Outcomes in the form of the commands, as many.
pub(super) enum Outcomes {
    Each(Vec<v1::Outcome>),
    Columns(v1::OutcomeColumns),
}

/// A batch under way.
pub(super) struct Batch {
    asked: Asked,
    show_id: String,
    id: ShowId,
    show: Arc<ShowEntry>,
    /// What could not be read, or is not let in now, by position.
    refused: Vec<(usize, Refusal)>,
}

/// What of it the shard is to decide.
pub(super) struct ToDecide {
    show: Arc<ShowEntry>,
    commands: Vec<Command>,
}

impl Asked {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Commands(commands) => commands.len(),
            Self::Columns(columns) => columns.kinds.len(),
        }
    }

    /// Whether it only asks how holds stand.
    fn only_looks(&self) -> bool {
        let looks = |command: &v1::Command| matches!(command.command, Some(WireCommand::GetHold(_)));
        matches!(self, Self::Commands(commands) if commands.iter().all(looks))
    }
}

impl Batch {
    /// Reads a batch. What cannot be read, or is not let in now, is refused in its place.
    ///
    /// # Errors
    /// The refusal of the batch as a whole.
    pub(super) fn read(router: &Router, show_id: String, asked: Asked) -> Result<(Self, ToDecide), Refusal> {
        access::permit_batch(!asked.only_looks())?;
        let count = asked.count();
        let is_batch = (1..=BATCH_COMMANDS_MAX).contains(&count);
        let wrong = || Refusal::wrong("commands", format_args!("must be 1 to {BATCH_COMMANDS_MAX}, are {count}"));
        let (id, ()) = convert::both(convert::show_id(&show_id), is_batch.then_some(()).ok_or_else(wrong))?;
        access::charge(count)?;
        let (show, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(&show_id, why))?;
        let mut commands = Vec::with_capacity(count);
        let (mut refused, admission) = (Vec::new(), shard.admission().and_waited(edge::delay()));
        // A command is more than a hundred bytes: it is moved once.
        let mut take = |position, read: Result<Command, Refusal>| {
            let refusal = match read {
                Ok(command) => match let_in(&id, &admission, &command) {
                    Ok(()) => return commands.push(command),
                    Err(refusal) => refusal,
                },
                Err(refusal) => refusal,
            };
            refused.push((position, refusal));
        };
        match &asked {
            Asked::Columns(columns) => convert::columns::read(columns, &show.manifest, take)?,
            Asked::Commands(each) => {
                let read = |command| convert::command_of_batch(command, &show_id, &show.manifest);
                each.iter().map(read).enumerate().for_each(|(position, read)| take(position, read));
            }
        }
        let to_decide = ToDecide { show: Arc::clone(&show), commands };
        Ok((Self { asked, show_id, id, show, refused }, to_decide))
    }

    /// What became of the commands, on the wire.
    pub(super) fn outcomes(self, router: &Router, decided: Vec<Outcome>) -> Outcomes {
        let Self { asked, show_id, id, show, refused } = self;
        let show = newest(router, &id, show);
        let mut decided = decided.into_iter();
        let mut refused = refused.into_iter().peekable();
        let unknown = || Err(Refusal::from(Fault::OutcomeUnknown));
        let became = (0..asked.count()).map(|position| match refused.next_if(|(which, _)| *which == position) {
            Some((_, refusal)) => Err(refusal),
            None => decided.next().map_or_else(unknown, Ok),
        });
        match asked {
            Asked::Columns(asked) => {
                Outcomes::Columns(convert::columns::outcomes(&asked, became, &show_id, &show.manifest))
            }
            Asked::Commands(asked) => {
                let outcomes = asked.iter().zip(became).map(|(asked, became)| {
                    let outcome = match (became, &asked.command) {
                        (Ok(Ok(answer)), Some(asked)) => answers::outcome(asked, answer, &show_id, &show.manifest),
                        (Ok(Err(no)), _) => {
                            WireOutcome::Rejection(Refusal::rejected(&no, &show.manifest).into_rejection())
                        }
                        (Err(refusal), _) => WireOutcome::Rejection(refusal.into_rejection()),
                        (Ok(Ok(_)), None) => return v1::Outcome::default(),
                    };
                    v1::Outcome { outcome: Some(outcome) }
                });
                Outcomes::Each(outcomes.collect())
            }
        }
    }
}

/// Whether there is time for a command, and whether it is not one claim too many.
fn let_in(show: &ShowId, admission: &Admission, command: &Command) -> Result<(), Refusal> {
    admission.check(command.priority())?;
    charge(show, command)
}

impl ToDecide {
    /// Where it is decided.
    pub(super) fn shard<'r>(&self, router: &'r Router) -> &'r ShardHandle {
        router.shard_of(&self.show)
    }

    /// How much of its shard's inbox it takes.
    pub(super) fn count(&self) -> usize {
        self.commands.len()
    }

    /// Hands it over, to be decided until then. The reply is called in any case; at once if there is nothing to decide.
    pub(super) fn submit(self, router: &Router, decide_by: Option<Duration>, reply: Reply<Vec<Outcome>>) {
        if self.commands.is_empty() {
            return reply(Ok(Vec::new()));
        }
        self.show.note_commands(self.commands.len());
        let request = Request::Execute { show: self.show.number, commands: self.commands, reply };
        router.shard_of(&self.show).submit_by(request, decide_by);
    }
}
