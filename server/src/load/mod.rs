//! Buyers by the million: loads for the demo and for `usher bench`.
//!
//! A *scenario* says who comes and what he does next, a *link* is a way to an inventory, a *caller* lets the ones ask through
//! the other and notes what they are told. It measures from outside; what the log says afterwards is in [`check`].

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};
use usher_client::{Inventory, Options, v1};

pub mod asked;
mod caller;
pub mod check;
pub mod cpu;
pub mod link;
pub mod meter;
pub mod peer;
pub mod probe;
pub mod report;
pub mod scenario;
pub mod tally;
pub mod venue;

use caller::Caller;
use cpu::CpuTimes;
use link::{Columns, Link, Singly};
use meter::{Measured, Meter, Sampler};
use scenario::Scenario;
use tally::Sale;

/// How often callers of an open loop look who has come.
const CLOCK: Duration = Duration::from_micros(250);
/// How often somebody who watches looks.
const WATCHED_EVERY: Duration = Duration::from_millis(50);
/// Nobody gives up: whoever waits for long shows in the latency.
const PATIENCE: Duration = Duration::from_secs(60);

/// A load.
#[derive(Clone)]
pub struct Load {
    /// Who comes.
    pub scenario: Arc<dyn Scenario>,
    /// By the number of the show.
    pub show_ids: Arc<[String]>,
    /// When they come.
    pub pace: Pace,
    /// Commands that callers send together; 0 is each by himself.
    pub batch: u32,
    /// TCP connections.
    pub connections: u32,
    /// How long they come.
    pub lasts: Duration,
    /// Of the random choices.
    pub seed: u64,
}

/// When buyers come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many wait for their answers at any time; the next one comes when one has his (closed loop).
    Closed(u32),
    /// So many a second, however long answers take (open loop).
    Open(f64),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Ran {
    /// Counted and timed.
    pub measured: Measured,
    /// Sales that were acknowledged.
    pub sales: Vec<Sale>,
    /// CPU time in clock ticks, by the group of threads.
    pub cpu: Vec<(&'static str, u64)>,
}

/// Runs a load against Usher.
///
/// # Errors
/// When the server cannot be reached or answers what it never should.
pub async fn run(server: &str, load: &Load) -> anyhow::Result<Ran> {
    let clients = connect(server, load)?;
    clients[0].ready().await?;
    let watchers: Vec<JoinHandle<()>> = (0..load.scenario.watchers()).map(|_| watch(&clients[0], load)).collect();
    let show_ids = || Arc::clone(&load.show_ids);
    let ran = if load.batch > 0 {
        let links = clients.into_iter().map(|client| Columns { client, show_ids: show_ids() });
        run_over(load, links.collect()).await
    } else {
        let links = clients.into_iter().map(|client| Singly { client, show_ids: show_ids() });
        run_over(load, links.collect()).await
    };
    watchers.iter().for_each(JoinHandle::abort);
    ran
}

/// The commands of a show keep their order, for which a client sends them on one connection: several clients have several.
fn connect(server: &str, load: &Load) -> anyhow::Result<Vec<Inventory>> {
    let options = Options {
        connections: 1,
        timeout: PATIENCE,
        queue_wait_max: PATIENCE,
        calls_waiting_max: 1 << 20,
        ..Options::default()
    };
    let connect = |_| Inventory::with_options(server, &options);
    Ok((0..load.connections.max(1)).map(connect).collect::<Result<Vec<_>, _>>()?)
}

fn watch(client: &Inventory, load: &Load) -> JoinHandle<()> {
    let (client, show_ids) = (client.clone(), Arc::clone(&load.show_ids));
    tokio::spawn(async move {
        for show_id in show_ids.iter().cycle() {
            // Whether anybody sees it does not matter here.
            let _ = client.get_seat_map(v1::GetSeatMapRequest { show_id: show_id.clone(), min_version: 0 }).await;
            tokio::time::sleep(WATCHED_EVERY).await;
        }
    })
}

/// Runs a load over these links, on the runtime of the calling thread.
///
/// # Errors
/// When a link fails, or an answer is none that can be.
pub async fn run_over<L: Link>(load: &Load, links: Vec<L>) -> anyhow::Result<Ran> {
    let (meter, before) = (Meter::default(), CpuTimes::now());
    let sampler = Sampler::start(meter.clone(), load.lasts)?;
    let until = Instant::now() + load.lasts;
    let together = load.batch.max(1);
    let mut callers = JoinSet::new();
    let (count, together) = match load.pace {
        Pace::Closed(buyers) => (buyers.div_ceil(together), together.min(buyers)),
        Pace::Open(_) => (u32::try_from(links.len())?, together),
    };
    let mut clocks = Vec::new();
    for (number, link) in (0..count).zip(links.iter().cycle()) {
        let buyers = Arc::clone(&load.scenario).buyers(number, load.seed);
        let may_end = load.scenario.may_end();
        let caller = Caller::new(link.clone(), buyers, meter.clone(), usize::try_from(together)?, may_end);
        match load.pace {
            Pace::Closed(_) => drop(callers.spawn(caller.wait_for_each(until))),
            Pace::Open(rate) => {
                let clock = Arc::new(Notify::new());
                clocks.push(Arc::clone(&clock));
                drop(callers.spawn(caller.let_come(rate / f64::from(count), until, clock)));
            }
        }
    }
    let clock = tick(clocks)?;
    let mut sales = Vec::new();
    while let Some(done) = callers.join_next().await {
        sales.append(&mut done.context("a caller of the load")??);
    }
    drop(clock);
    let cpu = CpuTimes::now().used_since(&before);
    Ok(Ran { measured: sampler.end()?, sales, cpu })
}

/// Wakes callers of an open loop, far more often than a runtime's timers could. Ends when what it returns is dropped.
fn tick(clocks: Vec<Arc<Notify>>) -> anyhow::Result<Arc<()>> {
    let running = Arc::new(());
    let until = Arc::downgrade(&running);
    if !clocks.is_empty() {
        let ticking = move || {
            while until.strong_count() > 0 {
                thread::sleep(CLOCK);
                clocks.iter().for_each(|clock| clock.notify_one());
            }
        };
        thread::Builder::new().name("usher-load-clock".to_owned()).spawn(ticking).context("starting the clock")?;
    }
    Ok(running)
}

/// Runs this on a thread of its own that can be told from the server's.
///
/// # Errors
/// When the system gives no thread, and those of the work.
pub fn apart<T: Send, F: Future<Output = anyhow::Result<T>>>(work: impl FnOnce() -> F + Send) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let running = thread::Builder::new().name("usher-load".to_owned()).spawn_scoped(scope, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("starting the load")?.block_on(work())
        });
        running.context("starting the load")?.join().map_err(|_| anyhow::anyhow!("the load panicked"))?
    })
}
