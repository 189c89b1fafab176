//! What is sent to a shard and what comes back.

use std::sync::Arc;

use usher_wal::Lsn;

use super::{Priority, snapshotter::SnapshotReport};
use crate::{
    command::Command,
    event::ShowCreated,
    ids::{HoldId, ShowId, ShowNumber},
    inventory::{
        Answer, HoldView, StateHash,
        lookups::{Cursor, LookupBy, Page},
        manifest::Manifest,
        overview::Overview,
        policy::Policy,
        sale::Sale,
        seat_map::SeatMap,
    },
    rejection::Rejection,
};

/// What became of one command.
pub type Outcome = Result<Answer, Rejection>;

/// Called once, on the thread that made it durable, with what became of a request. It must be quick.
pub type Reply<T> = Box<dyn FnOnce(Result<T, Fault>) + Send>;

/// The machine broke, or is busy: no rule was asked, or nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The inbox is full. Nothing happened.
    #[error("the shard's inbox is full")]
    InboxFull,
    /// Those who came before wait too long already. Nothing happened.
    #[error("too many wait: the first of them for {waited_ms} ms already")]
    Overloaded {
        /// Milliseconds.
        waited_ms: u32,
    },
    /// The time that the caller gave was over before the request was decided. Nothing happened.
    #[error("the time for this call was over before it was decided; nothing happened")]
    DeadlinePassed,
    /// The shard rebuilds its state. Nothing happened.
    #[error("the shard is recovering")]
    Recovering,
    /// The shard serves no more: its log is damaged, or the process ends. Nothing happened.
    #[error("the shard is not serving")]
    NotServing,
    /// The disk is nearly full: nothing that would change something is decided. Nothing happened; reads are answered.
    #[error("the disk is nearly full: only reads are answered until there is room again")]
    DiskFull,
    /// The disk does not take writes, or nobody knows whether it would. Nothing happened; reads are answered.
    #[error("the disk cannot be written: only reads are answered until it can")]
    DiskUnwritable,
    /// An append failed: the command may or may not have happened. Send it again with the same id.
    #[error("the outcome is unknown")]
    OutcomeUnknown,
    /// The snapshot could not be taken. The shard goes on with the log that it has.
    #[error("the snapshot failed")]
    SnapshotFailed,
}

/// One message in a shard's inbox.
pub enum Request {
    /// Commands, in order.
    Execute {
        /// Whose they are. The shows must exist.
        shows: Shows,
        /// The commands.
        commands: Vec<Command>,
        /// With as many outcomes.
        reply: Reply<Vec<Outcome>>,
    },
    /// A new show.
    CreateShow(CreateShow),
    /// A copy of the status of a show's places.
    SeatMap {
        /// The show, which must exist.
        show: ShowNumber,
        /// With the copy.
        reply: Reply<SeatMap>,
    },
    /// A page of holds and bookings.
    Lookup {
        /// The show, which must exist.
        show: ShowNumber,
        /// Whose.
        by: LookupBy,
        /// From where; from the beginning if absent.
        from: Option<Cursor>,
        /// At most so many, 1 to [`PAGE_MAX`](crate::inventory::lookups::PAGE_MAX).
        max: usize,
        /// With the page.
        reply: Reply<Page>,
    },
    /// What its organiser sees of a show.
    Overview {
        /// The show, which must exist.
        show: ShowNumber,
        /// With the overview.
        reply: Reply<Overview>,
    },
    /// Members of groups that wait for the decision.
    Prepared {
        /// Behind this one.
        after: Option<(ShowNumber, HoldId)>,
        /// At most so many.
        max: usize,
        /// With them, in order.
        reply: Reply<Vec<PreparedMember>>,
    },
    /// A snapshot of every show that has changed, in the background; answered when they are durable.
    Snapshot(Reply<SnapshotReport>),
    /// Answer what came before, then end.
    Stop(Reply<StopReport>),
}

/// The shows of a request's commands.
#[derive(Clone, Debug)]
pub enum Shows {
    /// All are for this one.
    One(ShowNumber),
    /// As many as commands.
    Each(Vec<ShowNumber>),
}

impl Shows {
    /// Of the command at this position.
    #[inline]
    pub(super) fn of(&self, position: usize) -> ShowNumber {
        match self {
            Self::One(show) => *show,
            Self::Each(shows) => shows[position],
        }
    }
}

/// A new show.
pub struct CreateShow {
    /// What it is to be; its manifest must have been checked.
    pub created: Box<ShowCreated>,
    /// With the show, unless the rules refuse it.
    pub reply: Reply<Result<CreatedShow, Rejection>>,
}

/// A member of a group that waits for the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedMember {
    /// The number of its show.
    pub show: ShowNumber,
    /// Its show.
    pub show_id: ShowId,
    /// The hold.
    pub hold: Box<HoldView>,
}

/// A show as the router needs to know it.
#[derive(Clone, Debug)]
pub struct CreatedShow {
    /// Its id.
    pub show_id: ShowId,
    /// Its number in its shard.
    pub number: ShowNumber,
    /// What it sells.
    pub manifest: Arc<Manifest>,
    /// From 1; rises with every change of the manifest.
    pub manifest_version: u32,
    /// Its rules.
    pub policy: Policy,
    /// When it is sold.
    pub sale: Sale,
    /// It was there before, with equal content.
    pub existed: bool,
}

/// What a shard says when it ends.
#[derive(Clone, Copy, Debug)]
pub struct StopReport {
    /// Its last frame.
    pub lsn: Lsn,
    /// Of the state that it served from.
    pub state_hash: StateHash,
}

impl Request {
    /// How much of the inbox's limit it takes.
    pub(super) fn commands(&self) -> usize {
        match self {
            Self::Execute { commands, .. } => commands.len().max(1),
            _ => 1,
        }
    }

    /// Whom it serves: of several commands, the first in line. The process's own are always let in.
    pub(super) fn priority(&self) -> Option<Priority> {
        match self {
            Self::Execute { commands, .. } => commands.iter().map(Command::priority).min(),
            Self::CreateShow(_) | Self::Overview { .. } => Some(Priority::Organise),
            Self::SeatMap { .. } | Self::Lookup { .. } => Some(Priority::Read),
            Self::Prepared { .. } | Self::Snapshot(_) | Self::Stop(_) => None,
        }
    }

    /// Whether it could have to be logged.
    pub(super) fn may_change(&self) -> bool {
        match self {
            Self::Execute { commands, .. } => commands.iter().any(Command::may_change),
            Self::CreateShow(_) => true,
            _ => false,
        }
    }

    /// Answers without having done anything.
    pub(super) fn refuse(self, fault: Fault) {
        match self {
            Self::Execute { reply, .. } => reply(Err(fault)),
            Self::CreateShow(create) => (create.reply)(Err(fault)),
            Self::SeatMap { reply, .. } => reply(Err(fault)),
            Self::Lookup { reply, .. } => reply(Err(fault)),
            Self::Overview { reply, .. } => reply(Err(fault)),
            Self::Prepared { reply, .. } => reply(Err(fault)),
            Self::Snapshot(reply) => reply(Err(fault)),
            Self::Stop(reply) => reply(Err(fault)),
        }
    }
}
