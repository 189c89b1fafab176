//! The rules of the inventory once more, written for nothing but plainness: maps, lists, and a walk wherever a number is
//! wanted.
//!
//! It shares types with the engine, so that answers can be compared, but no code that decides. It has no log, no events
//! and no limits on its own cost. Reading order: `records` and `show` (who has what), `moves` (how places change hands), `taking`
//! (what is checked of whoever takes places), then a file for each family of commands, and `report` (what readers see).

use usher_engine::{
    command::Command,
    event::ShowCreated,
    ids::{BuyerId, HoldId, ShowNumber},
    inventory::{Answer, Due, HoldState},
    rejection::{Rejection, ShowField},
    shard::Outcome,
    time::Timestamp,
};

mod best;
mod blocks;
mod bookings;
mod capacities;
mod channels;
mod confirm;
mod due;
mod groups;
mod holds;
mod lifecycle;
mod manifest;
mod moves;
mod offers;
mod orphans;
mod records;
mod report;
mod show;
mod split;
mod taking;
mod waitlist;

pub use records::{Hold, Owner, Seat};
pub use report::Statuses;
pub use show::Show;

/// All shows of one shard, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naive {
    shows: Vec<Show>,
}

impl Naive {
    /// The show of this number, which must exist.
    #[must_use]
    pub fn show(&self, number: ShowNumber) -> &Show {
        &self.shows[number.0 as usize]
    }

    /// How many shows there are.
    #[must_use]
    pub fn shows(&self) -> usize {
        self.shows.len()
    }

    /// Creates a show, unless an equal one exists: then its number is returned.
    ///
    /// # Errors
    /// [`Rejection::ShowIdReused`].
    pub fn create(&mut self, created: &ShowCreated) -> Result<Option<ShowNumber>, Rejection> {
        for (number, show) in (0u32..).zip(&self.shows) {
            let first = &show.created;
            if first.show_id != created.show_id {
                continue;
            }
            let field = if first.manifest != created.manifest {
                ShowField::Manifest
            } else if first.policy != created.policy {
                ShowField::Policy
            } else if first.sale != created.sale {
                ShowField::Sale
            } else {
                return Ok(Some(ShowNumber(number)));
            };
            return Err(Rejection::ShowIdReused { field });
        }
        self.shows.push(Show::new(created.clone()));
        Ok(None)
    }

    /// Decides a command and does it. What follows from it for those who wait is done by [`Self::follow`].
    ///
    /// # Errors
    /// The first [`Rejection`] by precedence; then nothing has changed.
    pub fn execute(&mut self, number: ShowNumber, command: &Command, now: Timestamp) -> Outcome {
        let show = &mut self.shows[number.0 as usize];
        match command {
            Command::HoldSeats(command) => holds::hold_seats(show, command, now),
            Command::ExtendHold(command) => holds::extend(show, command, now),
            Command::ReleaseHold(command) => holds::release(show, command, now),
            Command::ConfirmHold(command) => confirm::confirm(show, command, now),
            Command::GetHold(id) => holds::get(show, *id, now),
            Command::HoldBest(command) => best::hold_best(show, command, now),
            Command::PinHold(command) => holds::pin(show, command, now),
            Command::UnpinHold(command) => holds::unpin(show, command, now),
            Command::SellPlaces(command) => confirm::sell_places(show, command, now),
            Command::CancelBooking(command) => bookings::cancel(show, command, now),
            Command::TransferBooking(command) => bookings::transfer(show, command, now),
            Command::ExchangeSeats(command) => bookings::exchange(show, command, now),
            Command::JoinWaitlist(command) => waitlist::join(show, command, now),
            Command::LeaveWaitlist(command) => waitlist::leave(show, command, now),
            Command::JoinGroup(command) => groups::join(show, command, now),
            Command::PrepareMember(command) => groups::prepare(show, command, now),
            Command::ConfirmMember(command) => groups::confirm(show, command, now),
            Command::ReleaseMember(command) => groups::release(show, command, now),
            Command::BlockPlaces(command) => blocks::block(show, command, now),
            Command::UnblockPlaces(command) => blocks::unblock(show, command, now),
            Command::RetireSeats(selection) => blocks::retire(show, selection, now),
            Command::ScheduleRelease(command) => blocks::schedule(show, command, now),
            Command::SetChannel(command) => channels::set(show, command, now),
            Command::AssignChannel(command) => channels::assign(show, command, now),
            Command::ScheduleSale(command) => lifecycle::schedule(show, command, now),
            Command::OpenSale => lifecycle::open(show, now),
            Command::PauseSale { stop_clocks } => lifecycle::pause(show, *stop_clocks, now),
            Command::CloseSale => lifecycle::close(show, now),
            Command::CancelShow { dry_run } => lifecycle::cancel(show, *dry_run, now),
            Command::ArchiveShow => lifecycle::archive(show, now),
            Command::ChangePolicy(policy) => manifest::change_policy(show, policy, now),
            Command::ChangeManifest(change) => manifest::change(show, change, now),
        }
    }

    /// Does for those who wait what follows from what came back.
    pub fn follow(&mut self, number: ShowNumber, now: Timestamp) {
        offers::follow(&mut self.shows[number.0 as usize], now);
    }

    /// Whether something came back that nobody was asked about yet.
    #[must_use]
    pub fn is_to_serve(&self, number: ShowNumber) -> bool {
        !self.show(number).look.is_empty()
    }

    /// What is due in a show, in order.
    #[must_use]
    pub fn due(&self, number: ShowNumber, now: Timestamp) -> Vec<Due> {
        due::due(self.show(number), now)
    }

    /// Does what is due. What follows from it is done by [`Self::follow`].
    pub fn fall_due(&mut self, number: ShowNumber, due: Due, now: Timestamp) {
        due::fall_due(&mut self.shows[number.0 as usize], due, now);
    }
}

/// The hold of this id if it is this buyer's and live.
fn live_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    if let Some(entry) = show.entry(id) {
        let own = entry.buyer == *buyer;
        return Err(if own { Rejection::HoldWaiting } else { Rejection::HoldOfAnotherBuyer });
    }
    let hold = own_hold(show, id, buyer)?;
    match show.state_of(hold, now) {
        HoldState::Held => Ok(hold),
        HoldState::Waiting => Err(Rejection::HoldWaiting),
        HoldState::Fenced => Err(Rejection::HoldFenced),
        HoldState::Released => Err(Rejection::HoldReleased),
        HoldState::Expired => Err(Rejection::HoldExpired { expires_at: hold.expires_at }),
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Cancelled => Err(Rejection::HoldCancelled),
    }
}

/// The hold of this id if it is this buyer's.
fn own_hold<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId) -> Result<&'a Hold, Rejection> {
    let hold = show.holds.get(&id).ok_or(Rejection::HoldUnknown)?;
    if hold.buyer == *buyer { Ok(hold) } else { Err(Rejection::HoldOfAnotherBuyer) }
}

/// A hold with what it has now, as its caller is told.
fn found(show: &Show, id: HoldId, now: Timestamp) -> Answer {
    Answer::Found(show.view_now(id, now))
}
