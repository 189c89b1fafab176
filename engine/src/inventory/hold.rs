//! One hold as it is stored: small, with what few holds have behind a pointer.
//!
//! It says what a hold is; what may be done to it is decided in the commands' files.

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder},
    enc::Encoder,
    error::{DecodeError, EncodeError},
};

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

/// What few holds have but those that are sold: 64 bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub(super) booking: Option<Booking>,
    pub(super) uncommon: Option<Box<Uncommon>>,
}

/// What few holds have.
#[derive(Clone, Debug, Default)]
pub(super) struct Uncommon {
    /// What is left after a part was given back; as granted if absent.
    pub(super) remaining: Option<Places>,
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
        self.uncommon().and_then(|uncommon| uncommon.remaining.as_ref()).unwrap_or(&self.places)
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

    pub(super) fn uncommon(&self) -> Option<&Uncommon> {
        self.more.as_ref()?.uncommon.as_deref()
    }

    pub(super) fn uncommon_mut(&mut self) -> &mut Uncommon {
        self.more_mut().uncommon.get_or_insert_default()
    }

    pub(super) fn rare(&self) -> Option<&Rare> {
        self.uncommon()?.rare.as_deref()
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.uncommon_mut().rare.get_or_insert_default()
    }

    pub(super) fn more_of_rare(rare: Rare) -> Box<More> {
        Uncommon { rare: Some(Box::new(rare)), ..Uncommon::default() }.into()
    }

    pub(super) fn request(&self) -> Option<u64> {
        self.uncommon()?.request
    }

    pub(super) fn placement(&self) -> Option<Placement> {
        self.uncommon()?.placement
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.rare().is_some_and(|rare| rare.pinned_from.is_some())
    }

    pub(super) fn is_offer(&self) -> bool {
        self.rare().is_some_and(|rare| rare.is_offer)
    }

    /// It is pinned no more.
    pub(super) fn forget_pin(&mut self) {
        let uncommon = self.more.as_mut().and_then(|more| more.uncommon.as_mut());
        if let Some(rare) = uncommon.and_then(|uncommon| uncommon.rare.as_mut()) {
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

impl From<Uncommon> for Box<More> {
    fn from(uncommon: Uncommon) -> Self {
        Self::new(More { booking: None, uncommon: Some(Box::new(uncommon)) })
    }
}

// Stored as one value, in the order that it always had.
impl Encode for More {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let uncommon = self.uncommon.as_deref();
        uncommon.and_then(|uncommon| uncommon.remaining.as_ref()).encode(encoder)?;
        self.booking.encode(encoder)?;
        uncommon.and_then(|uncommon| uncommon.request).encode(encoder)?;
        uncommon.and_then(|uncommon| uncommon.placement).encode(encoder)?;
        uncommon.and_then(|uncommon| uncommon.rare.as_ref()).encode(encoder)
    }
}

impl<Context> Decode<Context> for More {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let remaining = Option::<Places>::decode(decoder)?;
        let booking = Option::<Booking>::decode(decoder)?;
        let uncommon = Uncommon {
            remaining,
            request: Decode::decode(decoder)?,
            placement: Decode::decode(decoder)?,
            rare: Decode::decode(decoder)?,
        };
        let Uncommon { remaining, request, placement, rare } = &uncommon;
        let is_plain = remaining.is_none() && request.is_none() && placement.is_none() && rare.is_none();
        Ok(Self { booking, uncommon: (!is_plain).then(|| Box::new(uncommon)) })
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for More {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_small() {
        assert_eq!((size_of::<Option<Hold>>(), size_of::<More>()), (88, 64));
    }
}
