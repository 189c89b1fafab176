//! What differs between a show as it was then and as it is now: what going back would undo.
//!
//! It compares what buyers and organisers see, and walks over every place and hold of the shows that differ. What is made of
//! it, and how much of it is printed, is its caller's business.

use std::collections::BTreeMap;

use super::{Booking, HoldState, Inventory, Show, hold::Hold, places::Places, sale::Sale, show::GaTally};
use crate::ids::{BuyerId, HoldId, SeatIndex, SectionIndex, ShowId, ShowNumber};

/// How a seat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeatStatus {
    /// The show has, or had, no such seat.
    Absent,
    /// It can be held.
    Available,
    /// Held, offered, or gathered for somebody.
    Held,
    /// Sold.
    Sold,
    /// Withheld by the organiser.
    Blocked,
    /// No part of the show any more.
    Retired,
}

/// What differs of one show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowDiff {
    /// Which.
    pub show_id: ShowId,
    /// Whether there was one then, and is one now.
    pub exists: (bool, bool),
    /// Events that it had seen then, and has now.
    pub versions: (u64, u64),
    /// When it was sold by what was decided then, and is now.
    pub sales: (Option<Sale>, Option<Sale>),
    /// Its rules are other ones.
    pub policy_differs: bool,
    /// Its manifest is another one.
    pub manifest_differs: bool,
    /// Every seat that differs, with how it stood then and stands now; ascending.
    pub seats: Vec<(SeatIndex, SeatStatus, SeatStatus)>,
    /// Sections of general admission that differ: held, sold and blocked units then and now.
    pub units: Vec<(SectionIndex, [u32; 3], [u32; 3])>,
    /// Every hold and booking that differs, by id.
    pub holds: Vec<HoldDiff>,
    /// Entries that waited then, and wait now.
    pub waiting: (u32, u32),
}

/// What would become of a hold or a booking that is there now, by going back; or of one that was there then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldChange {
    /// Sold since then: the sale would be lost.
    SaleLost,
    /// Cancelled since then: the sale would stand again.
    SaleBack,
    /// Its places or its buyer were changed since then: that would be undone.
    SaleChanged,
    /// Held since then: the hold would be lost.
    HoldLost,
    /// Ended or sold since then: it would be held again, until its deadline.
    HoldBack,
}

/// A hold or a booking that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldDiff {
    /// How.
    pub change: HoldChange,
    /// Its id.
    pub hold_id: HoldId,
    /// Whose it is; as it is now, if it is there now.
    pub buyer: BuyerId,
    /// The order and the payment, once it was sold.
    pub booking: Option<Booking>,
    /// What it has; as it is now, if it is there now.
    pub places: Places,
    /// What they cost together, in minor units.
    pub total_minor: u64,
}

/// What differs between two states of a shard.
#[derive(Debug, Default)]
pub struct Differences {
    /// The shows that are there in both, and differ; in the order in which they were created.
    pub shows: Vec<ShowDiff>,
    /// Shows that were there then. They may be on another shard now.
    pub only_then: Vec<ShowNumber>,
    /// Shows that are there now. They may have been on another shard then.
    pub only_now: Vec<ShowNumber>,
}

/// Compares two states of a shard. Shows that left it are not there.
#[must_use]
pub fn diff(then: &Inventory, now: &Inventory) -> Differences {
    let mut found = Differences::default();
    for (number, show) in now.shows().filter(|(number, _)| !now.has_left(*number)) {
        match then.number(show.id()).and_then(|number| then.show(number)) {
            None => found.only_now.push(number),
            Some(before) => found.shows.extend(of_show(Some(before), Some(show))),
        }
    }
    let is_there = |show: &Show| now.number(show.id()).is_some();
    let gone = then.shows().filter(|(number, show)| !then.has_left(*number) && !is_there(show));
    found.only_then.extend(gone.map(|(number, _)| number));
    found
}

/// What differs between a show then and now, of which there is at least one; `None` if nothing does.
#[must_use]
pub fn of_show(then: Option<&Show>, now: Option<&Show>) -> Option<ShowDiff> {
    let id = now.or(then)?.id();
    // Equal versions of one history are equal shows; but the two may be of different ones.
    let is_equal = then
        .zip(now)
        .is_some_and(|(then, now)| then.version() == now.version() && then.state_hash() == now.state_hash());
    (!is_equal).then(|| differing(id, then, now))
}

fn differing(id: &ShowId, then: Option<&Show>, now: Option<&Show>) -> ShowDiff {
    let version = |show: Option<&Show>| show.map_or(0, Show::version);
    let waiting = |show: Option<&Show>| show.map_or(0, |show| show.waitlist.waiting());
    let parts = |show: Option<&Show>| show.map(|show| show.manifest.parts().clone());
    ShowDiff {
        show_id: id.clone(),
        exists: (then.is_some(), now.is_some()),
        versions: (version(then), version(now)),
        sales: (then.map(|show| show.sale), now.map(|show| show.sale)),
        policy_differs: then.map(|show| show.policy) != now.map(|show| show.policy),
        manifest_differs: parts(then) != parts(now),
        seats: seats(then, now),
        units: units(then, now),
        holds: holds(then, now),
        waiting: (waiting(then), waiting(now)),
    }
}

fn seats(then: Option<&Show>, now: Option<&Show>) -> Vec<(SeatIndex, SeatStatus, SeatStatus)> {
    let seats = |show: Option<&Show>| show.map_or(0, |show| show.manifest.seats());
    let all = (0..seats(then).max(seats(now))).map(SeatIndex);
    let both = all.map(|seat| (seat, status(then, seat), status(now, seat)));
    both.filter(|(_, before, after)| before != after).collect()
}

fn status(show: Option<&Show>, seat: SeatIndex) -> SeatStatus {
    match show {
        None => SeatStatus::Absent,
        Some(show) if seat.0 >= show.manifest.seats() => SeatStatus::Absent,
        Some(show) if show.available.contains(seat) => SeatStatus::Available,
        Some(show) if show.sold.contains(seat) => SeatStatus::Sold,
        Some(show) if show.blocks.is_blocked(seat) => SeatStatus::Blocked,
        Some(show) if show.is_retired(seat) => SeatStatus::Retired,
        Some(_) => SeatStatus::Held,
    }
}

fn units(then: Option<&Show>, now: Option<&Show>) -> Vec<(SectionIndex, [u32; 3], [u32; 3])> {
    let tallies = |show: Option<&Show>, section: usize| {
        let GaTally { held, sold, blocked } = show.and_then(|show| show.ga.get(section).copied()).unwrap_or_default();
        [held, sold, blocked]
    };
    let sections = [then, now].into_iter().flatten().map(|show| show.ga.len()).max().unwrap_or(0);
    let both =
        (0u32..).zip(0..sections).map(|(section, at)| (SectionIndex(section), tallies(then, at), tallies(now, at)));
    both.filter(|(_, before, after)| before != after).collect()
}

fn holds(then: Option<&Show>, now: Option<&Show>) -> Vec<HoldDiff> {
    let mut found: BTreeMap<HoldId, HoldDiff> = BTreeMap::new();
    // Whatever is there now is told as it is now.
    for (own, other, is_now) in [(now, then, true), (then, now, false)] {
        for hold in own.iter().flat_map(|show| show.holds.iter()) {
            let (Some(show), Some(change)) = (own, change(hold, own, other, is_now)) else { continue };
            found.entry(hold.id).or_insert_with(|| HoldDiff {
                change,
                hold_id: hold.id,
                buyer: show.buyers.get(hold.buyer).id.clone(),
                booking: hold.booking().cloned(),
                places: hold.remaining().clone(),
                total_minor: show.price_of(hold, hold.remaining()),
            });
        }
    }
    found.into_values().collect()
}

/// What is to be said of a hold that is there now, or was there then, by how it stands in the other state.
fn change(hold: &Hold, own: Option<&Show>, other: Option<&Show>, is_now: bool) -> Option<HoldChange> {
    let counterpart = other.and_then(|show| show.holds.find(hold.id));
    let of_other = counterpart.map(|hold| hold.state);
    let buyer = |show: Option<&Show>, hold: &Hold| show.map(|show| show.buyers.get(hold.buyer).id.clone());
    match (hold.state, of_other) {
        (HoldState::Confirmed, Some(HoldState::Confirmed)) => {
            let counterpart = counterpart?;
            let is_same = hold.remaining() == counterpart.remaining() && buyer(own, hold) == buyer(other, counterpart);
            (is_now && !is_same).then_some(HoldChange::SaleChanged)
        }
        (HoldState::Held, Some(HoldState::Held)) => None,
        (HoldState::Confirmed, _) => Some(if is_now { HoldChange::SaleLost } else { HoldChange::SaleBack }),
        (HoldState::Held, _) => Some(if is_now { HoldChange::HoldLost } else { HoldChange::HoldBack }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
