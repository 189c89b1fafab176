//! The threads that speak with callers: each has a runtime of its own and its share of the connections.
//!
//! A connection stays on its thread, with all that it asks for: on few cores that is up to twice as fast as handing its
//! calls around, and its latency varies far less. Callers with much to ask have several connections. What is asked is not
//! this file's business.

use std::{future::Future, io, net, thread, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{mpsc, oneshot, watch},
};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};

/// Connections that wait until their thread takes them.
const WAITING_MAX: usize = 128;
/// Before the next connection is taken where one could not be, for want of files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The threads.
pub(crate) struct Edge {
    threads: Vec<EdgeThread>,
}

struct EdgeThread {
    connections: mpsc::Sender<net::TcpStream>,
    ended: oneshot::Receiver<anyhow::Result<()>>,
}

impl Edge {
    /// A thread for each core, on which `serve` runs with the connections of its share until it ends.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start<F: Future<Output = anyhow::Result<()>>>(
        serve: impl Fn(Connections) -> F + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..count).map(|number| {
            let (connections, waiting) = mpsc::channel(WAITING_MAX);
            let (end, ended) = oneshot::channel();
            let serve = serve.clone();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new().name(format!("usher-edge-{number}")).spawn(move || {
                let served = runtime.block_on(async { serve(Connections(waiting)).await });
                // What still runs of dropped connections is not waited for.
                runtime.shutdown_background();
                // Whoever waits for it may be gone.
                let _ = end.send(served);
            })?;
            Ok(EdgeThread { connections, ended })
        });
        Ok(Self { threads: threads.collect::<io::Result<_>>()? })
    }

    /// Takes connections and gives them to the threads in turn, until the process drains.
    pub(crate) async fn accept(&self, listener: TcpListener, mut draining: watch::Receiver<bool>) {
        for thread in self.threads.iter().cycle() {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = draining.changed() => return,
            };
            // Its thread's runtime waits for its bytes, not this one.
            match accepted.and_then(|(connection, _)| connection.into_std()) {
                Ok(connection) => {
                    // A thread that ended serves nobody any more; `end` says why.
                    let _ = thread.connections.send(connection).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Waits until every thread has served its last connection.
    ///
    /// # Errors
    /// Why one ended otherwise.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        for EdgeThread { connections, ended } in self.threads {
            drop(connections);
            ended.await.context("a thread that serves connections panicked")??;
        }
        Ok(())
    }
}

/// The connections of one thread, as they come.
pub(crate) struct Connections(mpsc::Receiver<net::TcpStream>);

impl Connections {
    /// As tonic takes them. Small answers are sent at once.
    pub(crate) fn incoming(self) -> impl Stream<Item = io::Result<TcpStream>> {
        ReceiverStream::new(self.0).map(|connection| {
            let connection = TcpStream::from_std(connection)?;
            connection.set_nodelay(true)?;
            Ok(connection)
        })
    }
}
