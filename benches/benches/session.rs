//! What the network costs: commands through gRPC, answered when they are durable, beside calls that do nothing, and calls
//! that do nothing but wait for an fsync, as whatever is durable has to.
//!
//! `cargo bench -p usher-benches --bench session -- [empty] [logging] [unary] [client] [threads=N] [callers=N]`: a word runs
//! that part alone, three times each. Every caller holds a seat, waits for the answer, confirms it, and waits again (closed
//! loop). Callers and server are threads of one process on the same cores, each side on a runtime of its own: of one thread,
//! or as many as are asked for.

use std::{str::FromStr, time::Duration};

use mimalloc::MiMalloc;
use usher_benches::{
    conditions::Conditions,
    over_network::{Caller, EmptyServer, Measured, RealServer, Served, run, runtime},
};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 3;
const TAKES: Duration = Duration::from_secs(4);

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let parts: Vec<&String> = asked.iter().filter(|word| !word.contains('=')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| *word == part);
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a disk to write to");
    println!("{}", Conditions::now(disk.path()).expect("a disk to write to"));
    let threads = number(&asked, "threads=").unwrap_or(1);
    let callers = number(&asked, "callers=").unwrap_or(256);
    let mut rates = [(); 4].map(|()| Vec::new());
    for round in 0..ROUNDS {
        for (kind, name) in
            ["empty", "logging", "unary", "client"].into_iter().enumerate().filter(|(_, name)| wanted(name))
        {
            let dir = disk.path().join(format!("{name}-{round}"));
            let server = match name {
                "empty" => Served::start(threads, EmptyServer::start),
                "logging" => Served::start(threads, move || EmptyServer::start_logging(dir)),
                _ => Served::start(threads, move || RealServer::start(dir)),
            };
            let measured = runtime(threads).block_on(async {
                let caller = match name {
                    "empty" | "logging" => Caller::empty(server.address).await,
                    "unary" => Caller::unary(server.address).await,
                    _ => Caller::coalesced(server.address),
                };
                run(callers, TAKES, caller).await
            });
            server.stop();
            rates[kind].push(told(name, callers, &measured));
        }
    }
    let [empty, logging, unary, client] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied()
    });
    let ratios = [("logging/empty", logging, empty), ("unary/empty", unary, empty), ("client/unary", client, unary)];
    for (name, one, other) in ratios {
        one.zip(other).inspect(|(one, other)| println!("{name}: {:.2}", one / other));
    }
}

/// What is asked for by this name.
fn number<N: FromStr>(asked: &[String], name: &str) -> Option<N> {
    asked.iter().find_map(|word| word.strip_prefix(name)?.parse().ok())
}

fn told(name: &str, callers: u32, measured: &Measured) -> f64 {
    let rate = f64::from(measured.calls) / measured.took.as_secs_f64();
    println!("session/{name}/callers={callers}: {rate:.0} calls/s");
    measured.latency.print(format_args!("session/{name}/latency"));
    rate
}
