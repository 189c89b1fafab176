//! What one shard does with its log on RocksDB, every answer fsynced, and no network: the `spike` sale, ten attempts for each of
//! 100,000 seats, of the winners nine in ten pay. Commands are made before the clock runs; the caller has a thread of his own.
//!
//! `cargo bench -p usher-benches --bench in_process`. The disk is that below the build's target directory.

use std::path::Path;

use mimalloc::MiMalloc;
use usher_benches::{
    conditions::Conditions,
    stages::{SEATS, batches},
    under_load::{Plan, run},
    workload::SHOW,
};
use usher_engine::command::Command;

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Commands of a batch, and batches under way.
const SETUPS: [(usize, usize); 3] = [(1_024, 8), (1_024, 32), (4_096, 16)];
const RUNS: usize = 5;

fn main() {
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR"));
    println!("{}", Conditions::now(disk).expect("a disk to write to"));
    let commands: Vec<Command> = batches().into_iter().flatten().collect();
    for (batch, in_flight) in SETUPS {
        let plan = Plan { shows: 1, seats: SEATS, in_flight, snapshot_log_bytes: u64::MAX };
        let measure = || {
            let batches = commands.chunks(batch).map(|batch| (SHOW, batch.to_vec())).collect();
            let load = run(disk, plan, batches);
            let (median, tail) = (load.latency.at(0.5), load.latency.at(0.99));
            (commands.len() as f64 / load.took.as_secs_f64(), load.granted, median, tail)
        };
        let mut runs: Vec<_> = (0..RUNS).map(|_| measure()).collect();
        runs.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (rate, granted, median, tail) = runs[RUNS / 2];
        println!(
            "batches of {batch}, {in_flight} under way: {rate:.0} commands/s ({:.0} to {:.0}), {granted} of {} granted, a batch p50 \
             {median:.1?}, p99 {tail:.1?}",
            runs[0].0,
            runs[RUNS - 1].0,
            commands.len()
        );
    }
}
