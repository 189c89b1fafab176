//! Disks in trouble: each flush of a script fails once, and the disk is full at each step. Nothing is acknowledged that is
//! not there afterwards, and the log goes on when the trouble is over.
//!
//! `USHER_TROUBLE_EVERY` sets which flushes and steps are tried: every so many, 1 for all (96 and 24).
//!
//! Without FUSE or root there is nothing to test: it says so. `USHER_REQUIRE_FUSE=1` makes that a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use usher_proptests::{
    appender::{Appender, run, run_again, script_command},
    number_from_env,
    receipts::{Receipt, Receipts, open, recover},
    volume::{FileSystem, SmallVolume, Volume, disks_work, mounts_work},
};
use usher_wal::{Log as _, Lsn, RocksLog, ShardId};

/// The step by which a small disk grows.
const STEP_BYTES: usize = 4_096;
/// From room to the first append, and to the end of a script.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
/// Without a receipt for so long, a script is waiting for room.
const STANDSTILL: Duration = Duration::from_millis(100);
/// How long a script waits for a disk that does not come back.
const PATIENCE: Duration = Duration::from_millis(60);

fn every(default: u64) -> usize {
    number_from_env("USHER_TROUBLE_EVERY", default).try_into().unwrap()
}

fn script(dir: &Path, patience: Duration) -> Command {
    script_command(env!("CARGO_BIN_EXE_usher-appender"), dir, patience)
}

/// The disk fails a flush and has lost what it was to make durable, which the file system may take as its end.
#[test]
fn each_flush_may_fail_and_drop_what_it_was_for() {
    for file_system in [FileSystem::Ext4, FileSystem::Xfs] {
        if disks_work(file_system) {
            fail_each_flush(file_system);
        }
    }
}

fn fail_each_flush(file_system: FileSystem) {
    let (started, mut recovered, mut gave_up) = (Instant::now(), 0, 0);
    let mut volume = Volume::new(file_system, 1);
    for count in (1..).step_by(every(96)) {
        let (mut receipts, at) = (Receipts::default(), volume.path().join(count.to_string()));
        fs::create_dir(&at).unwrap();
        let dir = at.join("data");
        let what = format!("{} flush {count} fails", file_system.name());
        volume.disk().fail_sync(count);
        let through = run(&mut script(&dir, PATIENCE), &mut receipts, &what).is_ok();
        if !volume.disk().call_off_failure() {
            let name = file_system.name();
            println!(
                "{name}: each of {} flushes: recovered {recovered}, gave up {gave_up}, {:.1?}",
                count - 1,
                started.elapsed()
            );
            break;
        }
        *(if through { &mut recovered } else { &mut gave_up }) += 1;
        volume.restart().unwrap_or_else(|refused| panic!("{what}: {refused}"));
        receipts.assert_whole(&dir, &what);
        run_again(&mut script(&dir, PATIENCE), &mut receipts, &what);
        receipts.assert_whole(&dir, &what);
        // All of them would fill the disk.
        fs::remove_dir_all(at).unwrap();
    }
    assert!(recovered + gave_up > 0, "no flush failed");
}

/// The script waits for room, gets it, and goes on by itself. Where the disk was too small for the directory's creation, it
/// begins once more.
#[test]
fn the_disk_may_be_full_at_each_step() {
    if !mounts_work() {
        return;
    }
    let (started, mut went_on, mut gave_up, mut longest) = (Instant::now(), 0, 0, Duration::ZERO);
    for step in (1..).step_by(every(24)) {
        let volume = SmallVolume::new(step * STEP_BYTES).unwrap();
        let (mut receipts, dir) = (Receipts::default(), volume.path().join("data"));
        let what = format!("a disk of {step} times {STEP_BYTES} bytes");
        let mut appender = Appender::start(&mut script(&dir, 2 * RECOVERY_MAX));
        let stands_still = wait_for_standstill(&mut appender);
        volume.grow(64 << 20).unwrap();
        let room = Instant::now();
        let through = appender.finish(&mut receipts, &what).is_ok();
        if through && !stands_still {
            println!("{what} suffices; went on {went_on}, after {longest:.1?} at most, gave up {gave_up}");
            assert!(went_on > 0, "no script waited for room");
            return println!("full at each step: {:.1?}", started.elapsed());
        }
        longest = longest.max(room.elapsed());
        assert!(longest < RECOVERY_MAX, "{what}: it took {longest:?} to go on");
        *(if through { &mut went_on } else { &mut gave_up }) += 1;
        receipts.assert_whole(&dir, &what);
        if !through {
            run_again(&mut script(&dir, PATIENCE), &mut receipts, &what);
        }
        receipts.assert_whole(&dir, &what);
    }
}

/// Returns whether the script waits, or has ended.
fn wait_for_standstill(appender: &mut Appender) -> bool {
    let (mut receipts, mut since) = (appender.acknowledged(), Instant::now());
    while since.elapsed() < STANDSTILL {
        if appender.has_ended() {
            return false;
        }
        thread::sleep(STANDSTILL / 20);
        if receipts != appender.acknowledged() {
            (receipts, since) = (appender.acknowledged(), Instant::now());
        }
    }
    true
}

#[test]
fn a_log_on_a_full_disk_goes_on_when_there_is_room() {
    if !mounts_work() {
        return;
    }
    let volume = SmallVolume::new(16 << 20).unwrap();
    let (dir, ballast, mut receipts) = (volume.path().join("data"), volume.path().join("ballast"), Receipts::default());
    fs::write(&ballast, vec![1; 8 << 20]).unwrap();
    {
        let store = open(&dir).unwrap();
        let mut log = store.log(ShardId(0)).unwrap();
        fill(&mut log, &mut receipts);
        // Trying again does not help as long as there is no room, and is no acknowledgement.
        for _ in 0..3 {
            if log.reopen().is_ok() && recover(&mut log).is_ok() {
                receipts.found(ShardId(0), &recover(&mut log).unwrap());
                fill(&mut log, &mut receipts);
            }
        }
        fs::remove_file(&ballast).unwrap();
        let room = Instant::now();
        while log.reopen().is_err() || recover(&mut log).map(|found| receipts.found(ShardId(0), &found)).is_err() {
            assert!(room.elapsed() < RECOVERY_MAX, "it does not go on");
            thread::sleep(Duration::from_millis(50));
        }
        for _ in 0..10 {
            append(&mut log, 1_000, &mut receipts).unwrap();
        }
        println!("{} frames, went on {:.1?} after there was room", receipts.frames(), room.elapsed());
    }
    receipts.assert_whole(&dir, "after the full disk");
}

/// Appends until the disk is full.
fn fill(log: &mut RocksLog, receipts: &mut Receipts) {
    while append(log, 50_000, receipts).is_ok() {
        assert!(log.tail().lsn < Lsn(10_000), "the disk is never full");
    }
    append(log, 10, receipts).unwrap_err();
}

fn append(log: &mut RocksLog, bytes: usize, receipts: &mut Receipts) -> Result<(), usher_wal::LogError> {
    let payload = vec![u8::try_from(log.tail().lsn.0 % 251).unwrap(); bytes];
    let lsn = log.append(1, &payload)?;
    receipts.note([Receipt::of(log.shard(), lsn, &payload)]);
    Ok(())
}
