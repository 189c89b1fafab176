//! A data directory of every format there ever was: it opens, is brought up to date, and has the state that it had.
//!
//! ```text
//! format-1        ad47e98   directory 1: frames 1, payloads 1, no snapshots
//! snapshots-1     6e5dcf9   directory 2: snapshots whose hash was another one (state 1), a trimmed log, an orderly end
//! payloads-2                directory 2: payloads 2, state 2
//! payloads-3                directory 2: payloads 3, state 4
//! groups-1                  directory 2: payloads 3 with groups, state 7
//! ```
//! Each is a `.tar.gz` of a directory of two shards, made by the release of its time from the same history (the last one from
//! another, since there were no groups before), and a `.txt`: of each shard the state hash as it is computed today, and in the words of that release who owns what. A new format
//! gets a directory from `cargo test -p usher-proptests --test golden -- --ignored` before it becomes an old one; none is
//! ever made again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{
    fmt::Write as _,
    fs,
    num::NonZeroU32,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use usher_engine::{
    inventory::{Inventory, invariants},
    shard::{CreateShow, Request, Shard, ShardOptions, Shows, replay},
    time::{Clock, Timestamp},
};
use usher_proptests::{
    commands::{Step, history},
    fast_directory, strace,
};
use usher_wal::{Log as _, LogError, ReadOnlyStore, RocksStore, ShardId};

const GOLDEN: [(&str, &str); 5] = [
    ("format-1", include_str!("../golden/format-1.txt")),
    ("snapshots-1", include_str!("../golden/snapshots-1.txt")),
    ("payloads-2", include_str!("../golden/payloads-2.txt")),
    ("payloads-3", include_str!("../golden/payloads-3.txt")),
    ("groups-1", include_str!("../golden/groups-1.txt")),
];
/// The first so many.
const OF_ONE_HISTORY: usize = 4;
/// What an upgrade changes files and directories with.
const CALLS: [&str; 7] = ["openat", "mkdir", "write", "fsync", "fdatasync", "rename", "unlink"];
const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Who owns what in a shard: a show with its version, then its holds in the order of their ids.
fn owners(inventory: &Inventory) -> String {
    let mut text = String::new();
    for (number, show) in inventory.shows() {
        writeln!(text, "show {} {}", number.0, show.id()).unwrap();
        let mut owned: Vec<String> =
            show.owned().map(|(id, state, places)| format!("{id} {state:?} {places:?}")).collect();
        owned.sort();
        owned.iter().for_each(|line| writeln!(text, "{line}").unwrap());
    }
    text
}

/// A golden directory as it was, in a place of its own.
fn unpack(name: &str) -> (tempfile::TempDir, PathBuf) {
    let parent = fast_directory();
    let dir = parent.path().join("data");
    fs::create_dir(&dir).unwrap();
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name).with_extension("tar.gz");
    assert!(Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(&dir).status().unwrap().success());
    (parent, dir)
}

/// What is in a directory once it is recovered, in the words of the `.txt` files.
fn recovered(dir: &Path) -> Result<String, String> {
    let store = RocksStore::open(dir, TWO).map_err(|error| error.to_string())?;
    let mut text = String::new();
    for shard in 0..TWO.get() {
        let mut log = store.log(ShardId(shard)).map_err(|error| error.to_string())?;
        let (inventory, found) = replay(&mut log).map_err(|error| error.to_string())?;
        invariants::check(&inventory);
        assert_eq!(found.damaged, [""; 0]);
        write!(text, "shard {shard} {}\n{}", found.state_hash, owners(&inventory)).unwrap();
    }
    Ok(text)
}

fn shard_of(store: &Arc<RocksStore>, shard: u32) -> (Shard, Arc<HandClock>) {
    let (clock, log) = (Arc::new(HandClock::default()), Box::new(store.log(ShardId(shard)).unwrap()));
    (
        Shard::recover(
            log,
            clock.clone(),
            ShardOptions { clock_leap_ms: u64::MAX, ..ShardOptions::default() },
            Arc::new(|_, _| {}),
        )
        .unwrap(),
        clock,
    )
}

/// Held by whoever opens a directory, or starts a process: between its fork and its exec it has the locks of this one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn every_directory_that_ever_was_has_the_state_that_it_had() {
    let _alone = ONE_AT_A_TIME.lock();
    for (name, expected) in GOLDEN {
        let (_parent, dir) = unpack(name);
        assert_eq!(recovered(&dir).as_deref(), Ok(expected), "{name}");
        assert!(ReadOnlyStore::open(&dir).unwrap().identity().unwrap().is_some(), "{name} got an id");
        let store = RocksStore::open(&dir, TWO).unwrap();
        (0..TWO.get()).for_each(|shard| shard_of(&store, shard).0.take_snapshots());
        drop(store);
        assert_eq!(recovered(&dir).as_deref(), Ok(expected), "{name}, from snapshots of today");
        let format = fs::read_to_string(dir.join("format")).unwrap();
        assert!(format.contains(&format!("format {}\n", usher_wal::DIRECTORY_FORMAT)), "{name}: {format}");
    }
}

/// All directories of one history differ in how they are written alone.
#[test]
fn the_state_does_not_depend_on_the_format() {
    assert!(GOLDEN[..OF_ONE_HISTORY].iter().all(|(_, expected)| *expected == GOLDEN[0].1));
}

#[test]
fn what_a_later_release_wrote_is_refused_in_words() {
    let _alone = ONE_AT_A_TIME.lock();
    let (_parent, dir) = unpack("payloads-3");
    let format = dir.join("format");
    let todays = fs::read_to_string(&format).unwrap();
    fs::write(&format, todays.replace("format 2", "format 3")).unwrap();
    let refused = RocksStore::open(&dir, TWO).map(drop).unwrap_err();
    assert!(matches!(refused, LogError::UnknownFormat { found: 3, supported: 2, .. }), "{refused}");
    fs::write(&format, todays).unwrap();
    let store = RocksStore::open(&dir, TWO).unwrap();
    let mut log = store.log(ShardId(1)).unwrap();
    log.append(log.tail().clock_ms, &[4, 0, 1]).unwrap();
    let refused = replay(&mut log).map(drop).unwrap_err();
    let chain =
        format!("{refused}: {}", std::error::Error::source(&refused).map_or_else(String::new, ToString::to_string));
    assert!(chain.contains("version 4 is not known") && chain.contains("newer"), "{chain}");
}

/// A process that brings the oldest directory up to date dies at each call that changes something: whatever it leaves opens,
/// and is what it was.
#[test]
fn an_upgrade_may_die_anywhere() {
    if !strace::works() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock();
    let (name, expected) = GOLDEN[0];
    let mut deaths = 0;
    for call in CALLS {
        for k in 1.. {
            let (_parent, dir) = unpack(name);
            let mut open = Command::new(env!("CARGO_BIN_EXE_usher-appender"));
            open.arg("open").arg(&dir).arg(TWO.to_string());
            let mut killed = strace::killed_at(&open, call, k);
            let status = killed.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(status.success() || status.signal() == Some(9), "{call} {k}: {status}");
            assert_eq!(recovered(&dir).as_deref(), Ok(expected), "killed at {call} number {k}");
            if status.success() {
                break;
            }
            deaths += 1;
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 20, "{deaths} deaths prove nothing");
}

/// Makes a directory of today's format, and says what is in it.
#[test]
#[ignore = "makes what is then kept"]
fn make() {
    let dir = PathBuf::from(std::env::var("USHER_GOLDEN_DIR").unwrap());
    let first_seed = usher_proptests::number_from_env("USHER_MODEL_SEED", 4_711);
    let store = RocksStore::open(&dir, TWO).unwrap();
    let mut expected = String::new();
    for shard in 0..TWO.get() {
        let (mut shard_of, clock) = shard_of(&store, shard);
        for (position, timed) in (0..).zip(history(u64::from(shard) + first_seed)) {
            clock.0.fetch_max(timed.at.0, Ordering::SeqCst);
            let request = match timed.step {
                Step::Create(created) => Request::CreateShow(CreateShow { created, reply: Box::new(drop) }),
                Step::Ask(show, command) => {
                    Request::Execute { shows: Shows::One(show), commands: vec![command], reply: Box::new(drop) }
                }
                Step::Sweep { .. } | Step::Crash => continue,
            };
            shard_of.turn([request].into_iter()).unwrap();
            if position % 40 == 30 {
                shard_of.take_snapshots();
            }
        }
        write!(expected, "shard {shard} {}\n{}", shard_of.inventory().state_hash(), owners(shard_of.inventory()))
            .unwrap();
    }
    fs::write(dir.with_extension("txt"), expected).unwrap();
}
