//! `usher bench`: throughput and latency of a flash sale, with what a figure needs beside it.

use std::{num::NonZeroU32, path::PathBuf, process::Command, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use usher_engine::inventory::manifest::Manifest;
use usher_proto::v1;

use super::{
    client::inventory,
    demo_server::{self, OwnServer},
};
use crate::{
    config::{Config, ConfigFlags},
    convert::manifest::manifest_to_wire,
    load::{self, LoadOptions, Progress, Report, check::check_log, cpu::CpuTimes, probe::probe_disk},
    plan::generate,
};

/// The scenario is `spike`: one show, ever new buyers, random seats, until sold out and beyond; nine of ten holds are
/// confirmed, one is released. The server runs in this process on the same processors, with fsync on, and its log is
/// checked afterwards.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// Seats of the show, 1000 to 1000000
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    seats: u32,
    /// Length of a run in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Runs; the median of their throughput is told at the end
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Callers at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    callers: u16,
    /// Commands of one call
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    batch: u16,
    /// TCP connections
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Shards
    #[arg(long, default_value = "1")]
    shards: NonZeroU32,
    /// An absent or empty directory for the log; removed afterwards [default: one beside the temporary files]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let dir = self
            .data_dir
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join(format!("usher-bench-{}", std::process::id())));
        crate::telemetry::start(crate::config::LogFormat::Human, "warn")?;
        let flags = ConfigFlags {
            listen: Some(([127, 0, 0, 1], 0).into()),
            data_dir: Some(dir.clone()),
            shards: Some(self.shards),
            ..ConfigFlags::default()
        };
        let server = demo_server::start(Config::load(&flags)?, |_, _| {})?;
        print_conditions(&dir)?;
        let measured = self.measure(&server, &dir);
        server.stop()?;
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
        let mut rates = measured?;
        rates.sort_unstable_by(f64::total_cmp);
        println!(
            "median of {} runs: {:.0} commands/s (from {:.0} to {:.0})",
            rates.len(),
            rates[rates.len() / 2],
            rates[0],
            rates[rates.len() - 1]
        );
        Ok(())
    }

    fn measure(&self, server: &OwnServer, dir: &std::path::Path) -> anyhow::Result<Vec<f64>> {
        let runtime = load::runtime()?;
        let mut rates = Vec::new();
        for run in 0..self.runs {
            let before = CpuTimes::now();
            let report = runtime.block_on(self.one_run(&format!("http://{}", server.address), run, dir))?;
            let shares = CpuTimes::now().shares_since(&before);
            let shares: Vec<String> = shares.iter().map(|(who, percent)| format!("{who} {percent} %")).collect();
            println!(
                "spike/seats={}/fsync=true/batch={}/callers={}  run {}",
                self.seats,
                self.batch,
                self.callers,
                run + 1
            );
            println!("{report}\n  processor  {}\n", shares.join(", "));
            rates.push(report.commands_per_second());
        }
        Ok(rates)
    }

    async fn one_run(&self, server: &str, run: u32, dir: &std::path::Path) -> anyhow::Result<Report> {
        let show_id = format!("spike-{run}");
        let stadium = Manifest::new(generate::stadium(self.seats))?;
        let manifest = Some(manifest_to_wire(stadium.parts()));
        let request = v1::CreateShowRequest { show_id: show_id.clone(), manifest, ..v1::CreateShowRequest::default() };
        inventory(server)?.create_show(request).await?;
        let options = LoadOptions {
            duration: Duration::from_secs(self.seconds),
            workers: usize::from(self.callers),
            batch: usize::from(self.batch),
            connections: usize::from(self.connections),
            seed: u64::from(run) << 32,
        };
        let report = load::run(server, &show_id, stadium.seats(), options, Arc::new(Progress::default())).await?;
        let check = check_log(dir, &report.tally.sold)?;
        anyhow::ensure!(check.is_clean(), "the log is not what it must be: {check:?}");
        Ok(report)
    }
}

/// What stands beside every figure.
fn print_conditions(dir: &std::path::Path) -> anyhow::Result<()> {
    let cpu_info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit
        .ok()
        .filter(|output| output.status.success())
        .map_or_else(String::new, |output| format!(", commit {}", String::from_utf8_lossy(&output.stdout).trim()));
    let (p50, p99) = probe_disk(dir).context("probing the disk")?;
    println!(
        "usher {}{commit}; {cores} cores of {}",
        env!("CARGO_PKG_VERSION"),
        model.trim_start_matches([' ', '\t', ':'])
    );
    println!("disk: 4 KiB append + fdatasync p50 {} µs, p99 {} µs\n", p50.as_micros(), p99.as_micros());
    Ok(())
}
