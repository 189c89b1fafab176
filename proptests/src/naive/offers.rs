//! Who gets what came back, in the naive model: everybody is asked in turn.

use std::collections::BTreeMap;

use usher_engine::{
    command::Adjacency,
    ids::{HoldId, SeatIndex, SectionIndex},
    inventory::{
        hold_best::{Placement, Step},
        places::Places,
        sale::ShowState,
    },
    time::Timestamp,
};

use super::{
    best::Search,
    moves::units_of,
    orphans::free_runs,
    records::{Entry, Hold},
    show::Show,
    waitlist::is_possible,
};

/// Entries for which places are gathered at one time.
const GATHERINGS_MAX: usize = 16;

/// Offers and gathers until nothing more follows from what came back. While the show is not on sale, it stays to be looked
/// at.
pub(super) fn follow(show: &mut Show, now: Timestamp) {
    if show.look.is_empty() || show.state_at(now) != ShowState::OnSale {
        return;
    }
    if show.policy.waitlist_closes_at.is_none_or(|at| now < at) {
        while complete(show, now) || serve_first(show, now) || gather(show, now) {}
    }
    show.looked();
}

/// 1. What came back goes to a party that it completes.
fn complete(show: &mut Show, now: Timestamp) -> bool {
    let gathering = show.in_turn().into_iter().filter(|entry| entry.gathers_until.is_some());
    for entry in gathering.cloned().collect::<Vec<_>>() {
        let missing = entry.wish.quantity - show.places_of(entry.id).count();
        let back = returned_for(show, &entry, missing);
        if back.count() == missing && may_have(show, &entry, now) {
            show.gather(entry.id, &back);
            let places = show.places_of(entry.id);
            offer(show, &entry, &places, Placement { step: Step::Scattered, score: 0 }, now);
            return true;
        }
    }
    false
}

/// In turn (2.): the first whom what is free satisfies, with what is gathered for those after him, gets an offer; or the
/// first party for which places are gathered gets more of them.
fn serve_first(show: &mut Show, now: Timestamp) -> bool {
    let queueing = queueing(show, now);
    // Who wishes for the same as somebody before him cannot have what that one cannot.
    let is_first = |entry: &Entry| {
        let is_same = |other: &&Entry| other.wish == entry.wish && other.channels == entry.channels;
        queueing.iter().find(is_same).is_some_and(|first| first.id == entry.id)
    };
    for entry in show.in_turn().into_iter().cloned().collect::<Vec<_>>() {
        if entry.gathers_until.is_some() {
            let missing = entry.wish.quantity - show.places_of(entry.id).count();
            let back = returned_for(show, &entry, missing);
            if !back.is_empty() && back.count() < missing {
                show.gather(entry.id, &back);
                return true;
            }
        } else if is_first(&entry) && offer_to(show, &entry, now) {
            return true;
        }
    }
    false
}

/// Whether he gets an offer.
fn offer_to(show: &mut Show, entry: &Entry, now: Timestamp) -> bool {
    let after: Vec<Entry> = show.in_turn().into_iter().skip_while(|other| other.id != entry.id).cloned().collect();
    let losers: Vec<HoldId> =
        after.iter().filter(|other| other.gathers_until.is_some()).map(|other| other.id).collect();
    let gathered = losers.iter().fold(Places::default(), |all, id| all.with(&show.places_of(*id)));
    if !may_sit_together(show, entry, &gathered) {
        return false;
    }
    let nothing = Places::default();
    let search = Search { show, wish: &entry.wish, channels: entry.channels.clone(), own: &nothing, id: entry.id, now };
    if let Ok((places, placement)) = search.best() {
        let is_free = has_capacity(show, places.count());
        if is_free {
            offer(show, entry, &places, placement, now);
        }
        return is_free;
    }
    let is_fitting = |seat: &SeatIndex| would_suit(show, entry, *seat, &gathered);
    let is_wished = |section: &SectionIndex| entry.wish.sections == [*section];
    let seats: Vec<SeatIndex> = gathered.seats().filter(is_fitting).collect();
    let own = Places::new(seats, gathered.ga().filter(|(section, _)| is_wished(section))).unwrap_or_default();
    let Ok((places, placement)) = (Search { own: &own, ..search }).best() else { return false };
    let search = Search { show, wish: &entry.wish, channels: entry.channels.clone(), own: &nothing, id: entry.id, now };
    let room = |section| search.show.room(section, search.own);
    let mut missing: BTreeMap<_, _> =
        places.ga().map(|(section, units)| (section, units.saturating_sub(room(section)))).collect();
    let mut taken_over = Vec::new();
    for id in losers.into_iter().rev() {
        let has = show.places_of(id);
        let seats: Vec<_> = has.seats().filter(|seat| places.contains_seat(*seat)).collect();
        let mut units = Vec::new();
        for (section, wanted) in &mut missing {
            let lost = units_of(&has, *section).min(*wanted);
            *wanted -= lost;
            units.extend((lost > 0).then_some((*section, lost)));
        }
        taken_over.push((id, Places::new(seats, units).unwrap_or_default()));
    }
    let lost: u32 = taken_over.iter().map(|(_, lost)| lost.count()).sum();
    if !has_capacity(show, places.count() - lost) {
        return false;
    }
    for (id, lost) in taken_over.iter().filter(|(_, lost)| !lost.is_empty()) {
        show.drop_places(*id, lost);
        if show.places_of(*id).is_empty() {
            let loser = show.entries.iter_mut().find(|other| other.id == *id).unwrap();
            (loser.gathers_until, loser.was_gathered_for) = (None, false);
        }
    }
    offer(show, entry, &places, placement, now);
    true
}

/// A party that must sit side by side is asked only if a seat that came back is in a block for it: if there was another
/// one, it was asked before.
fn may_sit_together(show: &Show, entry: &Entry, gathered: &Places) -> bool {
    let (look, wish) = (&show.look, &entry.wish);
    let is_any = wish.adjacency != Adjacency::Required || wish.bays > 0 || look.everywhere || !look.sections.is_empty();
    if is_any || has_joined(show, entry) {
        return true;
    }
    let runs = show.rows.iter().flat_map(|row| free_runs(row, |seat| would_suit(show, entry, *seat, gathered)));
    let blocks: Vec<(u32, u32)> = runs.filter(|(_, length)| *length >= wish.quantity).collect();
    look.seats.iter().any(|seat| blocks.iter().any(|(first, length)| (*first..first + length).contains(&seat.0)))
}

/// Whether somebody joined who wishes for the same.
fn has_joined(show: &Show, entry: &Entry) -> bool {
    show.look.joined.iter().any(|(wish, channels)| *wish == entry.wish && *channels == entry.channels)
}

/// 3. The first that may be split, and that what came back brings nearer, has it withheld for it, once.
fn gather(show: &mut Show, now: Timestamp) -> bool {
    let gatherings = show.entries.iter().filter(|entry| entry.gathers_until.is_some()).count();
    if show.policy.gather_ms_max == 0 || gatherings >= GATHERINGS_MAX {
        return false;
    }
    for entry in queueing(show, now) {
        let wish = &entry.wish;
        let is_alone = wish.quantity < 2 || wish.adjacency == Adjacency::Required || wish.bays > 0;
        let is_alone = is_alone || !is_possible(show, wish, entry.id);
        let back = returned_for(show, &entry, wish.quantity);
        if is_alone || entry.was_gathered_for || back.is_empty() {
            continue;
        }
        show.gather(entry.id, &back);
        let until = Timestamp(now.0 + show.policy.gather_ms_max);
        let entry = show.entries.iter_mut().find(|other| other.id == entry.id).unwrap();
        (entry.gathers_until, entry.was_gathered_for) = (Some(until), true);
        return true;
    }
    false
}

/// Those whose turn it may be, in turn: nothing is gathered for them, they are to be looked at, and may have places.
fn queueing(show: &Show, now: Timestamp) -> Vec<Entry> {
    let is_one =
        |entry: &&&Entry| entry.gathers_until.is_none() && is_looked_at(show, entry) && may_have(show, entry, now);
    show.in_turn().iter().filter(is_one).map(|entry| (*entry).clone()).collect()
}

fn is_looked_at(show: &Show, entry: &Entry) -> bool {
    let (look, wish) = (&show.look, &entry.wish);
    let is_section = |section| wish.sections.is_empty() || wish.sections.contains(section);
    look.everywhere
        || look.seats.iter().any(|seat| suits(show, entry, *seat))
        || look.sections.iter().any(is_section)
        || has_joined(show, entry)
}

/// Whether a seat is free and one that an entry wishes for.
fn suits(show: &Show, entry: &Entry, seat: SeatIndex) -> bool {
    would_suit(show, entry, seat, &Places::default())
}

/// The same with other places counted as free.
fn would_suit(show: &Show, entry: &Entry, seat: SeatIndex, own: &Places) -> bool {
    let (wish, channels) = (&entry.wish, entry.channels.clone());
    let search = Search { show, wish, channels, own, id: entry.id, now: Timestamp(0) };
    search.is_free(seat, false) || (wish.bays > 0 && search.is_free(seat, true))
}

/// Of what came back and is free still, at most so many places that an entry wishes for. If all is to be looked at, all
/// that is free counts.
fn returned_for(show: &Show, entry: &Entry, max: u32) -> Places {
    let own = Places::default();
    let search = Search {
        show,
        wish: &entry.wish,
        channels: entry.channels.clone(),
        own: &own,
        id: entry.id,
        now: Timestamp(0),
    };
    let max = max.min(show.room_of_show(&own));
    let everywhere = show.look.everywhere;
    let came_back = |seat: &SeatIndex| everywhere || show.look.seats.contains(seat);
    let seats = show.seat_indexes().filter(|seat| came_back(seat) && suits(show, entry, *seat));
    let seats: Vec<_> = seats.take(max as usize).collect();
    let mut units = None;
    if let [section] = *entry.wish.sections
        && (everywhere || show.look.sections.contains(&section))
        && show.units.get(&section).is_some_and(|units| search.will_do(units.category))
    {
        units = Some((section, search.show.room(section, search.own).min(max))).filter(|(_, units)| *units > 0);
    }
    Places::new(seats, units).unwrap_or_default()
}

/// Whether a buyer may have what he waits for, and one hold more, now.
fn may_have(show: &Show, entry: &Entry, now: Timestamp) -> bool {
    let policy = &show.policy;
    let cools_down = show.lapses.get(&entry.buyer).is_some_and(|lapses| now < lapses.cools_until);
    !cools_down
        && show.places_of_buyer(&entry.buyer) + entry.wish.quantity <= policy.places_per_buyer_max
        && show.live_holds_of_buyer(&entry.buyer) < policy.live_holds_per_buyer_max
        && show.live_holds() < policy.holds_per_show_max
}

fn has_capacity(show: &Show, places: u32) -> bool {
    show.parts.capacity.is_none_or(|capacity| show.taken() + places <= capacity)
}

/// A hold under the entry's id, of what is gathered for it and of free places.
fn offer(show: &mut Show, entry: &Entry, places: &Places, placement: Placement, now: Timestamp) {
    let gathered = show.places_of(entry.id);
    show.drop_places(entry.id, &gathered);
    show.remove_entry(entry.id);
    show.take(entry.id, places);
    let ttl = show.policy.offer_ttl;
    let expires_at = Timestamp(now.0 + ttl.ms());
    let mut hold = Hold::new(&entry.buyer, places.clone(), ttl, now, expires_at);
    (hold.placement, hold.life_ends, hold.is_offer) = (Some(placement), Some(expires_at), true);
    show.insert(entry.id, hold);
}
