//! What happened. Only events are logged, and only events change state.
//!
//! The enum is only ever extended at its end: a variant's position and the order of its fields are what is stored. The
//! time of an event is the clock reading of its frame.

use bincode::{Decode, Encode};

use crate::{
    codec::stable_bytes,
    command::{ReturnTo, TicketCount, Wish},
    ids::{BuyerId, ChannelIndex, HoldId, Name, Reference, SeatRange, SectionIndex, ShowId},
    inventory::{
        blocks::Mark,
        hold_best::Placement,
        manifest::{ManifestChange, ManifestParts},
        places::Places,
        policy::Policy,
        sale::Sale,
    },
    time::{HoldTtl, Timestamp},
};

pub mod v1;

/// A fact about one show.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// A show came to be, as it was stored at first. Whoever reads the log gets a `ShowCreated` instead.
    ShowCreatedV1(Box<v1::ShowCreated>),
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
    /// A show came to be, under the next show number of its shard.
    ShowCreated(Box<ShowCreated>),
    /// Places went from available, or from other holds of the buyer, to held.
    HoldGrantedOnTerms(Box<GrantedOnTerms>),
    /// A hold does not expire before this deadline, while the outcome of its payment is unknown.
    HoldPinned {
        /// The hold.
        hold_id: HoldId,
        /// The end of the pin.
        expires_at: Timestamp,
    },
    /// A pinned hold has the deadline again that it had before.
    HoldUnpinned {
        /// The hold.
        hold_id: HoldId,
    },
    /// Places of an expired hold went from available to sold.
    HoldConfirmedLate {
        /// The hold, now a booking.
        hold_id: HoldId,
        /// The frontend's order.
        order: Reference,
        /// The frontend's payment.
        payment: Reference,
        /// Which.
        places: Places,
    },
    /// Places went from sold to where they are returned to.
    BookingCancelled {
        /// The booking.
        hold_id: HoldId,
        /// Which; all that it had if absent.
        places: Option<Places>,
        /// Where they went.
        return_to: ReturnTo,
    },
    /// A booking is another buyer's.
    BookingTransferred {
        /// The booking.
        hold_id: HoldId,
        /// Whose it is now.
        buyer: BuyerId,
    },
    /// A booking has other places.
    BookingExchanged {
        /// The booking.
        hold_id: HoldId,
        /// All that it has now.
        places: Places,
        /// What they cost more than those before, in minor units.
        difference_minor: i64,
        /// Why the buyer's limits were set aside, if they were.
        override_reason: Option<Name>,
    },
    /// Somebody waits.
    EntryJoined(Box<EntryJoined>),
    /// An entry waits no more, without an offer.
    EntryLeft {
        /// The entry.
        hold_id: HoldId,
    },
    /// Places went from available, or from what was gathered, to held for an entry, whose id the hold has.
    OfferMade(Box<OfferMade>),
    /// Places went from available to held for an entry that needs more.
    PlacesGathered {
        /// The entry.
        hold_id: HoldId,
        /// Which.
        places: Places,
        /// How long they are withheld.
        until: Timestamp,
    },
    /// What was gathered for an entry went from held to available.
    GatheringEnded {
        /// The entry.
        hold_id: HoldId,
    },
    /// Places went from available to blocked.
    PlacesBlocked(Box<MarkedPlaces>),
    /// Places went from blocked to available.
    PlacesUnblocked(Box<MarkedPlaces>),
    /// Blocked places wait for their turn to be unblocked.
    ReturnsQueued(Box<MarkedPlaces>),
    /// What is marked so is unblocked at a time, or no more.
    ReleaseScheduled {
        /// The mark.
        mark: Mark,
        /// When.
        at: Option<Timestamp>,
    },
    /// A channel was defined, under the next channel index, or opens at another time.
    ChannelSet {
        /// Its key.
        key: Name,
        /// When it opens to the public.
        public_at: Option<Timestamp>,
    },
    /// A channel's places are public.
    ChannelOpened {
        /// Which.
        channel: ChannelIndex,
    },
    /// Seats belong to a channel, or to none.
    ChannelAssigned {
        /// Which channel.
        channel: Option<ChannelIndex>,
        /// Which seats.
        seats: Vec<SeatRange>,
    },
    /// Seats went from available or blocked out of the show.
    SeatsRetired {
        /// Which.
        seats: Vec<SeatRange>,
    },
    /// The sale opens and closes at other times.
    SaleScheduled {
        /// From when on places can be held.
        opens_at: Timestamp,
        /// From when on they cannot.
        closes_at: Option<Timestamp>,
    },
    /// The sale was opened, or went on.
    SaleOpened,
    /// The sale pauses, or deadlines stand still from now on while it does, or no more.
    SalePaused {
        /// Deadlines stand still. Until they go on, those in events are of the instant at which they were stopped.
        stop_clocks: bool,
    },
    /// The sale was closed.
    SaleClosed,
    /// Every live hold went from held to available, and every entry waits no more.
    ShowCancelled,
    /// The show takes nothing any more.
    ShowArchived,
    /// The show has other rules.
    PolicyChanged(Box<Policy>),
    /// The show has another manifest.
    ManifestChanged(Box<ManifestChange>),
    /// Some of a hold's places went to a new hold of the same buyer, which goes on as that one would have.
    HoldSplit {
        /// The hold.
        hold_id: HoldId,
        /// The new one.
        rest_id: HoldId,
        /// What it has.
        rest: Places,
    },
    /// A hold's deadline came, and counts against its buyer; its places come back later.
    HoldLapsed {
        /// The hold.
        hold_id: HoldId,
    },
    /// A show is as it was before, or came from another shard, under its own number or the next one of its shard.
    ShowLoaded(Box<ShowLoaded>),
    /// A show is on another shard from now on; its number here stays taken.
    ShowLeft {
        /// The shard.
        to_shard: u32,
    },
    /// A hold is one of a group: its id, and every show of the group.
    GroupJoined(Box<(HoldId, Vec<ShowId>)>),
    /// A member waits for the decision about its group, and does not expire before.
    MemberPrepared {
        /// The hold.
        hold_id: HoldId,
        /// The frontend's order.
        order: Reference,
        /// The frontend's payment.
        payment: Reference,
    },
}

impl Event {
    /// Whether the show's manifest, rules or sale are others after it.
    #[must_use]
    pub fn changes_description(&self) -> bool {
        matches!(
            self,
            Self::SaleScheduled { .. }
                | Self::SaleOpened
                | Self::SalePaused { .. }
                | Self::SaleClosed
                | Self::ShowCancelled
                | Self::ShowArchived
                | Self::PolicyChanged(_)
                | Self::ManifestChanged(_)
        )
    }
}

/// A grant that is more than plain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GrantedOnTerms {
    /// The grant.
    pub granted: HoldGranted,
    /// A hold of the same buyer that ended with it; what is not among the new places went to available.
    pub replaces: Option<HoldId>,
    /// Other holds of the same buyer that lost places to it.
    pub moved_from: Vec<HoldId>,
    /// A hash of what was asked for besides the places, to recognise a repetition.
    pub request: Option<u64>,
    /// How the places were chosen, unless the caller chose.
    pub placement: Option<Placement>,
    /// Tickets by type.
    pub tickets: Vec<TicketCount>,
    /// The latest deadline that extending can reach.
    pub extendable_until: Timestamp,
    /// Why the buyer's limits were set aside, if they were.
    pub override_reason: Option<Name>,
}

/// Somebody waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EntryJoined {
    /// The entry.
    pub hold_id: HoldId,
    /// Who waits.
    pub buyer: BuyerId,
    /// What for.
    pub wish: Wish,
    /// Higher is earlier, where priority counts.
    pub priority: u8,
    /// Channels that it may draw from, a bit each.
    pub channels: u64,
    /// Whether the house would meet the wish if all of it were free: a question too costly to ask again.
    pub is_possible: bool,
}

/// An entry got an offer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OfferMade {
    /// The offer, which is a hold under the entry's id.
    pub granted: HoldGranted,
    /// How the places were chosen.
    pub placement: Placement,
    /// Entries that come later, and what of the places was gathered for them.
    pub taken_over: Vec<(HoldId, Places)>,
}

/// Places that are blocked in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MarkedPlaces {
    /// In what way, and why.
    pub mark: Mark,
    /// Seats, ascending.
    pub seats: Vec<SeatRange>,
    /// Units, by ascending section.
    pub ga: Vec<(SectionIndex, u32)>,
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
    /// When it is sold.
    pub sale: Sale,
}

impl ShowCreated {
    /// Hashes of its manifest, its rules and its sale: what it is compared by when it is created again.
    #[must_use]
    pub fn hashes(&self) -> [u128; 3] {
        let hash = |bytes: Vec<u8>| xxhash_rust::xxh3::xxh3_128(&bytes);
        [hash(stable_bytes(&self.manifest)), hash(stable_bytes(&self.policy)), hash(stable_bytes(&self.sale))]
    }
}

/// A show came as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShowLoaded {
    /// The shard that it was on.
    pub of_shard: u32,
    /// As of which frame of that shard.
    pub of_lsn: u64,
    /// The show, as snapshots have it.
    pub state: Vec<u8>,
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
