//! What a figure rests on: the commit, the machine, and how fast its disk syncs at this moment.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const WRITES: usize = 300;

/// The conditions of a run. Printed in one line beside its figures.
#[derive(Debug)]
pub struct Conditions {
    commit: String,
    processor: String,
    cores: usize,
    /// Median and 99th percentile of appending 4 KiB and syncing it.
    probe: (Duration, Duration),
}

impl Conditions {
    /// Asks git and the system, and tries the disk below `dir`.
    ///
    /// # Errors
    /// When the file system does not let it write there.
    pub fn now(dir: &Path) -> io::Result<Self> {
        let described = Command::new("git").args(["describe", "--always", "--dirty"]).output();
        let commit = described.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Ok(Self {
            commit: commit.unwrap_or_default(),
            processor: model.map_or("unknown processor", |(_, name)| name).to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            probe: probe_disk(dir)?,
        })
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commit, processor, cores, probe: (p50, p99) } = self;
        let (p50, p99) = (p50.as_micros(), p99.as_micros());
        write!(
            formatter,
            "commit {commit}, {cores} cores ({processor}), 4 KiB append+fdatasync p50 {p50} µs p99 {p99} µs"
        )
    }
}

fn probe_disk(dir: &Path) -> io::Result<(Duration, Duration)> {
    let path = dir.join("disk-probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&[0x5a; 4_096])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok((times[WRITES / 2], times[WRITES * 99 / 100]))
}
