//! Damage at rest: a small data directory of the real engine, with every byte flipped, every file cut at every length, and
//! every file removed, one at a time. What is recovered from it is what was there; or it is refused, with a message that
//! says where and what to do.
//!
//! `USHER_DAMAGE_EVERY` sets which bytes and lengths are tried: every so many of each file, 1 for all (400).
//! `USHER_SEED` repeats the choices of a run.
//!
//! Left out are `lock`, and what RocksDB writes for people: its `LOG` files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_engine::{
    ids::ShowNumber,
    inventory::StateHash,
    shard::{CreateShow, Reply, Request, Shard, ShardOptions, Shows, replay},
    time::{Clock, Timestamp},
};
use usher_proptests::{
    commands::{Generator, START},
    fast_directory, number_from_env,
};
use usher_wal::{RocksStore, ShardId};

const SHARDS: u32 = 2;
/// Commands for each shard in each of the three openings.
const COMMANDS: u32 = 60;
/// Far more than it takes.
const RECOVERY_MAX: Duration = Duration::from_secs(60);
/// What a refusal asks for, in one of these words.
const REMEDIES: [&str; 6] = ["restore", "repair", "see the LOG file", "configure", "use the release", "set the clock"];

/// A directory in memory, and what is recovered from it.
struct Original {
    /// By path within the directory. Empty directories do not matter.
    files: BTreeMap<PathBuf, Vec<u8>>,
    states: Vec<StateHash>,
}

/// What became of damaged copies.
#[derive(Debug, Default)]
struct Counts {
    recovered: u64,
    refused: u64,
}

#[test]
fn every_flipped_byte_is_harmless_or_refused() {
    let (seed, original) = (seed(), Original::make());
    let mut rng = StdRng::seed_from_u64(seed);
    try_all(&original, seed, "flipped", |bytes, at| bytes[at] ^= rng.random_range(1..=u8::MAX));
}

#[test]
fn every_cut_file_is_harmless_or_refused() {
    let (seed, original) = (seed(), Original::make());
    try_all(&original, seed, "cut", Vec::truncate);
}

#[test]
fn every_missing_file_is_harmless_or_refused() {
    let original = Original::make();
    for path in original.files.keys() {
        let mut files = original.files.clone();
        files.remove(path);
        original.try_damaged(&files, &format!("{} is missing", path.display()), &mut Counts::default());
    }
}

/// Damages each file at every so many places, in a copy of its own each time.
fn try_all(original: &Original, seed: u64, how: &str, mut damage: impl FnMut(&mut Vec<u8>, usize)) {
    let every = usize::try_from(number_from_env("USHER_DAMAGE_EVERY", 400)).unwrap();
    let (mut rng, started, mut all) = (StdRng::seed_from_u64(seed), Instant::now(), 0);
    for (path, bytes) in &original.files {
        let mut counts = Counts::default();
        // The first byte and each end are never left out.
        let first = rng.random_range(0..every);
        let ends = [0, bytes.len().saturating_sub(1)].into_iter().filter(|at| *at < bytes.len());
        for at in ends.chain((first..bytes.len()).step_by(every)) {
            let mut files = original.files.clone();
            damage(files.get_mut(path).unwrap(), at);
            original.try_damaged(&files, &format!("{} {how} at {at}, USHER_SEED={seed}", path.display()), &mut counts);
        }
        all += counts.recovered + counts.refused;
        println!("{} of {} bytes {how}: {counts:?}, {:.1?}", path.display(), bytes.len(), started.elapsed());
    }
    println!("{how}: {all} copies in {:.1?}", started.elapsed());
}

impl Original {
    fn make() -> Original {
        let dir = fast_directory();
        let mut generators: Vec<Generator> = (0..SHARDS).map(|shard| Generator::new(u64::from(shard) + 7)).collect();
        for opening in 0..3 {
            let store = RocksStore::open(dir.path(), SHARDS.try_into().unwrap()).unwrap();
            for (shard, generator) in (0..).map(ShardId).zip(&mut generators) {
                sell(&store, shard, generator, opening);
            }
        }
        let files = read_all(dir.path());
        let states = recover(dir.path()).into_iter().collect::<Result<_, _>>().unwrap();
        assert!(files.keys().any(|path| path.starts_with("snapshots")), "{:?}", files.keys());
        Original { files, states }
    }

    /// Recovers from a copy.
    fn try_damaged(&self, files: &BTreeMap<PathBuf, Vec<u8>>, what: &str, counts: &mut Counts) {
        let dir = fast_directory();
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let recovered = recover_in_time(dir.path(), what);
        for (shard, (found, original)) in recovered.iter().zip(&self.states).enumerate() {
            match found {
                Ok(state) => {
                    assert_eq!(state, original, "{what}: shard {shard} has another state, and nothing was said")
                }
                Err(message) => assert!(is_of_use(message, shard, dir.path()), "{what}: of no use: {message}"),
            }
        }
        let is_refused = recovered.iter().any(Result::is_err);
        *(if is_refused { &mut counts.refused } else { &mut counts.recovered }) += 1;
    }
}

/// [`recover`], which must come to an end, and not to that of a panic.
fn recover_in_time(dir: &Path, what: &str) -> Vec<Result<StateHash, String>> {
    let (sender, receiver) = mpsc::channel();
    let path = dir.to_owned();
    // One that hangs ends with the process.
    thread::spawn(move || sender.send(recover(&path)));
    match receiver.recv_timeout(RECOVERY_MAX) {
        Ok(recovered) => recovered,
        Err(RecvTimeoutError::Disconnected) => panic!("{what}: a panic"),
        Err(RecvTimeoutError::Timeout) => panic!("{what}: the recovery hangs"),
    }
}

/// Whether a refusal says where and what to do.
fn is_of_use(message: &str, shard: usize, dir: &Path) -> bool {
    let where_ = message.contains(&format!("shard {shard}")) || message.contains(dir.to_str().unwrap());
    where_ && REMEDIES.iter().any(|remedy| message.contains(remedy))
}

/// The state of each shard, or why it is not to be had.
fn recover(dir: &Path) -> Vec<Result<StateHash, String>> {
    let shards = (0..SHARDS).map(ShardId);
    match RocksStore::open(dir, SHARDS.try_into().unwrap()) {
        Ok(store) => shards.map(|shard| recover_shard(&store, shard)).collect(),
        Err(error) => shards.map(|_| Err(error.to_string())).collect(),
    }
}

fn recover_shard(store: &Arc<RocksStore>, shard: ShardId) -> Result<StateHash, String> {
    let mut log = store.log(shard).map_err(|error| error.to_string())?;
    let (inventory, recovered) = replay(&mut log).map_err(|error| error.to_string())?;
    assert_eq!(inventory.state_hash(), recovered.state_hash);
    Ok(recovered.state_hash)
}

/// Creates shows at first, then holds, confirms and all the rest; takes snapshots in the middle.
fn sell(store: &Arc<RocksStore>, shard: ShardId, generator: &mut Generator, opening: u32) {
    let (clock, options) = (Arc::new(HandClock::default()), ShardOptions::default());
    clock.0.store(START.0, Ordering::SeqCst);
    let log = Box::new(store.log(shard).unwrap());
    let mut shard = Shard::recover(log, clock.clone(), options, Arc::new(|_, _| {})).unwrap();
    if opening == 0 {
        for created in generator.shows() {
            let create = CreateShow { created: Box::new(created.clone()), reply: reply() };
            shard.turn([Request::CreateShow(create)].into_iter()).unwrap();
        }
    }
    let shows = u32::try_from(generator.shows().len()).unwrap();
    for number in 0..COMMANDS {
        clock.0.store(generator.move_time().0, Ordering::SeqCst);
        let commands = vec![generator.command(), generator.command()];
        let request = Request::Execute { shows: Shows::One(ShowNumber(number % shows)), commands, reply: reply() };
        shard.turn([request].into_iter()).unwrap();
        if number == COMMANDS / 2 {
            shard.take_snapshots();
        }
    }
}

/// To nobody.
fn reply<T: Send + 'static>() -> Reply<T> {
    let (sender, _receiver) = mpsc::channel();
    Box::new(move |answer| drop(sender.send(answer)))
}

#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

fn read_all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut dirs) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(parent) = dirs.pop() {
        for entry in fs::read_dir(parent).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            } else if name != "lock" && !name.starts_with("LO") {
                files.insert(path.strip_prefix(dir).unwrap().to_owned(), fs::read(path).unwrap());
            }
        }
    }
    files
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    number_from_env("USHER_SEED", now.as_secs())
}
