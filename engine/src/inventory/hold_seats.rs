//! HoldSeats: all of the places or none, for a time. Also the grant itself, which every command that holds places ends
//! with.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Answer,
    hold::{Hold, HoldState, Rare},
    hold_best::Placement,
    orphan_rule,
    places::Places,
    sale::ShowState,
    show::Show,
    taking::Taking,
    view::HoldView,
};
use crate::{
    codec::stable_bytes,
    command::{HoldSeats, Terms, TicketCount},
    event::{Event, GrantedOnTerms, HoldGranted},
    ids::{BuyerId, HoldId},
    rejection::{HoldField, Rejection},
    time::{HoldTtl, Timestamp},
};

/// With its first hold a show makes room for holds of one place in so many: half a byte a place, and none while nobody
/// has come.
const RUSH_SHARE: usize = 32;
/// A small show makes room for this many, or for all of its places.
const RUSH_MIN: usize = 1_024;

/// The terms of those who name none.
pub(super) static PLAIN: Terms =
    Terms { replaces: None, channels: Vec::new(), accessible: false, house: false, manifest_version: None };

pub(super) fn decide(
    show: &Show,
    command: &HoldSeats,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let request = command.terms.as_ref().map(|terms| xxh3_64(&stable_bytes(&**terms)));
    if let Some(hold) = known(show, command.hold_id, &command.buyer, command.ttl, now)? {
        let field = if hold.places != command.places {
            HoldField::Places
        } else if hold.request() != request {
            HoldField::Request
        } else {
            return Ok(again(show, hold, now));
        };
        return Err(Rejection::IdReused { field });
    }
    let terms = command.terms.as_deref().unwrap_or(&PLAIN);
    let mut taking = Taking::new(show, &command.buyer, terms, terms.replaces, &[ShowState::OnSale], now)?;
    taking.check(&command.places)?;
    let orphans = orphan_rule::check(&taking, &command.places)?;
    // After this point it must succeed.
    let special = request.map(|request| Special { request: Some(request), placement: None, tickets: Vec::new() });
    let mut view = grant(&taking, command.hold_id, command.places.clone(), command.ttl, special, events);
    if !orphans.is_empty() {
        view.more.get_or_insert_default().orphans = orphans;
    }
    Ok(Answer::Held(view))
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

/// What few grants have.
#[derive(Default)]
pub(super) struct Special {
    pub(super) request: Option<u64>,
    pub(super) placement: Option<Placement>,
    pub(super) tickets: Vec<TicketCount>,
}

/// Makes the event and the view of a grant that was checked.
pub(super) fn grant(
    taking: &Taking<'_>,
    hold_id: HoldId,
    places: Places,
    ttl: Option<HoldTtl>,
    special: Option<Special>,
    events: &mut Vec<Event>,
) -> HoldView {
    let (show, now) = (taking.show, taking.now);
    let ttl = ttl.unwrap_or(show.policy.hold_ttl_default);
    let extendable_until = taking.extendable_until();
    let expires_at = now.plus_ms(ttl.ms()).min(extendable_until);
    let total_minor = show.price(&places);
    let buyer = taking.buyer.clone();
    let mut view = HoldView {
        hold_id,
        buyer: buyer.clone(),
        state: HoldState::Held,
        places: places.clone(),
        total_minor,
        granted_at: now,
        expires_at,
        extendable_until,
        booking: None,
        more: None,
    };
    let granted = HoldGranted { hold_id, buyer, places, ttl, expires_at, total_minor };
    if special.is_none() && taking.is_plain() {
        events.push(Event::HoldGranted(granted));
        return view;
    }
    let special = special.unwrap_or_default();
    if special.placement.is_some() {
        let more = view.more.get_or_insert_default();
        (more.placement, more.tickets) = (special.placement, special.tickets.clone());
    }
    events.push(Event::HoldGrantedOnTerms(Box::new(GrantedOnTerms {
        granted,
        replaces: taking.replaced.map(|hold| hold.id),
        moved_from: taking.moved.iter().map(|hold| hold.id).collect(),
        request: special.request,
        placement: special.placement,
        tickets: special.tickets,
        extendable_until,
    })));
    view
}

pub(super) fn apply(show: &mut Show, granted: HoldGranted, at: Timestamp) {
    make_room_for_a_rush(show);
    show.take(&granted.places);
    insert(show, granted, None, at);
}

pub(super) fn apply_on_terms(show: &mut Show, on_terms: GrantedOnTerms, at: Timestamp) {
    make_room_for_a_rush(show);
    if let Some(replaced) = on_terms.replaces {
        let slot = show.holds.slot(replaced).expect("only a known hold is replaced");
        show.end_hold(slot, HoldState::Released, at);
    }
    for loser in &on_terms.moved_from {
        let slot = show.holds.slot(*loser).expect("only a known hold loses places");
        show.lose_seats(slot, &on_terms.granted.places, at);
    }
    show.take(&on_terms.granted.places);
    let rare = Rare {
        request: on_terms.request,
        placement: on_terms.placement,
        tickets: on_terms.tickets,
        extendable_until: Some(on_terms.extendable_until).filter(|until| *until != show.extendable_until(at)),
        ..Rare::default()
    };
    insert(show, on_terms.granted, Some(rare), at);
}

/// Stores a hold whose places are taken.
pub(super) fn insert(show: &mut Show, granted: HoldGranted, rare: Option<Rare>, at: Timestamp) {
    let buyer = show.buyers.name(granted.buyer.as_bytes());
    let tally = show.buyers.get_mut(buyer);
    tally.live_holds += 1;
    tally.places += granted.places.count();
    let rare = show.with_late_return(buyer, granted.hold_id, rare);
    let hold = Hold {
        id: granted.hold_id,
        buyer,
        ttl: granted.ttl,
        granted_at: at,
        expires_at: granted.expires_at,
        places: granted.places,
        state: HoldState::Held,
        more: rare.map(Hold::more_of_rare),
    };
    let slot = show.holds.insert(hold);
    show.buyers.add_hold(buyer, slot);
}

fn make_room_for_a_rush(show: &mut Show) {
    if show.holds.is_empty() {
        let places = show.manifest.places() as usize;
        let rush = (places / RUSH_SHARE).max(places.min(RUSH_MIN));
        show.holds.expect(rush);
        show.buyers.expect(rush);
    }
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
