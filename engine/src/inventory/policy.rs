//! The limits of one show, each with a default and a hard range.
//!
//! It only says what the limits are; the commands' files keep them.

use bincode::{Decode, Encode};

use super::places::PLACES_PER_HOLD_MAX;
use crate::time::{HOLD_TTL_MS_MIN, HoldTtl, Timestamp};

/// Longest life that a policy may allow a hold, in milliseconds: one day.
pub const HOLD_LIFE_MS_MAX: u64 = 86_400_000;
/// Most live holds of one show, and of places of one buyer.
pub const HOLDS_PER_SHOW_MAX: u32 = 1_000_000;
/// Most live holds that a policy may allow one buyer.
pub const LIVE_HOLDS_PER_BUYER_MAX: u32 = 100_000;

/// Longest grace after a deadline that a policy may allow, in milliseconds: ten minutes.
pub const LATE_CONFIRM_MS_MAX: u64 = 600_000;
/// Most expired holds before a cool-down.
pub const LAPSES_MAX: u32 = 1_000;
/// Longest spread of returns, in milliseconds: ten minutes.
pub const RETURN_SPREAD_MS_MAX: u64 = 600_000;
/// Longest time for which places may be gathered for a party, in milliseconds: an hour.
pub const GATHER_MS_MAX: u64 = 3_600_000;
/// Most places a second that a mass return offers to those who wait.
pub const RETURNS_PER_SECOND_MAX: u32 = 100_000;

/// Most extensions of one hold: more than a day has room for.
pub const EXTENDS_MAX: u32 = 1_000_000;

/// The rules of one show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Policy {
    /// Of a hold that asks for none.
    pub hold_ttl_default: HoldTtl,
    /// The longest life of a hold from its first second, in milliseconds.
    pub hold_life_ms_max: u64,
    /// Places in one hold.
    pub places_per_hold_max: u32,
    /// Live holds of one buyer.
    pub live_holds_per_buyer_max: u32,
    /// Places held and sold of one buyer.
    pub places_per_buyer_max: u32,
    /// Live holds of the show.
    pub holds_per_show_max: u32,
    /// What becomes of a hand-picked hold that leaves single seats over.
    pub orphans: OrphanRule,
    /// How long after its deadline a hold may still be confirmed, if its places are free, in milliseconds.
    pub late_confirm_ms_max: u64,
    /// How long a pin lasts beyond the hold's longest life, in milliseconds.
    pub pin_ms_max: u64,
    /// Holds that a buyer may let expire, one after the other without a sale, before he has to wait; 0 for any number.
    pub lapses_max: u32,
    /// How long he has to wait then, from the last deadline on, in milliseconds.
    pub cool_down_ms: u64,
    /// Places of a hold that was granted to a buyer who had let one expire come back within so many milliseconds after
    /// its deadline, at an instant that its id decides.
    pub return_spread_ms: u64,
    /// Entries that may wait; 0 for no waitlist.
    pub waitlist_max: u32,
    /// Who is served first.
    pub waitlist_order: WaitlistOrder,
    /// From when on nobody may join, and nobody gets an offer.
    pub waitlist_closes_at: Option<Timestamp>,
    /// How long an offer is good.
    pub offer_ttl: HoldTtl,
    /// How long places may be gathered for a party, in milliseconds; 0 for not at all.
    pub gather_ms_max: u64,
    /// Places a second that a mass return offers to those who wait.
    pub returns_per_second_max: u32,
    /// How often the deadline of one hold may be moved by extending it.
    pub extends_max: u32,
    /// From when on nobody looks for single seats, whatever `orphans` says.
    pub orphan_rule_ends_at: Option<Timestamp>,
}

/// What becomes of a hand-picked hold that leaves single seats over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub enum OrphanRule {
    /// Nobody looks.
    #[default]
    Off,
    /// It is granted, and the seats are named.
    Avoid,
    /// It is refused, unless there is no other way.
    Forbid,
}

/// Who is served first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub enum WaitlistOrder {
    /// Who joined first.
    #[default]
    Fifo,
    /// Who has the higher priority, and of these who joined first.
    Priority,
    /// In an order that a seed and the entries' ids decide.
    Lottery {
        /// Kept from those who join.
        seed: u64,
    },
}

/// A limit outside of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {min} to {max}, is {found}")]
pub struct PolicyError {
    /// The field of [`Policy`].
    pub field: &'static str,
    /// The lowest value.
    pub min: u64,
    /// The highest value.
    pub max: u64,
    /// The value given.
    pub found: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold_ttl_default: HoldTtl::from_ms(600_000).expect("ten minutes are within the range"),
            hold_life_ms_max: 1_800_000,
            places_per_hold_max: 10,
            live_holds_per_buyer_max: 10,
            places_per_buyer_max: 100,
            holds_per_show_max: HOLDS_PER_SHOW_MAX,
            orphans: OrphanRule::Off,
            late_confirm_ms_max: 30_000,
            pin_ms_max: 1_800_000,
            lapses_max: 0,
            cool_down_ms: 600_000,
            return_spread_ms: 0,
            waitlist_max: 100_000,
            waitlist_order: WaitlistOrder::Fifo,
            waitlist_closes_at: None,
            offer_ttl: HoldTtl::from_ms(600_000).expect("ten minutes are within the range"),
            gather_ms_max: 600_000,
            returns_per_second_max: 1_000,
            extends_max: EXTENDS_MAX,
            orphan_rule_ends_at: None,
        }
    }
}

impl Policy {
    /// What becomes of a hold that leaves single seats over at an instant.
    #[must_use]
    pub fn orphan_rule_at(&self, now: Timestamp) -> OrphanRule {
        match self.orphans {
            OrphanRule::Off => OrphanRule::Off,
            _ if self.orphan_rule_ends_at.is_some_and(|at| now >= at) => OrphanRule::Off,
            rule => rule,
        }
    }

    /// Every limit outside of its range. The time to live is checked when it is made.
    #[must_use]
    pub fn errors(&self) -> Vec<PolicyError> {
        let limits = [
            ("hold_life_ms_max", self.hold_life_ms_max, HOLD_TTL_MS_MIN, HOLD_LIFE_MS_MAX),
            ("places_per_hold_max", u64::from(self.places_per_hold_max), 1, u64::from(PLACES_PER_HOLD_MAX)),
            (
                "live_holds_per_buyer_max",
                u64::from(self.live_holds_per_buyer_max),
                1,
                u64::from(LIVE_HOLDS_PER_BUYER_MAX),
            ),
            ("places_per_buyer_max", u64::from(self.places_per_buyer_max), 1, u64::from(HOLDS_PER_SHOW_MAX)),
            ("holds_per_show_max", u64::from(self.holds_per_show_max), 1, u64::from(HOLDS_PER_SHOW_MAX)),
            ("late_confirm_ms_max", self.late_confirm_ms_max, 0, LATE_CONFIRM_MS_MAX),
            ("pin_ms_max", self.pin_ms_max, 0, HOLD_LIFE_MS_MAX),
            ("lapses_max", u64::from(self.lapses_max), 0, u64::from(LAPSES_MAX)),
            ("cool_down_ms", self.cool_down_ms, 0, HOLD_LIFE_MS_MAX),
            ("return_spread_ms", self.return_spread_ms, 0, RETURN_SPREAD_MS_MAX),
            ("waitlist_max", u64::from(self.waitlist_max), 0, u64::from(HOLDS_PER_SHOW_MAX)),
            ("gather_ms_max", self.gather_ms_max, 0, GATHER_MS_MAX),
            ("returns_per_second_max", u64::from(self.returns_per_second_max), 1, u64::from(RETURNS_PER_SECOND_MAX)),
            ("extends_max", u64::from(self.extends_max), 0, u64::from(EXTENDS_MAX)),
        ];
        let outside = limits.into_iter().filter(|(_, found, min, max)| !(min..=max).contains(&found));
        outside.map(|(field, found, min, max)| PolicyError { field, min, max, found }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_allowed_and_each_limit_has_a_range() {
        assert_eq!(Policy::default().errors(), []);
        let none = Policy { places_per_hold_max: 0, ..Policy::default() };
        assert_eq!(none.errors()[0].to_string(), "places_per_hold_max must be 1 to 1000, is 0");
        let long = Policy { hold_life_ms_max: HOLD_LIFE_MS_MAX + 1, ..none };
        assert_eq!(
            long.errors().iter().map(|error| error.field).collect::<Vec<_>>(),
            ["hold_life_ms_max", "places_per_hold_max"]
        );
    }
}
