//! The pure core: every show of a shard, what may be done to them, and what follows.
//!
//! `decide` reads, `apply` writes and cannot refuse, and replay is `apply` alone. There is no IO here, no clock, no
//! randomness and no order that depends on a hash. This file only dispatches; each command's rules are in its own file.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    codec::stable_bytes,
    command::Command,
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, ShowId, ShowNumber},
    rejection::{Limit, Rejection, ShowField},
    time::Timestamp,
};

mod buyers;
mod confirm_hold;
mod expire_holds;
mod extend_hold;
mod get_hold;
mod hold_seats;
mod holds;
pub mod invariants;
pub mod manifest;
pub mod places;
pub mod policy;
mod release_hold;
#[cfg(test)]
mod scenario;
pub mod seat_bitmap;
pub mod seat_map;
mod show;
mod slab;
mod state_hash;

pub use holds::{Booking, ENDED_HOLD_RETENTION_MS, ENDED_HOLDS_MAX, HoldState};
pub use show::{HoldView, Show};
pub use state_hash::StateHash;

use holds::Hold;
use manifest::Manifest;

/// Most shows of one shard.
pub const SHOWS_PER_SHARD_MAX: usize = 1_000_000;
/// Most bytes of a show's description in the log: it must fit into one frame. Only a show with hundreds of thousands of
/// rows or long names comes near.
pub const MANIFEST_BYTES_MAX: usize = 60 << 20;

/// What a granted command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The hold as granted, and how it stands now.
    Held(HoldView),
    /// The hold's deadline.
    Extended {
        /// The deadline now.
        expires_at: Timestamp,
        /// The latest one that extending can reach.
        extendable_until: Timestamp,
    },
    /// How the hold stands now.
    Released(HoldState),
    /// The hold with its booking.
    Confirmed(HoldView),
    /// The hold as it stands now.
    Found(HoldView),
}

/// All shows of one shard.
#[derive(Debug, Default)]
pub struct Inventory {
    shows: Vec<Show>,
    by_id: HashTable<u32>,
    /// When which show next has something to expire; may be early, never late. Follows from the shows.
    wake_ups: BinaryHeap<Reverse<(Timestamp, ShowNumber)>>,
}

impl Inventory {
    /// The show of this number, if there is one.
    #[must_use]
    pub fn show(&self, number: ShowNumber) -> Option<&Show> {
        self.shows.get(number.0 as usize)
    }

    /// Every show with its number, in the order of their creation.
    pub fn shows(&self) -> impl ExactSizeIterator<Item = (ShowNumber, &Show)> {
        self.shows.iter().enumerate().map(|(number, show)| (show_number(number), show))
    }

    /// The number of the show of this id.
    #[must_use]
    pub fn number(&self, id: &ShowId) -> Option<ShowNumber> {
        let found = self.by_id.find(xxh3_64(id.as_str().as_bytes()), |&number| self.shows[number as usize].id == *id);
        found.map(|&number| ShowNumber(number))
    }

    /// Decides whether a show may be created; adds the event to `events` unless an equal one exists, whose number is
    /// then returned.
    ///
    /// # Errors
    /// [`Rejection::ShowIdReused`] or [`Rejection::LimitReached`].
    pub fn decide_create(
        &self,
        created: ShowCreated,
        events: &mut Vec<Event>,
    ) -> Result<Option<ShowNumber>, Rejection> {
        if let Some(number) = self.number(&created.show_id) {
            let show = &self.shows[number.0 as usize];
            let differs = if *show.manifest.parts() != created.manifest {
                ShowField::Manifest
            } else if show.policy != created.policy {
                ShowField::Policy
            } else {
                return Ok(Some(number));
            };
            return Err(Rejection::ShowIdReused { field: differs });
        }
        if self.shows.len() >= SHOWS_PER_SHARD_MAX {
            return Err(Rejection::LimitReached { limit: Limit::ShowsPerShard, max: SHOWS_PER_SHARD_MAX as u64 });
        }
        if stable_bytes(&created).len() > MANIFEST_BYTES_MAX {
            return Err(Rejection::LimitReached { limit: Limit::ManifestBytes, max: MANIFEST_BYTES_MAX as u64 });
        }
        events.push(Event::ShowCreated(Box::new(created)));
        Ok(None)
    }

    /// The number that the next show will have.
    #[must_use]
    pub fn next_number(&self) -> ShowNumber {
        show_number(self.shows.len())
    }

    /// Decides a command for a show that must exist; adds what follows to `events`, which must be applied before the
    /// next decision.
    ///
    /// # Errors
    /// The first [`Rejection`] by precedence; then there are no events.
    pub fn decide(
        &self,
        number: ShowNumber,
        command: &Command,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Rejection> {
        let show = &self.shows[number.0 as usize];
        match command {
            Command::HoldSeats(command) => hold_seats::decide(show, command, now, events),
            Command::ExtendHold(command) => extend_hold::decide(show, command, now, events),
            Command::ReleaseHold(command) => release_hold::decide(show, command, now, events),
            Command::ConfirmHold(command) => confirm_hold::decide(show, command, now, events),
            Command::GetHold(hold_id) => get_hold::decide(show, *hold_id, now),
        }
    }

    /// Makes an event true. `at` is the clock reading of its frame.
    ///
    /// # Panics
    /// When the event does not fit the state, which a log of our own never makes it do.
    pub fn apply(&mut self, number: ShowNumber, event: Event, at: Timestamp) {
        if let Event::ShowCreated(created) = event {
            self.create(number, *created);
            return;
        }
        let show = &mut self.shows[number.0 as usize];
        show.version += 1;
        match event {
            Event::ShowCreated(_) => unreachable!("returned above"),
            Event::HoldGranted(granted) => hold_seats::apply(show, granted, at),
            Event::HoldExtended { hold_id, expires_at } => extend_hold::apply(show, hold_id, expires_at),
            Event::HoldReleased { hold_id, places } => release_hold::apply(show, hold_id, places.as_ref(), at),
            Event::HoldFenced { hold_id, buyer } => release_hold::apply_fence(show, hold_id, &buyer, at),
            Event::HoldConfirmed { hold_id, order, payment, places } => {
                confirm_hold::apply(show, hold_id, confirm_hold::Confirmed { order, payment, places }, at);
            }
            Event::HoldExpired { hold_id } => expire_holds::apply(show, hold_id, at),
        }
        self.note_wake_up(number);
    }

    /// The earliest instant at which something may be due; never later than the truth.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.wake_ups.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes at most `max` holds that are due, show by show, each show's in order of deadline and id. They must be
    /// expired by an event each before anything else is decided.
    pub fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<(ShowNumber, HoldId)> {
        let mut due = Vec::new();
        while let Some(&Reverse((at, number))) = self.wake_ups.peek() {
            if at > now || due.len() >= max {
                break;
            }
            self.wake_ups.pop();
            let show = &mut self.shows[number.0 as usize];
            show.wake_up_at = None;
            due.extend(show.holds.take_due(now, max - due.len()).into_iter().map(|hold_id| (number, hold_id)));
            self.note_wake_up(number);
        }
        due
    }

    fn create(&mut self, number: ShowNumber, created: ShowCreated) {
        assert_eq!(number, self.next_number(), "shows are numbered in the order of their creation");
        let manifest = Manifest::new(created.manifest).expect("only a checked manifest is logged");
        let hash = xxh3_64(created.show_id.as_str().as_bytes());
        self.shows.push(Show::new(created.show_id, Arc::new(manifest), created.policy));
        let shows = &self.shows;
        let rehash = |&number: &u32| xxh3_64(shows[number as usize].id.as_str().as_bytes());
        self.by_id.insert_unique(hash, number.0, rehash);
    }

    fn note_wake_up(&mut self, number: ShowNumber) {
        let show = &mut self.shows[number.0 as usize];
        let Some(next) = show.holds.next_deadline() else { return };
        if show.wake_up_at.is_none_or(|noted| next < noted) {
            show.wake_up_at = Some(next);
            self.wake_ups.push(Reverse((next, number)));
        }
    }
}

/// The hold of this id, if it is this buyer's and live.
fn live_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    let hold = show.own_hold(id, buyer)?;
    match hold.state_at(now) {
        HoldState::Held => Ok(hold),
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Released => Err(Rejection::HoldReleased),
        HoldState::Expired => Err(Rejection::HoldExpired { expires_at: hold.expires_at }),
        HoldState::Fenced => Err(Rejection::HoldFenced),
    }
}

fn show_number(position: usize) -> ShowNumber {
    ShowNumber(u32::try_from(position).expect("fewer than 2^32 shows"))
}
