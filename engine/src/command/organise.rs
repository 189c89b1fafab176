//! What organisers and the box office's back office ask for: blocks, channels, schedules, returns.

use bincode::{Decode, Encode};

use crate::{
    ids::{BuyerId, HoldId, Name, SeatIndex, SectionIndex},
    inventory::{blocks::Mark, manifest::CategoryIndex, places::Places},
    time::Timestamp,
};

/// Places by what they are; the union of all that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Selection {
    /// Seats.
    pub seats: Vec<SeatIndex>,
    /// Rows: a section and the row's name, which may stand for several parts of a row.
    pub rows: Vec<(SectionIndex, String)>,
    /// All places of these sections.
    pub sections: Vec<SectionIndex>,
    /// All seats of these categories.
    pub categories: Vec<CategoryIndex>,
    /// Units of these general-admission sections: how many are to be blocked in the command's way afterwards, 0 or more,
    /// so that it may be sent again.
    pub ga: Vec<(SectionIndex, u32)>,
}

/// Withhold available places: seats, and units up to a number. What is held, sold or blocked otherwise is left alone and named in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockPlaces {
    /// Which.
    pub selection: Selection,
    /// In what way, and why.
    pub mark: Mark,
}

/// Offer withheld places, first to the waitlist: seats, and units down to a number. What is not blocked in this way is left alone and named in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnblockPlaces {
    /// Which.
    pub selection: Selection,
    /// In what way, and why, they are blocked.
    pub mark: Mark,
    /// Only count, and tell how many wait for such places.
    pub dry_run: bool,
}

/// Unblock, at a time of the shard's clock, what is blocked in this way then. Setting it again moves the time; without
/// a time it is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRelease {
    /// What is to be released.
    pub mark: Mark,
    /// When.
    pub at: Option<Timestamp>,
}

/// Define a channel, or change when it opens to the public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetChannel {
    /// The key that opens it: a name, not a secret; the frontend decides who may use it.
    pub key: Name,
    /// From when on its places are public; never if absent.
    pub public_at: Option<Timestamp>,
}

/// Put seats into a channel, or take them out of theirs. Held and sold seats go there when they come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignChannel {
    /// Which; units of general admission cannot be in a channel.
    pub selection: Selection,
    /// The channel's key; out of any channel if absent.
    pub key: Option<Name>,
}

/// Set when the sale opens and closes, by the shard's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleSale {
    /// From when on places can be held.
    pub opens_at: Timestamp,
    /// From when on they cannot; never if absent.
    pub closes_at: Option<Timestamp>,
}

/// Where cancelled places go.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ReturnTo {
    /// To whoever waits for them, otherwise to the public.
    Available,
    /// Withheld.
    Blocked(Mark),
}

/// Take a sale back, all or some of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelBooking {
    /// The booking.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// Which; all if absent. Units are counted from the booking as it was confirmed.
    pub places: Option<Places>,
    /// Where they go.
    pub return_to: ReturnTo,
}
