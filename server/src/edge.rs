//! The threads that speak with callers: each has a runtime of its own and its share of the connections.
//!
//! A connection stays on its thread, with all that it asks for: on few cores that is up to twice as fast as handing its
//! calls around, and its latency varies far less. Callers with much to ask have several connections. Nobody has more of
//! them than `[limits]` says ([`places`]), and each has to get on ([`patient`], [`serve`]). What is asked is not the business
//! of this folder.

use std::{
    io, net,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::{mpsc, oneshot},
};

mod deadline;
mod delay;
mod patient;
mod peer;
mod places;
mod revocations;
mod serve;
mod tls;

pub(crate) use deadline::DecideBy;
pub(crate) use delay::delay;
pub(crate) use peer::Peer;
pub(crate) use places::Places;
pub(crate) use revocations::are_overdue;
pub(crate) use serve::Serving;
pub(crate) use tls::{Tls, ends_at_s};

use serve::Accepted;

use crate::metrics::{Metrics, Open};

/// Connections that wait until their thread takes them.
const WAITING_MAX: usize = 128;
/// Before the next connection is taken where one could not be, for want of files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections to the metrics, and to a listener of the operators' own.
const METRICS_CONNECTIONS_MAX: u32 = 16;
const OPERATORS_CONNECTIONS_MAX: u32 = 64;
/// How long connections may take to finish once the process is told to end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Connections that are turned away are told of in the log so often.
const TURNED_AWAY_INTERVAL: Duration = Duration::from_secs(10);

/// The threads.
pub(crate) struct Edge {
    threads: Vec<EdgeThread>,
    /// By port. Whoever reads metrics and operators have their own: the minute in which callers have all places is the one to look
    /// at.
    places: Vec<Arc<Places<net::IpAddr>>>,
    metrics: Arc<Metrics>,
    numbers: AtomicU32,
    turned_away: Mutex<(u64, Option<Instant>)>,
}

struct EdgeThread {
    connections: mpsc::Sender<Accepted>,
    ended: oneshot::Receiver<()>,
}

/// The connections of one thread, as they come.
struct Connections(mpsc::Receiver<Accepted>);

impl Edge {
    /// A thread for each core, which serves the connections of its share until the process drains.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(serving: &Serving) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..count).map(|number| {
            let (connections, waiting) = mpsc::channel(WAITING_MAX);
            let (end, ended) = oneshot::channel();
            let serving = serving.clone();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new().name(format!("usher-edge-{number}")).spawn(move || {
                runtime.block_on(serve_until_drained(Connections(waiting), serving));
                // What still runs of dropped connections is not waited for.
                runtime.shutdown_background();
                // Whoever waits for it may be gone.
                let _ = end.send(());
            })?;
            Ok(EdgeThread { connections, ended })
        });
        let threads = threads.collect::<io::Result<_>>()?;
        let places = |port| match port {
            0 => Arc::clone(&serving.places),
            port if port == serving.metrics_port => Places::new(METRICS_CONNECTIONS_MAX, METRICS_CONNECTIONS_MAX),
            _ => Places::new(OPERATORS_CONNECTIONS_MAX, OPERATORS_CONNECTIONS_MAX),
        };
        Ok(Self {
            threads,
            places: (0..serving.doors.len()).map(places).collect(),
            metrics: Arc::clone(&serving.metrics),
            numbers: AtomicU32::new(0),
            turned_away: Mutex::default(),
        })
    }

    /// Takes the connections of a listener and gives them to the threads in turn, until the process drains.
    pub(crate) async fn accept(&self, port: usize, listener: TcpListener, mut draining: crate::service::Draining) {
        let places = &self.places[port];
        for thread in self.threads.iter().cycle() {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = draining.changed() => return,
            };
            // Its thread's runtime waits for its bytes, not this one.
            match accepted.and_then(|(stream, address)| Ok((stream.into_std()?, address))) {
                Ok((stream, address)) => match places.take(places::network(address.ip())) {
                    Some(place) => {
                        let open = Open::new(&self.metrics);
                        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
                        // A thread that ended serves nobody any more; `end` says why.
                        let _ = thread.connections.send(Accepted { stream, port, place, number, open }).await;
                    }
                    None => self.turn_away(address),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// It is closed without a word, which costs least. The log is not flooded by whoever floods us.
    fn turn_away(&self, address: net::SocketAddr) {
        let mut turned_away = self.turned_away.lock();
        turned_away.0 += 1;
        self.metrics.connections.turned_away.fetch_add(1, Ordering::Relaxed);
        if turned_away.1.is_none_or(|told| told.elapsed() >= TURNED_AWAY_INTERVAL) {
            tracing::warn!(last = %address, count = turned_away.0, "connections beyond the limit were turned away");
            *turned_away = (0, Some(Instant::now()));
        }
    }

    /// Waits until every thread has served its last connection.
    ///
    /// # Errors
    /// When one panicked.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        for EdgeThread { connections, ended } in self.threads {
            drop(connections);
            ended.await.context("a thread that serves connections panicked")?;
        }
        Ok(())
    }
}

/// Clients that keep their connections busy do not keep the process alive.
async fn serve_until_drained(connections: Connections, serving: Serving) {
    let (mut draining, metrics) = (serving.draining.clone(), Arc::clone(&serving.metrics));
    tokio::select! {
        () = serve::serve(connections, serving) => {}
        never = delay::measure(&metrics.edge_delay) => match never {},
        () = async {
            // An error means that nobody can say it any more.
            let _ = draining.wait_for(|drains| *drains).await;
            tokio::time::sleep(DRAIN_MAX).await;
        } => tracing::warn!("some connections did not finish in {} s and are dropped", DRAIN_MAX.as_secs()),
    }
}
