//! `granted`: every seat of every show is held once and paid for, so that nothing is refused and everything is logged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use super::{Asked, Buyers, Crowd, Scenario, Seats, Sizes, Told, Wants, next};

const SHOWS: u32 = 1_000;

pub(super) struct Granted {
    shows: u32,
    seats: u32,
    /// Seats that one caller sells of a show before it goes on to the next.
    block: u32,
    /// Blocks that callers took.
    taken: AtomicU32,
}

impl Granted {
    pub(super) fn new(sizes: Sizes) -> Self {
        let block = (sizes.together / 2).clamp(1, 512).min(sizes.seats);
        Self { shows: sizes.shows.unwrap_or(SHOWS), seats: sizes.seats, block, taken: AtomicU32::new(0) }
    }

    /// A show and its seats that nobody else sells; none once all are taken.
    fn take(&self) -> Option<(u32, std::ops::Range<u32>)> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let first = (number / self.shows).checked_mul(self.block).filter(|first| *first < self.seats)?;
        Some((number % self.shows, first..self.seats.min(first + self.block)))
    }
}

impl Scenario for Granted {
    fn shows(&self) -> u32 {
        self.shows
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(Grants { granted: self, crowd: Crowd::new(caller, seed), show: 0, left: 0..0 })
    }
}

struct Grants {
    granted: Arc<Granted>,
    crowd: Crowd,
    show: u32,
    left: std::ops::Range<u32>,
}

impl Buyers for Grants {
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        if self.left.is_empty() {
            (self.show, self.left) = self.granted.take()?;
        }
        let seats = Seats { first: self.left.next()?, count: 1 };
        Some(self.crowd.comes(came, self.show, Wants::Hold, seats))
    }

    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        (*told == Told::Held).then(|| next(asked, Wants::Confirm))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    #[test]
    fn every_seat_is_taken_once() {
        let sizes =
            Sizes { shows: Some(3), seats: 10, party: 1, buyers: 1, lasts: Duration::from_secs(1), together: 8 };
        let granted = Arc::new(Granted::new(sizes));
        let mut callers = [0, 1].map(|caller| Arc::clone(&granted).buyers(caller, 7));
        let mut seats = BTreeSet::new();
        for caller in &mut callers {
            while let Some(asked) = caller.arrives(Instant::now()) {
                assert!(seats.insert((asked.show, asked.seats.first)));
            }
        }
        assert_eq!(seats.len(), 30);
    }
}
