//! SellPlaces: the box office sells without a hold before it, in one step.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Answer,
    grant::{Grant, Special},
    hold::{Booking, Hold, HoldState},
    places::Places,
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::HoldView,
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
    let view = HoldView { state: HoldState::Confirmed, booking, ..grant.view(None) };
    Ok(Answer::Confirmed(view))
}

/// The same sale again returns the booking as it stands now.
fn repeat(show: &Show, command: &SellPlaces, hold: &Hold, request: u64, now: Timestamp) -> Result<Answer, Rejection> {
    let state = show.state_of(hold, now);
    if state == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    let field = if *show.buyers.get(hold.buyer).id != *command.buyer.as_bytes() {
        HoldField::BuyerId
    } else if hold.places != command.places {
        HoldField::Places
    } else if hold.request() != Some(request) {
        HoldField::Request
    } else if hold.booking().is_none_or(|booking| booking.order != command.order) {
        HoldField::Order
    } else {
        let has_places = state == HoldState::Confirmed;
        let places = if has_places { hold.remaining().clone() } else { Places::default() };
        return Ok(Answer::Confirmed(show.view(hold, state, places)));
    };
    Err(Rejection::IdReused { field })
}
