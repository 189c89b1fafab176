//! One test for each way in which whole frames can fail to be a sequence.

use super::*;
use crate::FrameError;

const SHARD: ShardId = ShardId(1);

/// Three frames that follow each other, written in epoch 5 at 100, 101 and 102 ms.
fn three() -> Vec<Vec<u8>> {
    let mut tail = Tail::EMPTY;
    (0..3)
        .map(|n| {
            let mut buffer = Vec::new();
            tail = encode_next((SHARD, ShardEpoch(5)), &tail, (100 + n, b"x"), &mut buffer).unwrap();
            buffer
        })
        .collect()
}

/// The frame that follows `frames`, with any field wrong.
fn following(frames: &[Vec<u8>], change: impl FnOnce(&mut Frame<'_>, &mut FrameHash)) -> Vec<u8> {
    let (last, _) = frame::decode(frames.last().unwrap()).unwrap();
    let mut next = Frame { lsn: last.lsn.next(), ..last };
    let mut previous = FrameHash::of(frames.last().unwrap());
    change(&mut next, &mut previous);
    let mut buffer = Vec::new();
    frame::encode(&next, previous, &mut buffer).unwrap();
    buffer
}

/// Replays frames stored at the LSNs 1, 2, 3, ... and returns the LSNs visited.
fn replay(from: u64, frames: &[Vec<u8>]) -> Result<Vec<u64>, LogError> {
    let mut chain = Chain::starting_at(SHARD, Lsn(from), Lsn::ZERO).unwrap();
    let mut visited = Vec::new();
    let stored = (1..).map(Lsn).zip(frames);
    for (at, encoded) in stored.skip_while(|(at, _)| *at < chain.first_read()).collect::<Vec<_>>() {
        chain.read(at, encoded, &mut |frame| {
            visited.push(frame.lsn.0);
            Ok(())
        })?;
    }
    chain.end().map(|_| visited)
}

fn replay_with_fourth(change: impl FnOnce(&mut Frame<'_>, &mut FrameHash)) -> LogError {
    let mut frames = three();
    frames.push(following(&frames, change));
    replay(1, &frames).unwrap_err()
}

#[test]
fn whole_logs_are_visited_from_where_was_asked() {
    assert_eq!(replay(0, &three()).unwrap(), [1, 2, 3]);
    assert_eq!(replay(1, &three()).unwrap(), [1, 2, 3]);
    assert_eq!(replay(3, &three()).unwrap(), [3]);
    assert_eq!(replay(4, &three()).unwrap(), [0; 0]);
    assert_eq!(replay(1, &[]).unwrap(), [0; 0]);
    assert!(matches!(replay(5, &three()), Err(LogError::PastEnd { from: Lsn(5), .. })));
}

#[test]
fn a_missing_frame_is_a_gap() {
    let frames = three();
    let mut chain = Chain::starting_at(SHARD, Lsn::FIRST, Lsn::ZERO).unwrap();
    chain.read(Lsn(1), &frames[0], &mut |_| Ok(())).unwrap();
    let error = chain.read(Lsn(3), &frames[2], &mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, LogError::Gap { shard: SHARD, expected: Lsn(2), found: Lsn(3) }));
}

#[test]
fn each_wrong_field_has_its_own_error() {
    let error = replay_with_fourth(|frame, _| frame.shard = ShardId(2));
    assert!(matches!(error, LogError::Misplaced { lsn: Lsn(4), found_shard: ShardId(2), .. }));
    let error = replay_with_fourth(|frame, _| frame.lsn = Lsn(9));
    assert!(matches!(error, LogError::Misplaced { lsn: Lsn(4), found_lsn: Lsn(9), .. }));
    let error = replay_with_fourth(|_, previous| previous.0[0] ^= 1);
    assert!(matches!(error, LogError::ChainBroken { lsn: Lsn(4), .. }));
    let error = replay_with_fourth(|frame, _| frame.epoch = ShardEpoch(4));
    assert!(matches!(error, LogError::EpochFell { lsn: Lsn(4), previous: ShardEpoch(5), .. }));
    let error = replay_with_fourth(|frame, _| frame.clock_ms = 101);
    assert!(matches!(error, LogError::ClockFell { lsn: Lsn(4), clock_ms: 101, previous_ms: 102, .. }));
}

#[test]
fn damage_names_shard_and_lsn() {
    let mut frames = three();
    frames[1][57] ^= 1;
    let error = replay(1, &frames).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { lsn: Lsn(2), reason: FrameError::BadChecksum { .. }, .. }));
    assert!(error.to_string().contains("shard 1") && error.to_string().contains("LSN 2"), "{error}");
}

#[test]
fn a_rejecting_visitor_ends_the_replay_with_its_own_words() {
    let mut chain = Chain::starting_at(SHARD, Lsn::FIRST, Lsn::ZERO).unwrap();
    let error = chain.read(Lsn(1), &three()[0], &mut |_| Err("seat 4 is sold twice".into())).unwrap_err();
    let LogError::Rejected { shard: SHARD, lsn: Lsn(1), source } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "seat 4 is sold twice");
}

#[test]
fn the_clock_cannot_be_made_to_fall() {
    let tail = Tail { clock_ms: 10, ..Tail::EMPTY };
    let refused = encode_next((SHARD, ShardEpoch(1)), &tail, (9, b""), &mut Vec::new());
    assert!(matches!(refused, Err(LogError::ClockFell { lsn: Lsn(1), clock_ms: 9, previous_ms: 10, .. })));
}
