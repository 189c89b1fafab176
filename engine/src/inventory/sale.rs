//! When a show is sold: its states, and the commands that move it from one to the next.
//!
//! ```text
//! draft -> scheduled -> on sale <-> paused -> closed -> archived
//!                any of these but archived -> cancelled -> archived
//! ```
//! Opening and closing at a time are no events: the shard's clock decides. A closed sale does not open again.

use bincode::{Decode, Encode};

use super::{Answer, show::Show};
use crate::{command::ScheduleSale, event::Event, rejection::Rejection, time::Timestamp};

/// When a show is sold, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sale {
    /// What was last decided about it.
    pub stage: Stage,
    /// From when on places can be held.
    pub opens_at: Timestamp,
    /// From when on they cannot.
    pub closes_at: Option<Timestamp>,
}

/// What was last decided about a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// Nothing yet.
    Draft,
    /// It opens and closes by time.
    Planned,
    /// No new holds.
    Paused {
        /// Since when deadlines stand still, if they do.
        clocks_stand_since: Option<Timestamp>,
    },
    /// It is over.
    Closed,
    /// The show does not take place.
    Cancelled,
    /// It is only looked up.
    Archived,
}

/// The state of a show at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowState {
    /// Not to be sold yet.
    Draft,
    /// Its sale opens later.
    Scheduled,
    /// Places can be held.
    OnSale,
    /// No new holds; what is held may be confirmed.
    Paused,
    /// The sale is over; what is held may be confirmed.
    Closed,
    /// The show does not take place; its sales are to be refunded.
    Cancelled,
    /// It is only looked up.
    Archived,
}

impl std::fmt::Display for ShowState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::OnSale => "on sale",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Archived => "archived",
        })
    }
}

/// On sale from the beginning, without an end.
impl Default for Sale {
    fn default() -> Self {
        Self { stage: Stage::Planned, opens_at: Timestamp(0), closes_at: None }
    }
}

impl Sale {
    /// The state at an instant of the shard's clock.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ShowState {
        let over = self.closes_at.is_some_and(|closes_at| now >= closes_at);
        match self.stage {
            Stage::Draft => ShowState::Draft,
            Stage::Closed => ShowState::Closed,
            Stage::Cancelled => ShowState::Cancelled,
            Stage::Archived => ShowState::Archived,
            Stage::Planned | Stage::Paused { .. } if over => ShowState::Closed,
            Stage::Paused { .. } => ShowState::Paused,
            Stage::Planned if now < self.opens_at => ShowState::Scheduled,
            Stage::Planned => ShowState::OnSale,
        }
    }

    /// The instant that deadlines are compared with: while clocks are stopped, the one at which they were.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        self.clocks_stand_since().map_or(now, |since| now.min(since))
    }

    /// For how long clocks have stood, in milliseconds: what every deadline that is to come gets back.
    pub(super) fn stood_ms(&self, now: Timestamp) -> u64 {
        now.ms_since(self.clock(now))
    }

    /// Since when clocks stand still, if they do.
    #[must_use]
    pub fn clocks_stand_since(&self) -> Option<Timestamp> {
        if let Stage::Paused { clocks_stand_since } = self.stage { clocks_stand_since } else { None }
    }
}

impl Sale {
    /// When clocks that stand still run again by themselves: with the end of the sale.
    pub(super) fn clocks_start_at(&self) -> Option<Timestamp> {
        self.clocks_stand_since().and(self.closes_at)
    }
}

impl Show {
    /// The refusal of what the present state does not allow.
    pub(super) fn not_open(&self, now: Timestamp) -> Rejection {
        let state = self.sale.state_at(now);
        let opens_at = (state == ShowState::Scheduled).then_some(self.sale.opens_at);
        Rejection::ShowNotOpen { state, opens_at }
    }

    /// Refuses unless the show is in one of these states.
    pub(super) fn must_be(&self, states: &[ShowState], now: Timestamp) -> Result<(), Rejection> {
        if states.contains(&self.sale.state_at(now)) { Ok(()) } else { Err(self.not_open(now)) }
    }
}

/// Before it is over.
const OPENABLE: [ShowState; 4] = [ShowState::Draft, ShowState::Scheduled, ShowState::OnSale, ShowState::Paused];

pub(super) fn schedule(
    show: &Show,
    command: &ScheduleSale,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    show.must_be(&OPENABLE, now)?;
    // After this point it must succeed.
    let ScheduleSale { opens_at, closes_at } = *command;
    let stage = if show.sale.stage == Stage::Draft { Stage::Planned } else { show.sale.stage };
    let scheduled = Sale { stage, opens_at, closes_at };
    if show.sale != scheduled {
        events.push(Event::SaleScheduled { opens_at, closes_at });
    }
    Ok(Answer::Sale(scheduled.state_at(now)))
}

pub(super) fn open(show: &Show, now: Timestamp, events: &mut Vec<Event>) -> Result<Answer, Rejection> {
    show.must_be(&OPENABLE, now)?;
    // After this point it must succeed.
    if show.sale.state_at(now) != ShowState::OnSale {
        events.push(Event::SaleOpened);
    }
    // The end of a draft's sale may have come before it was opened.
    let opens_at = show.sale.opens_at.min(now);
    Ok(Answer::Sale(Sale { stage: Stage::Planned, opens_at, ..show.sale }.state_at(now)))
}

pub(super) fn pause(
    show: &Show,
    stop_clocks: bool,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    show.must_be(&[ShowState::OnSale, ShowState::Paused], now)?;
    // After this point it must succeed.
    if show.sale.state_at(now) == ShowState::OnSale || show.sale.clocks_stand_since().is_some() != stop_clocks {
        events.push(Event::SalePaused { stop_clocks });
    }
    Ok(Answer::Sale(ShowState::Paused))
}

pub(super) fn close(show: &Show, now: Timestamp, events: &mut Vec<Event>) -> Result<Answer, Rejection> {
    show.must_be(&[ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    // After this point it must succeed.
    if show.sale.state_at(now) != ShowState::Closed {
        events.push(Event::SaleClosed);
    }
    Ok(Answer::Sale(ShowState::Closed))
}

pub(super) fn apply_scheduled(show: &mut Show, opens_at: Timestamp, closes_at: Option<Timestamp>, at: Timestamp) {
    note_that_all_was_looked_at(show, at);
    if show.sale.stage == Stage::Draft {
        show.sale.stage = Stage::Planned;
    }
    (show.sale.opens_at, show.sale.closes_at) = (opens_at, closes_at);
}

pub(super) fn apply_opened(show: &mut Show, at: Timestamp) {
    start_clocks(show, at);
    show.sale.stage = Stage::Planned;
    show.sale.opens_at = show.sale.opens_at.min(at);
}

/// As long as a show is on sale, those who wait are served at once; afterwards what comes back stays to be looked at.
fn note_that_all_was_looked_at(show: &mut Show, at: Timestamp) {
    if show.sale.state_at(at) == ShowState::OnSale {
        show.waitlist.looked();
    }
}

pub(super) fn apply_paused(show: &mut Show, stop_clocks: bool, at: Timestamp) {
    note_that_all_was_looked_at(show, at);
    start_clocks(show, at);
    show.sale.stage = Stage::Paused { clocks_stand_since: stop_clocks.then_some(at) };
}

pub(super) fn apply_closed(show: &mut Show, at: Timestamp) {
    start_clocks(show, at);
    show.sale.stage = Stage::Closed;
}

/// If clocks stood still, every live hold, and every party that something is gathered for, gets back the
/// time for which they did.
pub(super) fn start_clocks(show: &mut Show, at: Timestamp) {
    if let Some(since) = show.sale.clocks_stand_since() {
        show.holds.shift_deadlines(since, at.ms_since(since), show.policy.hold_life_ms_max);
        show.waitlist.shift_gatherings(since, at.ms_since(since));
    }
}

#[cfg(test)]
mod tests;
