//! What an append costs when many shards share a disk: the ways to share its fsyncs, each in a closed loop of as many
//! threads as there are shards.
//!
//! A second part, `written`, is about bytes: how many reach the disk for each byte that is appended, with a log that is
//! trimmed as it grows.
//!
//! `cargo bench -p usher-benches --bench commit -- [groups] [written]`: a word runs that part alone. The figures are those
//! of the disk below the build's target directory, whose own speed is printed with them. A picture is left there.

use std::{
    path::Path,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mimalloc::MiMalloc;
use usher_benches::{
    chart::{Panel, draw},
    committers::{Committer, Way},
    conditions::Conditions,
    written,
};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const WAYS: [(&str, Way); 6] = [
    ("own put", Way::Own),
    ("leader", Way::Leader(1)),
    ("thread", Way::Thread(1)),
    ("leader, 2 groups", Way::Leader(2)),
    ("leader, 4 groups", Way::Leader(4)),
    ("Usher's store", Way::Store),
];
const SHARDS: [u32; 4] = [1, 2, 8, 64];
const FRAME_BYTES: [usize; 3] = [64, 4 * 1024, 64 * 1024];
/// What is measured of each combination, after as long a start as this divided by five.
const MEASURED: Duration = Duration::from_millis(1_000);
const ROUNDS: usize = 5;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let conditions = Conditions::now(disk).expect("a disk to write to");
    println!("{conditions}");
    if wanted("groups") {
        groups(disk, &conditions);
    }
    if wanted("written") {
        for (shards, bytes) in [(1, 16 * 1024), (1, 64 * 1024), (4, 64 * 1024)] {
            written::measure(disk, shards, bytes).expect("Linux, and a disk to write to").print();
        }
    }
}

/// One combination's figures.
#[derive(Clone, Copy)]
struct Measured {
    appends_per_s: f64,
    /// In microseconds.
    p50: f64,
    p99: f64,
}

fn groups(disk: &Path, conditions: &Conditions) {
    let mut panels = Vec::new();
    for bytes in FRAME_BYTES {
        let panel = |what: &str, unit: &str| Panel {
            title: format!("{what}, frames of {bytes} B"),
            axes: ("shards".to_owned(), unit.to_owned()),
            lines: WAYS.map(|(name, _)| (name.to_owned(), Vec::new())).to_vec(),
        };
        let (mut rate, mut slow) = (panel("appends/s", "appends/s"), panel("p99 of an append", "µs"));
        for shards in SHARDS {
            for (index, measured) in medians(disk, shards, bytes).into_iter().enumerate() {
                let (way, Measured { appends_per_s, p50, p99 }) = (WAYS[index].0, measured);
                println!(
                    "groups/bytes={bytes}/shards={shards}/{way}: {appends_per_s:.0} appends/s, µs p50 {p50:.0} p99 {p99:.0}"
                );
                rate.lines[index].1.push((f64::from(shards), appends_per_s));
                slow.lines[index].1.push((f64::from(shards), p99));
            }
        }
        panels.extend([rate, slow]);
    }
    let picture = disk.with_file_name("commit-groups.png");
    let heading = format!("Appends with fsync by many shards at once\n{conditions}");
    draw(&picture, &heading, &panels, 2).expect("a picture");
    println!("picture: {}", picture.display());
}

/// Of each way the round whose rate is the median. The ways take turns, so that a disk that is slow for a while is slow
/// for all of them.
fn medians(disk: &Path, shards: u32, bytes: usize) -> Vec<Measured> {
    let rounds: Vec<Vec<Measured>> =
        (0..ROUNDS).map(|_| WAYS.map(|(_, way)| measure(disk, way, shards, bytes)).to_vec()).collect();
    let median = |way: usize| {
        let mut of_way: Vec<Measured> = rounds.iter().map(|round| round[way]).collect();
        of_way.sort_by(|one, other| one.appends_per_s.total_cmp(&other.appends_per_s));
        of_way[ROUNDS / 2]
    };
    (0..WAYS.len()).map(median).collect()
}

/// Every shard appends, waits, and appends again.
fn measure(disk: &Path, way: Way, shards: u32, bytes: usize) -> Measured {
    let dir = tempfile::tempdir_in(disk).expect("a directory");
    let committer = way.open(dir.path(), shards);
    let barrier = Barrier::new(shards as usize);
    let times = thread::scope(|scope| {
        let run = |shard| (committer.as_ref(), &barrier, shard, bytes);
        let threads: Vec<_> = (0..shards)
            .map(run)
            .map(|(committer, barrier, shard, bytes)| {
                scope.spawn(move || append_all_along(committer, barrier, shard, bytes))
            })
            .collect();
        let times = threads.into_iter().map(|thread| thread.join().expect("no append fails"));
        times
            .reduce(|mut all, one| {
                all.add(one).expect("equal bounds");
                all
            })
            .expect("a shard")
    });
    let micros = |quantile| Duration::from_nanos(times.value_at_quantile(quantile)).as_secs_f64() * 1e6;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let appends = times.len() as f64;
    Measured { appends_per_s: appends / MEASURED.as_secs_f64(), p50: micros(0.5), p99: micros(0.99) }
}

fn append_all_along(committer: &dyn Committer, barrier: &Barrier, shard: u32, bytes: usize) -> Histogram<u64> {
    let frame: Vec<u8> = (0..bytes).map(|at| u8::try_from(at * 31 % 251).unwrap_or(0)).collect();
    let mut times = Histogram::new_with_bounds(1, 100_000_000_000, 3).expect("three digits are allowed");
    barrier.wait();
    let start = Instant::now();
    let mut lsn = 0;
    loop {
        lsn += 1;
        let begun = Instant::now();
        committer.append(shard, lsn, &frame);
        let ended = Instant::now();
        if ended > start + MEASURED / 5 + MEASURED {
            return times;
        }
        if begun > start + MEASURED / 5 {
            times.saturating_record(u64::try_from((ended - begun).as_nanos()).unwrap_or(u64::MAX));
        }
    }
}
