//! Lookups: the holds and bookings of a buyer or of an order, and a show's sales, a page at a time.
//!
//! They read, in order with every command before them. Pages of a buyer and of an order go by the holds' ids, so that
//! what happens between two pages neither repeats nor skips one; a show's sales go in the order in which they were made.
//! The newest holds are those that were granted last, whatever became of them since. No index is kept for them: a page of
//! them costs one walk over all holds that are remembered, and keeps no more than a page.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    hold::{Hold, HoldState},
    show::Show,
    view::{HoldView, WaitView},
};
use crate::{
    ids::{BuyerId, HoldId, Reference, SectionIndex},
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
    /// Live holds and bookings that have places in one of these sections, or any places if none is named: those granted
    /// last first.
    Newest(Vec<SectionIndex>),
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The holds, as they stand now.
    pub holds: Vec<Box<HoldView>>,
    /// The entry of the waitlist that the buyer has; on the first page.
    pub waiting: Option<Box<WaitView>>,
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
    /// Behind the hold that was granted then, among the newest.
    Before(Timestamp, HoldId),
}

impl Show {
    /// A page of at most `max` holds.
    #[must_use]
    pub fn lookup(&self, by: &LookupBy, from: Option<Cursor>, max: usize, now: Timestamp) -> Page {
        match by {
            LookupBy::Show => self.sales(from, max, now),
            LookupBy::Buyer(buyer) => {
                let slot = self.buyers.find_slot(buyer);
                let own = slot.into_iter().flat_map(|slot| self.buyers.holds_of(slot));
                let page = self.by_id(own.map(|hold| self.holds.get(hold)), from, max, now);
                Page { waiting: self.waiting_of(buyer).filter(|_| from.is_none()), ..page }
            }
            LookupBy::Newest(sections) => self.newest(sections, from, max, now),
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

    fn waiting_of(&self, buyer: &BuyerId) -> Option<Box<WaitView>> {
        let slot = self.waitlist.slot_of_buyer(buyer)?;
        self.wait_view(self.waitlist.entry(slot).id)
    }

    fn newest(&self, sections: &[SectionIndex], from: Option<Cursor>, max: usize, now: Timestamp) -> Page {
        let before = match from {
            Some(Cursor::Before(at, id)) => Some((at, id)),
            _ => None,
        };
        // One more than a page, to know whether there is another.
        let mut newest: BinaryHeap<Reverse<(Timestamp, HoldId)>> = BinaryHeap::new();
        for hold in self.holds.iter() {
            let key = (hold.granted_at, hold.id);
            let is_full = newest.len() > max;
            let is_late = before.is_none_or(|before| key < before);
            if !is_late || (is_full && newest.peek().is_some_and(|Reverse(oldest)| key < *oldest)) {
                continue;
            }
            let has_places = matches!(self.state_of(hold, now), HoldState::Held | HoldState::Confirmed);
            if has_places && (sections.is_empty() || self.is_in(hold, sections)) {
                newest.push(Reverse(key));
                if is_full {
                    newest.pop();
                }
            }
        }
        let mut keys: Vec<(Timestamp, HoldId)> = newest.into_iter().map(|Reverse(key)| key).collect();
        keys.sort_unstable_by_key(|key| Reverse(*key));
        let is_last = keys.len() <= max;
        keys.truncate(max);
        let next = keys.last().filter(|_| !is_last).map(|&(at, id)| Cursor::Before(at, id));
        let holds = keys.into_iter().filter_map(|(_, id)| self.holds.find(id));
        Page { holds: holds.map(|hold| self.view_now(hold, now)).collect(), waiting: None, next }
    }

    /// Whether a hold has places in one of these sections, which are ascending.
    fn is_in(&self, hold: &Hold, sections: &[SectionIndex]) -> bool {
        let is_one = |section: SectionIndex| sections.binary_search(&section).is_ok();
        let section_of = |seat| self.manifest.rows()[self.manifest.row_of(seat)].section;
        let places = hold.remaining();
        places.ga().any(|(section, _)| is_one(section)) || places.seats().any(|seat| is_one(section_of(seat)))
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
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Every page goes on behind the last id, whatever happened between (rule: lookups).
    #[test]
    fn a_buyers_holds_are_paged_by_id() {
        check(
            "00:00  hold A1 as h3                        -> held 1000, until 10:00
             00:00  hold A2 as h1                        -> held 1000, until 10:00
             00:00  hold A3 as h2                        -> held 1000, until 10:00
             00:00  hold A4 as h4 by bob                 -> held 1000, until 10:00
             00:01  confirm h2 for o2                    -> confirmed A3 1000 for o2
             00:02  list ada max 2                       -> h1 held A2 1000, until 10:00 | h2 confirmed A3 1000, until 10:00 | more after h2
             00:03  release h1                           -> released
             00:04  list ada max 2 after h2              -> h3 held A1 1000, until 10:00
             00:05  list ada                             -> h1 released | h2 confirmed A3 1000, until 10:00 | h3 held A1 1000, until 10:00
             00:06  list cyd                             -> nothing
             10:00  list ada max 3 after h2              -> h3 expired",
        );
    }

    /// All bookings under one order, of whichever buyer, cancelled ones too (rule: lookups).
    #[test]
    fn an_orders_bookings_are_found() {
        check(
            "00:00  sell A1 as h2 for o1                 -> confirmed A1 1000 for o1
             00:00  sell A2 as h1 for o1 by bob          -> confirmed A2 1000 for o1 by bob
             00:00  sell A3 as h3 for o2                 -> confirmed A3 1000 for o2
             00:01  order o1                             -> h1 confirmed A2 1000, until 10:00 | h2 confirmed A1 1000, until 10:00
             00:02  cancel h1 by bob                     -> cancelled, refund 1000
             00:03  order o1 max 1                       -> h1 cancelled, refunded 1000 | more after h1
             00:03  order o1 max 1 after h1              -> h2 confirmed A1 1000, until 10:00
             00:04  order o9                             -> nothing",
        );
    }

    /// Sales made meanwhile come at the end (rule: lookups).
    #[test]
    fn a_shows_sales_are_paged_in_the_order_they_were_made() {
        check(
            "00:00  sales                                -> nothing
             00:00  sell A1 as h3 for o3                 -> confirmed A1 1000 for o3
             00:01  sell A2 as h1 for o1                 -> confirmed A2 1000 for o1
             00:02  sales max 1                          -> h3 confirmed A1 1000, until 10:00 | more from 1
             00:03  sell A3 as h2 for o2                 -> confirmed A3 1000 for o2
             00:04  sales max 1 from 1                   -> h1 confirmed A2 1000, until 10:01 | more from 2
             00:05  sales max 1 from 2                   -> h2 confirmed A3 1000, until 10:03
             00:06  sales max 5 from 3                   -> nothing
             00:07  cancel h3                            -> cancelled, refund 1000
             00:08  sales max 1                          -> h3 cancelled, refunded 1000 | more from 1",
        );
    }

    /// Who has what an over-committed section has too many of, those granted last first; ended ones have nothing
    /// (rule: over-committed).
    #[test]
    fn the_newest_are_found_by_section() {
        check(
            "00:00  sell 2xFloor A1 as h1 for o1         -> confirmed A1 2xFloor 1200 for o1
             00:01  hold B1 as h2                        -> held 1000, until 10:01
             00:02  hold 3xFloor as h3 by bob            -> held 300, until 10:02
             00:03  hold 1xFloor as h4 by cyd for 60s    -> held 100, until 01:03
             00:04  newest                               -> h4 held 1xFloor 100, until 01:03 | h3 held 3xFloor 300, until 10:02 | h2 held B1 1000, until 10:01 | h1 confirmed A1 2xFloor 1200, until 10:00
             00:05  newest in Floor max 2                -> h4 held 1xFloor 100, until 01:03 | h3 held 3xFloor 300, until 10:02 | more before h3
             00:06  confirm h3 for o3 by bob             -> confirmed 3xFloor 300 for o3 by bob
             00:07  newest in Floor max 2 before h3      -> h1 confirmed A1 2xFloor 1200, until 10:00
             00:08  newest in A                          -> h1 confirmed A1 2xFloor 1200, until 10:00
             00:09  newest in A in B max 2               -> h2 held B1 1000, until 10:01 | h1 confirmed A1 2xFloor 1200, until 10:00
             01:03  newest in Floor                      -> h3 confirmed 3xFloor 300, until 10:02 | h1 confirmed A1 2xFloor 1200, until 10:00
             01:04  cancel h1                            -> cancelled, refund 1200
             01:05  release h2                           -> released
             01:06  newest                               -> h3 confirmed 3xFloor 300, until 10:02
             01:07  newest in B                          -> nothing",
        );
    }

    /// The buyer's entry stands beside his holds (rule: lookups).
    #[test]
    fn who_waits_is_told_with_the_first_page() {
        check(
            "00:00  hold A1-A10 as h1                    -> held 10000, until 10:00
             00:01  join 10 together as h2 in A          -> waiting, 1 in all
             00:02  list ada                             -> h1 held A1-A10 10000, until 10:00 | h2 waiting
             00:03  list ada after h1                    -> nothing
             00:04  get h2                               -> waiting, 1 in all
             00:05  leave h2                             -> released
             00:06  list ada                             -> h1 held A1-A10 10000, until 10:00 | h2 released, offer",
        );
    }
}
