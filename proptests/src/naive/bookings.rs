//! What is done to a booking after the sale, in the naive model.

use usher_engine::{
    command::{CancelBooking, ExchangeSeats, ReturnTo, Terms, TransferBooking},
    ids::{BuyerId, HoldId},
    inventory::{Answer, HoldState, HoldView, Prices, places::Places, sale::ShowState},
    rejection::{Limit, Rejection},
    shard::Outcome,
    time::Timestamp,
};

use super::{
    holds::GOING_ON,
    moves::{has_seat, minus, missing, units_of},
    own_hold,
    records::Hold,
    show::Show,
    taking::Taking,
};

const CHANGEABLE: [ShowState; 5] =
    [ShowState::Draft, ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed];

/// The booking of this id, if it is this buyer's; cancelled or not.
fn own_booking<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    if let Some(entry) = show.entry(id) {
        let own = entry.buyer == *buyer;
        return Err(if own { Rejection::HoldNotConfirmed } else { Rejection::HoldOfAnotherBuyer });
    }
    let hold = own_hold(show, id, buyer)?;
    if hold.booking.is_some() {
        return Ok(hold);
    }
    Err(match show.state_of(hold, now) {
        HoldState::Cancelled => Rejection::HoldCancelled,
        HoldState::Released => Rejection::HoldReleased,
        HoldState::Expired => Rejection::HoldExpired { expires_at: hold.expires_at },
        HoldState::Fenced => Rejection::HoldFenced,
        HoldState::Held | HoldState::Waiting | HoldState::Confirmed => Rejection::HoldNotConfirmed,
    })
}

pub(super) fn cancel(show: &mut Show, command: &CancelBooking, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    let hold = own_booking(show, id, &command.buyer, now)?;
    if hold.state == HoldState::Cancelled {
        return Ok(Answer::Booking(refunding(show.view_now(id, now), 0)));
    }
    show.must_be(&CHANGEABLE, now)?;
    let own = show.places_of(id);
    let prices = hold.prices.clone();
    let booked = hold.booked.clone().unwrap_or(own.clone());
    let named = command.places.clone().unwrap_or(booked.clone());
    let foreign = missing(&named, &booked);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    let back = minus(&own, &minus(&booked, &named));
    if back == own {
        show.hold_mut(id).state = HoldState::Cancelled;
    } else if !back.is_empty() {
        show.hold_mut(id).booked = Some(booked);
    }
    if let (ReturnTo::Blocked(mark), false) = (&command.return_to, back.is_empty()) {
        show.note_mark(mark);
        back.seats().for_each(|seat| show.seats[seat.0 as usize].mark = Some(mark.clone()));
        for (section, units) in back.ga() {
            *show.units_mut(section).blocked.entry(mark.clone()).or_default() += units;
        }
    }
    let refund = show.price(&prices, &back);
    show.hold_mut(id).refunded_minor += refund;
    show.put_back(id, &back);
    Ok(Answer::Booking(refunding(show.view_now(id, now), refund)))
}

/// The answer to a cancellation says what it gave back.
fn refunding(mut view: Box<HoldView>, refund: u64) -> Box<HoldView> {
    view.more.get_or_insert_default().refund_minor = Some(refund);
    view
}

pub(super) fn transfer(show: &mut Show, command: &TransferBooking, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    if own_booking(show, id, &command.to_buyer, now).is_ok() {
        return Ok(Answer::Booking(show.view_now(id, now)));
    }
    if own_booking(show, id, &command.buyer, now)?.state == HoldState::Cancelled {
        return Err(Rejection::HoldCancelled);
    }
    show.must_be(&CHANGEABLE, now)?;
    let max = show.policy.places_per_buyer_max;
    if show.places_of_buyer(&command.to_buyer) + show.places_of(id).count() > max {
        return Err(Rejection::LimitReached { limit: Limit::PlacesPerBuyer, max: u64::from(max) });
    }
    show.hold_mut(id).buyer = command.to_buyer.clone();
    show.forget_buyers();
    Ok(Answer::Booking(show.view_now(id, now)))
}

pub(super) fn exchange(show: &mut Show, command: &ExchangeSeats, now: Timestamp) -> Outcome {
    let (id, places) = (command.hold_id, &command.places);
    let hold = own_booking(show, id, &command.buyer, now)?;
    if hold.state == HoldState::Cancelled {
        return Err(Rejection::HoldCancelled);
    }
    let before = show.places_of(id);
    if before == *places {
        return Ok(Answer::Booking(show.view_now(id, now)));
    }
    let terms = Terms { replaces: None, ..command.terms.clone() };
    let mut taking = Taking { exchanged: Some(id), ..Taking::begin(show, &command.buyer, terms, &GOING_ON, now)? };
    taking.check(places)?;
    let cost = show.price(&hold.prices, &before);
    let prices = kept_prices(&hold.prices, &before, places);
    let difference = i64::try_from(show.price(&prices, places)).unwrap() - i64::try_from(cost).unwrap();
    show.put_back(id, &minus(&before, places));
    show.take(id, &minus(places, &before));
    show.sell(id);
    let hold = show.hold_mut(id);
    (hold.prices, hold.difference_minor, hold.booked) = (prices, Some(difference), None);
    if let Some(reason) = &command.terms.override_reason {
        hold.override_reason = Some(reason.clone());
    }
    Ok(Answer::Booking(show.view_now(id, now)))
}

/// Of prices that were kept those of places that stay.
fn kept_prices(kept: &Prices, before: &Places, after: &Places) -> Prices {
    let stays = |(seat, _): &(_, u64)| has_seat(before, *seat) && has_seat(after, *seat);
    let of_section = |(section, _): &(_, u64)| units_of(before, *section) > 0 && units_of(after, *section) > 0;
    Prices {
        seats: kept.seats.iter().copied().filter(stays).collect(),
        ga: kept.ga.iter().copied().filter(of_section).collect(),
    }
}
