//! Expiry: places taken back by time, as logged events. Never early; late by at most what one batch may expire.

use super::{
    hold::HoldState,
    show::{Lapses, Show},
};
use crate::{ids::HoldId, time::Timestamp};

pub(super) fn apply(show: &mut Show, hold_id: HoldId, at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold expires");
    let buyer = show.holds.get(slot).buyer;
    show.end_hold(slot, HoldState::Expired, at);
    let policy = show.policy;
    if policy.lapses_max == 0 && policy.return_spread_ms == 0 {
        return;
    }
    let lapses = show.lapses.entry(buyer).or_default();
    lapses.count += 1;
    if policy.lapses_max > 0 && lapses.count >= policy.lapses_max {
        *lapses = Lapses { count: 0, cools_until: at.plus_ms(policy.cool_down_ms) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::check;

    #[test]
    fn expired_places_are_available_again() {
        check(
            "00:00  hold A1 2xFloor as h1 for 5s  -> held 1200, until 00:05
             00:04  hold A1 as h2 by bob          -> rejected: places taken A1
             00:05  hold A1 as h2 by bob          -> held 1000, until 10:05
             00:06  get h1                        -> expired
             00:07  seats                         -> A1 held",
        );
    }

    #[test]
    fn over_is_over_even_before_the_sweep() {
        check(
            "00:00  hold A1 as h1 for 5s    -> held 1000, until 00:05
             no sweep
             00:05  confirm h1 for o1       -> rejected: expired at 00:05
             00:05  extend h1               -> rejected: expired at 00:05
             00:05  release h1              -> expired
             00:05  get h1                  -> expired
             00:05  hold A1 as h1 for 5s    -> expired 1000, until 00:05
             00:05  hold A1 as h2 by bob    -> rejected: places taken A1",
        );
    }
}
