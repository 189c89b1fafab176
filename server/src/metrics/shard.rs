//! What the shards tell of themselves, in numbers that anybody may read at any time.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;
use usher_engine::{
    command::CommandKind,
    rejection::RejectionKind,
    shard::{ClockNews, Notice, Turn},
};

use super::histogram::{Histogram, SIZES, TIMES, TraceId};

thread_local! {
    /// On a thread that answers for a shard: the trace of somebody whom the running turn has answered.
    static TRACE: Cell<Option<TraceId>> = const { Cell::new(None) };
    /// And the stages of the turn that is being answered.
    static STAGES: Cell<Option<Stages>> = const { Cell::new(None) };
}

/// How long the stages of a turn took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stages {
    /// Of the first in the batch.
    pub(crate) waited: Duration,
    pub(crate) decide: Duration,
    pub(crate) append: Duration,
    /// Commands of the batch.
    pub(crate) commands: u32,
}

/// The stages of the turn that is being answered, for the trace of one whom it answers. Called within a reply, on
/// its thread.
pub(crate) fn stages_for(trace: TraceId) -> Stages {
    TRACE.set(Some(trace));
    STAGES.get().unwrap_or_default()
}

/// The stages of the way of a command, as labels have them.
pub(crate) const STAGE_NAMES: [&str; 4] = ["queue", "decide", "append", "answer"];

/// The numbers of one shard.
#[derive(Debug)]
pub(crate) struct OfShard {
    pub(crate) commands: [[AtomicU64; 2]; CommandKind::ALL.len()],
    pub(crate) rejections: [AtomicU64; RejectionKind::ALL.len()],
    pub(crate) batch: Histogram,
    /// By [`STAGE_NAMES`].
    pub(crate) stages: [Histogram; STAGE_NAMES.len()],
    pub(crate) appends_failed: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) holds: AtomicU64,
    pub(crate) expired: AtomicU64,
    /// Milliseconds by which expiries were late.
    pub(crate) late: Histogram,
    pub(crate) recovery_ns: AtomicU64,
    pub(crate) recoveries: AtomicU64,
    pub(crate) is_clock_in_step: AtomicBool,
    pub(crate) snapshot: Snapshots,
    recovering_since: Mutex<Option<Instant>>,
}

/// Of its snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    /// When the last round was taken; before that, when the shard came up.
    pub(crate) at: Mutex<SystemTime>,
    pub(crate) took_ms: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) rounds: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl OfShard {
    pub(super) fn new() -> Self {
        let snapshot = Snapshots {
            at: Mutex::new(SystemTime::now()),
            took_ms: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        Self {
            commands: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            rejections: std::array::from_fn(|_| AtomicU64::new(0)),
            batch: Histogram::new(SIZES),
            stages: std::array::from_fn(|_| Histogram::new(TIMES)),
            appends_failed: AtomicU64::new(0),
            appended_bytes: AtomicU64::new(0),
            events: AtomicU64::new(0),
            holds: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            late: Histogram::new(TIMES),
            recovery_ns: AtomicU64::new(0),
            recoveries: AtomicU64::new(0),
            is_clock_in_step: AtomicBool::new(true),
            snapshot,
            recovering_since: Mutex::new(Some(Instant::now())),
        }
    }

    /// Called on the shard's threads.
    pub(super) fn note(&self, notice: &Notice) {
        match notice {
            Notice::Decided(turn) => self.note_turn(turn),
            Notice::Answered { took } => self.note_answered(*took),
            Notice::Serving => {
                if let Some(since) = self.recovering_since.lock().take() {
                    let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    self.recovery_ns.store(took, Relaxed);
                    self.recoveries.fetch_add(1, Relaxed);
                }
            }
            Notice::AppendFailed(_) => {
                self.appends_failed.fetch_add(1, Relaxed);
                *self.recovering_since.lock() = Some(Instant::now());
            }
            Notice::SnapshotsTaken(report) => {
                *self.snapshot.at.lock() = SystemTime::now();
                self.snapshot.took_ms.store(report.took_ms, Relaxed);
                self.snapshot.bytes.store(report.bytes, Relaxed);
                self.snapshot.rounds.fetch_add(1, Relaxed);
            }
            Notice::SnapshotFailed(_) => drop(self.snapshot.failed.fetch_add(1, Relaxed)),
            Notice::Clock(news) => self.is_clock_in_step.store(*news == ClockNews::InStep, Relaxed),
            _ => {}
        }
    }

    fn note_turn(&self, turn: &Turn) {
        if let Some(holds) = turn.holds {
            self.holds.store(holds, Relaxed);
        }
        if turn.requests == 0 && turn.events == 0 {
            return;
        }
        let commands = turn.decided();
        STAGES.set(Some(Stages { waited: turn.waited, decide: turn.decide, append: turn.append, commands }));
        let pairs = self.commands.iter().flatten().zip(turn.commands.iter().flatten());
        for (count, new) in pairs.chain(self.rejections.iter().zip(&turn.rejections)).filter(|(_, new)| **new > 0) {
            count.fetch_add(u64::from(*new), Relaxed);
        }
        if commands > 0 {
            self.batch.observe(commands.into());
        }
        self.events.fetch_add(turn.events.into(), Relaxed);
        self.appended_bytes.fetch_add(turn.bytes, Relaxed);
        if turn.expired > 0 {
            self.expired.fetch_add(turn.expired.into(), Relaxed);
            self.late.observe_time(Duration::from_millis(turn.late_ms), None);
        }
    }

    /// Now it is known whether somebody in the turn is traced.
    fn note_answered(&self, took: Duration) {
        let (trace, stages) = (TRACE.take(), STAGES.take());
        let Some(stages) = stages else { return };
        let [queue, decide, append, answer] = &self.stages;
        queue.observe_time(stages.waited, trace);
        decide.observe_time(stages.decide, trace);
        if !stages.append.is_zero() {
            append.observe_time(stages.append, trace);
        }
        answer.observe_time(took, trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_counted_once_it_is_answered_with_the_trace_of_one_in_it() {
        let shard = OfShard::new();
        let mut turn = Turn { requests: 1, waited: Duration::from_micros(30), events: 1, ..Turn::default() };
        turn.decide = Duration::from_micros(3);
        turn.append = Duration::from_millis(3);
        turn.commands[CommandKind::HoldSeats as usize] = [2, 1];
        turn.rejections[RejectionKind::PlacesTaken as usize] = 1;
        shard.note(&Notice::Decided(Box::new(turn)));
        let stages = stages_for(5);
        assert_eq!((stages.commands, stages.append), (3, Duration::from_millis(3)));
        shard.note(&Notice::Answered { took: Duration::from_micros(1) });
        assert_eq!(shard.stages.each_ref().map(|stage| stage.counts().count()), [1; 4]);
        assert_eq!(shard.stages[2].exemplar(9).map(|exemplar| exemplar.trace), Some(5));
        let of = |counts: &[AtomicU64; 2]| counts.each_ref().map(|count| count.load(Relaxed));
        assert_eq!(of(&shard.commands[CommandKind::HoldSeats as usize]), [2, 1]);
        assert_eq!(shard.rejections[RejectionKind::PlacesTaken as usize].load(Relaxed), 1);
        // A turn of nothing is none.
        shard.note(&Notice::Decided(Box::new(Turn { decide: Duration::from_micros(3), ..Turn::default() })));
        shard.note(&Notice::Answered { took: Duration::from_micros(1) });
        assert_eq!(shard.stages[3].counts().count(), 1);
    }

    #[test]
    fn a_recovery_lasts_from_the_failure_until_the_shard_serves() {
        let shard = OfShard::new();
        shard.note(&Notice::Serving);
        // Serving again without a failure is no recovery.
        shard.note(&Notice::Serving);
        assert_eq!(shard.recoveries.load(Relaxed), 1);
        shard.note(&Notice::Clock(ClockNews::WentBack { by_ms: 1 }));
        assert!(!shard.is_clock_in_step.load(Relaxed));
    }
}
