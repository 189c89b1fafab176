//! One show: its manifest, the status of its places, its holds and buyers. What every command reads and events change.
//!
//! Its methods are the vocabulary of the commands' files; no rule is decided here.

use std::sync::Arc;

use super::{
    buyers::Buyers,
    holds::{Booking, Hold, HoldState, Holds},
    manifest::Manifest,
    places::Places,
    policy::Policy,
    seat_bitmap::SeatBitmap,
};
use crate::{
    ids::{BuyerId, HoldId, SectionIndex, ShowId},
    rejection::{Conflicts, GaShortage, Rejection},
    time::Timestamp,
};

/// One performance.
#[derive(Debug)]
pub struct Show {
    pub(super) id: ShowId,
    pub(super) manifest: Arc<Manifest>,
    pub(super) policy: Policy,
    pub(super) available: SeatBitmap,
    /// A seat that is neither available nor sold is held.
    pub(super) sold: SeatBitmap,
    /// By section; all zero for sections of seats.
    pub(super) ga: Box<[GaTally]>,
    pub(super) holds: Holds,
    pub(super) buyers: Buyers,
    /// Rises with every event.
    pub(super) version: u64,
    /// The wake-up that the inventory has noted for this show. Not part of the state.
    pub(super) wake_up_at: Option<Timestamp>,
}

/// The units of a general-admission section that are not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GaTally {
    pub(super) held: u32,
    pub(super) sold: u32,
}

/// Where places go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Available,
    Held,
    Sold,
}

/// A hold as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// Its id.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// How it stands.
    pub state: HoldState,
    /// Its places.
    pub places: Places,
    /// What these places cost together, in minor units.
    pub total_minor: u64,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Its deadline.
    pub expires_at: Timestamp,
    /// The latest deadline that extending can reach.
    pub extendable_until: Timestamp,
    /// Once confirmed.
    pub booking: Option<Booking>,
}

impl Show {
    pub(super) fn new(id: ShowId, manifest: Arc<Manifest>, policy: Policy) -> Self {
        let seats = manifest.seats();
        Self {
            id,
            policy,
            available: SeatBitmap::full(seats),
            sold: SeatBitmap::empty(seats),
            ga: vec![GaTally::default(); manifest.parts().sections.len()].into(),
            manifest,
            holds: Holds::default(),
            buyers: Buyers::default(),
            version: 0,
            wake_up_at: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ShowId {
        &self.id
    }

    /// What it sells.
    #[must_use]
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Units of a general-admission section that are available; none of a section of seats.
    pub(super) fn ga_available(&self, section: SectionIndex) -> u32 {
        let tally = self.ga[section.0 as usize];
        self.manifest.ga_capacity(section).map_or(0, |capacity| capacity - tally.held - tally.sold)
    }

    /// Whether the show has all of these places and all are available: the quick question, before what stands in the
    /// way is gathered.
    pub(super) fn are_available(&self, places: &Places) -> bool {
        let seats = self.manifest.seats();
        places.seats().all(|seat| seat.0 < seats && self.available.contains(seat))
            && places.ga().all(|(section, units)| {
                self.manifest.ga_capacity(section).is_some() && units <= self.ga_available(section)
            })
    }

    /// What of these places the show does not have.
    pub(super) fn unknown(&self, places: &Places) -> Conflicts {
        let seats = places.seats().filter(|seat| seat.0 >= self.manifest.seats()).collect();
        let unknown = |&(section, _): &(SectionIndex, u32)| self.manifest.ga_capacity(section).is_none();
        let shortage = |(section, requested)| GaShortage { section, requested, available: 0 };
        Conflicts { seats, ga: places.ga().filter(unknown).map(shortage).collect() }
    }

    /// What of these known places is not available.
    pub(super) fn taken(&self, places: &Places) -> Conflicts {
        let seats = places.seats().filter(|&seat| !self.available.contains(seat)).collect();
        let shortage = |(section, requested)| GaShortage { section, requested, available: self.ga_available(section) };
        let ga = places.ga().map(shortage).filter(|shortage| shortage.requested > shortage.available).collect();
        Conflicts { seats, ga }
    }

    /// What known places cost together, in minor units.
    pub(super) fn price(&self, places: &Places) -> u64 {
        let seats = places.seats().filter_map(|seat| self.manifest.seat_category(seat));
        let ga = places.ga().filter_map(|(section, units)| Some((self.manifest.ga_category(section)?, units)));
        seats.map(|category| category.price_minor).sum::<u64>()
            + ga.map(|(category, units)| category.price_minor * u64::from(units)).sum::<u64>()
    }

    /// The hold of this id, if it is this buyer's.
    pub(super) fn own_hold(&self, id: HoldId, buyer: &BuyerId) -> Result<&Hold, Rejection> {
        let hold = self.holds.find(id).ok_or(Rejection::HoldUnknown)?;
        if *self.buyers.get(hold.buyer).id == *buyer.as_bytes() { Ok(hold) } else { Err(Rejection::HoldOfAnotherBuyer) }
    }

    /// The hold with other places than it may have.
    pub(super) fn view(&self, hold: &Hold, state: HoldState, places: Places) -> HoldView {
        HoldView {
            hold_id: hold.id,
            buyer: BuyerId::new(&self.buyers.get(hold.buyer).id).expect("the id of a buyer"),
            state,
            total_minor: self.price(&places),
            places,
            granted_at: hold.granted_at,
            expires_at: hold.expires_at,
            extendable_until: self.extendable_until(hold.granted_at),
            booking: hold.more.as_ref().and_then(|more| more.booking.clone()),
        }
    }

    pub(super) fn extendable_until(&self, granted_at: Timestamp) -> Timestamp {
        granted_at.plus_ms(self.policy.hold_life_ms_max)
    }

    /// Moves places from one status to another. They must all have the first.
    pub(super) fn move_places(&mut self, places: &Places, from: Status, to: Status) {
        for seat in places.seats() {
            match from {
                Status::Available => self.available.remove(seat),
                Status::Sold => self.sold.remove(seat),
                Status::Held => {}
            }
            match to {
                Status::Available => self.available.insert(seat),
                Status::Sold => self.sold.insert(seat),
                Status::Held => {}
            }
        }
        for (section, units) in places.ga() {
            let tally = &mut self.ga[section.0 as usize];
            match from {
                Status::Held => tally.held -= units,
                Status::Sold => tally.sold -= units,
                Status::Available => {}
            }
            match to {
                Status::Held => tally.held += units,
                Status::Sold => tally.sold += units,
                Status::Available => {}
            }
        }
    }

    /// A live hold ends without a sale: what it still has goes back, and it is remembered for a while.
    pub(super) fn end_hold(&mut self, slot: u32, state: HoldState, at: Timestamp) {
        let hold = self.holds.get(slot);
        let (remaining, buyer) = (hold.remaining().clone(), hold.buyer);
        self.move_places(&remaining, Status::Held, Status::Available);
        let tally = self.buyers.get_mut(buyer);
        tally.live_holds -= 1;
        tally.places -= remaining.count();
        self.holds.retire(slot, state);
        self.remember_ended(slot, at);
    }

    pub(super) fn remember_ended(&mut self, slot: u32, at: Timestamp) {
        let buyers = &mut self.buyers;
        self.holds.remember_ended(slot, at, |forgotten| buyers.forget(forgotten.buyer));
    }
}
