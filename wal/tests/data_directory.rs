//! Whole data directories on the real RocksDB: what is refused, and by which words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use usher_wal::{Log, LogError, Lsn, ReadOnlyStore, RocksStore, SHARDS_MAX, ShardId, Tail};

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

fn open(dir: &Path) -> Result<Arc<RocksStore>, LogError> {
    RocksStore::open(dir, TWO)
}

/// Appends `count` small frames to a shard of an open store.
fn append(store: &Arc<RocksStore>, shard: u32, count: u64) -> Tail {
    let mut log = store.log(ShardId(shard)).unwrap();
    for _ in 0..count {
        let next = log.tail().lsn.next();
        log.append(next.0, format!("frame {next}").as_bytes()).unwrap();
    }
    log.tail()
}

/// Opens the directory and replays both shards, as a start does.
fn start(dir: &Path) -> Result<[Lsn; 2], LogError> {
    let store = open(dir)?;
    let replay = |shard| Ok::<_, LogError>(store.log(ShardId(shard))?.replay_from(Lsn::ZERO, &mut |_| Ok(()))?.lsn);
    Ok([replay(0)?, replay(1)?])
}

/// What a power cut leaves: the files as they are while the store is open.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Twice the time within which the watermark promises to be written.
fn wait_for_watermark() {
    thread::sleep(Duration::from_millis(200));
}

/// RocksDB's WAL files, the oldest first.
fn wal_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(dir.join("rocksdb")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).collect();
    files.sort();
    files
}

#[test]
fn a_store_is_created_once_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/data");
    let store = open(&path).unwrap();
    assert_eq!(store.shards(), TWO);
    append(&store, 0, 3);
    append(&store, 1, 5);
    drop(store);
    assert_eq!(start(&path).unwrap(), [Lsn(3), Lsn(5)]);
    assert!(matches!(open(&path).unwrap().log(ShardId(2)), Err(LogError::UnknownShard { shards: 2, .. })));
}

#[test]
fn the_number_of_shards_is_fixed_and_limited() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let refused = RocksStore::open(dir.path(), NonZeroU32::MIN).err().unwrap();
    assert!(matches!(refused, LogError::ShardCount { found: 2, wanted: 1, .. }), "{refused}");
    let refused = RocksStore::open(dir.path(), NonZeroU32::MAX).err().unwrap();
    assert!(matches!(refused, LogError::TooManyShards { shards_max: SHARDS_MAX, .. }), "{refused}");
}

#[test]
fn missing_parts_and_other_formats_are_refused() {
    for part in ["format", "acknowledged", "rocksdb/CURRENT", "snapshots"] {
        let dir = tempfile::tempdir().unwrap();
        append(&open(dir.path()).unwrap(), 0, 3);
        let path = dir.path().join(part);
        if part == "snapshots" { fs::remove_dir(path) } else { fs::remove_file(path) }.unwrap();
        let refused = start(dir.path()).unwrap_err();
        assert!(matches!(&refused, LogError::Missing { path } if path.ends_with(part)), "{refused}");
        let refused = ReadOnlyStore::open(dir.path()).err().unwrap();
        assert!(matches!(&refused, LogError::Missing { path } if path.ends_with(part)), "{refused}");
    }
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    fs::write(dir.path().join("format"), "usher data directory\nformat 9\n").unwrap();
    let refused = start(dir.path()).unwrap_err();
    assert!(matches!(refused, LogError::UnknownFormat { found: 9, supported: 2, .. }), "{refused}");
}

#[test]
fn an_interrupted_creation_is_redone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    // As after a crash just before the last step: all parts are there, and `format` does not say so yet.
    fs::write(dir.path().join("format"), "usher data directory\nformat 1\nshards 7\nstate creating\n").unwrap();
    assert!(matches!(ReadOnlyStore::open(dir.path()), Err(LogError::Unfinished { .. })));
    assert_eq!(start(dir.path()).unwrap(), [Lsn::ZERO; 2]);
}

#[test]
fn a_second_store_in_this_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(LogError::InUse { .. })));
    // A log keeps its store open, whoever drops the store.
    let log = store.log(ShardId(0)).unwrap();
    drop(store);
    assert!(matches!(open(dir.path()), Err(LogError::InUse { .. })));
    drop(log);
    open(dir.path()).unwrap();
}

const DIRECTORY_OF_CHILD: &str = "USHER_WAL_TEST_DIRECTORY";

#[test]
fn a_second_process_is_refused() {
    if let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) {
        assert!(matches!(open(Path::new(&dir)), Err(LogError::InUse { .. })));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "a_second_process_is_refused"]).env(DIRECTORY_OF_CHILD, dir.path());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path()).unwrap();
    append(&store, 0, 40);
    append(&store, 1, 20);
    copy(dir.path(), image.path());
    assert_eq!(start(image.path()).unwrap(), [Lsn(40), Lsn(20)]);
}

#[test]
fn a_deleted_newest_wal_is_missed() {
    let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path()).unwrap();
    append(&store, 0, 40);
    wait_for_watermark();
    copy(dir.path(), image.path());
    fs::remove_file(wal_files(image.path()).last().unwrap()).unwrap();
    let refused = start(image.path()).unwrap_err();
    let lost =
        matches!(refused, LogError::AcknowledgedLost { shard: ShardId(0), recovered: Lsn(0), acknowledged: Lsn(40) });
    assert!(lost, "{refused}");
    let reader = ReadOnlyStore::open(image.path()).unwrap();
    assert!(matches!(reader.replay(ShardId(0), &mut |_| Ok(())), Err(LogError::AcknowledgedLost { .. })));
    // The log is not appended to either, for whoever forgets to replay it.
    let refused = open(image.path()).unwrap().log(ShardId(0)).unwrap().append(99, b"new");
    assert!(matches!(refused, Err(LogError::AcknowledgedLost { .. })), "{refused:?}");
}

#[test]
fn a_wal_cut_short_anywhere_is_missed() {
    let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path()).unwrap();
    append(&store, 0, 20);
    wait_for_watermark();
    for hundredth in (0..100).step_by(7) {
        let cut = image.path().join(hundredth.to_string());
        copy(dir.path(), &cut);
        let newest = wal_files(&cut).pop().unwrap();
        let file = fs::OpenOptions::new().write(true).open(&newest).unwrap();
        file.set_len(fs::metadata(&newest).unwrap().len() * hundredth / 100).unwrap();
        assert!(start(&cut).is_err(), "cut to {hundredth} % and not noticed");
    }
}

#[test]
fn flipped_bits_in_the_wal_are_refused() {
    let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path()).unwrap();
    append(&store, 0, 20);
    wait_for_watermark();
    let bytes = fs::read(wal_files(dir.path()).last().unwrap()).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 20) {
        let damaged = image.path().join(at.to_string());
        copy(dir.path(), &damaged);
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x40;
        fs::write(wal_files(&damaged).last().unwrap(), bytes).unwrap();
        assert!(start(&damaged).is_err(), "byte {at} was changed and not noticed");
    }
}

#[test]
fn a_reader_sees_a_live_store_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    append(&store, 0, 10);
    let names = || {
        let files = fs::read_dir(dir.path().join("rocksdb")).unwrap().map(|entry| entry.unwrap().file_name());
        files.collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    let reader = ReadOnlyStore::open(dir.path()).unwrap();
    assert_eq!(reader.shards(), TWO);
    let tail = append(&store, 0, 10);
    assert_eq!(reader.replay(ShardId(0), &mut |_| Ok(())).unwrap().lsn, Lsn(10));
    assert_eq!(reader.replay(ShardId(1), &mut |_| Ok(())).unwrap(), Tail::EMPTY);
    assert!(matches!(reader.replay(ShardId(2), &mut |_| Ok(())), Err(LogError::UnknownShard { .. })));
    let reader = ReadOnlyStore::open(dir.path()).unwrap();
    assert_eq!(reader.replay(ShardId(0), &mut |_| Ok(())).unwrap(), tail);
    assert_eq!(names(), before);
}

#[test]
fn readers_beside_a_busy_writer_always_find_a_sound_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let writer = thread::spawn(move || append(&store, 1, 2000));
    let mut last = Lsn::ZERO;
    while !writer.is_finished() {
        let reader = ReadOnlyStore::open(dir.path()).unwrap();
        let tail = reader.replay(ShardId(1), &mut |_| Ok(())).unwrap();
        assert!(tail.lsn >= last);
        last = tail.lsn;
    }
    writer.join().unwrap();
}

/// A directory of format 1, which had no snapshots, is as good as any other, and is of format 2 from its first opening on.
#[test]
fn a_directory_of_the_first_format_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    append(&open(dir.path()).unwrap(), 0, 3);
    let format = |number| format!("usher data directory\nformat {number}\nshards 2\nstate ready\n");
    fs::remove_dir(dir.path().join("snapshots")).unwrap();
    fs::write(dir.path().join("format"), format(1)).unwrap();
    assert_eq!(ReadOnlyStore::open(dir.path()).unwrap().shards().get(), 2);
    assert!(!dir.path().join("snapshots").exists(), "a reader changes nothing");
    assert_eq!(start(dir.path()).unwrap(), [Lsn(3), Lsn(0)]);
    assert_eq!(fs::read_to_string(dir.path().join("format")).unwrap(), format(2));
    assert!(dir.path().join("snapshots").exists());
}
