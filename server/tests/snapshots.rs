//! Snapshots of the real server: on command, by bytes and at its end; the log is trimmed, and nothing is lost when it is
//! killed in between.

mod common;

use std::{fs, net::SocketAddr};

use common::{
    process::{Process, program, run, serve_command},
    sale::{SHOWS, Sale, assert_sold},
};
use serde_json::Value;

const SHARDS: u32 = 2;
/// Of log, after which a shard takes snapshots; far less than a server is set to.
const LOG_BYTES: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_are_taken_on_command_while_a_sale_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), SHARDS);
    let sale = Sale::start(address).await;
    let mut starts = vec![0; SHARDS as usize];
    for round in 0..4 {
        sale.wait_for(200 * (round + 1)).await;
        let lines = take_snapshots(address, "--output jsonl", 0);
        for (shard, line) in lines.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["shard"], shard);
            let (lsn, start) = (line["lsn"].as_u64().unwrap(), line["log_start_lsn"].as_u64().unwrap());
            // The log is kept from the round before on.
            assert!(start < lsn && (round == 0) == (start == 0) && start >= starts[shard], "{line}");
            starts[shard] = start;
        }
    }
    let table = take_snapshots(address, "--shard 1", 0);
    assert!(
        table.starts_with("SHARD  CHANGED SHOWS  ") && table.lines().nth(1).unwrap().starts_with("    1  "),
        "{table}"
    );
    let sold = sale.end().await;
    server.kill();
    assert_sold(data.path(), SHARDS, sold).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_that_goes_on_and_on_leaves_a_bounded_log() {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = serve_command(data.path(), SHARDS);
        command.args(["--snapshot-log-bytes", &LOG_BYTES.to_string()]);
        Process::spawn(command)
    };
    let mut server = start();
    let sale = Sale::start(server.address()).await;
    while server.lines_of("snapshots taken").len() < 8 {
        sale.wait_for(sale.sold() + 100).await;
    }
    let sold = sale.end().await;
    server.terminate();
    assert!(server.wait().success());
    let files: usize =
        (0..SHARDS).map(|shard| fs::read_dir(data.path().join(format!("snapshots/{shard}"))).unwrap().count()).sum();
    assert!(files <= 2 * SHOWS.len(), "{files} snapshots");
    let (_, log, _) = run(usher(&format!("log inspect --json --data-dir {}", data.path().display())));
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["bytes"].as_u64().unwrap() < 4 * LOG_BYTES && line["first_lsn"].as_u64().unwrap() > 1, "{line}");
    }
    let (code, out, err) = run(usher(&format!("log verify --data-dir {}", data.path().display())));
    assert_eq!(code, Some(0), "{out}{err}");
    assert_sold(data.path(), SHARDS, sold).await;
}

#[tokio::test]
async fn a_shard_that_there_is_not_is_named() {
    let data = tempfile::tempdir().unwrap();
    let (_server, address) = Process::serve(data.path(), SHARDS);
    let refused = take_snapshots(address, "--shard 0 --shard 7", 2);
    assert!(refused.contains("shards[1]: there are shards 0 to 1, is 7"), "{refused}");
}

fn usher(words: &str) -> std::process::Command {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words.split(' '));
    command
}

/// What `usher snapshot` prints, all of it.
#[track_caller]
fn take_snapshots(address: SocketAddr, words: &str, code: i32) -> String {
    let (ended, out, err) = run(usher(&format!("snapshot --server http://{address} {words}")));
    assert_eq!(ended, Some(code), "{out}{err}");
    out + &err
}
