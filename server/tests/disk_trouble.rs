//! A disk that fills up, is full, or becomes read-only under the real server:
//! what would change something is refused, reads are answered, nothing acknowledged is lost, and it goes on by itself.
//!
//! The disk is a small tmpfs, which needs the right to mount. Without it there is nothing to test: it says so.
//! `USHER_REQUIRE_MOUNT=1` makes that a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    fs::{self, File},
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use common::{Clients, WAIT_MAX, process::Process, refusal::Refused, skipped, wire};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use usher_proto::v1::{self, HoldState, command::Command as WireCommand};

const SHOW: &str = "evening";
const DISK_BYTES: u64 = 64 << 20;
const RESERVE_BYTES: u64 = 16 << 20;
/// From room to the first answer.
const RECOVERY_MAX: Duration = Duration::from_secs(10);

/// Something mounted for a test. It is unmounted in any case.
struct Mount(PathBuf);

impl Mount {
    /// Runs `mount` with these arguments and this place.
    fn new(arguments: &[&str], place: &Path) -> Result<Self, String> {
        let output = Command::new("mount").args(arguments).arg(place).output();
        let output = output.map_err(|error| format!("mount cannot be run ({error})"))?;
        if output.status.success() {
            return Ok(Self(place.to_owned()));
        }
        Err(format!("nothing can be mounted: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: in a failing test the server may still be there for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A small disk, if there may be one; otherwise says why not.
fn small_disk(place: &Path) -> Option<Mount> {
    let size = format!("size={DISK_BYTES}");
    match Mount::new(&["-t", "tmpfs", "-o", &size, "usher-test"], place) {
        Ok(mount) => Some(mount),
        Err(why) => {
            assert!(std::env::var("USHER_REQUIRE_MOUNT").as_deref() != Ok("1"), "{why}");
            skipped(&why);
            None
        }
    }
}

fn serve(data_dir: &Path, reserve_bytes: u64) -> (Process, SocketAddr) {
    Process::serve_with(data_dir, 1, &["--disk-reserve-bytes", &reserve_bytes.to_string()])
}

/// A server on `data_dir` with a show, and a connection to it.
async fn serve_show(data_dir: &Path, reserve_bytes: u64) -> (Process, Clients) {
    let (server, address) = serve(data_dir, reserve_bytes);
    let mut clients = Clients::connect(address).await;
    let policy = v1::Policy { live_holds_per_buyer_max: Some(1_000), ..v1::Policy::default() };
    let show = v1::CreateShowRequest { policy: Some(policy), ..wire::hall(SHOW, 1_000, 0) };
    clients.shows.create_show(show).await.unwrap();
    (server, clients)
}

/// Takes what is free on a disk, up to `left` bytes.
fn fill(disk: &Path, left: u64) -> PathBuf {
    let ballast = disk.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    let chunk = vec![0x5a; 4096];
    let free = || {
        let output = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(disk).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        numbers[0] * numbers[1]
    };
    for _ in 0..free().saturating_sub(left) / 4096 {
        file.write_all(&chunk).unwrap();
    }
    ballast
}

async fn hold(clients: &mut Clients, number: u128) -> Result<(), Refused> {
    let request = wire::hold(SHOW, number, "ann", wire::seats(&[u32::try_from(number).unwrap()]));
    clients.call(WireCommand::HoldSeats(request)).await.map(drop)
}

/// Tries holds 1, 2, 3, ... until one is refused. The number of the refused one.
async fn hold_until_refused(clients: &mut Clients, first: u128, reason: &str) -> u128 {
    let started = Instant::now();
    for number in first.. {
        assert!(started.elapsed() < WAIT_MAX && number < 1_000, "never refused");
        if let Err(refused) = hold(clients, number).await {
            assert_eq!(refused.reason, reason, "{refused:?}");
            assert!(refused.retry, "it says when to try again: {refused:?}");
            return number;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unreachable!("the numbers do not end");
}

async fn hold_until_answered(clients: &mut Clients, number: u128) -> Duration {
    let started = Instant::now();
    while let Err(refused) = hold(clients, number).await {
        assert!(started.elapsed() < RECOVERY_MAX, "never answered: {refused:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

async fn check_held(clients: &mut Clients, count: u128) {
    for number in 1..=count {
        let found = clients.inventory.get_hold(wire::get(SHOW, number)).await.unwrap().into_inner().hold.unwrap();
        assert_eq!(found.state(), HoldState::Held, "hold {number}");
    }
    assert_eq!(u128::from(clients.seat_map(SHOW).await.counts.unwrap().held), count);
}

/// Ends the server in order, starts it anew, and looks whether everything is there.
async fn restart_and_check(mut server: Process, data_dir: &Path, count: u128) {
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    assert!(data_dir.join("clean").exists(), "it was closed in order");
    let (mut server, address) = serve(data_dir, 0);
    check_held(&mut Clients::connect(address).await, count).await;
    server.kill();
}

async fn wait_for_health(clients: &Clients, wanted: ServingStatus) {
    let mut health = HealthClient::new(clients.channel.clone());
    let started = Instant::now();
    for service in ["", "shard-0"] {
        while health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner().status()
            != wanted
        {
            assert!(started.elapsed() < WAIT_MAX, "{service:?} is never {wanted:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_is_left_its_reserve() {
    let place = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(place.path()) else { return };
    let data_dir = place.path().join("data");
    let (server, mut clients) = serve_show(&data_dir, RESERVE_BYTES).await;
    hold(&mut clients, 1).await.unwrap();

    let ballast = fill(place.path(), RESERVE_BYTES / 2);
    let refused = hold_until_refused(&mut clients, 2, "DISK_FULL").await;
    wait_for_health(&clients, ServingStatus::NotServing).await;
    check_held(&mut clients, refused - 1).await;
    assert_eq!(hold(&mut clients, refused).await.unwrap_err().code, Some(tonic::Code::ResourceExhausted));
    assert_eq!(server.wait_for_lines("only reads are answered", 1).len(), 1, "{}", server.text());

    fs::remove_file(ballast).unwrap();
    let took = hold_until_answered(&mut clients, refused).await;
    println!("holds {refused} and later are taken again {} ms after there was room", took.as_millis());
    wait_for_health(&clients, ServingStatus::Serving).await;
    assert_eq!(server.lines_of("append failed, recovering").len(), 0, "{}", server.text());
    restart_and_check(server, &data_dir, refused).await;
}

/// Without a reserve the disk's end is met in the middle of an append.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_at_its_very_end_costs_nothing_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(place.path()) else { return };
    let data_dir = place.path().join("data");
    let (server, mut clients) = serve_show(&data_dir, 0).await;
    hold(&mut clients, 1).await.unwrap();

    let ballast = fill(place.path(), 0);
    let unknown = hold_until_refused(&mut clients, 2, "OUTCOME_UNKNOWN").await;
    server.wait_for("append failed, recovering");
    fs::remove_file(ballast).unwrap();
    let took = hold_until_answered(&mut clients, unknown).await;
    println!("hold {unknown} was unknown, and is there {} ms after there was room", took.as_millis());
    check_held(&mut clients, unknown).await;
    restart_and_check(server, &data_dir, unknown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_becomes_read_only_is_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(place.path()) else { return };
    let data_dir = place.path().join("data");
    let (server, mut clients) = serve_show(&data_dir, RESERVE_BYTES).await;
    hold(&mut clients, 1).await.unwrap();

    // Over the server's directory lies the same one, not to be written.
    let read_only = Mount::new(&["--bind", data_dir.to_str().unwrap()], &data_dir).unwrap();
    Mount::new(&["-o", "remount,bind,ro"], &data_dir).map(std::mem::forget).unwrap();
    let refused = hold_until_refused(&mut clients, 2, "DISK_UNWRITABLE").await;
    wait_for_health(&clients, ServingStatus::NotServing).await;
    check_held(&mut clients, refused - 1).await;

    drop(read_only);
    hold_until_answered(&mut clients, refused).await;
    wait_for_health(&clients, ServingStatus::Serving).await;
    restart_and_check(server, &data_dir, refused).await;
}
