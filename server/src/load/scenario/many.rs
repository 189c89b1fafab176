//! `many`: random seats of many shows, of which a few are wanted most, as 1, 1/2, 1/3, ... (Zipf).

use std::{sync::Arc, time::Instant};

use rand::RngExt as _;

use super::{Asked, Buyers, Crowd, Scenario, Sizes, Told, Wants};

const SHOWS: u32 = 1_000;

pub(super) struct Many {
    seats: u32,
    party: u8,
    /// By show: the share of those who want it or one before it, of 1.
    shares: Vec<f64>,
}

impl Many {
    pub(super) fn new(sizes: Sizes) -> Self {
        let shows = sizes.shows.unwrap_or(SHOWS).max(1);
        let weights = (1..=shows).map(|rank| 1.0 / f64::from(rank));
        let sums: Vec<f64> = weights
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        let all = sums.last().copied().unwrap_or(1.0);
        Self { seats: sizes.seats, party: sizes.party, shares: sums.into_iter().map(|sum| sum / all).collect() }
    }

    /// The show at this share.
    fn at(&self, share: f64) -> u32 {
        let position = self.shares.partition_point(|until| *until <= share).min(self.shares.len() - 1);
        u32::try_from(position).unwrap_or_default()
    }
}

impl Scenario for Many {
    fn shows(&self) -> u32 {
        u32::try_from(self.shares.len()).unwrap_or(1)
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(Anywhere { many: self, crowd: Crowd::new(caller, seed) })
    }
}

struct Anywhere {
    many: Arc<Many>,
    crowd: Crowd,
}

impl Buyers for Anywhere {
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        let show = self.many.at(self.crowd.random.random());
        let seats = self.crowd.seats(self.many.seats, self.many.party);
        Some(self.crowd.comes(came, show, Wants::Hold, seats))
    }

    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        if asked.wants.is_attempt() { self.crowd.pays_or_not(asked, told) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_show_is_wanted_most() {
        let sizes =
            Sizes { shows: Some(4), seats: 10, party: 1, buyers: 1, lasts: Duration::from_secs(1), together: 8 };
        let many = Many::new(sizes);
        // 1 + 1/2 + 1/3 + 1/4 is 25/12.
        assert_eq!(
            [0.0, 0.47, 0.49, 0.71, 0.73, 0.87, 0.89, 0.999_999].map(|at| many.at(at)),
            [0, 0, 1, 1, 2, 2, 3, 3]
        );
    }
}
