//! Snapshots of a shard, in order and by hand: what they hold, what is trimmed, and what damaged ones lead to.

use usher_wal::{Log, LogError, PartId, SnapshotId};

use super::*;

/// Some holds, one a turn.
fn sell(shard: &mut Shard, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let (request, outcomes) = execute(vec![hold(number, number)]);
        shard.turn([request].into_iter()).unwrap();
        assert_eq!(states(outcomes.recv().unwrap()), [Some(HoldState::Held)]);
    }
}

fn recovered(world: &World) -> Recovered {
    let (inventory, recovered) = replay(&mut world.store.log(SHARD).unwrap()).unwrap();
    invariants::check(&inventory);
    recovered
}

#[test]
fn a_recovery_takes_the_newest_snapshots_and_what_came_after() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell(&mut shard, 0..10);
    shard.take_snapshots();
    sell(&mut shard, 10..13);
    let (hash, after) = (shard.inventory.state_hash(), recovered(&world));
    assert_eq!((after.state_hash, after.events, after.log_start.lsn), (hash, 3, Lsn::ZERO));
    let mut shard = world.shard();
    shard.take_snapshots();
    // The log is kept from the round before on.
    assert_eq!(shard.log().start().unwrap().lsn, Lsn::ZERO);
    sell(&mut shard, 13..15);
    shard.take_snapshots();
    assert_eq!(shard.log().start().unwrap().lsn, Lsn(14));
    let after = recovered(&world);
    assert_eq!((after.state_hash, after.events), (shard.inventory.state_hash(), 0));
}

#[test]
fn only_what_has_changed_is_written() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let (reply, created) = reply();
    shard.turn([create("matinee", reply)].into_iter()).unwrap();
    created.recv().unwrap().unwrap().unwrap();
    shard.take_snapshots();
    sell(&mut shard, 0..1);
    shard.take_snapshots();
    shard.take_snapshots();
    let id = |part, lsn| SnapshotId { part: PartId(part), lsn: Lsn(lsn) };
    let snapshots = world.store.log(SHARD).unwrap().snapshots();
    assert_eq!(snapshots.list().unwrap(), [id(0, 2), id(0, 3), id(1, 2)]);
    assert_eq!(recovered(&world).state_hash, shard.inventory.state_hash());
    // Of each show the last two are kept.
    sell(&mut world.shard(), 1..2);
    world.shard().take_snapshots();
    assert_eq!(snapshots.list().unwrap(), [id(0, 3), id(0, 4), id(1, 2)]);
}

#[test]
fn a_damaged_snapshot_is_not_the_end_while_an_older_one_and_the_log_are_there() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    for round in 0..4 {
        sell(&mut shard, 5 * round..5 * round + 5);
        shard.take_snapshots();
    }
    let hash = shard.inventory.state_hash();
    let snapshots = world.store.log(SHARD).unwrap().snapshots();
    let [older, newest] = snapshots.list().unwrap()[..] else { panic!("two are kept") };
    snapshots.put(newest, b"no show").unwrap();
    let after = recovered(&world);
    assert_eq!((after.state_hash, after.events), (hash, 5));
    assert!(after.damaged[0].contains("LSN 21"), "{:?}", after.damaged);
    snapshots.put(older, b"no show either").unwrap();
    let refused = replay(&mut world.store.log(SHARD).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("show number 0 of shard 0 at LSN 16 is missing"), "{refused}");
}

#[test]
fn a_missing_snapshot_of_a_trimmed_log_is_refused() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    for round in 0..3 {
        sell(&mut shard, 5 * round..5 * round + 5);
        shard.take_snapshots();
    }
    sell(&mut shard, 15..16);
    let snapshots = world.store.log(SHARD).unwrap().snapshots();
    for id in snapshots.list().unwrap() {
        snapshots.remove(id).unwrap();
    }
    let refused = replay(&mut world.store.log(SHARD).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("show number 0 of shard 0 at LSN 11 is missing"), "{refused}");
}

#[test]
fn a_log_that_ends_before_a_snapshot_has_lost_something() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell(&mut shard, 0..3);
    let snapshots = shard.log().snapshots();
    let id = SnapshotId { part: PartId(0), lsn: Lsn(9) };
    snapshots.put(id, &shard.inventory.freeze(SHOW).store()).unwrap();
    let refused = replay(&mut world.store.log(SHARD).unwrap()).unwrap_err();
    let expected = (Lsn(4), Lsn(9));
    assert!(matches!(refused, RecoveryError::BehindSnapshot { recovered, lsn, .. } if (recovered, lsn) == expected));
}

#[test]
fn after_a_failed_append_the_snapshots_go_on_from_what_is_true() {
    for failure in [Failure::Lost, Failure::Kept] {
        let world = World::new();
        let mut shard = world.shard_with_show();
        sell(&mut shard, 0..3);
        shard.take_snapshots();
        world.store.fail_next_append(SHARD, failure);
        let (request, _outcomes) = execute(vec![hold(3, 3)]);
        assert!(matches!(shard.turn([request].into_iter()), Err(LogError::AppendFailed { .. })));
        let mut shard = world.shard();
        sell(&mut shard, 4..6);
        shard.take_snapshots();
        sell(&mut shard, 6..7);
        assert_eq!(recovered(&world).state_hash, shard.inventory.state_hash());
    }
}

/// A shard on a thread of its own that takes snapshots after so many bytes, and what it says of them.
fn running(world: &World, snapshot_log_bytes: u64) -> (Shards, mpsc::Receiver<SnapshotReport>) {
    let (sender, notices) = mpsc::channel();
    drop(world.shard_with_show());
    let options = ShardOptions { snapshot_log_bytes, ..ShardOptions::default() };
    let store = world.store.clone();
    let open: crate::start::OpenLog = Arc::new(move |shard| Ok(Box::new(store.log(shard)?)));
    let clock: Arc<dyn Clock> = world.clock.clone();
    let observer: Observer = Arc::new(move |_, notice| {
        if let Notice::SnapshotsTaken(report) = notice {
            sender.send(report).unwrap();
        }
    });
    let shards = Shards::start(1, open, clock, options, observer).unwrap();
    (shards, notices)
}

#[test]
fn a_running_shard_takes_them_when_asked_and_when_enough_was_logged() {
    let world = World::new();
    let (shards, notices) = running(&world, 1_000);
    let handle = shards.router().shards()[0].clone();
    let (reply, taken) = reply();
    handle.submit(Request::Snapshot(reply));
    let report = taken.recv().unwrap().unwrap();
    assert_eq!((report.lsn, report.shows, report.log_start), (Lsn(1), 1, Lsn::ZERO));
    assert_eq!(notices.recv().unwrap(), report);
    (0..40).for_each(|number| drop(ask(&handle, vec![hold(number, number)])));
    let report = notices.recv().unwrap();
    assert!(report.lsn > Lsn(10) && report.shows == 1 && report.log_start == Lsn(1), "{report:?}");
    let stopped = shards.stop()[0].1.unwrap();
    let after = recovered(&world);
    assert_eq!((after.state_hash, after.events), (stopped.state_hash, 0), "it ends with snapshots");
}

#[test]
fn they_never_write_more_than_the_log() {
    const EVENT_BYTES_MAX: u64 = 100;
    let world = World::new();
    let (shards, notices) = running(&world, 1);
    let handle = shards.router().shards()[0].clone();
    let mut reports = Vec::new();
    // Each time enough for one, however slowly it comes.
    for holds in [0..1, 1..41, 41..200] {
        holds.for_each(|number| drop(ask(&handle, vec![hold(number, number)])));
        reports.push(notices.recv().unwrap());
    }
    reports.extend(notices.try_iter());
    for pair in reports.windows(2) {
        assert!((pair[1].lsn.0 - pair[0].lsn.0) * EVENT_BYTES_MAX >= pair[0].bytes, "{pair:?}");
    }
    drop(shards.stop());
}
