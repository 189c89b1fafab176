//! Why not. A rejection is an answer, not a fault: the rules say no, and nothing changed.
//!
//! The order of the variants is the order of precedence: when several are true, the first is given. Each carries what
//! the caller needs to do better. How they look on the wire is the server's business.

use smallvec::SmallVec;

use crate::{
    ids::{SeatIndex, SectionIndex},
    time::Timestamp,
};

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A show with this id exists, with other content.
    #[error("a show with this id exists, with another {field}")]
    ShowIdReused {
        /// What differs.
        field: ShowField,
    },
    /// A hold with this id exists, with other content.
    #[error("a hold with this id exists, with another {field}")]
    IdReused {
        /// What differs.
        field: HoldField,
    },
    /// No hold has this id, or it ended longer ago than ended holds are remembered.
    #[error("no hold has this id")]
    HoldUnknown,
    /// The hold is another buyer's.
    #[error("the hold belongs to another buyer")]
    HoldOfAnotherBuyer,
    /// The id was given back before it was held.
    #[error("the id was released before it was held")]
    HoldFenced,
    /// The hold was given back.
    #[error("the hold was released")]
    HoldReleased,
    /// The deadline has come.
    #[error("the hold expired at {}", .expires_at.0)]
    HoldExpired {
        /// The deadline.
        expires_at: Timestamp,
    },
    /// The places are sold.
    #[error("the hold is confirmed")]
    HoldConfirmed,
    /// Places that the hold does not have.
    #[error("the hold does not have all of these places")]
    PlacesNotInHold(Conflicts),
    /// Places that the show does not have.
    #[error("the show does not have all of these places")]
    PlacesUnknown(Conflicts),
    /// A limit of the show's policy.
    #[error("{limit} is {max}")]
    LimitReached {
        /// Which limit.
        limit: Limit,
        /// Its value.
        max: u64,
    },
    /// Places that are not available: all of them, not only the first.
    #[error("not all of these places are available")]
    PlacesTaken(Conflicts),
}

/// The places that stand in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// Seats, ascending.
    pub seats: SmallVec<[SeatIndex; 4]>,
    /// Sections that have not enough, ascending.
    pub ga: SmallVec<[GaShortage; 1]>,
}

impl Conflicts {
    /// Nothing stands in the way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty() && self.ga.is_empty()
    }
}

/// A general-admission section that has not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaShortage {
    /// The section.
    pub section: SectionIndex,
    /// How many were asked for.
    pub requested: u32,
    /// How many there are.
    pub available: u32,
}

/// What of a hold differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldField {
    /// The buyer.
    BuyerId,
    /// The places.
    Places,
    /// The time to live.
    TtlMs,
}

/// What of a show differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowField {
    /// The manifest.
    Manifest,
    /// The policy.
    Policy,
}

/// A limit of a show's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Places in one hold.
    PlacesPerHold,
    /// Live holds of the show.
    HoldsPerShow,
    /// Live holds of one buyer.
    LiveHoldsPerBuyer,
    /// Places held and sold of one buyer.
    PlacesPerBuyer,
    /// Shows of one shard.
    ShowsPerShard,
    /// Bytes of a show's description in the log.
    ManifestBytes,
}

macro_rules! names {
    ($($type:ident { $($variant:ident => $name:literal),* $(,)? })*) => {$(
        impl $type {
            /// The name of it on the wire and in messages.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

names! {
    HoldField { BuyerId => "buyer_id", Places => "places", TtlMs => "ttl_ms" }
    ShowField { Manifest => "manifest", Policy => "policy" }
    Limit {
        PlacesPerHold => "places_per_hold_max",
        HoldsPerShow => "holds_per_show_max",
        LiveHoldsPerBuyer => "live_holds_per_buyer_max",
        PlacesPerBuyer => "places_per_buyer_max",
        ShowsPerShard => "shows_per_shard_max",
        ManifestBytes => "manifest_bytes_max",
    }
}
