//! Who gets a place that came back: an offer for the first entry that it satisfies, before anybody else sees it.
//!
//! 1. A party for which places are gathered, if this one completes it or brings it nearer.
//! 2. Of all entries that what is free now satisfies, the first in the waitlist's order.
//! 3. If there is none: the first entry that may be split and that it would bring nearer, for which it is then withheld
//!    for a bounded time, once.
//! 4. The public.
//!
//! Entries of one queue wish for the same, so that looking at the first of them that may have more places is enough.

use smallvec::SmallVec;

use super::super::{
    grant,
    hold::{Hold, Rare},
    hold_best::{self, Placement, Step},
    places::Places,
    show::Show,
};
use crate::{
    command::Adjacency,
    event::{Event, HoldGranted, OfferMade},
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::waitlist::{Gathering, Queue},
    time::Timestamp,
};

/// Entries of a queue that are passed over because their buyers have reached a limit, before the queue is.
const PASSED_OVER_MAX: usize = 16;
/// Entries for which places are gathered at one time.
const GATHERINGS_MAX: usize = 64;

/// What follows for those who wait from what came back, one step of it. The caller applies it and asks again, until
/// nothing follows.
pub(in crate::inventory) fn next(show: &Show, now: Timestamp) -> Option<Event> {
    if show.policy.waitlist_closes_at.is_some_and(|closes_at| now >= closes_at) {
        return None;
    }
    complete(show, now).or_else(|| {
        let queues = queues_to_look_at(show);
        offer_first(show, &queues, now).or_else(|| gather(show, &queues, now))
    })
}

/// Places for a party that something is gathered for.
fn complete(show: &Show, now: Timestamp) -> Option<Event> {
    let wanted = |(slot, gathering): (u32, &Gathering)| {
        let queue = show.waitlist.queue_of(slot);
        let back = returned_for(show, queue, queue.wish.quantity - gathering.places.count())?;
        Some((show.waitlist.key(slot), slot, back))
    };
    let mut nearer: SmallVec<[_; 4]> = show.waitlist.gatherings().filter_map(wanted).collect();
    nearer.sort_unstable_by_key(|(key, ..)| *key);
    nearer.into_iter().find_map(|(_, slot, back)| {
        let (entry, gathering) = (show.waitlist.entry(slot), show.waitlist.gathering(slot)?);
        let quantity = show.waitlist.queue_of(slot).wish.quantity;
        let places = gathering.places.with(&back);
        if places.count() < quantity {
            return Some(Event::PlacesGathered { hold_id: entry.id, places: back, until: gathering.until });
        }
        let placement = Placement { step: Step::Scattered, score: 0 };
        may_have(show, &entry.buyer, quantity).then(|| offer(show, slot, places, placement, now))
    })
}

/// What decides who is first, the entry's slot, and its queue.
type Candidate = ((u64, u64), u32, u32);

/// An offer for the first entry that what is free satisfies.
fn offer_first(show: &Show, queues: &[u32], now: Timestamp) -> Option<Event> {
    let mut candidates: SmallVec<[Candidate; 32]> = SmallVec::new();
    for &queue in queues {
        let Some(wanted) = show.waitlist.queue(queue) else { continue };
        let quantity = wanted.wish.quantity;
        let mut entries = show.waitlist.entries_of(queue).take(PASSED_OVER_MAX);
        if let Some(slot) = entries.find(|&slot| may_have(show, &show.waitlist.entry(slot).buyer, quantity)) {
            candidates.push((show.waitlist.key(slot), slot, queue));
        }
    }
    candidates.sort_unstable();
    candidates.into_iter().find_map(|(_, slot, queue)| {
        let is_new = show.waitlist.look.everywhere || show.waitlist.look.queues.contains(&queue);
        let queue = show.waitlist.queue(queue)?;
        if !is_new && !may_sit_together(show, queue) {
            return None;
        }
        let id = show.waitlist.entry(slot).id;
        let (places, placement) = hold_best::choose(show, &queue.wish, &queue.sight, &Places::default(), id).ok()?;
        has_capacity(show, &places).then(|| offer(show, slot, places, placement, now))
    })
}

/// The queues that may be satisfied now and were not before.
fn queues_to_look_at(show: &Show) -> SmallVec<[u32; 32]> {
    let look = &show.waitlist.look;
    let mut queues: SmallVec<[u32; 32]> = SmallVec::new();
    if look.everywhere {
        queues.extend(show.waitlist.all_queues());
        return queues;
    }
    for &seat in &look.seats {
        let section = show.manifest.rows()[show.manifest.row_of(seat)].section;
        if show.available.contains(seat) {
            let fitting = |queue: &u32| show.waitlist.queue(*queue).is_some_and(|queue| suits(show, queue, seat));
            queues.extend(show.waitlist.queues_for(section).filter(fitting));
        }
    }
    for &section in &look.sections {
        queues.extend(show.waitlist.queues_for(section));
    }
    queues.extend(look.queues.iter().copied());
    queues.sort_unstable();
    queues.dedup();
    queues
}

/// Whether a party that must sit side by side could, with one of the seats that came back: there was no other block
/// before. Cheaper than looking everywhere for each queue.
fn may_sit_together(show: &Show, queue: &Queue) -> bool {
    let wish = &queue.wish;
    if wish.adjacency != Adjacency::Required || wish.bays > 0 || !show.waitlist.look.sections.is_empty() {
        return true;
    }
    show.waitlist.look.seats.iter().any(|&seat| {
        let row = &show.manifest.rows()[show.manifest.row_of(seat)];
        let is_free = |seat: &u32| {
            let seat = SeatIndex(*seat);
            show.available.contains(seat) && suits(show, queue, seat)
        };
        let wanted = wish.quantity as usize;
        let right = (seat.0..row.first_seat + row.seats).take_while(is_free).take(wanted).count();
        right > 0 && right + (row.first_seat..seat.0).rev().take_while(is_free).take(wanted).count() >= wanted
    })
}

/// Withholds what came back for the first entry that may be split.
fn gather(show: &Show, queues: &[u32], now: Timestamp) -> Option<Event> {
    if show.policy.gather_ms_max == 0 || show.waitlist.gatherings().len() >= GATHERINGS_MAX {
        return None;
    }
    let first_of = |queue: u32| {
        let wanted = show.waitlist.queue(queue)?;
        let wish = &wanted.wish;
        if wish.quantity < 2 || wish.adjacency == Adjacency::Required || wish.bays > 0 {
            return None;
        }
        let mut entries = show.waitlist.entries_of(queue).take(PASSED_OVER_MAX);
        let slot = entries.find(|&slot| {
            let entry = show.waitlist.entry(slot);
            !entry.was_gathered_for && may_have(show, &entry.buyer, wish.quantity)
        })?;
        Some((show.waitlist.key(slot), slot, returned_for(show, wanted, wish.quantity)?))
    };
    let firsts = queues.iter().filter_map(|queue| first_of(*queue));
    let (_, slot, places) = firsts.min_by_key(|(key, ..)| *key)?;
    let hold_id = show.waitlist.entry(slot).id;
    Some(Event::PlacesGathered { hold_id, places, until: now.plus_ms(show.policy.gather_ms_max) })
}

/// Of what came back and is free still, at most so many places that a queue wishes for.
fn returned_for(show: &Show, queue: &Queue, max: u32) -> Option<Places> {
    let look = &show.waitlist.look;
    let free = |seat: &SeatIndex| show.available.contains(*seat) && suits(show, queue, *seat);
    let mut seats: Vec<SeatIndex> = look.seats.iter().copied().filter(free).collect();
    seats.sort_unstable();
    seats.dedup();
    seats.truncate(max as usize);
    let of_units = |section: &&SectionIndex| {
        *queue.wish.sections == [**section]
            && seats.is_empty()
            && hold_best::units_will_do(show, &queue.wish, **section)
    };
    let room = |section| show.ga_room(section, &Places::default()).min(max);
    let units = look.sections.iter().find(of_units).map(|&section| (section, room(section)));
    let places = Places::new(seats.iter().copied(), units.filter(|(_, units)| *units > 0)).ok()?;
    has_capacity(show, &places).then_some(places)
}

/// Whether a free seat is one that a queue wishes for.
fn suits(show: &Show, queue: &Queue, seat: SeatIndex) -> bool {
    let (manifest, wish) = (&show.manifest, &queue.wish);
    queue.sight.sees(show, seat)
        && (wish.bays > 0 || !manifest.protected().contains(seat))
        && (wish.sections.is_empty()
            || wish.sections.binary_search(&manifest.rows()[manifest.row_of(seat)].section).is_ok())
}

/// Whether a buyer may have so many more places, and one hold more.
fn may_have(show: &Show, buyer: &BuyerId, quantity: u32) -> bool {
    let policy = &show.policy;
    let known = show.buyers.find_slot(buyer).map(|slot| show.buyers.get(slot));
    let (places, live_holds) = known.map_or((0, 0), |buyer| (buyer.places, buyer.live_holds));
    places + quantity <= policy.places_per_buyer_max
        && live_holds < policy.live_holds_per_buyer_max
        && show.holds.live() < policy.holds_per_show_max
}

fn has_capacity(show: &Show, places: &Places) -> bool {
    let capacity = show.manifest.parts().capacity;
    capacity.is_none_or(|capacity| show.taken_places() + places.count() <= capacity)
}

fn offer(show: &Show, slot: u32, places: Places, placement: Placement, now: Timestamp) -> Event {
    let entry = show.waitlist.entry(slot);
    let ttl = show.policy.offer_ttl;
    let granted = HoldGranted {
        hold_id: entry.id,
        buyer: entry.buyer.clone(),
        total_minor: show.price(&places),
        places,
        ttl,
        expires_at: now.plus_ms(ttl.ms()),
    };
    Event::OfferMade(Box::new(OfferMade { granted, placement }))
}

pub(in crate::inventory) fn apply_offer(show: &mut Show, offer: &OfferMade, at: Timestamp) {
    let OfferMade { granted, placement } = offer;
    let slot = show.waitlist.slot(granted.hold_id).expect("only an entry gets an offer");
    let (_, gathering) = show.waitlist.remove(slot);
    let gathered = gathering.map(|gathering| gathering.places).unwrap_or_default();
    show.take(&granted.places.without(&gathered));
    let extendable_until = Some(granted.expires_at);
    let rare = Rare { placement: Some(*placement), extendable_until, is_offer: true, ..Rare::default() };
    grant::insert(show, granted, Some(Hold::more_of_rare(rare)), at);
}

pub(in crate::inventory) fn apply_gathered(show: &mut Show, hold_id: HoldId, places: &Places, until: Timestamp) {
    let slot = show.waitlist.slot(hold_id).expect("only for an entry places are gathered");
    show.take(places);
    show.waitlist.gather(slot, places, until);
}

pub(in crate::inventory) fn apply_gathering_ended(show: &mut Show, hold_id: HoldId) {
    let slot = show.waitlist.slot(hold_id).expect("only for an entry places are gathered");
    if let Some(gathering) = show.waitlist.end_gathering(slot) {
        show.put_back(&gathering.places);
    }
}

#[cfg(test)]
mod tests;
