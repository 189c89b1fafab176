//! What one show of the naive model consists of: seats, units, channels, holds, entries.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    command::{Terms, TicketCount, Wish},
    ids::{BuyerId, HoldId, Name, SeatIndex, SectionIndex},
    inventory::{
        Booking, HoldState, Prices,
        blocks::Mark,
        groups::Membership,
        hold_best::Placement,
        manifest::{CategoryIndex, Features},
        places::Places,
    },
    time::{HoldTtl, Timestamp},
};

/// Whose a seat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's: available, or blocked if it is marked.
    Nobody,
    /// A live hold's.
    Held(HoldId),
    /// A booking's.
    Sold(HoldId),
    /// An entry's of the waitlist, which needs more.
    Gathered(HoldId),
    /// It is no part of the show any more.
    Retired,
}

/// A seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub(super) section: SectionIndex,
    /// Position of its row in [`Show::rows`].
    pub(super) row: usize,
    pub(super) category: CategoryIndex,
    pub(super) features: Features,
    /// Position of its channel.
    pub(super) channel: Option<usize>,
    pub(super) mark: Option<Mark>,
    pub(super) owner: Owner,
}

impl Seat {
    pub(super) fn is_available(&self) -> bool {
        self.owner == Owner::Nobody && self.mark.is_none()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.owner == Owner::Nobody && self.mark.is_some()
    }

    pub(super) fn is_protected(&self) -> bool {
        self.features.has_any(Features::ACCESSIBLE) || self.features.has_any(Features::COMPANION)
    }
}

/// A row of seats with consecutive numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) section: SectionIndex,
    pub(super) name: String,
    pub(super) rank: u32,
    pub(super) first: u32,
    pub(super) seats: u32,
}

/// A general-admission section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) capacity: u32,
    pub(super) category: CategoryIndex,
    pub(super) held: BTreeMap<HoldId, u32>,
    pub(super) sold: BTreeMap<HoldId, u32>,
    pub(super) gathered: BTreeMap<HoldId, u32>,
    pub(super) blocked: BTreeMap<Mark, u32>,
}

impl Units {
    pub(super) fn taken(&self) -> u32 {
        [&self.held, &self.sold, &self.gathered].into_iter().flat_map(BTreeMap::values).sum()
    }

    pub(super) fn available(&self) -> u32 {
        self.capacity.saturating_sub(self.taken() + self.blocked.values().sum::<u32>())
    }
}

/// Seats that are for those who bring its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) key: Name,
    pub(super) public_at: Option<Timestamp>,
    pub(super) is_open: bool,
}

/// What was asked for besides the places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Terms(Terms),
    Best(Wish, Vec<TicketCount>, Terms),
}

/// A hold of any state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub(super) buyer: BuyerId,
    pub(super) granted: Places,
    pub(super) ttl: HoldTtl,
    pub(super) granted_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) state: HoldState,
    pub(super) booking: Option<Booking>,
    /// What it had when it ended without a sale.
    pub(super) had: Places,
    pub(super) asked: Option<Asked>,
    pub(super) placement: Option<Placement>,
    pub(super) tickets: Vec<TicketCount>,
    pub(super) prices: Prices,
    /// The end of its longest life, where it was noted.
    pub(super) life_ends: Option<Timestamp>,
    pub(super) pinned_from: Option<Timestamp>,
    /// It is one of several; while it is prepared, it has no deadline.
    pub(super) group: Option<Membership>,
    pub(super) returns_later_ms: u64,
    pub(super) has_lapsed: bool,
    pub(super) extends: u32,
    pub(super) override_reason: Option<Name>,
    pub(super) difference_minor: Option<i64>,
    pub(super) refunded_minor: u64,
    pub(super) is_offer: bool,
    /// What the booking had before the first of its places was cancelled.
    pub(super) booked: Option<Places>,
}

impl Hold {
    pub(super) fn new(buyer: &BuyerId, places: Places, ttl: HoldTtl, at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            buyer: buyer.clone(),
            granted: places,
            ttl,
            granted_at: at,
            expires_at,
            state: HoldState::Held,
            booking: None,
            had: Places::default(),
            asked: None,
            placement: None,
            tickets: Vec::new(),
            prices: Prices::default(),
            life_ends: None,
            pinned_from: None,
            group: None,
            returns_later_ms: 0,
            has_lapsed: false,
            extends: 0,
            override_reason: None,
            difference_minor: None,
            refunded_minor: 0,
            is_offer: false,
            booked: None,
        }
    }

    /// Ended without a sale.
    pub(super) fn is_ended(&self) -> bool {
        let ended = [HoldState::Released, HoldState::Expired, HoldState::Fenced];
        ended.contains(&self.state) || (self.state == HoldState::Cancelled && self.booking.is_none())
    }
}

/// How often a buyer let holds expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lapses {
    pub(super) count: u32,
    pub(super) cools_until: Timestamp,
}

/// One who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: HoldId,
    pub(super) buyer: BuyerId,
    pub(super) wish: Wish,
    pub(super) priority: u8,
    /// Positions of the channels that it may draw from.
    pub(super) channels: BTreeSet<usize>,
    pub(super) number: u64,
    /// Until when what is gathered for it is withheld.
    pub(super) gathers_until: Option<Timestamp>,
    pub(super) was_gathered_for: bool,
}

/// What came back since those who wait were last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) everywhere: bool,
    pub(super) seats: BTreeSet<SeatIndex>,
    pub(super) sections: BTreeSet<SectionIndex>,
    /// How often a seat, and a section, was noted: for more than a few, all is to be looked at.
    pub(super) noted: [usize; 2],
    /// What those wished for who joined, and from which channels.
    pub(super) joined: Vec<(Wish, BTreeSet<usize>)>,
}

impl Look {
    pub(super) fn is_empty(&self) -> bool {
        !self.everywhere && self.seats.is_empty() && self.sections.is_empty() && self.joined.is_empty()
    }
}
