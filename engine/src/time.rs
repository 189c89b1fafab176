//! Time as an argument: instants, lengths of holds, and the clock that a shard is given.
//!
//! Nothing here reads a clock. The one reading of the wall clock is in the server.

use std::{fmt, time::Duration};

use bincode::{Decode, Encode};

/// Shortest time to live of a hold, in milliseconds.
pub const HOLD_TTL_MS_MIN: u64 = 5_000;
/// Longest time to live of a hold, in milliseconds: two hours.
pub const HOLD_TTL_MS_MAX: u64 = 7_200_000;

const DAY_MS: u64 = 86_400_000;

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

/// RFC 3339 in UTC, to the second, for people. Source: Howard Hinnant, `civil_from_days`,
/// <https://howardhinnant.github.io/date_algorithms.html>.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / DAY_MS + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Years begin in March, so that the leap day is the last one.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let seconds = self.0 % DAY_MS / 1_000;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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

    /// Time that only runs forwards, from any beginning: for how long something waits or takes. Nothing is decided by it.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_as_a_date() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_868_799_999, "2000-02-29T23:59:59Z"),
            (1_000_000_000_000, "2001-09-09T01:46:40Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
        }
    }

    #[test]
    fn ttl_has_a_floor_and_a_ceiling() {
        assert!(HoldTtl::from_ms(5_000).is_ok());
        assert!(HoldTtl::from_ms(7_200_000).is_ok());
        for bad in [0, 1, 4_999, 7_200_001, 10_800_000, u64::MAX] {
            assert_eq!(HoldTtl::from_ms(bad), Err(HoldTtlError(bad)));
        }
    }
}
