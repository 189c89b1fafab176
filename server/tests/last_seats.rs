//! Ten thousand buyers ask for the last hundred seats at the same time: each seat is granted once, and everybody else is
//! told which seat he did not get.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;
use usher_proto::v1::{self, HoldState};

use common::{Clients, local::LocalServer, refusal::Refused, wire};

const SEATS: u32 = 100;
const BUYERS: u32 = 10_000;
/// A connection carries 200 calls at a time, which is what the server allows: together they carry all buyers.
const CONNECTIONS: u32 = 50;

/// How many calls are on their way, and the most there ever were.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_the_last_seats_is_granted_once() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("finale", SEATS, 0)).await;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Clients::connect(server.address).await);
    }
    let (start, gauge) = (Arc::new(Barrier::new(BUYERS as usize)), Arc::new(Gauge::default()));
    let mut buyers = JoinSet::new();
    for buyer in 0..BUYERS {
        let mut clients = connections[(buyer % CONNECTIONS) as usize].clone();
        let (start, gauge) = (Arc::clone(&start), Arc::clone(&gauge));
        buyers.spawn(async move {
            // So that the buyers of a connection want different seats.
            let seat = (buyer / CONNECTIONS) % SEATS;
            let request = wire::hold("finale", u128::from(buyer) + 1, &format!("buyer-{buyer}"), wire::seats(&[seat]));
            start.wait().await;
            gauge.most.fetch_max(gauge.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            let answer = clients.inventory.hold_seats(request).await;
            gauge.now.fetch_sub(1, Ordering::Relaxed);
            (seat, answer.map_err(Refused::from))
        });
    }
    let started = Instant::now();
    let answers = buyers.join_all().await;
    let most = gauge.most.load(Ordering::Relaxed);
    println!("{BUYERS} buyers, at most {most} at once, in {} ms", started.elapsed().as_millis());

    let mut granted = BTreeSet::new();
    let mut refused = 0;
    for (seat, answer) in answers {
        match answer {
            Ok(response) => check_grant(seat, response.into_inner(), &mut granted),
            Err(refusal) => {
                check_refusal(seat, &refusal);
                refused += 1;
            }
        }
    }
    assert_eq!((granted.len(), refused), (SEATS as usize, (BUYERS - SEATS) as usize));
    assert!(most > CONNECTIONS as usize, "the buyers came one after another");

    let map = clients.seat_map("finale").await;
    assert_eq!(map.counts, Some(v1::Counts { held: SEATS, ..v1::Counts::default() }));
    assert_eq!(map.version, u64::from(SEATS), "a change for each grant, and none for a refusal");
    server.stop().await;
}

fn check_grant(seat: u32, response: v1::HoldSeatsResponse, granted: &mut BTreeSet<u32>) {
    let hold = response.hold.unwrap();
    assert_eq!(hold.state(), HoldState::Held);
    let seats: Vec<u32> = hold.seats.iter().map(|seat| seat.seat_index).collect();
    assert_eq!(seats, [seat], "the seat that was asked for");
    assert!(granted.insert(seat), "seat {seat} was granted twice");
}

fn check_refusal(seat: u32, refusal: &Refused) {
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Some(Code::FailedPrecondition), "PLACES_TAKEN"),
        "{refusal:?}"
    );
    assert_eq!(refusal.said("seat_indexes"), seat.to_string(), "{refusal:?}");
    assert!(refusal.message.contains(&format!("Stalls/1/{}", seat + 1)), "{refusal:?}");
}
