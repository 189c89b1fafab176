//! What each stage costs that a command passes through, in columns: client, wire, core, log, and back.
//!
//! `cargo bench -p usher-benches --bench codec [-- NAME]`: nanoseconds a command. `-- count NAME TIMES` does the work of one
//! stage so often and nothing else, for whoever counts instructions (`.ci/compare`); `-- list` prints their names.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use mimalloc::MiMalloc;
use usher_benches::stages::{BATCH, STAGES, Stage};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => STAGES.iter().for_each(|stage| println!("{}", stage.name)),
        ["count", name, times] => {
            let stage = STAGES.iter().find(|stage| stage.name == name).expect("a stage's name: `list` prints them");
            let (mut work, times) = ((stage.prepare)(), times.parse().expect("a number"));
            (0..times).for_each(|_: u32| work());
        }
        _ => {
            let mut criterion = Criterion::default().configure_from_args();
            STAGES.iter().for_each(|stage| time(&mut criterion, stage));
            criterion.final_summary();
        }
    }
}

fn time(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(BATCH as u64));
    // What is used up is made anew, off the clock.
    if stage.times_max.is_some() {
        group.sample_size(10);
    }
    let mut work: Option<(Box<dyn FnMut()>, usize)> = None;
    group.bench_function(stage.name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut took = Duration::ZERO;
            for _ in 0..iterations {
                if work.as_ref().is_none_or(|(_, left)| *left == 0) {
                    work = Some(((stage.prepare)(), stage.times_max.unwrap_or(usize::MAX)));
                }
                let (run, left) = work.as_mut().expect("it was made");
                let begun = Instant::now();
                run();
                took += begun.elapsed();
                *left -= 1;
            }
            took
        });
    });
}
