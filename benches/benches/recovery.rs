//! Coming back, and what it costs to be able to: replay, the loading of snapshots, a restart with a thousand shows, the
//! bytes of the log, and the pauses of snapshots that are taken while a shard serves.
//!
//! `cargo bench -p usher-benches --bench recovery -- [replay] [load] [restart] [bytes] [pause] [serving]`: a word runs that
//! part alone. Of several runs the best one counts: the machine may be somebody else's, too. A picture is left beside the
//! build.

use std::{
    hint::black_box,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use mimalloc::MiMalloc;
use rand::{SeedableRng, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};
use usher_benches::{
    chart::{Panel, draw},
    conditions::Conditions,
    percentiles::Percentiles,
    restart::{self, Restarted, TAKEN},
    sale::{Parties, SaleLog, half_sold, hold_and_confirm, parties, whole_sale},
    under_load::{self, IN_FLIGHT, Plan},
    workload::{NOW, SHOW, execute, plain_show, show},
};
use usher_engine::{
    inventory::Inventory,
    shard::{Loaded, replay},
    time::Timestamp,
};
use usher_wal::{Durability, Frame, Log, RocksStore, ShardId, StoreOptions};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const KINDS: [(&str, Parties); 2] = [("single", Parties::Single), ("mixed", Parties::Mixed)];
const RUNS: usize = 15;
const SERVE: &str = "serve-the-directory";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, shards] = arguments.as_slice()
        && word == SERVE
    {
        restart::serve(Path::new(dir), shards.parse().expect("a number of shards")).expect("Linux");
        return;
    }
    let asked: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|word| *word == part);
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let conditions = Conditions::now(disk).expect("a disk to write to");
    println!("{conditions}");
    let mut panels = Vec::new();
    if wanted("replay") {
        panels.push(replays(disk));
    }
    if wanted("load") {
        panels.push(loads());
    }
    if wanted("restart") {
        panels.extend(restarts(disk));
    }
    if wanted("bytes") {
        panels.push(bytes());
    }
    if wanted("pause") {
        pauses();
    }
    if wanted("serving") {
        serving(disk);
    }
    if !panels.is_empty() {
        let picture = disk.with_file_name("recovery.png");
        draw(&picture, &format!("Recovery\n{conditions}"), &panels, 2).expect("a picture");
        println!("picture: {}", picture.display());
    }
}

/// The shortest of several runs of something that begins anew each time, in time of the processor: who else is on the
/// machine takes little of that.
fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let timed = |run: &mut dyn FnMut() -> T| {
        let begun = thread_time();
        let result = run();
        (thread_time() - begun, result)
    };
    let mut best = timed(&mut run);
    for _ in 1..RUNS {
        let next = timed(&mut run);
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

/// What this thread has had of the processor.
fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("after its beginning")
}

fn per_second(count: u64, took: Duration) -> f64 {
    let count = f64::from(u32::try_from(count).expect("fewer than 2^32"));
    count / took.as_secs_f64()
}

fn panel(title: &str, unit: &str, lines: &[&str]) -> Panel {
    let lines = lines.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
    Panel { title: title.to_owned(), axes: ("seats".to_owned(), unit.to_owned()), lines }
}

/// Whole sales: decoded and applied from memory, and from RocksDB with the checks of a recovery.
fn replays(disk: &Path) -> Panel {
    let mut panel = panel(
        "Replay of a whole sale, events/s",
        "events/s",
        &["single", "mixed", "single, RocksDB", "mixed, RocksDB"],
    );
    for seats in [10_000u32, 100_000] {
        for (index, (name, kind)) in KINDS.into_iter().enumerate() {
            let log = whole_sale(plain_show("stadium", seats), seats, kind, 256);
            let (took, state) = best(|| apply_all(&log));
            assert_eq!(state.state_hash(), log.inventory.state_hash(), "replay gives the state");
            let rate = per_second(log.events, took);
            let (from_disk, _) = best_from_rocksdb(disk, &log);
            let disk_rate = per_second(log.events, from_disk);
            println!(
                "replay/{name}/seats={seats}: {} events, {:.2} M events/s in memory, {:.2} from RocksDB",
                log.events,
                rate / 1e6,
                disk_rate / 1e6
            );
            panel.lines[index].1.push((f64::from(seats), rate));
            panel.lines[index + 2].1.push((f64::from(seats), disk_rate));
        }
    }
    panel
}

fn apply_all(log: &SaleLog) -> Inventory {
    let mut loaded = Loaded::default();
    let mut apply = |frame: Frame<'_>| loaded.apply(&frame).map(drop);
    log.visit(|frame| apply(frame).expect("events of a show"));
    loaded.inventory
}

fn best_from_rocksdb(disk: &Path, sale: &SaleLog) -> (Duration, Inventory) {
    let dir = tempfile::tempdir_in(disk).expect("a directory");
    let options = StoreOptions { durability: Durability::Os, disk_reserve_bytes: 0 };
    let store = RocksStore::open_with(dir.path(), std::num::NonZeroU32::MIN, options).expect("a store");
    let mut log = store.log(ShardId(0)).expect("a log");
    sale.visit(|frame| {
        log.append(frame.clock_ms, frame.payload).expect("an append");
    });
    best(|| replay(&mut log).expect("a log").0)
}

/// Shows in the middle of their sale, loaded from the bytes of a snapshot: checksum, decoding, tables, state hash.
fn loads() -> Panel {
    let mut panel = panel("Snapshots loaded, seats/s", "seats/s", &["single", "mixed"]);
    for seats in [70_000u32, 100_000] {
        for (index, (name, kind)) in KINDS.into_iter().enumerate() {
            let (mut inventory, holds) = half_sold(plain_show("stadium", seats), seats, kind, TAKEN, 0);
            let state = inventory.freeze(SHOW).store();
            let (took, _) = best(|| {
                black_box(xxhash_rust::xxh3::xxh3_128(&state));
                let mut inventory = Inventory::default();
                inventory.load(&state, Timestamp(0)).expect("a show");
                inventory
            });
            let rate = per_second(u64::from(seats), took);
            println!(
                "load/{name}/seats={seats}: {holds} holds in {} KiB, {:.2} ms, {:.1} M seats/s, {:.0} ns a hold",
                state.len() / 1024,
                took.as_secs_f64() * 1e3,
                rate / 1e6,
                took.as_secs_f64() * 1e9 / f64::from(holds)
            );
            panel.lines[index].1.push((f64::from(seats), rate));
        }
    }
    panel
}

/// A process of its own that comes back.
fn restarts(disk: &Path) -> Vec<Panel> {
    const SHOWS: [u32; 2] = [100, 1_000];
    const SHARDS: u32 = 2;
    let names = KINDS.map(|(name, _)| name);
    let (mut time, mut memory) =
        (panel("Restart to serving, ms", "ms", &names), panel("Resident memory, MiB", "MiB", &names));
    (time.axes.0, memory.axes.0) = ("shows of 70,000 seats".to_owned(), "shows of 70,000 seats".to_owned());
    for shows in SHOWS {
        for (index, (name, kind)) in KINDS.into_iter().enumerate() {
            let dir = tempfile::tempdir_in(disk).expect("a directory");
            let made = restart::make(dir.path(), SHARDS, (shows, 70_000), kind);
            let runs = (0..3).map(|_| serve_once(dir.path(), SHARDS));
            let best = runs.min_by_key(|run| run.took).expect("a run");
            assert_eq!(best.shows, u64::from(shows), "all shows are back");
            let (ms, mib) =
                (best.took.as_secs_f64() * 1e3, per_second(best.resident_bytes >> 20, Duration::from_secs(1)));
            println!(
                "restart/{name}/shows={shows}: {} holds in {} MiB of snapshots, serving after {ms:.0} ms, {mib} MiB resident, {} B a hold",
                made.holds,
                made.bytes >> 20,
                best.resident_bytes / made.holds
            );
            time.lines[index].1.push((f64::from(shows), ms));
            memory.lines[index].1.push((f64::from(shows), mib));
        }
    }
    vec![time, memory]
}

fn serve_once(dir: &Path, shards: u32) -> Restarted {
    let program = std::env::current_exe().expect("a path");
    let output = Command::new(program).arg(SERVE).arg(dir).arg(shards.to_string()).output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    restart::parse(&text).unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// What a hold of one seat and its confirm take in the log.
fn bytes() -> Panel {
    let mut panel = panel("Log bytes of a hold of one seat and its confirm", "bytes", &["all", "without the frame"]);
    panel.axes.0 = "commands in a frame".to_owned();
    for commands in [1u32, 16, 64, 256, 4_096] {
        let mut rng = StdRng::seed_from_u64(5);
        let mut inventory = show(100_000);
        let pairs = parties(100_000, Parties::Single, 9).into_iter().take(8_192);
        let (holds, confirms): (Vec<_>, Vec<_>) = pairs.map(|places| hold_and_confirm(&mut rng, places, None)).unzip();
        let mut payload = usher_engine::codec::PayloadWriter::default();
        let (mut events, mut all, mut bare) = (Vec::new(), 0, 0);
        for of_a_frame in holds.iter().chain(&confirms).collect::<Vec<_>>().chunks(commands as usize) {
            for command in of_a_frame {
                inventory.decide(SHOW, command, NOW, &mut events).expect("it is free");
                for mut event in events.drain(..) {
                    payload.push(SHOW, &event, NOW);
                    inventory.apply(SHOW, &mut event, NOW);
                }
            }
            all += frame_bytes(payload.bytes());
            bare += payload.bytes().len();
            payload.clear();
        }
        let of_a_pair = |bytes: usize| per_second(bytes as u64, Duration::from_secs(8_192));
        let (all, bare) = (of_a_pair(all), of_a_pair(bare));
        println!("bytes/frame={commands}: {all:.1} bytes for a hold and its confirm, {bare:.1} without the frames");
        panel.lines[0].1.push((f64::from(commands), all));
        panel.lines[1].1.push((f64::from(commands), bare));
    }
    panel
}

/// With the header, the checksum, and RocksDB's key.
fn frame_bytes(payload: &[u8]) -> usize {
    let frame =
        Frame { shard: ShardId(0), epoch: usher_wal::ShardEpoch(1), lsn: usher_wal::Lsn(1), clock_ms: 0, payload };
    frame.encoded_bytes() + 12
}

/// How long a show stands still to be frozen, and how long the first commands after it take.
fn pauses() {
    const SEATS: u32 = 100_000;
    let mut rng = StdRng::seed_from_u64(6);
    for (name, sold) in [("empty", 0), ("half", 50), ("full", 99)] {
        let (mut inventory, _) = half_sold(plain_show("stadium", SEATS), SEATS, Parties::Single, (sold, 0), 0);
        let (mut pause, mut after, mut before) =
            (Percentiles::default(), Percentiles::default(), Percentiles::default());
        let mut free = parties(SEATS, Parties::Single, 0).split_off((SEATS / 100 * sold) as usize);
        let mut events = Vec::new();
        for _ in 0..100 {
            let mut hold = |inventory: &mut Inventory, times: &mut Percentiles| {
                let Some(places) = free.pop() else { return };
                let (hold, confirm) = hold_and_confirm(&mut rng, places, None);
                let begun = Instant::now();
                let granted = execute(inventory, &hold, &mut events) && execute(inventory, &confirm, &mut events);
                times.note(begun.elapsed());
                assert!(granted, "it is free");
            };
            (0..5).for_each(|_| hold(&mut inventory, &mut before));
            let begun = Instant::now();
            let frozen = inventory.freeze(SHOW);
            pause.note(begun.elapsed());
            (0..5).for_each(|_| hold(&mut inventory, &mut after));
            drop(frozen);
        }
        pause.print(format_args!("pause/{name}"));
        before.print(format_args!("pause/{name}/hold and confirm before"));
        after.print(format_args!("pause/{name}/hold and confirm after"));
    }
}

/// A shard that sells, with snapshots as they are by default and without.
fn serving(disk: &Path) {
    const SHOWS: u32 = 8;
    const SEATS: u32 = 100_000;
    let batches = under_load::batches(SHOWS, SEATS);
    for _ in 0..3 {
        for (name, every) in [("without", u64::MAX), ("with", 64 << 20), ("with, every 16 MiB", 16 << 20)] {
            let plan = Plan { shows: SHOWS, seats: SEATS, in_flight: IN_FLIGHT, snapshot_log_bytes: every };
            let load = under_load::run(disk, plan, batches.clone());
            assert_eq!(load.granted, u64::from(SHOWS * SEATS) * 2, "everything is granted");
            let rate = per_second(load.granted, load.took);
            let bytes: u64 = load.rounds.iter().map(|round| round.bytes).sum();
            println!(
                "serving/{name} snapshots: {rate:.0} commands/s, {} rounds, {} MiB",
                load.rounds.len(),
                bytes >> 20
            );
            load.latency.print(format_args!("serving/{name} snapshots/batch"));
        }
    }
}
