//! `usher log` and `usher doctor` as an operator uses them: beside a server that sells, after its end, and on copies that
//! are damaged. What they print is read back, and nothing in the directory changes by it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "tools/damage.rs"]
mod damage;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::SystemTime,
};

use common::{
    WAIT_MAX,
    process::{Process, program, run},
    sale::Sale,
};
use serde_json::Value;

const SHARDS: u32 = 2;

/// `usher` with these words, separated by spaces, on this directory.
fn usher(data: &Path, words: &str) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words.split(' ')).arg("--data-dir").arg(data);
    command
}

/// The same, run to its end, which must be with this code; its standard output.
#[track_caller]
fn says(data: &Path, words: &str, code: i32) -> String {
    let (ended, out, err) = run(usher(data, words));
    assert_eq!(ended, Some(code), "usher {words}\n{out}{err}");
    out
}

#[track_caller]
fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// A directory with a log of this many sales and more, whose server has ended in order; and that server.
async fn sold_out_directory(shards: u32, sold: u32) -> (tempfile::TempDir, Process) {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), shards);
    let sale = Sale::start(address).await;
    sale.wait_for(sold).await;
    sale.end().await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    (data, server)
}

/// Every file with its length and when it was written last.
fn files(dir: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| {
        let metadata = fs::metadata(&path).unwrap();
        let below = if metadata.is_dir() { files(&path) } else { BTreeMap::new() };
        below.into_iter().chain([(path, (metadata.len(), metadata.modified().unwrap()))])
    };
    entries.flat_map(of).collect()
}

/// Whatever was answered before a tool starts is seen by it, and the server goes on selling all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tools_read_beside_a_server_that_sells() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), SHARDS);
    let sale = Sale::start(address).await;
    for round in 1..=3 {
        sale.wait_for(round * 200).await;
        let before = sale.sold();
        let exported = json_lines(&says(data.path(), "log export", 0));
        let confirmed = exported.iter().filter(|line| line["event"] == "HoldConfirmed").count();
        assert!(confirmed >= before as usize, "{before} were sold before, {confirmed} are exported");

        let before = sale.sold();
        let shards = json_lines(&says(data.path(), "log inspect --json", 0));
        let confirmed: u64 = shards.iter().filter_map(|shard| shard["events_by_kind"]["HoldConfirmed"].as_u64()).sum();
        assert!(confirmed >= u64::from(before), "{before} were sold before, {confirmed} are counted");
        assert_eq!(shards.len(), SHARDS as usize);

        assert_eq!(says(data.path(), "log verify", 0).matches(": sound").count(), SHARDS as usize);
        assert_eq!(says(data.path(), "log tail --limit 7", 0).lines().count(), 7);
        let found: Value = serde_json::from_str(&says(data.path(), "doctor --json", 0)).unwrap();
        let findings = found["findings"].as_array().unwrap();
        let opened = findings.iter().find(|finding| finding["check"] == "server").unwrap();
        assert_eq!(opened["values"]["process_id"], server.id(), "{found}");
    }
    let before = sale.sold();
    sale.wait_for(before + 100).await;
    sale.end().await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_end_the_replayed_state_is_the_servers_and_nothing_is_written() {
    let (data, server) = sold_out_directory(SHARDS, 400).await;
    let before = files(data.path());
    let verdicts = json_lines(&says(data.path(), "log verify --json", 0));
    for stopped in server.lines_of("stopped") {
        let verdict = verdicts.iter().find(|verdict| verdict["shard"] == stopped["shard"]).unwrap();
        assert_eq!(verdict["state_hash"], stopped["state_hash"], "{stopped}");
        assert_eq!((&verdict["last_lsn"], &verdict["sound"]), (&stopped["lsn"], &Value::Bool(true)), "{verdict}");
        assert_eq!(verdict["acknowledged_lsn"], stopped["lsn"], "{verdict}");
    }
    let doctor = says(data.path(), "doctor", 0);
    assert!(doctor.contains("no server has it open") && doctor.contains("shard 1: LSN 1 to "), "{doctor}");
    for words in ["log inspect", "log inspect --json", "log tail", "log export", "log verify", "doctor --json"] {
        says(data.path(), words, 0);
    }
    assert_eq!(files(data.path()), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_what_is_asked_for() {
    let (data, _) = sold_out_directory(SHARDS, 40).await;
    let export = |words: &str| json_lines(&says(data.path(), format!("log export {words}").trim_end(), 0));
    let gala = export("--show gala");
    let kinds: Vec<&str> = gala.iter().take(3).map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ShowCreated", "HoldGranted", "HoldConfirmed"]);
    let held = &gala[1];
    let seat = serde_json::json!({ "seats": [{ "index": 0, "label": "Stalls/1/1" }], "ga": [] });
    assert_eq!((&held["places"], &held["show_id"]), (&seat, &"gala".into()));
    assert_eq!(held["hold_id"], "00000000-0000-0000-0000-000000000001");
    assert_eq!((&held["buyer"], &held["total_minor"]), (&"buyer-0".into(), &4_500.into()));
    assert_eq!((&gala[2]["order"], &gala[2]["payment"]), (&"gala-0".into(), &"paid-gala-0".into()));
    assert!(held["time"].as_str().unwrap().ends_with('Z') && held["clock_ms"].as_u64().unwrap() > 1_700_000_000_000);

    let (shard, all) = (gala[0]["shard"].as_u64().unwrap(), export(""));
    assert!(gala.iter().all(|line| line["show_id"] == "gala") && gala.len() < all.len());
    let of_shard = export(&format!("--shard {shard}"));
    assert!(of_shard.iter().all(|line| line["shard"] == shard) && of_shard.len() >= gala.len());
    let part = export(&format!("--shard {shard} --from 5 --to 7"));
    let part: Vec<u64> = part.iter().map(|line| line["lsn"].as_u64().unwrap()).collect();
    assert_eq!((part.first(), part.last()), (Some(&5), Some(&7)));
    assert_eq!(export("--limit 3"), all[..3]);
    assert_eq!((export("--since 1h"), export("--until 2026-01-01T00:00:00Z")), (all, Vec::new()));
    assert_eq!(run(usher(data.path(), "log export --shard 7")).0, Some(2));
    assert_eq!(run(usher(data.path(), "log export --since yesterday")).0, Some(2));
}

/// Nothing on standard output may be what there is, or a mistake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_in_the_log_is_said() {
    let (data, _) = sold_out_directory(1, 40).await;
    for command in ["tail", "export"] {
        let said = |words: &str| run(usher(data.path(), &format!("log {command} {words}")));
        let (code, out, err) = said("--show nosuch");
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains("there is no show nosuch"), "{err}");
        let (code, out, err) = said("--show gala --from 100000");
        assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
        assert!(err.contains("no event that was asked for; of shard 0 it has LSN 1 to "), "{err}");
        assert_eq!(said("--show gala").2, "");
    }
    let (mut server, address) = Process::serve(data.path(), 1);
    let mut clients = common::Clients::connect(address).await;
    for seat in [99_998, 99_999] {
        let hold = common::wire::hold("gala", u128::from(seat), "late", common::wire::seats(&[seat]));
        clients.inventory.hold_seats(hold).await.unwrap();
        let mut snapshot = program(env!("CARGO_BIN_EXE_usher"));
        snapshot.args(["snapshot", "--server", &format!("http://{address}")]);
        assert_eq!(run(snapshot).0, Some(0));
    }
    server.terminate();
    server.wait();
    let (_, _, err) = run(usher(data.path(), "log tail --from 2"));
    assert!(err.contains("the log of shard 0 begins at LSN ") && err.contains("was trimmed"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_read_enough_ends_it_in_peace() {
    let (data, _) = sold_out_directory(1, 400).await;
    // More than a pipe takes.
    assert!(says(data.path(), "log export", 0).len() > 100_000);
    for words in ["log export", "log tail --limit 100000", "log tail --json --limit 100000"] {
        let mut child = usher(data.path(), words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty() && !line.is_empty(), "{words}: {}: {said}", output.status);
    }
}

/// Ends with the test.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_follows_the_sale() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    let sale = Sale::start(address).await;
    sale.wait_for(4).await;
    let follow = usher(data.path(), "log tail --follow --limit 1 --show opera").stdout(Stdio::piped()).spawn();
    let mut follower = Follower(follow.unwrap());
    let (lines, printed) = mpsc::channel();
    let pipe = BufReader::new(follower.0.stdout.take().unwrap());
    thread::spawn(move || pipe.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    // The first one was there before. Nothing is left out between two looks at the log.
    printed.recv_timeout(WAIT_MAX).unwrap();
    sale.wait_for(sale.sold() + 400).await;
    let mut seats = Vec::new();
    while seats.len() < 100 {
        let line = printed.recv_timeout(WAIT_MAX).unwrap();
        assert!(line.contains("  opera  hold 0000"), "{line}");
        let order = line.split_once(", order opera-").map(|(_, seat)| seat.parse::<u32>().unwrap());
        seats.extend(order);
    }
    let first = seats[0];
    assert_eq!(seats, (first..first + 100).collect::<Vec<u32>>());
    sale.end().await;
    server.kill();
}
