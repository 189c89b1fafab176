//! How many refusals have a line in the trail: a flood of them neither fills the disk nor hides those of others.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    time::{Duration, Instant},
};

/// Between two lines of one budget, after so many at once.
const LINE_INTERVAL: Duration = Duration::from_secs(1);
const LINES_AT_ONCE: u32 = 60;
/// Budgets of those who are known. Who shares one is the process's own hash's choice, and no caller's.
const KNOWN: usize = 16;

/// The lines that there may be, for strangers apart from those who are known.
pub(super) struct Refusals {
    strangers: Budget,
    known: [Budget; KNOWN],
    hasher: RandomState,
    /// Refusals since the last one with a line.
    pub(super) untold: u64,
}

/// How many more lines there may be now.
#[derive(Clone, Copy)]
struct Budget {
    left: u32,
    counted: Instant,
}

impl Refusals {
    pub(super) fn new() -> Self {
        let full = Budget { left: LINES_AT_ONCE, counted: Instant::now() };
        Self { strangers: full, known: [full; KNOWN], hasher: RandomState::new(), untold: 0 }
    }

    /// Whether there may be a line now, for somebody who is known or for a stranger.
    pub(super) fn take_line(&mut self, known: Option<&str>) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
        let own = known.map(|name| self.hasher.hash_one(name) as usize % KNOWN);
        own.map_or(&mut self.strangers, |own| &mut self.known[own]).take()
    }
}

impl Budget {
    fn take(&mut self) -> bool {
        let seconds = self.counted.elapsed().as_secs() / LINE_INTERVAL.as_secs();
        if seconds > 0 {
            self.counted = Instant::now();
            self.left = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(self.left).min(LINES_AT_ONCE);
        }
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
