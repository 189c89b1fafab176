//! What callers ask for. A command names its show outside: a batch is for one show.
//!
//! Everything here is well formed by its types; whether it is granted is the inventory's decision.

use crate::{
    ids::{BuyerId, HoldId, Reference},
    inventory::places::Places,
    time::HoldTtl,
};

/// One request to a show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hold places: all or none.
    HoldSeats(HoldSeats),
    /// Move a hold's deadline.
    ExtendHold(ExtendHold),
    /// Give a hold's places back.
    ReleaseHold(ReleaseHold),
    /// Sell a hold's places.
    ConfirmHold(ConfirmHold),
    /// Tell the fate of a hold id, in order with every command before it. Changes nothing.
    GetHold(HoldId),
}

impl Command {
    /// The hold that it is about.
    #[must_use]
    pub fn hold_id(&self) -> HoldId {
        match self {
            Self::HoldSeats(command) => command.hold_id,
            Self::ExtendHold(command) => command.hold_id,
            Self::ReleaseHold(command) => command.hold_id,
            Self::ConfirmHold(command) => command.hold_id,
            Self::GetHold(hold_id) => *hold_id,
        }
    }
}

/// Hold places: all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldSeats {
    /// The new hold's id, chosen by the caller.
    pub hold_id: HoldId,
    /// Whom it is for.
    pub buyer: BuyerId,
    /// What to hold.
    pub places: Places,
    /// How long; the show's default if absent.
    pub ttl: Option<HoldTtl>,
}

/// Move a hold's deadline to `ttl` from now, at most to the end of the hold's longest life. Never shortens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendHold {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// How long from now; the show's default if absent.
    pub ttl: Option<HoldTtl>,
}

/// Give a hold's places back. An id never seen is fenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseHold {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// Which; all if absent.
    pub places: Option<Places>,
}

/// Sell a hold's places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmHold {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// The frontend's order.
    pub order: Reference,
    /// The frontend's payment.
    pub payment: Reference,
    /// Which; all if absent. The rest is released in the same step.
    pub places: Option<Places>,
}
