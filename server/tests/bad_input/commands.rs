//! Commands that are malformed, or name what is not there: alone and in a batch, with the same reason.

use tonic::Code;
use usher_proto::v1::{self, command::Command};

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, refusal::Refused, wire},
};

pub(crate) const SHOW: &str = "evening";
/// A hold of `ann` with seat 0, which is there in each case.
pub(crate) const ANNS: u128 = 7;

pub(crate) struct Case {
    name: &'static str,
    command: Command,
    code: Code,
    reason: &'static str,
    named: Named<'static>,
}

/// Sends each case alone, and in a batch if it can be in one; the show's version must stay.
pub(crate) async fn refuse_all(cases: Vec<Case>) {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 1_500, 50)).await;
    clients.inventory.hold_seats(wire::hold(SHOW, ANNS, "ann", wire::seats(&[0]))).await.unwrap();
    let before = clients.version(SHOW).await;
    for case in cases {
        let Case { name, command, code, reason, named } = case;
        let refused = clients.call(command.clone()).await.unwrap_err();
        check(name, &refused, code, reason, &named);
        if show_of(&command) == SHOW {
            refused_in_batch(name, &mut clients, command, reason).await;
        }
        assert_eq!(clients.version(SHOW).await, before, "{name} changed something");
    }
    server.stop().await;
}

async fn refused_in_batch(name: &str, clients: &mut Clients, command: Command, reason: &str) {
    let outcomes = clients.batch(SHOW, vec![command]).await.unwrap();
    let refused = outcomes.into_iter().next().unwrap().unwrap_err();
    assert_eq!(refused.reason, reason, "{name}, in a batch: {refused:?}");
}

fn show_of(command: &Command) -> &str {
    usher_server::convert::show_id_of(command)
}

pub(crate) fn invalid(name: &'static str, command: Command, field: &'static str, part: &'static str) -> Case {
    Case { name, command, code: Code::InvalidArgument, reason: "INVALID_REQUEST", named: Named::Field(field, part) }
}

pub(crate) fn unknown(name: &'static str, command: Command, reason: &'static str, named: Named<'static>) -> Case {
    Case { name, command, code: Code::NotFound, reason, named }
}

/// A hold of these places by `bob`.
fn hold(places: v1::Places) -> v1::HoldSeatsRequest {
    wire::hold(SHOW, 1, "bob", places)
}

fn labelled(seats: Vec<v1::SeatLabel>) -> v1::Places {
    v1::Places { seats, ..v1::Places::default() }
}

fn ga(section: &str, quantity: u32) -> v1::Places {
    let ga = vec![v1::GaQuantity { section: section.to_owned(), quantity }];
    v1::Places { ga, ..v1::Places::default() }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let get = |show: &str, id| Command::GetHold(wire::get(show, id));
    let held = |places| Command::HoldSeats(hold(places));
    let in_show = |show: &str| Command::HoldSeats(wire::hold(show, 1, "bob", wire::seats(&[0])));
    let none = "00000000-0000-0000-0000-000000000009";
    let label = |section, row, seat| labelled(vec![wire::label(section, row, seat)]);
    let (show, hold) = (|name| Named::Resource("show", name), || Named::Resource("hold", none));
    let place = |name| Named::Resource("place", name);
    refuse_all(vec![
        unknown("unknown show", in_show("matinee"), "SHOW_UNKNOWN", show("matinee")),
        unknown("get in an unknown show", get("matinee", ANNS), "SHOW_UNKNOWN", show("matinee")),
        unknown("unknown hold", get(SHOW, 9), "HOLD_UNKNOWN", hold()),
        unknown(
            "confirm of an unknown hold",
            Command::ConfirmHold(wire::confirm(SHOW, 9, "bob", "o")),
            "HOLD_UNKNOWN",
            hold(),
        ),
        unknown(
            "extension of an unknown hold",
            Command::ExtendHold(wire::extend(SHOW, 9, "bob", None)),
            "HOLD_UNKNOWN",
            hold(),
        ),
        unknown(
            "seat number past the end",
            held(wire::seats(&[3, 1_500])),
            "PLACES_UNKNOWN",
            Named::Said("seat_indexes", "1500"),
        ),
        unknown(
            "highest seat number",
            held(wire::seats(&[u32::MAX])),
            "PLACES_UNKNOWN",
            Named::Said("seat_indexes", "4294967295"),
        ),
        unknown("unknown seat", held(label("Stalls", "1", "1001")), "PLACES_UNKNOWN", place("Stalls/1/1001")),
        unknown("unknown row", held(label("Stalls", "3", "1")), "PLACES_UNKNOWN", place("Stalls/3/1")),
        unknown("unknown section", held(label("Balcony", "1", "1")), "PLACES_UNKNOWN", place("Balcony/1/1")),
        unknown("seat of another spelling", held(label("Stalls", "1", "01")), "PLACES_UNKNOWN", place("Stalls/1/01")),
        unknown("unknown general admission", held(ga("Pit", 1)), "PLACES_UNKNOWN", place("general admission \"Pit\"")),
        unknown(
            "seats as general admission",
            held(ga("Stalls", 1)),
            "PLACES_UNKNOWN",
            place("general admission \"Stalls\""),
        ),
    ])
    .await;
}

#[tokio::test]
async fn malformed_places_are_refused() {
    let held = |places| Command::HoldSeats(hold(places));
    let twice = v1::Places { seat_indexes: vec![4], ..labelled(vec![wire::label("Stalls", "1", "5")]) };
    let sections_twice = v1::Places { ga: [ga("Floor", 1).ga, ga("Floor", 2).ga].concat(), ..v1::Places::default() };
    let thousand: Vec<u32> = (0..1_001).collect();
    let billions = v1::Places { ga: ga("Floor", u32::MAX).ga, ..wire::seats(&[1]) };
    let eleven: Vec<u32> = (10..21).collect();
    let limit = Named::Said("limit", "places_per_hold_max");
    let absent = v1::HoldSeatsRequest { places: None, ..hold(v1::Places::default()) };
    refuse_all(vec![
        invalid("a seat number twice", held(wire::seats(&[4, 9, 4])), "places", "seat Stalls/1/5 twice, number 4"),
        invalid("a seat by number and label", held(twice), "places", "seat Stalls/1/5 twice, number 4"),
        invalid("a section twice", held(sections_twice), "places", "section \"Floor\" twice"),
        invalid("no places", held(v1::Places::default()), "places", "at least one"),
        invalid("absent places", Command::HoldSeats(absent), "places", "at least one"),
        invalid("1,001 places", held(wire::seats(&thousand)), "places", "at most 1000 places, names 1001"),
        invalid("all the units there could be", held(billions), "places", "names 4294967296"),
        invalid("0 units", held(ga("Floor", 0)), "places", "0 units of section \"Floor\""),
        Case {
            name: "11 places",
            command: held(wire::seats(&eleven)),
            code: Code::FailedPrecondition,
            reason: "LIMIT_REACHED",
            named: limit,
        },
    ])
    .await;
}

#[tokio::test]
async fn malformed_ids_times_and_references_are_refused() {
    let good = || hold(wire::seats(&[5]));
    let show_id = |id: &str| Command::HoldSeats(v1::HoldSeatsRequest { show_id: id.to_owned(), ..good() });
    let hold_id = |bytes: &'static [u8]| Command::HoldSeats(v1::HoldSeatsRequest { hold_id: bytes.into(), ..good() });
    let buyer_id = |id: &str| Command::HoldSeats(v1::HoldSeatsRequest { buyer_id: id.to_owned(), ..good() });
    let ttl = |ms| Command::HoldSeats(v1::HoldSeatsRequest { ttl_ms: Some(ms), ..good() });
    let longer = |ms| Command::ExtendHold(wire::extend(SHOW, ANNS, "ann", Some(ms)));
    let confirm = |order: &str| wire::confirm(SHOW, ANNS, "ann", order);
    let order =
        |order: &str| Command::ConfirmHold(v1::ConfirmHoldRequest { payment_ref: String::new(), ..confirm(order) });
    let payment = v1::ConfirmHoldRequest { payment_ref: "p".repeat(129), ..confirm("o") };
    refuse_all(vec![
        invalid("empty show id", show_id(""), "show_id", "1 to 64"),
        invalid("show id of 65 characters", show_id(&"s".repeat(65)), "show_id", "1 to 64"),
        invalid("show id with a slash", show_id("a/b"), "show_id", "1 to 64"),
        invalid("hold id of 15 bytes", hold_id(&[1; 15]), "hold_id", "16 bytes, is 15"),
        invalid("hold id of 17 bytes", hold_id(&[1; 17]), "hold_id", "16 bytes, is 17"),
        invalid("absent hold id", hold_id(&[]), "hold_id", "16 bytes, is 0"),
        invalid("hold id of zeros", hold_id(&[0; 16]), "hold_id", "zeros"),
        invalid("empty buyer id", buyer_id(""), "buyer_id", "1 to 64 bytes, is 0"),
        invalid("buyer id of 65 bytes", buyer_id(&"b".repeat(65)), "buyer_id", "is 65"),
        invalid("buyer id of 33 two-byte characters", buyer_id(&"é".repeat(33)), "buyer_id", "is 66"),
        invalid("time of 0", ttl(0), "ttl_ms", "is 0"),
        invalid("time of 1 ms", ttl(1), "ttl_ms", "5000 to 7200000 ms, is 1"),
        invalid("time of 3 h", ttl(10_800_000), "ttl_ms", "is 10800000"),
        invalid("all the time there could be", ttl(u64::MAX), "ttl_ms", "is 18446744073709551615"),
        invalid("5 s and 2^32 ms", ttl(5_000 + (1 << 32)), "ttl_ms", "is 4294972296"),
        invalid("extension by 0", longer(0), "ttl_ms", "is 0"),
        invalid("extension by all time", longer(u64::MAX), "ttl_ms", "is 18446744073709551615"),
        invalid("empty order", order(""), "order_ref", "1 to 128 bytes, is 0"),
        invalid("order of 129 bytes", order(&"o".repeat(129)), "order_ref", "is 129"),
        invalid("payment of 129 bytes", Command::ConfirmHold(payment), "payment_ref", "0 to 128 bytes, is 129"),
    ])
    .await;
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let command = v1::HoldSeatsRequest {
        hold_id: vec![1; 3].into(),
        buyer_id: String::new(),
        ttl_ms: Some(1),
        ..hold(v1::Places::default())
    };
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let refused = clients.call(Command::HoldSeats(command)).await.unwrap_err();
    let fields: Vec<&str> = refused.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["hold_id", "buyer_id", "ttl_ms", "places"]);
    server.stop().await;
}

/// A show's id that is malformed hides nothing that can be told without the show, nor do unknown names.
#[tokio::test]
async fn every_wrong_field_is_named_beside_the_shows_id() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let fields = |refused: &Refused| refused.violations.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>();
    let places = v1::Places { seats: vec![wire::label("Roof", "1", "1")], ..v1::Places::default() };
    let bad = v1::HoldSeatsRequest { hold_id: vec![1; 3].into(), buyer_id: String::new(), ..hold(places) };
    let refused = clients.call(Command::HoldSeats(bad.clone())).await.unwrap_err();
    assert_eq!(fields(&refused), ["hold_id", "buyer_id"], "before the seat that is not there");
    let nowhere = v1::HoldSeatsRequest { show_id: String::new(), ..bad };
    let refused = clients.call(Command::HoldSeats(nowhere)).await.unwrap_err();
    assert_eq!(fields(&refused), ["show_id", "hold_id", "buyer_id"]);

    let refused = Refused::from(clients.inventory.list_holds(v1::ListHoldsRequest::default()).await.unwrap_err());
    assert_eq!(fields(&refused), ["show_id", "by"]);
    let refused = Refused::from(clients.inventory.execute(v1::ExecuteRequest::default()).await.unwrap_err());
    assert_eq!(fields(&refused), ["show_id", "commands"]);
    let refused = Refused::from(clients.shows.block_places(v1::BlockPlacesRequest::default()).await.unwrap_err());
    assert_eq!(fields(&refused), ["show_id", "mark.kind", "mark.reason", "selection"]);
    let rules = Some(v1::Policy { places_per_hold_max: Some(0), waitlist_lottery_seed: Some(1), ..Default::default() });
    let update = v1::UpdatePolicyRequest { policy: rules, ..v1::UpdatePolicyRequest::default() };
    let refused = Refused::from(clients.shows.update_policy(update).await.unwrap_err());
    assert_eq!(fields(&refused), ["show_id", "policy.places_per_hold_max"]);
    let sale = Some(v1::Sale { opens_at_ms: u64::MAX, ..v1::Sale::default() });
    let create = v1::CreateShowRequest { policy: rules, sale, ..v1::CreateShowRequest::default() };
    let refused = Refused::from(clients.shows.create_show(create).await.unwrap_err());
    let all = ["show_id", "policy.waitlist_lottery_seed", "policy.places_per_hold_max", "sale.opens_at_ms", "manifest"];
    assert_eq!(fields(&refused), all);
    let import = v1::ImportShowRequest { sale, ..v1::ImportShowRequest::default() };
    let refused = Refused::from(clients.shows.import_show(import).await.unwrap_err());
    assert_eq!(fields(&refused), ["show_id", "sale.opens_at_ms", "plan"]);
    server.stop().await;
}
