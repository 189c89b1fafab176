//! The server within the test: the real node on a data directory of its own, on a port that the system chose.

use std::{net::SocketAddr, num::NonZeroU32};

use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use usher_engine::shard::Notice;
use usher_proto::v1;
use usher_server::{config::Config, node::Node};
use usher_wal::ShardId;

use super::{Clients, WAIT_MAX};

/// A server that runs until the test's runtime ends, or until it is stopped.
pub(crate) struct LocalServer {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
    data: TempDir,
}

impl LocalServer {
    /// Starts it with default settings and `shards` shards.
    pub(crate) async fn start(shards: u32) -> Self {
        Self::start_with(shards, Config::default()).await
    }

    /// Starts it with these settings.
    pub(crate) async fn start_with(shards: u32, config: Config) -> Self {
        // Where a test's machine is busy, nobody is put off for it.
        let config = Config { queue_wait_ms_max: 60_000, ..config };
        Self::start_watched(shards, config, |_, _| {}).await
    }

    /// The same; `watcher` is called on the threads of the shards, which wait for it.
    pub(crate) async fn start_watched(
        shards: u32,
        config: Config,
        watcher: impl Fn(ShardId, &Notice) + Send + Sync + 'static,
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (data_dir, shards) = (data.path().to_owned(), NonZeroU32::new(shards).unwrap());
        let config = Config { data_dir, shards: Some(shards), ..config };
        let node = tokio::task::spawn_blocking(|| Node::open(config, watcher)).await.unwrap().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(node.serve(listener, async move {
            // An error means that the test ended without stopping the server, which ends it too.
            let _ = stopped.await;
        }));
        Self { address, stop, served, data }
    }

    /// A server with one show, and a connection to it.
    pub(crate) async fn with_show(show: v1::CreateShowRequest) -> (Self, Clients) {
        let server = Self::start(1).await;
        let mut clients = Clients::connect(server.address).await;
        clients.shows.create_show(show).await.unwrap();
        (server, clients)
    }

    /// Ends it as SIGTERM would, and waits for its end.
    pub(crate) async fn stop(self) {
        drop(self.stop_and_keep().await);
    }

    /// The same, with what it left on disk.
    pub(crate) async fn stop_and_keep(self) -> TempDir {
        self.stop.send(()).unwrap();
        tokio::time::timeout(WAIT_MAX, self.served).await.unwrap().unwrap().unwrap();
        self.data
    }
}
