//! `spike`: ever new buyers at random seats, until each seat was tried ten times over; then the next show's sale opens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use usher_client::v1;

use super::{Asked, Buyers, Crowd, Scenario, Sizes, Told, Wants, shows_in_turn};

const ATTEMPTS_PER_SEAT: u64 = 10;

pub(super) struct Spike {
    shows: u32,
    seats: u32,
    party: u8,
    /// Of all shows.
    attempts: AtomicU64,
    attempts_each: u64,
}

impl Spike {
    pub(super) fn new(sizes: Sizes) -> Self {
        let attempts_each = u64::from(sizes.seats) * ATTEMPTS_PER_SEAT / u64::from(sizes.party.max(1));
        let shows = shows_in_turn(sizes, attempts_each);
        Self { shows, seats: sizes.seats, party: sizes.party, attempts: AtomicU64::new(0), attempts_each }
    }

    /// The one that is on sale; the last one for good.
    fn on_sale(&self) -> u32 {
        let attempts = self.attempts.fetch_add(1, Ordering::Relaxed);
        u32::try_from(attempts / self.attempts_each).map_or(self.shows, |show| show.min(self.shows - 1))
    }
}

impl Scenario for Spike {
    fn shows(&self) -> u32 {
        self.shows
    }

    fn policy(&self) -> v1::Policy {
        v1::Policy { places_per_hold_max: Some(u32::from(self.party).max(1)), ..v1::Policy::default() }
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(Attempts { spike: self, crowd: Crowd::new(caller, seed) })
    }
}

struct Attempts {
    spike: Arc<Spike>,
    crowd: Crowd,
}

impl Buyers for Attempts {
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        let show = self.spike.on_sale();
        let seats = self.crowd.seats(self.spike.seats, self.spike.party);
        Some(self.crowd.comes(came, show, Wants::Hold, seats))
    }

    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        if asked.wants.is_attempt() { self.crowd.pays_or_not(asked, told) } else { None }
    }
}
