//! Commands that are well formed and come too late, or from the wrong buyer.

use std::time::Duration;

use tonic::Code;
use usher_proto::v1::{self, HoldState, command::Command, outcome::Outcome};

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, now_ms, wire},
};

const SHOW: &str = "evening";

async fn granted(clients: &mut Clients, request: v1::HoldSeatsRequest) -> v1::Hold {
    clients.inventory.hold_seats(request).await.unwrap().into_inner().hold.unwrap()
}

async fn refused(clients: &mut Clients, case: &str, command: Command, reason: &str, named: &Named<'_>) {
    let before = clients.version(SHOW).await;
    let refused = clients.call(command).await.unwrap_err();
    check(case, &refused, Code::FailedPrecondition, reason, named);
    assert_eq!(clients.version(SHOW).await, before, "{case} changed something");
}

fn confirm(hold_id: u128, buyer_id: &str) -> Command {
    Command::ConfirmHold(wire::confirm(SHOW, hold_id, buyer_id, "order"))
}

fn extend(hold_id: u128, buyer_id: &str) -> Command {
    Command::ExtendHold(wire::extend(SHOW, hold_id, buyer_id, None))
}

fn hold(hold_id: u128, buyer_id: &str, seats: &[u32]) -> Command {
    Command::HoldSeats(wire::hold(SHOW, hold_id, buyer_id, wire::seats(seats)))
}

fn release(hold_id: u128, buyer_id: &str) -> Command {
    Command::ReleaseHold(wire::release(SHOW, hold_id, buyer_id))
}

#[tokio::test]
async fn a_hold_is_its_buyers_alone() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 100, 10)).await;
    granted(&mut clients, wire::hold(SHOW, 1, "ann", wire::seats(&[0, 1]))).await;
    for command in [confirm(1, "bob"), extend(1, "bob"), release(1, "bob")] {
        refused(&mut clients, "another's hold", command, "HOLD_OF_ANOTHER_BUYER", &Named::Nothing).await;
    }
    let reused = Named::Said("field", "buyer_id");
    refused(&mut clients, "another's id", hold(1, "bob", &[5]), "ID_REUSED", &reused).await;
    let reused = Named::Said("field", "places");
    refused(&mut clients, "own id, other seats", hold(1, "ann", &[0, 2]), "ID_REUSED", &reused).await;
    let taken = Named::Said("seat_indexes", "1");
    refused(&mut clients, "one seat taken", hold(2, "bob", &[1, 2, 3]), "PLACES_TAKEN", &taken).await;
    let floor = v1::GaQuantity { section: "Floor".to_owned(), quantity: 8 };
    let floor =
        |hold_id| wire::hold(SHOW, hold_id, "eve", v1::Places { ga: vec![floor.clone()], ..v1::Places::default() });
    granted(&mut clients, floor(3)).await;
    let shortage = Named::Said("ga:Floor", "requested 8, available 2");
    refused(&mut clients, "too few units", Command::HoldSeats(floor(4)), "PLACES_TAKEN", &shortage).await;
    let part = v1::ConfirmHoldRequest { places: Some(wire::seats(&[0, 9])), ..wire::confirm(SHOW, 1, "ann", "order") };
    let rest = v1::ConfirmHoldRequest {
        places: Some(wire::seats(&[0])),
        keep_rest_as: wire::id(3),
        ..wire::confirm(SHOW, 1, "ann", "order")
    };
    let reused = Named::Said("field", "keep_rest_as");
    refused(&mut clients, "an id in use for the rest", Command::ConfirmHold(rest), "ID_REUSED", &reused).await;
    let foreign = Named::Said("seat_indexes", "9");
    refused(&mut clients, "a foreign seat", Command::ConfirmHold(part), "PLACES_NOT_IN_HOLD", &foreign).await;
    server.stop().await;
}

#[tokio::test]
async fn an_ended_hold_stays_ended() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 100, 0)).await;
    granted(&mut clients, wire::hold(SHOW, 1, "ann", wire::seats(&[0]))).await;
    clients.call(release(1, "ann")).await.unwrap();
    for command in [confirm(1, "ann"), extend(1, "ann")] {
        refused(&mut clients, "released", command, "HOLD_RELEASED", &Named::Nothing).await;
    }
    granted(&mut clients, wire::hold(SHOW, 2, "ann", wire::seats(&[0]))).await;
    clients.call(confirm(2, "ann")).await.unwrap();
    for command in [release(2, "ann"), extend(2, "ann")] {
        refused(&mut clients, "sold", command, "HOLD_CONFIRMED", &Named::Nothing).await;
    }
    clients.call(release(3, "ann")).await.unwrap();
    for command in [hold(3, "ann", &[5]), confirm(3, "ann"), extend(3, "ann")] {
        refused(&mut clients, "fenced", command, "HOLD_FENCED", &Named::Nothing).await;
    }
    server.stop().await;
}

/// The one test here that waits: the shortest hold lives for five seconds.
#[tokio::test]
async fn an_expired_hold_cannot_be_sold_and_its_seats_are_free() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 100, 0)).await;
    let request = v1::HoldSeatsRequest { ttl_ms: Some(5_000), ..wire::hold(SHOW, 1, "ann", wire::seats(&[0, 1])) };
    let expires_at_ms = granted(&mut clients, request).await.expires_at_ms;
    refused(&mut clients, "not yet expired", hold(2, "bob", &[0]), "PLACES_TAKEN", &Named::Nothing).await;
    tokio::time::sleep(Duration::from_millis(expires_at_ms.saturating_sub(now_ms()))).await;
    // The deadline decides, not the timer that logs the expiry. One call may still find it due; then it is logged.
    let late = clients.call(confirm(1, "ann")).await.unwrap_err();
    assert_eq!(late.reason, "HOLD_EXPIRED");
    for command in [confirm(1, "ann"), extend(1, "ann")] {
        let deadline = expires_at_ms.to_string();
        refused(&mut clients, "expired", command, "HOLD_EXPIRED", &Named::Said("expires_at_ms", &deadline)).await;
    }
    let Outcome::ReleaseHold(released) = clients.call(release(1, "ann")).await.unwrap() else {
        panic!("not a release")
    };
    assert_eq!(released.state(), HoldState::Expired);
    let Outcome::GetHold(found) = clients.call(Command::GetHold(wire::get(SHOW, 1))).await.unwrap() else {
        panic!("no")
    };
    let found = found.hold.unwrap();
    assert_eq!((found.state(), found.seats.len(), found.expires_at_ms), (HoldState::Expired, 0, expires_at_ms));
    granted(&mut clients, wire::hold(SHOW, 3, "bob", wire::seats(&[0, 1]))).await;
    server.stop().await;
}
