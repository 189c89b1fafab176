//! `recovery`: how long a server takes until it serves again, after a crash without snapshots and after an end in order.
//!
//! The events are those of `granted`, made through the server itself, a process of its own that is then killed.

use std::{
    fmt, fs,
    io::{BufRead as _, BufReader},
    num::NonZeroU32,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::{
    cli::client::inventory,
    load::{
        self, Load, Pace,
        report::{thousands, whole},
        scenario::{Name, Sizes},
        venue::Venue,
    },
};

/// Seats of a show at most: each is held and sold, which is two events.
const SEATS_MAX: u64 = 50_000;
const BATCH: u32 = 1_024;
const BUYERS: u32 = 8_192;
/// Nobody waits for longer until the log is written.
const LASTS_MAX: Duration = Duration::from_secs(3_600);
/// No snapshots before so much is logged.
const NEVER_BYTES: u64 = 1 << 50;

/// A restart.
#[derive(Debug, Serialize)]
pub(super) struct Recovered {
    /// In the log.
    pub(super) events: u64,
    /// Whether the shows were in snapshots.
    pub(super) snapshots: bool,
    /// From the start of the process until all shows were served.
    pub(super) seconds: f64,
    /// Of the log's; where snapshots stand for them, hardly any is read.
    pub(super) events_per_second: f64,
    /// Of the process then, in MiB.
    pub(super) resident_mib: u64,
    /// Of the data directory before, in MiB.
    pub(super) disk_mib: u64,
    pub(super) shows: u32,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, snapshots, seconds, events_per_second, resident_mib, disk_mib, shows } = self;
        let how = if *snapshots { "with snapshots" } else { "killed, without snapshots" };
        let (events, rate) = (thousands(*events), whole(*events_per_second));
        write!(f, "recovery: {events} events of {shows} shows, {how}: serves after {seconds:.2} s ")?;
        write!(f, "({rate} events/s), {resident_mib} MiB resident, {disk_mib} MiB on disk")
    }
}

/// Measures restarts with so many events.
pub(super) fn run(
    sizes: &[u64],
    shards: NonZeroU32,
    dir: &Path,
    mut tell: impl FnMut(Recovered),
) -> anyhow::Result<()> {
    for events in sizes {
        let data_dir = dir.join("data");
        let (mut server, _) = Serving::start(&data_dir, shards)?;
        let sold = events.div_ceil(2);
        let shows = u32::try_from(sold.div_ceil(SEATS_MAX)).context("too many events")?;
        let seats = u32::try_from(sold.div_ceil(u64::from(shows)))?;
        let made = load::apart(|| fill(&server.address, shows, seats))?;
        server.kill()?;
        for snapshots in [false, true] {
            let disk_mib = bytes_below(&data_dir)? >> 20;
            let (mut server, took) = Serving::start(&data_dir, shards)?;
            let (seconds, resident_mib) = (took.as_secs_f64(), server.resident_mib());
            #[expect(clippy::cast_precision_loss, reason = "a rate to print")]
            let events_per_second = made as f64 / seconds;
            // An end in order leaves snapshots.
            server.end()?;
            tell(Recovered { events: made, snapshots, seconds, events_per_second, resident_mib, disk_mib, shows });
        }
        fs::remove_dir_all(&data_dir).with_context(|| format!("removing {}", data_dir.display()))?;
    }
    Ok(())
}

/// Sells all seats of so many shows; returns the events.
async fn fill(address: &str, shows: u32, seats: u32) -> anyhow::Result<u64> {
    let venue = Venue::of_seats(seats)?;
    let together = BATCH;
    let sizes = Sizes { shows: Some(shows), seats, party: 1, buyers: BUYERS, lasts: LASTS_MAX, together };
    let scenario = Name::Granted.of(sizes);
    let show_ids: Arc<[String]> = (0..shows).map(|show| format!("show-{show}")).collect();
    let client = inventory(address)?;
    for show_id in show_ids.iter() {
        client.create_show(venue.show(show_id, scenario.policy())).await?;
    }
    let load = Load {
        scenario,
        show_ids,
        pace: Pace::Closed(BUYERS),
        batch: BATCH,
        connections: 2,
        lasts: LASTS_MAX,
        seed: 1,
    };
    let counts = load::run(address, &load).await?.measured.tally.counts;
    Ok(counts.granted + counts.sold + u64::from(shows))
}

/// A server in a process of its own, killed with this if it was not ended before.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    /// Starts it, and says how long it took until it served.
    fn start(data_dir: &Path, shards: NonZeroU32) -> anyhow::Result<(Self, Duration)> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        let settings = std::env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("USHER_")) {
            command.env_remove(name);
        }
        command.arg("serve").arg("--data-dir").arg(data_dir).args(["--listen", "127.0.0.1:0", "--log-format", "json"]);
        command.args(["--shards", &shards.to_string(), "--snapshot-log-bytes", &NEVER_BYTES.to_string()]);
        command.args(["--snapshot-interval-ms", "86400000"]);
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut serving = Self { child: child.context("starting a server")?, address: String::new() };
        let mut lines = BufReader::new(serving.child.stderr.take().context("a pipe")?).lines();
        let mut told = Vec::new();
        for line in lines.by_ref() {
            let line = line.context("reading what the server says")?;
            let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let ("listening", Some(address)) =
                (said["message"].as_str().unwrap_or_default(), said["address"].as_str())
            {
                serving.address = format!("http://{address}");
                let took = begun.elapsed();
                // Nobody reads on, but it must be able to write on.
                thread::spawn(move || lines.for_each(drop));
                return Ok((serving, took));
            }
            told.push(line);
        }
        bail!("the server did not start:\n{}", told.join("\n"))
    }

    fn resident_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        resident.and_then(|kib| kib.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() >> 10
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("killing the server")?;
        self.child.wait().context("waiting for the server's end")?;
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).context("ending the server")?;
        let ended = self.child.wait().context("waiting for the server's end")?;
        anyhow::ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bytes_below(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { bytes_below(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
