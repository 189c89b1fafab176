//! What callers of a load did, counted.

use hdrhistogram::Histogram;
use usher_engine::ids::HoldId;

/// Longest latency that is told apart, in microseconds: one minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// Counts of one caller, or of all of them.
#[derive(Debug)]
pub struct Tally {
    /// HoldSeats that were decided.
    pub attempts: u64,
    /// Of these, granted.
    pub granted: u64,
    /// Of these, refused because a seat was gone.
    pub refused: u64,
    /// Holds that were given back.
    pub released: u64,
    /// Batches that the server did not take at first.
    pub shed: u64,
    /// Acknowledged sales.
    pub sold: Vec<HoldId>,
    /// Microseconds from sending a command to its answer.
    pub latency_us: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            attempts: 0,
            granted: 0,
            refused: 0,
            released: 0,
            shed: 0,
            sold: Vec::new(),
            latency_us: Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("valid bounds"),
        }
    }
}

impl Tally {
    /// Adds what another caller did.
    pub fn add(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.granted += other.granted;
        self.refused += other.refused;
        self.released += other.released;
        self.shed += other.shed;
        self.sold.extend(other.sold);
        self.latency_us.add(&other.latency_us).expect("histograms of one shape");
    }

    /// Decided commands of all kinds.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.attempts + self.sold.len() as u64 + self.released
    }
}
