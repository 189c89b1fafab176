//! Systems that Usher is compared with: the same buyers, in the forms in which others would sell seats there.
//!
//! Each runs as Debian has it, on a port and in a directory of its own, and ends with the measurement. It has its best form
//! and its ordinary ones. Afterwards it is looked at whether it sold anything twice, as Usher's log is.

use std::{fmt, path::Path};

use serde::Serialize;

use super::{
    Load,
    report::{Latency, Percentiles, Run, millis, whole},
};

mod postgres;
mod process;
mod redis;

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerName {
    /// Redis.
    Redis,
    /// PostgreSQL.
    Postgres,
}

/// A way in which a system sells seats.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What it is called.
    pub text: &'static str,
    /// Whether an answer survives a power cut.
    pub durable: bool,
    /// Who wait for their answers at any time.
    pub buyers: u32,
    /// Connections.
    pub connections: u32,
    /// Commands that go over one of these together.
    pub together: u32,
    /// Seats of a show.
    pub seats: u32,
    /// More than it is ever asked for.
    pub attempts_per_second_max: u64,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Redis(redis::Way),
    Postgres(postgres::Way),
}

/// All forms of a system, its best one first.
#[must_use]
pub fn forms(name: PeerName) -> Vec<Form> {
    match name {
        PeerName::Redis => redis::forms(),
        PeerName::Postgres => postgres::forms(),
    }
}

impl Form {
    /// Starts the system in this directory, loads it with shows of so many seats, and looks at what it sold.
    ///
    /// # Errors
    /// When it is not installed or does not work, or sold a seat twice.
    pub async fn run(&self, load: &Load, seats: u32, dir: &Path) -> anyhow::Result<Run> {
        match self.how {
            How::Redis(way) => redis::run(way, load, dir).await,
            How::Postgres(way) => postgres::run(way, load, seats, dir).await,
        }
    }

    fn system(&self) -> &'static str {
        match self.how {
            How::Redis(_) => "Redis",
            How::Postgres(_) => "PostgreSQL",
        }
    }
}

/// What was measured of a form.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The system.
    pub system: String,
    /// The form.
    pub set_up: String,
    /// Whether an answer survives a power cut.
    pub durable: bool,
    /// Commands a second of the run in the middle.
    pub median: f64,
    /// Of the slowest.
    pub lowest: f64,
    /// Of the fastest.
    pub highest: f64,
    /// How often its commands a second go into Usher's best.
    pub usher_is_faster_by: f64,
    /// Of attempts, in the run in the middle.
    pub latency_us: Percentiles,
    /// All of it.
    pub runs: Vec<Run>,
}

impl Measured {
    /// Of these runs.
    #[must_use]
    pub fn new(form: Form, mut runs: Vec<Run>) -> Self {
        runs.sort_by(|one, other| one.commands_per_second.total_cmp(&other.commands_per_second));
        let rate = |run: Option<&Run>| run.map_or(0.0, |run| run.commands_per_second);
        let median = runs.get(runs.len() / 2);
        let Latency { attempts, .. } = median.map(|run| run.latency_us).unwrap_or_default();
        let durable = if form.durable { "" } else { ", not durable" };
        Self {
            system: form.system().to_owned(),
            set_up: format!("{}, {} buyers, {} connections{durable}", form.text, form.buyers, form.connections),
            durable: form.durable,
            median: rate(median),
            lowest: rate(runs.first()),
            highest: rate(runs.last()),
            usher_is_faster_by: 0.0,
            latency_us: attempts,
            runs,
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, set_up, median, lowest, highest, latency_us, .. } = self;
        let [median, lowest, highest] = [median, lowest, highest].map(|rate| whole(*rate));
        let (p50, p99) = (millis(latency_us.p50), millis(latency_us.p99));
        write!(
            f,
            "{system}, {set_up}: {median} commands/s (from {lowest} to {highest}), hold p50 {p50:.1} ms p99 {p99:.1} ms"
        )
    }
}
