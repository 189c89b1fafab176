//! The contract of `Log`, held against both of its implementations by the same tests.
//!
//! A world is a store with two shards that can be closed and opened again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::num::NonZeroU32;
use std::sync::Arc;

use usher_wal::{
    Frame, Log, LogError, Lsn, MemoryLog, MemoryStore, PAYLOAD_BYTES_MAX, PartId, RocksLog, RocksStore, ShardEpoch,
    ShardId, SnapshotId,
};

const SHARD: ShardId = ShardId(0);
const OTHER: ShardId = ShardId(1);

trait World: Sized {
    type Log: Log;
    fn new() -> Self;
    /// Another handle of a shard, in the same process.
    fn log(&self, shard: ShardId) -> Self::Log;
    /// What a clean restart does; every handle has been dropped.
    fn restart(self) -> Self;
}

impl World for MemoryStore {
    type Log = MemoryLog;
    fn new() -> Self {
        MemoryStore::new()
    }
    fn log(&self, shard: ShardId) -> MemoryLog {
        MemoryStore::log(self, shard).unwrap()
    }
    fn restart(self) -> Self {
        self
    }
}

struct OnDisk {
    store: Arc<RocksStore>,
    dir: tempfile::TempDir,
}

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

impl World for OnDisk {
    type Log = RocksLog;
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        OnDisk { store: RocksStore::open(dir.path(), TWO).unwrap(), dir }
    }
    fn log(&self, shard: ShardId) -> RocksLog {
        self.store.log(shard).unwrap()
    }
    fn restart(self) -> Self {
        let OnDisk { store, dir } = self;
        drop(store);
        OnDisk { store: RocksStore::open(dir.path(), TWO).unwrap(), dir }
    }
}

/// Appends a frame for each byte, at that many milliseconds.
fn append(log: &mut impl Log, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes {
        let expected = log.tail().lsn.next();
        assert_eq!(log.append(u64::from(byte), &[byte]).unwrap(), expected);
        assert_eq!(log.tail().lsn, expected);
    }
}

/// What a replay visits: LSN and payload of each frame.
fn replay(log: &mut impl Log, from: u64) -> Vec<(u64, Vec<u8>)> {
    let mut seen = Vec::new();
    let shard = log.shard();
    let visit = &mut |frame: Frame<'_>| {
        assert_eq!(frame.shard, shard);
        seen.push((frame.lsn.0, frame.payload.to_vec()));
        Ok(())
    };
    let tail = log.replay_from(Lsn(from), visit).unwrap();
    assert_eq!(tail, log.tail());
    seen
}

fn frames(from: u8, to: u8) -> Vec<(u64, Vec<u8>)> {
    (from..=to).map(|byte| (u64::from(byte), vec![byte])).collect()
}

fn appended_frames_are_replayed_in_order_from_anywhere<W: World>() {
    let world = W::new();
    let mut log = world.log(SHARD);
    assert_eq!(log.tail(), usher_wal::Tail::EMPTY);
    assert_eq!(replay(&mut log, 0), []);
    append(&mut log, 1..=20);
    assert_eq!(replay(&mut log, 0), frames(1, 20));
    assert_eq!(replay(&mut log, 1), frames(1, 20));
    assert_eq!(replay(&mut log, 13), frames(13, 20));
    assert_eq!(replay(&mut log, 21), []);
    let past = log.replay_from(Lsn(22), &mut |_| Ok(()));
    assert!(matches!(past, Err(LogError::PastEnd { shard: SHARD, from: Lsn(22) })), "{past:?}");
}

fn a_restart_continues_the_chain_in_a_higher_epoch<W: World>() {
    let mut world = W::new();
    let mut epochs = Vec::new();
    for round in 0..4 {
        let mut log = world.log(SHARD);
        assert_eq!(log.tail().lsn, Lsn(5 * u64::from(round)));
        append(&mut log, 5 * round + 1..=5 * round + 5);
        epochs.push(log.epoch());
        drop(log);
        world = world.restart();
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
    let mut written_in = Vec::new();
    let visit = &mut |frame: Frame<'_>| {
        written_in.push(frame.epoch);
        Ok(())
    };
    world.log(SHARD).replay_from(Lsn::ZERO, visit).unwrap();
    let expected: Vec<ShardEpoch> = epochs.iter().flat_map(|epoch| [*epoch; 5]).collect();
    assert_eq!(written_in, expected);
}

fn shards_do_not_see_each_other<W: World>() {
    let world = W::new();
    let (mut one, mut other) = (world.log(SHARD), world.log(OTHER));
    append(&mut one, 1..=3);
    append(&mut other, 1..=9);
    append(&mut one, 4..=5);
    assert_eq!(replay(&mut one, 0), frames(1, 5));
    assert_eq!(replay(&mut other, 0), frames(1, 9));
    drop((one, other));
    let world = world.restart();
    assert_eq!(replay(&mut world.log(SHARD), 0), frames(1, 5));
    assert_eq!(replay(&mut world.log(OTHER), 4), frames(4, 9));
}

fn a_newer_handle_fences_the_older<W: World>() {
    let world = W::new();
    let mut older = world.log(SHARD);
    append(&mut older, 1..=3);
    let mut newer = world.log(SHARD);
    let refused = older.append(4, b"late");
    let (epoch, current) = (older.epoch(), newer.epoch());
    assert!(
        matches!(refused, Err(LogError::Fenced { shard: SHARD, epoch: e, current: c }) if (e, c) == (epoch, current))
    );
    append(&mut newer, 4..=6);
    assert_eq!(replay(&mut newer, 0), frames(1, 6));
    // Reopening makes the older handle the newest, at the end of what the other one wrote.
    older.reopen().unwrap();
    append(&mut older, 7..=8);
    assert!(matches!(newer.append(9, b"late"), Err(LogError::Fenced { .. })));
    assert_eq!(replay(&mut older, 0), frames(1, 8));
}

fn what_can_never_be_replayed_is_never_written<W: World>() {
    let world = W::new();
    let mut log = world.log(SHARD);
    append(&mut log, 1..=3);
    let refused = log.append(2, b"earlier");
    assert!(matches!(refused, Err(LogError::ClockFell { lsn: Lsn(4), clock_ms: 2, previous_ms: 3, .. })));
    let refused = log.append(4, &vec![0; PAYLOAD_BYTES_MAX + 1]);
    assert!(matches!(refused, Err(LogError::PayloadTooLarge { .. })));
    append(&mut log, 4..=5);
    log.append(5, &vec![7; PAYLOAD_BYTES_MAX]).unwrap();
    log.append(5, b"").unwrap();
    let sizes: Vec<usize> = replay(&mut log, 0).iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!(sizes, [1, 1, 1, 1, 1, PAYLOAD_BYTES_MAX, 0]);
}

fn a_visitor_can_end_a_replay<W: World>() {
    let world = W::new();
    let mut log = world.log(SHARD);
    append(&mut log, 1..=5);
    let mut visited = 0;
    let rejected = log.replay_from(Lsn::ZERO, &mut |frame| {
        visited += 1;
        if frame.lsn == Lsn(3) { Err("not this one".into()) } else { Ok(()) }
    });
    let Err(LogError::Rejected { shard: SHARD, lsn: Lsn(3), source }) = rejected else { panic!("{rejected:?}") };
    assert_eq!((source.to_string().as_str(), visited), ("not this one", 3));
    append(&mut log, 6..=6);
    assert_eq!(replay(&mut log, 0), frames(1, 6));
}

fn a_trimmed_log_begins_behind_its_anchor<W: World>() {
    let world = W::new();
    let (mut log, mut other) = (world.log(SHARD), world.log(OTHER));
    append(&mut log, 1..=20);
    append(&mut other, 1..=9);
    assert_eq!(log.start().unwrap(), Lsn::ZERO);
    log.snapshots().trim_log(Lsn(8)).unwrap();
    log.snapshots().trim_log(Lsn(5)).unwrap();
    let past = log.snapshots().trim_log(Lsn(21));
    assert!(matches!(past, Err(LogError::PastEnd { shard: SHARD, from: Lsn(21) })), "{past:?}");
    assert_eq!(log.start().unwrap(), Lsn(8));
    assert_eq!(replay(&mut log, 0), frames(9, 20));
    assert_eq!(replay(&mut log, 15), frames(15, 20));
    let trimmed = log.replay_from(Lsn(8), &mut |_| Ok(()));
    assert!(matches!(trimmed, Err(LogError::Trimmed { from: Lsn(8), start: Lsn(8), .. })), "{trimmed:?}");
    append(&mut log, 21..=25);
    drop((log, other));
    let world = world.restart();
    let (mut log, mut other) = (world.log(SHARD), world.log(OTHER));
    assert_eq!(replay(&mut log, 0), frames(9, 25));
    // All of it: the last frame stays, so that the next one follows it.
    log.snapshots().trim_log(Lsn(25)).unwrap();
    assert_eq!(replay(&mut log, 0), []);
    append(&mut log, 26..=27);
    assert_eq!(replay(&mut log, 0), frames(26, 27));
    assert_eq!(replay(&mut other, 0), frames(1, 9));
}

fn snapshots_are_kept_for_each_shard<W: World>() {
    let world = W::new();
    let (log, other) = (world.log(SHARD), world.log(OTHER));
    let id = |part, lsn| SnapshotId { part: PartId(part), lsn: Lsn(lsn) };
    for (part, lsn) in [(1, 7), (0, 9), (1, 3)] {
        log.snapshots().put(id(part, lsn), format!("{part} at {lsn}").as_bytes()).unwrap();
    }
    other.snapshots().put(id(1, 7), b"of another shard").unwrap();
    drop((log, other));
    let world = world.restart();
    let snapshots = world.log(SHARD).snapshots();
    assert_eq!(snapshots.list().unwrap(), [id(0, 9), id(1, 3), id(1, 7)]);
    assert_eq!(snapshots.read(id(1, 7)).unwrap(), b"1 at 7");
    snapshots.remove(id(1, 3)).unwrap();
    snapshots.remove(id(1, 3)).unwrap();
    assert_eq!(snapshots.list().unwrap(), [id(0, 9), id(1, 7)]);
    assert_eq!(world.log(OTHER).snapshots().read(id(1, 7)).unwrap(), b"of another shard");
}

/// One test per rule and implementation, so that a failure names both.
macro_rules! on_both {
    ($($rule:ident),+ $(,)?) => {
        mod in_memory { $(#[test] fn $rule() { super::$rule::<super::MemoryStore>(); })+ }
        mod on_disk { $(#[test] fn $rule() { super::$rule::<super::OnDisk>(); })+ }
    };
}

on_both!(
    appended_frames_are_replayed_in_order_from_anywhere,
    a_restart_continues_the_chain_in_a_higher_epoch,
    shards_do_not_see_each_other,
    a_newer_handle_fences_the_older,
    what_can_never_be_replayed_is_never_written,
    a_visitor_can_end_a_replay,
    a_trimmed_log_begins_behind_its_anchor,
    snapshots_are_kept_for_each_shard,
);
