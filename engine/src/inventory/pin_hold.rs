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
    show.must_be_alone(command.hold_id)?;
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    // After this point it must succeed.
    let extendable_until = show.extendable_until_of(hold);
    if hold.is_pinned() {
        return Ok(show.extended(hold.expires_at, extendable_until, now));
    }
    let expires_at = extendable_until.max(hold.expires_at).plus_ms(show.policy.pin_ms_max);
    events.push(Event::HoldPinned { hold_id: command.hold_id, expires_at });
    Ok(show.extended(expires_at, extendable_until, now))
}

pub(super) fn unpin(
    show: &Show,
    command: &OwnHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    show.must_be_alone(command.hold_id)?;
    // After this point it must succeed.
    let pinned_from = hold.rare().and_then(|rare| rare.pinned_from);
    if pinned_from.is_some() {
        events.push(Event::HoldUnpinned { hold_id: command.hold_id });
    }
    let expires_at = pinned_from.unwrap_or(hold.expires_at);
    Ok(show.extended(expires_at, show.extendable_until_of(hold), now))
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

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// While a payment's outcome is unknown, only its confirmation ends a hold (rule: pin).
    #[test]
    fn a_pinned_hold_neither_expires_nor_is_given_back() {
        check(
            "policy hold_life 20m, pin 30m
             tell expiries
             00:00  hold A1 as h1                       -> held 1000, until 10:00
             05:00  pin h1                              -> extended to 50:00 of 20:00
             05:01  pin h1                              -> extended to 50:00 of 20:00
             05:02  release h1                          -> rejected: pinned
             05:02  hold A1 A2 as h2 replacing h1       -> rejected: pinned
             05:02  hold A1 as h2                       -> rejected: places taken A1
             11:00  get h1                              -> held A1 1000, until 50:00, pinned
             12:00  extend h1                           -> extended to 50:00 of 20:00
             49:59  confirm h1 for o1                   -> confirmed A1 1000 for o1
             50:00  get h1                              -> confirmed A1 1000, until 50:00",
        );
    }

    /// Nothing is held for ever: a pin ends a bounded time beyond the longest life (rule: pin-cap).
    #[test]
    fn a_pin_ends_at_its_hard_cap() {
        check(
            "policy hold_life 20m, pin 30m
             tell expiries
             00:00  hold A1 as h1                       -> held 1000, until 10:00
             05:00  pin h1                              -> extended to 50:00 of 20:00
             50:00  confirm h1 for o1                   -> rejected: expired at 50:00
                    => h1 expired
             50:00  seats                               -> all available
             50:00  get h1                              -> expired",
        );
    }

    /// Unpinning gives the deadline back, which may have passed (rule: pin).
    #[test]
    fn an_unpinned_hold_has_its_own_deadline_again() {
        check(
            "tell expiries
             00:00  hold A1 as h1                       -> held 1000, until 10:00
             05:00  pin h1                              -> extended to 60:00 of 30:00
             06:00  unpin h1                            -> extended to 10:00 of 30:00
             06:01  unpin h1                            -> extended to 10:00 of 30:00
             06:02  release h1                          -> released
             06:03  hold A2 as h2                       -> held 1000, until 16:03
             06:04  pin h2                              -> extended to 66:03 of 36:03
             20:00  unpin h2                            -> extended to 16:03 of 36:03
             20:01  confirm h2 for o1                   -> rejected: expired at 16:03
                    => h2 expired
             20:02  pin h2                              -> rejected: expired at 16:03
             20:02  pin h3                              -> rejected: hold unknown
             20:03  hold A3 as h3                       -> held 1000, until 30:03
             20:03  pin h3 by bob                       -> rejected: hold of another buyer",
        );
    }
}
