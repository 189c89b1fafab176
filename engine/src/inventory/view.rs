//! Holds as their callers see them, and what their places cost.

use super::{
    groups::{Membership, NEVER},
    hold::{Booking, Hold, HoldState, Prices},
    hold_best::Placement,
    places::Places,
    show::Show,
};
use crate::{
    command::{TicketCount, Wish},
    ids::{BuyerId, HoldId, Name, SeatIndex, SectionIndex},
    time::Timestamp,
};

/// A hold as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// Its id.
    pub hold_id: HoldId,
    /// Whose it is.
    pub buyer: BuyerId,
    /// How it stands.
    pub state: HoldState,
    /// Its places.
    pub places: Places,
    /// What these places cost together, in minor units.
    pub total_minor: u64,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Its deadline.
    pub expires_at: Timestamp,
    /// The latest deadline that extending can reach.
    pub extendable_until: Timestamp,
    /// Once confirmed.
    pub booking: Option<Booking>,
    /// What few holds have.
    pub more: Option<Box<HoldDetails>>,
}

/// What few holds have, as their callers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldDetails {
    /// How its places were chosen, unless the caller chose.
    pub placement: Option<Placement>,
    /// Tickets by type.
    pub tickets: Vec<TicketCount>,
    /// Prices that differ from those of the manifest now.
    pub prices: Prices,
    /// Single seats that are left over; only told with the grant.
    pub orphans: Vec<SeatIndex>,
    /// It was made for an entry of the waitlist.
    pub is_offer: bool,
    /// Its deadline stands until the outcome of its payment is known.
    pub is_pinned: bool,
    /// It is one of a group.
    pub group: Option<Membership>,
    /// The show was cancelled: the sale is to be refunded.
    pub refund_due: bool,
    /// What the last exchange cost, in minor units; less than 0 where money goes back.
    pub difference_minor: Option<i64>,
    /// What the places cost that were taken back of the booking so far, in minor units.
    pub refunded_minor: u64,
    /// What those cost that this call took back; only told with the answer to it.
    pub refund_minor: Option<u64>,
    /// Why the buyer's limits were set aside for it.
    pub override_reason: Option<Name>,
}

/// An entry as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitView {
    /// The entry.
    pub hold_id: HoldId,
    /// Who waits.
    pub buyer: BuyerId,
    /// What for.
    pub wish: Wish,
    /// Entries that wait now, this one among them.
    pub waiting: u32,
    /// Places that are withheld for this one.
    pub gathered: u32,
    /// Whether the house as it is would meet the wish if all of it were free. If not, nothing is withheld for it, and it
    /// waits for the house to change.
    pub is_possible: bool,
}

impl Show {
    /// An entry as its caller sees it.
    pub(super) fn wait_view(&self, id: HoldId) -> Option<Box<WaitView>> {
        let slot = self.waitlist.slot(id)?;
        let (entry, queue) = (self.waitlist.entry(slot), self.waitlist.queue_of(slot));
        Some(Box::new(WaitView {
            hold_id: id,
            buyer: entry.buyer.clone(),
            wish: queue.wish.clone(),
            waiting: self.waitlist.waiting(),
            gathered: self.waitlist.gathering(slot).map_or(0, |gathering| gathering.places.count()),
            is_possible: queue.is_possible(self),
        }))
    }

    /// What known places cost together, in minor units.
    pub(super) fn price(&self, places: &Places) -> u64 {
        let seats = places.seats().filter_map(|seat| self.manifest.seat_category(seat));
        let ga = places.ga().filter_map(|(section, units)| Some((self.manifest.ga_category(section)?, units)));
        seats.map(|category| category.price_minor).sum::<u64>()
            + ga.map(|(category, units)| category.price_minor * u64::from(units)).sum::<u64>()
    }

    /// What places of a hold cost together: as when it was granted.
    pub(super) fn price_of(&self, hold: &Hold, places: &Places) -> u64 {
        match hold.rare().map(|rare| &rare.prices).filter(|prices| **prices != Prices::default()) {
            Some(prices) => self.price_under(prices, places),
            None => self.price(places),
        }
    }

    /// What places cost together, in minor units, those with a kept price at that.
    pub(super) fn price_under(&self, prices: &Prices, places: &Places) -> u64 {
        places.seats().map(|seat| self.price_of_seat(prices, seat)).sum::<u64>()
            + places.ga().map(|(section, units)| self.price_of_unit(prices, section) * u64::from(units)).sum::<u64>()
    }

    pub(super) fn price_of_seat(&self, kept: &Prices, seat: SeatIndex) -> u64 {
        let kept = kept.seats.iter().find(|(own, _)| *own == seat).map(|(_, price)| *price);
        kept.or_else(|| Some(self.manifest.seat_category(seat)?.price_minor)).unwrap_or(0)
    }

    pub(super) fn price_of_unit(&self, kept: &Prices, section: SectionIndex) -> u64 {
        let kept = kept.ga.iter().find(|(own, _)| *own == section).map(|(_, price)| *price);
        kept.or_else(|| Some(self.manifest.ga_category(section)?.price_minor)).unwrap_or(0)
    }

    /// The hold as it stands now; an ended one has no places.
    pub(super) fn view_now(&self, hold: &Hold, now: Timestamp) -> Box<HoldView> {
        let has_places = matches!(self.state_of(hold, now), HoldState::Held | HoldState::Confirmed);
        let places = if has_places { hold.remaining().clone() } else { Places::default() };
        self.view_at(hold, places, now)
    }

    /// The hold as it stands at an instant, with other places than it may have. While clocks stand, a live one has the
    /// deadlines that it would have if they went on now.
    pub(super) fn view_at(&self, hold: &Hold, places: Places, now: Timestamp) -> Box<HoldView> {
        let state = self.state_of(hold, now);
        let mut view = self.view(hold, state, places);
        if state == HoldState::Held {
            let stood_ms = self.sale.stood_ms(now);
            view.expires_at = view.expires_at.plus_ms(stood_ms);
            view.extendable_until = view.extendable_until.plus_ms(stood_ms);
        }
        view
    }

    /// The hold with other places than it may have.
    pub(super) fn view(&self, hold: &Hold, state: HoldState, places: Places) -> Box<HoldView> {
        Box::new(HoldView {
            hold_id: hold.id,
            buyer: self.buyers.get(hold.buyer).id.clone(),
            state,
            total_minor: self.price_of(hold, &places),
            places,
            granted_at: hold.granted_at,
            expires_at: shown_deadline(hold),
            extendable_until: self.extendable_until_of(hold),
            booking: hold.booking().cloned(),
            more: self.details(hold, state),
        })
    }

    fn details(&self, hold: &Hold, state: HoldState) -> Option<Box<HoldDetails>> {
        let refund_due = state == HoldState::Confirmed && self.is_cancelled();
        let placement = hold.placement();
        let group = self.membership(hold.id).cloned();
        let Some(rare) = hold.rare() else {
            let is_plain = placement.is_none() && group.is_none() && !refund_due;
            let details = || HoldDetails { placement, group, refund_due, ..HoldDetails::default() };
            return (!is_plain).then(|| Box::new(details()));
        };
        let details = HoldDetails {
            placement,
            tickets: rare.tickets.clone(),
            prices: rare.prices.clone(),
            orphans: Vec::new(),
            is_offer: rare.is_offer,
            is_pinned: state == HoldState::Held && rare.pinned_from.is_some(),
            group,
            refund_due,
            difference_minor: rare.difference_minor,
            refunded_minor: rare.refunded_minor,
            refund_minor: None,
            override_reason: rare.override_reason.clone(),
        };
        (details != HoldDetails::default()).then(|| Box::new(details))
    }
}

/// Of a prepared member the one that it had before.
fn shown_deadline(hold: &Hold) -> Timestamp {
    let is_prepared = hold.expires_at >= NEVER;
    let before = hold.rare().and_then(|rare| rare.pinned_from).filter(|_| is_prepared);
    before.unwrap_or(hold.expires_at)
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Minor units of one currency, summed without loss up to the dearest hold (rule: money).
    #[test]
    fn money_is_exact() {
        check(
            "category Dear 1000000000000
             policy places_per_hold 1000, places_per_buyer 1000
             floor Floor 1000 at Dear
             00:00  hold 1000xFloor as h1                -> held 1000000000000000, until 10:00
             00:01  confirm h1 for o1                    -> confirmed 1000xFloor 1000000000000000 for o1
             00:02  reprice Dear 0                       -> version 2
             00:03  exchange 1xFloor A1 of h1            -> confirmed A1 1xFloor 1000000001000 for o1, kept Floor=1000000000000, difference -998999999999000",
        );
    }

    /// A kept price is the hold's, not the place's (rule: price-kept).
    #[test]
    fn what_comes_back_costs_what_it_costs_now() {
        check(
            "00:00  hold A1 A2 as h1                     -> held 2000, until 10:00
             00:01  reprice Seat 1500                    -> version 2
             00:02  release A1 of h1                     -> held
             00:03  get h1                               -> held A2 1000, until 10:00, kept A1=1000 A2=1000
             00:04  hold A1 as h2                        -> held 1500, until 10:04
             00:05  hold A2 as h3                        -> held 1500, until 10:05
             00:06  get h1                               -> released, kept A1=1000 A2=1000",
        );
    }
}
