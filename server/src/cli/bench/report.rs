//! The report of a bench: everything that was measured, as data and as text.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{conditions::Conditions, recovery::Recovered, set_up::SetUp};
use crate::load::{
    peer::Measured,
    report::{Run, millis, whole},
};

/// Steps of a percentile distribution to each halving of what is left.
const TICKS_PER_HALF: u32 = 5;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    usher: &'static str,
    pub(super) conditions: Conditions,
    pub(super) parts: Vec<Part>,
    pub(super) peers: Vec<Measured>,
    pub(super) recovery: Vec<Recovered>,
}

/// Usher in one set-up.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) set_up: SetUp,
    #[serde(rename = "commands_per_second")]
    pub(super) rates: Rates,
    pub(super) runs: Vec<Run>,
}

/// Of several runs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Rates {
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Part {
    pub(super) fn new(set_up: SetUp, runs: Vec<Run>) -> Self {
        let mut rates: Vec<f64> = runs.iter().map(|run| run.commands_per_second).collect();
        rates.sort_unstable_by(f64::total_cmp);
        let at = |position: usize| rates.get(position).copied().unwrap_or_default();
        let rates = Rates { median: at(rates.len() / 2), lowest: at(0), highest: at(rates.len().saturating_sub(1)) };
        Self { set_up, rates, runs }
    }

    /// The run in the middle.
    pub(super) fn median(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.commands_per_second.total_cmp(&self.rates.median).is_eq())
    }
}

impl Report {
    pub(super) fn new(conditions: Conditions) -> Self {
        let usher = env!("CARGO_PKG_VERSION");
        Self { usher, conditions, parts: Vec::new(), peers: Vec::new(), recovery: Vec::new() }
    }

    /// The best of the parts is what another system is compared with.
    pub(super) fn add_peer(&mut self, mut peer: Measured) {
        let best = self.parts.iter().map(|part| part.rates.median).fold(0.0, f64::max);
        peer.usher_is_faster_by = best / peer.median.max(1.0);
        self.peers.push(peer);
    }

    /// Of all runs of Usher.
    pub(super) fn latency_us(&self) -> Histogram<u64> {
        let runs = self.parts.iter().flat_map(|part| &part.runs);
        let mut all: Option<Histogram<u64>> = None;
        for run in runs {
            match &mut all {
                Some(all) => all.add(&run.histogram_us).expect("histograms of one shape"),
                None => all = Some(run.histogram_us.clone()),
            }
        }
        all.unwrap_or_else(|| Histogram::new(3).expect("valid digits"))
    }

    /// Rows for a table: system, set-up, commands a second, and of attempts p50 and p99; and how often it goes into Usher's
    /// best.
    pub(super) fn table(&self) -> Vec<[String; 5]> {
        let best = self.parts.iter().map(|part| part.rates.median).fold(0.0, f64::max);
        let mut rows = Vec::new();
        for part in &self.parts {
            let latency = part.median().map(|run| run.latency_us.attempts).unwrap_or_default();
            let latency = format!("{:.1} / {:.1}", millis(latency.p50), millis(latency.p99));
            let ratio = format!("{:.2}", best / part.rates.median.max(1.0));
            rows.push(["Usher".to_owned(), part.set_up.to_string(), whole(part.rates.median), latency, ratio]);
        }
        for peer in &self.peers {
            let latency = format!("{:.1} / {:.1}", millis(peer.latency_us.p50), millis(peer.latency_us.p99));
            let ratio = format!("{:.2}", peer.usher_is_faster_by);
            rows.push([peer.system.clone(), peer.set_up.clone(), whole(peer.median), latency, ratio]);
        }
        rows
    }
}

/// What stands above each column of the table.
pub(super) const COLUMNS: [&str; 5] =
    ["System", "Set-up", "commands/s", "hold p50 / p99, ms", "Usher's best is x times it"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.table();
        let header = COLUMNS.map(str::to_owned);
        let width = |column: usize| {
            let of = |row: &[String; 5]| row[column].chars().count();
            rows.iter().chain([&header]).map(of).max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        for row in [&header].into_iter().chain(&rows).filter(|_| !rows.is_empty()) {
            let [system, set_up, rate, latency, ratio] = row;
            let [a, b, c, d, e] = widths;
            writeln!(f, "{system:<a$}  {set_up:<b$}  {rate:>c$}  {latency:>d$}  {ratio:>e$}")?;
        }
        Ok(())
    }
}

/// As HdrHistogram's tools read it: value, percentile, count so far, and 1 / (1 - percentile).
pub(super) fn distribution(latency_us: &Histogram<u64>) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut so_far = 0;
    for step in latency_us.iter_quantiles(TICKS_PER_HALF) {
        so_far += step.count_since_last_iteration();
        let (value, quantile) = (millis(step.value_iterated_to()), step.quantile_iterated_to());
        // Writing into a string does not fail.
        let _ = write!(text, "{value:12.3} {quantile:14.12} {so_far:10}");
        let _ = if quantile < 1.0 { writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile)) } else { writeln!(text) };
    }
    let (mean, deviation) = (latency_us.mean() / 1e3, latency_us.stdev() / 1e3);
    let (max, total) = (millis(latency_us.max()), latency_us.len());
    let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {total:12}]");
    let (buckets, sub_buckets) = (latency_us.buckets(), 2_048);
    let _ = writeln!(text, "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_ends_with_everything() {
        let mut latency = Histogram::<u64>::new(3).unwrap();
        (1..=1_000).for_each(|micros| latency.record(micros).unwrap());
        let text = distribution(&latency);
        let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap();
        assert_eq!(last.split_whitespace().collect::<Vec<_>>(), ["1.000", "1.000000000000", "1000"]);
    }
}
