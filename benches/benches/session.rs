//! What the network costs: commands through gRPC, answered when they are durable, beside calls that do nothing.
//!
//! `cargo bench -p usher-benches --bench session -- [empty] [unary] [client]`: a word runs that part alone, three times each.
//! Callers and server are one process on the same cores; every caller holds a seat, waits for the answer, confirms it, and
//! waits again (closed loop).

use std::time::Duration;

use mimalloc::MiMalloc;
use usher_benches::{
    conditions::Conditions,
    over_network::{Caller, EmptyServer, Measured, RealServer, run},
};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const CALLERS: u32 = 256;
const ROUNDS: usize = 3;
const TAKES: Duration = Duration::from_secs(4);

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a disk to write to");
    println!("{}", Conditions::now(disk.path()).expect("a disk to write to"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let mut rates = [(); 3].map(|()| Vec::new());
    for round in 0..ROUNDS {
        if wanted("empty") {
            let measured = runtime.block_on(async {
                let server = EmptyServer::start().await;
                run(CALLERS, TAKES, Caller::empty(server.address).await).await
            });
            rates[0].push(told("empty", &measured));
        }
        for (kind, name) in [(1, "unary"), (2, "client")] {
            if wanted(name) {
                let measured = runtime.block_on(async {
                    let server = RealServer::start(&disk.path().join(format!("{name}-{round}"))).await;
                    let coalesced = Caller::coalesced(server.address);
                    let caller = if name == "client" { coalesced } else { Caller::unary(server.address).await };
                    let measured = run(CALLERS, TAKES, caller).await;
                    server.stop().await;
                    measured
                });
                rates[kind].push(told(name, &measured));
            }
        }
    }
    let [empty, unary, client] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied()
    });
    if let (Some(empty), Some(unary)) = (empty, unary) {
        println!("unary/empty: {:.2}", unary / empty);
    }
    if let (Some(client), Some(unary)) = (client, unary) {
        println!("client/unary: {:.2}", client / unary);
    }
}

fn told(name: &str, measured: &Measured) -> f64 {
    let rate = f64::from(measured.calls) / measured.took.as_secs_f64();
    println!("session/{name}/callers={CALLERS}: {rate:.0} calls/s");
    measured.latency.print(format_args!("session/{name}/latency"));
    rate
}
