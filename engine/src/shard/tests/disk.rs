//! A disk that is full, and one that is slow.

use std::sync::Mutex;

use super::*;
use crate::inventory::seat_map::SeatMap;

type Notices = Arc<Mutex<Vec<String>>>;

fn watched(world: &World, clock: Arc<dyn Clock>) -> (Shard, Notices) {
    let (notices, log) = (Notices::default(), Box::new(world.store.log(SHARD).unwrap()));
    let told = Arc::clone(&notices);
    let observer: Observer = Arc::new(move |_, notice| told.lock().unwrap().push(format!("{notice:?}")));
    (
        Shard::recover(log, clock, ShardOptions { clock_leap_ms: u64::MAX, ..ShardOptions::default() }, observer)
            .unwrap(),
        notices,
    )
}

fn count(notices: &Notices, what: &str) -> usize {
    notices.lock().unwrap().iter().filter(|notice| notice.starts_with(what)).count()
}

fn turn(shard: &mut Shard, commands: Vec<Command>) -> Result<Vec<Outcome>, Fault> {
    let (request, outcomes) = execute(commands);
    shard.turn([request].into_iter()).unwrap();
    outcomes.recv().unwrap()
}

fn seat_map(shard: &mut Shard) -> SeatMap {
    let (reply, map) = reply();
    shard.turn([Request::SeatMap { show: SHOW, reply }].into_iter()).unwrap();
    map.recv().unwrap().unwrap()
}

#[test]
fn a_full_disk_takes_reads_only_and_goes_on_when_there_is_room() {
    let world = World::new();
    drop(world.shard_with_show());
    let (mut shard, notices) = watched(&world, world.clock.clone());
    assert_eq!(states(turn(&mut shard, vec![hold(1, 1)])), [Some(HoldState::Held)]);
    let (tail, hash) = (shard.tail(), shard.inventory.state_hash());

    world.store.set_disk_full(SHARD, true);
    // The hold is past its deadline: it would expire.
    world.clock.0.store(6_000, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(turn(&mut shard, vec![hold(2, 2)]), Err(Fault::DiskFull));
        assert_eq!(turn(&mut shard, vec![Command::GetHold(hold_id(1)), hold(2, 2)]), Err(Fault::DiskFull));
    }
    let (reply, created) = reply();
    shard.turn([create("another", reply)].into_iter()).unwrap();
    assert_eq!(created.recv().unwrap().unwrap_err(), Fault::DiskFull);
    assert!(turn(&mut shard, vec![Command::GetHold(hold_id(1))]).unwrap()[0].is_ok());
    assert_eq!(seat_map(&mut shard).available.count(), 999);
    assert_eq!((shard.tail(), shard.inventory.state_hash()), (tail, hash), "nothing was decided");
    assert_eq!((count(&notices, "DiskRefuses"), count(&notices, "DiskWritable")), (1, 0));
    assert_eq!(shard.idle_wait(), crate::shard::disk::LOOK_WAIT, "it does not spin on what is due");

    world.store.set_disk_full(SHARD, false);
    assert_eq!(states(turn(&mut shard, vec![hold(2, 2)])), [Some(HoldState::Held)]);
    assert_eq!((count(&notices, "DiskRefuses"), count(&notices, "DiskWritable")), (1, 1));
    // What had fallen due is made up for in the same turn.
    assert_eq!(seat_map(&mut shard).available.count(), 999);
    invariants::check(&shard.inventory);
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

#[test]
fn a_running_shard_says_that_it_only_reads_and_ends_in_order() {
    let world = World::new();
    drop(world.shard_with_show());
    world.store.set_disk_full(SHARD, true);
    let shards = start(&world, ShardOptions::default());
    let handle = shards.router().shards()[0].clone();
    assert_eq!(handle.status(), ShardStatus::ReadOnly);
    assert_eq!(ask(&handle, vec![hold(1, 1)]), Err(Fault::DiskFull));
    let unknown = shards.router().find(&ShowId::new("unknown").unwrap());
    assert!(matches!(unknown, Err(crate::router::NotFound::Unknown)), "the shard knows its shows");
    world.store.set_disk_full(SHARD, false);
    // Nobody asks for anything.
    while handle.status() != ShardStatus::Serving {
        std::thread::yield_now();
    }
    assert_eq!(states(ask(&handle, vec![hold(1, 1)])), [Some(HoldState::Held)]);
    world.store.set_disk_full(SHARD, true);
    assert!(shards.stop()[0].1.is_ok());
}

/// A clock that is ahead by so many milliseconds each time that it is read.
struct SlowClock(AtomicU64, AtomicU64);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(self.1.load(Ordering::SeqCst), Ordering::SeqCst))
    }

    // Measuring moves nothing.
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn a_slow_append_is_told_of_now_and_then() {
    let world = World::new();
    drop(world.shard_with_show());
    let clock = Arc::new(SlowClock(AtomicU64::new(1_000), AtomicU64::new(1_000)));
    let (mut shard, notices) = watched(&world, clock.clone());
    states(turn(&mut shard, vec![hold(1, 1)]));
    assert_eq!(count(&notices, "SlowAppend"), 0, "it took no longer than it may");
    clock.1.store(1_001, Ordering::SeqCst);
    for number in 2..12 {
        states(turn(&mut shard, vec![hold(number, number)]));
    }
    // Each turn reads the clock three times: ten turns take 30 s.
    assert_eq!(count(&notices, "SlowAppend { took_ms: 1001 }"), 3);
}
