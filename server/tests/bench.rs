//! `usher bench` in miniature: every scenario sells, nothing is lost or doubled, and the report says what happened.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{fs, path::Path};

use common::{
    process::{program, run},
    skipped,
};
use serde_json::Value;

/// What `usher bench` with these words found, one run of a second.
#[track_caller]
fn bench(words: &str) -> Value {
    let data = tempfile::tempdir().unwrap();
    // Another user of this machine may have to come by.
    #[cfg(unix)]
    fs::set_permissions(data.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (code, out, err) = bench_in(data.path(), words);
    assert_eq!(code, Some(0), "usher bench {words}\n{out}{err}");
    assert_eq!(fs::read_dir(data.path()).map_or(0, Iterator::count), 0, "it leaves nothing behind");
    serde_json::from_str(&out).unwrap()
}

fn bench_in(data: &Path, words: &str) -> (Option<i32>, String, String) {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.arg("bench").args(words.split(' ')).args(["--runs", "1", "--seconds", "1", "--output", "json"]);
    command.arg("--data-dir").arg(data);
    run(command)
}

/// The only run of the only part.
fn only(report: &Value) -> &Value {
    assert_eq!(report["parts"].as_array().unwrap().len(), 1);
    let runs = report["parts"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    &runs[0]
}

fn count(run: &Value, what: &str) -> u64 {
    run[what].as_u64().unwrap_or_else(|| panic!("no {what} in {run}"))
}

#[test]
fn a_spike_is_asked_for_ten_times_over_and_nine_of_ten_pay() {
    let report = bench("spike --seats 1000 --shows 100 --buyers 512 --batch 64");
    let run = only(&report);
    let [attempts, granted, refused] = ["attempts", "granted", "refused"].map(|what| count(run, what));
    let [sold, released, commands] = ["sold", "released", "commands"].map(|what| count(run, what));
    assert_eq!(attempts, granted + refused);
    assert_eq!(granted, sold + released, "who holds a place settles it: {run}");
    assert_eq!(commands, attempts + sold + released);
    assert!(refused > granted * 5, "ten times as many come as there are seats: {granted} of {attempts}");
    assert!((80..99).contains(&(sold * 100 / granted)), "{sold} of {granted}");
    assert_eq!(count(&run["check"], "places_sold"), sold);
    assert!(count(&run["latency_us"]["attempts"], "p50") > 0);
    let timeline = run["timeline"].as_array().unwrap();
    assert_eq!(timeline.iter().map(|sample| count(sample, "commands")).sum::<u64>(), commands);
}

#[test]
fn parties_of_a_spike_have_all_their_seats_or_none() {
    let report = bench("spike --seats 2000 --party 4 --buyers 256 --batch 64");
    let run = only(&report);
    assert_eq!(count(&run["check"], "places_sold"), 4 * count(run, "sold"));
}

#[test]
fn whoever_comes_at_a_rate_of_his_own_is_answered() {
    let report = bench("spike --seats 1000 --rate 3000 --batch 64");
    let run = only(&report);
    assert!((2_900..=3_001).contains(&count(run, "attempts")), "{run}");
    assert!(report["parts"][0]["set_up"]["buyers"].is_null());
}

#[test]
fn everything_is_granted_where_nobody_wants_the_same() {
    let report = bench("granted --shows 20 --seats 400 --buyers 64 --batch 16");
    let run = only(&report);
    assert_eq!(count(run, "refused"), 0);
    assert_eq!(count(run, "granted"), count(run, "sold"));
    assert!(count(run, "sold") > 0);
}

#[test]
fn no_party_is_refused_while_it_fits() {
    let report = bench("best --shows 2 --seats 300 --buyers 16");
    let run = only(&report);
    // The houses are full but for single seats here and there.
    assert!(count(&run["check"], "places_sold") > 550, "{run}");
    assert!(count(run, "refused") > 0);
}

#[test]
fn exactly_as_many_win_as_there_are_seats() {
    let report = bench("last100 --shows 3 --buyers 300");
    let run = only(&report);
    assert_eq!((count(run, "granted"), count(run, "refused")), (300, 600));
}

#[test]
fn some_shows_are_wanted_more_than_others() {
    let report = bench("many --shows 10 --seats 500 --buyers 128 --batch 32");
    assert_eq!(count(&only(&report)["check"], "shows"), 10);
}

#[test]
fn a_sale_as_it_is_loses_nobody() {
    let report = bench("mixed --seats 300 --buyers 64");
    let run = only(&report);
    assert!(count(run, "others") > 0, "{run}");
}

#[test]
fn a_restart_is_timed_with_and_without_snapshots() {
    let report = bench("recovery --events 3000");
    let rows = report["recovery"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| &row["snapshots"]).collect::<Vec<_>>(), [false, true]);
    assert!(rows.iter().all(|row| count(row, "events") >= 3_000 && row["seconds"].as_f64().unwrap() > 0.0), "{rows:?}");
}

#[test]
fn sizes_in_lists_are_curves_of_the_page() {
    let pages = tempfile::tempdir().unwrap();
    let [page, hdr] = ["page.html", "hdr.txt"].map(|name| pages.path().join(name));
    let report = bench(&format!(
        "spike --seats 100,1000 --buyers 64 --batch 16 --report {} --hdr {}",
        page.display(),
        hdr.display()
    ));
    assert_eq!(report["parts"].as_array().unwrap().len(), 2);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<h2>Growth</h2>") && page.matches("<svg").count() > 8, "{page}");
    assert!(!page.contains("NaN") && !page.contains("http://") && !page.contains("https://"), "it needs nothing else");
    assert!(fs::read_to_string(hdr).unwrap().contains("#[Max"));
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_runs() {
    let data = tempfile::tempdir().unwrap();
    for (words, says) in [
        ("best --batch 8", "leave --batch at 0"),
        ("spike --seats 3 --party 4", "a party of 4 has no room in 3 seats"),
        ("recovery --peer redis", "no system is compared in `recovery`"),
        ("spike --rate 10 --buyers 10", "cannot be used with"),
    ] {
        let (code, _, err) = bench_in(data.path(), words);
        assert_eq!(code, Some(2), "{words}: {err}");
        assert!(err.contains(says), "{words}: {err}");
    }
    fs::write(data.path().join("mine"), "mine").unwrap();
    let (code, _, err) = bench_in(data.path(), "spike");
    assert_eq!(code, Some(1));
    assert!(err.contains("is not empty"), "{err}");
    assert!(data.path().join("mine").exists());
}

#[test]
fn other_systems_sell_the_same_sale() {
    for (peer, forms) in [("redis", 6), ("postgres", 3)] {
        let is_there = match peer {
            "redis" => program("redis-server").arg("--version").output().is_ok(),
            _ => Path::new("/usr/lib/postgresql").is_dir(),
        };
        if !is_there {
            assert!(std::env::var("USHER_REQUIRE_PEERS").as_deref() != Ok("1"), "there is no {peer}");
            skipped(&format!("there is no {peer}"));
            continue;
        }
        let report = bench(&format!("spike --seats 500 --buyers 64 --batch 16 --peer {peer}"));
        let rows = report["peers"].as_array().unwrap();
        assert_eq!(rows.len(), forms);
        for row in rows {
            let run = &row["runs"][0];
            assert!(count(run, "sold") > 0 && count(run, "granted") >= count(run, "sold"), "{row}");
            assert!(row["usher_is_faster_by"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
}
