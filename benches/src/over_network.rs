//! Callers over gRPC on one machine: through single calls, and through the client that puts them together; and a server that
//! does nothing, to compare with.

use std::{
    fs::File, io::Write as _, iter, net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc, thread, time::Duration,
};

use crossbeam::channel::{Sender, unbounded};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::{Barrier, oneshot},
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use usher_client::{
    Inventory,
    v1::{
        self,
        availability_client::AvailabilityClient,
        availability_server::{Availability, AvailabilityServer},
        inventory_client::InventoryClient,
    },
};
use usher_server::{config::Config, node::Node};

use crate::{percentiles::Percentiles, workload::random_id};

/// Shows, so that each caller finds seats for as long as it runs.
pub const SHOWS: u32 = 8;
const SEATS: u32 = 1_000_000;
/// Of each of them.
pub const SEATS_OF_SHOW: u32 = SEATS / SHOWS;
const ROW_SEATS: u32 = 1_000;
/// Of a hold or its confirmation, about.
const RECORD_BYTES: usize = 48;
const ANY_PORT: &str = "127.0.0.1:0";

/// What a run did.
#[derive(Debug, Default)]
pub struct Measured {
    /// Answered.
    pub calls: u32,
    /// All of it.
    pub took: Duration,
    /// From the call to its answer.
    pub latency: Percentiles,
}

/// A runtime of one thread that is the caller's, or of several of its own.
///
/// # Panics
/// When the system gives no thread.
#[must_use]
pub fn runtime(threads: usize) -> Runtime {
    let mut builder = if threads > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(threads.max(1)).enable_all().build().expect("threads")
}

/// A server that can be started and stopped.
pub trait Serves: Sized {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// Ends it.
    fn stop(self) -> impl Future<Output = ()>;
}

/// A server on a thread and a runtime of its own.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Served {
    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start<S: Serves, F: Future<Output = S>>(threads: usize, start: impl FnOnce() -> F + Send + 'static) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            runtime(threads).block_on(async {
                let server = start().await;
                told.send(server.address()).expect("somebody waits for it");
                let _ = stopped.await;
                server.stop().await;
            });
        });
        Self { address: address.recv().expect("it starts"), stop, thread }
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it failed.
    pub fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.thread.join().expect("it ends");
    }
}

/// Usher with one shard and fsync.
pub struct RealServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
}

impl RealServer {
    /// Starts it in a new directory, and makes the shows.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(dir: PathBuf) -> Self {
        let config = Config { data_dir: dir, shards: NonZeroU32::new(1), ..Config::default() };
        let node = tokio::task::spawn_blocking(|| Node::open(config, |_, _| {})).await.expect("no panic");
        let listener = TcpListener::bind(ANY_PORT).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(node.expect("a node").serve(listener, async move {
            let _ = stopped.await;
        }));
        let inventory = Inventory::connect(&format!("http://{address}")).expect("an address");
        create_shows(&inventory).await;
        Self { address, stop, served }
    }
}

/// Makes the shows, if they are not there.
///
/// # Panics
/// When the server refuses.
pub async fn create_shows(inventory: &Inventory) {
    for show in 0..SHOWS {
        inventory.create_show(hall(&id_of(show))).await.expect("a show");
    }
}

impl Serves for RealServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.served.await.expect("no panic").expect("it served");
    }
}

/// The id of a show, by its number.
#[must_use]
pub fn id_of(show: u32) -> String {
    format!("show-{show}")
}

fn hall(show_id: &str) -> v1::CreateShowRequest {
    let category = "Seat".to_owned();
    let row = |row: u32| {
        let names = v1::seat_run::Names::Numbered(v1::NumberedSeats { first: 1, count: ROW_SEATS, step: 1 });
        let run = v1::SeatRun { category: category.clone(), names: Some(names), ..Default::default() };
        v1::Row { name: (row + 1).to_string(), runs: vec![run], ..Default::default() }
    };
    let rows = (0..SEATS_OF_SHOW / ROW_SEATS).map(row).collect();
    let kind = Some(v1::section::Kind::Reserved(v1::ReservedSection { rows }));
    let manifest = v1::Manifest {
        name: "Stadium".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![v1::Category { name: category, price_minor: 5_000 }],
        sections: vec![v1::Section { name: "A".to_owned(), kind }],
        ..Default::default()
    };
    v1::CreateShowRequest { show_id: show_id.to_owned(), manifest: Some(manifest), ..Default::default() }
}

/// A server whose calls do nothing, or nothing but wait until a record of theirs is durable.
pub struct EmptyServer {
    address: SocketAddr,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// Who waits for a record of his, if anybody does.
struct Nothing(Option<Sender<oneshot::Sender<()>>>);

#[tonic::async_trait]
impl Availability for Nothing {
    async fn get_seat_map(
        &self,
        _: Request<v1::GetSeatMapRequest>,
    ) -> Result<Response<v1::GetSeatMapResponse>, Status> {
        if let Some(records) = &self.0 {
            let (written, is_durable) = oneshot::channel();
            records.send(written).expect("somebody writes");
            is_durable.await.expect("it is written");
        }
        Ok(Response::new(v1::GetSeatMapResponse::default()))
    }
}

impl EmptyServer {
    /// Starts one that does nothing.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        Self::serve(Nothing(None)).await
    }

    /// Starts one that appends to a file, as a shard does: another thread writes and syncs for all who wait.
    ///
    /// # Panics
    /// When there is no port, or no file.
    pub async fn start_logging(file: PathBuf) -> Self {
        let (records, waiting) = unbounded::<oneshot::Sender<()>>();
        let mut file = File::create(file).expect("a file");
        thread::spawn(move || {
            while let Ok(first) = waiting.recv() {
                let all: Vec<_> = iter::once(first).chain(waiting.try_iter()).collect();
                file.write_all(&vec![0; RECORD_BYTES * all.len()]).and_then(|()| file.sync_data()).expect("a disk");
                for written in all {
                    // He may have gone.
                    let _ = written.send(());
                }
            }
        });
        Self::serve(Nothing(Some(records))).await
    }

    async fn serve(service: Nothing) -> Self {
        let listener = TcpListener::bind(ANY_PORT).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = Server::builder().add_service(AvailabilityServer::new(service));
        Self { address, served: tokio::spawn(server.serve_with_incoming(incoming)) }
    }
}

impl Serves for EmptyServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn stop(self) {
        self.served.abort();
    }
}

/// A way to a server.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Calls that do nothing.
    Empty(AvailabilityClient<Channel>),
    /// A call for each command.
    Unary(InventoryClient<Channel>),
    /// The client that puts calls together.
    Coalesced(Inventory),
}

impl Caller {
    /// To a server that does nothing.
    pub async fn empty(address: SocketAddr) -> Self {
        Self::Empty(AvailabilityClient::new(channel(address).await))
    }

    /// By single calls on one connection.
    pub async fn unary(address: SocketAddr) -> Self {
        Self::Unary(InventoryClient::new(channel(address).await))
    }

    /// Through the client.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[must_use]
    pub fn coalesced(address: SocketAddr) -> Self {
        Self::Coalesced(Inventory::connect(&format!("http://{address}")).expect("an address"))
    }

    /// Holds and confirms, each answered before the next, and how long each took.
    async fn sell(&mut self, (hold, confirm): Pair) -> [Duration; 2] {
        let begun = Instant::now();
        match self {
            Self::Empty(client) => {
                drop(client.get_seat_map(v1::GetSeatMapRequest::default()).await.expect("an answer"))
            }
            Self::Unary(client) => drop(client.hold_seats(hold).await.expect("a seat")),
            Self::Coalesced(client) => drop(client.hold_seats(hold).await.expect("a seat")),
        }
        let between = Instant::now();
        match self {
            Self::Empty(client) => {
                drop(client.get_seat_map(v1::GetSeatMapRequest::default()).await.expect("an answer"))
            }
            Self::Unary(client) => drop(client.confirm_hold(confirm).await.expect("a booking")),
            Self::Coalesced(client) => drop(client.confirm_hold(confirm).await.expect("a booking")),
        }
        [between - begun, between.elapsed()]
    }
}

async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address").tcp_nodelay(true);
    endpoint.connect().await.expect("a server")
}

/// A hold and its confirmation.
type Pair = (v1::HoldSeatsRequest, v1::ConfirmHoldRequest);

/// So many callers at once, each with seats of its own.
///
/// # Panics
/// When a call fails.
pub async fn run(callers: u32, takes: Duration, caller: Caller) -> Measured {
    let start = Arc::new(Barrier::new(callers as usize));
    let mut running = JoinSet::new();
    for number in 0..callers {
        let (mut caller, start) = (caller.clone(), Arc::clone(&start));
        running.spawn(async move {
            let mut random = StdRng::seed_from_u64(number.into());
            // Few and small: hundreds of histograms cost more than the calls.
            let mut latency: Vec<Duration> = Vec::with_capacity(1 << 12);
            start.wait().await;
            let begun = Instant::now();
            for seat in (number..SEATS).step_by(callers as usize) {
                if begun.elapsed() >= takes {
                    break;
                }
                let took = caller.sell(pair(&mut random, seat)).await;
                latency.extend(took);
            }
            (begun.elapsed(), latency)
        });
    }
    let mut measured = Measured::default();
    for (took, latency) in running.join_all().await {
        measured.calls += u32::try_from(latency.len()).expect("fewer than 2^32 calls");
        measured.took = measured.took.max(took);
        latency.into_iter().for_each(|took| measured.latency.note(took));
    }
    measured
}

fn pair(random: &mut StdRng, seat: u32) -> Pair {
    let (show, seat) = (id_of(seat % SHOWS), seat / SHOWS);
    let (id, buyer) = (random_id(random), random_id(random).to_string());
    let hold_id = prost::bytes::Bytes::copy_from_slice(id.as_bytes());
    let places = Some(v1::Places { seat_indexes: vec![seat], ..Default::default() });
    let hold = v1::HoldSeatsRequest {
        show_id: show.clone(),
        hold_id: hold_id.clone(),
        buyer_id: buyer.clone(),
        places,
        ..Default::default()
    };
    let (order_ref, payment_ref) = ("order-12345678".to_owned(), "payment-12345678".to_owned());
    let confirm = v1::ConfirmHoldRequest {
        show_id: show,
        hold_id,
        buyer_id: buyer,
        order_ref,
        payment_ref,
        ..Default::default()
    };
    (hold, confirm)
}
