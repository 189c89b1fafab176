//! Another number of shards, and a show on a shard of its own: through the binary, with sales before and after.

mod common;

use std::path::Path;

use common::{
    process::{Process, program, run},
    sale::{Sale, assert_sold},
};
use serde_json::Value;

fn usher(data: &Path, words: &str, code: i32) -> String {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words.split(' ')).arg("--data-dir").arg(data);
    let (ended, out, err) = run(command);
    assert_eq!(ended, Some(code), "usher {words}\n{out}{err}");
    out + &err
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_keep_their_sales_whatever_the_number_of_shards() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let (mut server, address) = Process::serve(data, 2);
    let sale = Sale::start(address).await;
    sale.wait_for(200).await;
    assert!(usher(data, "reshard --shards 3", 1).contains("a server has"));
    usher(data, "reshard --shards 3 --dry-run", 0);
    let sold = sale.end().await;
    server.kill();

    let planned = usher(data, "reshard --shards 5 --show gala=4 --show final=4 --dry-run --json", 0);
    let moved = usher(data, "reshard --shards 5 --show gala=4 --show final=4 --json", 0);
    assert_eq!(planned, moved);
    let to: Vec<Value> = moved.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let goes = |show: &str| to.iter().find(|line| line["show_id"] == show).map(|line| line["to_shard"].clone());
    assert_eq!((goes("gala"), goes("final")), (Some(4.into()), Some(4.into())), "{moved}");
    assert!(usher(data, "reshard --shards 5 --show gala=4 --show final=4", 0).starts_with("0 shows went"));
    assert_sold(data, 5, sold).await;
    usher(data, "log verify", 0);
    assert!(usher(data, "log tail --show gala --limit 100000", 0).contains("show loaded as it was"));

    assert!(usher(data, "reshard --shards 4", 2).contains("The log of shard 4 goes, with what it says of the past."));
    // Every show goes home, where there is one shard less at a time.
    for shards in [4, 1, 2] {
        let said = usher(data, &format!("reshard --shards {shards} --yes"), 0);
        assert!(said.contains(&format!("{shards} after")), "{said}");
        assert_sold(data, shards, sold).await;
        usher(data, "log verify", 0);
    }
    assert!(usher(data, "reshard --show gala=2", 2).contains("2 shards are counted from 0"));
    assert!(usher(data, "reshard --show circle=1", 1).contains("there is no show circle"));
    assert!(usher(data, "reshard --show gala", 2).contains("such as gala=3"));
}

/// Killed in the middle, again and again, it is simply run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_in_the_middle_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let (mut server, address) = Process::serve(data, 1);
    let sale = Sale::start(address).await;
    sale.wait_for(100).await;
    let sold = sale.end().await;
    server.kill();
    for (deaths, shards) in (0..).zip([4, 2, 7, 1, 5, 3]) {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(["reshard", "--yes", "--shards", &shards.to_string(), "--data-dir"]).arg(data);
        let mut dying = Process::spawn(command);
        std::thread::sleep(std::time::Duration::from_millis(20 + 25 * deaths));
        dying.kill();
        usher(data, &format!("reshard --shards {shards} --yes"), 0);
        usher(data, "log verify", 0);
    }
    assert_sold(data, 3, sold).await;
}
