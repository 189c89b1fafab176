//! SellPlaces: the box office sells without a hold before it, in one step.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Answer,
    grant::{Grant, Special},
    hold::{Booking, Hold, HoldState},
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::{HoldDetails, HoldView},
};
use crate::{
    codec::stable_bytes,
    command::SellPlaces,
    event::Event,
    rejection::{HoldField, Rejection},
    time::Timestamp,
};

pub(super) fn decide(
    show: &Show,
    command: &SellPlaces,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let request = xxh3_64(&stable_bytes(&command.terms));
    if let Some(hold) = show.holds.find(command.hold_id) {
        return repeat(show, command, hold, request, now);
    }
    if show.waitlist.is_entry(command.hold_id) {
        return Err(Rejection::HoldWaiting);
    }
    let states = [ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed];
    let mut taking = Taking::new(show, &command.buyer, &command.terms, now);
    taking.begin(None, &states)?;
    taking.check(&command.places)?;
    if !taking.can_have(&command.places) {
        return taking.refuse(&command.places);
    }
    // After this point it must succeed.
    let grant = Grant::of(&taking, (command.hold_id, &command.buyer), &command.places, None);
    events.push(grant.on_terms(&taking, Special { request: Some(request), ..Special::default() }));
    let (order, payment) = (command.order.clone(), command.payment.clone());
    let booking = Some(Booking { order: order.clone(), payment: payment.clone(), confirmed_at: now });
    events.push(Event::HoldConfirmed { hold_id: command.hold_id, order, payment, places: None });
    let override_reason = command.terms.override_reason.clone();
    let more =
        override_reason.map(|reason| Box::new(HoldDetails { override_reason: Some(reason), ..HoldDetails::default() }));
    let view = Box::new(HoldView { state: HoldState::Confirmed, booking, ..*grant.view(more) });
    Ok(Answer::Confirmed(view))
}

/// The same sale again returns the booking as it stands now.
fn repeat(show: &Show, command: &SellPlaces, hold: &Hold, request: u64, now: Timestamp) -> Result<Answer, Rejection> {
    if show.state_of(hold, now) == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    let field = if show.buyers.get(hold.buyer).id != command.buyer {
        HoldField::BuyerId
    } else if hold.places != command.places {
        HoldField::Places
    } else if hold.request() != Some(request) {
        HoldField::Request
    } else if hold.booking().is_none_or(|booking| booking.order != command.order) {
        HoldField::Order
    } else {
        return Ok(Answer::Confirmed(show.view_now(hold, now)));
    };
    Err(Rejection::IdReused { field })
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Hold and confirmation in one step, in any state but draft, cancelled and archived (rule: direct-sale).
    #[test]
    fn the_box_office_sells_before_the_opening_and_after_the_end() {
        check(
            "sale opens 05:00 closes 10:00
             00:00  sell A1 2xFloor as h1 for o1         -> confirmed A1 2xFloor 1200 for o1
             00:00  sell A1 2xFloor as h1 for o1         -> confirmed A1 2xFloor 1200 for o1
             00:01  sell A1 2xFloor as h1 for o2         -> rejected: id reused, another order_ref
             00:01  sell A1 as h1 for o1                 -> rejected: id reused, another places
             00:01  sell A1 2xFloor as h1 for o1 by bob  -> rejected: id reused, another buyer_id
             00:02  sell A1 A2 as h2 for o2              -> rejected: places taken A1
             06:00  sell A2 as h2 for o2 by bob          -> confirmed A2 1000 for o2 by bob
             11:00  sell A3 as h3 for o3                 -> confirmed A3 1000 for o3
             11:01  cancel-show                          -> 0 holds with 0, 3 bookings with 5 to refund 3200, 0 waiting
             11:02  sell A4 as h4 for o4                 -> rejected: the show is cancelled",
        );
    }

    /// Not even directly (rule: direct-sale).
    #[test]
    fn a_draft_is_not_sold() {
        check(
            "sale draft
             00:00  sell A1 as h1 for o1                 -> rejected: the show is draft",
        );
    }

    /// It keeps to what everybody keeps to, on its own terms (rule: direct-sale).
    #[test]
    fn limits_and_protection_hold_for_the_box_office_too() {
        check(
            "policy places_per_buyer 2
             row A 5 in West, bays 5
             00:00  channel fans                         -> done
             00:00  assign A1 to fans                    -> 1 changed
             00:00  block A2 house:guests                -> 1 changed
             00:01  sell A1 A2 A5 as h1 for o1           -> rejected: places_per_buyer_max is 2
             00:01  sell A2 A5 as h1 for o1              -> rejected: places protected A5
             00:01  sell A1 A2 as h1 for o1              -> rejected: places taken A1 A2
             00:02  sell A1 A2 as h1 for o1 house with fans -> confirmed A1 A2 2000 for o1
             00:03  sell A5 as h2 for o2 accessible by bob -> confirmed A5 1000 for o2 by bob",
        );
    }
}
