//! Time as an argument: instants, lengths of holds, and the clock that a shard is given.
//!
//! Nothing here reads a clock. The one reading of the wall clock is in the server.

use std::fmt;

use bincode::{Decode, Encode};

/// Shortest time to live of a hold, in milliseconds.
pub const HOLD_TTL_MS_MIN: u64 = 5_000;
/// Longest time to live of a hold, in milliseconds: two hours.
pub const HOLD_TTL_MS_MAX: u64 = 7_200_000;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This instant and `ms` more. The bounds on time to live and the width of the clock make an overflow a broken clock.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.checked_add(ms).expect("a clock within the range of 64-bit milliseconds"))
    }

    /// Milliseconds from `earlier` to this instant; 0 if it is not earlier.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How long a hold may live without being extended: 5,000 to 7,200,000 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct HoldTtl(u32);

/// A time to live outside of what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 5000 to 7200000 ms, is {0}")]
pub struct HoldTtlError(pub u64);

impl HoldTtl {
    /// Checks a time to live in milliseconds.
    ///
    /// # Errors
    /// [`HoldTtlError`] when it is outside of 5 seconds to 2 hours.
    pub fn from_ms(ms: u64) -> Result<Self, HoldTtlError> {
        match u32::try_from(ms) {
            Ok(short) if (HOLD_TTL_MS_MIN..=HOLD_TTL_MS_MAX).contains(&ms) => Ok(Self(short)),
            _ => Err(HoldTtlError(ms)),
        }
    }

    /// Milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        u64::from(self.0)
    }
}

impl fmt::Display for HoldTtl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Where a shard gets its time from. It may jump; the shard never lets its own time run backwards.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_has_a_floor_and_a_ceiling() {
        assert!(HoldTtl::from_ms(5_000).is_ok());
        assert!(HoldTtl::from_ms(7_200_000).is_ok());
        for bad in [0, 1, 4_999, 7_200_001, 10_800_000, u64::MAX] {
            assert_eq!(HoldTtl::from_ms(bad), Err(HoldTtlError(bad)));
        }
    }
}
