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
mod tests;
