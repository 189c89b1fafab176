//! What callers of a load did, counted, and how long they waited.

use hdrhistogram::Histogram;
use usher_engine::ids::HoldId;

use super::asked::{Seats, Told, Wants};

/// Longest latency that is told apart, in microseconds: one minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// A sale that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    /// The show, by its number.
    pub show: u32,
    /// The hold.
    pub hold_id: HoldId,
    /// The seats, where the buyer chose them.
    pub seats: Seats,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Holds that were asked for and decided.
    pub attempts: u64,
    /// Of these, granted.
    pub granted: u64,
    /// Of these, refused because a seat was gone.
    pub refused: u64,
    /// Holds that were paid for.
    pub sold: u64,
    /// Holds that were given back.
    pub released: u64,
    /// Other commands that were decided.
    pub others: u64,
    /// Commands that came too late: the time of their hold was up.
    pub over: u64,
    /// Commands that were put off, and sent again.
    pub put_off: u64,
}

impl Counts {
    /// Decided commands of all kinds.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.attempts + self.sold + self.released + self.others + self.over
    }

    fn add(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.granted += other.granted;
        self.refused += other.refused;
        self.sold += other.sold;
        self.released += other.released;
        self.others += other.others;
        self.over += other.over;
        self.put_off += other.put_off;
    }

    fn note(&mut self, wants: Wants, told: &Told) {
        match (wants, told) {
            (_, Told::Later) => self.put_off += 1,
            (_, Told::Over) => self.over += 1,
            (wants, Told::Held) if wants.is_attempt() => {
                self.attempts += 1;
                self.granted += 1;
            }
            (wants, Told::Taken) if wants.is_attempt() => {
                self.attempts += 1;
                self.refused += 1;
            }
            (Wants::Confirm, _) => self.sold += 1,
            (Wants::Release, _) => self.released += 1,
            _ => self.others += 1,
        }
    }
}

/// Counts and latencies of some time.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The counts.
    pub counts: Counts,
    /// Microseconds from when a buyer meant to ask for places to his answer.
    pub attempts_us: Histogram<u64>,
    /// The same, of everything else.
    pub others_us: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let empty = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("valid bounds");
        Self { counts: Counts::default(), attempts_us: empty.clone(), others_us: empty }
    }
}

impl Tally {
    /// A command was answered.
    pub(super) fn note(&mut self, wants: Wants, told: &Told, micros: u64) {
        self.counts.note(wants, told);
        if *told != Told::Later {
            let latency = if wants.is_attempt() { &mut self.attempts_us } else { &mut self.others_us };
            latency.saturating_record(micros);
        }
    }

    /// Adds what happened at another time.
    pub(super) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.attempts_us.add(&other.attempts_us).expect("histograms of one shape");
        self.others_us.add(&other.others_us).expect("histograms of one shape");
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.counts = Counts::default();
        self.attempts_us.reset();
        self.others_us.reset();
    }

    /// All latencies together.
    #[must_use]
    pub fn latency_us(&self) -> Histogram<u64> {
        let mut all = self.attempts_us.clone();
        all.add(&self.others_us).expect("histograms of one shape");
        all
    }
}
