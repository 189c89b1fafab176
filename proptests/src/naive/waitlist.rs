//! The waitlist of the naive model: one list, of which everybody is asked in turn.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    command::{JoinWaitlist, OwnHold, Wish},
    ids::{BuyerId, HoldId},
    inventory::{Answer, HoldState, WaitView, places::Places, policy::WaitlistOrder, sale::ShowState},
    rejection::{HoldField, Limit, Rejection},
    shard::Outcome,
    time::Timestamp,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    best::{self, Search},
    found,
    holds::{nothing_to_release, released},
    moves::minus,
    records::{Entry, Hold, Owner},
    show::Show,
};

impl Show {
    pub(super) fn wait_view(&self, entry: &Entry) -> WaitView {
        WaitView {
            hold_id: entry.id,
            buyer: entry.buyer.clone(),
            wish: entry.wish.clone(),
            waiting: self.waiting(),
            gathered: self.places_of(entry.id).count(),
            is_possible: is_possible(self, &entry.wish, entry.id),
        }
    }

    /// Whoever has the lower one is served first.
    fn turn(&self, entry: &Entry) -> (u64, u64) {
        let before = match self.policy.waitlist_order {
            WaitlistOrder::Fifo => 0,
            WaitlistOrder::Priority => u64::MAX - u64::from(entry.priority),
            WaitlistOrder::Lottery { seed } => xxh3_64_with_seed(entry.id.as_bytes(), seed),
        };
        (before, entry.number)
    }

    pub(super) fn in_turn(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| self.turn(entry));
        entries
    }

    pub(super) fn remove_entry(&mut self, id: HoldId) -> Entry {
        let position = self.entries.iter().position(|entry| entry.id == id).unwrap();
        self.entries.remove(position)
    }

    /// The positions of the channels of these keys, public or not.
    fn named_channels(&self, command: &JoinWaitlist) -> Result<BTreeSet<usize>, Rejection> {
        command.channels.iter().map(|key| self.channel(key)).collect()
    }
}

pub(super) fn join(show: &mut Show, command: &JoinWaitlist, now: Timestamp) -> Outcome {
    let reused = |field| Err(Rejection::IdReused { field });
    if let Some(entry) = show.entry(command.hold_id) {
        if entry.buyer != command.buyer {
            return reused(HoldField::BuyerId);
        }
        let channels = show.named_channels(command)?;
        let is_same = entry.wish == command.wish && entry.priority == command.priority;
        if !is_same || entry.channels != channels {
            return reused(HoldField::Request);
        }
        return Ok(Answer::Waiting(Box::new(show.wait_view(entry))));
    }
    if let Some(hold) = show.holds.get(&command.hold_id) {
        return if hold.state == HoldState::Fenced {
            Err(Rejection::HoldFenced)
        } else if hold.buyer != command.buyer {
            reused(HoldField::BuyerId)
        } else if !hold.is_offer {
            reused(HoldField::Request)
        } else {
            Ok(found(show, command.hold_id, now))
        };
    }
    show.must_be(&[ShowState::OnSale, ShowState::Paused], now)?;
    let policy = show.policy;
    if policy.waitlist_max == 0 || policy.waitlist_closes_at.is_some_and(|at| at <= now) {
        return Err(Rejection::WaitlistClosed);
    }
    let channels = show.named_channels(command)?;
    best::check_sections(show, &command.wish)?;
    for (limit, wanted, max) in [
        (Limit::PlacesPerHold, command.wish.quantity, policy.places_per_hold_max),
        (Limit::PlacesPerBuyer, command.wish.quantity, policy.places_per_buyer_max),
        (Limit::Waitlist, show.waiting() + 1, policy.waitlist_max),
    ] {
        if wanted > max {
            return Err(Rejection::LimitReached { limit, max: u64::from(max) });
        }
    }
    if let Some(lapses) = show.lapses.get(&command.buyer).filter(|lapses| now < lapses.cools_until) {
        return Err(Rejection::CoolingDown { until: lapses.cools_until });
    }
    if let Some(hold_id) = waits_as(show, &command.buyer, now) {
        return Err(Rejection::WaitsAlready { hold_id });
    }
    show.joined += 1;
    show.look.joined.push((command.wish.clone(), channels.clone()));
    show.entries.push(Entry {
        id: command.hold_id,
        buyer: command.buyer.clone(),
        wish: command.wish.clone(),
        priority: command.priority,
        channels,
        number: show.joined,
        gathers_until: None,
        was_gathered_for: false,
    });
    Ok(Answer::Waiting(Box::new(show.wait_view(show.entry(command.hold_id).unwrap()))))
}

/// Whether a house in which nobody has anything, and all is public, would meet a wish.
pub(super) fn is_possible(show: &Show, wish: &Wish, id: HoldId) -> bool {
    let mut house = show.clone();
    for seat in house.seats.iter_mut().filter(|seat| seat.owner != Owner::Retired) {
        (seat.owner, seat.mark, seat.channel) = (Owner::Nobody, None, None);
    }
    for units in house.units.values_mut() {
        units.blocked.clear();
        [&mut units.held, &mut units.sold, &mut units.gathered].into_iter().for_each(BTreeMap::clear);
    }
    let (channels, own, show) = (BTreeSet::new(), &Places::default(), &house);
    let needed = wish.at_least.unwrap_or(wish.quantity);
    show.parts.capacity.is_none_or(|capacity| capacity >= needed)
        && Search { show, wish, channels, own, id, now: Timestamp(0) }.best().is_ok()
}

/// The entry or the live offer that a buyer has.
fn waits_as(show: &Show, buyer: &BuyerId, now: Timestamp) -> Option<HoldId> {
    let entry = show.entries.iter().find(|entry| entry.buyer == *buyer).map(|entry| entry.id);
    let is_live = |hold: &Hold| hold.is_offer && show.state_of(hold, now) == HoldState::Held;
    let offer = show.holds.iter().find(|(_, hold)| hold.buyer == *buyer && is_live(hold));
    entry.or(offer.map(|(id, _)| *id))
}

pub(super) fn leave(show: &mut Show, command: &OwnHold, now: Timestamp) -> Outcome {
    let (id, buyer) = (command.hold_id, &command.buyer);
    if let Some(entry) = show.entry(id) {
        if entry.buyer != *buyer {
            return Err(Rejection::HoldOfAnotherBuyer);
        }
        let gathered = show.places_of(id);
        show.remove_entry(id);
        show.put_back(id, &gathered);
        let left = Hold::new(buyer, Places::default(), show.policy.offer_ttl, now, now);
        show.holds.insert(id, Hold { state: HoldState::Released, is_offer: true, ..left });
        show.remember_ended(id, now);
        return Ok(released(HoldState::Released));
    }
    if let Some(nothing) = nothing_to_release(show, id, buyer, now)? {
        return Ok(nothing);
    }
    let hold = &show.holds[&id];
    if !hold.is_offer {
        return Err(Rejection::HoldNotWaiting);
    }
    if hold.pinned_from.is_some() {
        return Err(Rejection::HoldPinned);
    }
    show.end(id, HoldState::Released, now);
    Ok(released(HoldState::Released))
}

/// What was gathered for an entry goes back, if it is gathered still.
pub(super) fn end_gathering(show: &mut Show, id: HoldId) {
    let Some(entry) = show.entries.iter_mut().find(|entry| entry.id == id && entry.gathers_until.is_some()) else {
        return;
    };
    entry.gathers_until = None;
    let gathered = show.places_of(id);
    debug_assert!(!minus(&gathered, &Places::default()).is_empty(), "something is gathered");
    show.put_back(id, &gathered);
}
