//! Snapshots as files: kept whole, or refused.

use super::*;

const ID: SnapshotId = SnapshotId { part: PartId(7), lsn: Lsn(42) };

fn files(dir: &Path) -> SnapshotFiles {
    SnapshotFiles::new(dir, ShardId(3))
}

#[test]
fn what_is_put_is_listed_read_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    assert_eq!(files.list().unwrap(), []);
    files.remove_drafts().unwrap();
    let newer = SnapshotId { lsn: Lsn(100), ..ID };
    let other = SnapshotId { part: PartId(2), lsn: Lsn(50) };
    for (id, state) in [(newer, &b"newer"[..]), (ID, b"older"), (other, b"")] {
        files.put(id, state).unwrap();
    }
    files.put(newer, b"again").unwrap();
    assert_eq!(files.list().unwrap(), [other, ID, newer]);
    assert_eq!(files.read(newer).unwrap(), b"again");
    assert_eq!(files.read(other).unwrap(), b"");
    files.remove(newer).unwrap();
    files.remove(newer).unwrap();
    assert_eq!(files.list().unwrap(), [other, ID]);
    assert!(matches!(files.read(newer), Err(LogError::Io { .. })));
}

#[test]
fn every_flipped_bit_and_every_cut_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    files.put(ID, b"some state").unwrap();
    let (path, bytes) = (files.path(ID), fs::read(files.path(ID)).unwrap());
    let is_refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        matches!(files.read(ID), Err(LogError::SnapshotDamaged { .. }))
    };
    for byte in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 0x20;
        assert!(is_refused(&damaged), "byte {byte}");
        assert!(is_refused(&bytes[..byte]), "cut at {byte}");
    }
    assert!(is_refused(&[&bytes[..], &[0]].concat()));
    assert!(!is_refused(&bytes));
}

#[test]
fn a_snapshot_under_the_name_of_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    files.put(ID, b"some state").unwrap();
    let other = SnapshotId { lsn: Lsn(43), ..ID };
    fs::copy(files.path(ID), files.path(other)).unwrap();
    let error = files.read(other).unwrap_err().to_string();
    assert!(error.contains("another one than its name says") && error.contains("00043.snapshot"), "{error}");
}

#[test]
fn an_interrupted_writing_leaves_nothing_that_counts() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    files.put(ID, b"some state").unwrap();
    let draft = files.path(ID).with_extension("new");
    fs::write(&draft, b"half").unwrap();
    assert_eq!(files.list().unwrap(), [ID]);
    files.remove_drafts().unwrap();
    assert!(!draft.exists() && files.path(ID).exists());
}
