//! What it costs to know who calls, to limit him, and to be watched: a server with keys, rates, metrics that are read and
//! traces of one call in a hundred, beside one with none of it.
//!
//! `cargo bench -p usher-benches --bench guarded`: both are processes of their own and are asked in turn, by the same callers
//! with batches in columns (closed loop). Figures are commands a second, and the processor time that the server took for each,
//! which does not depend on who else uses the machine. What is counted for metrics is counted in both.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    num::NonZeroU32,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mimalloc::MiMalloc;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use usher_benches::{
    conditions::Conditions,
    over_network::{SEATS_OF_SHOW, SHOWS, create_shows, id_of, runtime},
};
use usher_client::{Batch, Bearer, Became, Inventory, Options};
use usher_server::{
    access::{Grant, Scope, keys::KeysFile},
    config::{Access, Config, Limits, Telemetry},
    node::Node,
    telemetry,
};

/// The allocator that the process has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Many short ones, in turns: moods of the machine fall into few of them. They have no common measure with scrapes.
const ROUNDS: usize = 40;
const TAKES: Duration = Duration::from_millis(700);
const CALLERS: u64 = 8;
const BATCH: u32 = 1_024;
/// How often Prometheus asks.
const SCRAPE: Duration = Duration::from_secs(1);
const TICKS_PER_S: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "serve") {
        return serve(&arguments[at + 1..]);
    }
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a disk to write to");
    println!("{}", Conditions::now(disk.path()).expect("a disk to write to"));
    let callers = runtime(1);
    let collector = callers.block_on(collector());
    let mut keys = KeysFile::default();
    let grant = Grant { scopes: vec![Scope::Sell, Scope::Admin], ..Grant::default() };
    let key = keys.create("bench", grant).expect("a key");
    let keys_file = disk.path().join("keys.json");
    keys.write(&keys_file).expect("a file");
    let collector = format!("http://{collector}");
    let plain = Server::start(disk.path(), "plain", &[], Bearer::default());
    let bearer = Bearer::new(key.reveal()).expect("a key");
    let guarded = Server::start(disk.path(), "guarded", &[&keys_file.display().to_string(), &collector], bearer);
    callers.spawn(scrape(guarded.metrics.expect("a listener for metrics")));
    let mut measured = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (server, measured) in [&plain, &guarded].into_iter().zip(&mut measured) {
            let figures = callers.block_on(server.ask());
            // The first one warms up.
            measured.extend((round > 0).then_some(figures));
        }
    }
    for (server, measured) in [&plain, &guarded].into_iter().zip(&measured) {
        let [rate, cpu] = [median(measured.iter().map(|it| it.0)), median(measured.iter().map(|it| it.1))];
        println!("guarded/{}: {rate:.0} commands/s, server {cpu:.0} ns CPU a command", server.name);
    }
    // Of each round: both servers grow older, and the machine has its moods.
    let [plain, guarded] = measured;
    let pairs = || guarded.iter().zip(&plain);
    println!(
        "guarded/plain: {:.3} of the commands a second, {:.3} of the CPU a command",
        median(pairs().map(|(guarded, plain)| guarded.0 / plain.0)),
        median(pairs().map(|(guarded, plain)| guarded.1 / plain.1))
    );
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A server in a process of its own.
struct Server {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    bearer: Bearer,
}

impl Server {
    fn start(disk: &Path, name: &'static str, with: &[&str], bearer: Bearer) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("its own path"));
        command.arg("serve").arg(disk.join(name)).args(with).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut lines = BufReader::new(child.stderr.take().expect("its lines")).lines().map(|line| line.expect("text"));
        let address = |line: &str| line.split("address=").nth(1)?.split_whitespace().next()?.parse().ok();
        let mut metrics = None;
        let address = loop {
            let line = lines.next().expect("it listens");
            match address(&line) {
                Some(found) if line.contains("for metrics") => metrics = Some(found),
                Some(found) => break found,
                None => {}
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { name, child, address, metrics, bearer }
    }

    /// Commands a second, and nanoseconds of its processor time for each.
    async fn ask(&self) -> (f64, f64) {
        let options = Options { connections: 2, bearer: self.bearer.clone(), ..Options::default() };
        let inventory = Inventory::with_options(&format!("http://{}", self.address), &options).expect("an address");
        create_shows(&inventory).await;
        let (cpu, begun) = (self.cpu_ns(), Instant::now());
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(call(inventory.clone(), caller, begun + TAKES));
        }
        let commands: u64 = callers.join_all().await.into_iter().sum();
        let took = begun.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "a rate to print")]
        let commands = commands as f64;
        (commands / took.as_secs_f64(), (self.cpu_ns() - cpu) / commands)
    }

    fn cpu_ns(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
        ticks * 1e9 / TICKS_PER_S
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds seats, each of a new buyer, and gives them back.
async fn call(inventory: Inventory, caller: u64, until: Instant) -> u64 {
    let mut commands = 0;
    let run: u64 = rand::random();
    let mut number = 0_u64;
    let show = id_of(u32::try_from(caller).expect("few callers") % SHOWS);
    while Instant::now() < until {
        let (mut holds, mut releases) = (Batch::default(), Batch::default());
        for seat in 0..BATCH {
            number += 1;
            let (buyer, id) = (format!("buyer-{number}"), (u128::from(run) << 64 | u128::from(number)).to_be_bytes());
            holds.hold(id, &buyer, &[seat % SEATS_OF_SHOW]);
            releases.release(id, &buyer);
        }
        for (batch, expected) in [(holds, None), (releases, Some(Became::Released))] {
            let became = inventory.run_batch(&show, batch).await.expect("an answer");
            let is_good = |became: &Became| match &expected {
                Some(expected) => became == expected,
                None => matches!(became, Became::Held { .. }),
            };
            assert!(became.iter().all(is_good), "{:?}", became.iter().find(|became| !is_good(became)));
            commands += became.len() as u64;
        }
    }
    commands
}

/// As Prometheus does, all the time: also while the other server is asked.
async fn scrape(metrics: SocketAddr) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    loop {
        let mut stream = tokio::net::TcpStream::connect(metrics).await.expect("a listener");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it is read");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        assert!(text.contains("usher_commands_total"), "{text}");
        tokio::time::sleep(SCRAPE).await;
    }
}

/// Takes spans, and does nothing with them.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// The server's side: in a directory, and with a file of keys and a collector if it is the guarded one.
fn serve(arguments: &[String]) {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let plain = Config {
        data_dir: (&arguments[0]).into(),
        shards: NonZeroU32::new(1),
        // Later: a snapshot of what was released takes a core for seconds, from whoever is asked then.
        snapshot_log_bytes: 16 << 30,
        ..Config::default()
    };
    let config = match arguments {
        [_, keys_file, collector] => Config {
            access: Access { keys_file: Some(keys_file.into()), ..Access::default() },
            // Far away, but counted.
            limits: Limits {
                caller_commands_per_s: u32::MAX,
                show_claims_per_s: u32::MAX,
                buyer_claims_per_s: u32::MAX,
                ..plain.limits.clone()
            },
            metrics_listen: Some(any_port),
            telemetry: Telemetry { endpoint: Some(collector.clone()), ..Telemetry::default() },
            ..plain
        },
        _ => plain,
    };
    telemetry::start(config.log_format, &config.log_level).expect("a log");
    runtime(1).block_on(async {
        let _traces = telemetry::traces::start(&config.telemetry).expect("traces");
        let listener = TcpListener::bind(any_port).await.expect("a port");
        let node = tokio::task::spawn_blocking(|| Node::open(config, |_, _| {})).await.expect("no panic");
        node.expect("a node").serve(listener, std::future::pending()).await.expect("it serves");
    });
}
