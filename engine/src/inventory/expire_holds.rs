//! Expiry: places taken back by time, as logged events. Never early; late by at most what one batch may expire.

use super::{
    hold::HoldState,
    show::{Lapses, Show},
};
use crate::{ids::HoldId, time::Timestamp};

pub(super) fn apply(show: &mut Show, hold_id: HoldId, at: Timestamp) {
    let slot = show.holds.slot(hold_id).expect("only a known hold expires");
    if !show.holds.get(slot).rare().is_some_and(|rare| rare.has_lapsed) {
        show.count_lapse(slot);
    }
    show.end_hold(slot, HoldState::Expired, at);
}

/// The deadline counts, and not when the places come back.
pub(super) fn apply_lapsed(show: &mut Show, hold_id: HoldId) {
    let slot = show.holds.slot(hold_id).expect("only a known hold lapses");
    show.count_lapse(slot);
    let hold = show.holds.get_mut(slot);
    hold.rare_mut().has_lapsed = true;
    let deadline = hold.expires_at;
    show.holds.move_deadline(slot, deadline);
}

impl Show {
    /// A buyer let a hold expire: he cools down from its deadline on, if it was one too many.
    fn count_lapse(&mut self, slot: u32) {
        let policy = &self.policy;
        if policy.lapses_max == 0 && policy.return_spread_ms == 0 {
            return;
        }
        let hold = self.holds.get(slot);
        let lapses = self.lapses.entry(hold.buyer).or_default();
        lapses.count += 1;
        if policy.lapses_max > 0 && lapses.count >= policy.lapses_max {
            *lapses = Lapses { count: 0, cools_until: hold.expires_at.plus_ms(policy.cool_down_ms) };
        }
    }
}

#[cfg(test)]
mod tests;
