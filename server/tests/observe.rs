//! Metrics of a running server: what they tell of a sale, and what the real Prometheus makes of them, of the dashboard and of
//! the alerts.
//!
//! Without `prometheus` and `promtool` the latter says that it was skipped. `USHER_REQUIRE_PROMETHEUS=1` makes that a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{
    Clients, WAIT_MAX,
    http::Http,
    process::{Process, program, run},
    skipped, wire,
};
use serde_json::Value;
use tonic::Code;
use usher_server::access::{Grant, keys::KeysFile};

const OBSERVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/observe");
const OPEN_METRICS: (&str, &str) = ("accept", "application/openmetrics-text; version=1.0.0");

fn serve(data: &Path) -> (Process, SocketAddr, SocketAddr) {
    let (process, address) = Process::serve_with(data, 2, &["--metrics-listen", "127.0.0.1:0"]);
    let metrics = process.wait_for("listening for metrics")["address"].as_str().unwrap().parse().unwrap();
    (process, address, metrics)
}

fn scraped(metrics: SocketAddr) -> String {
    let answer = Http::to(metrics).send("GET", "/metrics", &[OPEN_METRICS], "");
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    String::from_utf8(answer.bytes).unwrap()
}

/// The value of a sample, by its name with all its labels.
#[track_caller]
fn value(text: &str, sample: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("no {sample} in:\n{text}"));
    found.split(' ').next().unwrap().parse().unwrap()
}

/// Two holds are granted, of which one is sold; one is refused by the rules, one cannot be read, one is for no show.
async fn sell(address: SocketAddr) {
    let mut clients = Clients::connect(address).await;
    clients.shows.create_show(wire::hall("gala", 100, 0)).await.unwrap();
    let inventory = &mut clients.inventory;
    inventory.hold_seats(wire::hold("gala", 1, "ada", wire::seats(&[1, 2]))).await.unwrap();
    inventory.hold_seats(wire::hold("gala", 2, "bob", wire::seats(&[3]))).await.unwrap();
    let taken = inventory.hold_seats(wire::hold("gala", 3, "cy", wire::seats(&[2]))).await.unwrap_err();
    assert_eq!(taken.code(), Code::FailedPrecondition);
    inventory.hold_seats(wire::hold("no show", 4, "cy", wire::seats(&[2]))).await.unwrap_err();
    inventory.hold_seats(wire::hold("nothing", 4, "cy", wire::seats(&[2]))).await.unwrap_err();
    inventory.confirm_hold(wire::confirm("gala", 1, "ada", "o-1")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stage_of_a_sale_is_counted_and_nobody_is_named() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address, metrics) = serve(data.path());
    sell(address).await;
    let text = tokio::task::spawn_blocking(move || {
        // Holds are counted once a second.
        thread::sleep(Duration::from_millis(1_500));
        for (path, status) in [("/healthz", 200), ("/", 404), ("/v1/shows", 404)] {
            assert_eq!(Http::to(metrics).get(path).status.as_u16(), status, "{path}");
        }
        scraped(metrics)
    });
    let text = text.await.unwrap();
    for (sample, expected) in [
        ("usher_commands_total{kind=\"hold_seats\",outcome=\"granted\"}", 2.0),
        ("usher_commands_total{kind=\"hold_seats\",outcome=\"rejected\"}", 1.0),
        ("usher_commands_total{kind=\"confirm_hold\",outcome=\"granted\"}", 1.0),
        ("usher_rejections_total{reason=\"PLACES_TAKEN\"}", 1.0),
        ("usher_refusals_total{reason=\"INVALID_REQUEST\"}", 1.0),
        ("usher_refusals_total{reason=\"SHOW_UNKNOWN\"}", 1.0),
        (&calls("HoldSeats", "OK"), 2.0),
        (&calls("HoldSeats", "FAILED_PRECONDITION"), 1.0),
        (&calls("HoldSeats", "INVALID_ARGUMENT"), 1.0),
        (&calls("HoldSeats", "NOT_FOUND"), 1.0),
        (&calls("ConfirmHold", "OK"), 1.0),
        ("usher_rpc_server_call_duration_seconds_count{rpc_method=\"usher.v1.Inventory/HoldSeats\"}", 5.0),
        ("usher_shard_status{shard=\"0\",status=\"serving\"}", 1.0),
        ("usher_shard_status{shard=\"1\",status=\"read_only\"}", 0.0),
        ("usher_shard_clock_in_step{shard=\"0\"}", 1.0),
        ("usher_shard_recoveries_total{shard=\"1\"}", 1.0),
    ] {
        assert!((value(&text, sample) - expected).abs() < 1e-9, "{sample} is not {expected} in:\n{text}");
    }
    let of_shards = |name: &str, labels: &str| -> f64 {
        (0..2).map(|shard| value(&text, &format!("{name}{{shard=\"{shard}\"{labels}}}"))).sum()
    };
    assert!((of_shards("usher_shard_holds", "") - 1.0).abs() < 1e-9, "{text}");
    assert!((of_shards("usher_log_events_total", "") - 4.0).abs() < 1e-9, "a show, two holds, a sale: {text}");
    assert!(of_shards("usher_log_appended_bytes_total", "") > 100.0);
    for (stage, least) in [("queue", 5.0), ("decide", 5.0), ("append", 4.0), ("answer", 5.0)] {
        let name = "usher_shard_stage_duration_seconds_count";
        assert!(of_shards(name, &format!(",stage=\"{stage}\"")) >= least, "{stage} in {text}");
    }
    for sample in [
        "usher_connections",
        "usher_disk_free_bytes",
        "usher_log_size_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(value(&text, sample) > 0.0, "{sample}");
    }
    for secret in ["gala", "ada", "bob", "cy", "o-1"] {
        let is_named = |line: &str| line.contains(&format!("\"{secret}\""));
        assert!(!text.lines().any(is_named), "{secret} is named");
    }
    server.kill();
}

fn calls(method: &str, code: &str) -> String {
    format!(
        "usher_rpc_server_calls_total{{rpc_method=\"usher.v1.Inventory/{method}\",rpc_response_status_code=\"{code}\"}}"
    )
}

/// Whatever refuses it, and whoever asks: over HTTP as over gRPC. A path is the caller's word, and stands nowhere.
#[test]
fn a_call_over_http_that_gets_nowhere_is_counted_and_told_of_too() {
    let data = tempfile::tempdir().unwrap();
    let keys = data.path().join("keys.json");
    let key = KeysFile::change(&keys, true, |file| file.create("web", Grant::everything())).unwrap();
    let keys = keys.to_str().unwrap();
    let words = ["--metrics-listen", "127.0.0.1:0", "--keys-file", keys, "--log-level", "usher_server=debug"];
    let (mut server, address) = Process::serve_with(&data.path().join("data"), 1, &words);
    let metrics = server.wait_for("listening for metrics")["address"].as_str().unwrap().parse().unwrap();
    let http = Http::to(address);
    let ask = |method: &str, path: &str, bearer: &str, body: &str, status| {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let headers = if bearer.is_empty() { &headers[1..] } else { &headers };
        assert_eq!(http.send(method, path, headers, body).status.as_u16(), status, "{method} {path}");
    };
    let good = format!("Bearer {}", key.reveal());
    ask("GET", "/v1/shows/secret-gala", "", "", 401);
    ask("GET", "/v1/shows/secret-gala", "Bearer nobody", "", 401);
    ask("POST", "/v1/shows/secret-gala:open", &good, "{", 400);
    ask("GET", "/secret/gala", "", "", 404);
    ask("DELETE", "/v1/shows", "", "", 405);
    ask("GET", "/v1/shows/secret-gala", &good, "", 404);
    let text = scraped(metrics);
    let expected = [
        ("usher.v1.Shows/GetShow", "UNAUTHENTICATED", 2),
        ("usher.v1.Shows/GetShow", "NOT_FOUND", 1),
        ("usher.v1.Shows/OpenSale", "INVALID_ARGUMENT", 1),
        ("other", "UNIMPLEMENTED", 2),
    ];
    for (method, code, count) in expected {
        let labels = format!("rpc_method=\"{method}\",rpc_response_status_code=\"{code}\"");
        let counted = value(&text, &format!("usher_rpc_server_calls_total{{{labels}}}"));
        assert!((counted - f64::from(count)).abs() < 1e-9, "{counted} of {labels}");
    }
    assert_eq!(server.wait_for_lines("called", 6).len(), 6, "one line for each");
    assert!(!text.contains("gala") && !server.text().contains("gala"));
    server.kill();
}

#[test]
fn metrics_are_served_where_they_are_wanted_and_nowhere_else() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 2);
    assert_eq!(Http::to(address).get("/metrics").status.as_u16(), 404);
    server.kill();
    let (mut server, address, metrics) = serve(data.path());
    assert_eq!(Http::to(address).get("/metrics").status.as_u16(), 404);
    let own = Http::to(metrics).get("/metrics");
    assert!(own.header("content-type").starts_with("text/plain; version=0.0.4"));
    server.kill();
    let mut command = common::process::serve_command(data.path(), 1);
    command.args(["--metrics-listen", "0.0.0.0:0"]);
    let (code, _, said) = run(command);
    assert!(code == Some(2) && said.contains("metrics_listen is 0.0.0.0:0, which is not loopback"), "{said}");
}

/// A running Prometheus, ended when this is dropped.
struct Prometheus {
    child: Child,
    http: Http,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// With our own configuration, for this server, often.
    fn start(work: &Path, metrics: SocketAddr) -> Self {
        let config = fs::read_to_string(format!("{OBSERVE}/prometheus.yml")).unwrap();
        let own = config
            .replace("127.0.0.1:7423", &metrics.to_string())
            .replace("interval: 5s", "interval: 1s")
            .replace("- alerts.yml", &format!("- {OBSERVE}/alerts.yml"));
        assert!(own != config && own.contains(&metrics.to_string()));
        fs::write(work.join("prometheus.yml"), own).unwrap();
        let mut command = program("prometheus");
        command.arg(format!("--config.file={}", work.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", work.join("tsdb").display()));
        command.args(["--web.listen-address=127.0.0.1:0", "--enable-feature=exemplar-storage"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = lines.find(|line| line.contains("msg=\"Listening on\"")).expect("it listens");
        let address = listening.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        // What it says besides is nobody's business, but it must be able to say it.
        thread::spawn(move || lines.for_each(drop));
        let prometheus = Self { child, http: Http::to(address) };
        let begun = Instant::now();
        while prometheus.http.get("/-/ready").status.as_u16() != 200 {
            assert!(begun.elapsed() < WAIT_MAX, "it is not ready");
            thread::sleep(Duration::from_millis(50));
        }
        prometheus
    }

    /// What a query finds.
    #[track_caller]
    fn query(&self, expression: &str) -> Vec<Value> {
        let answer = self.http.get(&format!("/api/v1/query?query={}", encoded(expression))).json();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// Waits until a query finds something.
    #[track_caller]
    fn wait_for(&self, expression: &str) -> Vec<Value> {
        let begun = Instant::now();
        while begun.elapsed() < WAIT_MAX {
            let found = self.query(expression);
            if !found.is_empty() {
                return found;
            }
            thread::sleep(Duration::from_millis(200));
        }
        panic!("nothing for {expression}");
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The expressions of the dashboard's panels, for every server and half a minute.
fn expressions() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_slice(&fs::read(format!("{OBSERVE}/dashboard.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let expressions = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        targets.iter().map(move |target| {
            let expression = target["expr"].as_str().unwrap();
            (title.to_owned(), expression.replace("$__rate_interval", "30s").replace("$instance", ".*"))
        })
    });
    expressions.collect()
}

/// The names of metrics in an expression.
fn metrics_in(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '_'));
    words.filter(|word| word.starts_with("usher_") || word.starts_with("process_"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_finds_data_for_the_dashboard_and_every_metric_of_the_alerts() {
    let is_there = |tool| Command::new(tool).arg("--version").output().is_ok();
    if !is_there("prometheus") || !is_there("promtool") {
        assert!(std::env::var("USHER_REQUIRE_PROMETHEUS").as_deref() != Ok("1"), "there is no prometheus or promtool");
        return skipped("there is no prometheus, or no promtool");
    }
    let (data, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut server, address, metrics) = serve(data.path());
    sell(address).await;
    let prometheus = tokio::task::spawn_blocking(move || {
        let prometheus = Prometheus::start(work.path(), metrics);
        prometheus.wait_for("usher_build_info");
        (prometheus, work)
    });
    let (prometheus, work) = prometheus.await.unwrap();
    // Between two readings of the counters.
    let mut clients = Clients::connect(address).await;
    for number in 10..40_u8 {
        // Whatever is said.
        for (show, seat) in [("gala", number.into()), ("gala", 3), ("no show", 7)] {
            let id = u128::from(number) << 32 | u128::from(seat);
            let _ = clients.inventory.hold_seats(wire::hold(show, id, "dot", wire::seats(&[seat]))).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let checked = tokio::task::spawn_blocking(move || {
        let expressions = expressions();
        assert!(expressions.len() > 40, "{}", expressions.len());
        for (panel, expression) in &expressions {
            assert!(!prometheus.wait_for(expression).is_empty(), "{panel}: {expression}");
        }
        let rules = prometheus.http.get("/api/v1/rules").json();
        let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
        assert!(rules.len() > 10);
        let names: Vec<&str> = rules.iter().flat_map(|rule| metrics_in(rule["query"].as_str().unwrap())).collect();
        let names: BTreeSet<&str> = names.into_iter().collect();
        // Only where there is TLS.
        for name in names.into_iter().filter(|name| *name != "usher_certificate_expiry_timestamp_seconds") {
            prometheus.wait_for(name);
        }
        for rule in &rules {
            let (name, advice) = (&rule["name"], &rule["annotations"]);
            assert!(rule["lastError"].as_str().unwrap_or_default().is_empty(), "{rule}");
            assert!(advice["summary"].is_string() && advice["runbook"].is_string(), "{name} says what to do");
            assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
            assert_eq!(rule["state"], "inactive", "nothing is wrong: {rule}");
        }
        drop((prometheus, work));
    });
    checked.await.unwrap();
    server.kill();
}

#[test]
fn promtool_accepts_the_files_the_metrics_and_the_tests_of_the_alerts() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var("USHER_REQUIRE_PROMETHEUS").as_deref() != Ok("1"), "there is no promtool");
        return skipped("there is no promtool");
    }
    let promtool = |words: &[&str]| {
        let mut command = program("promtool");
        command.args(words).current_dir(OBSERVE);
        let (code, out, err) = run(command);
        assert_eq!(code, Some(0), "promtool {words:?}\n{out}{err}");
    };
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["test", "rules", "alerts_test.yml"]);
    // Names and help texts as they should be.
    let data = tempfile::tempdir().unwrap();
    let (mut server, _, metrics) = serve(data.path());
    let text = Http::to(metrics).get("/metrics").bytes;
    let mut child = program("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &text).unwrap();
    let checked = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}");
    server.kill();
}
