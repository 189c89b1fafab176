//! What becomes of a data directory whose files are damaged: recovered with every acknowledged frame, or refused with the
//! place and the remedy. Never anything in between.
//!
//! Each damage is done to four directories: one RocksDB WAL or two, left by an interruption or closed in order.

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::{Log, LogError, Lsn, ReadOnlyStore, RocksStore, ShardId};
use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode, Options, WriteOptions};

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
/// So many that half of them fit into a block: what is torn in a WAL's last block looks like its end.
const FRAMES: u64 = 200;
const FAMILIES: [&str; 3] = ["default", "log", "meta"];
/// A record of RocksDB's WAL: checksum, length, type. It never spans a block without saying so.
const RECORD_HEADER_BYTES: usize = 7;
const BLOCK_BYTES: usize = 32 * 1024;

/// How the last writer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Interrupted,
    Clean,
}

/// What an opening has to make of it.
#[derive(Clone, Copy)]
enum Verdict {
    /// Every frame is there.
    Whole,
    /// Every acknowledged frame is there; the last one was not acknowledged, and is gone.
    WithoutLast,
    /// It is refused, and as what.
    Refused(fn(&LogError) -> bool),
}

const DAMAGED: Verdict = Verdict::Refused(|error| matches!(error, LogError::StorageDamaged { .. }));
const LOST: Verdict = Verdict::Refused(|error| matches!(error, LogError::AcknowledgedLost { shard: ShardId(0), .. }));
const MISSING: Verdict = Verdict::Refused(|error| matches!(error, LogError::Missing { .. }));

/// One damage: to an interrupted directory, and to one that was closed in order.
struct Row {
    name: &'static str,
    wals: usize,
    damage: fn(&Image),
    interrupted: Verdict,
    clean: Verdict,
}

fn row(name: &'static str, wals: usize, damage: fn(&Image), [interrupted, clean]: [Verdict; 2]) -> Row {
    Row { name, wals, damage, interrupted, clean }
}

/// A data directory that may be damaged.
struct Image(PathBuf);

impl Image {
    /// RocksDB's WAL files, the oldest first.
    fn wals(&self) -> Vec<PathBuf> {
        files(&self.0.join("rocksdb"), |name| name.ends_with(".log"))
    }

    fn newest(&self) -> PathBuf {
        self.wals().pop().unwrap()
    }

    fn oldest(&self) -> PathBuf {
        self.wals().remove(0)
    }
}

fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<_> = names.filter(|name| wanted(name)).map(|name| dir.join(name)).collect();
    found.sort();
    found
}

fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    how(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Where the records of a WAL begin. It ends with its last one.
fn records(wal: &[u8]) -> Vec<usize> {
    let mut begins = Vec::new();
    let mut at = 0;
    while at + RECORD_HEADER_BYTES <= wal.len() {
        if BLOCK_BYTES - at % BLOCK_BYTES < RECORD_HEADER_BYTES {
            at = at.next_multiple_of(BLOCK_BYTES);
            continue;
        }
        begins.push(at);
        at += RECORD_HEADER_BYTES + usize::from(u16::from_le_bytes([wal[at + 4], wal[at + 5]]));
    }
    begins
}

/// Flips a bit of the record that is `numerator` sixths of the way through, `byte` bytes behind its beginning.
fn flip(path: &Path, numerator: usize, byte: usize) {
    change(path, |wal| {
        let records = records(wal);
        wal[records[(records.len() - 1) * numerator / 6] + byte] ^= 0x80;
    });
}

/// RocksDB's own reader never ends on such a one (`kRecyclableFullType`).
fn retype(path: &Path) {
    change(path, |wal| {
        let records = records(wal);
        wal[records[records.len() / 2] + RECORD_HEADER_BYTES - 1] = 5;
    });
}

fn truncate(path: &Path, to: impl FnOnce(&[u8]) -> usize) {
    change(path, |wal| {
        let length = to(wal);
        wal.truncate(length);
    });
}

fn matrix() -> Vec<Row> {
    const LENGTH: usize = 5;
    const CONTENT: usize = 40;
    vec![
        row("nothing", 1, |_| {}, [Verdict::Whole; 2]),
        row("nothing, two WALs", 2, |_| {}, [Verdict::Whole; 2]),
        row("bit flip mid WAL", 1, |image| flip(&image.newest(), 3, CONTENT), [DAMAGED; 2]),
        row("bit flip in the last record", 1, |image| flip(&image.newest(), 6, CONTENT), [LOST, DAMAGED]),
        row("bit flip in the last record, not acknowledged", 1, flip_unacknowledged, [Verdict::WithoutLast, DAMAGED]),
        row("bit flip in the older of two WALs", 2, |image| flip(&image.oldest(), 3, CONTENT), [DAMAGED; 2]),
        row("flip in a length field", 1, |image| flip(&image.newest(), 1, LENGTH), [DAMAGED; 2]),
        row("flip in a length field, older of two", 2, |image| flip(&image.oldest(), 1, LENGTH), [DAMAGED; 2]),
        row("a record's type is one of recycled files", 1, |image| retype(&image.newest()), [DAMAGED; 2]),
        row("torn tail", 1, |image| truncate(&image.newest(), |wal| wal.len() - 10), [LOST, DAMAGED]),
        row("torn tail, two WALs", 2, |image| truncate(&image.newest(), |wal| wal.len() - 10), [LOST, DAMAGED]),
        row("torn tail, not acknowledged", 1, tear_unacknowledged, [Verdict::WithoutLast, DAMAGED]),
        row("newest WAL cut in half", 1, |image| truncate(&image.newest(), cut_in_half), [LOST, DAMAGED]),
        row("newest of two WALs cut in half", 2, |image| truncate(&image.newest(), cut_in_half), [LOST, DAMAGED]),
        row("older of two WALs cut in half", 2, |image| truncate(&image.oldest(), cut_in_half), [DAMAGED; 2]),
        row("cut at a record's boundary", 1, |image| truncate(&image.newest(), before_the_last_five), [LOST; 2]),
        row("zeros over the last 4 KiB", 1, |image| change(&image.newest(), |wal| zero_the_end(wal)), [LOST, DAMAGED]),
        row(
            "4 KiB of zeros appended",
            1,
            |image| change(&image.newest(), |wal| wal.extend([0; 4096])),
            [Verdict::Whole; 2],
        ),
        row("4 KiB of garbage appended", 1, |image| change(&image.newest(), append_garbage), [Verdict::Whole, DAMAGED]),
        row("the only WAL deleted", 1, |image| fs::remove_file(image.newest()).unwrap(), [LOST; 2]),
        row("newest of two WALs deleted", 2, |image| fs::remove_file(image.newest()).unwrap(), [LOST; 2]),
        row("older of two WALs deleted", 2, |image| fs::remove_file(image.oldest()).unwrap(), [DAMAGED; 2]),
        row("MANIFEST flipped", 1, flip_manifest, [DAMAGED; 2]),
        row("CURRENT deleted", 1, |image| fs::remove_file(image.0.join("rocksdb/CURRENT")).unwrap(), [MISSING; 2]),
    ]
}

/// In the middle of a record.
fn cut_in_half(wal: &[u8]) -> usize {
    let records = records(wal);
    records[records.len() / 2] + 50
}

fn before_the_last_five(wal: &[u8]) -> usize {
    let records = records(wal);
    records[records.len() - 5]
}

fn zero_the_end(wal: &mut [u8]) {
    let kept = wal.len() - 4096;
    wal[kept..].fill(0);
}

fn append_garbage(wal: &mut Vec<u8>) {
    wal.extend((0..4096_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]));
}

fn flip_manifest(image: &Image) {
    let manifest = files(&image.0.join("rocksdb"), |name| name.starts_with("MANIFEST")).pop().unwrap();
    change(&manifest, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    });
}

/// As after a power cut in the middle of the last append: the watermark is the one before it.
fn tear_unacknowledged(image: &Image) {
    fs::copy(image.0.join("before-the-last"), image.0.join("acknowledged")).unwrap();
    truncate(&image.newest(), |wal| wal.len() - 10);
}

/// As after a power cut that left the last append in full length, but not all of its sectors.
fn flip_unacknowledged(image: &Image) {
    fs::copy(image.0.join("before-the-last"), image.0.join("acknowledged")).unwrap();
    flip(&image.newest(), 6, 40);
}

fn payload(lsn: u64) -> Vec<u8> {
    let mut payload = lsn.to_le_bytes().to_vec();
    payload.resize(100, 7);
    payload
}

/// A directory with all frames of shard 0 in its only WAL, and what its watermark was before the last one.
fn one_wal(dir: &Path) {
    let store = RocksStore::open(dir, TWO).unwrap();
    let [mut log, mut other] = [0, 1].map(|shard| store.log(ShardId(shard)).unwrap());
    other.append(1, b"of the other shard").unwrap();
    for lsn in 1..FRAMES {
        log.append(lsn, &payload(lsn)).unwrap();
    }
    // Twice what the watermark promises.
    thread::sleep(Duration::from_millis(200));
    fs::copy(dir.join("acknowledged"), dir.join("before-the-last")).unwrap();
    log.append(FRAMES, &payload(FRAMES)).unwrap();
}

/// The same frames under the same watermark, half of them in a second WAL, as after a flush of another column family.
fn two_wals(dir: &Path, from: &Path) {
    drop(RocksStore::open(dir, TWO).unwrap());
    fs::copy(from.join("acknowledged"), dir.join("acknowledged")).unwrap();
    let open = |dir: &Path| {
        let mut options = Options::default();
        options.set_track_and_verify_wals_in_manifest(true);
        let families = FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, Options::default()));
        DB::open_cf_descriptors(&options, dir, families).unwrap()
    };
    let copied = tempfile::tempdir().unwrap();
    copy(&from.join("rocksdb"), copied.path());
    let (from, to) = (open(copied.path()), open(&dir.join("rocksdb")));
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let frames = from.iterator_cf(from.cf_handle("log").unwrap(), IteratorMode::Start);
    let mut frames: Vec<_> = frames.map(Result::unwrap).collect();
    // In the order in which they were appended: that of the other shard came first.
    frames.rotate_right(1);
    for (number, (key, encoded)) in frames.into_iter().enumerate() {
        if number as u64 == FRAMES / 2 {
            to.put_cf(to.cf_handle("meta").unwrap(), b"epoch\0\0\0\x01", 1_u64.to_le_bytes()).unwrap();
            to.flush_cf(to.cf_handle("meta").unwrap()).unwrap();
        }
        to.put_cf_opt(to.cf_handle("log").unwrap(), key, encoded, &synced).unwrap();
    }
}

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

/// Opens the directory and replays both shards, as a start does. The last LSN of shard 0.
fn start(dir: &Path) -> Result<Lsn, LogError> {
    let store = RocksStore::open(dir, TWO)?;
    let tail = replayed(|visit| store.log(ShardId(0))?.replay_from(Lsn::ZERO, visit).map(|tail| tail.lsn))?;
    assert_eq!(store.log(ShardId(1))?.replay_from(Lsn::ZERO, &mut |_| Ok(()))?.lsn, Lsn(1));
    Ok(tail)
}

/// The same without changing anything.
fn look(dir: &Path) -> Result<Lsn, LogError> {
    let store = ReadOnlyStore::open(dir)?;
    replayed(|visit| store.replay(ShardId(0), visit).map(|tail| tail.lsn))
}

type Visit<'a> = &'a mut dyn FnMut(crate::Frame<'_>) -> Result<(), crate::ReplayStop>;

fn replayed(replay: impl FnOnce(Visit<'_>) -> Result<Lsn, LogError>) -> Result<Lsn, LogError> {
    let mut last = 0;
    let tail = replay(&mut |frame| {
        last += 1;
        assert_eq!((frame.lsn, frame.payload), (Lsn(last), &*payload(last)));
        Ok(())
    })?;
    assert_eq!(tail, Lsn(last));
    Ok(tail)
}

fn check(what: &str, found: Result<Lsn, LogError>, verdict: Verdict, dir: &Path) {
    match (found, verdict) {
        (Ok(Lsn(FRAMES)), Verdict::Whole) => {}
        (Ok(tail), Verdict::WithoutLast) if tail == Lsn(FRAMES - 1) => {}
        (Err(error), Verdict::Refused(is_it)) => {
            let text = error.to_string();
            assert!(is_it(&error), "{what}: refused as {error:?}");
            let says_where = text.contains("shard 0") || text.contains(&*dir.to_string_lossy());
            assert!(says_where && text.contains("restore"), "{what}: {text}");
            println!("{what}: {text}");
        }
        (found, _) => panic!("{what}: {found:?}"),
    }
}

#[test]
fn every_damage_is_refused_or_costs_nothing_acknowledged() {
    let images = tempfile::tempdir().unwrap();
    let source = |wals: usize| images.path().join(format!("{wals}-wals"));
    one_wal(&source(1));
    two_wals(&source(2), &source(1));
    for Row { name, wals, damage, interrupted, clean } in matrix() {
        for (ending, verdict) in [(Ending::Interrupted, interrupted), (Ending::Clean, clean)] {
            let what = format!("{name}, {ending:?}");
            let dir = images.path().join(what.replace(' ', "-"));
            copy(&source(wals), &dir);
            match ending {
                Ending::Interrupted => drop(fs::remove_file(dir.join("clean"))),
                Ending::Clean => assert!(dir.join("clean").exists()),
            }
            let image = Image(dir.clone());
            assert_eq!(image.wals().len(), wals, "{what}");
            damage(&image);
            check(&format!("{what}, looked at"), look(&dir), verdict, &dir);
            check(&what, start(&dir), verdict, &dir);
            // A refusal stays one, and what was recovered stays whole.
            check(&format!("{what}, again"), start(&dir), verdict, &dir);
        }
    }
}

#[test]
fn the_mark_of_an_orderly_end_is_there_while_nobody_has_it_open() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("clean");
    for lsn in 1..=3 {
        let store = RocksStore::open(dir.path(), TWO).unwrap();
        assert!(!mark.exists());
        let mut log = store.log(ShardId(0)).unwrap();
        // The log keeps its store open.
        drop(store);
        log.append(lsn, &payload(lsn)).unwrap();
        assert!(!mark.exists());
        drop(log);
        assert!(mark.exists());
    }
    let reader = ReadOnlyStore::open(dir.path()).unwrap();
    assert_eq!(reader.replay(ShardId(0), &mut |_| Ok(())).unwrap().lsn, Lsn(3));
    assert!(mark.exists(), "a reader changes nothing");
}
