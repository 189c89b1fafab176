//! A shard whose log makes no sense does not serve, and says why; the others do, as if nothing were.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use common::{
    Clients,
    process::Process,
    refusal::Refused,
    sale::{SHOWS, Sale},
    wire,
};
use usher_engine::{
    codec::PayloadWriter,
    event::Event,
    ids::{HoldId, ShowId, ShowNumber},
    router::home_of,
    time::Timestamp,
};
use usher_wal::{Log as _, RocksStore, ShardId};

const DAMAGED: u32 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_damaged_shard_leaves_the_others_serving() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 2);
    let sale = Sale::start(address).await;
    sale.wait_for(40).await;
    sale.end().await;
    server.kill();
    let lsn = append_nonsense(data.path());

    let (mut server, address) = Process::serve(data.path(), 2);
    let failed = server.wait_for("shard is not serving");
    let error = failed["error"].as_str().unwrap();
    assert_eq!(failed["shard"], DAMAGED);
    assert!(error.contains(&format!("LSN {lsn} of shard {DAMAGED}")) && error.contains("restore the shard"), "{error}");
    let mut clients = Clients::connect(address).await;
    for show in SHOWS {
        let hold = wire::hold(show, 1 << 64, "late", wire::seats(&[90_000]));
        let held = clients.inventory.hold_seats(hold).await;
        if home_of(&ShowId::new(show).unwrap(), 2) == ShardId(DAMAGED) {
            assert_eq!(Refused::from(held.unwrap_err()).reason, "SHARD_NOT_SERVING");
        } else {
            held.unwrap();
        }
    }
    // It may be on the damaged shard already.
    let refused = Refused::from(clients.shows.create_show(wire::hall("opening", 10, 0)).await.unwrap_err());
    assert_eq!(refused.reason, "SHARD_NOT_SERVING");
    server.terminate();
    assert!(server.wait().success());
}

/// A confirmation of a hold that nobody has.
fn append_nonsense(data: &std::path::Path) -> u64 {
    let mut payload = PayloadWriter::default();
    payload.push(ShowNumber(0), &Event::HoldExpired { hold_id: HoldId::new(&[9; 16]).unwrap() }, Timestamp(0));
    let store = RocksStore::open(data, 2.try_into().unwrap()).unwrap();
    let mut log = store.log(ShardId(DAMAGED)).unwrap();
    log.append(log.tail().clock_ms, payload.bytes()).unwrap().0
}

/// Whatever it did by a path would be done to the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_directory_is_exchanged_ends_at_once_and_touches_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (data, moved) = (place.path().join("data"), place.path().join("moved"));
    let (mut server, address) = Process::serve(&data, 1);
    let sale = Sale::start(address).await;
    sale.wait_for(10).await;
    sale.end().await;
    std::fs::rename(&data, &moved).unwrap();
    assert_eq!(server.wait().code(), Some(1), "{}", server.text());
    assert!(server.text().contains("start again on the one that is meant"), "{}", server.text());
    assert!(!data.exists());
    let (mut server, _) = Process::serve(&moved, 1);
    server.terminate();
    assert!(server.wait().success());
}
