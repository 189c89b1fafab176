//! What is done to a booking after the sale: CancelBooking, TransferBooking, ExchangeSeats.
//!
//! A booking's first state stays in the log; what it has now follows from what was done to it. All of it may be sent
//! again: cancelled places stay cancelled, a transferred booking is the new buyer's, exchanged places are there already.

use super::{
    Answer,
    blocks::MARKS_MAX,
    hold::{Hold, HoldState},
    own_hold,
    places::Places,
    release_hold::not_in,
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::HoldView,
};
use crate::{
    command::{CancelBooking, ExchangeSeats, ReturnTo, TransferBooking},
    event::Event,
    ids::{BuyerId, HoldId, Name},
    rejection::{Limit, Rejection},
    time::Timestamp,
};

/// The states of a show in which bookings change.
const CHANGEABLE: [ShowState; 5] =
    [ShowState::Draft, ShowState::Scheduled, ShowState::OnSale, ShowState::Paused, ShowState::Closed];

/// The booking of this id, if it is this buyer's; cancelled or not.
fn own_booking<'a>(show: &'a Show, id: HoldId, buyer: &BuyerId, now: Timestamp) -> Result<&'a Hold, Rejection> {
    let hold = own_hold(show, id, buyer, &Rejection::HoldNotConfirmed)?;
    match show.state_of(hold, now) {
        HoldState::Confirmed => Ok(hold),
        HoldState::Cancelled if hold.booking().is_some() => Ok(hold),
        HoldState::Cancelled => Err(Rejection::HoldCancelled),
        HoldState::Released => Err(Rejection::HoldReleased),
        HoldState::Expired => Err(Rejection::HoldExpired { expires_at: hold.expires_at }),
        HoldState::Fenced => Err(Rejection::HoldFenced),
        HoldState::Held | HoldState::Waiting => Err(Rejection::HoldNotConfirmed),
    }
}

pub(super) fn cancel(
    show: &Show,
    command: &CancelBooking,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = own_booking(show, command.hold_id, &command.buyer, now)?;
    if hold.state == HoldState::Cancelled {
        return Ok(Answer::Booking(refunding(show.view_now(hold, now), 0)));
    }
    show.must_be(&CHANGEABLE, now)?;
    if let ReturnTo::Blocked(mark) = &command.return_to
        && show.blocks.position(mark).is_none()
        && show.blocks.is_full()
    {
        return Err(Rejection::LimitReached { limit: Limit::MarksPerShow, max: MARKS_MAX as u64 });
    }
    let (booked, remaining) = (hold.booked(), hold.remaining());
    let named = command.places.as_ref().unwrap_or(booked);
    let foreign = not_in(named, booked);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    // After this point it must succeed.
    let back = remaining.without(&booked.without(named));
    let is_whole = back == *remaining;
    let (hold_id, return_to) = (command.hold_id, command.return_to.clone());
    let left = remaining.without(&back);
    let refund_minor = show.price_of(hold, &back);
    if !back.is_empty() {
        let places = (!is_whole).then_some(back);
        events.push(Event::BookingCancelled { hold_id, places, return_to });
    }
    let state = if is_whole { HoldState::Cancelled } else { HoldState::Confirmed };
    Ok(Answer::Booking(refunding(show.view(hold, state, left), refund_minor)))
}

/// A booking as it is after so much of it was taken back.
fn refunding(mut view: Box<HoldView>, refund_minor: u64) -> Box<HoldView> {
    let more = view.more.get_or_insert_default();
    more.refunded_minor += refund_minor;
    more.refund_minor = Some(refund_minor);
    view
}

pub(super) fn apply_cancelled(show: &mut Show, hold_id: HoldId, places: Option<Places>, return_to: &ReturnTo) {
    let slot = show.holds.slot(hold_id).expect("only a known booking is cancelled");
    let hold = show.holds.get(slot);
    let (remaining, buyer) = (hold.remaining().clone(), hold.buyer);
    let back = places.as_ref().unwrap_or(&remaining);
    let refund_minor = show.price_of(hold, back);
    let hold = show.holds.get_mut(slot);
    hold.rare_mut().refunded_minor += refund_minor;
    let left = remaining.without(back);
    match places {
        None => hold.state = HoldState::Cancelled,
        Some(_) => {
            let booked = hold.booked().clone();
            hold.rare_mut().booked = Some(booked);
            hold.uncommon_mut().remaining = Some(left);
        }
    }
    show.buyers.get_mut(buyer).places -= back.count();
    show.take_back(back);
    if let ReturnTo::Blocked(mark) = return_to {
        let mark = show.blocks.position_or_new(mark);
        let seats = show.manifest.seats();
        back.seats().for_each(|seat| show.blocks.mark(seat, mark, seats));
        show.put_back(back);
        for (section, units) in back.ga() {
            show.ga[section.0 as usize].blocked += units;
            show.blocks.add_units(section, mark, units);
        }
    } else {
        show.put_back(back);
    }
}

pub(super) fn transfer(
    show: &Show,
    command: &TransferBooking,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    // Sent again: it is the new buyer's already.
    if let Ok(hold) = own_booking(show, command.hold_id, &command.to_buyer, now) {
        return Ok(Answer::Booking(show.view_now(hold, now)));
    }
    let hold = own_booking(show, command.hold_id, &command.buyer, now)?;
    if hold.state == HoldState::Cancelled {
        return Err(Rejection::HoldCancelled);
    }
    show.must_be(&CHANGEABLE, now)?;
    let has = show.buyers.find_slot(&command.to_buyer).map_or(0, |slot| show.buyers.get(slot).places);
    let max = show.policy.places_per_buyer_max;
    if has + hold.remaining().count() > max {
        return Err(Rejection::LimitReached { limit: Limit::PlacesPerBuyer, max: u64::from(max) });
    }
    // After this point it must succeed.
    events.push(Event::BookingTransferred { hold_id: command.hold_id, buyer: command.to_buyer.clone() });
    let mut view = show.view(hold, HoldState::Confirmed, hold.remaining().clone());
    view.buyer = command.to_buyer.clone();
    Ok(Answer::Booking(view))
}

pub(super) fn apply_transferred(show: &mut Show, hold_id: HoldId, buyer: &BuyerId) {
    let slot = show.holds.slot(hold_id).expect("only a known booking is transferred");
    let to = show.buyers.name(buyer);
    let hold = show.holds.get_mut(slot);
    let (from, count) = (std::mem::replace(&mut hold.buyer, to), hold.remaining().count());
    show.buyers.get_mut(from).places -= count;
    show.buyers.get_mut(to).places += count;
    show.buyers.remove_hold(from, slot);
    show.buyers.add_hold(to, slot);
    if show.buyers.forget(from) {
        show.lapses.remove(&from);
    }
}

pub(super) fn exchange(
    show: &Show,
    command: &ExchangeSeats,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = own_booking(show, command.hold_id, &command.buyer, now)?;
    if hold.state == HoldState::Cancelled {
        return Err(Rejection::HoldCancelled);
    }
    if *hold.remaining() == command.places {
        return Ok(Answer::Booking(show.view_now(hold, now)));
    }
    let states = [ShowState::OnSale, ShowState::Paused, ShowState::Closed];
    let mut taking = Taking::new(show, &command.buyer, &command.terms, now);
    taking.begin(None, &states)?;
    taking.exchanged = Some(hold);
    taking.check(&command.places)?;
    if !taking.can_have(&command.places) {
        return taking.refuse(&command.places);
    }
    // After this point it must succeed.
    let (before, places) = (hold.remaining(), command.places.clone());
    let new = places.without(before);
    let kept = places.without(&new);
    let mut prices = hold.rare().map(|rare| rare.prices.clone()).unwrap_or_default();
    prices.keep_only(&kept);
    let total = show.price_under(&prices, &places);
    let difference_minor = difference(total, show.price_of(hold, before));
    let mut view = show.view(hold, HoldState::Confirmed, places.clone());
    view.total_minor = total;
    let more = view.more.get_or_insert_default();
    more.difference_minor = Some(difference_minor);
    more.prices = prices;
    let override_reason = command.terms.override_reason.clone();
    if override_reason.is_some() {
        more.override_reason.clone_from(&override_reason);
    }
    events.push(Event::BookingExchanged { hold_id: command.hold_id, places, difference_minor, override_reason });
    Ok(Answer::Booking(view))
}

/// Prices are far inside 63 bits.
fn difference(new: u64, old: u64) -> i64 {
    i64::try_from(new).unwrap_or(i64::MAX) - i64::try_from(old).unwrap_or(i64::MAX)
}

pub(super) fn apply_exchanged(
    show: &mut Show,
    hold_id: HoldId,
    places: Places,
    difference_minor: i64,
    override_reason: Option<Name>,
) {
    let slot = show.holds.slot(hold_id).expect("only a known booking is exchanged");
    let hold = show.holds.get_mut(slot);
    let (before, buyer) = (hold.remaining().clone(), hold.buyer);
    let (gone, new) = (before.without(&places), places.without(&before));
    let kept = places.without(&new);
    let rare = hold.rare_mut();
    rare.difference_minor = Some(difference_minor);
    rare.override_reason = override_reason.or(rare.override_reason.take());
    rare.booked = None;
    rare.prices.keep_only(&kept);
    let tally = show.buyers.get_mut(buyer);
    tally.places = tally.places + places.count() - before.count();
    hold.uncommon_mut().remaining = Some(places);
    show.take_back(&gone);
    show.put_back(&gone);
    show.take(&new);
    show.sell(&new);
}

#[cfg(test)]
mod tests;
