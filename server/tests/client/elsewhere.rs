//! A server that has not what it is asked for: the client asks where it is said to be, comes back, and waits as long as it is
//! told to. Calls on their own and commands on a session alike.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{self, Ready},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt as _, wrappers::TcpListenerStream};
use tonic::{Code, Status, Streaming, server::StreamingService, service::Routes, transport::Server};
use tonic_prost::ProstCodec;
use tonic_types::{ErrorDetails, StatusExt as _};
use usher_client::{Error, Reason, v1};

use crate::{
    client,
    common::{Clients, local::LocalServer, wire},
};

/// A server that refuses whatever it is asked.
#[derive(Clone)]
struct Refusing {
    how: Arc<Mutex<v1::Rejection>>,
    asked: Arc<AtomicU32>,
}

impl Refusing {
    async fn start(how: v1::Rejection) -> (Self, SocketAddr) {
        let refusing = Self { how: Arc::new(Mutex::new(how)), asked: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let own = refusing.clone();
        let router = Router::new().fallback(move |request: Request| own.clone().answer(request));
        let server = Server::builder().add_routes(Routes::from(router));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (refusing, address)
    }

    fn refuses(&self, how: v1::Rejection) {
        *self.how.lock().unwrap() = how;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn refuse(&self) -> v1::Rejection {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.how.lock().unwrap().clone()
    }

    async fn answer(self, request: Request) -> Result<Response, Infallible> {
        if request.uri().path().ends_with("/Session") {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::default());
            return Ok(grpc.streaming(self, request).await.map(Body::new));
        }
        let v1::Rejection { reason, message, metadata, retry_after_ms, .. } = self.refuse();
        let metadata = metadata.into_iter().collect::<HashMap<_, _>>();
        let mut details = ErrorDetails::with_error_info(reason, "usher", metadata);
        details.set_retry_info(retry_after_ms.map(Duration::from_millis));
        Ok(Status::with_error_details(Code::Unavailable, message, details).into_http())
    }
}

/// A session in which every batch is refused.
impl StreamingService<v1::SessionRequest> for Refusing {
    type Response = v1::SessionResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<v1::SessionResponse, Status>> + Send>>;
    type Future = Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<v1::SessionRequest>>) -> Self::Future {
        let own = self.clone();
        let answers = request.into_inner().map(move |message| {
            let refuse = |batch: v1::SessionBatch| v1::SessionOutcomes {
                tag: batch.tag,
                refused: Some(own.refuse()),
                ..Default::default()
            };
            Ok(v1::SessionResponse { batches: message?.batches.into_iter().map(refuse).collect() })
        });
        future::ready(Ok(tonic::Response::new(Box::pin(answers))))
    }
}

fn moved(address: SocketAddr) -> v1::Rejection {
    v1::Rejection {
        reason: "SHOW_MOVED".to_owned(),
        message: "the show is elsewhere".to_owned(),
        metadata: [("address".to_owned(), format!("http://{address}"))].into(),
        code: Code::Unavailable.into(),
        ..v1::Rejection::default()
    }
}

fn get(show: &str) -> v1::GetShowRequest {
    v1::GetShowRequest { show_id: show.to_owned() }
}

#[tokio::test]
async fn a_show_that_moved_is_asked_for_where_it_is() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("gala", 10, 0)).await;
    clients.shows.create_show(wire::hall("final", 10, 0)).await.unwrap();
    let (home, address) = Refusing::start(moved(server.address)).await;
    let inventory = client(address);
    inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1]))).await.unwrap();
    assert_eq!(home.asked(), 1);
    inventory.get_show(get("final")).await.unwrap();
    assert_eq!(home.asked(), 2);
    // It is remembered, by all clones and for both ways.
    inventory.clone().confirm_hold(wire::confirm("gala", 1, "ada", "o-1")).await.unwrap();
    inventory.get_show(get("gala")).await.unwrap();
    let taken = inventory.hold_seats(wire::hold("gala", 2, "bob", wire::seats(&[1]))).await.unwrap_err();
    assert_eq!((taken.reason(), home.asked()), (Some(&Reason::PlacesTaken), 2));
    server.stop().await;
}

#[tokio::test]
async fn home_knows_better_than_a_server_that_is_gone() {
    let (first, _) = LocalServer::with_show(wire::hall("gala", 10, 0)).await;
    let (home, address) = Refusing::start(moved(first.address)).await;
    let inventory = client(address);
    inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1]))).await.unwrap();
    inventory.get_show(get("gala")).await.unwrap();
    first.stop().await;
    let (second, _) = LocalServer::with_show(wire::hall("gala", 10, 0)).await;
    home.refuses(moved(second.address));
    inventory.hold_seats(wire::hold("gala", 2, "bob", wire::seats(&[2]))).await.unwrap();
    inventory.get_show(get("gala")).await.unwrap();
    assert_eq!(home.asked(), 2);
    second.stop().await;
}

/// Servers that send one to each other are asked a few times at once, and then rarely, until the time is up.
#[tokio::test]
async fn a_circle_ends() {
    let (one, address) = Refusing::start(moved(SocketAddr::from(([127, 0, 0, 1], 1)))).await;
    let (other, other_address) = Refusing::start(moved(address)).await;
    one.refuses(moved(other_address));
    let inventory = client(address).with_timeout(Duration::from_millis(600));
    let hold = inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1]))).await.unwrap_err();
    let show = inventory.get_show(get("gala")).await.unwrap_err();
    for error in [hold, show] {
        let Error::TimedOut { last: Some(last), .. } = &error else { panic!("{error}") };
        assert_eq!((&last.reason, last.moved_to().is_some()), (&Reason::ShowMoved, true));
    }
    // Pauses grow from 10 ms to twice as much each: at most eight of them, with four attempts each.
    assert!(one.asked() + other.asked() <= 2 * 9 * 4, "{} and {}", one.asked(), other.asked());
    one.refuses(v1::Rejection {
        metadata: [("address".to_owned(), "nowhere at all".to_owned())].into(),
        ..moved(address)
    });
    assert!(matches!(inventory.get_show(get("gala")).await, Err(Error::TimedOut { .. })));
}

#[tokio::test]
async fn who_is_told_to_come_again_comes_no_earlier() {
    const AFTER: Duration = Duration::from_millis(400);
    let full = v1::Rejection {
        reason: "INBOX_FULL".to_owned(),
        code: Code::ResourceExhausted.into(),
        retry_after_ms: Some(400),
        ..v1::Rejection::default()
    };
    let (server, _) = LocalServer::with_show(wire::hall("gala", 10, 0)).await;
    let (home, address) = Refusing::start(full.clone()).await;
    let inventory = client(address);
    let goes_on = async |how| {
        tokio::time::sleep(AFTER / 2).await;
        home.refuses(how);
    };
    let begun = Instant::now();
    let hold = inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1])));
    let (held, ()) = tokio::join!(hold, goes_on(moved(server.address)));
    held.unwrap();
    assert!(begun.elapsed() >= AFTER && home.asked() == 2, "{:?}, {}", begun.elapsed(), home.asked());
    // The same of a call that travels by itself.
    home.refuses(full);
    let (fresh, begun) = (client(address), Instant::now());
    let (shown, ()) = tokio::join!(fresh.get_show(get("gala")), goes_on(moved(server.address)));
    shown.unwrap();
    assert!(begun.elapsed() >= AFTER && home.asked() == 4, "{:?}, {}", begun.elapsed(), home.asked());
    server.stop().await;
}

/// A server of a later release: an enumeration has one value more, a request one field more, and there is one reason more.
#[tokio::test]
async fn what_is_new_tomorrow_is_no_harm_today() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Tomorrow {
        #[prost(message, optional, tag = "1")]
        known: Option<v1::Hold>,
        #[prost(string, tag = "4000")]
        new: String,
    }
    let known = v1::Hold { buyer_id: "ada".to_owned(), state: 99, ..v1::Hold::default() };
    let bytes = prost::Message::encode_to_vec(&Tomorrow { known: Some(known), new: "?".to_owned() });
    let answer: v1::HoldSeatsResponse = prost::Message::decode(&bytes[..]).unwrap();
    let hold = answer.hold.unwrap();
    assert_eq!((hold.buyer_id.as_str(), hold.state()), ("ada", v1::HoldState::Unspecified));
    let (_, address) =
        Refusing::start(v1::Rejection { reason: "TOMORROW".to_owned(), ..moved(([127, 0, 0, 1], 1).into()) }).await;
    let inventory = client(address);
    let held = inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1]))).await.unwrap_err();
    let shown = inventory.get_show(get("gala")).await.unwrap_err();
    for error in [held, shown] {
        assert_eq!(error.reason(), Some(&Reason::Unknown("TOMORROW".into())), "{error}");
    }
    // And a client of a later release is served: what is unknown in its messages is passed over.
    let (server, clients) = LocalServer::with_show(wire::hall("gala", 10, 0)).await;
    later_clients_are_served(clients).await;
    server.stop().await;
}

async fn later_clients_are_served(clients: Clients) {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Later {
        #[prost(string, tag = "1")]
        show_id: String,
        #[prost(string, tag = "4000")]
        new: String,
    }
    let mut grpc = tonic::client::Grpc::new(clients.channel);
    grpc.ready().await.unwrap();
    let later = Later { show_id: "gala".to_owned(), new: "?".to_owned() };
    let path = "/usher.v1.Shows/GetShow".parse().unwrap();
    let codec = ProstCodec::<Later, v1::GetShowResponse>::default();
    let answer = grpc.unary(tonic::Request::new(later), path, codec).await.unwrap().into_inner();
    assert_eq!(answer.manifest.unwrap().name, "Hall");
}
