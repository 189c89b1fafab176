//! Commands in columns: they mean what they mean one by one.

use usher_proto::v1::{self, command::Command, outcome::Outcome};

use crate::{
    Session, batch,
    common::{Clients, local::LocalServer, wire},
    confirm, hold,
};

/// The same commands in columns and one by one are answered by the same.
#[tokio::test]
async fn commands_in_columns_mean_what_they_mean_one_by_one() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    for show in ["each", "columns"] {
        clients.shows.create_show(wire::hall(show, 100, 0)).await.unwrap();
    }
    let release = |id| Command::ReleaseHold(wire::release("", id, &format!("buyer-{id}")));
    let commands = [
        hold("", 1, &[1, 2]),
        hold("", 2, &[2]),
        hold("", 3, &[2, 3]),
        confirm("", 1),
        hold("", 4, &[4, 4]),
        hold("", 5, &[5]),
        release(5),
        release(6),
        confirm("", 7),
        hold("", 1, &[1, 2]),
        Command::ConfirmHold(wire::confirm("", 1, "buyer-1", "another order")),
        hold("", 8, &[100]),
        hold("", 9, &[9]),
    ];
    let columns = columns(&commands);
    let mut session = Session::open(&mut clients).await;
    session.send(vec![batch(1, "each", commands), in_columns(columns.clone())]).await;
    let mut received = session.receive(2).await;
    received.sort_by_key(|outcomes| outcomes.tag);
    let answered = received.pop().unwrap().columns.unwrap();
    assert_eq!(answered.codes.to_vec(), [0, 1, 2, 0, 2, 0, 0, 2, 2, 2, 2, 2, 0]);
    let mut others = answered.others.into_iter();
    let mut held = answered.expires_at_ms.into_iter().zip(answered.total_minor);
    for (code, each) in answered.codes.iter().zip(received.pop().unwrap().outcomes) {
        match (code, each.outcome.unwrap()) {
            (0, Outcome::HoldSeats(response)) => {
                let hold = response.hold.unwrap();
                let (expires_at_ms, total_minor) = held.next().unwrap();
                assert_eq!(total_minor, hold.total_minor);
                assert!(expires_at_ms.abs_diff(hold.expires_at_ms) < 60_000);
            }
            (0, Outcome::ConfirmHold(response)) => assert_eq!(response.hold.unwrap().booking.unwrap().order_ref, "o"),
            (0, Outcome::ReleaseHold(response)) => assert_eq!(response.state(), v1::HoldState::Released),
            (1, Outcome::Rejection(no)) => assert_eq!(no.reason, "PLACES_TAKEN"),
            (2, each) => assert_eq!(said(&others.next().unwrap().outcome.unwrap()), said(&each)),
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

/// Columns that do not belong together are refused as a whole, and say which.
#[tokio::test]
async fn columns_of_different_lengths_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("columns", 100, 0)).await;
    let mut session = Session::open(&mut clients).await;
    let columns = columns(&[hold("", 1, &[1]), confirm("", 1)]);
    type Damage = fn(&mut v1::CommandColumns);
    let damages: [(&str, Damage); 7] = [
        ("hold_ids", |columns| drop(columns.hold_ids.split_off(30))),
        ("hold_ids", |columns| columns.hold_ids = [&columns.hold_ids[..], &[0]].concat().into()),
        ("buyer_ids", |columns| drop(columns.buyer_ids.split_off(12))),
        ("seat_counts", |columns| columns.seat_counts.clear()),
        ("seat_indexes", |columns| columns.seat_indexes.push(1)),
        ("references", |columns| columns.references = prost::bytes::Bytes::from_static(&[200, 1])),
        ("kinds", |columns| columns.kinds = [&columns.kinds[..1], &[4]].concat().into()),
    ];
    for (field, damage) in damages {
        let mut damaged = columns.clone();
        damage(&mut damaged);
        session.send(vec![in_columns(damaged)]).await;
        let refused = session.receive(1).await.remove(0).refused.unwrap();
        assert_eq!(refused.metadata.keys().collect::<Vec<_>>(), [field], "{refused:?}");
    }
    session.send(vec![v1::SessionBatch { columns: Some(columns), ..batch(2, "columns", [hold("", 10, &[10])]) }]).await;
    assert!(session.receive(1).await[0].refused.as_ref().unwrap().metadata.contains_key("columns"));
    server.stop().await;
}

fn in_columns(columns: v1::CommandColumns) -> v1::SessionBatch {
    v1::SessionBatch { columns: Some(columns), ..batch(2, "columns", []) }
}

pub(super) fn columns(commands: &[Command]) -> v1::CommandColumns {
    let mut columns = v1::CommandColumns::default();
    let [mut kinds, mut ids, mut buyers, mut counts, mut references] = [(); 5].map(|()| Vec::new());
    let mut add = |kind, id: &[u8], buyer: &str| {
        kinds.push(kind);
        ids.extend_from_slice(id);
        text(&mut buyers, buyer);
    };
    for command in commands {
        match command {
            Command::HoldSeats(hold) => {
                add(1, &hold.hold_id, &hold.buyer_id);
                let seats = &hold.places.as_ref().unwrap().seat_indexes;
                counts.push(u8::try_from(seats.len()).unwrap());
                columns.seat_indexes.extend(seats);
            }
            Command::ConfirmHold(confirm) => {
                add(2, &confirm.hold_id, &confirm.buyer_id);
                text(&mut references, &confirm.order_ref);
                text(&mut references, &confirm.payment_ref);
            }
            Command::ReleaseHold(release) => add(3, &release.hold_id, &release.buyer_id),
            other => panic!("{other:?}"),
        }
    }
    let [kinds, hold_ids, buyer_ids, seat_counts, references] =
        [kinds, ids, buyers, counts, references].map(prost::bytes::Bytes::from);
    v1::CommandColumns { kinds, hold_ids, buyer_ids, seat_counts, references, ..columns }
}

fn text(column: &mut Vec<u8>, text: &str) {
    column.push(u8::try_from(text.len()).unwrap());
    column.extend_from_slice(text.as_bytes());
}

/// What an outcome says, but for its times and its show.
pub(super) fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejection(no) => format!("{} {:?} {:?}", no.reason, no.seat_indexes, no.message),
        Outcome::HoldSeats(v1::HoldSeatsResponse { hold: Some(hold) })
        | Outcome::ConfirmHold(v1::ConfirmHoldResponse { hold: Some(hold) }) => {
            format!("{:?} {:?} {:?}", hold.state(), hold.seats, hold.booking.as_ref().map(|booking| &booking.order_ref))
        }
        other => format!("{other:?}"),
    }
}
