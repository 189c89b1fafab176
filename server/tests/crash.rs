//! The real server is killed again and again under load, while it takes snapshots and trims its log: nothing that it
//! acknowledged is lost, no seat has two owners, and a call whose answer was lost can be repeated. In the end its state is
//! that of its snapshots and its log.
//!
//! `USHER_KILLS` sets how often (300), `USHER_SEED` repeats the choices of a run, though not its timing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "crash/buyer.rs"]
mod buyer;
#[path = "crash/ledger.rs"]
mod ledger;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinSet;
use usher_engine::shard::replay;
use usher_proto::v1::{self, command::Command};
use usher_wal::{Lsn, RocksStore, ShardId};

use buyer::Buyer;
use common::{Clients, WAIT_MAX, fast_directory, now_ms, number_from_env, process::Process, wire};
use ledger::{Call, Entry};

const SHARDS: u32 = 2;
const SHOWS: usize = 4;
const SEATS: u32 = 4_000;
const BUYERS: usize = 64;
const CONNECTIONS: usize = 8;
/// How long a round of load lasts before the kill.
const LOAD_MS: std::ops::RangeInclusive<u64> = 20..=120;
/// Kills after which a new directory is begun, so that the house is never sold out.
const KILLS_PER_DIRECTORY: u64 = 50;
/// As often as the server allows: a kill in two finds snapshots under way.
const SNAPSHOTS: [&str; 4] = ["--snapshot-log-bytes", "65536", "--snapshot-interval-ms", "100"];
/// Holds looked at in one batch.
const LOOKS_MAX: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_seat_has_two_owners() {
    let kills = number_from_env("USHER_KILLS", 300);
    let (seed, started) = (number_from_env("USHER_SEED", now_ms()), Instant::now());
    println!("{kills} kills, USHER_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut done = 0;
    while done < kills {
        let of_this = KILLS_PER_DIRECTORY.min(kills - done);
        live_and_die(of_this, &mut rng).await;
        done += of_this;
        println!("{done} kills in {:.1?}", started.elapsed());
    }
}

/// So many kills in one directory, each followed by a look at all that has changed; in the end a look at everything.
async fn live_and_die(kills: u64, rng: &mut StdRng) {
    let data = fast_directory();
    let mut buyers: Vec<Buyer> = (0..BUYERS).map(|number| new_buyer(number, rng)).collect();
    let (mut server, mut address) = Process::serve_with(data.path(), SHARDS, &SNAPSHOTS);
    let shows = create_shows(address).await;
    let mut lost = 0;
    for _ in 0..kills {
        buyers = load_and_kill(&mut server, address, buyers, &shows, rng.random_range(LOAD_MS)).await;
        (server, address) = Process::serve_with(data.path(), SHARDS, &SNAPSHOTS);
        lost += verify(address, &mut buyers).await;
    }
    let answered: usize = buyers.iter().map(|buyer| buyer.answered).sum();
    println!("{answered} calls answered, {lost} answers lost");
    assert!(buyers.iter().any(|buyer| buyer.entries.iter().any(Entry::is_sold)), "nothing was sold");
    buyers.iter_mut().flat_map(|buyer| &mut buyer.entries).for_each(|entry| entry.changed = true);
    verify(address, &mut buyers).await;
    for show_id in &shows {
        compare_map(address, show_id, &buyers).await;
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    compare_replay(data.path(), &server);
}

fn new_buyer(number: usize, rng: &mut StdRng) -> Buyer {
    let rng = StdRng::seed_from_u64(rng.random());
    Buyer { buyer_id: format!("buyer-{number}"), rng, entries: Vec::new(), answered: 0 }
}

/// As many shows on each shard.
async fn create_shows(address: SocketAddr) -> Vec<String> {
    let mut clients = Clients::connect(address).await;
    let policy = v1::Policy {
        live_holds_per_buyer_max: Some(100_000),
        places_per_buyer_max: Some(1_000_000),
        ..v1::Policy::default()
    };
    let mut shows: HashMap<u32, Vec<String>> = HashMap::new();
    for number in 0..100 {
        let request = v1::CreateShowRequest { policy: Some(policy), ..wire::hall(&format!("show-{number}"), SEATS, 0) };
        let show = clients.shows.create_show(request).await.unwrap().into_inner().show.unwrap();
        shows.entry(show.shard).or_default().push(show.show_id);
        let each = SHOWS / SHARDS as usize;
        if shows.len() == SHARDS as usize && shows.values().all(|shows| shows.len() >= each) {
            return shows.into_values().flat_map(|shows| shows.into_iter().take(each)).collect();
        }
    }
    panic!("100 shows, and not {SHOWS} evenly on {SHARDS} shards: {shows:?}");
}

/// Lets all buyers buy at once for a while, kills the server, and returns the buyers with what they know.
async fn load_and_kill(
    server: &mut Process,
    address: SocketAddr,
    buyers: Vec<Buyer>,
    shows: &[String],
    load_ms: u64,
) -> Vec<Buyer> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Clients::connect(address).await);
    }
    let mut tasks = JoinSet::new();
    for (number, buyer) in buyers.into_iter().enumerate() {
        tasks.spawn(buyer.buy(connections[number % CONNECTIONS].clone(), shows.to_vec(), SEATS));
    }
    tokio::time::sleep(Duration::from_millis(load_ms)).await;
    server.kill();
    tokio::time::timeout(WAIT_MAX, tasks.join_all()).await.unwrap()
}

/// Looks at every hold that changed, then repeats every call whose answer was lost. Returns how many those were.
async fn verify(address: SocketAddr, buyers: &mut [Buyer]) -> usize {
    let mut clients = Clients::connect(address).await;
    let mut by_show: HashMap<String, Vec<&mut Entry>> = HashMap::new();
    for entry in buyers.iter_mut().flat_map(|buyer| &mut buyer.entries).filter(|entry| entry.changed) {
        by_show.entry(entry.show_id.clone()).or_default().push(entry);
    }
    let mut lost = 0;
    for (show_id, mut entries) in by_show {
        for entries in entries.chunks_mut(LOOKS_MAX) {
            let looks = entries.iter().map(|entry| Command::GetHold(wire::get(&show_id, entry.hold_id)));
            let answers = clients.batch(&show_id, looks.collect()).await.unwrap();
            entries.iter_mut().zip(&answers).for_each(|(entry, answer)| entry.look(answer));
        }
        for entry in entries.iter_mut().filter(|entry| entry.lost.is_some()) {
            lost += 1;
            repeat(&mut clients, entry).await;
        }
    }
    check_owners(buyers);
    lost
}

/// The same call with the same id once more must be answered, in agreement with what was found, and change nothing twice.
async fn repeat(clients: &mut Clients, entry: &mut Entry) {
    let call: Call = entry.lost.unwrap();
    for _ in 0..2 {
        let answer = clients.call(entry.command(call)).await;
        entry.settle(call, &answer);
        assert_eq!(entry.lost, None, "{answer:?}");
        if answer.is_err() {
            return;
        }
    }
}

/// No seat is in two holds that are live or sold, as far as buyers were told.
fn check_owners(buyers: &[Buyer]) {
    let now_ms = now_ms();
    let mut owners: HashMap<(&str, u32), &Entry> = HashMap::new();
    for entry in buyers.iter().flat_map(|buyer| &buyer.entries).filter(|entry| entry.has_seats_at(now_ms)) {
        for &seat in &entry.seats {
            if let Some(other) = owners.insert((&entry.show_id, seat), entry) {
                panic!("seat {seat} has two owners:\n{other:?}\n{entry:?}");
            }
        }
    }
}

/// The map has exactly the seats of the buyers' holds and bookings.
async fn compare_map(address: SocketAddr, show_id: &str, buyers: &[Buyer]) {
    let map = Clients::connect(address).await.seat_map(show_id).await;
    let (mut held, mut sold) = (vec![0; map.held.len()], vec![0; map.sold.len()]);
    for entry in buyers.iter().flat_map(|buyer| &buyer.entries) {
        if entry.show_id == show_id && entry.has_seats_at(map.as_of_ms) {
            let bits: &mut Vec<u8> = if entry.is_sold() { &mut sold } else { &mut held };
            entry.seats.iter().for_each(|&seat| bits[seat as usize / 8] |= 1 << (seat % 8));
        }
    }
    assert_eq!(map.sold, sold, "the sold seats of {show_id}");
    assert_eq!(map.held, held, "the held seats of {show_id}");
    let counts = map.counts.unwrap();
    println!("{show_id}: {} sold, {} held, {} available", counts.sold, counts.held, counts.available);
}

/// What the process said it ended with is what its snapshots and its log say, whose beginning is gone.
fn compare_replay(data_dir: &Path, server: &Process) {
    let store = RocksStore::open(data_dir, SHARDS.try_into().unwrap()).unwrap();
    let stopped = server.lines_of("stopped");
    assert_eq!(stopped.len(), SHARDS as usize, "{}", server.text());
    for shard in 0..SHARDS {
        let (_, recovered) = replay(&mut store.log(ShardId(shard)).unwrap()).unwrap();
        let line = stopped.iter().find(|line| line["shard"] == shard).unwrap();
        assert_eq!(line["lsn"], recovered.lsn.0, "shard {shard}");
        assert_eq!(line["state_hash"], recovered.state_hash.to_string(), "shard {shard}");
        assert!(recovered.log_start.lsn > Lsn::ZERO, "the log of shard {shard} was never trimmed");
    }
}
