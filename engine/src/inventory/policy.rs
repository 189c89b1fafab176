//! The limits of one show, each with a default and a hard range.
//!
//! It only says what the limits are; the commands' files keep them.

use bincode::{Decode, Encode};

use super::places::PLACES_PER_HOLD_MAX;
use crate::time::{HOLD_TTL_MS_MIN, HoldTtl};

/// Longest life that a policy may allow a hold, in milliseconds: one day.
pub const HOLD_LIFE_MS_MAX: u64 = 86_400_000;
/// Most live holds of one show, and of places of one buyer.
pub const HOLDS_PER_SHOW_MAX: u32 = 1_000_000;
/// Most live holds that a policy may allow one buyer.
pub const LIVE_HOLDS_PER_BUYER_MAX: u32 = 100_000;

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
        }
    }
}

impl Policy {
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
