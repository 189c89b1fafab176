//! A flash sale against a server over gRPC, for the demo and the benchmarks: ever new buyers fight over the seats of one
//! show, nine of ten winners pay, one gives back.
//!
//! It measures from outside; what the log says afterwards is in [`check`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;
use usher_client::{Inventory, Options};

pub mod check;
pub mod cpu;
pub mod probe;
pub mod report;
mod tally;
mod worker;

pub use report::{Progress, Report};
pub use tally::Tally;

/// The shape of a load.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// How long.
    pub duration: Duration,
    /// Callers at the same time, each waiting for its own answer (closed loop).
    pub workers: usize,
    /// Commands of one batch.
    pub batch: usize,
    /// TCP connections that the callers share.
    pub connections: usize,
    /// Of the random choices.
    pub seed: u64,
}

/// Runs a load against one show with `seats` seats.
///
/// # Errors
/// When the server cannot be reached or answers what it never should.
pub async fn run(
    server: &str,
    show_id: &str,
    seats: u32,
    options: LoadOptions,
    progress: Arc<Progress>,
) -> anyhow::Result<Report> {
    // The commands of a show keep their order, for which a client sends them on one connection: several clients have several.
    let own = Options { connections: 1, ..Options::default() };
    let connect = |_| Inventory::with_options(server, &own);
    let clients = (0..options.connections.max(1)).map(connect).collect::<Result<Vec<_>, _>>()?;
    clients[0].ready().await?;
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for number in 0..options.workers {
        let client = clients[number % clients.len()].clone();
        let worker = worker::Worker::new(client, show_id, seats, options, number, Arc::clone(&progress));
        workers.spawn(worker.run(started + options.duration));
    }
    let mut tally = Tally::default();
    while let Some(done) = workers.join_next().await {
        tally.add(done.context("a caller of the load")??);
    }
    Ok(Report { options, elapsed: started.elapsed(), tally })
}

/// A runtime of its own for the load, whose threads can be told from the server's.
///
/// # Errors
/// When the system gives no thread.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("usher-load").enable_all().build().context("starting the load")
}
