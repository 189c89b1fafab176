//! More shards, fewer, and more again; and two logs that get a frame each or none.

use super::*;
use crate::{Log, LogStart, Lsn, PartId, ReadOnlyStore, SnapshotId};

fn shards(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// The payloads of every shard's log.
fn payloads(dir: &Path) -> Vec<Vec<Vec<u8>>> {
    let store = ReadOnlyStore::open(dir).unwrap();
    let of_shard = |shard| {
        let mut payloads = Vec::new();
        let mut visit = |frame: crate::Frame<'_>| {
            payloads.push(frame.payload.to_vec());
            Ok(())
        };
        store.replay(ShardId(shard), &mut visit).unwrap();
        payloads
    };
    (0..store.shards().get()).map(of_shard).collect()
}

fn append(dir: &Path, count: u32, shard: u32, payload: &[u8]) -> Lsn {
    let store = RocksStore::open(dir, shards(count)).unwrap();
    store.log(ShardId(shard)).unwrap().append(1, payload).unwrap()
}

#[test]
fn shards_come_empty_and_go_with_what_they_have() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data");
    assert!(matches!(RocksStore::resize(&dir, shards(2)), Err(LogError::Missing { .. })));
    assert!(RocksStore::shards_of(&dir).unwrap().is_none() && !dir.exists());
    append(&dir, 2, 0, b"stays");
    append(&dir, 2, 1, b"goes");
    let id = SnapshotId { part: PartId(0), lsn: Lsn(1) };
    let snapshots = |count| RocksStore::open(&dir, shards(count)).unwrap().log(ShardId(1)).unwrap().snapshots();
    snapshots(2).put(id, b"state").unwrap();
    snapshots(2).trim_log(&LogStart { lsn: Lsn(1), snapshots: vec![id] }).unwrap();
    RocksStore::resize(&dir, shards(4)).unwrap();
    assert_eq!(
        payloads(&dir),
        [vec![b"stays".to_vec()], vec![], vec![], vec![]],
        "the frame of a start is not visited"
    );
    append(&dir, 4, 3, b"new");
    RocksStore::resize(&dir, shards(1)).unwrap();
    assert_eq!(payloads(&dir), [[b"stays"]]);
    assert!(matches!(RocksStore::open(&dir, shards(4)), Err(LogError::ShardCount { found: 1, .. })));
    RocksStore::resize(&dir, shards(4)).unwrap();
    assert_eq!(payloads(&dir), [vec![b"stays".to_vec()], vec![], vec![], vec![]]);
    assert!(snapshots(4).list().unwrap().is_empty());
    let log = RocksStore::open(&dir, shards(4)).unwrap().log(ShardId(1)).unwrap();
    assert_eq!((log.start().unwrap(), log.tail().lsn), (LogStart::default(), Lsn::ZERO));
    drop(log);
    assert_eq!(append(&dir, 4, 1, b"again"), Lsn(1));
    assert!(matches!(RocksStore::resize(&dir, shards(9_999)), Err(LogError::TooManyShards { .. })));
    let _open = RocksStore::open(&dir, shards(4)).unwrap();
    assert!(matches!(RocksStore::resize(&dir, shards(5)), Err(LogError::InUse { .. })));
}

#[test]
fn both_logs_get_their_frame_or_none_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path(), shards(3)).unwrap();
    let [mut first, mut second] = [0, 1].map(|shard| store.log(ShardId(shard)).unwrap());
    first.append(900, b"before").unwrap();
    append_both(500, (&mut second, b"came"), (&mut first, b"left")).unwrap();
    assert_eq!((first.tail().lsn, first.tail().clock_ms), (Lsn(2), 900), "its clock never falls");
    assert_eq!((second.tail().lsn, second.tail().clock_ms), (Lsn(1), 500));
    let newer = store.log(ShardId(1)).unwrap();
    let refused = append_both(1_000, (&mut first, b"left"), (&mut second, b"came"));
    assert!(matches!(refused, Err(LogError::Fenced { shard: ShardId(1), .. })));
    first.append(1_000, b"after").unwrap();
    drop((first, second, newer, store));
    assert_eq!(
        payloads(dir.path())[..2],
        [vec![b"before".to_vec(), b"left".to_vec(), b"after".to_vec()], vec![b"came".to_vec()]]
    );
}
