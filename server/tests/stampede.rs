//! Ten thousand parties of four from 256 clients for 8,000 seats in rows of many lengths: each party sits together, and
//! nobody is refused while there is room for four.
//!
//! The log tells. It is replayed here by bookkeeping of the test's own: after each grant, are there four free seats side
//! by side? A refusal says how many seats were available when it was decided, which is after how many grants it came.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use tokio::{sync::Barrier, task::JoinSet};
use usher_engine::{codec::read_payload, event::Event, time::Timestamp};
use usher_proto::v1;
use usher_wal::{ReadOnlyStore, ShardId};

use common::{Clients, local::LocalServer, refusal::Refused, wire};

const SHOW: &str = "rush";
const CLIENTS: u32 = 256;
const CONNECTIONS: u32 = 16;
const PARTIES: u32 = 10_000;
const PARTY: u32 = 4;
const SEATS: u32 = 8_000;
/// Of rows, again and again: most of them cannot be filled by fours.
const ROW_LENGTHS: [u32; 7] = [27, 50, 31, 22, 3, 64, 41];

/// How long each row is, in the order of their seats.
fn row_lengths() -> Vec<u32> {
    let mut left = SEATS;
    let lengths = ROW_LENGTHS.into_iter().cycle().map_while(|length| {
        let length = length.min(left);
        left -= length;
        (length > 0).then_some(length)
    });
    lengths.collect()
}

fn hall() -> v1::CreateShowRequest {
    let mut request = wire::hall(SHOW, 1, 0);
    let rows = (1..).zip(row_lengths()).map(|(row, count)| {
        let names = Some(v1::seat_run::Names::Numbered(v1::NumberedSeats { first: 1, count, step: 1 }));
        let runs = vec![v1::SeatRun { category: "Gold".to_owned(), names, ..v1::SeatRun::default() }];
        v1::Row { name: row.to_string(), runs, ..v1::Row::default() }
    });
    let stalls = v1::section::Kind::Reserved(v1::ReservedSection { rows: rows.collect() });
    request.manifest.as_mut().unwrap().sections[0].kind = Some(stalls);
    request
}

/// What a client was told: a sale, or how many seats were available when there was no room for its party.
enum Told {
    Sold,
    Refused { available: u32 },
}

async fn take_part(mut clients: Clients, next: Arc<AtomicU32>) -> Vec<Told> {
    let mut told = Vec::new();
    loop {
        let party = next.fetch_add(1, Ordering::Relaxed);
        if party >= PARTIES {
            return told;
        }
        let (hold_id, buyer) = (u128::from(party) * 7_919 + 1, format!("party-{party}"));
        let mut best = wire::best(SHOW, hold_id, &buyer, PARTY);
        best.wish.as_mut().unwrap().adjacency = v1::Adjacency::Required.into();
        match clients.inventory.hold_best(best).await {
            Ok(granted) => {
                let hold = granted.into_inner().hold.unwrap();
                assert!(hold.placement.unwrap().is_together, "a party sits together");
                clients.inventory.confirm_hold(wire::confirm(SHOW, hold_id, &buyer, "o")).await.unwrap();
                told.push(Told::Sold);
            }
            Err(status) => {
                let refusal = Refused::from(status);
                assert!(["SOLD_OUT", "NOT_TOGETHER"].contains(&refusal.reason.as_str()), "{refusal:?}");
                told.push(Told::Refused { available: refusal.said("available").parse().unwrap() });
            }
        }
    }
}

/// After how many grants there was room for how many more parties, by the log.
struct Replayed {
    /// By the number of grants before: whether four seats side by side were free then.
    had_room: Vec<bool>,
    sold: u32,
    free: u32,
}

fn replay(data_dir: &Path) -> Replayed {
    let store = ReadOnlyStore::open(data_dir).unwrap();
    let mut rows: Vec<Vec<bool>> = row_lengths().into_iter().map(|length| vec![true; length as usize]).collect();
    let row_of: Vec<(usize, usize)> =
        (0..).zip(&rows).flat_map(|(row, seats)| (0..seats.len()).map(move |seat| (row, seat))).collect();
    let blocks = |row: &[bool]| row.windows(PARTY as usize).filter(|seats| seats.iter().all(|free| *free)).count();
    let mut room: usize = rows.iter().map(|row| blocks(row)).sum();
    let (mut had_room, mut sold) = (vec![true], 0);
    store
        .replay(ShardId(0), &mut |frame| {
            for record in read_payload(frame.payload, Timestamp(frame.clock_ms)) {
                match record?.1 {
                    Event::HoldGrantedOnTerms(granted) => {
                        for seat in granted.granted.places.seats() {
                            let (row, seat) = row_of[seat.0 as usize];
                            room -= blocks(&rows[row]);
                            assert!(std::mem::replace(&mut rows[row][seat], false), "a seat is granted once");
                            room += blocks(&rows[row]);
                        }
                        had_room.push(room > 0);
                    }
                    Event::HoldConfirmed { .. } => sold += 1,
                    Event::ShowCreated(_) => {}
                    other => panic!("nothing else happened: {other:?}"),
                }
            }
            Ok(())
        })
        .unwrap();
    let free = rows.iter().flatten().filter(|free| **free).count();
    Replayed { had_room, sold, free: u32::try_from(free).unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_while_there_is_room() {
    let (server, _) = LocalServer::with_show(hall()).await;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Clients::connect(server.address).await);
    }
    let (start, next) = (Arc::new(Barrier::new(CLIENTS as usize)), Arc::new(AtomicU32::new(0)));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let own = connections[(client % CONNECTIONS) as usize].clone();
        let (start, next) = (Arc::clone(&start), Arc::clone(&next));
        clients.spawn(async move {
            start.wait().await;
            take_part(own, next).await
        });
    }
    let started = Instant::now();
    let told: Vec<Told> = clients.join_all().await.into_iter().flatten().collect();
    let took = started.elapsed();
    let data = server.stop_and_keep().await;
    let replayed = replay(data.path());

    assert_eq!(told.len(), PARTIES as usize, "everybody was told something");
    let sold = told.iter().filter(|told| matches!(told, Told::Sold)).count();
    let grants = replayed.had_room.len() - 1;
    assert_eq!((sold, replayed.sold as usize), (grants, grants), "every grant was sold, and told");
    assert_eq!(replayed.free, SEATS - u32::try_from(grants).unwrap() * PARTY);
    assert_eq!(replayed.had_room.last(), Some(&false), "there is room for no more parties");
    let mut refused_with_room = 0;
    for refusal in told {
        if let Told::Refused { available } = refusal {
            let grants_before = (SEATS - available) / PARTY;
            refused_with_room += u32::from(replayed.had_room[grants_before as usize]);
        }
    }
    assert_eq!(refused_with_room, 0, "parties were refused while there was room");
    println!(
        "{grants} parties of {PARTY} sold, {} refused, {} single seats left, in {} ms",
        PARTIES as usize - grants,
        replayed.free,
        took.as_millis()
    );
}
