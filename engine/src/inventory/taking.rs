//! What every command that takes places must check: that they exist, that the buyer may have them, and that they are
//! free, his own counting as free where he gives them up for the new ones.
//!
//! Nothing is decided about how they are chosen, or what becomes of them.

use smallvec::SmallVec;

use super::{
    hold::{Hold, HoldState},
    live_hold,
    places::Places,
    policy::OrphanRule,
    sale::ShowState,
    show::Show,
};
use crate::{
    command::Terms,
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    rejection::{Conflicts, GaShortage, Limit, Rejection},
    time::Timestamp,
};

/// The request's side: who asks, on which terms, and what he gives up for it.
pub(super) struct Taking<'a> {
    pub(super) show: &'a Show,
    pub(super) buyer: &'a BuyerId,
    pub(super) terms: &'a Terms,
    /// Where he is among the show's buyers, if he is.
    slot: Option<u32>,
    /// The channels that he may draw from, a bit each.
    pub(super) reach: u64,
    /// Ends with the new hold.
    pub(super) replaced: Option<&'a Hold>,
    /// Lose the seats that are wanted now.
    pub(super) moved: SmallVec<[&'a Hold; 2]>,
    /// Gets the new places for its own.
    pub(super) exchanged: Option<&'a Hold>,
    pub(super) now: Timestamp,
}

impl<'a> Taking<'a> {
    /// Of whoever gives nothing up so far.
    #[inline]
    pub(super) fn new(show: &'a Show, buyer: &'a BuyerId, terms: &'a Terms, now: Timestamp) -> Self {
        let (replaced, moved, exchanged) = (None, SmallVec::new(), None);
        let slot = show.buyers.find_slot(buyer);
        Self { show, buyer, terms, slot, reach: show.channels.open, replaced, moved, exchanged, now }
    }

    /// # Errors
    /// When there is no such hold of the buyer to replace, the show is not in one of these `states`, there is no such
    /// channel, or no such version of the manifest yet.
    pub(super) fn begin(&mut self, replaces: Option<HoldId>, states: &[ShowState]) -> Result<(), Rejection> {
        if let Some(id) = replaces {
            let replaced = live_hold(self.show, id, self.buyer, self.now)?;
            if replaced.is_pinned() {
                return Err(Rejection::HoldPinned);
            }
            self.show.must_be_alone(id)?;
            self.replaced = Some(replaced);
        }
        self.show.must_be(states, self.now)?;
        if !self.terms.channels.is_empty() {
            self.reach |= self.show.channels.named(&self.terms.channels)?;
        }
        let version = self.show.manifest_version;
        if self.terms.manifest_version.is_some_and(|seen| seen > version) {
            return Err(Rejection::ManifestNotReached { version });
        }
        Ok(())
    }

    /// Checks places that the caller named, all but whether they are free, and finds the holds that they come from.
    ///
    /// # Errors
    /// The first reason by precedence.
    pub(super) fn check(&mut self, places: &Places) -> Result<(), Rejection> {
        let is_free = self.is_free(places);
        if !is_free {
            let unknown = self.show.unknown(places);
            if !unknown.is_empty() {
                return Err(Rejection::PlacesUnknown(unknown));
            }
        }
        self.show.check_manifest_version(self.terms.manifest_version, places)?;
        if !is_free && self.exchanged.is_none() {
            self.find_own(places);
        }
        self.check_limits(places)?;
        if is_free && !self.show.has_capacities() {
            return Ok(());
        }
        if !self.terms.accessible && self.show.has_protected(places) {
            // What the booking has already was asked for then.
            let has = |seat| self.exchanged.is_some_and(|booking| booking.remaining().contains_seat(seat));
            let seats: SmallVec<_> = places.seats().filter(|seat| self.is_protected(*seat) && !has(*seat)).collect();
            if !seats.is_empty() {
                return Err(Rejection::PlacesProtected(Conflicts { seats, ga: SmallVec::new() }));
            }
        }
        self.check_capacities(places)
    }

    /// The quick question: all exist, are available to everybody, and nothing is given up for them.
    fn is_free(&self, places: &Places) -> bool {
        self.replaced.is_none() && self.exchanged.is_none() && self.show.are_free_to_all(places)
    }

    fn is_protected(&self, seat: SeatIndex) -> bool {
        self.show.manifest.protected().contains(seat)
    }

    /// Other live holds of the buyer that have some of these seats.
    fn find_own(&mut self, places: &Places) {
        let Some(buyer) = self.slot.filter(|slot| self.show.buyers.get(*slot).live_holds > 0) else { return };
        let holds = self.show.buyers.holds_of(buyer).map(|slot| self.show.holds.get(slot));
        let live = holds.filter(|hold| hold.state == HoldState::Held && !self.show.is_over(hold, self.now));
        let others = live.filter(|hold| {
            !hold.is_pinned()
                && self.show.membership(hold.id).is_none()
                && self.replaced.is_none_or(|replaced| replaced.id != hold.id)
        });
        self.moved = others.filter(|hold| places.seats().any(|seat| hold.remaining().contains_seat(seat))).collect();
        self.moved.sort_unstable_by_key(|hold| hold.id);
    }

    /// Whether the buyer gives up this seat for the new ones.
    fn gives_up(&self, seat: SeatIndex) -> bool {
        !self.gives_up_nothing() && self.given_up().any(|hold| hold.remaining().contains_seat(seat))
    }

    fn given_up(&self) -> impl Iterator<Item = &'a Hold> + '_ {
        self.replaced.into_iter().chain(self.exchanged).chain(self.moved.iter().copied())
    }

    /// Units of a section that the buyer gives up.
    fn units_given_up(&self, section: SectionIndex) -> u32 {
        self.replaced.into_iter().chain(self.exchanged).map(|hold| hold.remaining().units_of(section)).sum()
    }

    fn gives_up_nothing(&self) -> bool {
        self.replaced.is_none() && self.exchanged.is_none() && self.moved.is_empty()
    }

    /// Places that the buyer has no more afterwards.
    fn count_given_up(&self, places: &Places) -> u32 {
        if self.gives_up_nothing() {
            return 0;
        }
        let whole: u32 = self.replaced.into_iter().chain(self.exchanged).map(|hold| hold.remaining().count()).sum();
        let moved = places.seats().filter(|seat| self.moved.iter().any(|hold| hold.remaining().contains_seat(*seat)));
        whole + u32::try_from(moved.count()).unwrap_or(u32::MAX)
    }

    /// # Errors
    /// [`Rejection::LimitReached`] or [`Rejection::CoolingDown`].
    pub(super) fn check_limits(&self, places: &Places) -> Result<(), Rejection> {
        // Only seats move: a hold that keeps units goes on.
        let is_emptied = |hold: &&&Hold| {
            let remaining = hold.remaining();
            remaining.ga().len() == 0 && remaining.seats().all(|seat| places.contains_seat(seat))
        };
        let emptied = self.moved.iter().filter(is_emptied).count();
        let ended = u32::try_from(emptied).unwrap_or(0) + u32::from(self.replaced.is_some());
        let gain = Gain {
            places: places.count(),
            given_up: self.count_given_up(places),
            // An exchange makes no hold.
            holds: u32::from(self.exchanged.is_none()),
            ended,
            overrides: self.terms.override_reason.is_some(),
        };
        check_limits(self.show, self.slot, &gain, self.now)
    }

    /// Of all limits only that of what a buyer may have.
    ///
    /// # Errors
    /// [`Rejection::LimitReached`].
    pub(super) fn check_places_of_buyer(&self, places: &Places) -> Result<(), Rejection> {
        let has = self.slot.map_or(0, |slot| self.show.buyers.get(slot).places);
        let max = self.show.policy.places_per_buyer_max;
        if has + places.count() <= max {
            return Ok(());
        }
        Err(Rejection::LimitReached { limit: Limit::PlacesPerBuyer, max: u64::from(max) })
    }

    /// # Errors
    /// [`Rejection::CapacityReached`].
    pub(super) fn check_capacities(&self, places: &Places) -> Result<(), Rejection> {
        let parts = self.show.manifest.parts();
        if let Some(capacity) = parts.capacity {
            let left = capacity.saturating_sub(self.show.taken_places() - self.count_given_up(places));
            check_capacity(None, places.count(), left)?;
        }
        for pool in &parts.pools {
            let of_pool = |section: &SectionIndex| pool.sections.contains(section);
            let requested: u32 = places.ga().filter(|(section, _)| of_pool(section)).map(|(_, units)| units).sum();
            let left = pool.capacity.saturating_sub(self.show.taken_of_pool(pool) - self.given_up_of_pool(pool));
            if requested > 0 {
                check_capacity(Some(pool.name.as_str().into()), requested, left)?;
            }
        }
        Ok(())
    }

    fn given_up_of_pool(&self, pool: &super::manifest::Pool) -> u32 {
        pool.sections.iter().map(|section| self.units_given_up(*section)).sum()
    }

    /// Whether nobody has this seat, and the buyer may take it.
    fn is_free_for_him(&self, seat: SeatIndex) -> bool {
        (self.show.available.contains(seat) || (self.terms.house && self.show.blocks.is_house(seat)))
            && self.show.channels.reaches(seat, self.reach)
    }

    /// Whether the buyer could take this seat: free, given up, and not kept for others.
    pub(super) fn is_reachable(&self, seat: SeatIndex) -> bool {
        let gives_up = self.replaced.into_iter().chain(self.exchanged).any(|hold| hold.remaining().contains_seat(seat));
        (self.terms.accessible || !self.is_protected(seat)) && (gives_up || self.is_free_for_him(seat))
    }

    /// Whether the buyer can have all of these known places.
    pub(super) fn can_have(&self, places: &Places) -> bool {
        let has_room = |(section, units): (SectionIndex, u32)| {
            units <= self.show.ga_available_besides(section, self.units_given_up(section))
        };
        places.seats().all(|seat| self.gives_up(seat) || self.is_free_for_him(seat)) && places.ga().all(has_room)
    }

    /// The refusal of places of which the buyer cannot have all.
    pub(super) fn refuse<T>(&self, places: &Places) -> Result<T, Rejection> {
        let is_his = |seat| self.gives_up(seat) || self.is_free_for_him(seat);
        let room = |section| self.show.ga_available_besides(section, self.units_given_up(section));
        refuse_taken(places, is_his, room)
    }

    /// The latest deadline that extending the new hold can reach: what the oldest of the given-up holds had.
    pub(super) fn extendable_until(&self) -> Timestamp {
        let inherited = self.replaced.into_iter().chain(self.moved.iter().copied());
        let inherited = inherited.map(|hold| self.show.extendable_until_of(hold));
        inherited.min().unwrap_or(Timestamp(u64::MAX)).min(self.show.extendable_until(self.now))
    }

    /// Nothing but a plain grant: what a `HoldGranted` event can say.
    pub(super) fn is_plain(&self) -> bool {
        self.replaced.is_none() && self.moved.is_empty()
    }
}

impl Show {
    /// Whether whoever asks on no terms is only asked whether the places are free to all.
    #[inline]
    pub(super) fn is_open_to_all(&self, now: Timestamp) -> bool {
        self.sale.state_at(now) == ShowState::OnSale
            && self.policy.orphan_rule_at(now) == OrphanRule::Off
            && !self.has_capacities()
    }

    /// Whether the show has all of these places, all are available, public, and not kept for those who need them.
    #[inline]
    pub(super) fn are_free_to_all(&self, places: &Places) -> bool {
        self.are_available(places)
            && (self.channels.all.is_empty()
                || places.seats().all(|seat| self.channels.reaches(seat, self.channels.open)))
            && !self.has_protected(places)
    }

    /// Whether all of these places exist, and none is kept for those who need them.
    #[inline]
    pub(super) fn are_for_all(&self, places: &Places) -> bool {
        let seats = self.manifest.seats();
        places.seats().all(|seat| seat.0 < seats && !self.is_retired(seat))
            && places.ga().all(|(section, _)| self.manifest.ga_capacity(section).is_some())
            && !self.has_protected(places)
    }

    /// The refusal of places that exist, of whoever gives nothing up for them.
    #[inline(always)]
    pub(super) fn refuse_taken<T>(&self, places: &Places) -> Result<T, Rejection> {
        let is_free = |seat| self.available.contains(seat) && self.channels.reaches(seat, self.channels.open);
        refuse_taken(places, is_free, |section| self.ga_available(section))
    }

    /// Whether some of these places are kept for those who need them.
    #[inline]
    fn has_protected(&self, places: &Places) -> bool {
        let protected = self.manifest.protected();
        !self.manifest.protected_rows().is_empty() && places.seats().any(|seat| protected.contains(seat))
    }
}

/// The refusal of places of which some are not free. Always inlined: moving it costs as much as deciding it.
#[inline(always)]
fn refuse_taken<T>(
    places: &Places,
    is_free: impl Fn(SeatIndex) -> bool,
    room: impl Fn(SectionIndex) -> u32,
) -> Result<T, Rejection> {
    let mut taken = Conflicts::default();
    for seat in places.seats().filter(|seat| !is_free(*seat)) {
        taken.seats.push(seat);
    }
    for (section, requested) in places.ga() {
        let available = room(section);
        if requested > available {
            taken.ga.push(GaShortage { section, requested, available });
        }
    }
    Err(Rejection::PlacesTaken(taken))
}

/// What a buyer gets, and what he gives up for it.
#[derive(Default)]
pub(super) struct Gain {
    pub(super) places: u32,
    pub(super) given_up: u32,
    /// New holds: one, or none where a booking changes.
    pub(super) holds: u32,
    pub(super) ended: u32,
    /// The staff set aside what limits one buyer.
    pub(super) overrides: bool,
}

/// Net of what is given up. `slot` is where the buyer is among the show's, if he is.
///
/// # Errors
/// [`Rejection::LimitReached`] or [`Rejection::CoolingDown`].
#[inline]
pub(super) fn check_limits(show: &Show, slot: Option<u32>, gain: &Gain, now: Timestamp) -> Result<(), Rejection> {
    let buyer = slot.map(|slot| show.buyers.get(slot));
    let (live_holds, places) = buyer.map_or((0, 0), |buyer| (buyer.live_holds, buyer.places));
    let live_then = |live: u32| if gain.holds == 0 { 0 } else { live + gain.holds - gain.ended };
    let policy = &show.policy;
    for (limit, wanted, max) in [
        (Limit::PlacesPerHold, gain.places, policy.places_per_hold_max),
        (Limit::HoldsPerShow, live_then(show.holds.live()), policy.holds_per_show_max),
        (Limit::LiveHoldsPerBuyer, live_then(live_holds), policy.live_holds_per_buyer_max),
        (Limit::PlacesPerBuyer, places + gain.places - gain.given_up, policy.places_per_buyer_max),
    ] {
        if wanted > max && (!gain.overrides || limit == Limit::HoldsPerShow) {
            return Err(Rejection::LimitReached { limit, max: u64::from(max) });
        }
    }
    match show.cools_until(slot, now) {
        Some(until) if !gain.overrides => Err(Rejection::CoolingDown { until }),
        _ => Ok(()),
    }
}

fn check_capacity(pool: Option<Box<str>>, requested: u32, available: u32) -> Result<(), Rejection> {
    if requested <= available { Ok(()) } else { Err(Rejection::CapacityReached { pool, requested, available }) }
}

#[cfg(test)]
mod tests;
