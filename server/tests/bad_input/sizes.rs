//! Requests that are large, or whose refusal would be: the answer is a refusal, never a broken connection, and the
//! server goes on.

use serde_json::json;
use tonic::Code;
use usher_proto::v1;

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, refusal::Refused, wire},
};

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("show", 10, 0)).await;
    let before = clients.version("show").await;
    let plan = vec![b' '; 100 << 20].into();
    let request = v1::ImportShowRequest { show_id: "huge".to_owned(), plan, ..v1::ImportShowRequest::default() };
    let status = clients.shows.import_show(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(Refused::from(status).reason, "MESSAGE_TOO_LARGE");
    let request =
        v1::HoldSeatsRequest { buyer_id: "b".repeat(5 << 20), ..wire::hold("show", 1, "b", wire::seats(&[0])) };
    let status = clients.inventory.hold_seats(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(clients.version("show").await, before);
    server.stop().await;
}

/// Bytes that are no message: the caller's fault, and said so.
#[tokio::test]
async fn what_is_no_message_is_refused() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct NotText {
        #[prost(bytes = "vec", tag = "1")]
        show_id: Vec<u8>,
    }
    let (server, clients) = LocalServer::with_show(wire::hall("show", 10, 0)).await;
    let mut grpc = tonic::client::Grpc::new(clients.channel);
    grpc.ready().await.unwrap();
    let codec: tonic_prost::ProstCodec<NotText, v1::HoldSeatsResponse> = tonic_prost::ProstCodec::default();
    let path = "/usher.v1.Inventory/HoldSeats".parse().unwrap();
    let refused = grpc.unary(tonic::Request::new(NotText { show_id: vec![0xff] }), path, codec).await.unwrap_err();
    let named = Named::Field("request", "show_id");
    check("no text", &Refused::from(refused), Code::InvalidArgument, "INVALID_REQUEST", &named);
    grpc.ready().await.unwrap();
    let codec: tonic_prost::ProstCodec<NotText, v1::SessionResponse> = tonic_prost::ProstCodec::default();
    let messages = tonic::Request::new(tokio_stream::iter([NotText { show_id: vec![0xff] }]));
    let path = "/usher.v1.Inventory/Session".parse().unwrap();
    let mut answers = grpc.streaming(messages, path, codec).await.unwrap().into_inner();
    let refused = Refused::from(answers.message().await.unwrap_err());
    check("no batches", &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field("request", "batches"));
    server.stop().await;
}

/// Everything about a refusal travels in headers, which are small: long names of the caller's must not fill them.
#[tokio::test]
async fn a_refusal_does_not_grow_with_the_names_in_the_request() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("show", 10, 0)).await;
    let long = "x".repeat(60_000);
    let places = v1::Places { seats: vec![wire::label(&long, "1", "1")], ..v1::Places::default() };
    let refused = Refused::from(clients.inventory.hold_seats(wire::hold("show", 1, "ann", places)).await.unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Some(Code::NotFound), "PLACES_UNKNOWN"), "a long label");
    let seats = (0..250).map(|seat: u32| wire::label(&"é".repeat(50), &"r".repeat(100), &seat.to_string()));
    let places = v1::Places { seats: seats.collect(), ..v1::Places::default() };
    let refused = Refused::from(clients.inventory.hold_seats(wire::hold("show", 1, "ann", places)).await.unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Some(Code::NotFound), "PLACES_UNKNOWN"), "many labels");
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_does_not_grow_with_the_names_in_a_plan() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    let long = "x".repeat(100_000);
    let floor = |category: &str| json!([{"name": "Floor", "capacity": 1, "category": category}]);
    let gold = json!([{"name": "Gold", "price_minor": 1}]);
    let cases = [
        (
            "an unknown category",
            json!({"name": "Hall", "currency": "EUR", "categories": gold, "sections": floor(&long)}),
        ),
        (
            "an unknown key",
            json!({"name": "Hall", "currency": "EUR", "categories": gold, "sections": floor("Gold"), long.clone(): 1}),
        ),
        ("a currency", json!({"name": "Hall", "currency": long, "categories": gold, "sections": floor("Gold")})),
    ];
    for (case, plan) in cases {
        let plan = plan.to_string().into_bytes().into();
        let request = v1::ImportShowRequest { show_id: "show".to_owned(), plan, ..v1::ImportShowRequest::default() };
        let refused = Refused::from(clients.shows.import_show(request).await.unwrap_err());
        check(case, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field("plan", ""));
    }
    server.stop().await;
}

/// A hall whose last thousand seats, from number 900,000 on, are one row with these names.
fn hall_with_row(section: &str, row: &str, seat: &str) -> v1::CreateShowRequest {
    let mut show = wire::hall("show", 900_000, 0);
    let (places_per_hold_max, places_per_buyer_max) = (Some(1_000), Some(1_000));
    show.policy = Some(v1::Policy { places_per_hold_max, places_per_buyer_max, ..v1::Policy::default() });
    let names = (0..1_000).map(|number: u32| format!("{seat}{number:04}")).collect();
    let names = Some(v1::seat_run::Names::Named(v1::NamedSeats { names }));
    let run = v1::SeatRun { category: "Gold".to_owned(), names, ..v1::SeatRun::default() };
    let row = v1::Row { name: row.to_owned(), runs: vec![run], ..v1::Row::default() };
    let kind = Some(v1::section::Kind::Reserved(v1::ReservedSection { rows: vec![row] }));
    show.manifest.as_mut().unwrap().sections.push(v1::Section { name: section.to_owned(), kind });
    show
}

async fn check_thousand_taken(show: v1::CreateShowRequest) {
    let (server, mut clients) = LocalServer::with_show(show).await;
    let seats: Vec<u32> = (900_000..901_000).collect();
    clients.inventory.hold_seats(wire::hold("show", 1, "ann", wire::seats(&seats))).await.unwrap();
    let request = wire::hold("show", 2, "bob", wire::seats(&seats));
    let refused = Refused::from(clients.inventory.hold_seats(request).await.unwrap_err());
    let named: Vec<String> = seats.iter().map(u32::to_string).collect();
    let named = named.join(",");
    let named = Named::Said("seat_indexes", &named);
    check("all taken", &refused, Code::FailedPrecondition, "PLACES_TAKEN", &named);
    server.stop().await;
}

#[tokio::test]
async fn a_thousand_taken_seats_are_all_named() {
    check_thousand_taken(hall_with_row("Balcony", "A", "")).await;
}

/// The largest conflict that a well-formed request can meet: every name is as long as it may be.
#[tokio::test]
async fn a_thousand_taken_seats_with_long_names_are_all_named() {
    check_thousand_taken(hall_with_row(&"ü".repeat(50), &"é".repeat(50), &"é".repeat(14))).await;
}
