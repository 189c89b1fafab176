//! What a run came to, for people and as data.

use std::{collections::BTreeMap, fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{
    Ran,
    check::Check,
    cpu::shares,
    meter::{Measured, Sample},
    tally::{Counts, Tally},
};

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: u64,
    /// All but one of a hundred.
    pub p99: u64,
    /// All but one of a thousand.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl Percentiles {
    /// Of these.
    #[must_use]
    pub fn of(latency_us: &Histogram<u64>) -> Self {
        let at = |quantile| latency_us.value_at_quantile(quantile);
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: latency_us.max() }
    }
}

/// How long buyers waited.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Latency {
    /// For any answer.
    pub all: Percentiles,
    /// For an answer to an attempt.
    pub attempts: Percentiles,
    /// For an answer to anything else: to who paid or gave back.
    pub others: Percentiles,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// How long it took.
    pub seconds: f64,
    /// Decided commands a second.
    pub commands_per_second: f64,
    /// All decided commands.
    pub commands: u64,
    /// Holds that were asked for.
    pub attempts: u64,
    /// Of these, granted.
    pub granted: u64,
    /// Of these, refused because a seat was gone.
    pub refused: u64,
    /// Holds that were paid for.
    pub sold: u64,
    /// Holds that were given back.
    pub released: u64,
    /// Other commands.
    pub others: u64,
    /// Commands whose hold's time was up.
    pub over: u64,
    /// Commands that were put off, and sent again.
    pub put_off: u64,
    /// In microseconds.
    pub latency_us: Latency,
    /// Percent of the CPU time, by the group of threads or the process.
    pub cpu_percent: BTreeMap<String, u64>,
    /// What was looked at afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Its pieces.
    pub timeline: Vec<Sample>,
    /// All latencies, for who keeps them.
    #[serde(skip)]
    pub histogram_us: Histogram<u64>,
}

impl Run {
    /// Of what ran, and what was found afterwards.
    #[must_use]
    pub fn new(ran: Ran, check: Option<Check>) -> Self {
        let Measured { tally, samples, elapsed } = ran.measured;
        let Tally { counts, attempts_us, others_us } = &tally;
        let Counts { attempts, granted, refused, sold, released, others, over, put_off } = *counts;
        let histogram_us = tally.latency_us();
        let [all, attempts_latency, others_latency] = [&histogram_us, attempts_us, others_us].map(Percentiles::of);
        Self {
            seconds: elapsed.as_secs_f64(),
            commands_per_second: per_second(counts.commands(), elapsed),
            commands: counts.commands(),
            attempts,
            granted,
            refused,
            sold,
            released,
            others,
            over,
            put_off,
            latency_us: Latency { all, attempts: attempts_latency, others: others_latency },
            cpu_percent: shares(&ran.cpu).into_iter().map(|(who, percent)| (who.to_owned(), percent)).collect(),
            check,
            timeline: samples,
            histogram_us,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = Duration::from_secs_f64(self.seconds);
        for (what, count) in [
            ("attempts", self.attempts),
            ("granted", self.granted),
            ("refused", self.refused),
            ("sold", self.sold),
            ("given back", self.released),
            ("others", self.others),
            ("too late", self.over),
            ("put off", self.put_off),
            ("commands", self.commands),
        ] {
            if count > 0 || what == "commands" {
                writeln!(f, "  {what:<10}{:>14}{:>14}/s", thousands(count), rate(count, took))?;
            }
        }
        let latency = &self.latency_us;
        for (what, of) in [("latency", latency.all), ("  attempts", latency.attempts), ("  others", latency.others)] {
            if of.max > 0 {
                let [p50, p99, p999, max] = [of.p50, of.p99, of.p999, of.max].map(millis);
                writeln!(f, "  {what:<10} p50 {p50:.2} ms   p99 {p99:.2} ms   p99.9 {p999:.2} ms   max {max:.2} ms")?;
            }
        }
        let shares: Vec<String> = self.cpu_percent.iter().map(|(who, percent)| format!("{who} {percent} %")).collect();
        write!(f, "  CPU        {}", shares.join(", "))?;
        if let Some(check) = &self.check {
            let (sold, missing) = (thousands(check.places_sold), check.sales_missing);
            let twice = check.seats_sold_twice;
            write!(
                f,
                "\n  the log    {sold} places sold, {twice} of them twice; {missing} acknowledged sales missing"
            )?;
        }
        Ok(())
    }
}

/// Microseconds as milliseconds.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a latency to print")]
pub fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a rate to print")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

/// So many in that time, a second.
#[must_use]
pub fn rate(count: u64, took: Duration) -> String {
    whole(per_second(count, took))
}

/// A rate as a whole number.
#[must_use]
pub fn whole(per_second: f64) -> String {
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
