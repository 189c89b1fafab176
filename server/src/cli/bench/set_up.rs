//! Set-ups: a scenario with its sizes, and how it is loaded. Options may be lists; each combination is one.

use std::{fmt, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::Args;
use serde::Serialize;

use crate::{
    cli::client::WrongUsage,
    load::{Pace, report::thousands, report::whole, scenario::Name},
};

/// Buyers each of whom waits for his own answer, in the second part of what is run without a scenario.
const BUYERS_ALONE: u32 = 256;
const SECONDS: u64 = 5;
const CONNECTIONS: u32 = 2;

/// Sizes, and how the load is made.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// Seats of a show [default: of the scenario]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seats: Vec<u32>,
    /// Seating plan (pretix's or Usher's JSON) of the show's venue, in place of one made up
    #[arg(long, value_name = "FILE", conflicts_with = "seats")]
    plan: Option<PathBuf>,
    /// Shows; of `spike` and `best` those that are sold one after the other [default: of the scenario]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shows: Vec<u32>,
    /// Shards of the server
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1")]
    shards: Vec<NonZeroU32>,
    /// Buyers who wait for an answer at any time: the next one comes when one has his [default: of the scenario]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    buyers: Vec<u32>,
    /// Buyers who come in a second, however long answers take
    #[arg(long, value_name = "N", conflicts_with = "buyers", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    rate: Option<u32>,
    /// Commands that a frontend sends at once; 0 is a call for each, which the client puts together [default: of the
    /// scenario]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=4_096))]
    batch: Vec<u32>,
    /// TCP connections
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: Vec<u32>,
    /// Seats of a hold, side by side, all or none: of `spike` and `many`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    party: u8,
    /// How long buyers come
    #[arg(long, value_name = "N", default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Of the random choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// One set-up.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SetUp {
    pub(super) scenario: Name,
    /// Of the scenario, or of the plan.
    pub(super) seats: u32,
    pub(super) plan: Option<PathBuf>,
    pub(super) shows: Option<u32>,
    pub(super) shards: NonZeroU32,
    /// Of a closed loop.
    pub(super) buyers: Option<u32>,
    /// Of an open loop.
    pub(super) rate: Option<u32>,
    pub(super) batch: u32,
    pub(super) connections: u32,
    pub(super) party: u8,
    pub(super) seconds: u64,
    pub(super) seed: u64,
}

impl Options {
    pub(super) fn shards(&self) -> NonZeroU32 {
        self.shards.first().copied().unwrap_or(NonZeroU32::MIN)
    }

    pub(super) fn seconds(&self) -> u64 {
        self.seconds
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Seats of a show that others sell, if that is said.
    pub(super) fn seats_of_peers(&self) -> Option<u32> {
        self.seats.first().copied()
    }

    /// Each combination of what is a list.
    pub(super) fn set_ups(&self, scenario: Name) -> anyhow::Result<Vec<SetUp>> {
        let (buyers, batch) = scenario.load();
        let or = |list: &[u32], default: u32| if list.is_empty() { vec![default] } else { list.to_vec() };
        let shows: Vec<Option<u32>> =
            if self.shows.is_empty() { vec![None] } else { self.shows.iter().copied().map(Some).collect() };
        let connections = if batch == 0 { 1 } else { CONNECTIONS };
        let mut all = Vec::new();
        for seats in or(&self.seats, scenario.seats()) {
            for shows in &shows {
                for shards in &self.shards {
                    for buyers in or(&self.buyers, buyers) {
                        for batch in or(&self.batch, batch) {
                            for connections in or(&self.connections, connections) {
                                all.push(SetUp {
                                    scenario,
                                    seats,
                                    plan: self.plan.clone(),
                                    shows: *shows,
                                    shards: *shards,
                                    buyers: self.rate.is_none().then_some(buyers),
                                    rate: self.rate,
                                    batch,
                                    connections,
                                    party: self.party,
                                    seconds: self.seconds,
                                    seed: self.seed,
                                });
                            }
                        }
                    }
                }
            }
        }
        all.iter().try_for_each(SetUp::check)?;
        Ok(all)
    }

    /// The second part of what is run without a scenario.
    pub(super) fn each_by_himself(&self) -> anyhow::Result<SetUp> {
        let own = Self { buyers: vec![BUYERS_ALONE], batch: vec![0], connections: vec![1], rate: None, ..self.clone() };
        own.set_ups(Name::Spike)?.pop().ok_or_else(|| WrongUsage("nothing to run".to_owned()).into())
    }
}

impl SetUp {
    pub(super) fn pace(&self) -> Pace {
        match (self.rate, self.buyers) {
            (Some(rate), _) => Pace::Open(f64::from(rate)),
            (None, buyers) => Pace::Closed(buyers.unwrap_or(1)),
        }
    }

    pub(super) fn lasts(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn check(&self) -> anyhow::Result<()> {
        let is_plain = !matches!(self.scenario, Name::Best | Name::Mixed);
        let wrong = |text: String| Err(WrongUsage(text).into());
        if self.batch > 0 && !is_plain {
            return wrong(format!(
                "{} has commands that cannot go in batches: leave --batch at 0",
                self.scenario.as_str()
            ));
        }
        if u32::from(self.party) > self.seats {
            return wrong(format!("a party of {} has no room in {} seats", self.party, self.seats));
        }
        Ok(())
    }

    /// What differs between set-ups, and how much of it there is.
    pub(super) fn sizes(&self) -> [(&'static str, f64); 6] {
        let or = |count: Option<u32>| f64::from(count.unwrap_or(0));
        [
            ("seats", f64::from(self.seats)),
            ("shows", or(self.shows)),
            ("shards", f64::from(self.shards.get())),
            ("buyers", or(self.buyers)),
            ("batch", f64::from(self.batch)),
            ("connections", f64::from(self.connections)),
        ]
    }
}

impl fmt::Display for SetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.scenario.as_str())?;
        match &self.plan {
            Some(plan) => write!(f, "{}, ", plan.display())?,
            None => write!(f, "{} seats a show, ", thousands(self.seats.into()))?,
        }
        if let Some(shows) = self.shows {
            write!(f, "{} shows, ", thousands(shows.into()))?;
        }
        if self.shards.get() > 1 {
            write!(f, "{} shards, ", self.shards)?;
        }
        match self.pace() {
            Pace::Closed(buyers) => write!(f, "{} buyers at once (closed loop)", thousands(buyers.into()))?,
            Pace::Open(rate) => write!(f, "{} buyers come a second (open loop)", whole(rate))?,
        }
        if self.party > 1 {
            write!(f, ", parties of {}", self.party)?;
        }
        match self.batch {
            0 => write!(f, ", a call for each command")?,
            batch => write!(f, ", batches of {}", thousands(batch.into()))?,
        }
        let connections = self.connections;
        write!(f, ", {connections} connection{}, fsync on", if connections == 1 { "" } else { "s" })
    }
}
