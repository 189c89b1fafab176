//! `usher.v1.Operations.WatchStatus`: what the server does, interval by interval: the difference of two readings.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use usher_engine::{command::CommandKind, ids::ShowId, rejection::RejectionKind, shard};
use usher_proto::v1;

use super::Draining;
use crate::{
    access,
    metrics::{
        Sources, calls,
        histogram::{Counts, SIZES, TIMES},
        process::{self, Disk, Process},
        shard::{OfShard, STAGE_NAMES},
    },
    status::{self, Refusal},
};

/// The intervals that may be asked for, in milliseconds, and the one of whoever does not ask for any.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 100..=60_000;
const INTERVAL_MS_DEFAULT: u32 = 1_000;
/// Most shows that are named.
const SHOWS_MAX: u32 = 100;

/// The answers.
pub(super) type StatusStream = ReceiverStream<Result<v1::WatchStatusResponse, Status>>;

/// The counts at one time.
struct Reading {
    at: Instant,
    cpu_seconds: f64,
    commands: Vec<[u64; 2]>,
    rejections: Vec<u64>,
    refusals: HashMap<&'static str, u64>,
    shards: Vec<OfOne>,
    calls: Counts,
    shows: BTreeMap<ShowId, u64>,
}

struct OfOne {
    batch: Counts,
    stages: [Counts; STAGE_NAMES.len()],
    appended_bytes: u64,
    expired: u64,
}

/// Tells until the caller goes, is not known any more, or the process drains.
///
/// # Errors
/// The refusal of what cannot be asked for.
pub(super) fn watch(
    sources: &Arc<Sources>,
    request: &v1::WatchStatusRequest,
    draining: Draining,
) -> Result<StatusStream, Refusal> {
    let interval = if request.interval_ms == 0 { INTERVAL_MS_DEFAULT } else { request.interval_ms };
    if !INTERVAL_MS.contains(&interval) {
        return Err(Refusal::wrong("interval_ms", format_args!("must be 100 to 60000, is {interval}")));
    }
    if request.shows_max > SHOWS_MAX {
        return Err(Refusal::wrong("shows_max", format_args!("must be at most {SHOWS_MAX}, is {}", request.shows_max)));
    }
    let (answers, stream) = mpsc::channel(1);
    let (interval, shows_max) = (Duration::from_millis(interval.into()), request.shows_max as usize);
    let telling = tell(Arc::clone(sources), interval, shows_max, answers, draining);
    tokio::spawn(access::within(access::current(), telling));
    Ok(ReceiverStream::new(stream))
}

async fn tell(
    sources: Arc<Sources>,
    interval: Duration,
    shows_max: usize,
    answers: mpsc::Sender<Result<v1::WatchStatusResponse, Status>>,
    mut draining: Draining,
) {
    let Some(mut before) = read(&sources, shows_max).await else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = answers.closed() => return,
            _ = draining.changed() => return,
        }
        if let Err(refused) = access::check_valid() {
            // Nobody is there to be told, otherwise.
            let _ = answers.send(Err(refused.into_status())).await;
            return;
        }
        let Some(now) = read(&sources, shows_max).await else { return };
        let told = between(&sources, &before, &now, shows_max);
        if answers.send(Ok(told)).await.is_err() {
            return;
        }
        before = now;
    }
}

/// Of many shows it takes a while.
async fn read(sources: &Arc<Sources>, shows_max: usize) -> Option<Reading> {
    let sources = Arc::clone(sources);
    tokio::task::spawn_blocking(move || Reading::now(&sources, shows_max > 0)).await.ok()
}

impl Reading {
    fn now(sources: &Sources, with_shows: bool) -> Self {
        let metrics = &sources.metrics;
        let sum = |count: &dyn Fn(&OfShard) -> u64| metrics.shards.iter().map(count).sum::<u64>();
        let commands = (0..CommandKind::ALL.len())
            .map(|kind| [0, 1].map(|outcome| sum(&|shard| shard.commands[kind][outcome].load(Relaxed))));
        let rejections = (0..RejectionKind::ALL.len()).map(|kind| sum(&|shard| shard.rejections[kind].load(Relaxed)));
        let of_one = |shard: &OfShard| OfOne {
            batch: shard.batch.counts(),
            stages: shard.stages.each_ref().map(|stage| stage.counts()),
            appended_bytes: shard.appended_bytes.load(Relaxed),
            expired: shard.expired.load(Relaxed),
        };
        let times = metrics.calls.all().iter().filter_map(|of| of.took.as_ref());
        let shows = if with_shows { sources.router.catalog().commands() } else { Vec::new() };
        Self {
            at: Instant::now(),
            cpu_seconds: Process::now().cpu_seconds,
            commands: commands.collect(),
            rejections: rejections.collect(),
            refusals: calls::refusals().collect(),
            shards: metrics.shards.iter().map(of_one).collect(),
            calls: times.fold(Counts::default(), |all, times| all.and(&times.counts())),
            shows: shows.into_iter().collect(),
        }
    }
}

fn between(sources: &Sources, before: &Reading, now: &Reading, shows_max: usize) -> v1::WatchStatusResponse {
    let over = now.at.duration_since(before.at);
    let commands = CommandKind::ALL.iter().zip(now.commands.iter().zip(&before.commands));
    let commands = commands.map(|(kind, (now, before))| v1::CommandCount {
        kind: kind.as_str().to_owned(),
        granted: now[0] - before[0],
        rejected: now[1] - before[1],
    });
    let rejections = RejectionKind::ALL.iter().zip(now.rejections.iter().zip(&before.rejections));
    let rejections = rejections.map(|(kind, (now, before))| (status::reason(*kind), now - before));
    let refusals = now.refusals.iter();
    let refusals = refusals.map(|(reason, count)| (*reason, count - before.refusals.get(reason).unwrap_or(&0)));
    let shows = now.shows.iter().map(|(id, count)| (id.as_str(), count - before.shows.get(id).unwrap_or(&0)));
    let shards = sources.router.shards().iter().zip(sources.metrics.shards.iter());
    let shards = shards.zip(now.shards.iter().zip(&before.shards));
    let shows = most(shows).into_iter().take(shows_max);
    v1::WatchStatusResponse {
        at_ms: ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        over_ms: u32::try_from(over.as_millis()).unwrap_or(u32::MAX),
        process: Some(process(sources, now.cpu_seconds - before.cpu_seconds, over)),
        shards: shards.map(|((handle, own), (now, before))| shard(handle, own, now, before)).collect(),
        commands: commands.filter(|count| count.granted + count.rejected > 0).collect(),
        rejections: reasons(rejections),
        refusals: reasons(refusals),
        latencies: latencies(before, now),
        shows: shows.map(|(show_id, commands)| v1::ShowCount { show_id: show_id.to_owned(), commands }).collect(),
    }
}

fn latencies(before: &Reading, now: &Reading) -> Vec<v1::Latency> {
    let of_stage = |stage: usize| {
        let pairs = now.shards.iter().zip(&before.shards);
        pairs.fold(Counts::default(), |all, (now, before)| all.and(&now.stages[stage].since(&before.stages[stage])))
    };
    let stages = STAGE_NAMES.into_iter().enumerate().map(|(stage, name)| latency(name, &of_stage(stage)));
    stages.chain([latency("call", &now.calls.since(&before.calls))]).collect()
}

fn latency(name: &str, counts: &Counts) -> v1::Latency {
    let us = |share| counts.quantile(TIMES, share) / 1_000;
    let (p50_us, p99_us, p999_us) = (us(0.5), us(0.99), us(0.999));
    v1::Latency { name: name.to_owned(), count: counts.count(), p50_us, p99_us, p999_us }
}

fn shard(handle: &shard::ShardHandle, own: &OfShard, now: &OfOne, before: &OfOne) -> v1::ShardStatus {
    let batch = now.batch.since(&before.batch);
    debug_assert_eq!(SIZES.unit.to_bits(), 1.0_f64.to_bits(), "the sum of the batches is that of their commands");
    let state = match handle.status() {
        shard::ShardStatus::Recovering => v1::ShardState::Recovering,
        shard::ShardStatus::Serving => v1::ShardState::Serving,
        shard::ShardStatus::ReadOnly => v1::ShardState::ReadOnly,
        shard::ShardStatus::NotServing => v1::ShardState::NotServing,
    };
    let waited = handle.admission().waited();
    let snapshot_age = SystemTime::now().duration_since(*own.snapshot.at.lock()).unwrap_or_default();
    v1::ShardStatus {
        shard: handle.shard().0,
        state: state.into(),
        inbox_commands: u32::try_from(handle.waiting()).unwrap_or(u32::MAX),
        inbox_wait_us: u64::try_from(waited.as_micros()).unwrap_or(u64::MAX),
        commands: batch.sum,
        batches: batch.count(),
        append: Some(latency("append", &now.stages[2].since(&before.stages[2]))),
        appended_bytes: now.appended_bytes - before.appended_bytes,
        holds: own.holds.load(Relaxed),
        expired: now.expired - before.expired,
        is_clock_in_step: own.is_clock_in_step.load(Relaxed),
        snapshot_age_ms: ms(snapshot_age),
    }
}

fn process(sources: &Sources, cpu_seconds: f64, over: Duration) -> v1::ProcessStatus {
    let (process, disk) = (Process::now(), Disk::of(&sources.data_dir).unwrap_or_default());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a few processors")]
    let cpu_millis = (1_000.0 * cpu_seconds / over.as_secs_f64().max(1e-3)).round() as u32;
    v1::ProcessStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_ms: ms(process::begun().elapsed().unwrap_or_default()),
        cpu_millis,
        resident_bytes: process.resident_bytes.unwrap_or_default(),
        open_files: process.open_files.and_then(|files| u32::try_from(files).ok()).unwrap_or_default(),
        connections: u32::try_from(sources.metrics.connections.now()).unwrap_or(u32::MAX),
        disk_free_bytes: disk.free_bytes,
        log_bytes: disk.used_bytes,
    }
}

/// Those that there are any of, the most first.
fn most<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'a str, u64)> {
    let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort_unstable_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    counts
}

fn reasons(counts: impl Iterator<Item = (&'static str, u64)>) -> Vec<v1::ReasonCount> {
    most(counts).into_iter().map(|(reason, count)| v1::ReasonCount { reason: reason.to_owned(), count }).collect()
}

fn ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
