//! Why not. A rejection is an answer, not a fault: the rules say no, and nothing changed.
//!
//! The order of the variants is the order of precedence: when several are true, the first is given. Each carries what
//! the caller needs to do better. How they look on the wire is the server's business.

use smallvec::SmallVec;

use crate::{
    ids::{HoldId, Name, SeatIndex, SectionIndex},
    inventory::{manifest::ManifestError, sale::ShowState},
    time::Timestamp,
};

mod kind;
pub use kind::RejectionKind;

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
    #[error("the hold expired at {expires_at}")]
    HoldExpired {
        /// The deadline.
        expires_at: Timestamp,
    },
    /// The places are sold.
    #[error("the hold is confirmed")]
    HoldConfirmed,
    /// The booking was cancelled, or the hold ended with its show.
    #[error("it was cancelled")]
    HoldCancelled,
    /// The outcome of its payment is unknown.
    #[error("the hold is pinned until its payment's outcome is known")]
    HoldPinned,
    /// It is one of a group, which is sold and released as a whole.
    #[error("the hold is one of a group, which is confirmed and released as a whole")]
    HoldOfGroup,
    /// It is in no group.
    #[error("the hold is not one of a group")]
    HoldNotOfGroup,
    /// It is not sold.
    #[error("the hold is not confirmed")]
    HoldNotConfirmed,
    /// It is an entry that waits for an offer.
    #[error("it waits for an offer")]
    HoldWaiting,
    /// The show is in another state than this needs.
    #[error("the show is {state}{}", opens(*.opens_at))]
    ShowNotOpen {
        /// The state it is in.
        state: ShowState,
        /// When its sale opens, if that is still to come.
        opens_at: Option<Timestamp>,
    },
    /// Holds are live, and this would lose them.
    #[error("{holds} holds are live")]
    HoldsLive {
        /// How many.
        holds: u32,
    },
    /// It is no entry or offer of the waitlist.
    #[error("it is no entry of the waitlist")]
    HoldNotWaiting,
    /// The waitlist takes no more entries, by policy or by time.
    #[error("the waitlist is closed")]
    WaitlistClosed,
    /// No channel has this key.
    #[error("no channel has the key {key}")]
    ChannelUnknown {
        /// The key.
        key: Name,
    },
    /// The new manifest would not be one.
    #[error("the manifest would not be valid: {0}")]
    ManifestInvalid(Box<ManifestError>),
    /// Places that the hold does not have.
    #[error("the hold does not have all of these places")]
    PlacesNotInHold(Conflicts),
    /// Places that the show does not have.
    #[error("the show does not have all of these places")]
    PlacesUnknown(Conflicts),
    /// Named places mean something else since the version that the caller saw.
    #[error("these places have changed since; the manifest is at version {version}")]
    ManifestChanged {
        /// The present version.
        version: u32,
        /// Which.
        places: Box<Conflicts>,
    },
    /// The caller says that it saw a version of the manifest that there is not yet.
    #[error("the manifest is at version {version}")]
    ManifestNotReached {
        /// The present version.
        version: u32,
    },
    /// A limit of the show's policy.
    #[error("{limit} is {max}")]
    LimitReached {
        /// Which limit.
        limit: Limit,
        /// Its value.
        max: u64,
    },
    /// The buyer let holds expire again and again.
    #[error("the buyer let holds expire too often; he may hold again at {until}")]
    CoolingDown {
        /// When he may hold again.
        until: Timestamp,
    },
    /// The buyer has another entry or offer.
    #[error("the buyer waits already, as {hold_id}")]
    WaitsAlready {
        /// The entry or offer.
        hold_id: HoldId,
    },
    /// Accessible places, which are for those who ask for them.
    #[error("these places are for guests who need them")]
    PlacesProtected(Conflicts),
    /// Fewer places may be sold at once than there are.
    #[error("the capacity of {} is reached: {requested} more would be too many, {available} are left",
        .pool.as_deref().unwrap_or("the show"))]
    CapacityReached {
        /// Of a pool; of the show if absent.
        pool: Option<Box<str>>,
        /// How many more were asked for.
        requested: u32,
        /// How many there are.
        available: u32,
    },
    /// Places that are not available: all of them, not only the first.
    #[error("not all of these places are available")]
    PlacesTaken(Conflicts),
    /// Seats would be left alone, and there is another way.
    #[error("single seats would be left over")]
    OrphansLeft(Conflicts),
    /// Not enough places meet the wish now. More may come back.
    #[error("{requested} wanted, {available} available now")]
    SoldOut {
        /// How many were asked for.
        requested: u32,
        /// How many meet the wish.
        available: u32,
    },
    /// Enough places meet the wish, but they do not lie as wished.
    #[error("{available} available now, but not {requested} together")]
    NotTogether {
        /// How many were asked for.
        requested: u32,
        /// How many meet the wish.
        available: u32,
    },
}

fn opens(at: Option<Timestamp>) -> String {
    at.map(|at| format!(", it opens at {at}")).unwrap_or_default()
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
    /// What was wished for, or on which terms.
    Request,
    /// The order.
    Order,
    /// The id of the hold that the rest was to be.
    KeepRestAs,
    /// The shows of the group.
    Group,
}

/// What of a show differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowField {
    /// The manifest.
    Manifest,
    /// The policy.
    Policy,
    /// When it is sold.
    Sale,
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
    /// Channels of a show.
    ChannelsPerShow,
    /// Ways and reasons of blocks of a show.
    MarksPerShow,
    /// Entries that wait.
    Waitlist,
    /// Changes of a show's manifest.
    ManifestChanges,
    /// Extensions of a hold.
    Extends,
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
    HoldField { BuyerId => "buyer_id", Places => "places", TtlMs => "ttl_ms", Request => "request", Order => "order_ref", KeepRestAs => "keep_rest_as", Group => "members" }
    ShowField { Manifest => "manifest", Policy => "policy", Sale => "sale" }
    Limit {
        PlacesPerHold => "places_per_hold_max",
        HoldsPerShow => "holds_per_show_max",
        LiveHoldsPerBuyer => "live_holds_per_buyer_max",
        PlacesPerBuyer => "places_per_buyer_max",
        ShowsPerShard => "shows_per_shard_max",
        ManifestBytes => "manifest_bytes_max",
        ChannelsPerShow => "channels_per_show_max",
        MarksPerShow => "marks_per_show_max",
        Waitlist => "waitlist_max",
        ManifestChanges => "manifest_changes_max",
        Extends => "extends_max",
    }
}
