//! One failed fsync: the calls that waited for it get `OUTCOME_UNKNOWN`, the shard recovers by itself and goes on, and
//! what was acknowledged before and after is there after a restart.
//!
//! RocksDB syncs its WAL with `fdatasync`, on the thread of the shard that appends. strace fails one of them: it counts
//! for each thread, and no thread but the shard's gets as far as [`FAILING_SYNC`] before the shard's has.
//!
//! Without strace there is nothing to test: it says so. `USHER_REQUIRE_STRACE=1` makes that a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{
    Clients, WAIT_MAX,
    process::{Process, program, serve_command, terminate},
    refusal::Refused,
    skipped, wire,
};
use usher_proto::v1::{self, HoldState, command::Command as WireCommand};

const SHOW: &str = "evening";
/// Which sync of a thread fails. The first one raises the shard's epoch, each change of state needs one more; the
/// watermark's thread, which syncs too, pauses for 50 ms after each and so stays behind.
const FAILING_SYNC: u128 = 40;
/// Changes made after the recovery.
const CHANGES_AFTER: u128 = 10;

/// Whether strace is there and may trace; otherwise says why not.
fn strace_works() -> bool {
    let tried = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::piped()).output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => format!("strace cannot trace: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => format!("strace is not installed ({error})"),
    };
    assert!(std::env::var("USHER_REQUIRE_STRACE").as_deref() != Ok("1"), "{why}");
    skipped(&why);
    false
}

/// strace and the server under it. A killed strace would leave the server running, so a failing test ends that first.
struct Traced {
    strace: Process,
    server: u32,
}

impl Drop for Traced {
    fn drop(&mut self) {
        // After an orderly end there is neither, and its id may be another's by now.
        if traced_id(self.strace.id()) == Some(self.server) {
            let _ = Command::new("kill").args(["-KILL", &self.server.to_string()]).status();
        }
    }
}

/// `usher serve` under strace, which writes every sync to `trace` and fails one of them.
fn serve_with_failing_sync(data_dir: &Path, trace: &Path) -> (Traced, SocketAddr) {
    let serve = serve_command(data_dir, 1);
    let mut command = program("strace");
    command.args(["-f", "-y", "-e", "trace=fdatasync,fsync", "-e"]);
    command.arg(format!("inject=fdatasync:error=EIO:when={FAILING_SYNC}")).arg("-o").arg(trace);
    command.arg(serve.get_program()).args(serve.get_args());
    let strace = Process::spawn(command);
    let address = strace.address();
    let server = traced_id(strace.id()).unwrap();
    (Traced { strace, server }, address)
}

/// The one child of strace, while both run.
fn traced_id(strace: u32) -> Option<u32> {
    fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).ok()?.trim().parse().ok()
}

/// Holds a seat of its own, again and again until it is answered; every reason why it was not.
async fn hold_until_answered(clients: &mut Clients, number: u128) -> Vec<Refused> {
    let started = Instant::now();
    let mut refusals = Vec::new();
    while started.elapsed() < WAIT_MAX {
        let request = wire::hold(SHOW, number, "ann", wire::seats(&[u32::try_from(number).unwrap()]));
        match clients.call(WireCommand::HoldSeats(request)).await {
            Ok(_) => return refusals,
            Err(refused) => refusals.push(refused),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never answered: {refusals:?}");
}

async fn check_holds(clients: &mut Clients, count: u128) {
    for number in 1..=count {
        let found = clients.inventory.get_hold(wire::get(SHOW, number)).await.unwrap().into_inner().hold.unwrap();
        let seats: Vec<u128> = found.seats.iter().map(|seat| u128::from(seat.seat_index)).collect();
        assert_eq!((found.state(), seats), (HoldState::Held, vec![number]));
    }
    let map = clients.seat_map(SHOW).await;
    assert_eq!(u128::from(map.counts.unwrap().held), count);
    assert_eq!(u128::from(map.version), count, "each hold once, however often it was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_survives_a_failed_sync() {
    if !strace_works() {
        return;
    }
    let (data, traces) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let trace = traces.path().join("syncs");
    let (mut traced, address) = serve_with_failing_sync(data.path(), &trace);
    let mut clients = Clients::connect(address).await;
    let policy = v1::Policy { live_holds_per_buyer_max: Some(1_000), ..v1::Policy::default() };
    let show = v1::CreateShowRequest { policy: Some(policy), ..wire::hall(SHOW, 1_000, 0) };
    clients.shows.create_show(show).await.unwrap();

    let mut failed_at = None;
    let mut last = 0;
    while failed_at.is_none_or(|failed_at| last < failed_at + CHANGES_AFTER) {
        last += 1;
        assert!(last < 3 * FAILING_SYNC, "no sync failed");
        let refusals = hold_until_answered(&mut clients, last).await;
        if let Some(first) = refusals.first() {
            assert_eq!(failed_at.replace(last), None, "a second failure: {refusals:?}");
            let reasons: Vec<&str> = refusals.iter().map(|refused| refused.reason.as_str()).collect();
            println!("hold {last} was refused with {reasons:?}, then answered");
            assert_eq!((first.code, first.reason.as_str()), (Some(tonic::Code::Unavailable), "OUTCOME_UNKNOWN"));
            assert!(first.retry, "it says when to try again: {first:?}");
            assert!(reasons[1..].iter().all(|reason| *reason == "SHARD_RECOVERING"), "{reasons:?}");
        }
    }
    check_holds(&mut clients, last).await;
    drop(clients);
    let recovered = traced.strace.wait_for_lines("recovered", 2).len();
    let failed = traced.strace.wait_for_lines("append failed, recovering", 1).len();
    assert_eq!((failed, recovered), (1, 2), "{}", traced.strace.text());
    terminate(traced.server);
    assert_eq!(traced.strace.wait().code(), Some(0), "{}", traced.strace.text());
    check_trace(&trace);

    let (mut server, address) = Process::serve(data.path(), 1);
    check_holds(&mut Clients::connect(address).await, last).await;
    server.kill();
}

/// Exactly one sync failed, and it was one of RocksDB's WAL.
fn check_trace(trace: &Path) {
    let text = fs::read_to_string(trace).unwrap();
    let injected: Vec<&str> = text.lines().filter(|line| line.contains("(INJECTED)")).collect();
    assert_eq!(injected.len(), 1, "{injected:?}");
    assert!(injected[0].contains("fdatasync(") && injected[0].contains("/rocksdb/"), "{injected:?}");
    assert!(injected[0].contains(".log>"), "{injected:?}");
    println!("{}", injected[0]);
}
