//! JoinWaitlist and LeaveWaitlist.

use std::ops::ControlFlow;

use super::super::{
    Answer,
    hold::{Hold, HoldState},
    hold_best,
    release_hold::{released, to_be_released},
    sale::ShowState,
    show::Show,
};
use crate::{
    command::{JoinWaitlist, OwnHold},
    event::{EntryJoined, Event},
    ids::{BuyerId, HoldId},
    inventory::{places::Places, view::WaitView},
    rejection::{HoldField, Limit, Rejection},
    time::Timestamp,
};

pub(in crate::inventory) fn join(
    show: &Show,
    command: &JoinWaitlist,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    if let Some(answer) = repeat(show, command, now)? {
        return Ok(answer);
    }
    show.must_be(&[ShowState::OnSale, ShowState::Paused], now)?;
    let policy = &show.policy;
    if policy.waitlist_max == 0 || policy.waitlist_closes_at.is_some_and(|closes_at| now >= closes_at) {
        return Err(Rejection::WaitlistClosed);
    }
    let channels = show.channels.named(&command.channels)?;
    hold_best::check_sections(show, &command.wish)?;
    let waiting = show.waitlist.waiting();
    for (limit, wanted, max) in [
        (Limit::PlacesPerHold, command.wish.quantity, policy.places_per_hold_max),
        (Limit::PlacesPerBuyer, command.wish.quantity, policy.places_per_buyer_max),
        (Limit::Waitlist, waiting + 1, policy.waitlist_max),
    ] {
        if wanted > max {
            return Err(Rejection::LimitReached { limit, max: u64::from(max) });
        }
    }
    if let Some(until) = show.cools_until(show.buyers.find_slot(&command.buyer), now) {
        return Err(Rejection::CoolingDown { until });
    }
    if let Some(hold_id) = waits_as(show, &command.buyer, now) {
        return Err(Rejection::WaitsAlready { hold_id });
    }
    let queue = show.waitlist.queue_for(&command.wish, channels);
    let is_possible =
        queue.map_or_else(|| hold_best::is_possible(show, &command.wish), |queue| queue.is_possible(show));
    // After this point it must succeed.
    let (hold_id, buyer, wish) = (command.hold_id, command.buyer.clone(), command.wish.clone());
    let view =
        WaitView { hold_id, buyer: buyer.clone(), wish: wish.clone(), waiting: waiting + 1, gathered: 0, is_possible };
    let joined = EntryJoined { hold_id, buyer, wish, priority: command.priority, channels, is_possible };
    events.push(Event::EntryJoined(Box::new(joined)));
    Ok(Answer::Waiting(Box::new(view)))
}

/// The same request again: how the entry stands now, or the hold that it has become.
fn repeat(show: &Show, command: &JoinWaitlist, now: Timestamp) -> Result<Option<Answer>, Rejection> {
    let reused = |field| Err(Rejection::IdReused { field });
    if let Some(slot) = show.waitlist.slot(command.hold_id) {
        let (entry, queue) = (show.waitlist.entry(slot), show.waitlist.queue_of(slot));
        if entry.buyer != command.buyer {
            return reused(HoldField::BuyerId);
        }
        let channels = show.channels.named(&command.channels)?;
        if queue.wish != command.wish || queue.channels != channels || entry.priority != command.priority {
            return reused(HoldField::Request);
        }
        return Ok(show.wait_view(command.hold_id).map(Answer::Waiting));
    }
    let Some(hold) = show.holds.find(command.hold_id) else { return Ok(None) };
    if hold.state == HoldState::Fenced {
        return Err(Rejection::HoldFenced);
    }
    if show.buyers.get(hold.buyer).id != command.buyer {
        return reused(HoldField::BuyerId);
    }
    if !hold.is_offer() {
        return reused(HoldField::Request);
    }
    Ok(Some(Answer::Found(show.view_now(hold, now))))
}

/// The entry or the live offer that a buyer has.
fn waits_as(show: &Show, buyer: &BuyerId, now: Timestamp) -> Option<HoldId> {
    if let Some(slot) = show.waitlist.slot_of_buyer(buyer) {
        return Some(show.waitlist.entry(slot).id);
    }
    let slot = show.buyers.find_slot(buyer)?;
    let mut own = show.buyers.holds_of(slot).map(|hold| show.holds.get(hold));
    let is_live = |hold: &&Hold| hold.is_offer() && show.state_of(hold, now) == HoldState::Held;
    own.find(is_live).map(|hold| hold.id)
}

pub(in crate::inventory) fn leave(
    show: &Show,
    command: &OwnHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold_id = command.hold_id;
    if let Some(slot) = show.waitlist.slot(hold_id) {
        if show.waitlist.entry(slot).buyer != command.buyer {
            return Err(Rejection::HoldOfAnotherBuyer);
        }
        events.push(Event::EntryLeft { hold_id });
        return Ok(released(HoldState::Released));
    }
    // An id never seen is fenced: a join that comes late is not to come to life.
    let hold = match to_be_released(show, hold_id, &command.buyer, now, events)? {
        ControlFlow::Continue(hold) => hold,
        ControlFlow::Break(answer) => return Ok(answer),
    };
    if !hold.is_offer() {
        return Err(Rejection::HoldNotWaiting);
    }
    if hold.is_pinned() {
        return Err(Rejection::HoldPinned);
    }
    // After this point it must succeed.
    events.push(Event::HoldReleased { hold_id, places: None });
    Ok(released(HoldState::Released))
}

pub(in crate::inventory) fn apply_joined(show: &mut Show, joined: &EntryJoined) {
    show.waitlist.set_order(show.policy.waitlist_order);
    show.waitlist.expect(show.policy.waitlist_max.min(show.manifest.places()));
    show.waitlist.insert(joined.clone(), &show.manifest, show.channels.open);
}

/// The id is remembered for a while, as that of a hold that was released: it cannot be used again.
pub(in crate::inventory) fn apply_left(show: &mut Show, hold_id: HoldId, at: Timestamp) {
    let slot = show.waitlist.slot(hold_id).expect("only a known entry leaves");
    let (entry, gathering) = show.waitlist.remove(slot);
    if let Some(gathering) = gathering {
        show.put_back(&gathering.places);
    }
    show.make_room_for_a_rush();
    let buyer = show.buyers.name(&entry.buyer);
    let rare = super::super::hold::Rare { is_offer: true, ..Default::default() };
    let ended = Hold {
        id: hold_id,
        buyer,
        ttl: show.policy.offer_ttl,
        granted_at: at,
        expires_at: at,
        places: Places::default(),
        state: HoldState::Released,
        extends: 0,
        more: Some(Hold::more_of_rare(rare)),
    };
    let slot = show.holds.insert(ended);
    show.buyers.add_hold(buyer, slot);
    show.remember_ended(slot, at);
}

#[cfg(test)]
mod tests;
