//! Too much at once: who waits too long is not decided, who is put off hears when to come again, and who pays is let in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{sync::Arc, time::Duration};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use usher_engine::shard::Notice;
use usher_proto::v1::{self, command::Command, outcome::Outcome};
use usher_server::config::{Config, Limits};

use common::{Clients, local::LocalServer, wire};

const SHOW: &str = "gala";

/// A server whose shard can be made to wait.
struct Stalling {
    server: LocalServer,
    /// The shard's thread takes it whenever a show has changed.
    stall: Arc<Mutex<()>>,
    clients: Clients,
}

impl Stalling {
    async fn start(config: Config) -> Self {
        let stall = Arc::new(Mutex::new(()));
        let stalled = Arc::clone(&stall);
        let watcher = move |_, notice: &Notice| {
            if matches!(notice, Notice::ShowChanged(_)) {
                drop(stalled.blocking_lock());
            }
        };
        let server = LocalServer::start_watched(1, config, watcher).await;
        let mut clients = Clients::connect(server.address).await;
        clients.shows.create_show(wire::hall(SHOW, 1_000, 0)).await.unwrap();
        Self { server, stall, clients }
    }

    /// The shard waits until what this returns is dropped.
    async fn stall(&self) -> OwnedMutexGuard<()> {
        let guard = Arc::clone(&self.stall).lock_owned().await;
        let mut shows = self.clients.shows.clone();
        // It is answered when the shard goes on.
        tokio::spawn(async move {
            shows.pause_sale(v1::PauseSaleRequest { show_id: SHOW.to_owned(), ..Default::default() }).await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        guard
    }

    fn open(&self) -> impl Future<Output = ()> + use<> {
        let mut shows = self.clients.shows.clone();
        async move {
            shows.open_sale(v1::OpenSaleRequest { show_id: SHOW.to_owned() }).await.unwrap();
        }
    }
}

fn hold(id: u128, seat: u32) -> v1::HoldSeatsRequest {
    wire::hold(SHOW, id, &format!("buyer-{id}"), wire::seats(&[seat]))
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

fn batch(commands: Vec<Command>) -> Vec<v1::Command> {
    commands.into_iter().map(|command| v1::Command { command: Some(command) }).collect()
}

fn reasons(outcomes: &[v1::Outcome]) -> Vec<String> {
    let reason = |outcome: &v1::Outcome| match &outcome.outcome {
        Some(Outcome::Rejection(rejection)) => rejection.reason.clone(),
        _ => String::new(),
    };
    outcomes.iter().map(reason).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_waits_for_longer_than_it_was_given_is_not_decided() {
    let mut world = Stalling::start(Config::default()).await;
    let stalled = world.stall().await;
    let late = v1::SessionBatch {
        tag: 1,
        show_id: SHOW.to_owned(),
        commands: batch(vec![Command::HoldSeats(hold(1, 1))]),
        timeout_ms: Some(60),
        ..Default::default()
    };
    let wrong = v1::SessionBatch { tag: 2, timeout_ms: Some(90_001), ..late.clone() };
    let request = v1::SessionRequest { batches: vec![late, wrong] };
    let session = world.clients.inventory.session(tokio_stream::once(request).chain(tokio_stream::pending()));
    let mut answers = session.await.unwrap().into_inner();
    let refused = answers.message().await.unwrap().unwrap().batches.remove(0);
    assert_eq!(
        (refused.tag, refused.refused.unwrap().metadata["timeout_ms"].as_str()),
        (2, "must be 1 to 90000, is 90001")
    );
    // The caller of a single command hears at once that his time is over; it is not decided either.
    let mut single = tonic::Request::new(hold(2, 2));
    single.set_timeout(Duration::from_millis(50));
    // Its own client may have been the first to see it.
    let late = world.clients.inventory.hold_seats(single).await.unwrap_err().code();
    assert!(matches!(late, Code::DeadlineExceeded | Code::Cancelled), "{late:?}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stalled);
    let refused = answers.message().await.unwrap().unwrap().batches.remove(0).refused.unwrap();
    assert_eq!((refused.reason.as_str(), refused.code), ("DEADLINE_PASSED", i32::from(Code::DeadlineExceeded)));
    for id in [1, 2] {
        let unknown = world.clients.inventory.get_hold(wire::get(SHOW, id)).await.unwrap_err();
        assert_eq!(reason(&unknown), "HOLD_UNKNOWN");
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_queue_takes_who_pays_and_puts_off_the_others() {
    let config = Config { queue_wait_ms_max: 200, ..Config::default() };
    let mut world = Stalling::start(config).await;
    world.clients.inventory.hold_seats(hold(1, 1)).await.unwrap();
    let stalled = world.stall().await;
    let mut waiting = world.clients.inventory.clone();
    let first = tokio::spawn(async move { waiting.get_hold(wire::get(SHOW, 1)).await });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let refused = world.clients.inventory.hold_seats(hold(2, 2)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    let again = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&again), "{again:?}");
    let refused = world
        .clients
        .availability
        .get_seat_map(v1::GetSeatMapRequest { show_id: SHOW.to_owned(), ..Default::default() })
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "OVERLOADED");
    // In a batch each command is let in or not, and whoever pays is not refused for those beside him.
    let mut inventory = world.clients.inventory.clone();
    let commands = vec![
        Command::HoldSeats(hold(3, 3)),
        Command::ConfirmHold(wire::confirm(SHOW, 1, "buyer-1", "o")),
        Command::GetHold(wire::get(SHOW, 1)),
    ];
    let request = v1::ExecuteRequest { show_id: SHOW.to_owned(), commands: batch(commands) };
    let executed = tokio::spawn(async move { inventory.execute(request).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stalled);
    let outcomes = executed.await.unwrap().unwrap().into_inner().outcomes;
    assert_eq!(reasons(&outcomes), ["OVERLOADED", "", "OVERLOADED"]);
    assert!(first.await.unwrap().is_ok());
    world.open().await;
    world.clients.inventory.hold_seats(hold(2, 2)).await.unwrap();
    world.server.stop().await;
}

#[tokio::test]
async fn callers_shows_and_buyers_have_their_rates_and_who_pays_is_not_kept_by_the_buyers() {
    let limits = Limits {
        caller_commands_per_s: 1_000,
        show_claims_per_s: 8,
        buyer_claims_per_s: 1,
        burst_ms: 2_000,
        ..Limits::default()
    };
    let server = LocalServer::start_with(1, Config { limits, ..Config::default() }).await;
    let mut clients = Clients::connect(server.address).await;
    clients.shows.create_show(wire::hall(SHOW, 1_000, 0)).await.unwrap();
    let of_ada = |id, seat| wire::hold(SHOW, id, "ada", wire::seats(&[seat]));
    for id in [1, 2] {
        clients.inventory.hold_seats(of_ada(id, u32::try_from(id).unwrap())).await.unwrap();
    }
    let refused = clients.inventory.hold_seats(of_ada(3, 3)).await.unwrap_err();
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((refused.code(), info.reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    assert_eq!((info.metadata["limit"].as_str(), info.metadata["max"].as_str()), ("buyer_claims_per_s", "1"));
    let again = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(again <= Duration::from_secs(1), "{again:?}");
    clients.inventory.confirm_hold(wire::confirm(SHOW, 1, "ada", "o")).await.unwrap();
    // Of the show's 16, two are gone.
    let commands = (10..30).map(|id| Command::HoldSeats(hold(id, u32::try_from(id).unwrap()))).collect();
    let request = v1::ExecuteRequest { show_id: SHOW.to_owned(), commands: batch(commands) };
    let outcomes = clients.inventory.execute(request).await.unwrap().into_inner().outcomes;
    let refused = reasons(&outcomes).into_iter().filter(|reason| reason == "RATE_LIMITED").count();
    assert!((4..=6).contains(&refused), "{refused}");
    // A batch beyond what its caller may is refused as a whole.
    let many: Vec<_> = (0..1_999).map(|_| Command::GetHold(wire::get(SHOW, 1))).collect();
    let request = v1::ExecuteRequest { show_id: SHOW.to_owned(), commands: batch(many) };
    // The first one may still find the bucket full enough, or be refused so that the second one does; not two in a row.
    let mut refused = clients.inventory.execute(request.clone()).await.err();
    for _ in 0..2 {
        refused = refused.or(clients.inventory.execute(request.clone()).await.err());
    }
    let refused = refused.unwrap();
    assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "caller_commands_per_s");
    server.stop().await;
}
