//! What a shard tells of its turns, and when.

use std::sync::Mutex;

use super::*;
use crate::{command::CommandKind, rejection::RejectionKind};

/// What was told so far, and an observer who notes it.
fn noting() -> (Arc<Mutex<Vec<Notice>>>, Observer) {
    let told = Arc::<Mutex<Vec<Notice>>>::default();
    let noted = Arc::clone(&told);
    (told, Arc::new(move |_, notice| noted.lock().unwrap().push(notice)))
}

/// The turns among what was told since the last look; each must have been answered right after.
fn turns(told: &Mutex<Vec<Notice>>) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut told = told.lock().unwrap().drain(..).collect::<Vec<_>>().into_iter();
    while let Some(notice) = told.next() {
        if let Notice::Decided(turn) = notice {
            assert!(matches!(told.next(), Some(Notice::Answered { .. })));
            turns.push(*turn);
        }
    }
    turns
}

#[test]
fn a_turn_tells_what_was_decided_logged_and_expired_and_how_late() {
    let world = World::new();
    drop(world.shard_with_show());
    let (told, observer) = noting();
    let options = ShardOptions { clock_leap_ms: u64::MAX, ..ShardOptions::default() };
    let mut shard =
        Shard::recover(Box::new(world.store.log(SHARD).unwrap()), world.clock.clone(), options, observer).unwrap();
    let (request, outcomes) = execute(vec![hold(1, 7), hold(2, 7), hold(3, 8)]);
    shard.turn([request].into_iter()).unwrap();
    assert_eq!(outcomes.recv().unwrap().unwrap().len(), 3);
    let turn = turns(&told).remove(0);
    assert_eq!((turn.requests, turn.decided(), turn.events, turn.holds), (1, 3, 2, Some(2)));
    assert_eq!(turn.commands[CommandKind::HoldSeats as usize], [2, 1]);
    assert_eq!(turn.rejections[RejectionKind::PlacesTaken as usize], 1);
    assert!(turn.bytes > 0);
    // They lived for 5 s.
    world.clock.0.store(1_000 + 5_000 + 30, Ordering::SeqCst);
    shard.turn(std::iter::empty()).unwrap();
    let turn = turns(&told).remove(0);
    assert_eq!((turn.requests, turn.expired, turn.late_ms, turn.holds), (0, 2, 30, Some(0)));
    // Counted once a second.
    shard.turn(std::iter::empty()).unwrap();
    assert_eq!(turns(&told).remove(0).holds, None);
}

#[test]
fn a_turn_that_is_not_durable_is_none() {
    let world = World::new();
    drop(world.shard_with_show());
    let (told, observer) = noting();
    let mut shard = Shard::recover(
        Box::new(world.store.log(SHARD).unwrap()),
        world.clock.clone(),
        ShardOptions::default(),
        observer,
    )
    .unwrap();
    world.store.fail_next_append(SHARD, Failure::Lost);
    let (request, outcomes) = execute(vec![hold(1, 7)]);
    assert!(shard.turn([request].into_iter()).is_err());
    assert_eq!(outcomes.recv().unwrap().unwrap_err(), Fault::OutcomeUnknown);
    assert!(turns(&told).is_empty());
}
