//! What happened. Only events are logged, and only events change state.
//!
//! The enum is only ever extended at its end: a variant's position and the order of its fields are what is stored. The
//! time of an event is the clock reading of its frame.

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder},
    enc::Encoder,
    error::{DecodeError, EncodeError},
};

use crate::{
    ids::{BuyerId, HoldId, Reference, ShowId},
    inventory::{manifest::ManifestParts, places::Places, policy::Policy},
    time::{HoldTtl, Timestamp},
};

/// A fact about one show.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// A show came to be, under the next show number of its shard.
    ShowCreated(Box<ShowCreated>),
    /// Places went from available to held.
    HoldGranted(HoldGranted),
    /// A hold's deadline moved.
    HoldExtended {
        /// The hold.
        hold_id: HoldId,
        /// Its new deadline.
        expires_at: Timestamp,
    },
    /// Places went from held to available at the caller's wish.
    HoldReleased {
        /// The hold.
        hold_id: HoldId,
        /// Which; all that it had if absent.
        places: Option<Places>,
    },
    /// An id was given back before it was ever held: nothing can be held under it.
    HoldFenced {
        /// The id.
        hold_id: HoldId,
        /// Who gave it back.
        buyer: BuyerId,
    },
    /// Places went from held to sold; what the hold had besides went from held to available.
    HoldConfirmed {
        /// The hold, now a booking.
        hold_id: HoldId,
        /// The frontend's order.
        order: Reference,
        /// The frontend's payment.
        payment: Reference,
        /// Which; all that it had if absent.
        places: Option<Places>,
    },
    /// Places went from held to available by time.
    HoldExpired {
        /// The hold.
        hold_id: HoldId,
    },
}

/// A show came to be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShowCreated {
    /// Its id.
    pub show_id: ShowId,
    /// What it sells.
    pub manifest: ManifestParts,
    /// Its rules.
    pub policy: Policy,
}

/// Places went from available to held.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HoldGranted {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// What it holds.
    pub places: Places,
    /// The time to live that was asked for.
    pub ttl: HoldTtl,
    /// Its deadline.
    pub expires_at: Timestamp,
    /// What the places cost together, in minor units.
    pub total_minor: u64,
}

// As a slice of bytes: a buyer's id is opaque.
impl Encode for BuyerId {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.as_bytes().encode(encoder)
    }
}

impl<Context> Decode<Context> for BuyerId {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = Vec::<u8>::decode(decoder)?;
        Self::new(&bytes).map_err(|_| DecodeError::Other("a buyer's id of a length that is not allowed"))
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for BuyerId {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}
