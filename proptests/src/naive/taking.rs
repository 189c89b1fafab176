//! What is checked of whoever takes places, in the order of the refusals.

use usher_engine::{
    command::Terms,
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    inventory::{HoldState, blocks::BlockKind, places::Places, sale::ShowState},
    rejection::{Conflicts, GaShortage, Limit, Rejection},
    time::Timestamp,
};

use super::{
    live_hold,
    moves::{minus, units_of},
    records::{Owner, Seat},
    show::Show,
};

/// Who asks, on which terms, and what he gives up for it.
pub(super) struct Taking<'a> {
    pub(super) show: &'a Show,
    pub(super) buyer: &'a BuyerId,
    pub(super) terms: Terms,
    pub(super) any_channel: bool,
    pub(super) replaced: Option<HoldId>,
    /// Other holds of his that lose the seats that are wanted now, by id.
    pub(super) moved: Vec<HoldId>,
    pub(super) exchanged: Option<HoldId>,
    pub(super) now: Timestamp,
}

/// What ends or shrinks with a grant, and how long the new hold may live.
pub(super) struct GivenUp {
    pub(super) replaced: Option<HoldId>,
    pub(super) moved: Vec<HoldId>,
    pub(super) life_ends: Timestamp,
}

impl<'a> Taking<'a> {
    pub(super) fn begin(
        show: &'a Show,
        buyer: &'a BuyerId,
        terms: Terms,
        states: &[ShowState],
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        if let Some(id) = terms.replaces {
            let is_pinned = live_hold(show, id, buyer, now)?.pinned_from.is_some();
            if is_pinned || show.is_prepared(id) {
                return Err(Rejection::HoldPinned);
            }
            show.must_be_alone(id)?;
        }
        show.must_be(states, now)?;
        for key in &terms.channels {
            if show.channels.iter().all(|channel| channel.key != *key) {
                return Err(Rejection::ChannelUnknown { key: key.clone() });
            }
        }
        if terms.manifest_version > Some(show.manifest_version) {
            return Err(Rejection::ManifestNotReached { version: show.manifest_version });
        }
        let replaced = terms.replaces;
        Ok(Self { show, buyer, terms, any_channel: false, replaced, moved: Vec::new(), exchanged: None, now })
    }

    pub(super) fn check(&mut self, places: &Places) -> Result<(), Rejection> {
        let unknown = self.show.unknown(places);
        if !unknown.is_empty() {
            return Err(Rejection::PlacesUnknown(unknown));
        }
        self.check_version(places)?;
        if self.exchanged.is_none() {
            self.find_moved(places);
        }
        self.check_limits(places.count(), self.given_up(places).1, self.emptied(places))?;
        let has = |seat: SeatIndex| self.exchanged.is_some_and(|id| self.show.seat(seat).owner == Owner::Sold(id));
        let is_protected = |seat: &SeatIndex| self.show.seat(*seat).is_protected() && !has(*seat);
        let protected: Vec<SeatIndex> = places.seats().filter(is_protected).collect();
        if !self.terms.accessible && !protected.is_empty() {
            return Err(Rejection::PlacesProtected(Conflicts { seats: protected.into(), ga: Vec::new().into() }));
        }
        self.check_capacities(places)?;
        let taken = self.taken(places);
        if taken.is_empty() { Ok(()) } else { Err(Rejection::PlacesTaken(taken)) }
    }

    /// Refuses places that mean something else since the version that the caller saw.
    fn check_version(&self, places: &Places) -> Result<(), Rejection> {
        let Some(seen) = self.terms.manifest_version else { return Ok(()) };
        let since = || self.show.changed.iter().filter(|(version, ..)| *version > seen);
        let seats = places.seats().filter(|seat| since().any(|(_, seats, _)| seats.contains(seat)));
        let ga = places.ga().filter(|(section, _)| since().any(|(.., sections)| sections.contains(section)));
        let shortage = |(section, requested)| {
            let available = self.show.units[&section].available();
            GaShortage { section, requested, available }
        };
        let conflicts = Conflicts { seats: seats.collect(), ga: ga.map(shortage).collect() };
        if conflicts.is_empty() {
            return Ok(());
        }
        Err(Rejection::ManifestChanged { version: self.show.manifest_version, places: Box::new(conflicts) })
    }

    fn find_moved(&mut self, places: &Places) {
        for (&id, hold) in &self.show.holds {
            let is_live = self.show.state_of(hold, self.now) == HoldState::Held && hold.pinned_from.is_none();
            let is_alone = hold.group.is_none();
            let is_his = hold.buyer == *self.buyer && is_alone && self.replaced != Some(id);
            let is_wanted = places.seats().any(|seat| self.show.seat(seat).owner == Owner::Held(id));
            if is_live && is_his && is_wanted {
                self.moved.push(id);
            }
        }
    }

    /// Seats of these that come from his other holds.
    fn moved_seats(&self, places: &Places) -> Vec<SeatIndex> {
        let is_moved = |seat: &SeatIndex| self.moved.iter().any(|id| self.show.seat(*seat).owner == Owner::Held(*id));
        places.seats().filter(is_moved).collect()
    }

    /// All that he has no more afterwards, and how many places that is.
    fn given_up(&self, places: &Places) -> (Vec<Places>, u32) {
        let whole = self.replaced.into_iter().chain(self.exchanged).map(|id| self.show.places_of(id));
        let moved = Places::new(self.moved_seats(places), []).unwrap_or_default();
        let all: Vec<Places> = whole.chain([moved]).collect();
        let count = all.iter().map(Places::count).sum();
        (all, count)
    }

    /// Of his other holds those that lose all that they have.
    fn emptied(&self, places: &Places) -> u32 {
        let moved = Places::new(self.moved_seats(places), []).unwrap_or_default();
        let emptied = self.moved.iter().filter(|id| minus(&self.show.places_of(**id), &moved).is_empty());
        u32::try_from(emptied.count()).unwrap()
    }

    /// For so many places, while so many are given up and so many other holds are emptied.
    pub(super) fn check_limits(&self, count: u32, given_up: u32, emptied: u32) -> Result<(), Rejection> {
        let (show, policy) = (self.show, &self.show.policy);
        let ended = emptied + u32::from(self.replaced.is_some());
        let mut limits = vec![(Limit::PlacesPerHold, count, policy.places_per_hold_max)];
        // An exchange makes no hold.
        if self.exchanged.is_none() {
            limits.push((Limit::HoldsPerShow, show.live_holds() + 1 - ended, policy.holds_per_show_max));
            let own = show.live_holds_of_buyer(self.buyer) + 1 - ended;
            limits.push((Limit::LiveHoldsPerBuyer, own, policy.live_holds_per_buyer_max));
        }
        let places = show.places_of_buyer(self.buyer) + count - given_up;
        limits.push((Limit::PlacesPerBuyer, places, policy.places_per_buyer_max));
        // The staff may give one buyer more, but not more than a show can keep.
        let overrides = self.terms.override_reason.is_some();
        if overrides {
            limits.retain(|(limit, ..)| *limit == Limit::HoldsPerShow);
        }
        for (limit, wanted, max) in limits {
            if wanted > max {
                return Err(Rejection::LimitReached { limit, max: u64::from(max) });
            }
        }
        match show.lapses.get(self.buyer) {
            Some(lapses) if self.now < lapses.cools_until && !overrides => {
                Err(Rejection::CoolingDown { until: lapses.cools_until })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_capacities(&self, places: &Places) -> Result<(), Rejection> {
        let (given_up, given_up_count) = self.given_up(places);
        let check = |pool: Option<&str>, requested: u32, available: u32| {
            let pool = pool.map(Into::into);
            if requested <= available { Ok(()) } else { Err(Rejection::CapacityReached { pool, requested, available }) }
        };
        if let Some(capacity) = self.show.parts.capacity {
            check(None, places.count(), capacity.saturating_sub(self.show.taken() - given_up_count))?;
        }
        for pool in &self.show.parts.pools {
            let of_pool = |places: &Places| pool.sections.iter().map(|section| units_of(places, *section)).sum::<u32>();
            let given_up: u32 = given_up.iter().map(of_pool).sum();
            let left = pool.capacity.saturating_sub(self.show.taken_of(&pool.sections) - given_up);
            if of_pool(places) > 0 {
                check(Some(&pool.name), of_pool(places), left)?;
            }
        }
        Ok(())
    }

    pub(super) fn reaches(&self, seat: &Seat) -> bool {
        seat.channel.is_none_or(|channel| {
            let channel = &self.show.channels[channel];
            self.any_channel || channel.is_open || self.terms.channels.contains(&channel.key)
        })
    }

    /// Whether nobody has this seat, and he may take it.
    fn is_free_for_him(&self, seat: SeatIndex) -> bool {
        let seat = self.show.seat(seat);
        let is_house = seat.mark.as_ref().is_some_and(|mark| mark.kind == BlockKind::House);
        (seat.is_available() || (self.terms.house && seat.is_blocked() && is_house)) && self.reaches(seat)
    }

    /// Whether it comes back from what he gives up as a whole.
    fn comes_back(&self, seat: SeatIndex) -> bool {
        let owner = self.show.seat(seat).owner;
        self.replaced.is_some_and(|id| owner == Owner::Held(id))
            || self.exchanged.is_some_and(|id| owner == Owner::Sold(id))
    }

    /// Whether he could take this seat once he has given up what he gives up.
    pub(super) fn is_reachable(&self, seat: SeatIndex) -> bool {
        let is_his_kind = self.terms.accessible || !self.show.seat(seat).is_protected();
        is_his_kind && (self.comes_back(seat) || self.is_free_for_him(seat))
    }

    pub(super) fn taken(&self, places: &Places) -> Conflicts {
        let moved = self.moved_seats(places);
        let is_free = |seat: SeatIndex| self.comes_back(seat) || moved.contains(&seat) || self.is_free_for_him(seat);
        let own = |section: SectionIndex| -> u32 {
            let whole = self.replaced.into_iter().chain(self.exchanged);
            whole.map(|id| units_of(&self.show.places_of(id), section)).sum()
        };
        let shortage = |(section, requested)| {
            let units = &self.show.units[&section];
            let taken = units.taken() + units.blocked.values().sum::<u32>() - own(section);
            GaShortage { section, requested, available: units.capacity.saturating_sub(taken) }
        };
        Conflicts {
            seats: places.seats().filter(|seat| !is_free(*seat)).collect(),
            ga: places.ga().map(shortage).filter(|shortage| shortage.requested > shortage.available).collect(),
        }
    }

    /// Places of the hold that is replaced.
    pub(super) fn replaced_places(&self) -> Places {
        self.replaced.map(|id| self.show.places_of(id)).unwrap_or_default()
    }

    pub(super) fn give_up(&self) -> GivenUp {
        let from = self.replaced.iter().chain(&self.moved).map(|id| self.show.life_ends(&self.show.holds[id]));
        let own = Timestamp(self.now.0 + self.show.policy.hold_life_ms_max);
        let life_ends = from.chain([own]).min().unwrap();
        GivenUp { replaced: self.replaced, moved: self.moved.clone(), life_ends }
    }
}
