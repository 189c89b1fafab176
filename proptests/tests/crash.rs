//! Crash anywhere: whatever becomes of the unsynced tail, what was answered is there and nothing else is invented.
//!
//! `USHER_CRASH_WORLDS` says how many worlds are run (400 unless set), `USHER_CRASH_SEED` with which seed to begin.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use usher_engine::{
    command::{Command, HoldSeats},
    ids::{BuyerId, SeatIndex, ShowNumber},
    inventory::places::Places,
};
use usher_proptests::{
    commands::{Generator, START, hold_id},
    number_from_env,
    world::{SHARD, World},
};
use usher_wal::{Crash, Failure, Log as _, Lsn};

const TURNS: usize = 60;

type Batch = Vec<(ShowNumber, Vec<Command>)>;

/// How often what happened, over all worlds: a test in which nothing fails proves nothing.
#[derive(Debug, Default)]
struct Counts {
    turns: u64,
    failed_appends: u64,
    crashes: u64,
    repeats: u64,
    snapshots: u64,
    trimmed: u64,
    grants: usize,
    sales: usize,
    damages: u64,
    /// Damaged snapshots that an older one stood in for.
    outlived: u64,
}

#[test]
fn what_was_answered_survives_every_crash() {
    let worlds = number_from_env("USHER_CRASH_WORLDS", 400);
    let first = number_from_env("USHER_CRASH_SEED", 1);
    let mut counts = Counts::default();
    for seed in first..first + worlds {
        run(seed, &mut counts).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
    }
    println!("{worlds} worlds from seed {first}: {counts:?}");
    let Counts { failed_appends, crashes, repeats, grants, sales, damages, snapshots, trimmed, outlived, .. } = counts;
    assert!(failed_appends >= worlds && crashes >= worlds && repeats >= worlds && damages >= worlds);
    assert!(snapshots >= worlds && trimmed >= worlds / 4 && outlived >= worlds / 8);
    assert!(grants as u64 >= worlds && sales as u64 >= worlds / 10);
}

/// A frame whose append failed came back. From then on answers rest on it, so its loss must be seen like any other's.
#[test]
fn what_is_answered_from_a_frame_that_came_back_cannot_be_lost_unseen() {
    let show = Generator::new(1).shows()[0].clone();
    let mut world = World::new(START, 1 << 20);
    world.create(&show);
    let buyer = BuyerId::new(b"ada").unwrap();
    let places = Places::new([SeatIndex(0)], []).unwrap();
    let hold = Command::HoldSeats(HoldSeats { hold_id: hold_id(0), buyer, places, ttl: None, terms: None });
    let batch = [(ShowNumber(0), vec![hold])];
    world.store.fail_next_append(SHARD, Failure::Kept);
    assert_eq!(world.turn(&batch), Ok(false));
    world.restart().unwrap();
    assert_eq!(world.turn(&batch), Ok(true), "repeated, and granted by the frame that came back");
    let last = world.last_frame();
    assert!(world.store.delete_frame(SHARD, last));
    let refused = world.restart().unwrap_err();
    assert!(refused.contains("shard 0"), "the grant is lost, and the log was not refused: {refused}");
}

fn run(seed: u64, counts: &mut Counts) -> Result<(), String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut generator = Generator::new(seed);
    let batch_bytes_max = if rng.random_bool(0.5) { 1 << 20 } else { 150 };
    let mut world = World::new(START, batch_bytes_max);
    generator.shows().iter().for_each(|show| world.create(show));
    let mut unanswered: Option<Batch> = None;
    for _ in 0..TURNS {
        counts.turns += 1;
        world.set_clock(generator.move_time());
        // A caller that was not answered sends the same again, sooner or later.
        let batch = match unanswered.take_if(|_| rng.random_bool(0.7)) {
            Some(again) => {
                counts.repeats += 1;
                again
            }
            None => batch(&mut rng, &mut generator, world.shows()),
        };
        if !turn(&mut world, &mut rng, &batch, counts)? {
            unanswered = Some(batch);
        }
    }
    let (grants, sales) = world.ledger.promises();
    (counts.grants, counts.sales) = (counts.grants + grants, counts.sales + sales);
    world.restart()?;
    repeat_sales(&mut world)?;
    damage_snapshot(&mut world, &mut rng, counts)?;
    counts.trimmed += u64::from(world.log_start() > Lsn::ZERO);
    counts.damages += 1;
    damage(&mut world, &mut rng)
}

/// A few requests of a few commands.
fn batch(rng: &mut StdRng, generator: &mut Generator, shows: usize) -> Batch {
    let shows = u32::try_from(shows).expect("few shows");
    let request = |rng: &mut StdRng, generator: &mut Generator| {
        let show = ShowNumber(rng.random_range(0..shows));
        (show, (0..rng.random_range(1..4)).map(|_| generator.command()).collect())
    };
    (0..rng.random_range(0..4)).map(|_| request(rng, generator)).collect()
}

/// A turn that may fail, and then a restart that may be a crash. Says whether the batch was answered.
fn turn(world: &mut World, rng: &mut StdRng, batch: &Batch, counts: &mut Counts) -> Result<bool, String> {
    let kind = rng.random_range(0..100);
    match kind {
        0..10 => world.store.fail_next_append(SHARD, Failure::Lost),
        10..20 => world.store.fail_next_append(SHARD, Failure::Kept),
        _ => {}
    }
    let answered = world.turn(batch)?;
    if answered && rng.random_bool(0.1) {
        counts.snapshots += 1;
        world.take_snapshots();
    }
    counts.failed_appends += u64::from(!answered);
    let crash = match rng.random_range(0..30) {
        0 => Some(Crash::LoseUnsynced),
        1 => Some(Crash::TearUnsynced),
        2 => Some(Crash::KeepUnsynced),
        _ => None,
    };
    // More often when something is unsynced, for only then it matters which.
    if let Some(crash) = crash.or_else(|| (!answered && rng.random_bool(0.5)).then_some(Crash::TearUnsynced)) {
        counts.crashes += 1;
        world.store.crash(crash);
        world.restart()?;
    } else if !answered {
        world.restart()?;
    }
    Ok(answered)
}

/// A caller that never heard of its booking confirms again and hears of the same one.
fn repeat_sales(world: &mut World) -> Result<(), String> {
    let again = world.ledger.confirms();
    match world.turn(&again)? {
        true => Ok(()),
        false => Err("an append that was not to fail has failed".to_owned()),
    }
}

/// A damaged snapshot: an older one and the log give the same state, or the shard does not start.
fn damage_snapshot(world: &mut World, rng: &mut StdRng, counts: &mut Counts) -> Result<(), String> {
    let snapshots = world.store.log(SHARD).map_err(|error| error.to_string())?.snapshots();
    let all = snapshots.list().map_err(|error| error.to_string())?;
    let Some(&id) = all.get(rng.random_range(0..all.len().max(1))) else { return Ok(()) };
    let state = snapshots.read(id).map_err(|error| error.to_string())?;
    let put = |state: &[u8]| snapshots.put(id, state).map_err(|error| error.to_string());
    put(&state[..rng.random_range(0..state.len())])?;
    counts.damages += 1;
    match world.restart() {
        Ok(()) => counts.outlived += 1,
        Err(refused) if refused.contains("shard 0") => {}
        Err(other) => return Err(format!("{id:?} damaged: {other}")),
    }
    put(&state)?;
    world.restart()
}

/// One flipped bit or one missing frame, anywhere: the shard does not start.
fn damage(world: &mut World, rng: &mut StdRng) -> Result<(), String> {
    let (start, last) = (world.log_start().0, world.last_frame().0);
    let lsn = Lsn(rng.random_range(start.max(1)..=last));
    let what = if rng.random_bool(0.5) {
        let byte = rng.random_range(0..10_000);
        assert!(world.store.corrupt_frame(SHARD, lsn, byte));
        format!("byte {byte} of {lsn:?} of {last} damaged")
    } else {
        assert!(world.store.delete_frame(SHARD, lsn));
        format!("{lsn:?} of {last} deleted")
    };
    match world.restart() {
        Err(refused) if refused.contains("shard 0") => Ok(()),
        other => Err(format!("{what}, and the shard started or did not say where: {other:?}")),
    }
}
