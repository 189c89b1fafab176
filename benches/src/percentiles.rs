//! Percentiles of single durations, which criterion's means hide.

use std::{fmt::Display, time::Duration};

use hdrhistogram::Histogram;

/// Every duration so far.
#[derive(Debug)]
pub struct Percentiles(Histogram<u64>);

impl Default for Percentiles {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("three digits are allowed"))
    }
}

impl Percentiles {
    /// Notes one.
    pub fn note(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Notes all of another.
    ///
    /// # Panics
    /// Never: all have the same bounds.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the same bounds");
    }

    /// The one that so many are not above; 0 if there is none.
    #[must_use]
    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }

    /// Prints what is above the median. The slowest one may be the machine's doing, not the code's.
    pub fn print(&self, name: impl Display) {
        if self.0.is_empty() {
            return;
        }
        let at = |quantile| self.0.value_at_quantile(quantile);
        println!(
            "{name}: {} times, ns p50 {} p99 {} p99.9 {} p99.99 {} max {}\n",
            self.0.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(0.9999),
            self.0.max()
        );
    }
}
