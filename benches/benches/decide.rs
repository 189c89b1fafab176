//! What one command costs the core: decide and apply in memory, and the encoding of what is logged.
//!
//! Commands are made before the clock runs. Granting a seat and giving it back are different work, so a show is given
//! so many holds and then replaced by an empty one, off the clock; its growth is measured with it. The size of a show
//! and the number of its holds are told apart: the first costs nothing, the second costs cache misses. No log, no
//! threads.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use usher_benches::workload::{NOW, SHOW, confirms, execute, holds, show, show_with};
use usher_engine::{codec::PayloadWriter, command::Command, event::Event, inventory::Inventory};

/// Seats of a show, and holds in it.
const SIZES: [(u32, usize); 5] =
    [(1_000, 1_000), (10_000, 1_000), (100_000, 1_000), (1_000_000, 1_000), (100_000, 100_000)];
/// Commands on a new inventory before the clock runs.
const WARM_UP: usize = 100;
/// Events of one payload; a busy shard's batch.
const BATCH: usize = 256;

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

criterion_group!(benches, hold_granted, hold_refused, confirm, encode);
criterion_main!(benches);

/// What `iterations` commands cost that must all be granted. All of them are executed on a new inventory, as often as
/// needed and always to the end. The first few warm the show up, which makes room for a rush with its first hold; only
/// the others are timed.
fn time_granted(iterations: u64, commands: &[Command], new: impl Fn() -> Inventory) -> Duration {
    let mut events = Vec::with_capacity(4);
    let mut elapsed = Duration::ZERO;
    let mut executed = 0;
    while executed < iterations {
        let mut inventory = new();
        let (first, others) = commands.split_at(WARM_UP);
        let mut run = |commands: &[Command]| {
            let granted = commands.iter().filter(|command| execute(&mut inventory, command, &mut events)).count();
            assert_eq!(granted, commands.len(), "each command is granted");
        };
        run(first);
        let start = Instant::now();
        run(others);
        elapsed += start.elapsed();
        executed += others.len() as u64;
    }
    let share = elapsed.as_nanos() * u128::from(iterations) / u128::from(executed);
    Duration::from_nanos(u64::try_from(share).expect("less than centuries"))
}

fn hold_granted(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide/hold_granted");
    for (seats, count) in SIZES {
        let commands: Vec<Command> = holds(seats, count, 0).into_iter().map(Command::HoldSeats).collect();
        group.bench_function(BenchmarkId::from_parameter(format_args!("seats={seats}/holds={count}")), |bencher| {
            bencher.iter_custom(|iterations| time_granted(iterations, &commands, || show(seats)));
        });
    }
}

/// Other buyers ask for seats that are taken, under ids that are not known.
fn hold_refused(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide/hold_refused");
    for (seats, count) in SIZES {
        let inventory = show_with(seats, &holds(seats, count, 0));
        let commands: Vec<Command> = holds(seats, count, 1).into_iter().map(Command::HoldSeats).collect();
        let mut events = Vec::new();
        let mut next = commands.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(format_args!("seats={seats}/holds={count}")), |bencher| {
            bencher.iter(|| {
                let command = next.next().expect("a cycle has no end");
                inventory.decide(SHOW, command, NOW, &mut events).is_err()
            });
        });
        assert_eq!(events, [], "a refusal has no events");
    }
}

fn confirm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide/confirm");
    // Each sample fills a show off the clock.
    group.sample_size(30);
    for (seats, count) in SIZES {
        let held = holds(seats, count, 0);
        let commands = confirms(&held);
        group.bench_function(BenchmarkId::from_parameter(format_args!("seats={seats}/holds={count}")), |bencher| {
            bencher.iter_custom(|iterations| time_granted(iterations, &commands, || show_with(seats, &held)));
        });
    }
}

/// Into a payload that is reused, as a shard does.
fn encode(criterion: &mut Criterion) {
    let inventory = show(1_000);
    let mut granted: Vec<Event> = Vec::new();
    for command in holds(1_000, BATCH, 0).into_iter().map(Command::HoldSeats) {
        inventory.decide(SHOW, &command, NOW, &mut granted).expect("an available seat");
    }
    let mut payload = PayloadWriter::default();
    let mut next = granted.iter().cycle();
    criterion.bench_function("encode/hold_granted", |bencher| {
        bencher.iter(|| {
            if payload.events() as usize == BATCH {
                black_box(payload.bytes());
                payload.clear();
            }
            payload.push(SHOW, next.next().expect("a cycle has no end"), NOW);
        });
    });
}
