//! What is decided while the last batch is appended, and what becomes of it when that fails.

use std::sync::{Mutex, mpsc::RecvTimeoutError};

use usher_wal::{Frame, LogStart, MemoryLog, ReplayStop, ShardEpoch, SnapshotStore, Tail};

use super::*;
use crate::shard::committer::DECIDED_MEANWHILE_MIN;

const LARGE: u32 = 512;
const _: () = assert!(LARGE as usize == DECIDED_MEANWHILE_MIN);

/// A log whose appends wait until they are let go.
struct Gated {
    log: MemoryLog,
    gate: Arc<Mutex<()>>,
}

impl Log for Gated {
    fn shard(&self) -> ShardId {
        self.log.shard()
    }

    fn epoch(&self) -> ShardEpoch {
        self.log.epoch()
    }

    fn tail(&self) -> Tail {
        self.log.tail()
    }

    fn append(&mut self, clock_ms: u64, payload: &[u8]) -> Result<Lsn, LogError> {
        drop(self.gate.lock().unwrap());
        self.log.append(clock_ms, payload)
    }

    fn start(&self) -> Result<LogStart, LogError> {
        self.log.start()
    }

    fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        self.log.snapshots()
    }

    fn check_writable(&self) -> Result<(), LogError> {
        self.log.check_writable()
    }

    fn replay_from(
        &mut self,
        from: Lsn,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<(), ReplayStop>,
    ) -> Result<Tail, LogError> {
        self.log.replay_from(from, visit)
    }

    fn reopen(&mut self) -> Result<(), LogError> {
        self.log.reopen()
    }
}

fn start_gated(world: &World) -> (Shards, ShardHandle, Arc<Mutex<()>>) {
    drop(world.shard_with_show());
    let gate = Arc::<Mutex<()>>::default();
    let (store, its) = (world.store.clone(), Arc::clone(&gate));
    let open: crate::start::OpenLog =
        Arc::new(move |shard| Ok(Box::new(Gated { log: store.log(shard)?, gate: Arc::clone(&its) })));
    let shards = Shards::start(1, open, world.clock.clone(), ShardOptions::default(), Arc::new(|_, _| {})).unwrap();
    let handle = shards.router().shards()[0].clone();
    while handle.status() != ShardStatus::Serving {
        std::thread::yield_now();
    }
    (shards, handle, gate)
}

type Answers = mpsc::Receiver<Result<Vec<Outcome>, Fault>>;

/// Asks for so many seats from one on, each for a buyer of his own.
fn ask_for(handle: &ShardHandle, first: u32, count: u32) -> Answers {
    let (request, answers) = execute((first..first + count).map(|seat| hold(seat, seat % 1_000)).collect());
    handle.submit(request);
    answers
}

fn is_silent(answers: &Answers) -> bool {
    matches!(answers.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout))
}

/// A large batch from this seat on, which the shard has taken.
fn taken(handle: &ShardHandle, first: u32) -> Answers {
    let answers = ask_for(handle, first, LARGE);
    let (_open, never) = mpsc::channel::<()>();
    let mut looks = (0..10_000).map(|_| never.recv_timeout(Duration::from_millis(1)));
    assert!(looks.any(|_| handle.waiting() == 0), "it is not taken");
    answers
}

fn held(answers: &Answers) -> usize {
    states(answers.recv().unwrap()).iter().filter(|state| **state == Some(HoldState::Held)).count()
}

#[test]
fn while_a_large_batch_is_appended_another_is_decided_and_nobody_is_answered() {
    let world = World::new();
    let (shards, handle, gate) = start_gated(&world);
    let closed = gate.lock().unwrap();
    let first = taken(&handle, 0);
    let second = taken(&handle, 1_000);
    assert!(is_silent(&first) && is_silent(&second));
    drop(closed);
    // All of the second's seats went to the first: a refusal may rest on a hold that was not durable when it was decided.
    assert_eq!((held(&first), held(&second)), (DECIDED_MEANWHILE_MIN, 0));
    let report = shards.stop()[0].1.unwrap();
    assert_eq!(world.shard().inventory.state_hash(), report.state_hash);
}

#[test]
fn few_commands_wait_for_the_append_and_go_together() {
    let world = World::new();
    let (shards, handle, gate) = start_gated(&world);
    let closed = gate.lock().unwrap();
    let large = taken(&handle, 0);
    let few: Vec<_> = (0..3).map(|number| ask_for(&handle, LARGE + number, 1)).collect();
    assert!(is_silent(&few[0]));
    assert_eq!(handle.waiting(), 3);
    drop(closed);
    assert_eq!(held(&large), DECIDED_MEANWHILE_MIN);
    assert_eq!(few.iter().map(held).sum::<usize>(), 3);
    let lsn = shards.stop()[0].1.unwrap().lsn;
    // The show's, the large one's, theirs.
    assert_eq!(lsn, Lsn(3));
}

#[test]
fn after_an_append_that_failed_what_was_decided_meanwhile_is_unknown_too() {
    for failure in [Failure::Lost, Failure::Kept] {
        let world = World::new();
        let (shards, handle, gate) = start_gated(&world);
        let closed = gate.lock().unwrap();
        world.store.fail_next_append(SHARD, failure);
        let first = taken(&handle, 0);
        let second = taken(&handle, 1_000);
        drop(closed);
        assert_eq!(first.recv().unwrap(), Err(Fault::OutcomeUnknown));
        assert_eq!(second.recv().unwrap(), Err(Fault::OutcomeUnknown));
        // Whoever asks again is told what the log tells.
        let again = loop {
            match ask(&handle, vec![hold(1_000, 0)]) {
                Err(Fault::Recovering) => std::thread::yield_now(),
                answer => break states(answer),
            }
        };
        let expected = if matches!(failure, Failure::Kept) { None } else { Some(HoldState::Held) };
        assert_eq!(again, [expected]);
        let report = shards.stop()[0].1.unwrap();
        assert_eq!(world.shard().inventory.state_hash(), report.state_hash);
    }
}

#[test]
fn a_shard_that_is_told_to_end_answers_what_is_under_way() {
    let world = World::new();
    let (shards, handle, gate) = start_gated(&world);
    let closed = gate.lock().unwrap();
    let first = taken(&handle, 0);
    let second = ask_for(&handle, LARGE, 7);
    let stopping = std::thread::spawn(move || shards.stop()[0].1.unwrap());
    assert!(is_silent(&second));
    drop(closed);
    let report = stopping.join().unwrap();
    assert_eq!((held(&first), held(&second)), (DECIDED_MEANWHILE_MIN, 7));
    assert_eq!(world.shard().inventory.state_hash(), report.state_hash);
}
