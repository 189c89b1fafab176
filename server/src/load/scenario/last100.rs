//! `last100`: a stampede of buyers for 100 seats, each of whom wants one. Exactly 100 of them win, all others are told no.
//! Then the next show's 100 seats are wanted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use super::{Asked, Buyers, Crowd, Outcome, Scenario, Seats, Sizes, Told, Wants};

pub(super) const SEATS: u32 = 100;
/// Stampedes of a run.
const SHOWS: u32 = 20;

pub(super) struct Last {
    shows: u32,
    seats: u32,
    buyers: u32,
    came: AtomicU32,
}

impl Last {
    pub(super) fn new(sizes: Sizes) -> Self {
        let buyers = sizes.buyers.max(sizes.seats);
        Self { shows: sizes.shows.unwrap_or(SHOWS), seats: sizes.seats, buyers, came: AtomicU32::new(0) }
    }
}

impl Scenario for Last {
    fn shows(&self) -> u32 {
        self.shows
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(Stampede { last: self, crowd: Crowd::new(caller, seed) })
    }

    fn check(&self, show: u32, outcome: &Outcome<'_>) -> Result<(), String> {
        let came = self.came.load(Ordering::Relaxed);
        if u64::from(came) < u64::from(show + 1) * u64::from(self.buyers) {
            return Ok(());
        }
        let counts = outcome.counts;
        let won = counts.held + counts.sold;
        if won == self.seats { Ok(()) } else { Err(format!("{won} won {} seats of show {show}", self.seats)) }
    }
}

struct Stampede {
    last: Arc<Last>,
    crowd: Crowd,
}

impl Buyers for Stampede {
    /// The seats are wanted in turn, so that each of them is.
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        let Last { shows, seats, buyers, came: all } = &*self.last;
        let number = all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |came| {
            (u64::from(came) < u64::from(*shows) * u64::from(*buyers)).then(|| came + 1)
        });
        let number = number.ok()?;
        let wanted = Seats { first: number % buyers % seats, count: 1 };
        Some(self.crowd.comes(came, number / buyers, Wants::Hold, wanted))
    }

    fn goes_on(&mut self, _: &Asked, _: &Told) -> Option<Asked> {
        None
    }
}
