//! `mixed`: a sale as it is: most winners pay or give back, some ask for more time, change their seat, or go away and let
//! their hold expire; some of those who come too late wait. Others look at the house all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use rand::RngExt as _;
use usher_client::v1;

use super::{Asked, Buyers, Crowd, Scenario, Seats, Sizes, Told, Wants, next, shows_in_turn};

const ATTEMPTS_PER_SEAT: u64 = 10;
/// The shortest there is, so that many expire while it runs.
const HOLD_TTL_MS: u64 = 5_000;
const WATCHERS: u32 = 4;

pub(super) struct Mixed {
    shows: u32,
    seats: u32,
    attempts: AtomicU64,
}

impl Mixed {
    pub(super) fn new(sizes: Sizes) -> Self {
        // Single calls: a fifth of what batches could ask for.
        let shows = shows_in_turn(sizes, u64::from(sizes.seats) * ATTEMPTS_PER_SEAT * 5);
        Self { shows, seats: sizes.seats, attempts: AtomicU64::new(0) }
    }

    fn on_sale(&self) -> u32 {
        let attempts = self.attempts.fetch_add(1, Ordering::Relaxed);
        let show = attempts / (u64::from(self.seats) * ATTEMPTS_PER_SEAT) % u64::from(self.shows);
        u32::try_from(show).unwrap_or_default()
    }
}

impl Scenario for Mixed {
    fn shows(&self) -> u32 {
        self.shows
    }

    fn policy(&self) -> v1::Policy {
        let ttl = Some(HOLD_TTL_MS);
        v1::Policy { hold_ttl_ms_default: ttl, offer_ttl_ms: ttl, ..v1::Policy::default() }
    }

    fn may_end(&self) -> bool {
        true
    }

    fn is_plain(&self) -> bool {
        false
    }

    fn watchers(&self) -> u32 {
        WATCHERS
    }

    fn buyers(self: Arc<Self>, caller: u32, seed: u64) -> Box<dyn Buyers> {
        Box::new(All { mixed: self, crowd: Crowd::new(caller, seed) })
    }
}

struct All {
    mixed: Arc<Mixed>,
    crowd: Crowd,
}

impl All {
    /// Of a hundred who hold a place.
    fn with_a_hold(&mut self, asked: &Asked) -> Option<Asked> {
        match self.crowd.random.random_range(0..100) {
            0..74 => Some(next(asked, Wants::Confirm)),
            74..82 => Some(next(asked, Wants::Release)),
            82..90 => Some(next(asked, Wants::Extend)),
            90..95 => {
                let seats = self.crowd.seats(self.mixed.seats, 1);
                let replacing = next(asked, Wants::Replace { former: asked.hold_id });
                Some(Asked { hold_id: self.crowd.id(), seats, ..replacing })
            }
            _ => None,
        }
    }
}

impl Buyers for All {
    fn arrives(&mut self, came: Instant) -> Option<Asked> {
        let show = self.mixed.on_sale();
        let seats = self.crowd.seats(self.mixed.seats, 1);
        Some(self.crowd.comes(came, show, Wants::Hold, seats))
    }

    fn goes_on(&mut self, asked: &Asked, told: &Told) -> Option<Asked> {
        match (asked.wants, told) {
            (Wants::Hold | Wants::Best { .. }, Told::Held) => self.with_a_hold(asked),
            (Wants::Hold, Told::Taken) if self.crowd.is_one_of_ten(1) => {
                Some(Asked { hold_id: self.crowd.id(), seats: Seats::default(), ..next(asked, Wants::Join) })
            }
            (Wants::Replace { former }, Told::Taken) => {
                Some(Asked { hold_id: former, seats: Seats::default(), ..next(asked, Wants::Confirm) })
            }
            (Wants::Replace { .. } | Wants::Join | Wants::Look, Told::Held) | (Wants::Extend, Told::Extended) => {
                Some(next(asked, Wants::Confirm))
            }
            (Wants::Join | Wants::Look, Told::Waiting) => {
                let wants = if self.crowd.is_one_of_ten(7) { Wants::Leave } else { Wants::Look };
                Some(next(asked, wants))
            }
            _ => None,
        }
    }
}
