//! `usher bench`: what is measured, and in which set-ups. The server runs in this process on the same processors, with fsync on.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use super::client::WrongUsage;
use crate::load::{peer::PeerName, report::whole, scenario};

mod chart;
mod conditions;
mod html;
mod recovery;
mod report;
mod run;
mod scratch;
mod set_up;

use conditions::Conditions;
use report::{Part, Report};
use scratch::Scratch;
use set_up::{Options, SetUp};

/// Without a scenario: `spike` in its best set-up, and once more with 256 buyers each of whom waits for his own answer.
///
/// Every answer that is counted was fsynced before it left. After each run the log is checked: no seat twice, every place in
/// one status, every acknowledged sale there.
#[derive(Debug, Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Bench {
    /// What happens
    #[arg(value_enum)]
    scenario: Option<Scenario>,
    #[command(flatten)]
    options: Options,
    /// Runs of each set-up; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Systems to compare with, in the same run: started on this machine, on a port and in a directory of their own
    #[arg(long, value_enum, value_delimiter = ',')]
    peer: Vec<Peer>,
    /// Of `recovery`: events in the log
    #[arg(long, value_delimiter = ',', default_value = "1000000", value_parser = clap::value_parser!(u64).range(1..))]
    events: Vec<u64>,
    /// An absent or empty directory for what is written; removed afterwards [default: one beside the temporary files]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// Writes a report with curves: one page that needs nothing else
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Writes the latencies of all runs as an HDR percentile distribution, in milliseconds
    #[arg(long, value_name = "FILE")]
    hdr: Option<PathBuf>,
}

const NOTES: &str = "\
Any of --seats, --shows, --shards, --buyers, --batch and --connections may be a list: each
combination is run, and the report draws how throughput grows.

JSON (--output json) is one object:
  usher, conditions   version; commit, build, processor, cores, load, disk probe in microseconds
  parts[]             scenario, set_up, median/lowest/highest commands_per_second, runs[]
  parts[].runs[]      seconds, commands_per_second, commands, attempts, granted, refused, sold,
                      released, others, over, put_off, latency_us {all, attempts, others of p50,
                      p99, p999, max}, cpu_percent by group of threads, check of the log,
                      timeline[] of at_ms, took_ms, commands, granted, refused, sold, p50_us, p99_us
  peers[]             system, set_up, durable, runs[] as above, median, lowest, highest, and
                      usher_is_faster_by: how often what it does in a second goes into what Usher
                      does
  recovery[]          events, snapshots, seconds, events_per_second, log_bytes, shows

Latency counts from when a buyer meant to ask. With --rate it shows what he would see (open loop);
without, the load waits for the server, and it is the latency at saturation (closed loop).

Exit codes: 0 done; 1 it failed, or something was lost, doubled or out of order; 2 wrong usage.";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Load(scenario::Name),
    Recovery,
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Self] {
        use scenario::Name::{Best, Granted, Last100, Many, Mixed, Spike};
        const ALL: [Scenario; 7] = [
            Scenario::Load(Spike),
            Scenario::Load(Granted),
            Scenario::Load(Best),
            Scenario::Load(Last100),
            Scenario::Load(Many),
            Scenario::Load(Mixed),
            Scenario::Recovery,
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::Load(name) => name.to_possible_value(),
            Self::Recovery => {
                let help = "How long a restart takes, with and without snapshots";
                Some(clap::builder::PossibleValue::new("recovery").help(help))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Systems to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// Redis, with Lua scripts and with SET NX
    Redis,
    /// PostgreSQL, with UPDATE, FOR UPDATE and SKIP LOCKED
    Postgres,
    /// All of them
    All,
}

impl Peer {
    fn names(self) -> &'static [PeerName] {
        match self {
            Self::Redis => &[PeerName::Redis],
            Self::Postgres => &[PeerName::Postgres],
            Self::All => &[PeerName::Redis, PeerName::Postgres],
        }
    }
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let set_ups = self.set_ups()?;
        crate::telemetry::start(crate::config::LogFormat::Human, "error")?;
        let scratch = Scratch::new(self.data_dir.as_deref())?;
        let conditions = Conditions::now(scratch.path()).context("probing the disk")?;
        let says = self.output == Output::Text;
        if says {
            println!("{conditions}\n");
        }
        let mut report = Report::new(conditions);
        for set_up in &set_ups {
            report.parts.push(self.part(set_up, scratch.path(), says)?);
        }
        if self.scenario == Some(Scenario::Recovery) {
            recovery::run(&self.events, self.options.shards(), scratch.path(), |row| {
                if says {
                    println!("{row}");
                }
                report.recovery.push(row);
            })?;
        }
        self.measure_peers(&mut report, scratch.path(), says)?;
        self.tell(&report)
    }

    /// What is run of Usher, in this order.
    fn set_ups(&self) -> anyhow::Result<Vec<SetUp>> {
        let wrong = |text: &str| Err(anyhow::Error::new(WrongUsage(text.to_owned())));
        match self.scenario {
            Some(Scenario::Load(name)) => self.options.set_ups(name),
            Some(Scenario::Recovery) if !self.peer.is_empty() => wrong("no system is compared in `recovery`"),
            Some(Scenario::Recovery) => Ok(Vec::new()),
            None => {
                let mut all = self.options.set_ups(scenario::Name::Spike)?;
                all.push(self.options.each_by_himself()?);
                Ok(all)
            }
        }
    }

    fn part(&self, set_up: &SetUp, dir: &Path, says: bool) -> anyhow::Result<Part> {
        if says {
            println!("{set_up}");
        }
        let mut runs = Vec::new();
        for number in 0..self.runs {
            let run = run::once(set_up, number, dir)?;
            if says {
                println!("run {} of {}\n{run}\n", number + 1, self.runs);
            }
            let check = run.check.clone().unwrap_or_default();
            runs.push(run);
            check.must_be_clean()?;
        }
        let part = Part::new(set_up.clone(), runs);
        if says && self.runs > 1 {
            let [median, lowest, highest] = [part.rates.median, part.rates.lowest, part.rates.highest].map(whole);
            println!("median of {} runs: {median} commands/s (from {lowest} to {highest})\n", self.runs);
        }
        Ok(part)
    }

    fn measure_peers(&self, report: &mut Report, dir: &Path, says: bool) -> anyhow::Result<()> {
        let mut names: Vec<PeerName> = self.peer.iter().flat_map(|peer| peer.names()).copied().collect();
        names.dedup();
        let lasts = Duration::from_secs(self.options.seconds());
        for name in names {
            run::peer(name, (self.runs, lasts), &self.options, dir, |row| {
                if says {
                    println!("{row}");
                }
                report.add_peer(row);
            })?;
        }
        Ok(())
    }

    fn tell(&self, report: &Report) -> anyhow::Result<()> {
        match self.output {
            Output::Json => println!("{}", serde_json::to_string_pretty(report)?),
            Output::Text => println!("{report}"),
        }
        if let Some(path) = &self.report {
            std::fs::write(path, html::page(report)).with_context(|| format!("writing {}", path.display()))?;
        }
        if let Some(path) = &self.hdr {
            let latency = report.latency_us();
            ensure!(!latency.is_empty(), "there are no latencies to write");
            std::fs::write(path, report::distribution(&latency))
                .with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}
