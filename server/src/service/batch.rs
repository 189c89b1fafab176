//! A batch of commands: read, handed to the shards of its shows, and answered in the order of the commands.

use std::{
    cell::{Cell, OnceCell},
    sync::Arc,
    time::Duration,
};

use usher_engine::{
    command::Command,
    ids::{ShowId, ShowNumber},
    inventory::manifest::Manifest,
    router::{Router, ShowEntry},
    shard::{Admission, Fault, Outcome, Reply, Request, ShardHandle, Shows},
    time::Clock as _,
};
use usher_proto::v1::{self, command::Command as WireCommand, outcome::Outcome as WireOutcome};
use usher_wal::ShardId;

use super::{charge, newest};
use crate::{
    access::{self, Claims},
    clock::WallClock,
    convert::{self, answers},
    edge,
    status::Refusal,
};

/// What a shard said to its part of a batch.
pub(super) type Decided = Result<Vec<Outcome>, Fault>;

/// Most commands of one batch.
pub const BATCH_COMMANDS_MAX: usize = 4_096;

/// The shows of a batch, as they are named.
pub(super) enum Of {
    One(String),
    /// At least one; each command says which.
    Several(Vec<String>),
}

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
    /// In the order in which they are named.
    shows: Vec<Result<OfShow, Refusal>>,
    /// What could not be read, or is not let in now, by position.
    refused: Vec<(usize, Refusal)>,
}

/// A show of a batch.
struct OfShow {
    id: ShowId,
    entry: Arc<ShowEntry>,
    /// How fast places of it may be claimed.
    claims: Option<Claims>,
    /// As it is after the answer, once somebody asks.
    newest: OnceCell<Arc<ShowEntry>>,
    /// Commands that are to be decided for it.
    commands: Cell<usize>,
    /// Which part of the batch its shard decides.
    part: usize,
}

/// What of it a shard is to decide.
pub(super) struct Part {
    shard: ShardId,
    admission: Admission,
    shows: Shows,
    commands: Vec<Command>,
}

impl Asked {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Commands(commands) => commands.len(),
            Self::Columns(columns) => columns.kinds.len(),
        }
    }

    /// Of the command at this position, among those of the batch.
    fn show(&self, position: usize) -> usize {
        match self {
            Self::Columns(columns) if !columns.shows.is_empty() => columns.shows[position] as usize,
            _ => 0,
        }
    }

    /// Whether the show of each command is said, and only once.
    fn check_shows(&self, of: &Of) -> Result<(), Refusal> {
        let Self::Columns(v1::CommandColumns { shows, kinds, .. }) = self else { return Ok(()) };
        let wrong = match of {
            Of::One(_) if shows.is_empty() => return Ok(()),
            Of::One(_) => "must be empty where there is a `show_id`".to_owned(),
            Of::Several(ids) => match shows.iter().find(|show| **show as usize >= ids.len()) {
                Some(show) => format!("must be positions in `show_ids`, which has {}, one is {show}", ids.len()),
                None if shows.len() == kinds.len() => return Ok(()),
                None => format!("must be as many as `kinds`, {}, are {}", kinds.len(), shows.len()),
            },
        };
        Err(Refusal::wrong("shows", wrong))
    }

    /// Whether it only asks how holds stand.
    fn only_looks(&self) -> bool {
        let looks = |command: &v1::Command| matches!(command.command, Some(WireCommand::GetHold(_)));
        matches!(self, Self::Commands(commands) if commands.iter().all(looks))
    }
}

impl Batch {
    /// Reads a batch. What cannot be read, or is not let in now, is refused in its place. There is a part of it, if not more,
    /// and each is to be decided.
    ///
    /// # Errors
    /// The refusal of the batch as a whole.
    pub(super) fn read(router: &Router, of: &Of, asked: Asked) -> Result<(Self, Vec<Part>), Refusal> {
        access::permit_batch(!asked.only_looks())?;
        let count = asked.count();
        let is_batch = (1..=BATCH_COMMANDS_MAX).contains(&count);
        if is_batch {
            access::charge(count)?;
        }
        let mut parts = Vec::with_capacity(1);
        let mut shows = match of {
            Of::One(show_id) => vec![OfShow::find(router, show_id, &mut parts)],
            Of::Several(show_ids) => {
                let mut find = |id| OfShow::find(router, id, &mut parts);
                let found =
                    show_ids.iter().enumerate().map(|(at, id)| find(id).map_err(|no| no.in_list("show_ids", at)));
                found.collect()
            }
        };
        let wrong = || Refusal::wrong("commands", format_args!("must be 1 to {BATCH_COMMANDS_MAX}, are {count}"));
        let any = if parts.is_empty() { shows.swap_remove(0).map(drop) } else { Ok(()) };
        convert::both(any, is_batch.then_some(()).ok_or_else(wrong))?;
        asked.check_shows(of)?;
        match (of, &mut *parts) {
            (Of::One(_), [part, ..]) => part.commands.reserve_exact(count),
            _ => parts.iter_mut().for_each(|part| part.shows = Shows::Each(Vec::new())),
        }
        let (mut refused, now) = (Vec::new(), WallClock.elapsed());
        let show_of = |position| &shows[asked.show(position)];
        // A command is more than a hundred bytes: it is moved once.
        let mut take = |position, read: Result<Command, Refusal>| {
            let refusal = match (show_of(position), read) {
                (Ok(show), Ok(command)) => match show.let_in(&parts[show.part].admission, &command, now) {
                    Ok(()) => {
                        show.commands.update(|count| count + 1);
                        return parts[show.part].push(show.entry.number, command);
                    }
                    Err(refusal) => refusal,
                },
                (Err(of_show), _) => of_show.clone(),
                (Ok(_), Err(of_command)) => of_command,
            };
            refused.push((position, refusal));
        };
        match &asked {
            Asked::Columns(columns) => {
                let manifest_of = |position| show_of(position).as_ref().map_or(&*convert::NOTHING, OfShow::manifest);
                convert::columns::read(columns, manifest_of, take)?;
            }
            Asked::Commands(each) => {
                for (position, command) in each.iter().enumerate() {
                    let read = |show: &OfShow| convert::command_of_batch(command, show.id.as_str(), show.manifest());
                    take(position, show_of(position).as_ref().map_err(Refusal::clone).and_then(read));
                }
            }
        }
        shows.iter().flatten().for_each(|show| show.entry.note_commands(show.commands.get()));
        Ok((Self { asked, shows, refused }, parts))
    }

    /// What became of the commands, on the wire, given what became of each part.
    ///
    /// # Errors
    /// The refusal of the batch as a whole.
    pub(super) fn outcomes(self, router: &Router, decided: Vec<Decided>) -> Result<Outcomes, Refusal> {
        let Self { asked, shows, refused } = self;
        if let [Err(fault)] = &*decided {
            return Err(Refusal::from(*fault));
        }
        let part = |decided: Decided| match decided {
            Ok(outcomes) => (outcomes.into_iter(), Fault::OutcomeUnknown),
            Err(fault) => (Vec::new().into_iter(), fault),
        };
        let mut parts: Vec<_> = decided.into_iter().map(part).collect();
        let mut refused = refused.into_iter().peekable();
        let show_of = |position| shows[asked.show(position)].as_ref();
        let became = (0..asked.count()).map(|position| match refused.next_if(|(which, _)| *which == position) {
            Some((_, refusal)) => Err(refusal),
            None => {
                let (outcomes, otherwise) = &mut parts[show_of(position).map_or(0, |show| show.part)];
                outcomes.next().ok_or(*otherwise).map_err(Refusal::from)
            }
        });
        let tell = |position: usize, asked: &WireCommand, became: Result<Outcome, Refusal>| match (
            show_of(position),
            became,
        ) {
            (Ok(show), Ok(decided)) => show.tell(router, asked, decided),
            (_, Err(refusal)) => WireOutcome::Rejection(refusal.into_rejection()),
            (Err(of_show), _) => WireOutcome::Rejection(of_show.clone().into_rejection()),
        };
        Ok(match &asked {
            Asked::Columns(columns) => Outcomes::Columns(convert::columns::outcomes(columns, became, tell)),
            Asked::Commands(commands) => {
                let outcomes = commands.iter().zip(became).enumerate().map(|(position, (command, became))| {
                    let outcome = match (&command.command, became) {
                        (Some(asked), became) => Some(tell(position, asked, became)),
                        (None, Err(refusal)) => Some(WireOutcome::Rejection(refusal.into_rejection())),
                        (None, Ok(_)) => None,
                    };
                    v1::Outcome { outcome }
                });
                Outcomes::Each(outcomes.collect())
            }
        })
    }
}

impl OfShow {
    /// Finds the show, and the part of the batch that its shard decides.
    fn find(router: &Router, show_id: &str, parts: &mut Vec<Part>) -> Result<Self, Refusal> {
        let id = convert::show_id(show_id)?;
        let (entry, shard) = router.find(&id).map_err(|why| Refusal::show_not_found(show_id, why))?;
        let part = parts.iter().position(|part| part.shard == entry.shard).unwrap_or_else(|| {
            let admission = shard.admission().and_waited(edge::delay());
            let shows = Shows::One(entry.number);
            parts.push(Part { shard: entry.shard, admission, shows, commands: Vec::new() });
            parts.len() - 1
        });
        let claims = access::claims(&id);
        Ok(Self { id, entry, claims, newest: OnceCell::new(), commands: Cell::new(0), part })
    }

    fn manifest(&self) -> &Manifest {
        &self.entry.manifest
    }

    /// Whether there is time for a command, and whether it is not one claim too many.
    fn let_in(&self, admission: &Admission, command: &Command, now: Duration) -> Result<(), Refusal> {
        admission.check(command.priority())?;
        charge(self.claims.as_ref(), command, now)
    }

    /// What became of a command for it.
    fn tell(&self, router: &Router, asked: &WireCommand, decided: Outcome) -> WireOutcome {
        let show = self.newest.get_or_init(|| newest(router, &self.id, Arc::clone(&self.entry)));
        answers::decided(asked, decided, self.id.as_str(), &show.manifest)
    }
}

impl Part {
    fn push(&mut self, show: ShowNumber, command: Command) {
        if let Shows::Each(shows) = &mut self.shows {
            shows.push(show);
        }
        self.commands.push(command);
    }

    /// Where it is decided.
    pub(super) fn shard<'r>(&self, router: &'r Router) -> &'r ShardHandle {
        &router.shards()[self.shard.0 as usize]
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
        let shard = self.shard(router);
        shard.submit_by(Request::Execute { shows: self.shows, commands: self.commands, reply }, decide_by);
    }
}
