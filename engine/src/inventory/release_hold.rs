//! ReleaseHold: places given back by the caller, all or some. An id never seen is fenced, so that a late duplicate of
//! the hold cannot come back to life.

use std::ops::ControlFlow;

use super::{
    Answer,
    hold::{Hold, HoldState},
    orphan_rule, own_hold,
    places::Places,
    show::Show,
};
use crate::{
    command::ReleaseHold,
    event::Event,
    ids::{BuyerId, HoldId},
    rejection::{Conflicts, GaShortage, Rejection},
    time::Timestamp,
};

pub(super) fn decide(
    show: &Show,
    command: &ReleaseHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    let hold = match to_be_released(show, hold_id, &command.buyer, now, events)? {
        ControlFlow::Continue(hold) => hold,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    if hold.is_pinned() {
        return Err(Rejection::HoldPinned);
    }
    show.must_be_alone(hold_id)?;
    let Some(places) = &command.places else {
        events.push(Event::HoldReleased { hold_id, places: None });
        return Ok(released(HoldState::Released));
    };
    let foreign = not_in(places, &hold.places);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    // After this point it must succeed.
    // What stays is counted from the grant: a seat that was given back before is given back still, and naming 2 of 3
    // units leaves 1 however often it is said.
    let remaining = hold.remaining();
    let back = remaining.without(&hold.places.without(places));
    if back == *remaining {
        events.push(Event::HoldReleased { hold_id, places: None });
        return Ok(released(HoldState::Released));
    }
    let orphans = orphan_rule::left_by_return(show, &back, now);
    if !back.is_empty() {
        events.push(Event::HoldReleased { hold_id, places: Some(back) });
    }
    Ok(Answer::Released { state: HoldState::Held, orphans })
}

/// The live hold, or the answer that there is nothing to release. An id never seen is fenced.
pub(super) fn to_be_released<'a>(
    show: &'a Show,
    hold_id: HoldId,
    buyer: &BuyerId,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<ControlFlow<Answer, &'a Hold>, Rejection> {
    let hold = match own_hold(show, hold_id, buyer, &Rejection::HoldWaiting) {
        Err(Rejection::HoldUnknown) => {
            events.push(Event::HoldFenced { hold_id, buyer: buyer.clone() });
            return Ok(ControlFlow::Break(released(HoldState::Fenced)));
        }
        found => found?,
    };
    match show.state_of(hold, now) {
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Cancelled if hold.booking().is_some() => Err(Rejection::HoldCancelled),
        HoldState::Held => Ok(ControlFlow::Continue(hold)),
        ended => Ok(ControlFlow::Break(released(ended))),
    }
}

pub(super) fn released(state: HoldState) -> Answer {
    Answer::Released { state, orphans: Vec::new() }
}

/// What of `places` is not in `own`.
pub(super) fn not_in(places: &Places, own: &Places) -> Conflicts {
    let missing = |(section, requested)| GaShortage { section, requested, available: own.units_of(section) };
    Conflicts {
        seats: places.seats().filter(|&seat| !own.contains_seat(seat)).collect(),
        ga: places.ga().map(missing).filter(|missing| missing.requested > missing.available).collect(),
    }
}

pub(super) fn apply(show: &mut Show, hold_id: HoldId, places: Option<&Places>, at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is released");
    match places {
        None => show.end_hold(slot, HoldState::Released, at),
        Some(back) => show.give_back(slot, back),
    }
}

pub(super) fn apply_fence(show: &mut Show, hold_id: HoldId, buyer: &BuyerId, at: Timestamp) {
    show.make_room_for_a_rush();
    let fence = Hold {
        id: hold_id,
        buyer: show.buyers.name(buyer),
        ttl: show.policy.hold_ttl_default,
        granted_at: at,
        expires_at: at,
        places: Places::default(),
        state: HoldState::Fenced,
        extends: 0,
        more: None,
    };
    let buyer = fence.buyer;
    let slot = show.holds.insert(fence);
    show.buyers.add_hold(buyer, slot);
    show.remember_ended(slot, at);
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    #[test]
    fn a_released_hold_gives_everything_back_and_releasing_again_is_a_success() {
        check(
            "00:00  hold A1 3xFloor as h1   -> held 1300, until 10:00
             00:01  release h1              -> released
             00:01  release h1              -> released
             00:02  seats                   -> all available
             00:03  confirm h1 for o1       -> rejected: released",
        );
    }

    #[test]
    fn some_places_go_back_and_the_rest_stays() {
        check(
            "00:00  hold A1 A2 3xFloor as h1      -> held 2300, until 10:00
             00:01  release A1 2xFloor of h1      -> held
             00:02  seats                         -> A2 held, 1xFloor held
             00:03  release A1 of h1              -> held
             00:04  release A3 of h1              -> rejected: places not in hold A3
             00:04  release 4xFloor of h1         -> rejected: places not in hold Floor 4>3
             00:05  get h1                        -> held A2 1xFloor 1100, until 10:00
             00:06  release A2 2xFloor of h1      -> held
             00:06  release 3xFloor of h1         -> released
             00:07  seats                         -> all available",
        );
    }

    #[test]
    fn giving_a_part_back_twice_is_giving_it_back_once() {
        check(
            "00:00  hold A1 3xFloor as h1   -> held 1300, until 10:00
             00:01  release 2xFloor of h1   -> held
             00:01  release 2xFloor of h1   -> held
             00:01  release 1xFloor of h1   -> held
             00:02  seats                   -> A1 held, 1xFloor held",
        );
    }

    #[test]
    fn an_id_never_seen_is_fenced_against_a_late_duplicate() {
        check(
            "00:00  release h1              -> fenced
             00:01  hold A1 as h1           -> rejected: fenced
             00:02  release h1              -> fenced
             00:03  confirm h1 for o1       -> rejected: fenced
             00:04  get h1                  -> fenced",
        );
    }

    #[test]
    fn what_is_sold_or_anothers_or_expired_is_not_released() {
        check(
            "00:00  hold A1 as h1           -> held 1000, until 10:00
             00:01  release h1 by bob       -> rejected: hold of another buyer
             00:02  confirm h1 for o1       -> confirmed A1 1000 for o1
             00:03  release h1              -> rejected: confirmed
             00:04  hold A2 as h2 for 5s    -> held 1000, until 00:09
             00:09  release h2              -> expired",
        );
    }

    /// A released id that was never seen refuses a late hold, sale or join (rule: fence).
    #[test]
    fn a_fence_is_against_whatever_comes_late() {
        check(
            "00:00  release h1                          -> fenced
             00:01  join 1 any as h1                    -> rejected: fenced
             00:01  best 1 any as h1                    -> rejected: fenced
             00:01  sell A1 as h1 for o1                -> rejected: fenced
             00:02  leave h2                            -> fenced
             00:03  join 1 any as h2                    -> rejected: fenced
             00:03  leave h2                            -> fenced
             00:04  release h1 by bob                   -> rejected: hold of another buyer",
        );
    }

    /// What the buyer does not want of it (rule: offer-cascades).
    #[test]
    fn a_part_of_an_offer_goes_to_the_next() {
        check(
            "row A 2 in West
             00:00  hold A1 A2 as h1 by bob              -> held 2000, until 10:00
             00:01  join 2 together as h2                -> waiting, 1 in all
             00:01  join 1 any as h3 by cyd              -> waiting, 2 in all
             00:02  hold 1xFloor as h4 replacing h1 by bob -> held 100, until 10:02
                    => h2 offered A1 A2 2000, until 10:02
             00:03  release A1 of h2                     -> held
                    => h3 offered A1 1000, until 10:03
             00:04  confirm h2 for o2                    -> confirmed A2 1000 for o2, together, offer",
        );
    }
}
