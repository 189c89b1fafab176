//! One show of the naive model: who has which place, and every hold that is remembered.
//!
//! A seat names its owner; a hold does not list its seats. So a seat cannot have two owners here, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    event::ShowCreated,
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::{
        HoldDetails, HoldState, HoldView, Prices,
        blocks::Mark,
        manifest::{CategoryIndex, ManifestParts},
        places::Places,
        policy::Policy,
        sale::{Sale, ShowState, Stage},
    },
    rejection::{Conflicts, GaShortage, Rejection},
    time::Timestamp,
};

use super::{
    manifest,
    records::{Channel, Entry, Hold, Lapses, Look, Owner, Row, Seat, Units},
};

/// One show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    pub(super) created: ShowCreated,
    pub(super) policy: Policy,
    pub(super) sale: Sale,
    /// Names, prices, capacities; which category a seat has is told by the seat.
    pub(super) parts: ManifestParts,
    pub(super) manifest_version: u32,
    /// What changed its meaning, and with which version.
    pub(super) changed: Vec<(u32, BTreeSet<SeatIndex>, BTreeSet<SectionIndex>)>,
    pub(super) rows: Vec<Row>,
    pub(super) seats: Vec<Seat>,
    pub(super) units: BTreeMap<SectionIndex, Units>,
    pub(super) channels: Vec<Channel>,
    /// Ways and reasons of blocks, in the order of their first use.
    pub(super) marks: Vec<Mark>,
    pub(super) releases: BTreeMap<Mark, Timestamp>,
    pub(super) returns_due_at: Option<Timestamp>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    /// Oldest first.
    pub(super) ended: Vec<(Timestamp, HoldId)>,
    /// In the order in which they were confirmed.
    pub(super) booked: Vec<HoldId>,
    pub(super) lapses: BTreeMap<BuyerId, Lapses>,
    pub(super) entries: Vec<Entry>,
    pub(super) joined: u64,
    pub(super) look: Look,
}

impl Show {
    pub(super) fn new(created: ShowCreated) -> Self {
        let mut show = Self {
            policy: created.policy,
            sale: created.sale,
            parts: created.manifest.clone(),
            created,
            manifest_version: 1,
            changed: Vec::new(),
            rows: Vec::new(),
            seats: Vec::new(),
            units: BTreeMap::new(),
            channels: Vec::new(),
            marks: Vec::new(),
            releases: BTreeMap::new(),
            returns_due_at: None,
            holds: BTreeMap::new(),
            ended: Vec::new(),
            booked: Vec::new(),
            lapses: BTreeMap::new(),
            entries: Vec::new(),
            joined: 0,
            look: Look::default(),
        };
        for (section, description) in (0u32..).map(SectionIndex).zip(&show.created.manifest.sections.clone()) {
            manifest::add_section(&mut show, section, description);
        }
        show
    }

    pub(super) fn state_at(&self, now: Timestamp) -> ShowState {
        let is_over = self.sale.closes_at.is_some_and(|closes_at| closes_at <= now);
        match self.sale.stage {
            Stage::Draft => ShowState::Draft,
            Stage::Closed => ShowState::Closed,
            Stage::Cancelled => ShowState::Cancelled,
            Stage::Archived => ShowState::Archived,
            _ if is_over => ShowState::Closed,
            Stage::Paused { .. } => ShowState::Paused,
            Stage::Planned if self.sale.opens_at <= now => ShowState::OnSale,
            Stage::Planned => ShowState::Scheduled,
        }
    }

    pub(super) fn must_be(&self, states: &[ShowState], now: Timestamp) -> Result<(), Rejection> {
        let state = self.state_at(now);
        if states.contains(&state) {
            return Ok(());
        }
        let opens_at = if state == ShowState::Scheduled { Some(self.sale.opens_at) } else { None };
        Err(Rejection::ShowNotOpen { state, opens_at })
    }

    /// The instant that deadlines are compared with.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        match self.sale.stage {
            Stage::Paused { clocks_stand_since: Some(since) } if since < now => since,
            _ => now,
        }
    }

    /// The same deadline, if clocks that stand went on now.
    pub(super) fn if_clocks_went_on(&self, deadline: Timestamp, now: Timestamp) -> Timestamp {
        Timestamp(deadline.0 + now.0 - self.clock(now).0)
    }

    pub(super) fn state_of(&self, hold: &Hold, now: Timestamp) -> HoldState {
        let is_over = hold.expires_at <= self.clock(now);
        let is_prepared = hold.group.as_ref().is_some_and(|group| group.prepared.is_some());
        if hold.state == HoldState::Held && is_over && !is_prepared { HoldState::Expired } else { hold.state }
    }

    pub(super) fn life_ends(&self, hold: &Hold) -> Timestamp {
        hold.life_ends.unwrap_or(Timestamp(hold.granted_at.0 + self.policy.hold_life_ms_max))
    }

    pub(super) fn hold_mut(&mut self, id: HoldId) -> &mut Hold {
        self.holds.get_mut(&id).unwrap()
    }

    pub(super) fn entry(&self, id: HoldId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Entries that wait.
    pub(super) fn waiting(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap()
    }

    pub(super) fn seat(&self, seat: SeatIndex) -> &Seat {
        &self.seats[seat.0 as usize]
    }

    pub(super) fn seat_indexes(&self) -> impl Iterator<Item = SeatIndex> + use<> {
        (0..u32::try_from(self.seats.len()).unwrap()).map(SeatIndex)
    }

    pub(super) fn price_of_category(&self, category: CategoryIndex) -> u64 {
        self.parts.categories[usize::from(category.0)].price_minor
    }

    /// What the show does not have.
    pub(super) fn unknown(&self, places: &Places) -> Conflicts {
        let shortage = |(section, requested)| GaShortage { section, requested, available: 0 };
        let is_missing = |seat: &SeatIndex| {
            let seat = self.seats.get(seat.0 as usize);
            seat.is_none_or(|seat| seat.owner == Owner::Retired)
        };
        Conflicts {
            seats: places.seats().filter(is_missing).collect(),
            ga: places.ga().filter(|(section, _)| !self.units.contains_key(section)).map(shortage).collect(),
        }
    }

    /// What a hold or an entry has now: held, sold or gathered.
    pub(super) fn places_of(&self, id: HoldId) -> Places {
        let own = [Owner::Held(id), Owner::Sold(id), Owner::Gathered(id)];
        let seats = self.seat_indexes().filter(|seat| own.contains(&self.seat(*seat).owner));
        let units =
            |all: &Units| [&all.held, &all.sold, &all.gathered].into_iter().filter_map(|list| list.get(&id)).sum();
        let ga = self.units.iter().map(|(&section, all)| (section, units(all)));
        Places::new(seats, ga.filter(|(_, units)| *units > 0)).unwrap_or_default()
    }

    /// What a hold has as it stands now; an ended one has nothing.
    pub(super) fn places_now(&self, id: HoldId, now: Timestamp) -> Places {
        match self.state_of(&self.holds[&id], now) {
            HoldState::Held | HoldState::Confirmed => self.places_of(id),
            _ => Places::default(),
        }
    }

    pub(super) fn live_holds(&self) -> u32 {
        let live = self.holds.values().filter(|hold| hold.state == HoldState::Held);
        u32::try_from(live.count()).unwrap()
    }

    pub(super) fn live_holds_of_buyer(&self, buyer: &BuyerId) -> u32 {
        let live = self.holds.values().filter(|hold| hold.state == HoldState::Held && hold.buyer == *buyer);
        u32::try_from(live.count()).unwrap()
    }

    /// Held and sold.
    pub(super) fn places_of_buyer(&self, buyer: &BuyerId) -> u32 {
        let own = self.holds.iter().filter(|(_, hold)| hold.buyer == *buyer);
        own.map(|(&id, _)| self.places_of(id).count()).sum()
    }

    /// Held, gathered and sold, seats and units.
    pub(super) fn taken(&self) -> u32 {
        let owned = |seat: &&Seat| matches!(seat.owner, Owner::Held(_) | Owner::Sold(_) | Owner::Gathered(_));
        let seats = u32::try_from(self.seats.iter().filter(owned).count()).unwrap();
        seats + self.units.values().map(Units::taken).sum::<u32>()
    }

    pub(super) fn taken_of(&self, sections: &[SectionIndex]) -> u32 {
        sections.iter().map(|section| self.units[section].taken()).sum()
    }

    /// What places of a hold cost: as when it was granted.
    pub(super) fn price(&self, kept: &Prices, places: &Places) -> u64 {
        let of_seat = |seat: SeatIndex| {
            let kept = kept.seats.iter().find(|(other, _)| *other == seat).map(|(_, price)| *price);
            kept.unwrap_or_else(|| self.price_of_category(self.seat(seat).category))
        };
        let of_unit = |section: SectionIndex| {
            let kept = kept.ga.iter().find(|(other, _)| *other == section).map(|(_, price)| *price);
            kept.unwrap_or_else(|| self.price_of_category(self.units[&section].category))
        };
        let seats: u64 = places.seats().map(of_seat).sum();
        seats + places.ga().map(|(section, units)| of_unit(section) * u64::from(units)).sum::<u64>()
    }

    /// A hold as its caller sees it, with these places.
    pub(super) fn view(&self, id: HoldId, state: HoldState, places: &Places) -> Box<HoldView> {
        let hold = &self.holds[&id];
        let details = HoldDetails {
            placement: hold.placement,
            tickets: hold.tickets.clone(),
            prices: hold.prices.clone(),
            orphans: Vec::new(),
            is_offer: hold.is_offer,
            is_pinned: state == HoldState::Held && (hold.pinned_from.is_some() || self.is_prepared(id)),
            group: hold.group.clone(),
            refund_due: hold.state == HoldState::Confirmed && self.sale.stage == Stage::Cancelled,
            difference_minor: hold.difference_minor,
            refunded_minor: hold.refunded_minor,
            refund_minor: None,
            override_reason: hold.override_reason.clone(),
        };
        Box::new(HoldView {
            hold_id: id,
            buyer: hold.buyer.clone(),
            state,
            places: places.clone(),
            total_minor: self.price(&hold.prices, places),
            granted_at: hold.granted_at,
            expires_at: hold.expires_at,
            extendable_until: self.life_ends(hold),
            booking: hold.booking.clone(),
            more: if details == HoldDetails::default() { None } else { Some(Box::new(details)) },
        })
    }

    /// A hold with what it has now.
    pub(super) fn view_now(&self, id: HoldId, now: Timestamp) -> Box<HoldView> {
        self.view_at(id, &self.places_now(id, now), now)
    }

    /// A hold as it stands now, with these places.
    pub(super) fn view_at(&self, id: HoldId, places: &Places, now: Timestamp) -> Box<HoldView> {
        let state = self.state_of(&self.holds[&id], now);
        let mut view = self.view(id, state, places);
        if state == HoldState::Held {
            view.expires_at = self.if_clocks_went_on(view.expires_at, now);
            view.extendable_until = self.if_clocks_went_on(view.extendable_until, now);
        }
        view
    }
}
