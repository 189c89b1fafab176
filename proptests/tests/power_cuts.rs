//! Power cuts on real file systems: a process appends to the log on ext4 and on xfs, the disk under it goes off at a
//! random moment, and forgets or shuffles what was not synced. Whatever was acknowledged must be there afterwards.
//!
//! Two controls show that the disk has teeth: without syncs the loss is found at once, and a disk that lies about its
//! syncs is caught by the acknowledged watermark.
//!
//! `USHER_POWER_CUTS` sets how often each file system is cut (50), `USHER_LYING_CUTS` how often while it lies (6);
//! `USHER_SEED` repeats the choices of a run, though not its timing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_proptests::{
    appender::Appender,
    disk::Fate,
    fast_directory, number_from_env,
    receipts::{Receipts, Verdict, open},
    volume::{FileSystem, Volume, disks_work},
};
use usher_wal::Durability;

/// From the start of a process to the cut: some are cut while they open the log.
const LOAD_MS: RangeInclusive<u64> = 15..=180;
/// Sectors that are to be unsynced when the power goes.
const UNSYNCED: RangeInclusive<usize> = 1..=64;
/// Cuts after which a new directory is begun, so that replays stay short and creations are cut, too.
const CUTS_PER_DIRECTORY: u64 = 10;
/// More than the watermark may be behind.
const WATERMARK_WAIT: Duration = Duration::from_millis(150);
/// A load that only the cut ends.
const FOR_EVER_MS: u64 = 1 << 40;
/// Longest wait for anything that must come.
const WAIT_MAX: Duration = Duration::from_secs(60);

#[test]
fn nothing_acknowledged_is_lost_on_ext4() {
    cut_again_and_again(FileSystem::Ext4);
}

#[test]
fn nothing_acknowledged_is_lost_on_xfs() {
    cut_again_and_again(FileSystem::Xfs);
}

/// How often what happened: cuts in which nothing was unsynced prove nothing.
#[derive(Debug, Default)]
struct Counts {
    frames: usize,
    unanswered: usize,
    /// Cuts after which a log began behind its first frame.
    trimmed: usize,
    /// The file system did not accept a disk whose sectors were torn.
    refused_by_the_file_system: u64,
}

fn cut_again_and_again(file_system: FileSystem) {
    if !disks_work(file_system) {
        return;
    }
    let cuts = number_from_env("USHER_POWER_CUTS", 50);
    let (seed, started) = (seed(), Instant::now());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut volume = Volume::new(file_system, rng.random());
    let mut counts = Counts::default();
    let (mut receipts, mut dir) = (Receipts::default(), PathBuf::new());
    for cut in 0..cuts {
        if cut % CUTS_PER_DIRECTORY == 0 {
            counts.frames += receipts.frames();
            (receipts, dir) = (Receipts::default(), new_directory(&volume, &dir, cut));
        }
        let fate = [Fate::Dropped, Fate::Scattered, Fate::Torn][rng.random_range(0..3)];
        let what = format!("{} cut {cut} {fate:?} USHER_SEED={seed}", file_system.name());
        let appender = Appender::start(&mut load(&dir, rng.random(), FOR_EVER_MS, Durability::Fsync));
        thread::sleep(Duration::from_millis(rng.random_range(LOAD_MS)));
        let cut_off = volume.cut(fate, rng.random_range(UNSYNCED), || receipts.note(appender.kill()));
        if let Err(refused) = cut_off {
            assert_eq!(fate, Fate::Torn, "{what}: {refused}");
            counts.refused_by_the_file_system += 1;
            volume.format();
            (receipts, dir) = (Receipts::default(), new_directory(&volume, &dir, cut));
            continue;
        }
        match receipts.check(&dir) {
            Verdict::Whole { unanswered, trimmed } => {
                counts.unanswered += unanswered;
                counts.trimmed += usize::from(trimmed > 0);
            }
            other => panic!("{what}: {other:?}"),
        }
        if (cut + 1) % 500 == 0 {
            eprintln!("{} {} of {cuts} cuts, {:.0?}", file_system.name(), cut + 1, started.elapsed());
        }
    }
    counts.frames += receipts.frames();
    println!(
        "{}: {cuts} cuts in {:.1?}, {counts:?}, {:?}",
        file_system.name(),
        started.elapsed(),
        volume.disk().counts()
    );
    assert!(counts.frames as u64 > cuts, "hardly anything was acknowledged");
    assert!(counts.trimmed as u64 > cuts / 20, "hardly any log was trimmed");
    let of_disk = volume.disk().counts();
    assert!(of_disk.dropped > cuts && of_disk.kept > 0 && of_disk.torn > 0, "hardly anything was unsynced");
}

/// The same program on the same disk, only that it does not wait for syncs: if that were not found, nothing above would
/// mean anything.
#[test]
fn without_syncs_the_loss_is_found_within_two_cuts() {
    if !disks_work(FileSystem::Ext4) {
        return;
    }
    let started = Instant::now();
    let mut volume = Volume::new(FileSystem::Ext4, 1);
    for cut in 1..=2 {
        let (mut receipts, dir) = (Receipts::default(), volume.path().join(format!("data-{cut}")));
        // Created with syncs, so that there is something to lose from.
        drop(open(&dir).unwrap());
        let appender = Appender::start(&mut load(&dir, 1, FOR_EVER_MS, Durability::Os));
        wait_for(|| appender.acknowledged() > 100);
        volume.cut(Fate::Dropped, 0, || receipts.note(appender.kill())).unwrap();
        match receipts.check(&dir) {
            Verdict::Whole { .. } => println!("cut {cut} found nothing"),
            found => return println!("cut {cut} found the loss in {:.1?}: {found:?}", started.elapsed()),
        }
    }
    panic!("two cuts, and no loss was found");
}

/// The watermark's file is put on a disk that does not lie: on the lying one it would be lost together with the log, and
/// no program could tell that state from an earlier one.
#[test]
fn a_disk_that_lies_about_its_syncs_is_caught_by_the_watermark() {
    for file_system in [FileSystem::Ext4, FileSystem::Xfs] {
        if disks_work(file_system) {
            catch_lies(file_system, number_from_env("USHER_LYING_CUTS", 6));
        }
    }
}

fn catch_lies(file_system: FileSystem, cuts: u64) {
    let (seed, started, honest) = (seed(), Instant::now(), fast_directory());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut volume = Volume::new(file_system, rng.random());
    let (mut by_the_log, mut by_the_file_system, mut whole) = (0, 0, 0);
    for cut in 0..cuts {
        let (mut receipts, dir) = (Receipts::default(), volume.path().join(format!("data-{cut}")));
        drop(open(&dir).unwrap());
        let watermark = honest.path().join(format!("acknowledged-{cut}"));
        move_watermark(&dir, &watermark);
        // The first half is synced, the second half the disk only says so.
        let (honest_ms, load_ms) = (rng.random_range(20..150), rng.random_range(200..300));
        let appender = Appender::start(&mut load(&dir, rng.random(), load_ms, Durability::Fsync));
        thread::sleep(Duration::from_millis(honest_ms));
        volume.disk().lie(true);
        thread::sleep(Duration::from_millis(load_ms - honest_ms));
        wait_for_watermark(&appender, &watermark);
        let fate = [Fate::Dropped, Fate::Scattered][rng.random_range(0..2)];
        let what = format!("{} cut {cut} {fate:?} USHER_SEED={seed}", file_system.name());
        let cut_off = volume.cut(fate, rng.random_range(UNSYNCED), || receipts.note(appender.kill()));
        volume.disk().lie(false);
        if cut_off.is_err() {
            by_the_file_system += 1;
            volume.format();
            continue;
        }
        match receipts.check(&dir) {
            Verdict::Whole { .. } => whole += 1,
            Verdict::Refused(refused) => {
                by_the_log += 1;
                println!("{what}: {refused}");
            }
            Verdict::Lost(lost) => panic!("{what}: {lost}, and it was not noticed"),
        }
    }
    println!(
        "{}: {cuts} cuts of a lying disk in {:.1?}: refused {by_the_log}, \
         by the file system {by_the_file_system}, nothing lost {whole}",
        file_system.name(),
        started.elapsed()
    );
    assert!(by_the_log > 0, "no lie was caught by the log");
}

/// Until neither receipts come any more nor the watermark moves.
fn wait_for_watermark(appender: &Appender, watermark: &Path) {
    let (mut last, mut since) = (None, Instant::now());
    wait_for(|| {
        let now = Some((appender.acknowledged(), fs::read(watermark).unwrap()));
        if last != now {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > WATERMARK_WAIT
    });
}

fn wait_for(mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < WAIT_MAX, "it does not come");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Puts the watermark's file elsewhere, durably, and a link in its place.
fn move_watermark(dir: &Path, to: &Path) {
    let from = dir.join("acknowledged");
    fs::copy(&from, to).unwrap();
    fs::remove_file(&from).unwrap();
    std::os::unix::fs::symlink(to, &from).unwrap();
    fs::File::open(dir).unwrap().sync_all().unwrap();
}

/// A directory of a name that was not there before; the last one is removed, without a sync.
fn new_directory(volume: &Volume, last: &Path, cut: u64) -> PathBuf {
    if last.exists() {
        fs::remove_dir_all(last).unwrap();
    }
    volume.path().join(format!("data-{cut}"))
}

fn load(dir: &Path, seed: u64, ms: u64, durability: Durability) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher-appender"));
    command.arg("load").arg(dir).args([seed.to_string(), ms.to_string(), durability.to_string()]);
    command
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    number_from_env("USHER_SEED", now.as_secs())
}
