//! The pure core: every show of a shard, what may be done to them, and what follows.
//!
//! `decide` reads, `apply` writes and cannot refuse, and replay is `apply` alone. There is no IO here, no clock, no
//! randomness and no order that depends on a hash. This file only dispatches (and `apply.rs` does so for events); each
//! command's rules are in its own file.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    codec::stable_bytes,
    command::Command,
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, SeatIndex, ShowId, ShowNumber},
    rejection::{Limit, Rejection, ShowField},
    time::Timestamp,
};

mod apply;
mod block_places;
pub mod blocks;
mod bookings;
mod bulk;
mod buyers;
mod cancel_show;
pub mod capacities;
mod change_manifest;
mod channels;
mod confirm_hold;
mod deadlines;
pub mod diff;
mod due;
mod expire_holds;
mod extend_hold;
mod get_hold;
mod grant;
pub mod groups;
mod hold;
pub mod hold_best;
mod hold_seats;
mod holds;
pub mod invariants;
mod load_show;
pub mod lookups;
pub mod manifest;
mod moves;
mod orphan_rule;
pub mod overview;
mod pin_hold;
pub mod places;
pub mod policy;
mod release_hold;
mod runs;
pub mod sale;
#[cfg(test)]
mod scenario;
pub mod seat_bitmap;
pub mod seat_map;
mod sell_places;
mod show;
mod slab;
mod split_table;
mod state_hash;
pub mod stored;
mod taking;
mod touch;
mod view;
mod waitlist;

pub use bulk::{BlockedUnits, BulkReport, NAMED_REFUSALS_MAX};
pub use cancel_show::CancelReport;
pub use change_manifest::{MANIFEST_CHANGES_MAX, ManifestReport};
pub use channels::CHANNELS_MAX;
pub use due::Due;
pub use hold::{Booking, HoldState, Prices};
pub use holds::{ENDED_HOLD_RETENTION_MS, ENDED_HOLDS_MAX};
pub use show::Show;
pub use state_hash::StateHash;
pub use view::{HoldDetails, HoldView, WaitView};

use hold::Hold;
use manifest::Manifest;
use sale::ShowState;
use waitlist::{join, offer};

/// Most shows of one shard.
pub const SHOWS_PER_SHARD_MAX: usize = 1_000_000;
/// Most bytes of a show's description in the log: it must fit into one frame. Only a show with hundreds of thousands of
/// rows or long names comes near.
pub const MANIFEST_BYTES_MAX: usize = 60 << 20;

/// What a granted command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The hold as granted, and how it stands now.
    Held(Box<HoldView>),
    /// The hold's deadline.
    Extended {
        /// The deadline now.
        expires_at: Timestamp,
        /// The latest one that extending can reach.
        extendable_until: Timestamp,
    },
    /// How the hold stands now.
    Released {
        /// Its state.
        state: HoldState,
        /// Single seats that came back, if the show has an orphan rule.
        orphans: Vec<SeatIndex>,
    },
    /// The hold with its booking.
    Confirmed(Box<HoldView>),
    /// The hold as it stands now.
    Found(Box<HoldView>),
    /// The booking as it stands now.
    Booking(Box<HoldView>),
    /// The entry as it stands now.
    Waiting(Box<WaitView>),
    /// What a bulk command did.
    Bulk(Box<BulkReport>),
    /// The state that the show is in now.
    Sale(ShowState),
    /// What cancelling the show ends, or has ended.
    ShowCancelled(CancelReport),
    /// What the change of the manifest did.
    ManifestChanged(ManifestReport),
    /// It is as it was asked to be.
    Done,
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
            let fields = [ShowField::Manifest, ShowField::Policy, ShowField::Sale];
            let differing = fields.into_iter().zip(show.created_as.iter().zip(created.hashes()));
            let Some((differs, _)) = differing.into_iter().find(|(_, (own, other))| **own != *other) else {
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
            Command::HoldBest(command) => hold_best::decide(show, command, now, events),
            Command::PinHold(command) => pin_hold::pin(show, command, now, events),
            Command::UnpinHold(command) => pin_hold::unpin(show, command, now, events),
            Command::SellPlaces(command) => sell_places::decide(show, command, now, events),
            Command::CancelBooking(command) => bookings::cancel(show, command, now, events),
            Command::TransferBooking(command) => bookings::transfer(show, command, now, events),
            Command::ExchangeSeats(command) => bookings::exchange(show, command, now, events),
            Command::JoinWaitlist(command) => join::join(show, command, now, events),
            Command::LeaveWaitlist(command) => join::leave(show, command, now, events),
            Command::JoinGroup(command) => groups::join(show, command, now, events),
            Command::PrepareMember(command) => groups::prepare(show, command, now, events),
            Command::ConfirmMember(command) => groups::confirm(show, command, now, events),
            Command::ReleaseMember(command) => groups::release(show, command, now, events),
            _ => Self::decide_organised(show, command, now, events),
        }
    }

    /// What organisers ask for.
    fn decide_organised(
        show: &Show,
        command: &Command,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Rejection> {
        match command {
            Command::BlockPlaces(command) => block_places::block(show, command, now, events),
            Command::UnblockPlaces(command) => block_places::unblock(show, command, now, events),
            Command::RetireSeats(selection) => block_places::retire(show, selection, now, events),
            Command::ScheduleRelease(command) => block_places::schedule(show, command, now, events),
            Command::SetChannel(command) => channels::set(show, command, now, events),
            Command::AssignChannel(command) => channels::assign(show, command, now, events),
            Command::ScheduleSale(command) => sale::schedule(show, command, now, events),
            Command::OpenSale => sale::open(show, now, events),
            Command::PauseSale { stop_clocks } => sale::pause(show, *stop_clocks, now, events),
            Command::CloseSale => sale::close(show, now, events),
            Command::CancelShow { dry_run } => cancel_show::cancel(show, *dry_run, now, events),
            Command::ArchiveShow => cancel_show::archive(show, now, events),
            Command::ChangePolicy(policy) => change_manifest::decide_policy(show, policy, now, events),
            Command::ChangeManifest(change) => change_manifest::decide(show, change, now, events),
            _ => unreachable!("every other command is about a hold"),
        }
    }

    /// What follows for those who wait from what came back, one event at a time. It must be applied before anything else
    /// is decided or logged apart from what it follows from, and this asked again until there is nothing.
    #[inline]
    pub fn follow(&mut self, number: ShowNumber, now: Timestamp) -> Option<Event> {
        let show = self.shows.get_mut(number.0 as usize).filter(|show| !show.waitlist.look.is_empty())?;
        Self::follow_what_came_back(show, now)
    }

    #[inline(never)]
    fn follow_what_came_back(show: &mut Show, now: Timestamp) -> Option<Event> {
        // What came back while the show was not on sale is looked at when it is.
        if show.sale.state_at(now) != ShowState::OnSale {
            return None;
        }
        let event = offer::next(show, now);
        if event.is_none() {
            show.waitlist.looked();
        }
        event
    }

    /// Says that the events of a show in a frame of this clock reading are replayed: what followed from them is among them.
    pub fn replayed(&mut self, number: ShowNumber, at: Timestamp) {
        let show = &mut self.shows[number.0 as usize];
        if show.sale.state_at(at) == ShowState::OnSale {
            show.waitlist.looked();
        }
    }

    /// Holds that live, on all shows.
    #[must_use]
    pub fn live_holds(&self) -> u64 {
        self.shows.iter().map(|show| u64::from(show.holds.live())).sum()
    }

    /// The earliest instant at which something may be due; never later than the truth.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.wake_ups.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes at most `max` things that are due, show by show: what the organiser planned, then what was gathered, then
    /// holds in order of deadline and id. Each must become its event and be applied before anything else is decided.
    pub fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<(ShowNumber, Due)> {
        let (mut due, mut visited) = (Vec::new(), Vec::new());
        while let Some(&Reverse((at, number))) = self.wake_ups.peek() {
            if at > now || due.len() >= max {
                break;
            }
            self.wake_ups.pop();
            let show = &mut self.shows[number.0 as usize];
            // A stale one: an earlier one has been noted since, and has been taken.
            if show.wake_up_at != Some(at) {
                continue;
            }
            show.wake_up_at = None;
            due.extend(show.take_due(now, max - due.len()).into_iter().map(|due| (number, due)));
            visited.push(number);
        }
        visited.into_iter().for_each(|number| self.ask_wake_up(number, now));
        due
    }

    /// What happens when something is due.
    pub fn fall_due(&self, number: ShowNumber, due: Due, events: &mut Vec<Event>) {
        self.shows[number.0 as usize].fall_due(due, events);
    }

    fn create(&mut self, number: ShowNumber, created: &ShowCreated) {
        assert_eq!(number, self.next_number(), "shows are numbered in the order of their creation");
        let manifest = Manifest::new(created.manifest.clone()).expect("only a checked manifest is logged");
        self.add(Show::new(created, Arc::new(manifest)));
    }

    fn add(&mut self, show: Show) {
        let (number, hash) = (self.next_number(), xxh3_64(show.id.as_str().as_bytes()));
        self.shows.push(show);
        let shows = &self.shows;
        let rehash = |&number: &u32| xxh3_64(shows[number as usize].id.as_str().as_bytes());
        self.by_id.insert_unique(hash, number.0, rehash);
    }

    fn ask_wake_up(&mut self, number: ShowNumber, now: Timestamp) {
        if let Some(due) = self.shows[number.0 as usize].next_due(now) {
            self.note_wake_up(number, due);
        }
    }

    #[inline]
    fn note_wake_up(&mut self, number: ShowNumber, due: Timestamp) {
        let show = &mut self.shows[number.0 as usize];
        if show.wake_up_at.is_none_or(|noted| due < noted) {
            show.wake_up_at = Some(due);
            self.wake_ups.push(Reverse((due, number)));
        }
    }
}

/// The hold of this id, if it is this buyer's. Of his entry in the waitlist it says what is given for it.
fn own_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, of_entry: &Rejection) -> Result<&'a Hold, Rejection> {
    match show.waitlist.slot(id).map(|slot| show.waitlist.entry(slot)) {
        Some(entry) if entry.buyer != *buyer => Err(Rejection::HoldOfAnotherBuyer),
        Some(_) => Err(of_entry.clone()),
        None => show.own_hold(id, buyer),
    }
}

/// The hold of this id, if it is this buyer's and live.
fn live_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    let hold = own_hold(show, id, buyer, &Rejection::HoldWaiting)?;
    match show.state_of(hold, now) {
        HoldState::Held => Ok(hold),
        HoldState::Waiting => Err(Rejection::HoldWaiting),
        HoldState::Cancelled => Err(Rejection::HoldCancelled),
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Released => Err(Rejection::HoldReleased),
        HoldState::Expired => Err(Rejection::HoldExpired { expires_at: hold.expires_at }),
        HoldState::Fenced => Err(Rejection::HoldFenced),
    }
}

fn show_number(position: usize) -> ShowNumber {
    ShowNumber(u32::try_from(position).expect("fewer than 2^32 shows"))
}
