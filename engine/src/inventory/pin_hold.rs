//! PinHold and UnpinHold: while the outcome of a payment is unknown, a hold does not expire, and nobody releases it.
//!
//! A pin ends by time too, at a hard cap beyond the hold's longest life: nothing is held for ever.

use super::{Answer, hold::HoldState, live_hold, sale::ShowState, show::Show};
use crate::{command::OwnHold, event::Event, ids::HoldId, rejection::Rejection, time::Timestamp};

pub(super) fn pin(
    show: &Show,
    command: &OwnHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    // After this point it must succeed.
    let extendable_until = show.extendable_until_of(hold);
    if hold.is_pinned() {
        return Ok(Answer::Extended { expires_at: hold.expires_at, extendable_until });
    }
    let expires_at = extendable_until.max(hold.expires_at).plus_ms(show.policy.pin_ms_max);
    events.push(Event::HoldPinned { hold_id: command.hold_id, expires_at });
    Ok(Answer::Extended { expires_at, extendable_until })
}

pub(super) fn unpin(
    show: &Show,
    command: &OwnHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    // After this point it must succeed.
    let pinned_from = hold.rare().and_then(|rare| rare.pinned_from);
    if pinned_from.is_some() {
        events.push(Event::HoldUnpinned { hold_id: command.hold_id });
    }
    let expires_at = pinned_from.unwrap_or(hold.expires_at);
    Ok(Answer::Extended { expires_at, extendable_until: show.extendable_until_of(hold) })
}

pub(super) fn apply_pinned(show: &mut Show, hold_id: HoldId, expires_at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is pinned");
    let hold = show.holds.get_mut(slot);
    let deadline = hold.expires_at;
    hold.rare_mut().pinned_from = Some(deadline);
    show.holds.move_deadline(slot, expires_at);
}

pub(super) fn apply_unpinned(show: &mut Show, hold_id: HoldId) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is unpinned");
    let hold = show.holds.get_mut(slot);
    debug_assert_eq!(hold.state, HoldState::Held, "only a live hold is unpinned");
    let deadline = hold.rare_mut().pinned_from.take().expect("only a pinned hold is unpinned");
    show.holds.move_deadline(slot, deadline);
}
