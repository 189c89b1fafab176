//! The waitlist of the naive model: one list, of which everybody is asked in turn.

use std::collections::BTreeSet;

use usher_engine::{
    command::{Adjacency, JoinWaitlist, OwnHold, Wish},
    ids::{BuyerId, HoldId},
    inventory::{
        Answer, HoldState, WaitView,
        hold_best::{Placement, Step},
        places::Places,
        policy::WaitlistOrder,
        sale::ShowState,
    },
    rejection::{HoldField, Limit, Rejection},
    shard::Outcome,
    time::Timestamp,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    best::{self, Search},
    found,
    moves::minus,
    orphans::free_runs,
    own_hold,
    records::{Entry, Hold},
    show::Show,
};

/// Entries for which places are gathered at one time.
const GATHERINGS_MAX: usize = 64;

impl Show {
    pub(super) fn wait_view(&self, entry: &Entry) -> WaitView {
        WaitView {
            hold_id: entry.id,
            buyer: entry.buyer.clone(),
            wish: entry.wish.clone(),
            waiting: self.waiting(),
            gathered: self.places_of(entry.id).count(),
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

    fn in_turn(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| self.turn(entry));
        entries
    }

    fn remove_entry(&mut self, id: HoldId) -> Entry {
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
        return Ok(Answer::Waiting(show.wait_view(entry)));
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
    Ok(Answer::Waiting(show.wait_view(show.entry(command.hold_id).unwrap())))
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
    let released = |state| Ok(Answer::Released { state, orphans: Vec::new() });
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
        return released(HoldState::Released);
    }
    let hold = match own_hold(show, id, buyer) {
        Err(Rejection::HoldUnknown) => {
            show.fence(id, buyer, now);
            return released(HoldState::Fenced);
        }
        found => found?,
    };
    match show.state_of(hold, now) {
        HoldState::Held if !hold.is_offer => Err(Rejection::HoldNotWaiting),
        HoldState::Held if hold.pinned_from.is_some() => Err(Rejection::HoldPinned),
        HoldState::Held => {
            show.end(id, HoldState::Released, now);
            released(HoldState::Released)
        }
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Cancelled if hold.booking.is_some() => Err(Rejection::HoldCancelled),
        ended => released(ended),
    }
}

/// Offers and gathers until nothing more follows from what came back. While the show is not on sale, it stays to be looked
/// at.
pub(super) fn follow(show: &mut Show, now: Timestamp) {
    if show.look.is_empty() || show.state_at(now) != ShowState::OnSale {
        return;
    }
    if show.policy.waitlist_closes_at.is_none_or(|at| now < at) {
        while complete(show, now) || offer_first(show, now) || gather(show, now) {}
    }
    show.looked();
}

/// 1. What came back goes to a party for which places are gathered.
fn complete(show: &mut Show, now: Timestamp) -> bool {
    let gathering = show.in_turn().into_iter().filter(|entry| entry.gathers_until.is_some());
    for entry in gathering.cloned().collect::<Vec<_>>() {
        let gathered = show.places_of(entry.id).count();
        let back = returned_for(show, &entry, entry.wish.quantity - gathered);
        if back.is_empty() {
            continue;
        }
        if gathered + back.count() < entry.wish.quantity {
            show.gather(entry.id, &back);
            return true;
        }
        if may_have(show, &entry) {
            show.gather(entry.id, &back);
            let places = show.places_of(entry.id);
            offer(show, &entry, &places, Placement { step: Step::Scattered, score: 0 }, now);
            return true;
        }
    }
    false
}

/// 2. The first whom what is free satisfies gets an offer.
fn offer_first(show: &mut Show, now: Timestamp) -> bool {
    for entry in queueing(show) {
        if !may_sit_together(show, &entry) {
            continue;
        }
        let own = Places::default();
        let search = Search { show, wish: &entry.wish, channels: entry.channels.clone(), own: &own, id: entry.id };
        let Ok((places, placement)) = search.best() else { continue };
        if has_capacity(show, &places) {
            offer(show, &entry, &places, placement, now);
            return true;
        }
    }
    false
}

/// A party that must sit side by side is asked only if a seat that came back is in a block for it: if there was another
/// one, it was asked before.
fn may_sit_together(show: &Show, entry: &Entry) -> bool {
    let (look, wish) = (&show.look, &entry.wish);
    let is_any = wish.adjacency != Adjacency::Required || wish.bays > 0 || look.everywhere || !look.sections.is_empty();
    if is_any || has_joined(show, entry) {
        return true;
    }
    let runs = show.rows.iter().flat_map(|row| free_runs(row, |seat| suits(show, entry, *seat)));
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
    for entry in queueing(show) {
        let wish = &entry.wish;
        let is_alone = wish.quantity < 2 || wish.adjacency == Adjacency::Required || wish.bays > 0;
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
fn queueing(show: &Show) -> Vec<Entry> {
    let is_one = |entry: &&&Entry| entry.gathers_until.is_none() && is_looked_at(show, entry) && may_have(show, entry);
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
fn suits(show: &Show, entry: &Entry, seat: usher_engine::ids::SeatIndex) -> bool {
    let (wish, own): (&Wish, _) = (&entry.wish, Places::default());
    let search = Search { show, wish, channels: entry.channels.clone(), own: &own, id: entry.id };
    search.is_free(seat, false) || (wish.bays > 0 && search.is_free(seat, true))
}

/// Of what came back and is free still, at most so many places that an entry wishes for.
fn returned_for(show: &Show, entry: &Entry, max: u32) -> Places {
    let own = Places::default();
    let search = Search { show, wish: &entry.wish, channels: entry.channels.clone(), own: &own, id: entry.id };
    let seats = show.look.seats.iter().copied().filter(|seat| suits(show, entry, *seat)).take(max as usize);
    let seats: Vec<_> = seats.collect();
    let mut units = None;
    if let [section] = *entry.wish.sections
        && show.look.sections.contains(&section)
        && search.will_do(show.units[&section].category)
    {
        units = Some((section, search.room(section).min(max))).filter(|(_, units)| *units > 0);
    }
    let places = Places::new(seats, units).unwrap_or_default();
    if has_capacity(show, &places) { places } else { Places::default() }
}

/// Whether a buyer may have what he waits for, and one hold more.
fn may_have(show: &Show, entry: &Entry) -> bool {
    let policy = &show.policy;
    show.places_of_buyer(&entry.buyer) + entry.wish.quantity <= policy.places_per_buyer_max
        && show.live_holds_of_buyer(&entry.buyer) < policy.live_holds_per_buyer_max
        && show.live_holds() < policy.holds_per_show_max
}

fn has_capacity(show: &Show, places: &Places) -> bool {
    show.parts.capacity.is_none_or(|capacity| show.taken() + places.count() <= capacity)
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
