//! Batches that are too small, too large, or wrong in the middle.

use tonic::Code;
use usher_proto::v1::{self, command::Command, outcome::Outcome};

use crate::{
    Named, check,
    common::{local::LocalServer, refusal::Refused, wire},
};

const SHOW: &str = "evening";

fn hold(hold_id: u128, seats: &[u32]) -> Command {
    Command::HoldSeats(wire::hold(SHOW, hold_id, "ann", wire::seats(seats)))
}

#[tokio::test]
async fn a_batch_has_at_least_one_command_and_at_most_4096() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let before = clients.version(SHOW).await;
    for (count, said) in [(0, "are 0"), (4_097, "are 4097")] {
        let refused = clients.batch(SHOW, vec![hold(1, &[0]); count]).await.unwrap_err();
        let named = Named::Field("commands", said);
        check(said, &refused, Code::InvalidArgument, "INVALID_REQUEST", &named);
        assert_eq!(clients.version(SHOW).await, before, "{said}");
    }
    let largest = clients.batch(SHOW, vec![hold(1, &[0]); 4_096]).await.unwrap();
    assert!(largest.iter().all(Result::is_ok), "the same hold, 4,096 times");
    assert_eq!(clients.version(SHOW).await, before + 1);
    let refused = clients.batch("matinee", vec![hold(2, &[1])]).await.unwrap_err();
    check("unknown show", &refused, Code::NotFound, "SHOW_UNKNOWN", &Named::Resource("show", "matinee"));
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_in_the_middle_is_refused_in_its_place_and_the_rest_is_decided() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let foreign = Command::HoldSeats(wire::hold("matinee", 3, "ann", wire::seats(&[3])));
    let malformed = Command::HoldSeats(v1::HoldSeatsRequest {
        hold_id: vec![1; 15].into(),
        ..wire::hold(SHOW, 1, "ann", wire::seats(&[3]))
    });
    // Somebody else's: a buyer's own seats would move into his new hold.
    let taken = Command::HoldSeats(wire::hold(SHOW, 4, "bob", wire::seats(&[1, 2])));
    let commands: Vec<_> = [hold(1, &[0]), malformed, hold(2, &[1]), foreign, hold(3, &[99]), taken]
        .map(|command| v1::Command { command: Some(command) })
        .into_iter()
        .chain([v1::Command { command: None }])
        .collect();
    let request = v1::ExecuteRequest { show_id: SHOW.to_owned(), commands };
    let outcomes = clients.inventory.execute(request).await.unwrap().into_inner().outcomes;
    let said: Vec<(String, String)> = outcomes.into_iter().map(|outcome| said(outcome.outcome.unwrap())).collect();
    let said: Vec<(&str, &str)> = said.iter().map(|(reason, about)| (reason.as_str(), about.as_str())).collect();
    assert_eq!(
        said,
        [
            ("held", "0"),
            ("INVALID_REQUEST", "hold_id"),
            ("held", "1"),
            ("INVALID_REQUEST", "show_id"),
            ("PLACES_UNKNOWN", "seat_indexes"),
            ("PLACES_TAKEN", "seat_indexes"),
            ("INVALID_REQUEST", "command"),
        ]
    );
    let map = clients.seat_map(SHOW).await;
    assert_eq!((map.held[0], map.version), (0b11, 2), "two holds, and nothing else");
    server.stop().await;
}

/// The reason and what it is about: the one entry of the metadata.
fn said(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::HoldSeats(response) => ("held".to_owned(), response.hold.unwrap().seats[0].seat_index.to_string()),
        Outcome::Rejection(rejection) => {
            let refused = Refused::from(rejection);
            (refused.reason, refused.metadata.into_keys().collect::<Vec<_>>().join(" "))
        }
        other => panic!("{other:?} answers a hold"),
    }
}
