//! HoldSeats: all of the places or none, for a time.

use super::{
    Answer,
    holds::{Hold, HoldState},
    show::{HoldView, Show, Status},
};
use crate::{
    command::HoldSeats,
    event::{Event, HoldGranted},
    rejection::{HoldField, Limit, Rejection},
    time::Timestamp,
};

/// With its first hold a show makes room for holds of one place in so many: half a byte a place, and none while nobody
/// has come.
const RUSH_SHARE: usize = 32;
/// A small show makes room for this many, or for all of its places.
const RUSH_MIN: usize = 1_024;

pub(super) fn decide(
    show: &Show,
    command: &HoldSeats,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if let Some(hold) = show.holds.find(command.hold_id) {
        return repeat(show, command, hold, now);
    }
    let available = show.are_available(&command.places);
    if !available {
        let unknown = show.unknown(&command.places);
        if !unknown.is_empty() {
            return Err(Rejection::PlacesUnknown(unknown));
        }
    }
    check_limits(show, command)?;
    if !available {
        return Err(Rejection::PlacesTaken(show.taken(&command.places)));
    }
    // After this point it must succeed.
    let ttl = command.ttl.unwrap_or(show.policy.hold_ttl_default);
    let extendable_until = show.extendable_until(now);
    let expires_at = now.plus_ms(ttl.ms()).min(extendable_until);
    let total_minor = show.price(&command.places);
    let (hold_id, buyer, places) = (command.hold_id, command.buyer.clone(), command.places.clone());
    let granted = HoldGranted { hold_id, buyer: buyer.clone(), places: places.clone(), ttl, expires_at, total_minor };
    events.push(Event::HoldGranted(granted));
    Ok(Answer::Held(HoldView {
        hold_id,
        buyer,
        state: HoldState::Held,
        places,
        total_minor,
        granted_at: now,
        expires_at,
        extendable_until,
        booking: None,
    }))
}

/// The same request again: the original grant and how the hold stands now. Another request under the same id is refused.
fn repeat(show: &Show, command: &HoldSeats, hold: &Hold, now: Timestamp) -> Result<Answer, Rejection> {
    let reused = |field| Err(Rejection::IdReused { field });
    let state = hold.state_at(now);
    if state == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    if *show.buyers.get(hold.buyer).id != *command.buyer.as_bytes() {
        return reused(HoldField::BuyerId);
    }
    if hold.places != command.places {
        return reused(HoldField::Places);
    }
    if hold.ttl != command.ttl.unwrap_or(show.policy.hold_ttl_default) {
        return reused(HoldField::TtlMs);
    }
    Ok(Answer::Held(show.view(hold, state, hold.places.clone())))
}

fn check_limits(show: &Show, command: &HoldSeats) -> Result<(), Rejection> {
    let places = command.places.count();
    let (live_holds, places_of_buyer) =
        show.buyers.find(command.buyer.as_bytes()).map_or((0, 0), |buyer| (buyer.live_holds, buyer.places));
    let policy = &show.policy;
    for (limit, wanted, max) in [
        (Limit::PlacesPerHold, places, policy.places_per_hold_max),
        (Limit::HoldsPerShow, show.holds.live() + 1, policy.holds_per_show_max),
        (Limit::LiveHoldsPerBuyer, live_holds + 1, policy.live_holds_per_buyer_max),
        (Limit::PlacesPerBuyer, places_of_buyer + places, policy.places_per_buyer_max),
    ] {
        if wanted > max {
            return Err(Rejection::LimitReached { limit, max: u64::from(max) });
        }
    }
    Ok(())
}

pub(super) fn apply(show: &mut Show, granted: HoldGranted, at: Timestamp) {
    if show.holds.is_empty() {
        let places = show.manifest.places() as usize;
        let rush = (places / RUSH_SHARE).max(places.min(RUSH_MIN));
        show.holds.expect(rush);
        show.buyers.expect(rush);
    }
    show.move_places(&granted.places, Status::Available, Status::Held);
    let buyer = show.buyers.name(granted.buyer.as_bytes());
    let tally = show.buyers.get_mut(buyer);
    tally.live_holds += 1;
    tally.places += granted.places.count();
    show.holds.insert(Hold {
        id: granted.hold_id,
        buyer,
        ttl: granted.ttl,
        granted_at: at,
        expires_at: granted.expires_at,
        places: granted.places,
        state: HoldState::Held,
        more: None,
    });
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
