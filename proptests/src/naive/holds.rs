//! HoldSeats and what is done to a hold before it is sold, in the naive model.

use usher_engine::{
    command::{ExtendHold, HoldSeats, OwnHold, ReleaseHold, Terms},
    ids::{BuyerId, HoldId},
    inventory::{Answer, HoldState, places::Places, sale::ShowState},
    rejection::{HoldField, Limit, Rejection},
    shard::Outcome,
    time::{HoldTtl, Timestamp},
};

use super::{
    found, live_hold,
    moves::{minus, missing},
    orphans, own_hold,
    records::{Asked, Hold},
    show::Show,
    taking::{GivenUp, Taking},
};

/// The states in which what is held may be extended, pinned and confirmed.
pub(super) const GOING_ON: [ShowState; 3] = [ShowState::OnSale, ShowState::Paused, ShowState::Closed];

pub(super) fn hold_seats(show: &mut Show, command: &HoldSeats, now: Timestamp) -> Outcome {
    let asked = command.terms.as_deref().cloned().map(Asked::Terms);
    if let Some(hold) = known(show, command.hold_id, &command.buyer, command.ttl)? {
        let field = if hold.granted != command.places {
            HoldField::Places
        } else if hold.asked != asked {
            HoldField::Request
        } else {
            return Ok(again(show, command.hold_id, now));
        };
        return Err(Rejection::IdReused { field });
    }
    let terms: Terms = command.terms.as_deref().cloned().unwrap_or_default();
    let override_reason = terms.override_reason.clone();
    let mut taking = Taking::begin(show, &command.buyer, terms, &[ShowState::OnSale], now)?;
    taking.check(&command.places)?;
    let orphans = orphans::check(&taking, &command.places)?;
    let given_up = taking.give_up();
    let grant = Grant { id: command.hold_id, buyer: &command.buyer, places: command.places.clone(), ttl: command.ttl };
    let note = |hold: &mut Hold| (hold.asked, hold.override_reason) = (asked, override_reason);
    grant.make(show, given_up, note, now);
    let mut view = show.view(command.hold_id, HoldState::Held, &command.places);
    if !orphans.is_empty() {
        view.more.get_or_insert_default().orphans = orphans;
    }
    Ok(Answer::Held(view))
}

/// The hold of an id that is in use, if it may be what is asked for once more.
pub(super) fn known<'a>(
    show: &'a Show,
    id: HoldId,
    buyer: &BuyerId,
    ttl: Option<HoldTtl>,
) -> Result<Option<&'a Hold>, Rejection> {
    if show.entry(id).is_some() {
        return Err(Rejection::HoldWaiting);
    }
    let Some(hold) = show.holds.get(&id) else { return Ok(None) };
    // A fence has no content that a request could differ from.
    if hold.state == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    if hold.buyer != *buyer {
        return Err(Rejection::IdReused { field: HoldField::BuyerId });
    }
    // Who names none takes what he was given, whatever the default is now.
    if ttl.is_some_and(|ttl| ttl != hold.ttl) {
        return Err(Rejection::IdReused { field: HoldField::TtlMs });
    }
    if hold.is_offer {
        return Err(Rejection::IdReused { field: HoldField::Request });
    }
    Ok(Some(hold))
}

/// The original grant and how the hold stands now.
pub(super) fn again(show: &Show, id: HoldId, now: Timestamp) -> Answer {
    let hold = &show.holds[&id];
    Answer::Held(show.view_at(id, &hold.granted, now))
}

/// The deadlines of a live hold.
fn extended(show: &Show, expires_at: Timestamp, extendable_until: Timestamp, now: Timestamp) -> Answer {
    let [expires_at, extendable_until] = [expires_at, extendable_until].map(|at| show.if_clocks_went_on(at, now));
    Answer::Extended { expires_at, extendable_until }
}

/// A grant that was checked.
pub(super) struct Grant<'a> {
    pub(super) id: HoldId,
    pub(super) buyer: &'a BuyerId,
    pub(super) places: Places,
    pub(super) ttl: Option<HoldTtl>,
}

impl Grant<'_> {
    /// What is given up goes, what is wanted is held. `note` notes what is particular about the hold.
    pub(super) fn make(self, show: &mut Show, given_up: GivenUp, note: impl FnOnce(&mut Hold), now: Timestamp) {
        if let Some(id) = given_up.replaced {
            show.end(id, HoldState::Released, now);
        }
        for id in given_up.moved {
            let own = show.places_of(id);
            let left = minus(&own, &Places::new(self.places.seats(), []).unwrap_or_default());
            if left.is_empty() {
                show.end(id, HoldState::Released, now);
            } else {
                show.put_back(id, &minus(&own, &left));
            }
        }
        show.take(self.id, &self.places);
        let ttl = self.ttl.unwrap_or(show.policy.hold_ttl_default);
        let expires_at = Timestamp(now.0 + ttl.ms()).min(given_up.life_ends);
        let mut hold = Hold::new(self.buyer, self.places, ttl, now, expires_at);
        note(&mut hold);
        // If nothing is inherited, it lives as long as the policy says.
        let own = Timestamp(now.0 + show.policy.hold_life_ms_max);
        hold.life_ends = Some(given_up.life_ends).filter(|life_ends| *life_ends != own);
        show.insert(self.id, hold);
    }
}

pub(super) fn extend(show: &mut Show, command: &ExtendHold, now: Timestamp) -> Outcome {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    if show.is_prepared(command.hold_id) {
        return Err(Rejection::HoldOfGroup);
    }
    show.must_be(&GOING_ON, now)?;
    let ttl = command.ttl.unwrap_or(show.policy.hold_ttl_default);
    let extendable_until = show.life_ends(hold);
    let mut wanted = Timestamp(show.clock(now).0 + ttl.ms()).min(extendable_until);
    if let Some(closes_at) = show.sale.closes_at
        && show.if_clocks_went_on(wanted, now) > closes_at
    {
        let stood = now.0 - show.clock(now).0;
        wanted = Timestamp(closes_at.0.saturating_sub(stood));
    }
    // An offer has the time that it has, and after the end of the sale nobody gets more.
    if hold.is_offer || show.state_at(now) == ShowState::Closed {
        wanted = hold.expires_at;
    }
    let expires_at = hold.expires_at.max(wanted);
    if expires_at != hold.expires_at {
        let max = show.policy.extends_max;
        if hold.extends >= max {
            return Err(Rejection::LimitReached { limit: Limit::Extends, max: u64::from(max) });
        }
        let hold = show.hold_mut(command.hold_id);
        (hold.expires_at, hold.extends) = (expires_at, hold.extends + 1);
    }
    Ok(extended(show, expires_at, extendable_until, now))
}

pub(super) fn release(show: &mut Show, command: &ReleaseHold, now: Timestamp) -> Outcome {
    let id = command.hold_id;
    if let Some(nothing) = nothing_to_release(show, id, &command.buyer, now)? {
        return Ok(nothing);
    }
    let hold = &show.holds[&id];
    if hold.pinned_from.is_some() || show.is_prepared(id) {
        return Err(Rejection::HoldPinned);
    }
    show.must_be_alone(id)?;
    let (granted, own) = (hold.granted.clone(), show.places_of(id));
    let named = command.places.clone().unwrap_or(granted.clone());
    let foreign = missing(&named, &granted);
    if !foreign.is_empty() {
        return Err(Rejection::PlacesNotInHold(foreign));
    }
    // What stays is counted from the grant, so that saying it twice is saying it once.
    let stays = minus(&granted, &named);
    let back = minus(&own, &stays);
    if back == own {
        show.end(id, HoldState::Released, now);
        return Ok(released(HoldState::Released));
    }
    let orphans = orphans::left_by_return(show, &back, now);
    show.put_back(id, &back);
    Ok(Answer::Released { state: HoldState::Held, orphans })
}

pub(super) fn released(state: HoldState) -> Answer {
    Answer::Released { state, orphans: Vec::new() }
}

/// The answer where no hold of this id is live, which fences an id never seen.
pub(super) fn nothing_to_release(
    show: &mut Show,
    id: HoldId,
    buyer: &BuyerId,
    now: Timestamp,
) -> Result<Option<Answer>, Rejection> {
    if let Some(entry) = show.entry(id) {
        let own = entry.buyer == *buyer;
        return Err(if own { Rejection::HoldWaiting } else { Rejection::HoldOfAnotherBuyer });
    }
    let hold = match own_hold(show, id, buyer) {
        Err(Rejection::HoldUnknown) => {
            show.fence(id, buyer, now);
            return Ok(Some(released(HoldState::Fenced)));
        }
        found => found?,
    };
    match show.state_of(hold, now) {
        HoldState::Held => Ok(None),
        HoldState::Confirmed => Err(Rejection::HoldConfirmed),
        HoldState::Cancelled if hold.booking.is_some() => Err(Rejection::HoldCancelled),
        ended => Ok(Some(released(ended))),
    }
}

pub(super) fn pin(show: &mut Show, command: &OwnHold, now: Timestamp) -> Outcome {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    show.must_be_alone(command.hold_id)?;
    show.must_be(&GOING_ON, now)?;
    let extendable_until = show.life_ends(hold);
    let (deadline, is_pinned) = (hold.expires_at, hold.pinned_from.is_some());
    let pinned = Timestamp(deadline.max(extendable_until).0 + show.policy.pin_ms_max);
    let expires_at = if is_pinned { deadline } else { pinned };
    let hold = show.hold_mut(command.hold_id);
    hold.expires_at = expires_at;
    hold.pinned_from = hold.pinned_from.or(Some(deadline));
    Ok(extended(show, expires_at, extendable_until, now))
}

pub(super) fn unpin(show: &mut Show, command: &OwnHold, now: Timestamp) -> Outcome {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    show.must_be_alone(command.hold_id)?;
    let extendable_until = show.life_ends(hold);
    let hold = show.hold_mut(command.hold_id);
    hold.expires_at = hold.pinned_from.take().unwrap_or(hold.expires_at);
    let expires_at = hold.expires_at;
    Ok(extended(show, expires_at, extendable_until, now))
}

pub(super) fn get(show: &Show, id: HoldId, now: Timestamp) -> Outcome {
    if let Some(entry) = show.entry(id) {
        return Ok(Answer::Waiting(Box::new(show.wait_view(entry))));
    }
    if show.holds.contains_key(&id) { Ok(found(show, id, now)) } else { Err(Rejection::HoldUnknown) }
}
