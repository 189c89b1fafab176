//! The file keeps the newest position through closing, torn slots and failed writes.

use super::*;

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

fn position(lsn: u64) -> Position {
    Position { epoch: ShardEpoch(1), lsn: Lsn(lsn) }
}

fn created() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("acknowledged");
    create(&path, TWO).unwrap();
    (temporary, path)
}

/// Publishes in shard 1 and closes, once for each LSN.
fn publish(path: &Path, lsns: &[u64]) {
    for lsn in lsns {
        let acknowledged = Acknowledged::open(path, TWO).unwrap();
        acknowledged.publish(ShardId(1), position(*lsn));
    }
}

fn damage(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_slot_has_exactly_these_bytes() {
    let slot = Slot { position: Position { epoch: ShardEpoch(2), lsn: Lsn(9) }, sequence: 5 }.encode(ShardId(3));
    let hex: String = slot.iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = ["55534841", "03000000", "0200000000000000", "0900000000000000", "0500000000000000"];
    assert_eq!(hex[..64], fields.concat());
    assert_eq!(hex[64..], ["00".repeat(28).as_str(), "1a2cb1c8"].concat());
}

#[test]
fn closing_writes_what_was_published_last() {
    let (_temporary, path) = created();
    assert_eq!(read(&path, TWO).unwrap(), [Position::NONE; 2]);
    publish(&path, &[7, 8, 9]);
    assert_eq!(read(&path, TWO).unwrap(), [Position::NONE, position(9)]);
}

#[test]
fn an_open_file_follows_within_the_interval() {
    let (_temporary, path) = created();
    let acknowledged = Acknowledged::open(&path, TWO).unwrap();
    acknowledged.publish(ShardId(0), position(4));
    assert_eq!(acknowledged.position(ShardId(0)), position(4));
    let written = || read(&path, TWO).unwrap()[0] == position(4);
    // Generous, because a loaded machine may not run the thread for a while.
    assert!((0..1000).any(|_| written() || {
        thread::sleep(Duration::from_millis(5));
        false
    }));
}

#[test]
fn a_damaged_slot_leaves_the_one_before_and_two_leave_nothing() {
    let (_temporary, path) = created();
    publish(&path, &[7, 8]);
    // The slots of shard 1 began at sequences 0 and 1, so 7 is in the first slot and 8 in the second.
    damage(&path, 3 * SLOT_BYTES + 20);
    assert_eq!(read(&path, TWO).unwrap()[1], position(7));
    damage(&path, 2 * SLOT_BYTES + 20);
    let refused = read(&path, TWO);
    assert!(matches!(refused, Err(LogError::WatermarkUnreadable { shard: ShardId(1), .. })), "{refused:?}");
}

#[test]
fn every_flipped_bit_of_a_slot_is_noticed() {
    let whole = Slot { position: position(9), sequence: 5 }.encode(ShardId(3));
    for bit in 0..SLOT_BYTES * 8 {
        let mut damaged = whole;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Slot::decode(ShardId(3), &damaged).is_none(), "bit {bit}");
    }
    assert!(Slot::decode(ShardId(4), &whole).is_none());
}

#[test]
fn a_shortened_file_is_refused() {
    let (_temporary, path) = created();
    fs::write(&path, &fs::read(&path).unwrap()[..2 * SLOT_BYTES]).unwrap();
    assert!(matches!(read(&path, TWO), Err(LogError::WatermarkUnreadable { shard: ShardId(1), .. })));
}

#[test]
fn a_file_that_cannot_be_written_is_reported_and_its_slots_are_kept() {
    let (_temporary, path) = created();
    let positions = Box::new([Mutex::new(position(5)), Mutex::new(Position::NONE)]);
    let shared = Arc::new(Shared { path: path.clone(), positions, failure: Mutex::new(None) });
    let read_only = File::open(&path).unwrap();
    let written = read_slots(&path, TWO).unwrap();
    let (stop, stopped) = mpsc::channel();
    drop(stop);
    Writer { shared: Arc::clone(&shared), file: read_only, written }.run(&stopped);
    let acknowledged = Acknowledged { shared, stop: None, thread: None };
    assert!(matches!(acknowledged.check_writable(), Err(LogError::WatermarkStalled { .. })));
    assert_eq!(read(&path, TWO).unwrap(), [Position::NONE; 2]);
}

#[test]
fn a_log_must_reach_it() {
    assert!(position(5).check_reached(ShardId(0), Lsn(5)).is_ok());
    let refused = position(5).check_reached(ShardId(0), Lsn(4)).unwrap_err();
    assert!(matches!(refused, LogError::AcknowledgedLost { recovered: Lsn(4), acknowledged: Lsn(5), .. }));
}
