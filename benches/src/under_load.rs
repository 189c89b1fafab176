//! A shard under load, with snapshots in the background or without.
//!
//! It sells shows seat by seat through a running shard and its log, closed loop, so many batches under way. Commands are
//! made before the clock runs.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossbeam::channel::unbounded;
use parking_lot::Mutex;
use rand::{SeedableRng, rngs::StdRng};
use usher_engine::{
    command::Command,
    ids::ShowNumber,
    shard::{CreateShow, Notice, Request, ShardOptions, Shows, SnapshotReport},
    start::Shards,
    time::{Clock, Timestamp},
};
use usher_wal::{Log, RocksStore, ShardId, StoreOptions};

use crate::{
    percentiles::Percentiles,
    sale::{Parties, hold_and_confirm, parties},
    workload::plain_show,
};

/// Commands of a batch.
pub const BATCH: usize = 256;
/// Batches under way.
pub const IN_FLIGHT: usize = 8;

/// One batch of a show.
pub type Batch = (ShowNumber, Vec<Command>);

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Shows that there are.
    pub shows: u32,
    /// Of each.
    pub seats: u32,
    /// Batches under way.
    pub in_flight: usize,
    /// Bytes of log between two rounds of snapshots.
    pub snapshot_log_bytes: u64,
}

/// What a run did.
#[derive(Debug)]
pub struct Load {
    /// Commands that were not refused.
    pub granted: u64,
    /// All of it.
    pub took: Duration,
    /// From sending a batch to its answer.
    pub latency: Percentiles,
    /// Rounds of snapshots that ended meanwhile, and the bytes of their states.
    pub rounds: Vec<SnapshotReport>,
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Batches that sell so many shows one after the other, a seat with each hold: holds, and a while later their confirms.
#[must_use]
pub fn batches(shows: u32, seats: u32) -> Vec<Batch> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut all = Vec::new();
    for show in 0..shows {
        let pairs = parties(seats, Parties::Single, u64::from(show)).into_iter();
        let pairs = pairs.map(|places| hold_and_confirm(&mut rng, places, None));
        let (holds, confirms): (Vec<_>, Vec<_>) = pairs.unzip();
        let mut confirms = confirms.chunks(BATCH);
        for (position, holds) in holds.chunks(BATCH).enumerate() {
            all.push((ShowNumber(show), holds.to_vec()));
            all.extend(
                confirms.next().filter(|_| position >= IN_FLIGHT).map(|batch| (ShowNumber(show), batch.to_vec())),
            );
        }
        all.extend(confirms.map(|batch| (ShowNumber(show), batch.to_vec())));
    }
    all
}

/// Runs these batches in a new directory below `disk`.
///
/// # Panics
/// When the store or a batch fails.
#[must_use]
pub fn run(disk: &Path, plan: Plan, batches: Vec<Batch>) -> Load {
    let Plan { shows, seats, in_flight, snapshot_log_bytes } = plan;
    let dir = tempfile::tempdir_in(disk).expect("a directory");
    let options = StoreOptions { disk_reserve_bytes: 0, ..StoreOptions::default() };
    let store = RocksStore::open_with(dir.path(), std::num::NonZeroU32::MIN, options).expect("a store");
    let open_log = Arc::new(move |shard| store.log(shard).map(|log| Box::new(log) as Box<dyn Log>));
    let rounds = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&rounds);
    let observer = Arc::new(move |_: ShardId, notice| match notice {
        Notice::SnapshotsTaken(report) => noted.lock().push(report),
        Notice::SnapshotFailed(error) => eprintln!("a snapshot failed: {error}"),
        _ => {}
    });
    let options = ShardOptions { snapshot_log_bytes, ..ShardOptions::default() };
    let shards = Shards::start(1, open_log, Arc::new(Wall), options, observer).expect("a thread");
    let (tell, told) = unbounded();
    for show in 0..shows {
        let (created, tell) = (Box::new(plain_show(&format!("show-{show}"), seats)), tell.clone());
        let reply = Box::new(move |created: Result<_, _>| {
            let _ = tell.send(created.is_ok());
        });
        shards.router().shards()[0].submit(Request::CreateShow(CreateShow { created, reply }));
        assert!(told.recv().expect("an answer"), "the show is new");
    }
    let begun = Instant::now();
    let (granted, latency) = send(&shards, batches, in_flight);
    let took = begun.elapsed();
    let rounds = std::mem::take(&mut *rounds.lock());
    shards.stop();
    Load { granted, took, latency, rounds }
}

/// Each batch as soon as there is room for it.
fn send(shards: &Shards, batches: Vec<Batch>, in_flight: usize) -> (u64, Percentiles) {
    let shard = &shards.router().shards()[0];
    let (answered, answers) = unbounded::<(u64, Duration)>();
    let (mut granted, mut latency) = (0, Percentiles::default());
    let mut note = |(own, took)| {
        granted += own;
        latency.note(took);
    };
    for (sent, (show, commands)) in batches.into_iter().enumerate() {
        if sent >= in_flight {
            note(answers.recv().expect("an answer"));
        }
        let (begun, answered) = (Instant::now(), answered.clone());
        let reply = Box::new(move |outcomes: Result<Vec<Result<_, _>>, _>| {
            let outcomes = outcomes.expect("the shard serves");
            let granted = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
            let _ = answered.send((granted, begun.elapsed()));
        });
        shard.submit(Request::Execute { shows: Shows::One(show), commands, reply });
    }
    drop(answered);
    answers.iter().for_each(note);
    (granted, latency)
}
