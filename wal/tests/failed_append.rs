//! Appends that really fail: a process whose files may not grow beyond a limit, which RocksDB meets in the middle of its
//! WAL. What was acknowledged must survive every failure, in the shard that failed and in those beside it.
//!
//! A shell sets the limit and ignores the signal that would end the process, so that the write itself fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::fs::File;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use usher_wal::{Log, LogError, Lsn, ReadOnlyStore, RocksLog, RocksStore, ShardId};

const DIRECTORY_OF_CHILD: &str = "USHER_WAL_TEST_DIRECTORY";
const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
/// The limit, in the shell's blocks of 512 bytes: 1 MiB.
const FILE_BLOCKS_MAX: u32 = 2048;
const OPEN_FILES_MAX: u32 = 256;

/// Runs this file's test `name` again in a process whose files are limited in size and number.
fn run_limited(name: &str, dir: &Path) {
    let script = format!(
        "trap '' XFSZ; ulimit -f {FILE_BLOCKS_MAX}; ulimit -n {OPEN_FILES_MAX}; exec \"$0\" --exact {name} --nocapture"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(std::env::current_exe().unwrap()).env(DIRECTORY_OF_CHILD, dir);
    let output = shell.output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The shard's thread, in small: each payload names its LSN, each success is remembered.
struct Shard {
    log: RocksLog,
    acknowledged: Lsn,
    failures: u32,
}

impl Shard {
    fn open(store: &Arc<RocksStore>, shard: u32) -> Shard {
        Shard { log: store.log(ShardId(shard)).unwrap(), acknowledged: Lsn::ZERO, failures: 0 }
    }

    /// Appends a frame of `bytes` bytes.
    fn append(&mut self, bytes: usize) -> Result<(), LogError> {
        let lsn = self.log.tail().lsn.next();
        let mut payload = lsn.0.to_le_bytes().to_vec();
        payload.resize(bytes, 0);
        self.acknowledged = self.log.append(lsn.0, &payload)?;
        Ok(())
    }

    /// Reopens and replays until both succeed, and checks that all that was acknowledged is there.
    fn recover(&mut self) {
        self.failures += 1;
        let recovered = (0..20).find_map(|_| {
            self.log.reopen().ok()?;
            let tail = self.log.replay_from(Lsn::ZERO, &mut |frame| {
                if frame.payload[..8] == frame.lsn.0.to_le_bytes() { Ok(()) } else { Err("another frame".into()) }
            });
            tail.ok()
        });
        let recovered = recovered.expect("the log did not come back");
        assert_eq!(recovered, self.log.tail());
        // The frame whose append failed may be there, and nothing beyond it.
        assert!((0..=1).contains(&(recovered.lsn.0 - self.acknowledged.0)), "{recovered:?} {:?}", self.acknowledged);
        self.acknowledged = recovered.lsn;
    }
}

#[test]
fn a_failed_append_is_unknown_until_reopened_and_others_go_on() {
    let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        let dir = tempfile::tempdir().unwrap();
        run_limited("a_failed_append_is_unknown_until_reopened_and_others_go_on", dir.path());
        return;
    };
    let store = RocksStore::open(Path::new(&dir), TWO).unwrap();
    let [mut failing, mut healthy] = [0, 1].map(|shard| Shard::open(&store, shard));
    failing.append(100_000).unwrap();
    healthy.append(100_000).unwrap();
    let error = failing.append(2_000_000).unwrap_err();
    assert!(matches!(error, LogError::AppendFailed { shard: ShardId(0), lsn: Lsn(2), .. }), "{error}");
    assert!(matches!(failing.append(1), Err(LogError::Poisoned { lsn: Lsn(1), .. })));
    let epoch = failing.log.epoch();
    failing.recover();
    assert!(failing.log.epoch() > epoch);
    failing.append(100).unwrap();
    // The other shard never failed: it goes on in its old epoch, on the database that was opened again.
    let epoch = healthy.log.epoch();
    healthy.append(100).unwrap();
    assert_eq!((healthy.log.epoch(), healthy.acknowledged), (epoch, Lsn(2)));
}

/// RocksDB refuses all writes after a failed one, which is why any shard may have to open it again for all.
#[test]
fn one_failure_leaves_every_shard_in_doubt_and_one_reopening_serves_all() {
    let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        let dir = tempfile::tempdir().unwrap();
        run_limited("one_failure_leaves_every_shard_in_doubt_and_one_reopening_serves_all", dir.path());
        return;
    };
    let store = RocksStore::open(Path::new(&dir), TWO).unwrap();
    let mut shards = [0, 1].map(|shard| Shard::open(&store, shard));
    shards.iter_mut().for_each(|shard| shard.append(1000).unwrap());
    shards[0].append(2_000_000).unwrap_err();
    let error = shards[1].append(1000).unwrap_err();
    assert!(matches!(error, LogError::AppendFailed { shard: ShardId(1), lsn: Lsn(2), .. }), "{error}");
    for shard in &mut shards {
        shard.recover();
        shard.append(1000).unwrap();
    }
}

#[test]
fn shards_that_fail_together_recover_together() {
    let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        let dir = tempfile::tempdir().unwrap();
        run_limited("shards_that_fail_together_recover_together", dir.path());
        let reader = ReadOnlyStore::open(dir.path()).unwrap();
        for shard in [ShardId(0), ShardId(1)] {
            assert!(reader.replay(shard, &mut |_| Ok(())).unwrap().lsn >= Lsn(20));
        }
        return;
    };
    let store = RocksStore::open(Path::new(&dir), TWO).unwrap();
    let shards = [0, 1].map(|shard| {
        let mut shard = Shard::open(&store, shard);
        thread::spawn(move || {
            for round in 0..60 {
                // Every tenth frame cannot fit; meanwhile the other shard is writing, failing or recovering.
                let bytes = if round % 10 == 9 { 2_000_000 } else { 5_000 };
                if shard.append(bytes).is_err() {
                    shard.recover();
                }
            }
            shard.failures
        })
    });
    for shard in shards {
        assert!(shard.join().unwrap() >= 6);
    }
}

/// With no descriptor left, what is open is written to as before. Only what needs another file waits until there is one.
#[test]
fn too_many_open_files_keep_a_failed_log_from_coming_back_until_there_are_fewer() {
    const NAME: &str = "too_many_open_files_keep_a_failed_log_from_coming_back_until_there_are_fewer";
    let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        let dir = tempfile::tempdir().unwrap();
        run_limited(NAME, dir.path());
        assert!(dir.path().join("clean").exists());
        return;
    };
    let store = RocksStore::open(Path::new(&dir), TWO).unwrap();
    let mut shard = Shard::open(&store, 0);
    shard.append(1000).unwrap();
    let others: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!((1..OPEN_FILES_MAX as usize).contains(&others.len()));
    shard.log.check_writable().unwrap();
    (0..20).for_each(|_| shard.append(1000).unwrap());
    shard.append(2_000_000).unwrap_err();
    for _ in 0..2 {
        let refused = shard.log.reopen().unwrap_err();
        assert!(matches!(refused, LogError::Storage { .. }), "{refused:?}");
    }
    drop(others);
    shard.recover();
    shard.append(1000).unwrap();
}

#[test]
fn a_store_that_ends_after_a_failure_does_not_claim_an_orderly_end() {
    const NAME: &str = "a_store_that_ends_after_a_failure_does_not_claim_an_orderly_end";
    let Some(dir) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        let dir = tempfile::tempdir().unwrap();
        run_limited(NAME, dir.path());
        assert!(!dir.path().join("clean").exists());
        let mut shard = Shard::open(&RocksStore::open(dir.path(), TWO).unwrap(), 0);
        assert_eq!(shard.log.replay_from(Lsn::ZERO, &mut |_| Ok(())).unwrap().lsn, Lsn(1));
        return;
    };
    let mut shard = Shard::open(&RocksStore::open(Path::new(&dir), TWO).unwrap(), 0);
    shard.append(1000).unwrap();
    shard.append(2_000_000).unwrap_err();
}
