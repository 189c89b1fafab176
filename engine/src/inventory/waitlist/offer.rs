//! Who gets a place that came back: an offer for the first entry that it satisfies, before anybody else sees it.
//!
//! 1. A party for which places are gathered, if this one completes it.
//! 2. In the waitlist's order: the first entry that is satisfied by what is free, together with what is gathered for
//!    those who come after it; or the first party for which places are gathered, if this one brings it nearer.
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
        serve_first(show, &queues, now).or_else(|| gather(show, &queues, now))
    })
}

/// The rest of the places for a party that something is gathered for.
fn complete(show: &Show, now: Timestamp) -> Option<Event> {
    let completed = gatherings_with(show, |gathered, back, quantity| gathered + back == quantity);
    completed.into_iter().find_map(|(_, slot, back)| {
        let (entry, gathering) = (show.waitlist.entry(slot), show.waitlist.gathering(slot)?);
        let places = gathering.places.with(&back);
        let chosen = (places, Placement { step: Step::Scattered, score: 0 });
        may_have(show, &entry.buyer, chosen.0.count()).then(|| offer(show, slot, chosen, Vec::new(), now))
    })
}

/// The parties that something is gathered for, in order, with what came back for them, if `is_meant` holds of the numbers
/// of places that are gathered, that came back, and that are wished for.
fn gatherings_with(show: &Show, is_meant: impl Fn(u32, u32, u32) -> bool) -> SmallVec<[(Key, u32, Places); 4]> {
    let wanted = |(slot, gathering): (u32, &Gathering)| {
        let queue = show.waitlist.queue_of(slot);
        let (gathered, quantity) = (gathering.places.count(), queue.wish.quantity);
        let back = returned_for(show, queue, quantity - gathered)?;
        is_meant(gathered, back.count(), quantity).then(|| (show.waitlist.key(slot), slot, back))
    };
    let mut parties: SmallVec<[_; 4]> = show.waitlist.gatherings().filter_map(wanted).collect();
    parties.sort_unstable_by_key(|(key, ..)| *key);
    parties
}

/// What decides who is first.
type Key = (u64, u64);

/// Who may be first: somebody for whom places are gathered, with what came back for him; or the first of a queue.
enum Candidate {
    Gathers(Places),
    Queues(u32),
}

/// An offer for the first entry that is satisfied, or more for a party that it does not complete, in order.
fn serve_first(show: &Show, queues: &[u32], now: Timestamp) -> Option<Event> {
    let nearer = gatherings_with(show, |gathered, back, quantity| gathered + back < quantity);
    let nearer = nearer.into_iter().map(|(key, slot, back)| (key, slot, Candidate::Gathers(back)));
    let mut candidates: SmallVec<[(Key, u32, Candidate); 32]> = nearer.collect();
    for &queue in queues {
        let Some(wanted) = show.waitlist.queue(queue) else { continue };
        let quantity = wanted.wish.quantity;
        let mut entries = show.waitlist.entries_of(queue).take(PASSED_OVER_MAX);
        if let Some(slot) = entries.find(|&slot| may_have(show, &show.waitlist.entry(slot).buyer, quantity)) {
            candidates.push((show.waitlist.key(slot), slot, Candidate::Queues(queue)));
        }
    }
    candidates.sort_unstable_by_key(|(key, ..)| *key);
    let mut later = Later::new(show);
    candidates.into_iter().find_map(|(key, slot, candidate)| match candidate {
        Candidate::Gathers(places) => {
            let until = show.waitlist.gathering(slot)?.until;
            Some(Event::PlacesGathered { hold_id: show.waitlist.entry(slot).id, places, until })
        }
        Candidate::Queues(queue) => {
            later.pass(key);
            offer_to(show, slot, queue, &later, now)
        }
    })
}

/// An offer for an entry that comes before these gatherings, if it can be satisfied.
fn offer_to(show: &Show, slot: u32, queue: u32, later: &Later<'_>, now: Timestamp) -> Option<Event> {
    let is_new = show.waitlist.look.everywhere || show.waitlist.look.queues.contains(&queue);
    let queue = show.waitlist.queue(queue)?;
    if !is_new && !may_sit_together(show, queue, &later.places) {
        return None;
    }
    let id = show.waitlist.entry(slot).id;
    let chosen = hold_best::choose(show, &queue.wish, &queue.sight, &later.places, (id, now)).ok()?;
    let taken_over = later.taken_over(&chosen.0);
    let gathered: u32 = taken_over.iter().map(|(_, places)| places.count()).sum();
    has_capacity(show, chosen.0.count() - gathered).then(|| offer(show, slot, chosen, taken_over, now))
}

/// What is gathered for those who come after somebody: he may have it.
struct Later<'a> {
    show: &'a Show,
    /// In order.
    parties: SmallVec<[(Key, u32, &'a Places); 4]>,
    /// Of all of them.
    places: Places,
}

impl<'a> Later<'a> {
    /// Before anybody's turn.
    fn new(show: &'a Show) -> Self {
        let gatherings = show.waitlist.gatherings();
        let mut parties: SmallVec<[_; 4]> =
            gatherings.map(|(slot, gathering)| (show.waitlist.key(slot), slot, &gathering.places)).collect();
        parties.sort_unstable_by_key(|(key, ..)| *key);
        let places = united(&parties);
        Self { show, parties, places }
    }

    /// It is the turn of whoever has this key.
    fn pass(&mut self, key: Key) {
        let passed = self.parties.iter().take_while(|(other, ..)| *other < key).count();
        if passed > 0 {
            self.parties.drain(..passed);
            self.places = united(&self.parties);
        }
    }

    /// From whom chosen places are taken, as far as they are not free: of units the last in order loses first.
    fn taken_over(&self, chosen: &Places) -> Vec<(HoldId, Places)> {
        let missing = |(section, units): (SectionIndex, u32)| {
            (section, units.saturating_sub(self.show.ga_room(section, &Places::default())))
        };
        let mut missing: SmallVec<[_; 2]> = chosen.ga().map(missing).collect();
        let mut taken_over = Vec::new();
        for (_, slot, gathered) in self.parties.iter().rev() {
            let seats = gathered.seats().filter(|seat| chosen.contains_seat(*seat));
            let units = missing.iter_mut().map(|(section, missing)| {
                let units = gathered.units_of(*section).min(*missing);
                *missing -= units;
                (*section, units)
            });
            if let Ok(places) = Places::new(seats, units.filter(|(_, units)| *units > 0)) {
                taken_over.push((self.show.waitlist.entry(*slot).id, places));
            }
        }
        taken_over
    }
}

fn united(parties: &[(Key, u32, &Places)]) -> Places {
    parties.iter().fold(Places::default(), |all, (.., places)| all.with(places))
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
fn may_sit_together(show: &Show, queue: &Queue, later: &Places) -> bool {
    let wish = &queue.wish;
    if wish.adjacency != Adjacency::Required || wish.bays > 0 || !show.waitlist.look.sections.is_empty() {
        return true;
    }
    show.waitlist.look.seats.iter().any(|&seat| {
        let row = &show.manifest.rows()[show.manifest.row_of(seat)];
        let is_free = |seat: &u32| {
            let seat = SeatIndex(*seat);
            (show.available.contains(seat) || later.contains_seat(seat)) && suits(show, queue, seat)
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
        if wish.quantity < 2 || wish.adjacency == Adjacency::Required || wish.bays > 0 || !wanted.is_possible(show) {
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
    has_capacity(show, places.count()).then_some(places)
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

/// Whether so many places more may be taken.
fn has_capacity(show: &Show, places: u32) -> bool {
    let capacity = show.manifest.parts().capacity;
    capacity.is_none_or(|capacity| show.taken_places() + places <= capacity)
}

fn offer(
    show: &Show,
    slot: u32,
    (places, placement): (Places, Placement),
    taken_over: Vec<(HoldId, Places)>,
    now: Timestamp,
) -> Event {
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
    Event::OfferMade(Box::new(OfferMade { granted, placement, taken_over }))
}

pub(in crate::inventory) fn apply_offer(show: &mut Show, offer: &OfferMade, at: Timestamp) {
    let OfferMade { granted, placement, taken_over } = offer;
    let slot = show.waitlist.slot(granted.hold_id).expect("only an entry gets an offer");
    let (_, gathering) = show.waitlist.remove(slot);
    let mut held = gathering.map(|gathering| gathering.places).unwrap_or_default();
    for (loser, places) in taken_over {
        let slot = show.waitlist.slot(*loser).expect("only for an entry places are gathered");
        show.waitlist.take_over(slot, places);
        held = held.with(places);
    }
    show.take(&granted.places.without(&held));
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
