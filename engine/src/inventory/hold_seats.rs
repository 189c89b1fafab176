//! HoldSeats: all of the places or none, for a time.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Answer,
    grant::{Grant, Special},
    hold::{Hold, HoldState},
    orphan_rule,
    sale::ShowState,
    show::Show,
    taking::{Gain, Taking, check_limits},
    view::HoldDetails,
};
use crate::{
    codec::stable_bytes,
    command::{HoldSeats, Terms},
    event::Event,
    ids::{BuyerId, HoldId},
    rejection::{HoldField, Rejection},
    time::{HoldTtl, Timestamp},
};

/// The terms of those who name none.
static PLAIN: Terms = Terms {
    replaces: None,
    channels: Vec::new(),
    accessible: false,
    house: false,
    manifest_version: None,
    override_reason: None,
};

pub(super) fn decide(
    show: &Show,
    command: &HoldSeats,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if show.is_known(command.hold_id) {
        return repeat(show, command, now);
    }
    let (hold, places) = ((command.hold_id, &command.buyer), &command.places);
    // The usual request: it is granted or refused with nothing else in its way but the limits.
    if command.terms.is_none() && show.is_open_to_all(now) {
        let slot = show.buyers.find_slot(&command.buyer);
        let gain = Gain { places: places.count(), holds: 1, ..Gain::default() };
        if show.are_free_to_all(places) {
            check_limits(show, slot, &gain, now)?;
            // After this point it must succeed.
            let grant = Grant::new(show, hold, places, command.ttl, now);
            events.push(Event::HoldGranted(grant.granted()));
            return Ok(Answer::Held(grant.view(None)));
        }
        // Whoever has nothing gives nothing up for it.
        if slot.is_none() && show.are_for_all(places) {
            check_limits(show, slot, &gain, now)?;
            return show.refuse_taken(places);
        }
    }
    decide_on_terms(show, command, now, events)
}

/// Whatever is not usual. Apart, so that the usual request has a small frame.
#[inline(never)]
fn decide_on_terms(
    show: &Show,
    command: &HoldSeats,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let (hold, places) = ((command.hold_id, &command.buyer), &command.places);
    let (terms, request) = (command.terms.as_deref().unwrap_or(&PLAIN), request_of(command));
    let mut taking = Taking::new(show, &command.buyer, terms, now);
    taking.begin(terms.replaces, &[ShowState::OnSale])?;
    taking.check(places)?;
    if !taking.can_have(places) {
        return taking.refuse(places);
    }
    let orphans = orphan_rule::check(&taking, places)?;
    // After this point it must succeed.
    let grant = Grant::of(&taking, hold, places, command.ttl);
    if request.is_none() && taking.is_plain() {
        events.push(Event::HoldGranted(grant.granted()));
    } else {
        events.push(grant.on_terms(&taking, Special { request, ..Special::default() }));
    }
    let more = HoldDetails { orphans, override_reason: terms.override_reason.clone(), ..HoldDetails::default() };
    let more = (more != HoldDetails::default()).then(|| Box::new(more));
    Ok(Answer::Held(grant.view(more)))
}

/// A hash of the terms, if there are any.
fn request_of(command: &HoldSeats) -> Option<u64> {
    command.terms.as_ref().map(|terms| xxh3_64(&stable_bytes(&**terms)))
}

/// An id that is in use.
#[inline(never)]
fn repeat(show: &Show, command: &HoldSeats, now: Timestamp) -> Result<Answer, Rejection> {
    let hold = known(show, command.hold_id, &command.buyer, command.ttl, now)?.expect("a known id");
    let field = if hold.places != command.places {
        HoldField::Places
    } else if hold.request() != request_of(command) {
        HoldField::Request
    } else {
        return Ok(again(show, hold, now));
    };
    Err(Rejection::IdReused { field })
}

/// The hold of this id, if there is one and it is of the same buyer and time to live. The caller compares the rest of
/// what it asked for.
///
/// # Errors
/// [`Rejection::IdReused`], [`Rejection::HoldFenced`] or [`Rejection::HoldWaiting`].
pub(super) fn known<'a>(
    show: &'a Show,
    hold_id: HoldId,
    buyer: &BuyerId,
    ttl: Option<HoldTtl>,
    now: Timestamp,
) -> Result<Option<&'a Hold>, Rejection> {
    let Some(hold) = show.holds.find(hold_id) else {
        return if show.waitlist.is_entry(hold_id) { Err(Rejection::HoldWaiting) } else { Ok(None) };
    };
    if show.state_of(hold, now) == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    if show.buyers.get(hold.buyer).id != *buyer {
        return Err(Rejection::IdReused { field: HoldField::BuyerId });
    }
    // Whoever named none got the default of that time.
    if ttl.is_some_and(|ttl| hold.ttl != ttl) {
        return Err(Rejection::IdReused { field: HoldField::TtlMs });
    }
    // It came of joining the waitlist.
    if hold.is_offer() {
        return Err(Rejection::IdReused { field: HoldField::Request });
    }
    Ok(Some(hold))
}

/// The same request again: the original grant and how the hold stands now.
pub(super) fn again(show: &Show, hold: &Hold, now: Timestamp) -> Answer {
    Answer::Held(show.view_at(hold, hold.places.clone(), now))
}

#[cfg(test)]
mod tests;
