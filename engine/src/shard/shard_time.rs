//! The shard's time: the clock's, but that it never runs backwards and never leaps.
//!
//! A shard looks at the clock once a second at least. When much more has passed between two looks, somebody set the clock,
//! or the machine stood still; a shard cannot tell which. Either way buyers had no such time to pay in, so it is not taken
//! from them: the shard's time goes on from where it was, behind the clock, and catches up a little with each second. A
//! clock that is set right again meanwhile has changed nothing. When the clock goes back behind the shard's time, that
//! stands still until the clock has come to it.
//!
//! ```text
//! clock   10:00:00  10:00:01 | 11:00:02  11:00:10  11:00:18 ...
//! shard   10:00:00  10:00:01 | 10:00:01  10:00:10  10:00:19 ...  9 seconds for each 8 of the clock
//! ```
//! A hold loses an eighth of its time at most. Whoever starts the process again says that the clock is right: the time
//! between the last frame and the start counts.

use crate::time::Timestamp;

/// For so many milliseconds of the clock, the shard's time catches up one.
const CATCH_UP: u64 = 8;

/// What there is to say about the clock after a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockNews {
    /// Much more had passed than there should: the shard's time is so much behind now, in milliseconds.
    Leapt {
        /// Between the two looks.
        by_ms: u64,
        /// In all.
        behind_ms: u64,
    },
    /// The shard's time stands still until the clock comes to it, in so many milliseconds.
    WentBack {
        /// From the clock to the shard's time.
        by_ms: u64,
    },
    /// The shard's time is the clock's again.
    InStep,
}

/// The shard's time, and what is known of the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardTime {
    now: Timestamp,
    /// A step forwards that is longer is a leap, in milliseconds.
    leap_ms: u64,
    /// The last look at the clock, if there was one.
    seen: Option<Timestamp>,
    /// How far it was behind, and at which reading of the clock.
    behind: (u64, Timestamp),
    /// It was told of that it is not in step.
    is_told: bool,
}

impl ShardTime {
    /// Of a log that ends at `now`.
    pub(super) fn new(now: Timestamp, leap_ms: u64) -> Self {
        Self { now, leap_ms, seen: None, behind: (0, Timestamp(0)), is_told: false }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// A log was read whose last frame is of this time.
    pub(super) fn reach(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
    }

    /// What the time is at a reading of the clock that is no leap.
    pub(super) fn at(&self, clock: Timestamp) -> Timestamp {
        self.now.max(Timestamp(clock.0.saturating_sub(self.behind_at(clock))))
    }

    /// Looks at the clock, and moves the time on.
    pub(super) fn look(&mut self, clock: Timestamp) -> Option<ClockNews> {
        let seen = self.seen.replace(clock).unwrap_or(clock);
        // A clock that went back and comes again leaps no farther than beyond the shard's time.
        let (forwards, backwards) = (clock.ms_since(seen.max(self.now)), seen.ms_since(clock));
        let leapt = forwards > self.leap_ms;
        if leapt {
            self.behind = (self.behind_at(seen).saturating_add(forwards), clock);
        } else if backwards > 0 {
            // What is left of it would have been followed at once.
            let rest = self.behind_at(seen).saturating_sub(backwards);
            self.behind = (if rest > self.leap_ms { rest } else { 0 }, clock);
        }
        self.now = self.at(clock);
        let (behind_ms, ahead_ms) = (self.behind_at(clock), self.now.ms_since(clock));
        let is_off = behind_ms > 0 || ahead_ms > self.leap_ms;
        let news = match (leapt, is_off, self.is_told) {
            (true, ..) => Some(ClockNews::Leapt { by_ms: forwards, behind_ms }),
            (_, true, false) => Some(ClockNews::WentBack { by_ms: ahead_ms }),
            (_, false, true) if ahead_ms == 0 => Some(ClockNews::InStep),
            _ => None,
        };
        self.is_told = news.map_or(self.is_told, |news| news != ClockNews::InStep);
        news
    }

    fn behind_at(&self, clock: Timestamp) -> u64 {
        let (behind_ms, since) = self.behind;
        behind_ms.saturating_sub(clock.ms_since(since) / CATCH_UP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const LEAP: u64 = 10_000;

    /// The news of each look, and the time after the last one.
    fn looks(clock: &[u64]) -> (Vec<ClockNews>, u64) {
        let mut time = ShardTime::new(Timestamp(0), LEAP);
        let mut before = time.now();
        let mut news = Vec::new();
        for &at in clock {
            news.extend(time.look(Timestamp(at)));
            assert!(time.now() >= before, "it never runs backwards");
            before = time.now();
        }
        (news, time.now().0)
    }

    #[test]
    fn a_clock_that_runs_is_followed() {
        assert_eq!(looks(&[HOUR, HOUR + 1, HOUR + 1_000, HOUR + LEAP]), (vec![], HOUR + LEAP));
    }

    #[test]
    fn the_first_look_may_be_as_late_as_it_likes() {
        assert_eq!(looks(&[50 * HOUR]), (vec![], 50 * HOUR));
    }

    #[test]
    fn a_leap_takes_no_time_from_anybody_and_is_caught_up_with() {
        let leapt = ClockNews::Leapt { by_ms: HOUR, behind_ms: HOUR };
        assert_eq!(looks(&[HOUR, 2 * HOUR]), (vec![leapt], HOUR));
        assert_eq!(looks(&[HOUR, 2 * HOUR, 2 * HOUR + 8_000]), (vec![leapt], HOUR + 9_000));
        let mut all: Vec<u64> = vec![HOUR];
        all.extend((0..=8 * 3_600).map(|second| 2 * HOUR + second * 1_000));
        assert_eq!(looks(&all), (vec![leapt, ClockNews::InStep], 10 * HOUR));
    }

    #[test]
    fn many_small_steps_catch_up_as_one_large_one_does() {
        let mut all = vec![HOUR];
        all.extend((0..=8_000).map(|ms| 2 * HOUR + ms));
        assert_eq!(looks(&all).1, HOUR + 9_000);
    }

    #[test]
    fn a_leap_that_is_taken_back_has_changed_nothing() {
        let leapt = ClockNews::Leapt { by_ms: HOUR, behind_ms: HOUR };
        let (news, now) = looks(&[HOUR, 2 * HOUR, 2 * HOUR + 8_000, HOUR + 9_000, HOUR + 10_000]);
        assert_eq!((news, now), (vec![leapt, ClockNews::InStep], HOUR + 10_000));
    }

    #[test]
    fn leaps_add_up() {
        let leapt = |behind_ms| ClockNews::Leapt { by_ms: HOUR, behind_ms };
        assert_eq!(looks(&[HOUR, 2 * HOUR, 3 * HOUR]), (vec![leapt(HOUR), leapt(2 * HOUR)], HOUR));
    }

    #[test]
    fn a_clock_that_goes_back_stops_time_until_it_has_come_again() {
        let back = ClockNews::WentBack { by_ms: HOUR };
        assert_eq!(looks(&[2 * HOUR, HOUR]), (vec![back], 2 * HOUR));
        let mut all = vec![2 * HOUR];
        all.extend((0..=3_600).map(|second| HOUR + second * 1_000));
        assert_eq!(looks(&all), (vec![back, ClockNews::InStep], 2 * HOUR));
    }

    #[test]
    fn a_clock_that_went_back_and_is_set_right_is_followed_at_once() {
        let back = ClockNews::WentBack { by_ms: HOUR };
        assert_eq!(looks(&[2 * HOUR, HOUR, 2 * HOUR + 1_000]), (vec![back, ClockNews::InStep], 2 * HOUR + 1_000));
        let leapt = ClockNews::Leapt { by_ms: HOUR, behind_ms: HOUR };
        assert_eq!(looks(&[2 * HOUR, HOUR, 3 * HOUR]), (vec![back, leapt], 2 * HOUR));
    }

    #[test]
    fn a_clock_that_stands_stops_time() {
        assert_eq!(looks(&[HOUR, HOUR, HOUR]), (vec![], HOUR));
    }
}
