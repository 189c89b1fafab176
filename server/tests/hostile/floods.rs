//! Those that send more than anybody needs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt as _, time::timeout};
use tonic::Code;

use super::{
    Victim,
    frames::{END_HEADERS, END_STREAM, Kind, POST, PREFACE, frame, header},
    until_closed,
};
use crate::common::{Clients, wire};

const MEMORY_MAX: u64 = 64 << 20;

/// Sends bytes again and again, at most `bytes_max` of them, until the other side has enough.
async fn flood(victim: &Victim, begun: &[u8], mut next: impl FnMut(u32) -> Vec<u8>, bytes_max: usize) -> usize {
    let mut stream = victim.connect().await;
    stream.write_all(begun).await.unwrap();
    let mut sent = 0;
    let pour = async {
        for number in 0.. {
            let bytes = next(number);
            if sent + bytes.len() > bytes_max || stream.write_all(&bytes).await.is_err() {
                return;
            }
            sent += bytes.len();
        }
    };
    // A server that no longer reads has had enough, too.
    let _ = timeout(Duration::from_secs(15), pour).await;
    sent
}

#[tokio::test]
async fn never_ending_headers_end_the_connection() {
    let victim = Victim::start(&[]).await;
    let before = victim.memory();
    let line = header("x-name", &"v".repeat(120)).repeat(100);
    let begun = [PREFACE, &frame(Kind::Headers, END_STREAM, 1, POST)].concat();
    let sent = flood(&victim, &begun, |_| frame(Kind::Continuation, 0, 1, &line), 64 << 20).await;
    assert!(sent < 16 << 20, "HTTP/2 took {sent} bytes");
    let sent =
        flood(&victim, b"GET / HTTP/1.1\r\n", |number| format!("X-{number}: 1\r\n").into_bytes(), 64 << 20).await;
    assert!(sent < 16 << 20, "HTTP/1.1 took {sent} bytes");
    assert!(victim.memory() < before + MEMORY_MAX);
    victim.serves().await;
}

#[tokio::test]
async fn a_hundred_thousand_streams_that_are_reset_at_once_end_the_connection() {
    let victim = Victim::start(&[]).await;
    let before = victim.memory();
    let pair = |number: u32| {
        let stream = 2 * number + 1;
        let begun = frame(Kind::Headers, END_HEADERS | END_STREAM, stream, POST);
        [begun, frame(Kind::Reset, 0, stream, &8_u32.to_be_bytes())].concat()
    };
    let size = pair(0).len();
    let sent = flood(&victim, PREFACE, pair, size * 100_000).await;
    assert!(sent < size * 90_000, "{} streams were taken", sent / size);
    assert!(victim.memory() < before + MEMORY_MAX);
    victim.serves().await;
}

#[tokio::test]
async fn floods_of_pings_and_settings_take_no_memory_and_nobody_elses_time() {
    let victim = Victim::start(&[]).await;
    let before = victim.memory();
    let pings = frame(Kind::Ping, 0, 0, &[7; 8]).repeat(1_000);
    let settings = frame(Kind::Settings, 0, 0, &[]).repeat(1_000);
    let honest = async {
        for _ in 0..20 {
            timeout(Duration::from_secs(5), victim.serves()).await.unwrap();
        }
    };
    tokio::join!(
        async {
            flood(&victim, PREFACE, |_| pings.clone(), 256 << 20).await;
        },
        async {
            flood(&victim, PREFACE, |_| settings.clone(), 256 << 20).await;
        },
        honest
    );
    assert!(victim.memory() < before + MEMORY_MAX, "{} -> {}", before, victim.memory());
    victim.serves().await;
}

#[tokio::test]
async fn garbage_before_and_after_the_preface_ends_the_connection() {
    let victim = Victim::start(&[]).await;
    let noise: Vec<u8> = (0..4_096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for begun in [noise.clone(), [PREFACE, &noise].concat(), [&PREFACE[..24], &noise].concat()] {
        let mut stream = victim.connect().await;
        // It may be closed before all of it is sent.
        let _ = stream.write_all(&begun).await;
        until_closed(&mut stream, Duration::from_secs(12)).await;
    }
    victim.serves().await;
}

#[tokio::test]
async fn what_is_oversized_is_refused() {
    let victim = Victim::start(&[]).await;
    let mut clients = Clients::connect(victim.address).await;
    let large = wire::hold("show", 1, &"b".repeat(70 << 10), wire::seats(&[0]));
    assert_eq!(clients.inventory.hold_seats(large).await.unwrap_err().code(), Code::OutOfRange);
    let mut headers = tonic::Request::new(wire::get("show", 1));
    headers.metadata_mut().insert("x-large", "v".repeat(20 << 10).parse().unwrap());
    assert!(clients.inventory.get_hold(headers).await.is_err());
    victim.serves().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_of_an_address_are_turned_away_and_room_comes_back() {
    let victim = Victim::start(&[("USHER_LIMITS__CONNECTIONS_PER_ADDRESS_MAX", "4")]).await;
    let mut kept = Vec::new();
    for _ in 0..8 {
        kept.push(victim.connect().await);
    }
    let mut last = kept.pop().unwrap();
    until_closed(&mut last, Duration::from_secs(2)).await;
    drop(kept);
    tokio::time::sleep(Duration::from_millis(500)).await;
    victim.serves().await;
}

#[tokio::test]
async fn ten_thousand_idle_connections_take_at_most_200_megabytes() {
    const COUNT: usize = 10_000;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let mut wanted = limit;
    wanted.current = wanted.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, wanted).unwrap();
    if wanted.maximum.is_some_and(|files| files < COUNT as u64 + 500) {
        return crate::common::skipped("this process may not have 10,500 files open");
    }
    let settings = [
        ("USHER_LIMITS__CONNECTIONS_PER_ADDRESS_MAX", "16000"),
        ("USHER_LIMITS__KEEPALIVE_MS", "600000"),
        // Huge pages make the whole of each buffer resident, though idle connections use little of it.
        ("MIMALLOC_ALLOW_THP", "0"),
    ];
    let victim = Victim::alone(&settings).await;
    let before = victim.memory();
    let mut idle = Vec::new();
    for number in 0..COUNT {
        // The system lets few wait to be accepted, and those beyond for seconds.
        if number % 200 == 0 {
            victim.serves().await;
        }
        let mut stream = victim.connect().await;
        stream.write_all(PREFACE).await.unwrap();
        idle.push(stream);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    victim.serves().await;
    let grown = victim.memory().saturating_sub(before);
    assert!(grown <= 200_000_000, "{grown} bytes");
    assert!(grown > 10_000_000, "{grown} bytes: are they there?");
    drop(idle);
}

/// An honest client asks, and thinks for a while; another one sends holds with new ids, 64 at once, as fast as it can.
#[tokio::test]
async fn a_flood_of_holds_takes_little_memory_and_little_of_an_honest_clients_rate() {
    let victim = Victim::alone(&[]).await;
    let mut clients = Clients::connect(victim.address).await;
    clients.shows.create_show(wire::hall("other", 1_000, 0)).await.unwrap();
    let alone = honest_calls(&mut clients, 1_000_000).await;
    let (before, is_over) = (victim.memory(), Arc::new(AtomicBool::new(false)));
    // On a thread of its own: what it costs to flood is not the honest client's affair.
    let (address, told) = (victim.address, Arc::clone(&is_over));
    let flood = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(flood_of_holds(address, told))
    });
    let beside = honest_calls(&mut clients, 2_000_000).await;
    is_over.store(true, Ordering::Relaxed);
    let flooded = tokio::task::spawn_blocking(|| flood.join().unwrap()).await.unwrap();
    let grown = victim.memory().saturating_sub(before);
    assert!(flooded > 1_000, "it was no flood: {flooded}");
    assert!(grown <= MEMORY_MAX, "{grown} bytes");
    assert!(beside * 10 >= alone * 8, "{alone} calls alone, {beside} beside {flooded} of the flood");
}

/// How many pairs of calls an honest client gets through in three seconds; he sends one every 20 ms.
async fn honest_calls(clients: &mut Clients, first: u128) -> u32 {
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        let id = first + u128::from(calls);
        clients.inventory.hold_seats(wire::hold("other", id, "honest", wire::seats(&[7]))).await.unwrap();
        clients.inventory.release_hold(wire::release("other", id, "honest")).await.unwrap();
        calls += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    calls
}

/// How many holds it sent.
async fn flood_of_holds(address: std::net::SocketAddr, is_over: Arc<AtomicBool>) -> u128 {
    let clients = Clients::connect(address).await;
    let lanes = (0..64_u32).map(|lane| {
        let (mut inventory, is_over) = (clients.inventory.clone(), Arc::clone(&is_over));
        async move {
            let mut sent = 0;
            while !is_over.load(Ordering::Relaxed) {
                sent += 1;
                let (id, buyer) = ((u128::from(lane + 1) << 64) | sent, format!("b{lane}-{sent}"));
                // Most are refused: the seats are taken.
                let _ = inventory.hold_seats(wire::hold("show", id, &buyer, wire::seats(&[lane]))).await;
            }
            sent
        }
    });
    let lanes: tokio::task::JoinSet<u128> = lanes.collect();
    lanes.join_all().await.into_iter().sum()
}
