//! `Session`: batches for many shows on one stream, their order, what is refused and how, and its end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "session/columns.rs"]
mod columns;
#[path = "session/mixed.rs"]
mod mixed;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};
use usher_proto::v1::{self, command::Command, outcome::Outcome};

use common::{Clients, WAIT_MAX, local::LocalServer, wire};

struct Session {
    requests: mpsc::Sender<v1::SessionRequest>,
    answers: Streaming<v1::SessionResponse>,
}

impl Session {
    async fn open(clients: &mut Clients) -> Self {
        let (requests, stream) = mpsc::channel(64);
        let answers = clients.inventory.session(ReceiverStream::new(stream)).await.unwrap().into_inner();
        Self { requests, answers }
    }

    async fn send(&self, batches: Vec<v1::SessionBatch>) {
        self.requests.send(v1::SessionRequest { batches }).await.unwrap();
    }

    /// The next so many outcomes of batches.
    async fn receive(&mut self, count: usize) -> Vec<v1::SessionOutcomes> {
        let mut received = Vec::new();
        while received.len() < count {
            let message = tokio::time::timeout(WAIT_MAX, self.answers.message()).await.unwrap().unwrap();
            received.extend(message.expect("the stream goes on").batches);
        }
        assert_eq!(received.len(), count);
        received
    }
}

fn batch(tag: u64, show_id: &str, commands: impl IntoIterator<Item = Command>) -> v1::SessionBatch {
    let commands = commands.into_iter().map(|command| v1::Command { command: Some(command) }).collect();
    v1::SessionBatch { tag, show_id: show_id.to_owned(), commands, ..Default::default() }
}

fn hold(show: &str, id: u128, seats: &[u32]) -> Command {
    Command::HoldSeats(wire::hold(show, id, &format!("buyer-{id}"), wire::seats(seats)))
}

fn confirm(show: &str, id: u128) -> Command {
    Command::ConfirmHold(wire::confirm(show, id, &format!("buyer-{id}"), "o"))
}

fn reason(outcomes: &v1::SessionOutcomes) -> &str {
    outcomes.refused.as_ref().map_or("", |refused| &refused.reason)
}

#[tokio::test]
async fn batches_of_a_show_run_in_order_and_each_has_its_tag() {
    let server = LocalServer::start(4).await;
    let mut clients = Clients::connect(server.address).await;
    for show in ["a", "b", "c"] {
        clients.shows.create_show(wire::hall(show, 1_000, 0)).await.unwrap();
    }
    let mut session = Session::open(&mut clients).await;
    // Nothing is waited for: that the confirmation finds its hold is the order.
    for id in 1..=200u32 {
        for (at, show) in (0..).zip(["a", "b", "c"]) {
            let tag = u64::from(id) * 10 + at;
            session
                .send(vec![
                    batch(tag, show, [hold(show, id.into(), &[id])]),
                    batch(tag + 100_000, show, [confirm(show, id.into())]),
                ])
                .await;
        }
    }
    let received = session.receive(1_200).await;
    let mut tags: Vec<u64> = received.iter().map(|outcomes| outcomes.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 1_200);
    for outcomes in received {
        match (outcomes.tag > 100_000, &outcomes.outcomes[..]) {
            (false, [v1::Outcome { outcome: Some(Outcome::HoldSeats(_)) }])
            | (true, [v1::Outcome { outcome: Some(Outcome::ConfirmHold(_)) }]) => {}
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_refused_in_its_place_and_the_session_goes_on() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("a", 10, 0)).await;
    let mut session = Session::open(&mut clients).await;
    let nothing = v1::Command { command: None };
    let mut mixed = batch(1, "a", [hold("a", 1, &[1]), hold("other", 2, &[2]), hold("a", 3, &[1]), hold("", 4, &[4])]);
    mixed.commands.insert(1, nothing);
    session
        .send(vec![
            mixed,
            batch(2, "nowhere", [hold("", 5, &[5])]),
            batch(3, "a", []),
            batch(3, "a", [confirm("a", 4)]),
        ])
        .await;
    let mut received = session.receive(4).await;
    received.sort_by_key(|outcomes| (outcomes.tag, outcomes.refused.is_none()));
    let reasons: Vec<String> = received[0]
        .outcomes
        .iter()
        .map(|outcome| match outcome.outcome.as_ref().unwrap() {
            Outcome::Rejection(no) => format!("{} {:?}", no.reason, Code::from_i32(no.code)),
            _ => "done".to_owned(),
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "done",
            "INVALID_REQUEST InvalidArgument",
            "INVALID_REQUEST InvalidArgument",
            "PLACES_TAKEN FailedPrecondition",
            "done"
        ]
    );
    assert_eq!(
        (reason(&received[1]), received[1].refused.as_ref().unwrap().code),
        ("SHOW_UNKNOWN", Code::NotFound.into())
    );
    assert_eq!((reason(&received[2]), received[2].outcomes.len()), ("INVALID_REQUEST", 0));
    assert!(matches!(received[3].outcomes[0].outcome, Some(Outcome::ConfirmHold(_))));
    server.stop().await;
}

#[tokio::test]
async fn a_message_without_batches_ends_the_session_in_words() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("a", 10, 0)).await;
    let mut session = Session::open(&mut clients).await;
    session.send(Vec::new()).await;
    let status = session.answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "batches: must be 1 to 1024, are 0"));
    server.stop().await;
}

/// Neither whoever ends his side, nor the server that ends, leaves anything unanswered that was taken.
#[tokio::test]
async fn both_ends_of_a_session_are_in_order() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("a", 1_000, 0)).await;
    let (Session { requests, mut answers }, mut other) =
        (Session::open(&mut clients).await, Session::open(&mut clients).await);
    for id in 1..=100u32 {
        let batches = vec![batch(id.into(), "a", [hold("a", id.into(), &[id])])];
        requests.send(v1::SessionRequest { batches }).await.unwrap();
    }
    drop(requests);
    let mut count = 0;
    while let Some(message) = answers.message().await.unwrap() {
        count += message.batches.len();
    }
    assert_eq!(count, 100);
    other.send(vec![batch(1, "a", [hold("a", 500, &[500])])]).await;
    assert_eq!(other.receive(1).await[0].outcomes.len(), 1);
    // The server ends while the session is idle: at once, not after the time that busy connections have.
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(other.answers.message().await.unwrap_or_default().is_none());
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// A caller that sends and never reads is not read from for ever: what it may have under way is bounded.
#[tokio::test]
async fn whoever_does_not_read_is_not_read_from() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("a", 10, 0)).await;
    let session = Session::open(&mut clients).await;
    let get = || Command::GetHold(v1::GetHoldRequest { show_id: String::new(), hold_id: wire::id(1) });
    let message = |tag| v1::SessionRequest { batches: vec![batch(tag, "a", (0..1_000).map(|_| get()))] };
    let mut sent = 0u64;
    while tokio::time::timeout(std::time::Duration::from_secs(1), session.requests.send(message(sent))).await.is_ok() {
        sent += 1;
        assert!(sent < 5_000, "it takes everything");
    }
    // Others are served meanwhile.
    clients.inventory.hold_seats(wire::hold("a", 9, "bob", wire::seats(&[9]))).await.unwrap();
    drop(session);
    server.stop().await;
}
