//! Who gets a place that came back: an offer for the first entry that it satisfies, before anybody else sees it.
//!
//! 1. A party for which places are gathered, if this one completes it.
//! 2. In the waitlist's order: the first entry that is satisfied by what is free, or else together with what is gathered
//!    for those who come after it; or the first party for which places are gathered, if this one brings it nearer.
//! 3. If there is none: the first entry that may be split and that it would bring nearer, for which it is then withheld
//!    for a bounded time, once.
//! 4. The public.
//!
//! Entries of one queue wish for the same, so that looking at the first of them that may have more places is enough.

use smallvec::SmallVec;

use super::super::{
    grant,
    hold::{Rare, Uncommon},
    hold_best::{self, Placement, Step},
    places::{PLACES_PER_HOLD_MAX, Places},
    show::Show,
};
use crate::{
    command::Adjacency,
    event::{Event, HoldGranted, OfferMade},
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::waitlist::{Gathering, Queue},
    rejection::Rejection,
    time::Timestamp,
};

/// Entries of a queue that are passed over because their buyers have reached a limit, before the queue is.
const PASSED_OVER_MAX: usize = 16;
/// Entries for which places are gathered at one time.
const GATHERINGS_MAX: usize = 16;

/// What follows for those who wait from what came back, one step of it. The caller applies it and asks again, until
/// nothing follows.
pub(in crate::inventory) fn next(show: &Show, now: Timestamp) -> Option<Event> {
    if show.policy.waitlist_closes_at.is_some_and(|closes_at| now >= closes_at) {
        return None;
    }
    let parties = parties(show);
    complete(show, &parties, now).or_else(|| {
        let queues = queues_to_look_at(show);
        serve_first(show, &parties, &queues, now).or_else(|| gather(show, &queues, now))
    })
}

/// What decides who is first.
type Key = (u64, u64);

/// One that places are gathered for.
struct Party {
    key: Key,
    slot: u32,
    /// What came back for it.
    back: Places,
    is_complete: bool,
}

/// Those whom something that came back brings nearer, in order.
fn parties(show: &Show) -> SmallVec<[Party; 2]> {
    let nearer = |(slot, gathering): (u32, &Gathering)| {
        let queue = show.waitlist.queue_of(slot);
        let missing = queue.wish.quantity - gathering.places.count();
        let back = returned_for(show, queue, missing)?;
        let is_complete = back.count() == missing;
        Some(Party { key: show.waitlist.key(slot), slot, back, is_complete })
    };
    let mut parties: SmallVec<[Party; 2]> = show.waitlist.gatherings().filter_map(nearer).collect();
    parties.sort_unstable_by_key(|party| party.key);
    parties
}

/// The rest of the places for a party.
fn complete(show: &Show, parties: &[Party], now: Timestamp) -> Option<Event> {
    parties.iter().filter(|party| party.is_complete).find_map(|party| {
        let (entry, gathering) = (show.waitlist.entry(party.slot), show.waitlist.gathering(party.slot)?);
        let places = gathering.places.with(&party.back);
        let chosen = (places, Placement { step: Step::Scattered, score: 0 });
        may_have(show, &entry.buyer, chosen.0.count(), now).then(|| offer(show, party.slot, chosen, Vec::new(), now))
    })
}

/// Who may be first: a party, or the first of a queue.
#[derive(Clone, Copy)]
enum Candidate<'a> {
    Gathers(&'a Places),
    Queues(u32),
}

/// An offer for the first entry that is satisfied, or more for a party that it does not complete, in order.
fn serve_first(show: &Show, parties: &[Party], queues: &[u32], now: Timestamp) -> Option<Event> {
    let nearer = parties.iter().filter(|party| !party.is_complete);
    let nearer = nearer.map(|party| (party.key, party.slot, Candidate::Gathers(&party.back)));
    let mut candidates: SmallVec<[(Key, u32, Candidate<'_>); 32]> = nearer.collect();
    for &queue in queues {
        let Some(wanted) = show.waitlist.queue(queue) else { continue };
        let quantity = wanted.wish.quantity;
        let mut entries = show.waitlist.entries_of(queue).take(PASSED_OVER_MAX);
        if let Some(slot) = entries.find(|&slot| may_have(show, &show.waitlist.entry(slot).buyer, quantity, now)) {
            candidates.push((show.waitlist.key(slot), slot, Candidate::Queues(queue)));
        }
    }
    candidates.sort_unstable_by_key(|(key, ..)| *key);
    let gathered = Gathered::new(show);
    candidates.into_iter().find_map(|(key, slot, candidate)| match candidate {
        Candidate::Gathers(places) => {
            let until = show.waitlist.gathering(slot)?.until;
            Some(Event::PlacesGathered { hold_id: show.waitlist.entry(slot).id, places: places.clone(), until })
        }
        Candidate::Queues(queue) => offer_to(show, (key, slot), queue, &gathered, now),
    })
}

/// An offer for an entry: of what is free, or else with what is gathered for those who come after it.
fn offer_to(
    show: &Show,
    (key, slot): (Key, u32),
    queue: u32,
    gathered: &Gathered<'_>,
    now: Timestamp,
) -> Option<Event> {
    let is_new = show.waitlist.look.everywhere || show.waitlist.look.queues.contains(&queue);
    let queue = show.waitlist.queue(queue)?;
    if !is_new && !may_sit_together(show, queue, |seat| gathered.has_after(key, seat)) {
        return None;
    }
    let choose =
        |own: &Places| hold_best::choose(show, &queue.wish, &queue.sight, own, (show.waitlist.entry(slot).id, now));
    let available = match choose(&Places::default()) {
        Ok(chosen) => {
            return has_capacity(show, chosen.0.count()).then(|| offer(show, slot, chosen, Vec::new(), now));
        }
        Err(Rejection::SoldOut { available, .. }) if queue.wish.bays == 0 => available,
        Err(_) => queue.wish.quantity,
    };
    let own = gathered.after(key, queue);
    if own.is_empty() || available + own.count() < queue.wish.at_least.unwrap_or(queue.wish.quantity) {
        return None;
    }
    let chosen = choose(&own).ok()?;
    let taken_over = gathered.taken_over(key, &chosen.0);
    let lost: u32 = taken_over.iter().map(|(_, places)| places.count()).sum();
    has_capacity(show, chosen.0.count() - lost).then(|| offer(show, slot, chosen, taken_over, now))
}

/// What is gathered, for whom: whoever comes before them may have it.
struct Gathered<'a> {
    show: &'a Show,
    /// In order.
    parties: SmallVec<[(Key, u32, &'a Places); 4]>,
}

impl<'a> Gathered<'a> {
    fn new(show: &'a Show) -> Self {
        let gatherings = show.waitlist.gatherings();
        let mut parties: SmallVec<[_; 4]> =
            gatherings.map(|(slot, gathering)| (show.waitlist.key(slot), slot, &gathering.places)).collect();
        parties.sort_unstable_by_key(|(key, ..)| *key);
        Self { show, parties }
    }

    /// Of those who come after somebody, the last first.
    fn parties_after(&self, key: Key) -> impl Iterator<Item = (u32, &'a Places)> + '_ {
        let after = self.parties.iter().rev().take_while(move |(other, ..)| *other > key);
        after.map(|&(_, slot, places)| (slot, places))
    }

    fn has_after(&self, key: Key, seat: SeatIndex) -> bool {
        self.parties_after(key).any(|(_, places)| places.contains_seat(seat))
    }

    /// What a queue wishes for of it; no more than a hold may have.
    fn after(&self, key: Key, queue: &Queue) -> Places {
        if let [section] = *queue.wish.sections
            && self.show.manifest.ga_capacity(section).is_some()
        {
            let units: u32 = self.parties_after(key).map(|(_, places)| places.units_of(section)).sum();
            return Places::new([], [(section, units.min(PLACES_PER_HOLD_MAX))]).unwrap_or_default();
        }
        let seats = self.parties_after(key).flat_map(|(_, places)| places.seats());
        let fitting = seats.filter(|seat| suits(self.show, queue, *seat));
        Places::new(fitting.take(PLACES_PER_HOLD_MAX as usize), []).unwrap_or_default()
    }

    /// From whom chosen places are taken, as far as they are not free: of units the last in order loses first.
    fn taken_over(&self, key: Key, chosen: &Places) -> Vec<(HoldId, Places)> {
        let room = |section| self.show.ga_room(section, &Places::default());
        let missing = |(section, units): (SectionIndex, u32)| (section, units.saturating_sub(room(section)));
        let mut missing: SmallVec<[_; 2]> = chosen.ga().map(missing).collect();
        let lost = |(slot, places): (u32, &Places)| {
            let seats = places.seats().filter(|seat| chosen.contains_seat(*seat));
            let units = missing.iter_mut().map(|(section, missing)| {
                let units = places.units_of(*section).min(*missing);
                *missing -= units;
                (*section, units)
            });
            let lost = Places::new(seats, units.filter(|(_, units)| *units > 0)).ok()?;
            Some((self.show.waitlist.entry(slot).id, lost))
        };
        self.parties_after(key).filter_map(lost).collect()
    }
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
fn may_sit_together(show: &Show, queue: &Queue, is_gathered: impl Fn(SeatIndex) -> bool) -> bool {
    let wish = &queue.wish;
    if wish.adjacency != Adjacency::Required || wish.bays > 0 || !show.waitlist.look.sections.is_empty() {
        return true;
    }
    show.waitlist.look.seats.iter().any(|&seat| {
        let row = &show.manifest.rows()[show.manifest.row_of(seat)];
        let is_free = |seat: &u32| {
            let seat = SeatIndex(*seat);
            (show.available.contains(seat) || is_gathered(seat)) && suits(show, queue, seat)
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
            !entry.was_gathered_for && may_have(show, &entry.buyer, wish.quantity, now)
        })?;
        Some((show.waitlist.key(slot), slot))
    };
    let mut firsts: SmallVec<[(Key, u32); 32]> = queues.iter().filter_map(|queue| first_of(*queue)).collect();
    firsts.sort_unstable();
    firsts.into_iter().find_map(|(_, slot)| {
        let queue = show.waitlist.queue_of(slot);
        let places = returned_for(show, queue, queue.wish.quantity).filter(|_| queue.is_possible(show))?;
        let (hold_id, until) = (show.waitlist.entry(slot).id, now.plus_ms(show.policy.gather_ms_max));
        Some(Event::PlacesGathered { hold_id, places, until })
    })
}

/// Of what came back and is free still, at most so many places that a queue wishes for. Where everything is to be looked
/// at, because of a capacity or a rule that is another one now, all that is free counts as having come back.
fn returned_for(show: &Show, queue: &Queue, max: u32) -> Option<Places> {
    let (look, wish) = (&show.waitlist.look, &queue.wish);
    let max = max.min(show.room_of_show());
    let free = |seat: &SeatIndex| show.available.contains(*seat) && suits(show, queue, *seat);
    let seats: Vec<SeatIndex> = if look.everywhere {
        show.available.iter().filter(free).take(max as usize).collect()
    } else {
        let mut seats: Vec<SeatIndex> = look.seats.iter().copied().filter(free).collect();
        seats.sort_unstable();
        seats.dedup();
        seats.truncate(max as usize);
        seats
    };
    let units = match *wish.sections {
        [section] if look.everywhere || look.sections.contains(&section) => {
            let will_do = hold_best::units_will_do(show, wish, section);
            let room = show.ga_room(section, &Places::default()).min(max);
            (will_do && room > 0).then_some((section, room))
        }
        _ => None,
    };
    Places::new(seats, units).ok()
}

/// Whether a free seat is one that a queue wishes for.
fn suits(show: &Show, queue: &Queue, seat: SeatIndex) -> bool {
    let (manifest, wish) = (&show.manifest, &queue.wish);
    queue.sight.sees(show, seat)
        && (wish.bays > 0 || !manifest.protected().contains(seat))
        && (wish.sections.is_empty()
            || wish.sections.binary_search(&manifest.rows()[manifest.row_of(seat)].section).is_ok())
}

/// Whether a buyer may have so many more places, and one hold more, now.
fn may_have(show: &Show, buyer: &BuyerId, quantity: u32, now: Timestamp) -> bool {
    let policy = &show.policy;
    let slot = show.buyers.find_slot(buyer);
    let known = slot.map(|slot| show.buyers.get(slot));
    let (places, live_holds) = known.map_or((0, 0), |buyer| (buyer.places, buyer.live_holds));
    show.cools_until(slot, now).is_none()
        && places + quantity <= policy.places_per_buyer_max
        && live_holds < policy.live_holds_per_buyer_max
        && show.holds.live() < policy.holds_per_show_max
}

/// Whether so many places more may be taken.
fn has_capacity(show: &Show, places: u32) -> bool {
    places <= show.room_of_show()
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
    let rare = Some(Box::new(Rare { extendable_until, is_offer: true, ..Rare::default() }));
    let more = Uncommon { placement: Some(*placement), rare, ..Uncommon::default() };
    grant::insert(show, granted, Some(more.into()), at);
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
