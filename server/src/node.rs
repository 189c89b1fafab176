//! The process as a whole: the log's store, the shards on it, and the gRPC server in front of them.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::{
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};
use usher_engine::{
    router::Router,
    shard::{Notice, Observer, ShardStatus},
    start::{OpenLog, Shards},
};
use usher_proto::v1::{
    availability_server::AvailabilityServer, groups_server::GroupsServer, inventory_server::InventoryServer,
    operations_server::OperationsServer, shows_server::ShowsServer,
};
use usher_wal::{LogError, RocksStore, ShardId, TornTail};

use crate::{
    access::{audit::Audit, guard::Guard},
    clock::WallClock,
    config::{Config, ConfigFlags},
    credentials::Credentials,
    edge::{Edge, Serving, Tls},
    groups::Groups,
    http,
    metrics::{self, Metrics, Sources},
    reload::{Live, Reloader},
    service::{
        ANSWER_BYTES_MAX, COMMAND_BYTES_MAX, COMMANDS_BYTES_MAX, Draining, PLAN_BYTES_MAX,
        availability::AvailabilityService, groups::GroupsService, inventory::InventoryService,
        operations::OperationsService, shows::ShowsService,
    },
    telemetry::{called::Noting, log_notice},
};

/// Once so much time has passed, it serves the shards that are back; most are back by then, all at once.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(2);
/// The listener of everybody, that of operators where they have one of their own, and that of metrics: the doors are in
/// this order.
const PUBLIC: usize = 0;
const APART: usize = 1;
/// Those of `Shows` that take a plan, or places by the million.
const LARGE_METHODS: [&str; 7] =
    ["AssignChannel", "BlockPlaces", "ChangeManifest", "CreateShow", "ImportShow", "RetireSeats", "UnblockPlaces"];
/// How often health follows the shards.
const HEALTH_INTERVAL: Duration = Duration::from_millis(100);

/// A process that is ready to serve.
pub struct Node {
    shards: Shards,
    config: Config,
    /// Where the settings are read again.
    flags: Option<ConfigFlags>,
    credentials: Credentials,
    opened: Weak<RocksStore>,
    metrics: Arc<Metrics>,
}

impl Node {
    /// Reads who may call, opens the data directory and recovers every shard. Those that take long, or are damaged, do not keep
    /// the others from serving, but one at least must. Blocks; call it off the runtime.
    ///
    /// # Errors
    /// When a file of keys or certificates cannot be read, which leaves the data directory alone, when that cannot be opened, or
    /// no shard could be recovered.
    pub fn open(config: Config, watcher: impl Fn(ShardId, &Notice) + Send + Sync + 'static) -> anyhow::Result<Self> {
        let credentials = Credentials::read(&config)?;
        let shards = config.shards(RocksStore::shards_of(&config.data_dir)?);
        let store = RocksStore::open_with(&config.data_dir, shards, config.store_options())?;
        if let Some(torn) = store.torn_tail() {
            let TornTail { path, at_byte, bytes } = torn;
            tracing::warn!(path = %path.display(), at_byte, bytes, "a torn frame that was never acknowledged is cut off");
        }
        let opened = Arc::downgrade(&store);
        let open_log: OpenLog = Arc::new(move |shard| Ok(Box::new(store.log(shard)?)));
        let metrics = Metrics::new(shards.get());
        let noting = Arc::clone(&metrics);
        let observer: Observer = Arc::new(move |shard, notice| {
            noting.note(shard, &notice);
            log_notice(shard, &notice);
            if matches!(notice, Notice::DiskRefuses(LogError::Exchanged { .. })) {
                end_at_once();
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
        Ok(Self { shards, config, flags: None, credentials, opened, metrics })
    }

    /// Reads its settings again on SIGHUP, from where these flags name.
    #[must_use]
    pub fn reloading(self, flags: ConfigFlags) -> Self {
        Self { flags: Some(flags), ..self }
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
        let credentials = self.credentials.clone();
        let live = Live::new(&self.config);
        let guard = guard(&self.config, &live, &credentials)?;
        let (apart, for_metrics) = (self.config.operations_listen, self.config.metrics_listen);
        let (apart, for_metrics) = (listen(apart).await?, listen(for_metrics).await?);
        let (reporter, health) = tonic_health::server::health_reporter();
        let durability = usher_wal::Durability::from(self.config.durability);
        reporter.set_service_status(format!("durability-{durability}"), serving(true)).await;
        let (drain, draining) = tokio::sync::watch::channel(false);
        let groups = Groups::new(router.clone());
        let finisher = tokio::spawn(groups.clone().finish_forever());
        let sources = self.sources(&guard, credentials.tls.as_ref(), &live);
        let doors = self.doors(&guard, &live, sources, health, groups, &draining)?;
        let metrics = Arc::clone(&self.metrics);
        let metrics_port = doors.len() - 1;
        let (tls, draining) = (credentials.tls.clone(), draining.clone());
        let edge = Edge::start(&Serving {
            doors,
            tls,
            limits: live.limits.subscribe(),
            places: Arc::clone(&live.connections),
            draining: draining.clone(),
            metrics,
            metrics_port,
        });
        let edge = edge.context("starting the threads that serve connections")?;
        self.say_listening(&listener, apart.as_ref(), for_metrics.as_ref(), durability)?;
        let (config, flags) = (self.config.clone(), self.flags.clone());
        let reloader = Reloader { config, flags, live, credentials };
        let follower = tokio::spawn(follow_health(router, Arc::clone(&self.metrics), reporter));
        let reloader = tokio::spawn(reloader.follow());
        let accepting = edge.accept(PUBLIC, listener, draining.clone());
        let accepting_apart = async {
            if let Some(apart) = apart {
                edge.accept(APART, apart, draining.clone()).await;
            }
        };
        let accepting_for_metrics = async {
            if let Some(for_metrics) = for_metrics {
                edge.accept(metrics_port, for_metrics, draining.clone()).await;
            }
        };
        let told = async {
            shutdown.await;
            tracing::info!("draining");
            tell_systemd(NotifyState::Stopping);
            drain.send_replace(true);
        };
        tokio::join!(accepting, accepting_apart, accepting_for_metrics, told);
        let served = edge.end().await;
        follower.abort();
        reloader.abort();
        finisher.abort();
        self.stop().await?;
        served
    }

    /// What is served on each listener. Where operators have one of their own, the first one is not theirs.
    fn doors(
        &self,
        guard: &Guard,
        live: &Live,
        sources: Arc<Sources>,
        health: HealthServer<impl Health>,
        groups: Groups,
        draining: &Draining,
    ) -> anyhow::Result<Arc<[http::Door]>> {
        let router = self.shards.router().clone();
        let noting = Noting(Arc::clone(&self.metrics));
        let door = |services: Routes| http::door(services, guard, &noting, live.allowed_origins.subscribe());
        let for_metrics = metrics::door(Arc::clone(&sources));
        let public = services(router.clone(), groups, draining.clone()).add_service(health.clone());
        if self.config.operations_listen.is_some() {
            let own = operations(Routes::default(), router, sources, draining)?.add_service(health);
            return Ok([door(public)?, door(own)?, for_metrics].into());
        }
        Ok([door(operations(public, router, sources, draining)?)?, for_metrics].into())
    }

    fn sources(&self, guard: &Guard, tls: Option<&Arc<Tls>>, live: &Live) -> Arc<Sources> {
        Arc::new(Sources {
            metrics: Arc::clone(&self.metrics),
            router: self.shards.router().clone(),
            limits: live.limits.subscribe(),
            inbox_commands_max: self.config.inbox_commands_max,
            data_dir: self.config.data_dir.clone(),
            disk_reserve_bytes: self.config.disk_reserve_bytes,
            tls: tls.cloned(),
            audit: guard.audit.clone(),
            are_files_stale: Arc::clone(&live.are_files_stale),
        })
    }

    fn say_listening(
        &self,
        listener: &TcpListener,
        apart: Option<&TcpListener>,
        for_metrics: Option<&TcpListener>,
        durability: usher_wal::Durability,
    ) -> anyhow::Result<()> {
        if !self.config.access.is_configured() {
            tracing::warn!("nobody has to say who he is: every caller may do everything (access.keys_file)");
        }
        if let Some(apart) = apart {
            tracing::info!(address = %apart.local_addr()?, "listening for operators");
        }
        if let Some(for_metrics) = for_metrics {
            tracing::info!(address = %for_metrics.local_addr()?, "listening for metrics");
        }
        let (address, tls) = (listener.local_addr()?, self.config.tls.certificate.is_some());
        tracing::info!(%address, data_dir = %self.config.data_dir.display(), %durability, tls, "listening");
        tell_systemd(NotifyState::Ready);
        Ok(())
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

/// Where systemd waits for it (`Type=notify`).
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd was not told");
    }
}

async fn listen(address: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => Ok(Some(TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?)),
        None => Ok(None),
    }
}

/// Who is known, and the trail where anybody has to be.
fn guard(config: &Config, live: &Live, credentials: &Credentials) -> anyhow::Result<Guard> {
    let known = Arc::clone(&credentials.known);
    let directory = config.access.audit_dir(&config.data_dir);
    let open = || Audit::open(&directory, config.access.audit_file_bytes).map(Arc::new);
    let audit = config.access.is_configured().then(open).transpose()?;
    let (connections, rates) = (Arc::clone(&live.callers), Arc::clone(&live.rates));
    let wait_max = Duration::from_millis(config.queue_wait_ms_max);
    Ok(Guard { known, audit, connections, rates, wait_max })
}

/// The services of frontends and organisers. A message is as large as its method needs, and no larger.
fn services(router: Router, groups: Groups, draining: Draining) -> Routes {
    let inventory = Arc::new(InventoryService::new(router.clone(), draining));
    let inventory = |bytes_max| {
        InventoryServer::from_arc(Arc::clone(&inventory))
            .max_decoding_message_size(bytes_max)
            .max_encoding_message_size(ANSWER_BYTES_MAX)
    };
    let shows = Arc::new(ShowsService::new(router.clone()));
    let shows = |bytes_max| {
        ShowsServer::from_arc(Arc::clone(&shows))
            .max_decoding_message_size(bytes_max)
            .max_encoding_message_size(PLAN_BYTES_MAX)
    };
    let groups = GroupsServer::new(GroupsService::new(router.clone(), groups))
        .max_decoding_message_size(COMMANDS_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let availability = AvailabilityServer::new(AvailabilityService::new(router))
        .max_decoding_message_size(COMMAND_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let routes = Routes::new(inventory(COMMAND_BYTES_MAX)).add_service(shows(COMMAND_BYTES_MAX));
    let mut router = routes.add_service(groups).add_service(availability).into_axum_router();
    for batches in ["Execute", "Session"] {
        router = router.route_service(&format!("/usher.v1.Inventory/{batches}"), inventory(COMMANDS_BYTES_MAX));
    }
    for plans in LARGE_METHODS {
        router = router.route_service(&format!("/usher.v1.Shows/{plans}"), shows(PLAN_BYTES_MAX));
    }
    router.into()
}

/// The services of operators.
fn operations(routes: Routes, router: Router, sources: Arc<Sources>, draining: &Draining) -> anyhow::Result<Routes> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(usher_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .context("the descriptors for reflection")?;
    let operations = OperationsServer::new(OperationsService::new(router, sources, draining.clone()))
        .max_decoding_message_size(COMMAND_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    Ok(routes.add_service(reflection).add_service(operations))
}

/// Ends the process where its data directory is another one by now. Closed in order, it would remove the other one's files:
/// RocksDB knows its own by their paths. What was answered is durable where the directory went.
fn end_at_once() -> ! {
    std::process::exit(1)
}

/// Keeps `grpc.health.v1` true: each shard as `shard-N`, and the whole (the empty name) while every shard serves. A shard
/// whose time is not the clock's decides rightly, but holds live longer: `clock` says that, and nothing else.
async fn follow_health(router: Router, metrics: Arc<Metrics>, reporter: HealthReporter) {
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
        let in_step = Some(metrics.shards.iter().all(|shard| shard.is_clock_in_step.load(Ordering::Relaxed)));
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
