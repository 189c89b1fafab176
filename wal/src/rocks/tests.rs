//! The rules by which shards share one database through its reopenings.

use std::fs;

use super::*;
use crate::{Durability, Log, Lsn};

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
const ONE_SHARD: ShardId = ShardId(0);
const OTHER_SHARD: ShardId = ShardId(1);

fn opened() -> (tempfile::TempDir, Arc<RocksStore>) {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), TWO).unwrap();
    (dir, store)
}

#[test]
fn only_the_first_to_fail_in_a_generation_opens_the_next() {
    let (_dir, store) = opened();
    assert_eq!(store.open_again(0).unwrap(), 1);
    assert_eq!(store.open_again(0).unwrap(), 1);
    assert_eq!(store.open_again(1).unwrap(), 2);
}

#[test]
fn a_healthy_log_goes_on_in_a_new_generation() {
    let (_dir, store) = opened();
    let mut log = store.log(ONE_SHARD).unwrap();
    log.append(1, b"one").unwrap();
    store.open_again(0).unwrap();
    assert_eq!(log.append(2, b"two").unwrap(), Lsn(2));
    assert_eq!(log.replay_from(Lsn::ZERO, &mut |_| Ok(())).unwrap(), log.tail());
}

#[test]
fn a_log_that_does_not_find_its_own_tail_must_recover() {
    let (_dir, store) = opened();
    let mut log = store.log(ONE_SHARD).unwrap();
    log.append(1, b"one").unwrap();
    // Behind the handle's back: the tail is another frame than it believes.
    let mut encoded = Vec::new();
    let next = crate::chain::encode_next((ONE_SHARD, log.epoch()), &log.tail(), (2, b"two"), &mut encoded).unwrap();
    store.current.read().database().unwrap().put_frame((ONE_SHARD, next.lsn), &encoded, Durability::Fsync).unwrap();
    store.open_again(0).unwrap();
    for _ in 0..2 {
        assert!(matches!(log.append(3, b"three"), Err(LogError::Poisoned { shard: ONE_SHARD, lsn: Lsn(1) })));
    }
    log.reopen().unwrap();
    // Its reopening used the generation that was there.
    assert_eq!((log.tail(), store.current.read().generation), (next, 1));
    assert_eq!(log.append(3, b"three").unwrap(), Lsn(3));
    assert_eq!(log.replay_from(Lsn::ZERO, &mut |_| Ok(())).unwrap(), log.tail());
}

#[test]
fn a_reopening_that_fails_is_tried_again_by_whoever_needs_it() {
    let (dir, store) = opened();
    let [mut one, mut other] = [ONE_SHARD, OTHER_SHARD].map(|shard| store.log(shard).unwrap());
    one.append(1, b"one").unwrap();
    let (current, elsewhere) = (dir.path().join("rocksdb/CURRENT"), dir.path().join("rocksdb/CURRENT.away"));
    fs::rename(&current, &elsewhere).unwrap();
    assert!(matches!(store.open_again(0), Err(LogError::Storage { .. })));
    for log in [&mut one, &mut other] {
        assert!(matches!(log.append(2, b"two"), Err(LogError::Storage { .. })));
        assert!(matches!(log.append(2, b"two"), Err(LogError::Poisoned { .. })));
        assert!(matches!(log.reopen(), Err(LogError::Storage { .. })));
    }
    fs::rename(&elsewhere, &current).unwrap();
    for (log, tail) in [(&mut one, Lsn(1)), (&mut other, Lsn::ZERO)] {
        log.reopen().unwrap();
        assert_eq!(log.tail().lsn, tail);
        log.append(2, b"two").unwrap();
    }
    assert_eq!(store.current.read().generation, 1);
}

#[test]
fn reopening_a_log_that_has_not_failed_leaves_the_database_open() {
    let (_dir, store) = opened();
    let mut log = store.log(ONE_SHARD).unwrap();
    let epoch = log.epoch();
    log.reopen().unwrap();
    assert_eq!((log.epoch(), store.current.read().generation), (epoch.next(), 0));
}

#[test]
fn the_epoch_is_above_that_of_the_last_frame() {
    let (_dir, store) = opened();
    let mut encoded = Vec::new();
    let far = ShardEpoch(70);
    let tail = crate::chain::encode_next((ONE_SHARD, far), &Tail::EMPTY, (1, b"x"), &mut encoded).unwrap();
    store.current.read().database().unwrap().put_frame((ONE_SHARD, tail.lsn), &encoded, Durability::Fsync).unwrap();
    assert_eq!(store.log(ONE_SHARD).unwrap().epoch(), far.next());
}

#[test]
fn a_log_is_read_from_the_first_frame_that_it_has() {
    let (dir, store) = opened();
    let mut log = store.log(ONE_SHARD).unwrap();
    for clock_ms in 1..=6 {
        log.append(clock_ms, b"kept").unwrap();
    }
    log.snapshots().trim_log(&crate::LogStart { lsn: Lsn(5), snapshots: Vec::new() }).unwrap();
    let reader = ReadOnlyStore::open(dir.path()).unwrap();
    let lsns = |from: Option<u64>| {
        let mut lsns = Vec::new();
        let mut visit = |frame: crate::Frame<'_>| {
            lsns.push(frame.lsn.0);
            Ok(())
        };
        match from {
            Some(from) => reader.replay_from(ONE_SHARD, Lsn(from), &mut visit)?,
            None => reader.replay(ONE_SHARD, &mut visit)?,
        };
        Ok::<_, LogError>(lsns)
    };
    assert_eq!(reader.ends(ONE_SHARD).unwrap(), Some((Lsn(5), Lsn(6))));
    assert_eq!((lsns(None).unwrap(), lsns(Some(6)).unwrap()), (vec![6], vec![6]));
    // What the first one followed is not there.
    assert!(matches!(lsns(Some(5)), Err(LogError::Trimmed { from: Lsn(5), start: Lsn(5), .. })));
    assert_eq!((reader.ends(OTHER_SHARD).unwrap(), reader.acknowledged(OTHER_SHARD).unwrap()), (None, Lsn::ZERO));
}
