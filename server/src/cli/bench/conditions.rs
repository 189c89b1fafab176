//! What stands beside every figure: the commit, the machine, and how fast its disk is today.

use std::{fmt, fs, num::NonZero, path::Path, process::Command, thread};

use serde::Serialize;

use crate::load::probe::probe_disk;

/// The conditions of a measurement.
#[derive(Debug, Serialize)]
pub(super) struct Conditions {
    /// Empty outside of a checkout.
    commit: String,
    build: &'static str,
    processor: String,
    cores: usize,
    /// Of the last minute, before the bench began.
    load: String,
    disk_p50_us: u64,
    disk_p99_us: u64,
}

impl Conditions {
    pub(super) fn now(dir: &Path) -> std::io::Result<Self> {
        let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name"));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let (p50, p99) = probe_disk(dir)?;
        let micros = |took: std::time::Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        Ok(Self {
            commit: git(&["describe", "--always", "--dirty", "--exclude=*"]),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            processor: model.unwrap_or("unknown processor").trim_start_matches([' ', '\t', ':']).to_owned(),
            cores: thread::available_parallelism().map_or(0, NonZero::get),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            disk_p50_us: micros(p50),
            disk_p99_us: micros(p99),
        })
    }
}

/// What git says here; nothing outside of a checkout.
fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    let output = output.ok().filter(|output| output.status.success());
    output.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commit, build, processor, cores, load, disk_p50_us, disk_p99_us } = self;
        let commit = if commit.is_empty() { String::new() } else { format!(", commit {commit}") };
        write!(f, "usher {}{commit}, {build} build; {cores} cores of {processor}, ", env!("CARGO_PKG_VERSION"))?;
        write!(f, "load before {load}; disk: 4 KiB append + fdatasync p50 {disk_p50_us} µs, p99 {disk_p99_us} µs")
    }
}
