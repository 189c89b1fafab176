//! ExtendHold: more time for a live hold, up to the end of its longest life, and so many times as the policy allows.

use super::{Answer, live_hold, sale::ShowState, show::Show};
use crate::{
    command::ExtendHold,
    event::Event,
    ids::HoldId,
    rejection::{Limit, Rejection},
    time::Timestamp,
};

pub(super) fn decide(
    show: &Show,
    command: &ExtendHold,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let hold = live_hold(show, command.hold_id, &command.buyer, now)?;
    // The others of a group live on as well; one that waits for the decision has no deadline.
    if show.is_prepared(command.hold_id) {
        return Err(Rejection::HoldOfGroup);
    }
    show.must_be(&[ShowState::OnSale, ShowState::Paused, ShowState::Closed], now)?;
    let ttl = command.ttl.unwrap_or(show.policy.hold_ttl_default);
    let extendable_until = show.extendable_until_of(hold);
    // Not beyond the end of the sale; an offer has the time that it has.
    let stood_ms = show.sale.stood_ms(now);
    let closes_at = show.sale.closes_at.map_or(extendable_until, |at| Timestamp(at.0.saturating_sub(stood_ms)));
    let last = if hold.is_offer() { hold.expires_at } else { extendable_until.min(closes_at) };
    let wanted = show.sale.clock(now).plus_ms(ttl.ms());
    let expires_at = if show.sale.state_at(now) == ShowState::Closed { hold.expires_at } else { wanted.min(last) };
    let expires_at = expires_at.max(hold.expires_at);
    let max = show.policy.extends_max;
    if expires_at > hold.expires_at && hold.extends >= max {
        return Err(Rejection::LimitReached { limit: Limit::Extends, max: u64::from(max) });
    }
    // After this point it must succeed.
    if expires_at > hold.expires_at {
        events.push(Event::HoldExtended { hold_id: command.hold_id, expires_at });
    }
    Ok(show.extended(expires_at, extendable_until, now))
}

impl Show {
    /// The deadlines of a live hold: while clocks stand, those that it would have if they went on now.
    pub(super) fn extended(&self, expires_at: Timestamp, extendable_until: Timestamp, now: Timestamp) -> Answer {
        let stood_ms = self.sale.stood_ms(now);
        Answer::Extended {
            expires_at: expires_at.plus_ms(stood_ms),
            extendable_until: extendable_until.plus_ms(stood_ms),
        }
    }
}

pub(super) fn apply(show: &mut Show, hold_id: HoldId, expires_at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold is extended");
    let hold = show.holds.get_mut(slot);
    hold.extends = hold.extends.saturating_add(1);
    show.holds.move_deadline(slot, expires_at);
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    #[test]
    fn a_deadline_moves_forwards_only_and_not_beyond_the_longest_life() {
        check(
            "00:00  hold A1 as h1            -> held 1000, until 10:00
             05:00  extend h1                -> extended to 15:00 of 30:00
             05:00  extend h1 for 1m         -> extended to 15:00 of 30:00
             14:59  extend h1 for 2h         -> extended to 30:00 of 30:00
             29:59  extend h1 for 2h         -> extended to 30:00 of 30:00
             30:00  extend h1                -> rejected: expired at 30:00
             30:00  seats                    -> all available",
        );
    }

    /// What moves no deadline is not counted, and needs none; what is kept of a hold goes on counting (rule: extend-counted).
    #[test]
    fn a_hold_is_extended_so_many_times() {
        check(
            "policy extends 2
             00:00  hold A1 A2 as h1                    -> held 2000, until 10:00
             01:00  extend h1 for 5s                    -> extended to 10:00 of 30:00
             02:00  extend h1                           -> extended to 12:00 of 30:00
             03:00  extend h1                           -> extended to 13:00 of 30:00
             04:00  extend h1                           -> rejected: extends_max is 2
             04:00  extend h1 for 5s                    -> extended to 13:00 of 30:00
             05:00  confirm A1 of h1 for o1 keeping h2  -> confirmed A1 1000 for o1
             05:00  extend h2                           -> rejected: extends_max is 2
             06:00  policy extends 3                    -> done
             06:00  extend h2                           -> extended to 16:00 of 30:00
             07:00  policy extends 0                    -> done
             07:00  hold A3 as h3                       -> held 1000, until 17:00
             08:00  extend h3                           -> rejected: extends_max is 0",
        );
    }

    #[test]
    fn only_a_live_hold_of_ones_own_is_extended() {
        check(
            "00:00  extend h1                -> rejected: hold unknown
             00:00  hold A1 as h1            -> held 1000, until 10:00
             00:01  extend h1 by bob         -> rejected: hold of another buyer
             00:02  release h1               -> released
             00:03  extend h1                -> rejected: released
             00:04  hold A1 as h2            -> held 1000, until 10:04
             00:05  confirm h2 for o1        -> confirmed A1 1000 for o1
             00:06  extend h2                -> rejected: confirmed
             00:07  release h3               -> fenced
             00:08  extend h3                -> rejected: fenced",
        );
    }

    /// Extending stops at the end of the sale (rule: extend-capped).
    #[test]
    fn an_extension_does_not_reach_beyond_the_end_of_the_sale() {
        check(
            "sale closes 08:00
             00:00  hold A1 as h1 for 5m      -> held 1000, until 05:00
             04:00  extend h1 for 10m         -> extended to 08:00 of 30:00
             07:59  extend h1 for 10m         -> extended to 08:00 of 30:00
             08:00  confirm h1 for o1         -> rejected: expired at 08:00",
        );
    }

    /// A closed sale gives nobody more time, and takes none away (rule: extend-capped).
    #[test]
    fn after_the_sale_a_hold_keeps_its_deadline() {
        check(
            "00:00  hold A1 as h1 for 5m      -> held 1000, until 05:00
             01:00  close                     -> closed
             01:30  hold A2 as h2             -> rejected: the show is closed
             02:00  extend h1 for 10m         -> extended to 05:00 of 30:00
             04:59  confirm h1 for o1         -> confirmed A1 1000 for o1",
        );
    }

    /// A hold that replaces or empties others has the longest life of the oldest (rule: cart-life).
    #[test]
    fn adding_seats_does_not_make_a_cart_live_longer() {
        check(
            "policy hold_life 20m
             00:00  hold A1 as h1                       -> held 1000, until 10:00
             08:00  hold A1 A2 as h2 replacing h1       -> held 2000, until 18:00
             09:00  extend h2 for 1h                    -> extended to 20:00 of 20:00
             15:00  hold A3 as h3 replacing h2          -> held 1000, until 20:00
             16:00  get h2                              -> released
             16:00  seats                               -> A3 held
             20:00  confirm h3 for o1                   -> rejected: expired at 20:00",
        );
    }

    /// Moving a seat from one's other hold inherits that hold's longest life too (rule: cart-life).
    #[test]
    fn seats_of_ones_own_bring_their_life_along() {
        check(
            "policy hold_life 20m
             00:00  hold A1 A2 as h1                    -> held 2000, until 10:00
             08:00  hold A2 A3 as h2                    -> held 2000, until 18:00
             08:01  get h1                              -> held A1 1000, until 10:00
             08:02  extend h2 for 1h                    -> extended to 20:00 of 20:00
             09:00  hold A1 as h3                       -> held 1000, until 19:00
             09:00  get h1                              -> released
             09:00  seats                               -> A1 A2 A3 held",
        );
    }

    /// The longest life goes on whatever the new places are chosen by (rule: cart-life).
    #[test]
    fn a_best_hold_that_replaces_inherits_too() {
        check(
            "policy hold_life 20m
             00:00  hold A1 as h1                             -> held 1000, until 10:00
             09:00  best 2 together as h2 replacing h1 for 1h -> held A5 A6 2000, until 20:00, together
             09:01  seats                                     -> A5 A6 held",
        );
    }
}
