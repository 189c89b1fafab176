//! What callers ask for. A command names its show outside: a batch is for one show.
//!
//! Everything here is well formed by its types; whether it is granted is the inventory's decision. What organisers ask
//! for is in [`organise`].

use bincode::Encode;

use crate::{
    ids::{BuyerId, HoldId, Name, Reference, SectionIndex, ShowId},
    inventory::{manifest::CategoryIndex, places::Places},
    time::HoldTtl,
};

mod kind;
mod organise;
pub use kind::CommandKind;
pub use organise::{
    AssignChannel, BlockPlaces, CancelBooking, ReturnTo, ScheduleRelease, ScheduleSale, Selection, SetChannel,
    UnblockPlaces,
};

use crate::inventory::{manifest::ManifestChange, policy::Policy};

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
    /// Hold the best places that meet a wish.
    HoldBest(Box<HoldBest>),
    /// Keep a hold from expiring while the outcome of its payment is unknown.
    PinHold(OwnHold),
    /// Give a pinned hold its deadline back.
    UnpinHold(OwnHold),
    /// Sell places without a hold before it: the box office.
    SellPlaces(Box<SellPlaces>),
    /// Take a sale back, all or some of it.
    CancelBooking(CancelBooking),
    /// Give a booking to another buyer.
    TransferBooking(TransferBooking),
    /// Other places for the same booking.
    ExchangeSeats(Box<ExchangeSeats>),
    /// Wait for places to come back.
    JoinWaitlist(Box<JoinWaitlist>),
    /// Wait no more.
    LeaveWaitlist(OwnHold),
    /// Make a hold one of a group.
    JoinGroup(Box<JoinGroup>),
    /// Let a member wait for the decision about its group.
    PrepareMember(Box<SellMember>),
    /// Sell a member: of the first one it is the decision.
    ConfirmMember(Box<SellMember>),
    /// Give a member's places back, prepared or not.
    ReleaseMember(OwnHold),
    /// Withhold places.
    BlockPlaces(Box<BlockPlaces>),
    /// Offer withheld places.
    UnblockPlaces(Box<UnblockPlaces>),
    /// Take seats that are available or blocked out of the show for good.
    RetireSeats(Box<Selection>),
    /// Unblock at a time.
    ScheduleRelease(ScheduleRelease),
    /// Define a channel, or change when it opens.
    SetChannel(SetChannel),
    /// Put seats into a channel, or take them out of theirs.
    AssignChannel(Box<AssignChannel>),
    /// Set when the sale opens and closes.
    ScheduleSale(ScheduleSale),
    /// Open the sale now, or go on after a pause.
    OpenSale,
    /// Take no new holds for a while. While that is so already, it only says whether deadlines stand.
    PauseSale {
        /// Deadlines stand still from now on, until the sale goes on.
        stop_clocks: bool,
    },
    /// End the sale: what is held may still be confirmed.
    CloseSale,
    /// End every hold; every sale is to be refunded.
    CancelShow {
        /// Only count.
        dry_run: bool,
    },
    /// Take nothing any more; only look up.
    ArchiveShow,
    /// Other rules from now on.
    ChangePolicy(Box<Policy>),
    /// Another manifest from now on.
    ChangeManifest(Box<ManifestChange>),
}

impl Command {
    /// Whether there is a state in which it changes something.
    #[must_use]
    pub fn may_change(&self) -> bool {
        !matches!(self, Self::GetHold(_) | Self::CancelShow { dry_run: true })
    }

    /// Who wants places by it, if anybody does.
    #[must_use]
    pub fn claimant(&self) -> Option<&BuyerId> {
        match self {
            Self::HoldSeats(command) => Some(&command.buyer),
            Self::HoldBest(command) => Some(&command.buyer),
            Self::SellPlaces(command) => Some(&command.buyer),
            Self::ExchangeSeats(command) => Some(&command.buyer),
            Self::JoinWaitlist(command) => Some(&command.buyer),
            _ => None,
        }
    }

    /// The hold that it is about, if it is about one.
    #[must_use]
    pub fn hold_id(&self) -> Option<HoldId> {
        Some(match self {
            Self::HoldSeats(command) => command.hold_id,
            Self::ExtendHold(command) => command.hold_id,
            Self::ReleaseHold(command) => command.hold_id,
            Self::ConfirmHold(command) => command.hold_id,
            Self::GetHold(hold_id) => *hold_id,
            Self::HoldBest(command) => command.hold_id,
            Self::SellPlaces(command) => command.hold_id,
            Self::CancelBooking(command) => command.hold_id,
            Self::TransferBooking(command) => command.hold_id,
            Self::ExchangeSeats(command) => command.hold_id,
            Self::JoinWaitlist(command) => command.hold_id,
            Self::PinHold(command)
            | Self::UnpinHold(command)
            | Self::LeaveWaitlist(command)
            | Self::ReleaseMember(command) => command.hold_id,
            Self::JoinGroup(command) => command.hold_id,
            Self::PrepareMember(command) | Self::ConfirmMember(command) => command.hold_id,
            _ => return None,
        })
    }
}

/// A hold and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnHold {
    /// The hold, or the waiting entry.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
}

/// Hold places: all or none. Seats that the same buyer holds already move into the new hold.
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
    /// What few requests say besides.
    pub terms: Option<Box<Terms>>,
}

/// What few requests for places say besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode)]
pub struct Terms {
    /// A live hold of the same buyer, which ends in the same step: its places may be among the new ones, and its
    /// longest life goes on.
    pub replaces: Option<HoldId>,
    /// Keys of the channels that it may draw from besides the public places; at most 16.
    pub channels: Vec<Name>,
    /// The buyer is entitled to accessible places.
    pub accessible: bool,
    /// Places of the house may be taken: the caller speaks for the house.
    pub house: bool,
    /// The manifest's version that the caller saw.
    pub manifest_version: Option<u32>,
    /// Why the limits of what one buyer may have, his cool-down and the orphan rule are set aside: the caller speaks for
    /// the staff. Kept with the hold.
    pub override_reason: Option<Name>,
}

/// What a party wishes for: how many, and which places will do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, bincode::Decode)]
pub struct Wish {
    /// Places, 1 to 1,000.
    pub quantity: u32,
    /// At least so many will do, of a general-admission section. Absent: all of them.
    pub at_least: Option<u32>,
    /// How the seats may lie.
    pub adjacency: Adjacency,
    /// Any of these categories; all if empty. Ascending.
    pub categories: Vec<CategoryIndex>,
    /// Any of these sections; all sections of seats if empty. Ascending. A single general-admission section asks for
    /// its units.
    pub sections: Vec<SectionIndex>,
    /// No place that costs more, in minor units.
    pub price_minor_max: Option<u64>,
    /// No seat with a restricted view.
    pub exclude_restricted: bool,
    /// Wheelchair bays among the places.
    pub bays: u32,
    /// Companions' seats among the places, beside the bays.
    pub companions: u32,
}

/// How the seats of a party may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, bincode::Decode)]
pub enum Adjacency {
    /// Side by side in one row, or not at all.
    Required,
    /// Side by side if possible, otherwise in as few groups as possible.
    Preferred,
    /// The best seats, wherever they are.
    Any,
}

impl Wish {
    /// So many seats, whichever.
    #[must_use]
    pub fn seats(quantity: u32, adjacency: Adjacency) -> Self {
        let (categories, sections) = (Vec::new(), Vec::new());
        let (at_least, price_minor_max) = (None, None);
        Self {
            quantity,
            at_least,
            adjacency,
            categories,
            sections,
            price_minor_max,
            exclude_restricted: false,
            bays: 0,
            companions: 0,
        }
    }
}

/// How many tickets of one type.
#[derive(Clone, Debug, PartialEq, Eq, Encode, bincode::Decode)]
pub struct TicketCount {
    /// The type, such as "adult".
    pub ticket_type: Name,
    /// 1 or more.
    pub count: u32,
}

/// Hold the best places that meet a wish, in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldBest {
    /// The new hold's id, chosen by the caller. Spreads the choice among places that are as good.
    pub hold_id: HoldId,
    /// Whom it is for.
    pub buyer: BuyerId,
    /// What is wished for.
    pub wish: Wish,
    /// Tickets by type; none, or as many as the wish's quantity, of at most 16 types. Kept with the hold.
    pub tickets: Vec<TicketCount>,
    /// How long; the show's default if absent.
    pub ttl: Option<HoldTtl>,
    /// What few requests say besides.
    pub terms: Terms,
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

/// Give a hold's places back. An id never seen is fenced. An offer that is released is declined.
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
    /// Which; all if absent.
    pub part: Option<Box<Part>>,
    /// Also a hold that expired within the show's grace, if every place is still free.
    pub accept_late: bool,
}

/// Some of a hold's places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub places: Places,
    /// The id of a new hold, chosen by the caller: the rest goes on under it, with the same deadline. Absent: the rest is
    /// released in the same step.
    pub keep_rest_as: Option<HoldId>,
}

/// Sell places at once: hold and confirm in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SellPlaces {
    /// The new booking's id, chosen by the caller.
    pub hold_id: HoldId,
    /// Whom it is for.
    pub buyer: BuyerId,
    /// What to sell.
    pub places: Places,
    /// The box office's order.
    pub order: Reference,
    /// Its payment.
    pub payment: Reference,
    /// What few requests say besides; nothing is replaced.
    pub terms: Terms,
}

/// Give a booking to another buyer: the same places, the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferBooking {
    /// The booking.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// Whose it is to be.
    pub to_buyer: BuyerId,
}

/// Other places for the same booking, in one step; its own may be among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeSeats {
    /// The booking.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// All places that it is to have.
    pub places: Places,
    /// What few requests say besides; nothing is replaced.
    pub terms: Terms,
}

/// Wait for places. An entry is a hold that waits: its offer is a hold under the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinWaitlist {
    /// The entry's id, chosen by the caller; the offer's too.
    pub hold_id: HoldId,
    /// Who waits; one entry or offer at a time.
    pub buyer: BuyerId,
    /// What for.
    pub wish: Wish,
    /// Higher is served earlier, where the show's waitlist goes by priority.
    pub priority: u8,
    /// Keys of the channels that it may draw from besides the public places; at most 16.
    pub channels: Vec<Name>,
}

/// Make a live hold one of a group, whose holds have the same id, one in each of its shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinGroup {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// Every show of the group, 2 to [`GROUP_SHOWS_MAX`](crate::inventory::groups::GROUP_SHOWS_MAX) different ones, this one
    /// among them. The first one decides.
    pub shows: Vec<ShowId>,
}

/// Sell a member of a group, or prepare that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SellMember {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// The frontend's order.
    pub order: Reference,
    /// The frontend's payment.
    pub payment: Reference,
}
