//! What a server does with more than it can do: goodput at a half to five times its capacity, plotted.
//!
//! `cargo bench -p usher-benches --bench overload`: first the capacity is found, then buyers come at multiples of it, whatever
//! the server does (open loop). Every buyer holds a random seat and gives it back; he has gone after two seconds. Callers and
//! server share the cores, and durable is every answer.

use std::{path::Path, time::Duration};

use mimalloc::MiMalloc;
use usher_benches::{
    chart::{Panel, draw},
    conditions::Conditions,
    flood::{Flood, Survived, run},
    over_network::{RealServer, Served, runtime},
};
use usher_server::load::cpu::CpuTimes;

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const SESSIONS: u32 = 64;
const CONNECTIONS: u32 = 8;
const TAKES: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;
/// Of the capacity.
const LOADS: [f64; 8] = [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0];
/// Buyers a second that nothing here serves.
const ENDLESS: f64 = 500e3;

struct Step {
    load: f64,
    goodput: f64,
    put_off: f64,
    unsent: f64,
    p99_ms: f64,
}

fn main() {
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a disk to write to");
    let conditions = Conditions::now(disk.path()).expect("a disk to write to");
    println!("{conditions}");
    let callers = runtime(1);
    // On a server of its own: what one flood leaves behind is not the next one's burden.
    let flood = |rate| {
        let flood = Flood { rate, sessions: SESSIONS, connections: CONNECTIONS, takes: TAKES };
        let dir = tempfile::tempdir_in(disk.path()).expect("a disk to write to");
        let data = dir.path().join("data");
        let server = Served::start(1, move || RealServer::start(data));
        let before = CpuTimes::now();
        let survived = callers.block_on(run(server.address, flood));
        let cpu = CpuTimes::now().shares_since(&before);
        server.stop();
        (survived, cpu)
    };
    // Twice: at first the memory is fresh.
    let capacity = [(); 2].map(|()| per_second(flood(ENDLESS).0.good)).into_iter().fold(0.0, f64::max);
    println!("overload/capacity: {capacity:.0} commands/s");
    let mut steps = Vec::new();
    for load in LOADS {
        let mut rounds: Vec<(Step, String)> = (0..ROUNDS)
            .map(|_| {
                // Each buyer is two commands.
                let (survived, cpu) = flood(capacity * load / 2.0);
                (step(load, &survived), told(load, &survived, &cpu))
            })
            .collect();
        rounds.sort_by(|(one, _), (other, _)| one.goodput.total_cmp(&other.goodput));
        let (median, line) = rounds.swap_remove(ROUNDS / 2);
        println!("{line}");
        steps.push(median);
    }
    let peak = steps.iter().map(|step| step.goodput).fold(0.0, f64::max);
    let last = steps.last().map_or(0.0, |step| step.goodput);
    println!("overload/goodput at 5 times the capacity: {:.2} of its peak, {peak:.0} commands/s", last / peak);
    picture(&conditions, &steps);
}

fn told(load: f64, survived: &Survived, cpu: &[(&str, u64)]) -> String {
    let Survived { came, good, late, put_off, unsent, settled, settled_badly, reasons, .. } = survived;
    format!(
        "overload/load={load}: goodput {:.0} commands/s, of {came} buyers {unsent} unsent, {put_off} put off {reasons:?}, {late} late; \
         {settled_badly} of {settled} releases not in time; p99 {:.1} ms; CPU {cpu:?}",
        per_second(*good),
        survived.latency.at(0.99).as_secs_f64() * 1e3
    )
}

fn step(load: f64, survived: &Survived) -> Step {
    Step {
        load,
        goodput: per_second(survived.good),
        put_off: per_second(survived.put_off),
        unsent: per_second(survived.unsent),
        p99_ms: survived.latency.at(0.99).as_secs_f64() * 1e3,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate to print")]
fn per_second(count: u64) -> f64 {
    count as f64 / TAKES.as_secs_f64()
}

fn picture(conditions: &Conditions, steps: &[Step]) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../overload.png");
    // The axes are logarithmic.
    let line = |name: &str, of: fn(&Step) -> f64| {
        (name.to_owned(), steps.iter().map(|step| (step.load, of(step).max(1.0))).collect())
    };
    let x = "load, in multiples of the capacity".to_owned();
    let panels = [
        Panel {
            title: "Commands a second".to_owned(),
            axes: (x.clone(), "commands/s".to_owned()),
            lines: vec![
                line("answered in time", |step| step.goodput),
                line("put off by the server", |step| step.put_off),
                line("not sent by the frontends", |step| step.unsent),
            ],
        },
        Panel {
            title: "Slowest of a hundred answers".to_owned(),
            axes: (x, "p99, ms".to_owned()),
            lines: vec![line("hold or release", |step| step.p99_ms)],
        },
    ];
    draw(&path, &format!("Goodput under overload\n{conditions}"), &panels, 2).expect("a picture");
    println!("{}", path.canonicalize().expect("it was drawn").display());
}
