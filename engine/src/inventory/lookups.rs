//! Lookups: the holds and bookings of a buyer or of an order, and a show's sales, a page at a time.
//!
//! They read, in order with every command before them. Pages of a buyer and of an order go by the holds' ids, so that
//! what happens between two pages neither repeats nor skips one; a show's sales go in the order in which they were made.

use super::{
    hold::{Hold, HoldState},
    places::Places,
    show::Show,
    view::HoldView,
    waitlist::WaitView,
};
use crate::{
    ids::{BuyerId, HoldId, Reference},
    time::Timestamp,
};

/// Most holds of one page.
pub const PAGE_MAX: usize = 1_000;

/// Whose holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupBy {
    /// All that a buyer has and had, as long as it is remembered.
    Buyer(BuyerId),
    /// The bookings of an order.
    Order(Reference),
    /// All bookings of the show.
    Show,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The holds, as they stand now.
    pub holds: Vec<HoldView>,
    /// The entry of the waitlist that the buyer has; on the first page.
    pub waiting: Option<WaitView>,
    /// From where the next page goes on; absent on the last one.
    pub next: Option<Cursor>,
}

/// From where a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Behind this hold.
    After(HoldId),
    /// At this position among the bookings.
    At(u32),
}

impl Show {
    /// A page of at most `max` holds.
    #[must_use]
    pub fn lookup(&self, by: &LookupBy, from: Option<Cursor>, max: usize, now: Timestamp) -> Page {
        match by {
            LookupBy::Show => self.sales(from, max, now),
            LookupBy::Buyer(buyer) => {
                let slot = self.buyers.find_slot(buyer.as_bytes());
                let own = slot.into_iter().flat_map(|slot| self.buyers.holds_of(slot));
                let page = self.by_id(own.map(|hold| self.holds.get(hold)), from, max, now);
                Page { waiting: self.waiting_of(buyer).filter(|_| from.is_none()), ..page }
            }
            LookupBy::Order(order) => self.by_id(self.holds.of_order(order).into_iter(), from, max, now),
        }
    }

    fn by_id<'a>(
        &'a self,
        holds: impl Iterator<Item = &'a Hold>,
        from: Option<Cursor>,
        max: usize,
        now: Timestamp,
    ) -> Page {
        let after = match from {
            Some(Cursor::After(id)) => Some(id),
            _ => None,
        };
        let mut holds: Vec<&Hold> = holds.filter(|hold| after.is_none_or(|after| hold.id > after)).collect();
        holds.sort_unstable_by_key(|hold| hold.id);
        let next = holds.get(max).and(holds.get(max.wrapping_sub(1))).map(|last| Cursor::After(last.id));
        holds.truncate(max);
        Page { holds: holds.into_iter().map(|hold| self.view_now(hold, now)).collect(), waiting: None, next }
    }

    fn waiting_of(&self, buyer: &BuyerId) -> Option<WaitView> {
        let slot = self.waitlist.slot_of_buyer(buyer.as_bytes())?;
        self.waitlist.view(self.waitlist.entry(slot).id)
    }

    fn sales(&self, from: Option<Cursor>, max: usize, now: Timestamp) -> Page {
        let first = match from {
            Some(Cursor::At(position)) => position,
            _ => 0,
        };
        let booked = self.holds.booked();
        let end = (first as usize).saturating_add(max);
        let next = u32::try_from(end).ok().filter(|_| end < booked.len()).map(Cursor::At);
        let holds = booked.skip(first as usize).take(max).map(|hold| self.view_now(hold, now)).collect();
        Page { holds, waiting: None, next }
    }

    /// A hold with what it has now.
    fn view_now(&self, hold: &Hold, now: Timestamp) -> HoldView {
        let state = self.state_of(hold, now);
        let has_places = matches!(state, HoldState::Held | HoldState::Confirmed);
        let places = if has_places { hold.remaining().clone() } else { Places::default() };
        self.view(hold, state, places)
    }
}
