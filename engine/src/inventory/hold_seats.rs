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
pub(super) static PLAIN: Terms =
    Terms { replaces: None, channels: Vec::new(), accessible: false, house: false, manifest_version: None };

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
    // The usual request: nothing stands in its way but the limits.
    if command.terms.is_none() && show.is_open_to_all(now) && show.are_free_to_all(places) {
        let gain = Gain { places: places.count(), holds: 1, ..Gain::default() };
        check_limits(show, show.buyers.find_slot(command.buyer.as_bytes()), &gain, now)?;
        // After this point it must succeed.
        let grant = Grant::new(show, hold, places, command.ttl, now);
        events.push(Event::HoldGranted(grant.granted()));
        return Ok(Answer::Held(grant.view(None)));
    }
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
    let more = (!orphans.is_empty()).then(|| Box::new(HoldDetails { orphans, ..HoldDetails::default() }));
    Ok(Answer::Held(grant.view(more)))
}

/// A hash of the terms, if there are any.
fn request_of(command: &HoldSeats) -> Option<u64> {
    command.terms.as_ref().map(|terms| xxh3_64(&stable_bytes(&**terms)))
}

/// An id that is in use.
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
    if *show.buyers.get(hold.buyer).id != *buyer.as_bytes() {
        return Err(Rejection::IdReused { field: HoldField::BuyerId });
    }
    if hold.ttl != ttl.unwrap_or(show.policy.hold_ttl_default) {
        return Err(Rejection::IdReused { field: HoldField::TtlMs });
    }
    Ok(Some(hold))
}

/// The same request again: the original grant and how the hold stands now.
pub(super) fn again(show: &Show, hold: &Hold, now: Timestamp) -> Answer {
    Answer::Held(show.view(hold, show.state_of(hold, now), hold.places.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::scenario::check;

    #[test]
    fn all_or_nothing_and_every_conflict_is_named() {
        check(
            "policy places_per_hold 200, places_per_buyer 200
             00:00  hold A1 A2 as h1              -> held 2000, until 10:00
             00:01  hold A2 A3 A1 as h2           -> rejected: places taken A1 A2
             00:01  hold A3 2xFloor as h3         -> held 1200, until 10:01
             00:01  hold A4 99xFloor as h4        -> rejected: places taken Floor 99>98
             00:01  hold A1 99xFloor as h4        -> rejected: places taken A1 Floor 99>98
             00:02  seats                         -> A1 A2 A3 held, 2xFloor held",
        );
    }

    #[test]
    fn the_same_request_again_returns_the_first_grant_and_its_present_state() {
        check(
            "00:00  hold A1 A2 as h1              -> held 2000, until 10:00
             00:05  hold A2 A1 as h1              -> held 2000, until 10:00
             00:06  hold A1 A2 as h1 for 10m      -> held 2000, until 10:00
             00:07  hold A1 as h1                 -> rejected: id reused, another places
             00:07  hold A1 A2 as h1 for 5m       -> rejected: id reused, another ttl_ms
             00:07  hold A1 A2 as h1 by bob       -> rejected: id reused, another buyer_id
             00:08  release A1 of h1              -> held
             00:09  hold A1 A2 as h1              -> held 2000, until 10:00
             00:10  release h1                    -> released
             00:11  hold A1 A2 as h1              -> released 2000, until 10:00
             00:12  hold A1 A2 as h2              -> held 2000, until 10:12
             00:13  confirm h2 for o1             -> confirmed A1 A2 2000 for o1
             00:14  hold A1 A2 as h2              -> confirmed 2000, until 10:12
             00:15  seats                         -> A1 A2 sold",
        );
    }

    #[test]
    fn a_refusal_is_not_remembered() {
        check(
            "00:00  hold A1 as h1                 -> held 1000, until 10:00
             00:01  hold A1 as h2                 -> rejected: places taken A1
             00:02  release h1                    -> released
             00:03  hold A1 as h2                 -> held 1000, until 10:03",
        );
    }

    #[test]
    fn unknown_places_come_before_limits_and_limits_before_taken_places() {
        check(
            "00:00  hold A1 as h1                                          -> held 1000, until 10:00
             00:01  hold A1 A99 5xA as h2                                  -> rejected: places unknown A99 A
             00:01  hold A1 A2 A3 A4 A5 A6 A7 A8 A9 B1 B2 as h2            -> rejected: places_per_hold_max is 10",
        );
    }

    #[test]
    fn a_buyer_has_limits_over_held_and_sold() {
        check(
            "policy live_holds_per_buyer 2, places_per_buyer 4
             00:00  hold A1 A2 as h1       -> held 2000, until 10:00
             00:00  confirm h1 for o1      -> confirmed A1 A2 2000 for o1
             00:01  hold A3 as h2          -> held 1000, until 10:01
             00:01  hold A4 A5 as h3       -> rejected: places_per_buyer_max is 4
             00:01  hold A4 as h3          -> held 1000, until 10:01
             00:01  hold A5 as h4          -> rejected: live_holds_per_buyer_max is 2
             00:01  hold A5 as h4 by bob   -> held 1000, until 10:01
             00:02  release h2             -> released
             00:02  hold A5 as h5          -> rejected: places taken A5
             00:02  hold A6 as h5          -> held 1000, until 10:02",
        );
    }

    #[test]
    fn a_show_has_a_limit_of_live_holds() {
        check(
            "policy holds_per_show 1
             00:00  hold A1 as h1          -> held 1000, until 10:00
             00:00  hold A2 as h2 by bob   -> rejected: holds_per_show_max is 1
             00:01  confirm h1 for o1      -> confirmed A1 1000 for o1
             00:01  hold A2 as h2 by bob   -> held 1000, until 10:01",
        );
    }

    #[test]
    fn the_longest_life_caps_the_first_deadline() {
        check(
            "policy hold_life_ms 60000
             00:00  hold A1 as h1 for 2h   -> held 1000, until 01:00",
        );
    }
}
