//! The process as a whole: the log's store, the shards on it, and the gRPC server in front of them.

use std::{
    future::Future,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tonic::{service::Routes, transport::Server};
use tonic_health::server::HealthReporter;
use usher_engine::{
    router::Router,
    shard::{ClockNews, Notice, Observer, ShardStatus},
    start::{OpenLog, Shards},
};
use usher_proto::v1::{
    availability_server::AvailabilityServer, groups_server::GroupsServer, inventory_server::InventoryServer,
    operations_server::OperationsServer, shows_server::ShowsServer,
};
use usher_wal::{LogError, RocksStore, ShardId, TornTail};

use crate::{
    clock::WallClock,
    config::Config,
    edge::{Connections, Edge},
    groups::Groups,
    http,
    service::{
        COMMANDS_BYTES_MAX, Draining, PLAN_BYTES_MAX, availability::AvailabilityService, groups::GroupsService,
        inventory::InventoryService, operations::OperationsService, shows::ShowsService,
    },
    telemetry::log_notice,
};

/// How long connections may take to finish once the process is told to end.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Bytes of one call that are taken before they are read, and of all calls of a connection: a session that is not read from
/// for a while must not keep the calls beside it waiting.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Once so much time has passed, it serves the shards that are back; most are back by then, all at once.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(2);
/// How often health follows the shards.
const HEALTH_INTERVAL: Duration = Duration::from_millis(100);

/// A process that is ready to serve.
pub struct Node {
    shards: Shards,
    config: Config,
    opened: Weak<RocksStore>,
    clocks: Clocks,
}

/// By shard: whether its time is the clock's.
type Clocks = Arc<[AtomicBool]>;

impl Node {
    /// Opens the data directory and recovers every shard. Those that take long, or are damaged, do not keep the others from
    /// serving, but one at least must. Blocks; call it off the runtime.
    ///
    /// # Errors
    /// When the data directory cannot be opened, or no shard could be recovered.
    pub fn open(config: Config, watcher: impl Fn(ShardId, &Notice) + Send + Sync + 'static) -> anyhow::Result<Self> {
        let shards = config.shards(RocksStore::shards_of(&config.data_dir)?);
        let store = RocksStore::open_with(&config.data_dir, shards, config.store_options())?;
        if let Some(torn) = store.torn_tail() {
            let TornTail { path, at_byte, bytes } = torn;
            tracing::warn!(path = %path.display(), at_byte, bytes, "a torn frame that was never acknowledged is cut off");
        }
        let opened = Arc::downgrade(&store);
        let open_log: OpenLog = Arc::new(move |shard| Ok(Box::new(store.log(shard)?)));
        let clocks: Clocks = (0..shards.get()).map(|_| AtomicBool::new(true)).collect();
        let noted = Arc::clone(&clocks);
        let observer: Observer = Arc::new(move |shard, notice| {
            log_notice(shard, &notice);
            match notice {
                Notice::DiskRefuses(LogError::Exchanged { .. }) => end_at_once(),
                Notice::Clock(news) => noted[shard.0 as usize].store(news == ClockNews::InStep, Ordering::Relaxed),
                _ => {}
            }
            watcher(shard, &notice);
        });
        let shards = Shards::spawn(shards.get(), open_log, Arc::new(WallClock), config.shard_options(), observer)
            .context("starting the shards")?;
        anyhow::ensure!(
            shards.wait(RECOVERY_PATIENCE),
            "no shard of {} can serve; the log says why",
            config.data_dir.display()
        );
        Ok(Self { shards, config, opened, clocks })
    }

    /// The way to the shards.
    #[must_use]
    pub fn router(&self) -> &Router {
        self.shards.router()
    }

    /// Serves until `shutdown`, then drains: no new calls, the running ones are answered, the shards end.
    ///
    /// # Errors
    /// When the server cannot run, or a shard could not be ended in order.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let router = self.shards.router().clone();
        let address = listener.local_addr().context("the address listened on")?;
        let durability = usher_wal::Durability::from(self.config.durability);
        tracing::info!(%address, data_dir = %self.config.data_dir.display(), %durability, "listening");
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(format!("durability-{durability}"), serving(true)).await;
        let follower = tokio::spawn(follow_health(router.clone(), self.clocks.clone(), reporter));
        let (drain, draining) = tokio::sync::watch::channel(false);
        let groups = Groups::new(router.clone());
        let finisher = tokio::spawn(groups.clone().finish_forever());
        let services = services(router, groups, draining.clone())?.add_service(health).prepare();
        let ways = http::ways(services.clone(), &self.config.http_allowed_origins)?;
        let own = draining.clone();
        let edge =
            Edge::start(move |connections| serve_connections(connections, services.clone(), ways.clone(), own.clone()));
        let edge = edge.context("starting the threads that serve connections")?;
        let accepting = edge.accept(listener, draining);
        let told = async {
            shutdown.await;
            tracing::info!("draining");
            drain.send_replace(true);
        };
        tokio::join!(accepting, told);
        let served = edge.end().await;
        follower.abort();
        finisher.abort();
        self.stop().await?;
        served
    }

    async fn stop(self) -> anyhow::Result<()> {
        if let Some(error) = self.opened.upgrade().and_then(|store| store.check_in_place().err()) {
            tracing::error!(%error, "ending at once");
            end_at_once();
        }
        let reports = tokio::task::spawn_blocking(move || self.shards.stop()).await.context("stopping the shards")?;
        for (shard, report) in reports {
            match report {
                Ok(end) => tracing::info!(shard = shard.0, lsn = end.lsn.0, state_hash = %end.state_hash, "stopped"),
                Err(fault) => tracing::warn!(shard = shard.0, %fault, "did not stop in order"),
            }
        }
        Ok(())
    }
}

/// Serves a thread's connections until the process drains, and then for as long as they may take.
async fn serve_connections(
    connections: Connections,
    services: Routes,
    ways: http::Ways,
    mut draining: Draining,
) -> anyhow::Result<()> {
    let mut drained = draining.clone();
    // HTTP/1.1 is for browsers and for curl; gRPC has HTTP/2.
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .accept_http1(true)
        .layer(ways)
        .add_routes(services)
        .serve_with_incoming_shutdown(connections.incoming(), async move {
            // An error means that nobody can say it any more.
            let _ = draining.changed().await;
        });
    // Clients that keep their connections busy do not keep the process alive.
    tokio::select! {
        served = server => served.context("serving"),
        () = async { let _ = drained.changed().await; tokio::time::sleep(DRAIN_MAX).await } => {
            tracing::warn!("some connections did not finish in {} s and are dropped", DRAIN_MAX.as_secs());
            Ok(())
        }
    }
}

/// Every service of a process but its health.
fn services(router: Router, groups: Groups, draining: Draining) -> anyhow::Result<Routes> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(usher_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .context("the descriptors for reflection")?;
    let inventory = InventoryServer::new(InventoryService::new(router.clone(), draining))
        .max_decoding_message_size(COMMANDS_BYTES_MAX);
    let shows = ShowsServer::new(ShowsService::new(router.clone()))
        .max_decoding_message_size(PLAN_BYTES_MAX)
        .max_encoding_message_size(PLAN_BYTES_MAX);
    Ok(Routes::new(reflection)
        .add_service(inventory)
        .add_service(shows)
        .add_service(
            GroupsServer::new(GroupsService::new(router.clone(), groups)).max_decoding_message_size(COMMANDS_BYTES_MAX),
        )
        .add_service(AvailabilityServer::new(AvailabilityService::new(router.clone())))
        .add_service(OperationsServer::new(OperationsService::new(router))))
}

/// Ends the process where its data directory is another one by now. Closed in order, it would remove the other one's files:
/// RocksDB knows its own by their paths. What was answered is durable where the directory went.
fn end_at_once() -> ! {
    std::process::exit(1)
}

/// Keeps `grpc.health.v1` true: each shard as `shard-N`, and the whole (the empty name) while every shard serves. A shard
/// whose time is not the clock's decides rightly, but holds live longer: `clock` says that, and nothing else.
async fn follow_health(router: Router, clocks: Clocks, reporter: HealthReporter) {
    let mut known_clocks = None;
    let mut known: Vec<Option<ShardStatus>> = vec![None; router.shards().len()];
    loop {
        let now: Vec<Option<ShardStatus>> = router.shards().iter().map(|shard| Some(shard.status())).collect();
        for (shard, status) in now.iter().enumerate().filter(|(shard, status)| known[*shard] != **status) {
            reporter.set_service_status(format!("shard-{shard}"), serving(*status == Some(ShardStatus::Serving))).await;
        }
        if now != known {
            let all = now.iter().all(|status| *status == Some(ShardStatus::Serving));
            reporter.set_service_status("", serving(all)).await;
        }
        known = now;
        let in_step = Some(clocks.iter().all(|clock| clock.load(Ordering::Relaxed)));
        if in_step != known_clocks {
            reporter.set_service_status("clock", serving(in_step == Some(true))).await;
        }
        known_clocks = in_step;
        tokio::time::sleep(HEALTH_INTERVAL).await;
    }
}

fn serving(serves: bool) -> tonic_health::ServingStatus {
    if serves { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing }
}
