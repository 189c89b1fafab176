//! What a load did, while it runs and at its end.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{LoadOptions, Tally};

/// Running counts, for a line on the terminal.
#[derive(Debug, Default)]
pub struct Progress {
    attempts: AtomicU64,
    granted: AtomicU64,
    sold: AtomicU64,
}

impl Progress {
    pub(super) fn add(&self, attempts: u64, granted: u64, sold: u64) {
        self.attempts.fetch_add(attempts, Ordering::Relaxed);
        self.granted.fetch_add(granted, Ordering::Relaxed);
        self.sold.fetch_add(sold, Ordering::Relaxed);
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [attempts, granted, sold] =
            [&self.attempts, &self.granted, &self.sold].map(|count| count.load(Ordering::Relaxed));
        let [attempts, granted, refused, sold] =
            [attempts, granted, attempts - granted.min(attempts), sold].map(thousands);
        write!(f, "{attempts} attempts  {granted} granted  {refused} refused  {sold} sold")
    }
}

/// What a load did.
#[derive(Debug)]
pub struct Report {
    /// The shape of the load.
    pub options: LoadOptions,
    /// How long it took.
    pub elapsed: Duration,
    /// What all callers did.
    pub tally: Tally,
}

impl Report {
    /// Decided commands a second.
    #[must_use]
    pub fn commands_per_second(&self) -> f64 {
        self.per_second(self.tally.commands())
    }

    fn per_second(&self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate to print")]
        let count = count as f64;
        count / self.elapsed.as_secs_f64()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in [
            ("attempts", self.tally.attempts),
            ("grants", self.tally.granted),
            ("refusals", self.tally.refused),
            ("sales", self.tally.sold.len() as u64),
            ("commands", self.tally.commands()),
        ] {
            writeln!(f, "  {what:<10}{:>14}{:>14}/s", thousands(count), rate(self.per_second(count)))?;
        }
        let ms = |quantile: f64| {
            #[expect(clippy::cast_precision_loss, reason = "a latency to print")]
            let micros = self.tally.latency_us.value_at_quantile(quantile) as f64;
            micros / 1_000.0
        };
        writeln!(
            f,
            "  latency    p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   max {:.2} ms",
            ms(0.5),
            ms(0.99),
            ms(0.999),
            ms(1.0)
        )?;
        write!(
            f,
            "  load       {} callers, batches of {}, {} connections, closed loop; {} batches put off by overload",
            self.options.workers, self.options.batch, self.options.connections, self.tally.shed
        )
    }
}

fn rate(per_second: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate to print")]
    let whole = per_second.round() as u64;
    thousands(whole)
}

/// With a comma between thousands.
#[must_use]
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(thousands), ["0", "999", "1,000", "12,345,678"]);
    }
}
