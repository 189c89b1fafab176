//! What reaches the disk for each byte that is appended, while the log is trimmed as snapshots allow.
//!
//! It takes no snapshots: their bytes are the shows', not the log's.

use std::{
    fmt::Display,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, Instant},
};

use usher_wal::{Log, LogStart, Lsn, RocksLog, RocksStore, ShardId};

/// What is appended, by all shards together.
const APPENDED_BYTES: u64 = 1 << 30;
/// What all shards append from one round of snapshots to the next.
const ROUND_BYTES: u64 = 32 << 20;

/// What a run wrote.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    shards: u32,
    frame_bytes: usize,
    /// Handed to the system in writes, by RocksDB and by all else.
    handed: u64,
    /// Pages that became dirty, in bytes: a page that is synced half full is written once more when it is full.
    dirtied: u64,
    /// The largest size of the data directory on the disk.
    largest: u64,
    slowest_trim: Duration,
    slowest_append: Duration,
}

/// A shard's log, and where its rounds began.
struct Shard {
    log: RocksLog,
    round_bytes: u64,
    before: Lsn,
}

/// Appends to a new store below `disk` by turns, and trims it: after each round below the beginning of that round, as who
/// keeps the frames behind the snapshots before the last ones does.
///
/// # Errors
/// When the system does not say what was written.
///
/// # Panics
/// When the store fails.
pub fn measure(disk: &Path, shards: u32, frame_bytes: usize) -> io::Result<Written> {
    let dir = tempfile::tempdir_in(disk)?;
    let count = shards.try_into().expect("at least one shard");
    let store = RocksStore::open(dir.path(), count).expect("a store");
    let open = |shard| Shard { log: store.log(ShardId(shard)).expect("a log"), round_bytes: 0, before: Lsn::ZERO };
    let mut logs: Vec<Shard> = (0..shards).map(open).collect();
    let frame: Vec<u8> = (0..frame_bytes).map(|at| u8::try_from(at * 31 % 251).unwrap_or(0)).collect();
    let before = [written("wchar")?, written("write_bytes")?];
    let mut result = Written {
        shards,
        frame_bytes,
        handed: 0,
        dirtied: 0,
        largest: 0,
        slowest_trim: Duration::ZERO,
        slowest_append: Duration::ZERO,
    };
    for number in 0..APPENDED_BYTES / frame_bytes as u64 {
        let index = usize::try_from(number % logs.len() as u64).unwrap_or(0);
        let shard = &mut logs[index];
        let begun = Instant::now();
        shard.log.append(number, &frame).expect("an append");
        result.slowest_append = result.slowest_append.max(begun.elapsed());
        shard.round_bytes += frame_bytes as u64;
        if shard.round_bytes >= ROUND_BYTES / u64::from(shards) {
            let begun = Instant::now();
            shard.trim();
            result.slowest_trim = result.slowest_trim.max(begun.elapsed());
            result.largest = result.largest.max(size_of(dir.path())?);
        }
    }
    result.handed = written("wchar")? - before[0];
    result.dirtied = written("write_bytes")? - before[1];
    Ok(result)
}

impl Shard {
    fn trim(&mut self) {
        if self.before > Lsn::ZERO {
            let start = LogStart { lsn: self.before, snapshots: Vec::new() };
            self.log.snapshots().trim_log(&start).expect("a trim");
        }
        (self.before, self.round_bytes) = (self.log.tail().lsn, 0);
    }
}

impl Written {
    /// In one line.
    pub fn print(self) {
        let Self { shards, frame_bytes, handed, dirtied, largest, slowest_trim, slowest_append } = self;
        let mib = largest >> 20;
        println!(
            "written/shards={shards}/bytes={frame_bytes}: for a byte appended {} handed to the system, {} of dirty pages; \
             directory at most {mib} MiB; slowest trim {} ms, slowest append {} ms",
            ratio(handed),
            ratio(dirtied),
            slowest_trim.as_millis(),
            slowest_append.as_millis()
        );
    }
}

fn ratio(bytes: u64) -> impl Display {
    let hundredths = (bytes * 100 + APPENDED_BYTES / 2) / APPENDED_BYTES;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A counter of this process in `/proc/self/io`.
fn written(counter: &str) -> io::Result<u64> {
    let text = fs::read_to_string("/proc/self/io")?;
    let value = text.lines().find_map(|line| line.strip_prefix(counter)?.strip_prefix(": ")?.parse().ok());
    value.ok_or_else(|| io::Error::other(format!("no {counter} in /proc/self/io")))
}

/// What a directory takes on the disk, with what is set aside for its files.
fn size_of(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // RocksDB removes files on a thread of its own.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
