//! One show of the naive model: who has which place, and every hold that is remembered.
//!
//! A seat names its owner; a hold does not list its seats. So a seat cannot have two owners here, whatever happens.

use std::collections::BTreeMap;

use usher_engine::{
    event::ShowCreated,
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::{
        Booking, ENDED_HOLD_RETENTION_MS, HoldState, HoldView,
        manifest::{CategoryIndex, SectionKind},
        places::Places,
        seat_map::GaCounts,
    },
    rejection::{Conflicts, GaShortage},
    time::{HoldTtl, Timestamp},
};

/// Ended holds that may be forgotten whenever one more ends.
const FORGOTTEN_AT_ONCE: usize = 4;

/// Whose a seat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatStatus {
    /// Nobody's.
    Available,
    /// A live hold's.
    Held(HoldId),
    /// A booking's.
    Sold(HoldId),
}

/// A hold of any state.
#[derive(Clone, Debug)]
pub struct Hold {
    pub(super) buyer: BuyerId,
    pub(super) granted: Places,
    pub(super) ttl: HoldTtl,
    pub(super) granted_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) state: HoldState,
    pub(super) booking: Option<Booking>,
}

impl Hold {
    pub(super) fn state_at(&self, now: Timestamp) -> HoldState {
        if self.state == HoldState::Held && self.expires_at <= now { HoldState::Expired } else { self.state }
    }
}

/// A general-admission section.
#[derive(Clone, Debug)]
struct Units {
    capacity: u32,
    price: u64,
    held: BTreeMap<HoldId, u32>,
    sold: BTreeMap<HoldId, u32>,
}

impl Units {
    fn available(&self) -> u32 {
        self.capacity - self.held.values().sum::<u32>() - self.sold.values().sum::<u32>()
    }
}

/// One show.
#[derive(Clone, Debug)]
pub struct Show {
    pub(super) created: ShowCreated,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    seats: Vec<SeatStatus>,
    seat_prices: Vec<u64>,
    units: BTreeMap<SectionIndex, Units>,
    /// Oldest first.
    ended: Vec<(Timestamp, HoldId)>,
}

impl Show {
    pub(super) fn new(created: ShowCreated) -> Self {
        let price = |category: CategoryIndex| created.manifest.categories[usize::from(category.0)].price_minor;
        let (mut seat_prices, mut units) = (Vec::new(), BTreeMap::new());
        for (index, section) in (0u32..).zip(&created.manifest.sections) {
            match &section.kind {
                SectionKind::Reserved(rows) => {
                    for run in rows.iter().flat_map(|row| &row.runs) {
                        (0..run.names.len()).for_each(|_| seat_prices.push(price(run.category)));
                    }
                }
                &SectionKind::GeneralAdmission { capacity, category } => {
                    let (held, sold) = (BTreeMap::new(), BTreeMap::new());
                    units.insert(SectionIndex(index), Units { capacity, price: price(category), held, sold });
                }
            }
        }
        let seats = vec![SeatStatus::Available; seat_prices.len()];
        Self { created, holds: BTreeMap::new(), seats, seat_prices, units, ended: Vec::new() }
    }

    /// Every seat's status, in the order of the manifest.
    #[must_use]
    pub fn seats(&self) -> &[SeatStatus] {
        &self.seats
    }

    /// Every general-admission section's counts, in the order of the manifest.
    #[must_use]
    pub fn ga_counts(&self) -> Vec<GaCounts> {
        let counts = |(&section, units): (&SectionIndex, &Units)| {
            let (held, sold) = (units.held.values().sum(), units.sold.values().sum());
            GaCounts { section, available: units.available(), held, sold }
        };
        self.units.iter().map(counts).collect()
    }

    /// What the show does not have.
    pub(super) fn unknown(&self, places: &Places) -> Conflicts {
        let shortage = |(section, requested)| GaShortage { section, requested, available: 0 };
        Conflicts {
            seats: places.seats().filter(|seat| self.seats.get(seat.0 as usize).is_none()).collect(),
            ga: places.ga().filter(|(section, _)| !self.units.contains_key(section)).map(shortage).collect(),
        }
    }

    /// What is not available.
    pub(super) fn taken(&self, places: &Places) -> Conflicts {
        let mut conflicts = Conflicts::default();
        for seat in places.seats() {
            if self.seats[seat.0 as usize] != SeatStatus::Available {
                conflicts.seats.push(seat);
            }
        }
        for (section, requested) in places.ga() {
            let available = self.units[&section].available();
            if available < requested {
                conflicts.ga.push(GaShortage { section, requested, available });
            }
        }
        conflicts
    }

    /// What a hold has now, held or sold.
    pub(super) fn places_of(&self, id: HoldId) -> Places {
        let own = [SeatStatus::Held(id), SeatStatus::Sold(id)];
        let seats = (0u32..).zip(&self.seats).filter(|(_, status)| own.contains(status));
        let units = |units: &Units| units.held.get(&id).or(units.sold.get(&id)).copied();
        let ga = self.units.iter().filter_map(|(&section, all)| Some((section, units(all)?)));
        Places::new(seats.map(|(seat, _)| SeatIndex(seat)), ga).unwrap_or_default()
    }

    /// Held and sold.
    pub(super) fn places_of_buyer(&self, buyer: &BuyerId) -> u32 {
        let own = self.holds.iter().filter(|(_, hold)| hold.buyer == *buyer);
        own.map(|(&id, _)| self.places_of(id).count()).sum()
    }

    /// Available to held.
    pub(super) fn take(&mut self, id: HoldId, places: &Places) {
        self.set_seats(places, SeatStatus::Held(id));
        for (section, units) in places.ga() {
            self.units.get_mut(&section).unwrap().held.insert(id, units);
        }
    }

    /// Held to available, as far as the hold still has these places. Units are counted from the grant.
    pub(super) fn give_back(&mut self, id: HoldId, places: &Places) {
        let granted = self.holds[&id].granted.clone();
        for seat in places.seats() {
            let status = &mut self.seats[seat.0 as usize];
            if *status == SeatStatus::Held(id) {
                *status = SeatStatus::Available;
            }
        }
        for (section, units) in places.ga() {
            let held = &mut self.units.get_mut(&section).unwrap().held;
            let of_grant = granted.ga().find(|&(other, _)| other == section).map_or(0, |(_, units)| units);
            let left = held.remove(&id).unwrap_or(0).min(of_grant.saturating_sub(units));
            if left > 0 {
                held.insert(id, left);
            }
        }
    }

    /// Available to sold.
    pub(super) fn sell(&mut self, id: HoldId, places: &Places) {
        self.set_seats(places, SeatStatus::Sold(id));
        for (section, units) in places.ga() {
            self.units.get_mut(&section).unwrap().sold.insert(id, units);
        }
    }

    fn set_seats(&mut self, places: &Places, status: SeatStatus) {
        places.seats().for_each(|seat| self.seats[seat.0 as usize] = status);
    }

    pub(super) fn hold_mut(&mut self, id: HoldId) -> &mut Hold {
        self.holds.get_mut(&id).unwrap()
    }

    /// An id that was released before it was held.
    pub(super) fn fence(&mut self, id: HoldId, buyer: &BuyerId, now: Timestamp) {
        let (buyer, granted, ttl) = (buyer.clone(), Places::default(), self.created.policy.hold_ttl_default);
        let state = HoldState::Fenced;
        let fence = Hold { buyer, granted, ttl, granted_at: now, expires_at: now, state, booking: None };
        self.holds.insert(id, fence);
        self.remember_ended(id, now);
    }

    /// A live hold ends without a sale.
    pub(super) fn end(&mut self, id: HoldId, state: HoldState, now: Timestamp) {
        self.give_back(id, &self.holds[&id].granted.clone());
        self.hold_mut(id).state = state;
        self.remember_ended(id, now);
    }

    /// Each time a hold ends, the oldest of those that ended a retention ago are forgotten.
    fn remember_ended(&mut self, id: HoldId, now: Timestamp) {
        self.ended.push((now, id));
        let old = |(at, _): &&(Timestamp, HoldId)| now.0 - at.0 >= ENDED_HOLD_RETENTION_MS;
        let forgotten = self.ended.iter().take_while(old).count().min(FORGOTTEN_AT_ONCE);
        for (_, id) in self.ended.drain(..forgotten) {
            self.holds.remove(&id);
        }
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<HoldId> {
        let live = self.holds.iter().filter(|(_, hold)| hold.state == HoldState::Held && hold.expires_at <= now);
        let mut due: Vec<_> = live.map(|(&id, hold)| (hold.expires_at, id)).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// A hold as its caller sees it, with these places.
    pub(super) fn view(&self, id: HoldId, state: HoldState, places: &Places) -> HoldView {
        let hold = &self.holds[&id];
        let seats: u64 = places.seats().map(|seat| self.seat_prices[seat.0 as usize]).sum();
        let ga: u64 = places.ga().map(|(section, units)| self.units[&section].price * u64::from(units)).sum();
        HoldView {
            hold_id: id,
            buyer: hold.buyer.clone(),
            state,
            places: places.clone(),
            total_minor: seats + ga,
            granted_at: hold.granted_at,
            expires_at: hold.expires_at,
            extendable_until: Timestamp(hold.granted_at.0 + self.created.policy.hold_life_ms_max),
            booking: hold.booking.clone(),
        }
    }
}

/// What of `wanted` is not in `own`.
pub(super) fn missing(wanted: &Places, own: &Places) -> Conflicts {
    let units_of = |section| own.ga().filter(|&(other, _)| other == section).map(|(_, units)| units).sum::<u32>();
    let shortage = |(section, requested)| GaShortage { section, requested, available: units_of(section) };
    Conflicts {
        seats: wanted.seats().filter(|&seat| own.seats().all(|other| other != seat)).collect(),
        ga: wanted.ga().map(shortage).filter(|shortage| shortage.requested > shortage.available).collect(),
    }
}
