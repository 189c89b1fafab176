//! A server on a runtime of its own beside the load, so that each has its threads.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinHandle};
use usher_engine::shard::Notice;
use usher_wal::ShardId;

use crate::{config::Config, node::Node, shutdown};

/// A running server.
pub(crate) struct OwnServer {
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    serving: JoinHandle<anyhow::Result<()>>,
    stop: oneshot::Sender<()>,
}

/// Opens the data directory and serves it until told to stop or interrupted.
pub(crate) fn start(
    config: Config,
    watcher: impl Fn(ShardId, &Notice) + Send + Sync + 'static,
) -> anyhow::Result<OwnServer> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("usher-server")
        .enable_all()
        .build()
        .context("starting the server")?;
    let listen = config.listen;
    let listener = runtime.block_on(TcpListener::bind(listen)).with_context(|| format!("listening on {listen}"))?;
    let address = listener.local_addr()?;
    let interrupted = {
        let _guard = runtime.enter();
        shutdown::requested().context("listening for signals")?
    };
    let node = Node::open(config, watcher)?;
    let (stop, stopped) = oneshot::channel();
    let ends = async move {
        tokio::select! {
            () = interrupted => {}
            _ = stopped => {}
        }
    };
    let serving = runtime.spawn(node.serve(listener, ends));
    Ok(OwnServer { address, runtime, serving, stop })
}

impl OwnServer {
    /// Ends it in order.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.runtime.block_on(self.serving).context("the server")?
    }

    /// Serves until Ctrl-C or SIGTERM.
    pub(crate) fn wait(self) -> anyhow::Result<()> {
        let done = self.runtime.block_on(self.serving).context("the server")?;
        drop(self.stop);
        done
    }
}
