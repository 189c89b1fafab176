//! A process that comes back: a data directory with snapshots of many shows, and how long it takes to serve them again.
//!
//! The directory is made without selling through a shard: the snapshots are what a shard would have taken. Serving it
//! happens in a process of its own, so that its memory is what the shows need.

use std::{
    fs, io,
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use usher_engine::{
    codec::PayloadWriter,
    event::Event,
    ids::ShowNumber,
    shard::{Notice, ShardOptions},
    start::Shards,
    time::{Clock, Timestamp},
};
use usher_wal::{Durability, Log, LogStart, PartId, RocksLog, RocksStore, ShardId, SnapshotId, StoreOptions};

use crate::{
    sale::{Parties, half_sold},
    workload::{NOW, SHOW, plain_show},
};

/// Percent of the seats that are sold, and held.
pub const TAKEN: (u32, u32) = (40, 5);
/// Descriptions of so many shows in a frame.
const SHOWS_PER_FRAME: u32 = 100;
const OPTIONS: StoreOptions = StoreOptions { durability: Durability::Os, disk_reserve_bytes: 0 };

/// What was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made {
    /// Holds, live and sold.
    pub holds: u64,
    /// Of all snapshots.
    pub bytes: u64,
}

/// What a restart cost.
#[derive(Clone, Copy, Debug)]
pub struct Restarted {
    /// Until every shard served.
    pub took: Duration,
    /// Shows that were served then.
    pub shows: u64,
    /// What the process had in memory then.
    pub resident_bytes: u64,
}

/// A clock that stands, so that nothing expires.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Fills a new data directory.
///
/// # Panics
/// When the store fails.
#[must_use]
pub fn make(dir: &Path, shards: u32, (shows, seats): (u32, u32), kind: Parties) -> Made {
    let count = NonZeroU32::new(shards).expect("at least one shard");
    let store = RocksStore::open_with(dir, count, OPTIONS).expect("a store");
    let mut made = Made::default();
    for shard in 0..shards {
        let mut log = store.log(ShardId(shard)).expect("a log");
        let numbers = shows / shards + u32::from(shard < shows % shards);
        let id = |number: u32| format!("show-{}", number * shards + shard);
        log_shows(&mut log, numbers, |number| Event::ShowCreated(Box::new(plain_show(&id(number), seats))));
        let lsn = log.tail().lsn;
        let snapshots = log.snapshots();
        for number in 0..numbers {
            let seed = u64::from(number * shards + shard);
            let (mut inventory, holds) = half_sold(plain_show(&id(number), seats), seats, kind, TAKEN, seed);
            let state = inventory.freeze(SHOW).store();
            made.holds += u64::from(holds);
            made.bytes += state.len() as u64;
            snapshots.put(SnapshotId { part: PartId(number), lsn }, &state).expect("a snapshot");
        }
        let all = (0..numbers).map(|number| SnapshotId { part: PartId(number), lsn }).collect();
        snapshots.trim_log(&LogStart { lsn, snapshots: all }).expect("a trim");
    }
    made
}

fn log_shows(log: &mut RocksLog, numbers: u32, created: impl Fn(u32) -> Event) {
    let mut payload = PayloadWriter::default();
    for number in 0..numbers {
        payload.push(ShowNumber(number), &created(number), NOW);
        if number % SHOWS_PER_FRAME == SHOWS_PER_FRAME - 1 || number + 1 == numbers {
            log.append(NOW.0, payload.bytes()).expect("an append");
            payload.clear();
        }
    }
}

/// Serves a directory until all of it is there, and tells what that cost, in a line for [`parse`].
///
/// # Errors
/// When the system does not say how much memory there is.
///
/// # Panics
/// When the store fails.
pub fn serve(dir: &Path, shards: u32) -> io::Result<()> {
    let begun = Instant::now();
    let store = RocksStore::open_with(dir, shards.try_into().expect("a shard"), OPTIONS).expect("a store");
    let open_log = Arc::new(move |shard| store.log(shard).map(|log| Box::new(log) as Box<dyn Log>));
    let shows = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&shows);
    let observer = Arc::new(move |shard, notice| match notice {
        Notice::Recovered(recovered) => {
            counted.fetch_add(recovered.shows.len() as u64, Ordering::Relaxed);
        }
        Notice::Failed(reason) => eprintln!("shard {shard} failed: {reason}"),
        _ => {}
    });
    let options = ShardOptions::default();
    let shards = Shards::start(shards, open_log, Arc::new(Standing), options, observer).expect("threads");
    let took = begun.elapsed().as_micros();
    println!("{took} {} {}", shows.load(Ordering::Relaxed), resident_bytes()?);
    shards.stop();
    Ok(())
}

/// What [`serve`] printed.
#[must_use]
pub fn parse(line: &str) -> Option<Restarted> {
    let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
    let took = Duration::from_micros(numbers.next()??);
    Some(Restarted { took, shows: numbers.next()??, resident_bytes: numbers.next()?? })
}

/// What this process has in memory now.
///
/// # Errors
/// When the system does not say.
pub fn resident_bytes() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let kib =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}
