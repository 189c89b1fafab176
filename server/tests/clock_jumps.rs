//! A clock that is set in the middle of a sale, through the real server: an hour forwards, an hour back, and stopped.
//!
//! libfaketime gives the server a wall clock out of a file; what it measures lengths with runs on. Without it there is
//! nothing to test: it says so. `USHER_REQUIRE_FAKETIME=1` makes that a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use common::{
    Clients, WAIT_MAX,
    process::{Process, serve_command},
    wire,
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use usher_proto::v1::HoldState;

const SHOW: &str = "evening";
/// The shortest time to live that there is.
const SHORT: Duration = Duration::from_secs(5);
const LEAPT: &str = "the clock was set forwards, or the machine stood still; time catches up with it";
const WENT_BACK: &str = "the clock went back; time stands still until it comes again";
const IN_STEP: &str = "the clock is in step again";

/// Where libfaketime is, if it is installed.
fn faketime() -> Option<PathBuf> {
    let dirs = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    let found =
        dirs.map(|dir| Path::new(dir).join("faketime/libfaketimeMT.so.1")).into_iter().find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var("USHER_REQUIRE_FAKETIME").as_deref() != Ok("1"), "libfaketime is not installed");
        eprintln!("SKIPPED: libfaketime is not installed");
    }
    found
}

/// A server whose clock the test sets.
struct Sale {
    dir: tempfile::TempDir,
    library: PathBuf,
    server: Process,
    clients: Clients,
}

impl Sale {
    /// One show on sale, with a clock that is right.
    async fn new() -> Option<Self> {
        let (library, dir) = (faketime()?, tempfile::tempdir().unwrap());
        set(dir.path(), "+0");
        let (server, mut clients) = serve(dir.path(), &library).await;
        clients.shows.create_show(wire::hall(SHOW, 100, 0)).await.unwrap();
        Some(Self { dir, library, server, clients })
    }

    fn set_clock(&self, to: &str) {
        set(self.dir.path(), to);
    }

    async fn hold(&mut self, id: u128, ttl: Option<Duration>) -> Instant {
        let mut hold = wire::hold(SHOW, id, "ada", wire::seats(&[u32::try_from(id).unwrap()]));
        hold.ttl_ms = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap());
        let asked = Instant::now();
        self.clients.inventory.hold_seats(hold).await.unwrap();
        asked
    }

    async fn state(&mut self, id: u128) -> HoldState {
        self.clients.inventory.get_hold(wire::get(SHOW, id)).await.unwrap().into_inner().hold.unwrap().state()
    }

    /// Waits until a hold is over, and returns when that was seen.
    async fn wait_until_over(&mut self, id: u128) -> Instant {
        let begun = Instant::now();
        while self.state(id).await == HoldState::Held {
            assert!(begun.elapsed() < WAIT_MAX, "it lives for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.state(id).await, HoldState::Expired);
        Instant::now()
    }

    /// Health follows the shards a little later.
    async fn wait_for_health(&self, service: &str, status: ServingStatus) {
        let mut health = HealthClient::new(self.clients.channel.clone());
        let mut changes = health.watch(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner();
        let comes = async { while changes.message().await.unwrap().unwrap().status() != status {} };
        tokio::time::timeout(WAIT_MAX, comes).await.unwrap();
    }

    /// Ends the server in order and starts it again on the same clock: what it recovers is what it had.
    async fn restart(&mut self) {
        self.server.terminate();
        assert!(self.server.wait().success());
        let had = self.server.wait_for("stopped")["state_hash"].clone();
        (self.server, self.clients) = serve(self.dir.path(), &self.library).await;
        assert_eq!(self.server.wait_for("recovered")["state_hash"], had);
    }
}

/// Written beside and renamed: the server never reads half of it.
fn set(dir: &Path, to: &str) {
    fs::write(dir.join("clock.new"), format!("{to}\n")).unwrap();
    fs::rename(dir.join("clock.new"), dir.join("clock")).unwrap();
}

async fn serve(dir: &Path, library: &Path) -> (Process, Clients) {
    let mut command: Command = serve_command(&dir.join("data"), 1);
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", dir.join("clock")).env("TZ", "UTC");
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    let server = Process::spawn(command);
    let clients = Clients::connect(server.address()).await;
    (server, clients)
}

#[tokio::test]
async fn an_hour_forwards_takes_no_hold_and_no_sale_away() {
    let Some(mut sale) = Sale::new().await else { return };
    let short = sale.hold(1, Some(SHORT)).await;
    sale.hold(2, None).await;
    sale.hold(3, None).await;
    sale.set_clock("+3600s");
    let told = sale.server.wait_for(LEAPT);
    assert!((3_599_000..3_700_000).contains(&told["behind_ms"].as_u64().unwrap()), "{told}");
    // No earlier than an eighth of its time, and some for the clock's own grain.
    let over = sale.wait_until_over(1).await;
    assert!(over - short >= SHORT / 9 * 8 - Duration::from_millis(50), "{:?}", over - short);
    assert_eq!(sale.state(2).await, HoldState::Held);
    sale.clients.inventory.confirm_hold(wire::confirm(SHOW, 2, "ada", "o-1")).await.unwrap();
    sale.restart().await;
    assert_eq!(sale.state(2).await, HoldState::Confirmed);
    assert_eq!(sale.state(3).await, HoldState::Expired, "who starts it again says that the clock is right");
    sale.hold(4, None).await;
}

#[tokio::test]
async fn an_hour_forwards_that_is_taken_back_changes_nothing() {
    let Some(mut sale) = Sale::new().await else { return };
    let short = sale.hold(1, Some(SHORT)).await;
    sale.hold(2, None).await;
    sale.wait_for_health("clock", ServingStatus::Serving).await;
    sale.set_clock("+3600s");
    sale.server.wait_for(LEAPT);
    sale.wait_for_health("clock", ServingStatus::NotServing).await;
    sale.wait_for_health("", ServingStatus::Serving).await;
    sale.set_clock("+0");
    sale.server.wait_for(IN_STEP);
    sale.wait_for_health("clock", ServingStatus::Serving).await;
    let over = sale.wait_until_over(1).await;
    assert!(over - short >= SHORT / 9 * 8 - Duration::from_millis(50), "{:?}", over - short);
    assert_eq!(sale.state(2).await, HoldState::Held);
    sale.restart().await;
    assert_eq!(sale.state(2).await, HoldState::Held);
}

#[tokio::test]
async fn an_hour_back_ends_nothing_until_the_clock_has_come_again() {
    let Some(mut sale) = Sale::new().await else { return };
    let short = sale.hold(1, Some(SHORT)).await;
    sale.set_clock("-3600s");
    sale.server.wait_for(WENT_BACK);
    thread::sleep((SHORT + Duration::from_secs(1)).saturating_sub(short.elapsed()));
    assert_eq!(sale.state(1).await, HoldState::Held, "time stands still");
    sale.restart().await;
    assert_eq!(sale.state(1).await, HoldState::Held, "nor does it run backwards in a restart");
    sale.hold(2, Some(SHORT)).await;
    // It may have stood for longer than what is followed at once: then time catches up.
    sale.set_clock("+0");
    sale.wait_until_over(1).await;
    sale.wait_until_over(2).await;
    sale.restart().await;
}

#[tokio::test]
async fn a_clock_that_stands_ends_nothing_and_nothing_lives_for_ever() {
    let Some(mut sale) = Sale::new().await else { return };
    let date = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M:%S"]).output().unwrap();
    let short = sale.hold(1, Some(SHORT)).await;
    sale.set_clock(String::from_utf8(date.stdout).unwrap().trim());
    thread::sleep((SHORT + Duration::from_secs(1)).saturating_sub(short.elapsed()));
    assert_eq!(sale.state(1).await, HoldState::Held);
    sale.restart().await;
    assert_eq!(sale.state(1).await, HoldState::Held);
    sale.set_clock("+0");
    sale.wait_until_over(1).await;
    sale.restart().await;
}
