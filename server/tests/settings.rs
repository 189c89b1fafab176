//! Settings as an operator meets them: explained, shown, checked, and changed while the server runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    fs,
    io::Read as _,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use common::{
    WAIT_MAX,
    callers::write_private,
    http::Http,
    process::{Process, program, run, serve_command},
};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

fn usher(words: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words);
    command
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a command said on both outputs; it must end so.
#[track_caller]
fn said(command: Command, code: i32) -> String {
    let (ended, out, err) = run(command);
    assert_eq!(ended, Some(code), "{out}{err}");
    out + &err
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

#[test]
fn the_reference_is_a_file_that_a_server_takes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("usher.toml");
    fs::write(&file, said(usher(&["config", "reference"]), 0)).unwrap();
    let shown = |words: &[&str]| -> Vec<Value> {
        let mut command = usher(&["config", "show", "--json"]);
        command.args(words);
        serde_json::from_str(&said(command, 0)).unwrap()
    };
    let (defaults, referred) = (shown(&[]), shown(&["--config", path(&file)]));
    let values = |shown: &[Value]| shown.iter().map(|one| one["value"].clone()).collect::<Vec<_>>();
    assert_eq!(values(&defaults), values(&referred));
    assert!(defaults.len() > 40 && defaults.iter().all(|one| one["kind"] == "default"));
}

#[test]
fn what_is_set_is_shown_with_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("usher.toml");
    fs::write(&file, "shards = 3\nlog_level = \"warn\"\n[limits]\nstreams_max = 7\n").unwrap();
    let mut command = usher(&["config", "show", "--changed", "--config", path(&file), "--log-level", "debug"]);
    command.env("USHER_LIMITS__STREAMS_MAX", "8");
    let shown = said(command, 0);
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected = [
        ["SETTING", "VALUE", "SOURCE"],
        ["shards", "3", path(&file)],
        ["log_level", "debug", "--log-level"],
        ["limits.streams_max", "8", "USHER_LIMITS__STREAMS_MAX"],
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_check_names_what_is_wrong_and_where_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("usher.toml");
    let check = |text: &str, code| {
        fs::write(&file, text).unwrap();
        said(usher(&["config", "check", "--config", path(&file)]), code)
    };
    says(&check("", 0), &["a server would start"]);
    says(&check("shrads = 2\n", 2), &["shrads", path(&file)]);
    says(&check("listen = \"0.0.0.0:7421\"\n", 2), &["not loopback", "(set by ", path(&file)]);
    says(&check("[access]\nkeys_file = \"absent.json\"\n", 2), &["absent.json", "(set by "]);
    says(&check("listen = \"192.0.2.1:7421\"\nallow_plaintext = true\n", 2), &["listen 192.0.2.1:7421"]);
    let mut by_variable = usher(&["config", "check"]);
    by_variable.env("USHER_LOG_LEVEL", "usher=loud");
    says(&said(by_variable, 2), &["log_level", "(set by USHER_LOG_LEVEL)"]);

    let at = |name: &str| dir.path().join(name);
    let mut certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    certificate.not_after = rcgen::date_time_ymd(2200, 1, 1);
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    fs::write(at("good.pem"), certificate.self_signed(&key).unwrap().pem()).unwrap();
    certificate.not_before = rcgen::date_time_ymd(2001, 1, 1);
    certificate.not_after = rcgen::date_time_ymd(2002, 1, 1);
    fs::write(at("ended.pem"), certificate.self_signed(&key).unwrap().pem()).unwrap();
    write_private(&at("good.key"), &key.serialize_pem());
    write_private(&at("other.key"), &other.serialize_pem());
    let tls =
        |certificate: &str, key: &str| format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", at(certificate), at(key));
    let good = check(&tls("good.pem", "good.key"), 0);
    assert!(!good.contains("warning"), "{good}");
    says(&check(&tls("ended.pem", "good.key"), 0), &["warning: tls.certificate", "has ended"]);
    says(&check(&tls("good.pem", "other.key"), 2), &["good.pem with its key", "(set"]);
    says(&check(&tls("good.key", "good.key"), 2), &["tls.certificate"]);
    let risky = "listen = \"0.0.0.0:7421\"\nallow_plaintext = true\ndurability = \"os\"\ndisk_reserve_bytes = 1000000000000000\n";
    let warnings = ["durability is os", "nobody has to say who he is", "without TLS", "every command would be refused"];
    says(&check(risky, 0), &warnings);
}

fn hang_up(server: &Process) {
    assert!(Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap().success());
}

/// A server whose settings are in a file, and that file.
fn server_with(directory: &Path, text: &str, words: &[&str]) -> (Process, PathBuf) {
    let file = directory.join("usher.toml");
    fs::write(&file, text).unwrap();
    let mut command = serve_command(&directory.join("data"), 1);
    command.args(["--config", path(&file)]).args(words);
    (Process::spawn(command), file)
}

/// Whether a new connection is kept: one that is turned away ends at once, another one has its patience.
fn is_let_in(address: SocketAddr) -> (TcpStream, bool) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let read = stream.read(&mut [0]);
    (stream, read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock))
}

#[test]
fn a_hang_up_changes_what_can_change_and_names_what_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let (mut server, file) = server_with(dir.path(), "", &[]);
    let address = server.address();
    let (_first, is_in) = is_let_in(address);
    assert!(is_in);

    // A wrong one changes nothing, not even what is right in it.
    fs::write(&file, "[limits]\nconnections_per_address_max = 1\npatience_ms = 7\n").unwrap();
    hang_up(&server);
    let wrong = server.wait_for("the settings stay as they were");
    says(wrong["error"].as_str().unwrap(), &["limits.patience_ms must be at least 100, is 7", path(&file)]);
    let (second, is_in) = is_let_in(address);
    assert!(is_in);

    let text = "log_level = \"debug\"\ndurability = \"os\"\nhttp_allowed_origins = [\"https://shop.example\"]\n\
                [limits]\nconnections_per_address_max = 1\n";
    fs::write(&file, text).unwrap();
    hang_up(&server);
    let read = server.wait_for("the settings were read again");
    assert_eq!(read["changed"], "http_allowed_origins log_level limits.connections_per_address_max");
    assert_eq!(server.wait_for("changed settings need a restart")["settings"], "durability");
    drop(second);
    assert!(!is_let_in(address).1, "one beyond the limit is let in");
    assert_eq!(server.wait_for_lines("connections beyond the limit were turned away", 1).len(), 1);

    fs::write(&file, "").unwrap();
    hang_up(&server);
    server.wait_for_lines("the settings were read again", 2);
    let (_third, is_in) = is_let_in(address);
    assert!(is_in);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
}

#[test]
fn operators_get_in_where_callers_have_all_places() {
    let dir = tempfile::tempdir().unwrap();
    let words = ["--operations-listen", "127.0.0.1:0"];
    let (mut server, _) = server_with(dir.path(), "[limits]\nconnections_max = 1\n", &words);
    let operations = server.wait_for("listening for operators")["address"].as_str().unwrap().parse().unwrap();
    let (_held, is_in) = is_let_in(server.address());
    assert!(is_in && !is_let_in(server.address()).1);
    assert!(is_let_in(operations).1);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
}

#[test]
fn a_page_of_an_origin_that_is_added_may_call() {
    let dir = tempfile::tempdir().unwrap();
    let (server, file) = server_with(dir.path(), "", &[]);
    let http = Http::to(server.address());
    let is_allowed = || {
        let answer = http.send("GET", "/v1/openapi.json", &[("origin", "https://shop.example")], "");
        answer.headers.contains_key("access-control-allow-origin")
    };
    assert!(!is_allowed());
    fs::write(&file, "http_allowed_origins = [\"https://shop.example\"]\n").unwrap();
    hang_up(&server);
    server.wait_for("the settings were read again");
    assert!(is_allowed());
}

#[test]
fn where_settings_come_from_is_in_the_log_of_who_wants_to_know() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = serve_command(dir.path(), 1);
    command.args(["--log-level", "usher_server=debug"]).env("USHER_BATCH_COMMANDS_MAX", "99");
    let mut server = Process::spawn(command);
    server.address();
    let set = server.lines_of("set");
    let of = |name: &str| set.iter().find(|line| line["setting"] == name).map(|line| line["source"].clone());
    assert_eq!(of("batch_commands_max").unwrap(), "USHER_BATCH_COMMANDS_MAX");
    assert_eq!((of("listen").unwrap(), of("durability")), ("--listen".into(), None));
    server.kill();
}

#[test]
fn health_is_an_exit_code() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 2);
    let url = format!("http://{address}");
    let health = |words: &[&str], code| {
        let mut command = usher(&["health", "--timeout", "2s", "--server", &url]);
        command.args(words);
        said(command, code)
    };
    let started = Instant::now();
    // Health follows the shards.
    while run(usher(&["health", "--server", &url])).0 != Some(0) && started.elapsed() < WAIT_MAX {}
    says(&health(&[], 0), &["the server is serving"]);
    says(&health(&["--shard", "1"], 0), &["shard-1 is serving"]);
    health(&["--shard", "2"], 3);
    server.kill();
    says(&health(&[], 1), &["no server at"]);
}
