//! `best`: parties of 1 to 8 want to sit side by side and take the best seats there are, until the house has no room; all of
//! them pay. Nobody may be refused while there is a block that fits.
//!
//! Seats only go here, none come back: if there is room for so many side by side at the end, there was room all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use rand::RngExt as _;

use super::{Asked, Buyers, Crowd, Outcome, Scenario, Seats, Sizes, Told, Wants, next, shows_in_turn};

const PARTY_MAX: u8 = 8;
/// The seats that parties ask for together, for each that there is: more than enough.
const WANTED_PER_SEAT: f64 = 1.6;
const PARTY_MEAN: f64 = 4.5;

pub(super) struct Best {
    parties: AtomicU64,
    parties_each: u64,
    /// By show: the smallest party that was refused.
    refused: Vec<AtomicU8>,
}

impl Best {
    pub(super) fn new(sizes: Sizes) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of parties")]
        let parties_each = (f64::from(sizes.seats) * WANTED_PER_SEAT / PARTY_MEAN) as u64 + 1;
        let refused = (0..shows_in_turn(sizes, parties_each * 4)).map(|_| AtomicU8::new(u8::MAX)).collect();
        Self { parties: AtomicU64::new(0), parties_each, refused }
    }
}

impl Scenario for Best {
    fn shows(&self) -> u32 {
        u32::try_from(self.refused.len()).unwrap_or(1)
    }

    fn is_plain(&self) -> bool {
        false
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(Parties { best: self, crowd: Crowd::new(caller, seed) })
    }

    fn check(&self, show: u32, outcome: &Outcome<'_>) -> Result<(), String> {
        let smallest = self.refused[show as usize].load(Ordering::Relaxed);
        let widest = outcome.widest_free_run();
        if widest < u32::from(smallest) {
            return Ok(());
        }
        Err(format!("a party of {smallest} was refused in show {show}, where {widest} seats side by side are free"))
    }
}

struct Parties {
    best: Arc<Best>,
    crowd: Crowd,
}

impl Buyers for Parties {
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        let number = self.best.parties.fetch_add(1, Ordering::Relaxed) / self.best.parties_each;
        let show = u32::try_from(number).ok().filter(|show| *show < self.best.shows())?;
        let count = self.crowd.random.random_range(1..=PARTY_MAX);
        Some(self.crowd.comes(came, show, Wants::Best { count }, Seats::default()))
    }

    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        if let (Wants::Best { count }, Told::Taken) = (asked.wants, told) {
            self.best.refused[asked.show as usize].fetch_min(count, Ordering::Relaxed);
        }
        (*told == Told::Held).then(|| next(asked, Wants::Confirm))
    }
}
