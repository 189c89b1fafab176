//! ConfirmHold and SellPlaces of the naive model: how places are sold.

use usher_engine::{
    command::{ConfirmHold, SellPlaces, Terms},
    ids::{HoldId, Reference},
    inventory::{Answer, Booking, HoldState, places::Places, sale::ShowState},
    rejection::{HoldField, Limit, Rejection},
    shard::Outcome,
    time::Timestamp,
};

use super::{
    holds::{GOING_ON, Grant},
    live_hold,
    moves::{has_seat, minus, missing, units_of},
    own_hold,
    records::{Asked, Hold},
    show::Show,
    taking::Taking,
};

pub(super) fn confirm(show: &mut Show, command: &ConfirmHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    match live_hold(show, id, &command.buyer, now) {
        Err(Rejection::HoldConfirmed) => {
            return Ok(Answer::Confirmed(show.view(id, HoldState::Confirmed, &show.places_of(id))));
        }
        Err(Rejection::HoldExpired { .. }) if command.accept_late && rest_id(command).is_none() => {
            return late(show, command, now);
        }
        found => found?,
    };
    show.must_be_alone(id)?;
    show.must_be(&GOING_ON, now)?;
    let own = show.places_of(id);
    let wanted = command.part.as_ref().map_or(own.clone(), |part| part.places.clone());
    let foreign = missing(&wanted, &own);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    let rest = minus(&own, &wanted);
    if let Some(rest_id) = rest_id(command)
        && wanted != own
    {
        if show.holds.contains_key(&rest_id) || show.entry(rest_id).is_some() {
            return Err(Rejection::IdReused { field: HoldField::KeepRestAs });
        }
        keep_rest(show, id, rest_id, rest);
    }
    Ok(sell(show, id, &wanted, &command.order, &command.payment, now))
}

fn rest_id(command: &ConfirmHold) -> Option<HoldId> {
    command.part.as_ref().and_then(|part| part.keep_rest_as)
}

/// What is not sold goes on under another id.
fn keep_rest(show: &mut Show, id: HoldId, rest_id: HoldId, rest: Places) {
    show.drop_places(id, &rest);
    show.take(rest_id, &rest);
    let hold = &show.holds[&id];
    let deadline = hold.pinned_from.unwrap_or(hold.expires_at);
    let mut kept = Hold::new(&hold.buyer, rest, hold.ttl, hold.granted_at, deadline);
    (kept.life_ends, kept.is_offer, kept.extends) = (hold.life_ends, hold.is_offer, hold.extends);
    kept.override_reason.clone_from(&hold.override_reason);
    for (seat, price) in &hold.prices.seats {
        if has_seat(&kept.granted, *seat) {
            kept.prices.seats.push((*seat, *price));
        }
    }
    for (section, price) in &hold.prices.ga {
        if units_of(&kept.granted, *section) > 0 {
            kept.prices.ga.push((*section, *price));
        }
    }
    show.insert(rest_id, kept);
}

/// A payment that landed a moment too late.
fn late(show: &mut Show, command: &ConfirmHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    let hold = own_hold(show, id, &command.buyer)?;
    show.must_be_alone(id)?;
    show.must_be(&GOING_ON, now)?;
    if now.0 >= hold.expires_at.0 + show.policy.late_confirm_ms_max {
        return Err(Rejection::HoldExpired { expires_at: hold.expires_at });
    }
    let is_swept = hold.state == HoldState::Expired;
    let own = if is_swept { hold.had.clone() } else { show.places_of(id) };
    let wanted = command.part.as_ref().map_or(own.clone(), |part| part.places.clone());
    let foreign = missing(&wanted, &own);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    if is_swept {
        let terms = Terms { accessible: true, ..Terms::default() };
        let taking = Taking { any_channel: true, ..Taking::begin(show, &command.buyer, terms, &GOING_ON, now)? };
        let max = show.policy.places_per_buyer_max;
        if show.places_of_buyer(&command.buyer) + wanted.count() > max {
            return Err(Rejection::LimitReached { limit: Limit::PlacesPerBuyer, max: u64::from(max) });
        }
        taking.check_capacities(&wanted)?;
        let taken = taking.taken(&wanted);
        if !taken.is_empty() {
            return Err(Rejection::PlacesTaken(taken));
        }
        show.take(id, &wanted);
    }
    Ok(sell(show, id, &wanted, &command.order, &command.payment, now))
}

/// Some of what a hold has is sold; the rest goes back.
pub(super) fn sell(
    show: &mut Show,
    id: HoldId,
    wanted: &Places,
    order: &Reference,
    payment: &Reference,
    now: Timestamp,
) -> Answer {
    let rest = minus(&show.places_of(id), wanted);
    show.put_back(id, &rest);
    show.sell(id);
    let hold = show.hold_mut(id);
    hold.state = HoldState::Confirmed;
    hold.booking = Some(Booking { order: order.clone(), payment: payment.clone(), confirmed_at: now });
    hold.pinned_from = None;
    let buyer = hold.buyer.clone();
    show.lapses.remove(&buyer);
    show.booked.push(id);
    Answer::Confirmed(show.view(id, HoldState::Confirmed, wanted))
}

pub(super) fn sell_places(show: &mut Show, command: &SellPlaces, now: Timestamp) -> Outcome {
    let asked = Asked::Terms(command.terms.clone());
    if let Some(hold) = show.holds.get(&command.hold_id) {
        let field = if hold.state == HoldState::Fenced {
            return Err(Rejection::HoldFenced);
        } else if hold.buyer != command.buyer {
            HoldField::BuyerId
        } else if hold.granted != command.places {
            HoldField::Places
        } else if hold.asked != Some(asked) {
            HoldField::Request
        } else if hold.booking.as_ref().is_none_or(|booking| booking.order != command.order) {
            HoldField::Order
        } else {
            return Ok(Answer::Confirmed(show.view_now(command.hold_id, now)));
        };
        return Err(Rejection::IdReused { field });
    }
    if show.entry(command.hold_id).is_some() {
        return Err(Rejection::HoldWaiting);
    }
    let states = [ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed];
    let terms = Terms { replaces: None, ..command.terms.clone() };
    let mut taking = Taking::begin(show, &command.buyer, terms, &states, now)?;
    taking.check(&command.places)?;
    let given_up = taking.give_up();
    let grant = Grant { id: command.hold_id, buyer: &command.buyer, places: command.places.clone(), ttl: None };
    let override_reason = command.terms.override_reason.clone();
    let note = |hold: &mut Hold| (hold.asked, hold.override_reason) = (Some(asked), override_reason);
    grant.make(show, given_up, note, now);
    Ok(sell(show, command.hold_id, &command.places, &command.order, &command.payment, now))
}
