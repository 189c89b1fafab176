//! `usher top` against a running server: as text, as JSON, and on a terminal that it gives back.

mod common;

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use common::{
    Clients,
    process::{Process, program, run},
    skipped, wire,
};
use serde_json::Value;

fn top(address: SocketAddr, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.arg("top").args(words).args(["--server", &format!("http://{address}")]);
    run(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_interval_tells_shards_shows_latencies_and_refusals() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 2);
    let mut clients = Clients::connect(address).await;
    clients.shows.create_show(wire::hall("gala", 100, 0)).await.unwrap();
    let printing = tokio::task::spawn_blocking(move || {
        let words = ["--once", "--every", "3000"];
        let json = thread::spawn(move || top(address, &["--once", "--every", "3000", "--output", "json"]));
        (top(address, &words), json.join().unwrap())
    });
    // The first holds its seat, the others are told that it is gone; one cannot be read.
    let mut number = 0;
    while !printing.is_finished() {
        number += 1;
        // Whatever is said.
        let buyer = format!("buyer {number}");
        let _ = clients.inventory.hold_seats(wire::hold("gala", number, &buyer, wire::seats(&[1]))).await;
        let _ = clients.inventory.hold_seats(wire::hold("no show", number, "ada", wire::seats(&[1]))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ((code, table, problem), (json_code, json, _)) = printing.await.unwrap();
    assert_eq!((code, json_code), (Some(0), Some(0)), "{problem}");
    for part in ["usher 0.1.0", "SHARD", "serving", "gala", "hold_seats", "PLACES_TAKEN", "INVALID_REQUEST", "append"] {
        assert!(table.contains(part), "no {part} in:\n{table}");
    }
    assert!(table.lines().count() <= 24 && table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["over_ms"].as_u64().unwrap() >= 3_000);
    assert_eq!(json["shards"].as_array().unwrap().len(), 2);
    assert_eq!(json["shows"][0]["show_id"], "gala");
    assert_eq!(json["rejections"][0]["reason"], "PLACES_TAKEN");
    let appends = &json["latencies"].as_array().unwrap()[2];
    assert_eq!(appends["name"], "append");
    server.kill();
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    let (code, _, said) = top(address, &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("--once"), "{said}");
    let (code, _, said) = top(address, &["--shows", "101"]);
    assert_eq!(code, Some(2), "{said}");
    server.kill();
}

#[test]
fn the_terminal_is_given_back_with_q() {
    let Ok(version) = Command::new("script").arg("--version").output() else { return skipped("there is no script(1)") };
    assert!(version.status.success());
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    let mut command = program("script");
    let words = format!("{} top --every 100 --server http://{address}", env!("CARGO_BIN_EXE_usher"));
    command.args(["--quiet", "--return", "--command", &words, "/dev/null"]).env("TERM", "xterm");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    // Long enough for a picture; a key that comes earlier waits.
    thread::sleep(Duration::from_secs(2));
    keys.write_all(b"q").unwrap();
    keys.flush().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (entered, left) = (text.find("\u{1b}[?1049h"), text.find("\u{1b}[?1049l"));
    assert!(output.status.success() && entered.is_some() && left > entered, "{text:?}");
    server.kill();
}
