//! The faults that a test can order, and what recovery makes of each.

use super::*;
use crate::FrameError;

const SHARD: ShardId = ShardId(0);

/// Three durable frames with the payloads 1, 2, 3, and a fourth whose append failed.
fn failing(failure: Failure) -> (MemoryStore, MemoryLog) {
    let store = MemoryStore::new();
    let mut log = store.log(SHARD).unwrap();
    for n in 1..=3 {
        assert_eq!(log.append(u64::from(n), &[n]).unwrap(), Lsn(u64::from(n)));
    }
    store.fail_next_append(SHARD, failure);
    assert!(matches!(log.append(4, &[4]), Err(LogError::AppendFailed { lsn: Lsn(4), .. })));
    (store, log)
}

fn payloads(log: &mut MemoryLog) -> Result<Vec<u8>, LogError> {
    let mut seen = Vec::new();
    let tail = log.replay_from(Lsn::ZERO, &mut |frame| {
        seen.extend_from_slice(frame.payload);
        Ok(())
    })?;
    assert_eq!(tail, log.tail());
    Ok(seen)
}

#[test]
fn a_failed_append_poisons_until_reopened() {
    for (failure, expected) in [(Failure::Lost, vec![1, 2, 3]), (Failure::Kept, vec![1, 2, 3, 4])] {
        let (_store, mut log) = failing(failure);
        assert!(matches!(log.append(5, &[5]), Err(LogError::Poisoned { lsn: Lsn(3), .. })));
        log.reopen().unwrap();
        assert_eq!(payloads(&mut log).unwrap(), expected, "{failure:?}");
        log.append(6, &[6]).unwrap();
        assert_eq!(payloads(&mut log).unwrap().last(), Some(&6));
    }
}

#[test]
fn a_crash_decides_what_becomes_of_the_unsynced_frame_alone() {
    let outcomes = [(Crash::LoseUnsynced, 3), (Crash::TearUnsynced, 3), (Crash::KeepUnsynced, 4)];
    for (crash, frames) in outcomes {
        for failure in [Failure::Lost, Failure::Kept] {
            let (store, mut dead) = failing(failure);
            store.crash(crash);
            let mut log = store.log(SHARD).unwrap();
            assert_eq!(payloads(&mut log).unwrap().len(), frames, "{crash:?}");
            assert!(dead.append(9, &[9]).is_err());
        }
    }
}

#[test]
fn a_crash_fences_handles_that_had_not_failed() {
    let store = MemoryStore::new();
    let mut log = store.log(SHARD).unwrap();
    store.crash(Crash::LoseUnsynced);
    assert!(matches!(log.append(1, b""), Err(LogError::Fenced { .. })));
}

#[test]
fn every_damaged_byte_of_every_frame_is_refused() {
    for lsn in 1..=3 {
        for byte in 0..61 {
            let (store, mut log) = failing(Failure::Lost);
            assert!(store.corrupt_frame(SHARD, Lsn(lsn), byte));
            let refused = payloads(&mut log).unwrap_err();
            assert!(matches!(refused, LogError::Corrupt { lsn: at, .. } if at == Lsn(lsn)), "{refused}");
        }
    }
    let (store, _log) = failing(Failure::Lost);
    store.corrupt_frame(SHARD, Lsn(3), 60);
    let refused = store.log(SHARD).err().unwrap();
    assert!(matches!(refused, LogError::Corrupt { reason: FrameError::BadChecksum { .. }, .. }), "{refused}");
}

#[test]
fn every_deleted_frame_is_missed() {
    for lsn in 1..=2 {
        let (store, mut log) = failing(Failure::Lost);
        assert!(store.delete_frame(SHARD, Lsn(lsn)));
        let refused = payloads(&mut log).unwrap_err();
        assert!(matches!(refused, LogError::Gap { expected, .. } if expected == Lsn(lsn)), "{refused}");
    }
    let (store, _log) = failing(Failure::Lost);
    assert!(store.delete_frame(SHARD, Lsn(3)));
    assert!(!store.delete_frame(SHARD, Lsn(3)));
    let mut log = store.log(SHARD).unwrap();
    let lost =
        |result| matches!(result, Err(LogError::AcknowledgedLost { recovered: Lsn(2), acknowledged: Lsn(3), .. }));
    assert!(lost(payloads(&mut log).map(drop)));
    assert!(lost(log.append(9, b"").map(drop)), "a loss must not be written over");
}
