//! Death and failure at every system call that matters: a script that creates a data directory, appends, takes snapshots,
//! trims, closes, makes a backup, restores it elsewhere, and opens again is killed as it enters a call for the k-th time,
//! for each call and each k until it gets through. After each death the directory opens, and has everything that was
//! acknowledged; what was restored is whole or not there; and a backup can be made. So it is when a sync has failed.
//!
//! `USHER_DEATHS_EVERY` sets which k are tried: every so many, 1 for all (60).
//!
//! Without strace there is nothing to test: it says so. `USHER_REQUIRE_STRACE=1` makes that a failure.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use usher_proptests::{
    appender::{Appender, SCRIPT_FRAMES, run, run_again, script_command},
    fast_directory,
    keeping::{back_up_and_restore, restored},
    number_from_env,
    receipts::Receipts,
    strace,
};

/// Whatever changes a file or a directory, and the openings that create one. strace counts by thread.
const CALLS: [&str; 13] = [
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "openat",
    "mkdir",
    "rename",
    "unlink",
    "unlinkat",
    "rmdir",
    "ftruncate",
    "fallocate",
];
/// Far more than the script makes of any call.
const CALLS_MAX: u64 = 20_000;

#[test]
fn whatever_call_it_dies_at_nothing_acknowledged_is_lost() {
    if !strace::works() {
        return;
    }
    let (every, started, mut deaths) = (every(), Instant::now(), 0);
    for (number, call) in (0..).zip(CALLS) {
        // Each call has its first k elsewhere, so that a slice is not always of the same phases.
        let mut k = 1 + number % every;
        while dies_at(call, k) {
            deaths += 1;
            k += every;
            assert!(k < CALLS_MAX, "{call} is made again and again");
        }
        println!("{call}: the script gets through with k = {k}, {deaths} deaths so far, {:.1?}", started.elapsed());
    }
    assert!(deaths > 20, "{deaths} deaths prove nothing");
}

/// What is synced stays in the page cache, as after a passing failure: the script recovers by itself.
#[test]
fn each_sync_may_fail_once() {
    if !strace::works() {
        return;
    }
    let every = usize::try_from(every()).unwrap();
    let (started, mut recovered, mut gave_up) = (Instant::now(), 0, 0);
    for count in (1..).step_by(every) {
        let parent = fast_directory();
        let (mut receipts, dir) = (Receipts::default(), parent.path().join("data"));
        let (what, trace) = (format!("sync {count} fails"), parent.path().join("trace"));
        let through = run(&mut strace::with_failing_sync(&script(&dir), count, &trace), &mut receipts, &what).is_ok();
        if !strace::was_injected(&trace) {
            println!(
                "each of {} syncs: recovered {recovered}, gave up {gave_up}, {:.1?}",
                count - 1,
                started.elapsed()
            );
            break;
        }
        *(if through { &mut recovered } else { &mut gave_up }) += 1;
        receipts.assert_whole(&dir, &what);
        run_again(&mut script(&dir), &mut receipts, &what);
        receipts.assert_whole(&dir, &what);
    }
    assert!(recovered > 0, "no script recovered by itself");
}

/// Whether the script makes `call` so often; if it does, what it leaves behind is checked.
fn dies_at(call: &str, k: u64) -> bool {
    let parent = fast_directory();
    let (mut receipts, dir) = (Receipts::default(), parent.path().join("data"));
    let (status, acknowledged) = Appender::start(&mut strace::killed_at(&script(&dir), call, k)).wait();
    let died = status.signal() == Some(9);
    assert!(died || status.success(), "{call} {k}: {status}");
    receipts.note(acknowledged);
    assert!(died || restored(&dir).exists(), "nothing was restored");
    let what = format!("killed at {call} number {k}");
    for opening in ["first", "second"] {
        receipts.assert_whole(&dir, &format!("{what}, {opening} opening"));
    }
    receipts.assert_restored(&restored(&dir), SCRIPT_FRAMES, &what);
    // What was left half made is in nobody's way.
    back_up_and_restore(&dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    receipts.assert_restored(&restored(&dir), SCRIPT_FRAMES, &what);
    died
}

fn script(dir: &Path) -> Command {
    script_command(env!("CARGO_BIN_EXE_usher-appender"), dir, Duration::from_millis(60))
}

fn every() -> u64 {
    number_from_env("USHER_DEATHS_EVERY", 60)
}
