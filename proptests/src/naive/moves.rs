//! How places change hands in the naive model, and how holds end.

use std::collections::BTreeMap;

use usher_engine::{
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::{ENDED_HOLD_RETENTION_MS, HoldState, places::Places},
    rejection::{Conflicts, GaShortage},
    time::Timestamp,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    records::{Hold, Look, Owner, Units},
    show::Show,
};

/// Seats, and sections, that are looked at one by one.
const NOTED_MAX: usize = 64;
/// Ended holds that may be forgotten whenever one more ends.
const FORGOTTEN_AT_ONCE: usize = 4;

impl Show {
    /// To held.
    pub(super) fn take(&mut self, id: HoldId, places: &Places) {
        self.set_seats(places, Owner::Held(id));
        for (section, units) in places.ga() {
            *self.units_mut(section).held.entry(id).or_default() += units;
        }
    }

    /// To gathered.
    pub(super) fn gather(&mut self, id: HoldId, places: &Places) {
        self.set_seats(places, Owner::Gathered(id));
        for (section, units) in places.ga() {
            *self.units_mut(section).gathered.entry(id).or_default() += units;
        }
    }

    /// All that a hold has goes from held to sold.
    pub(super) fn sell(&mut self, id: HoldId) {
        let places = self.places_of(id);
        self.set_seats(&places, Owner::Sold(id));
        for (section, units) in places.ga() {
            let own = self.units_mut(section);
            own.held.remove(&id);
            own.sold.insert(id, units);
        }
    }

    /// From a hold, a booking or an entry to nobody. Those who wait are to be looked at.
    pub(super) fn put_back(&mut self, id: HoldId, places: &Places) {
        self.drop_places(id, places);
        self.came_back(places);
        // Where a capacity was in the way, there is room now for anybody.
        let is_limited = self.parts.capacity.is_some() || !self.parts.pools.is_empty();
        if is_limited && !places.is_empty() {
            self.look_everywhere();
        }
    }

    /// From a hold, a booking or an entry to nobody.
    pub(super) fn drop_places(&mut self, id: HoldId, places: &Places) {
        self.set_seats(places, Owner::Nobody);
        for (section, units) in places.ga() {
            let own = self.units_mut(section);
            for list in [&mut own.held, &mut own.sold, &mut own.gathered] {
                subtract(list, id, units);
            }
        }
    }

    fn set_seats(&mut self, places: &Places, owner: Owner) {
        places.seats().for_each(|seat| self.seats[seat.0 as usize].owner = owner);
    }

    pub(super) fn units_mut(&mut self, section: SectionIndex) -> &mut Units {
        self.units.get_mut(&section).unwrap()
    }

    /// Those who wait for such places are to be looked at.
    pub(super) fn came_back(&mut self, places: &Places) {
        let (seats, ga) = (places.seats().collect::<Vec<_>>(), places.ga().collect::<Vec<_>>());
        self.look_at_new(&seats, &ga);
    }

    pub(super) fn look_at_new(&mut self, seats: &[SeatIndex], ga: &[(SectionIndex, u32)]) {
        if self.entries.is_empty() {
            return;
        }
        self.look.noted[0] += seats.len();
        self.look.noted[1] += ga.len();
        self.look.seats.extend(seats);
        self.look.sections.extend(ga.iter().map(|(section, _)| section));
        self.look.everywhere |= self.look.noted.iter().any(|noted| *noted > NOTED_MAX);
    }

    pub(super) fn look_everywhere(&mut self) {
        if !self.entries.is_empty() {
            self.look.everywhere = true;
        }
    }

    pub(super) fn looked(&mut self) {
        self.look = Look::default();
    }

    /// Stores a hold whose places it has.
    pub(super) fn insert(&mut self, id: HoldId, hold: Hold) {
        let spread = self.policy.return_spread_ms;
        let returns_later_ms = match self.lapses.get(&hold.buyer) {
            Some(_) if spread > 0 => xxh3_64(id.as_bytes()) % spread,
            _ => 0,
        };
        self.holds.insert(id, Hold { returns_later_ms, ..hold });
    }

    /// An id that was given back before it was used.
    pub(super) fn fence(&mut self, id: HoldId, buyer: &BuyerId, now: Timestamp) {
        let fence = Hold::new(buyer, Places::default(), self.policy.hold_ttl_default, now, now);
        self.holds.insert(id, Hold { state: HoldState::Fenced, ..fence });
        self.remember_ended(id, now);
    }

    /// A live hold ends without a sale.
    pub(super) fn end(&mut self, id: HoldId, state: HoldState, now: Timestamp) {
        let had = self.places_of(id);
        self.put_back(id, &had);
        let hold = self.hold_mut(id);
        (hold.state, hold.had) = (state, had);
        self.remember_ended(id, now);
    }

    /// Each time a hold ends, the oldest of those that ended a retention ago are forgotten, and who has no other.
    pub(super) fn remember_ended(&mut self, id: HoldId, now: Timestamp) {
        self.ended.push((now, id));
        let old = |(at, _): &&(Timestamp, HoldId)| now.0 - at.0 >= ENDED_HOLD_RETENTION_MS;
        let forgotten = self.ended.iter().take_while(old).count().min(FORGOTTEN_AT_ONCE);
        let forgotten: Vec<_> = self.ended.drain(..forgotten).collect();
        for (_, id) in forgotten {
            // Sold late, it is remembered for ever.
            if self.holds[&id].is_ended() {
                self.holds.remove(&id);
            }
        }
        self.forget_buyers();
    }

    pub(super) fn forget_buyers(&mut self) {
        let holds = &self.holds;
        self.lapses.retain(|buyer, _| holds.values().any(|hold| hold.buyer == *buyer));
    }
}

fn subtract(list: &mut BTreeMap<HoldId, u32>, id: HoldId, units: u32) {
    if let Some(own) = list.get_mut(&id) {
        *own -= units;
        if *own == 0 {
            list.remove(&id);
        }
    }
}

/// What of `wanted` is not in `own`.
pub(super) fn missing(wanted: &Places, own: &Places) -> Conflicts {
    let shortage = |(section, requested)| GaShortage { section, requested, available: units_of(own, section) };
    Conflicts {
        seats: wanted.seats().filter(|&seat| !has_seat(own, seat)).collect(),
        ga: wanted.ga().map(shortage).filter(|shortage| shortage.requested > shortage.available).collect(),
    }
}

pub(super) fn has_seat(places: &Places, seat: SeatIndex) -> bool {
    places.seats().any(|other| other == seat)
}

pub(super) fn units_of(places: &Places, section: SectionIndex) -> u32 {
    places.ga().filter(|&(other, _)| other == section).map(|(_, units)| units).sum()
}

/// What of some places is not among others.
pub(super) fn minus(some: &Places, others: &Places) -> Places {
    let seats = some.seats().filter(|&seat| !has_seat(others, seat));
    let ga = some.ga().map(|(section, units)| (section, units.saturating_sub(units_of(others, section))));
    Places::new(seats, ga.filter(|(_, units)| *units > 0)).unwrap_or_default()
}
