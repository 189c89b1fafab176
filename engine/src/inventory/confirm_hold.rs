//! ConfirmHold: held to sold. One booking, which does not change; what is not confirmed goes back in the same step, or on
//! under an id of its own.

use super::{
    Answer,
    hold::{Booking, Hold, HoldState, Rare},
    live_hold,
    places::Places,
    release_hold::not_in,
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::HoldView,
};
use crate::{
    command::{ConfirmHold, Terms},
    event::Event,
    ids::{HoldId, Reference},
    rejection::{HoldField, Rejection},
    time::Timestamp,
};

pub(super) fn decide(
    show: &Show,
    command: &ConfirmHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    let hold = match live_hold(show, hold_id, &command.buyer, now) {
        // A second checkout of the same hold gets the first booking.
        Err(Rejection::HoldConfirmed) => {
            let hold = show.own_hold(hold_id, &command.buyer)?;
            return Ok(Answer::Confirmed(show.view(hold, HoldState::Confirmed, hold.remaining().clone())));
        }
        // What is over is sold or not: nothing of it can be held on.
        Err(Rejection::HoldExpired { .. }) if command.accept_late && kept_as(command).is_none() => {
            return late(show, command, now, events);
        }
        found => found?,
    };
    show.must_be_alone(hold_id)?;
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    let remaining = hold.remaining();
    let part = command.part.as_ref().map(|part| &part.places).filter(|places| *places != remaining);
    let foreign = part.map(|part| not_in(part, remaining)).filter(|foreign| !foreign.is_empty());
    if let Some(foreign) = foreign {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    let kept = part.zip(kept_as(command));
    if kept.is_some_and(|(_, rest_id)| show.is_known(rest_id)) {
        return Err(Rejection::IdReused { field: HoldField::KeepRestAs });
    }
    // After this point it must succeed.
    let (order, payment) = (command.order.clone(), command.payment.clone());
    let view = sold(show, hold, part.unwrap_or(remaining).clone(), (&order, &payment), now);
    if let Some((part, rest_id)) = kept {
        events.push(Event::HoldSplit { hold_id, rest_id, rest: remaining.without(part) });
    }
    events.push(Event::HoldConfirmed { hold_id, order, payment, places: part.cloned() });
    Ok(Answer::Confirmed(view))
}

/// A hold as its caller sees it once these places of it are sold, for an order and its payment.
pub(super) fn sold(
    show: &Show,
    hold: &Hold,
    places: Places,
    (order, payment): (&Reference, &Reference),
    now: Timestamp,
) -> Box<HoldView> {
    let mut view = show.view(hold, HoldState::Confirmed, places);
    view.booking = Some(Booking { order: order.clone(), payment: payment.clone(), confirmed_at: now });
    view
}

fn kept_as(command: &ConfirmHold) -> Option<HoldId> {
    command.part.as_ref()?.keep_rest_as
}

/// A payment that landed a moment too late: sold all the same, if the show's grace is not over and every place is still
/// free. A hold that was not swept yet has its places still.
fn late(show: &Show, command: &ConfirmHold, now: Timestamp, events: &mut Vec<Event>) -> Result<Answer, Rejection> {
    let hold = show.own_hold(command.hold_id, &command.buyer)?;
    show.must_be_alone(command.hold_id)?;
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    if now >= hold.expires_at.plus_ms(show.policy.late_confirm_ms_max) {
        return Err(Rejection::HoldExpired { expires_at: hold.expires_at });
    }
    let places = command.part.as_ref().map_or(hold.remaining(), |part| &part.places);
    let foreign = not_in(places, hold.remaining());
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    let is_swept = hold.state == HoldState::Expired;
    if is_swept {
        let terms = Terms { accessible: true, ..Terms::default() };
        let mut taking = Taking::new(show, &command.buyer, &terms, now);
        // The buyer had these places, in whatever channel they are.
        taking.reach = u64::MAX;
        taking.check_places_of_buyer(places)?;
        taking.check_capacities(places)?;
        if !taking.can_have(places) {
            return taking.refuse(places);
        }
    }
    // After this point it must succeed.
    let (hold_id, places) = (command.hold_id, places.clone());
    let (order, payment) = (command.order.clone(), command.payment.clone());
    let view = sold(show, hold, places.clone(), (&order, &payment), now);
    events.push(if is_swept {
        Event::HoldConfirmedLate { hold_id, order, payment, places }
    } else {
        let places = (places != *hold.remaining()).then_some(places);
        Event::HoldConfirmed { hold_id, order, payment, places }
    });
    Ok(Answer::Confirmed(view))
}

/// What `HoldConfirmed` says besides the hold.
pub(super) struct Confirmed {
    pub(super) order: Reference,
    pub(super) payment: Reference,
    pub(super) places: Option<Places>,
}

pub(super) fn apply(show: &mut Show, hold_id: HoldId, confirmed: Confirmed, at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is confirmed");
    show.forget_prepared(slot);
    if let Some(places) = &confirmed.places {
        let rest = show.holds.get(slot).remaining().without(places);
        // Nothing, where it goes on under another id.
        if !rest.is_empty() {
            show.give_back(slot, &rest);
        }
    }
    let hold = show.holds.get_mut(slot);
    let (sold, buyer) = (hold.remaining().clone(), hold.buyer);
    hold.more_mut().booking = Some(Booking { order: confirmed.order, payment: confirmed.payment, confirmed_at: at });
    hold.forget_pin();
    show.sell(&sold);
    show.buyers.get_mut(buyer).live_holds -= 1;
    show.lapses.remove(&buyer);
    show.holds.book(slot);
}

/// The new hold has the deadlines and the prices of the one that it comes from, but no pin: its payment is another one.
pub(super) fn apply_split(show: &mut Show, hold_id: HoldId, rest_id: HoldId, rest: Places) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is split");
    let hold = show.holds.get_mut(slot);
    let (buyer, ttl, granted_at, extends) = (hold.buyer, hold.ttl, hold.granted_at, hold.extends);
    let mut own = hold.rare().map(|rare| Rare {
        prices: rare.prices.clone(),
        extendable_until: rare.extendable_until,
        is_offer: rare.is_offer,
        override_reason: rare.override_reason.clone(),
        ..Rare::default()
    });
    if let Some(own) = &mut own {
        own.prices.keep_only(&rest);
    }
    let expires_at = hold.rare().and_then(|rare| rare.pinned_from).unwrap_or(hold.expires_at);
    let left = hold.remaining().without(&rest);
    hold.uncommon_mut().remaining = Some(left);
    let more = own.map(Hold::more_of_rare);
    let (count, state) = (rest.count(), HoldState::Held);
    let rest = Hold { id: rest_id, buyer, ttl, granted_at, expires_at, places: rest, state, extends, more };
    let tally = show.buyers.get_mut(buyer);
    tally.places -= count;
    tally.name_again();
    show.keep(rest, count);
}

pub(super) fn apply_late(show: &mut Show, hold_id: HoldId, confirmed: Confirmed, at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is confirmed");
    let places = confirmed.places.expect("a late sale names its places");
    show.take(&places);
    show.sell(&places);
    let hold = show.holds.get_mut(slot);
    let buyer = hold.buyer;
    hold.forget_pin();
    hold.uncommon_mut().remaining = Some(places.clone());
    hold.more_mut().booking = Some(Booking { order: confirmed.order, payment: confirmed.payment, confirmed_at: at });
    show.buyers.get_mut(buyer).places += places.count();
    show.lapses.remove(&buyer);
    show.holds.book_late(slot);
}

#[cfg(test)]
mod tests;
