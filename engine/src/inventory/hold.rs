//! One hold as it is stored: small, with what few holds have behind a pointer.
//!
//! It says what a hold is; what may be done to it is decided in the commands' files.

use bincode::{Decode, Encode};

use super::{due::Due, hold_best::Placement, places::Places};
use crate::{
    command::TicketCount,
    ids::{HoldId, Name, Reference, SeatIndex, SectionIndex},
    time::{HoldTtl, Timestamp},
};

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum HoldState {
    /// Its places are held, until the deadline.
    Held,
    /// Its places are sold.
    Confirmed,
    /// Given back by the caller.
    Released,
    /// Taken back by time.
    Expired,
    /// Released before it was held.
    Fenced,
    /// It waits for an offer.
    Waiting,
    /// A booking that was taken back, or a hold that ended with its show.
    Cancelled,
}

/// A hold as it is stored: 88 bytes, of which four seats are inline. Snapshots hold it, and what is behind it, as it is here:
/// another layout is another version of them.
#[derive(Clone, Debug, Encode, Decode)]
pub(super) struct Hold {
    pub(super) id: HoldId,
    /// Slot in the show's buyers.
    pub(super) buyer: u32,
    pub(super) ttl: HoldTtl,
    pub(super) granted_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// As granted.
    pub(super) places: Places,
    pub(super) state: HoldState,
    /// How often its deadline was moved by extending it.
    pub(super) extends: u32,
    /// What few holds have.
    pub(super) more: Option<Box<More>>,
}

/// What few holds have.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub(super) struct More {
    /// What is left after a part was given back; as granted if absent.
    pub(super) remaining: Option<Places>,
    pub(super) booking: Option<Booking>,
    /// A hash of what was asked for besides the places.
    pub(super) request: Option<u64>,
    /// How its places were chosen.
    pub(super) placement: Option<Placement>,
    pub(super) rare: Option<Box<Rare>>,
}

/// What hardly any hold has.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub(super) struct Rare {
    pub(super) tickets: Vec<TicketCount>,
    /// What its places cost when it was granted, as far as that is not what they cost now.
    pub(super) prices: Prices,
    /// The end of its longest life, where that is not counted from its grant.
    pub(super) extendable_until: Option<Timestamp>,
    /// The deadline that it had before it was pinned.
    pub(super) pinned_from: Option<Timestamp>,
    /// So long after its deadline its places come back, in milliseconds.
    pub(super) returns_later_ms: u64,
    /// Its deadline came and was counted; its places are still to come back.
    pub(super) has_lapsed: bool,
    /// What the last exchange cost, in minor units.
    pub(super) difference_minor: Option<i64>,
    /// What the places cost that were cancelled so far, in minor units.
    pub(super) refunded_minor: u64,
    /// Made for an entry of the waitlist.
    pub(super) is_offer: bool,
    /// Why the buyer's limits were set aside for it.
    pub(super) override_reason: Option<Name>,
    /// What the booking had before the first of its places was cancelled.
    pub(super) booked: Option<Places>,
}

/// Prices that are kept, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Prices {
    /// Minor units of a seat.
    pub seats: Vec<(SeatIndex, u64)>,
    /// Minor units of one unit of a section.
    pub ga: Vec<(SectionIndex, u64)>,
}

impl Prices {
    /// Forgets the prices of all other places.
    pub(super) fn keep_only(&mut self, places: &Places) {
        self.seats.retain(|(seat, _)| places.contains_seat(*seat));
        self.ga.retain(|(section, _)| places.units_of(*section) > 0);
    }
}

/// What a hold becomes when it is confirmed. It does not change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Booking {
    /// The frontend's order.
    pub order: Reference,
    /// The frontend's payment.
    pub payment: Reference,
    /// When.
    pub confirmed_at: Timestamp,
}

impl Hold {
    /// What a held or confirmed hold has now. An ended one has nothing, whatever this says.
    pub(super) fn remaining(&self) -> &Places {
        self.more.as_ref().and_then(|more| more.remaining.as_ref()).unwrap_or(&self.places)
    }

    /// How it stands at an instant: the deadline decides, not the sweep.
    pub(super) fn state_at(&self, now: Timestamp) -> HoldState {
        if self.state == HoldState::Held && now >= self.expires_at { HoldState::Expired } else { self.state }
    }

    /// Ended without a sale, and remembered for a while only.
    pub(super) fn is_ended(&self) -> bool {
        match self.state {
            HoldState::Released | HoldState::Expired | HoldState::Fenced => true,
            HoldState::Cancelled => self.booking().is_none(),
            HoldState::Held | HoldState::Confirmed | HoldState::Waiting => false,
        }
    }

    pub(super) fn booking(&self) -> Option<&Booking> {
        self.more.as_ref()?.booking.as_ref()
    }

    /// What the booking had when it was confirmed, or last exchanged.
    pub(super) fn booked(&self) -> &Places {
        self.rare().and_then(|rare| rare.booked.as_ref()).unwrap_or(self.remaining())
    }

    pub(super) fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    pub(super) fn rare(&self) -> Option<&Rare> {
        self.more.as_ref()?.rare.as_deref()
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.more_mut().rare.get_or_insert_default()
    }

    pub(super) fn more_of_rare(rare: Rare) -> Box<More> {
        Box::new(More { rare: Some(Box::new(rare)), ..More::default() })
    }

    pub(super) fn request(&self) -> Option<u64> {
        self.more.as_ref()?.request
    }

    pub(super) fn placement(&self) -> Option<Placement> {
        self.more.as_ref()?.placement
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.rare().is_some_and(|rare| rare.pinned_from.is_some())
    }

    pub(super) fn is_offer(&self) -> bool {
        self.rare().is_some_and(|rare| rare.is_offer)
    }

    /// It is pinned no more.
    pub(super) fn forget_pin(&mut self) {
        if let Some(rare) = self.more.as_mut().and_then(|more| more.rare.as_mut()) {
            rare.pinned_from = None;
        }
    }

    /// When the sweep comes for it: at its deadline, and once more where its places come back later.
    pub(super) fn sweep_at(&self) -> Timestamp {
        let lapsed = self.rare().filter(|rare| rare.has_lapsed);
        self.expires_at.plus_ms(lapsed.map_or(0, |rare| rare.returns_later_ms))
    }

    /// What the sweep does with it.
    pub(super) fn due(&self, now: Timestamp) -> Due {
        let later_ms = self.rare().map_or(0, |rare| rare.returns_later_ms);
        if now < self.expires_at.plus_ms(later_ms) { Due::Lapse(self.id) } else { Due::Expire(self.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_small() {
        assert_eq!(size_of::<Option<Hold>>(), 88);
    }
}
