//! `usher serve` as an operator meets it: what it refuses to start on, what it says of itself, how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{fs, path::Path, pin::pin, process::Command};

use common::{
    Clients, WAIT_MAX,
    process::{Process, program, run, serve_command},
    refusal::Refused,
    wire,
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use usher_proto::v1;
use usher_server::access::{Grant, keys::KeysFile};

/// A start that must fail with exit code 1; what it said.
#[track_caller]
fn refused_start(command: Command) -> String {
    refused(command, 1)
}

/// A start that must fail because of what is set; what it said.
#[track_caller]
fn refused_settings(command: Command) -> String {
    refused(command, 2)
}

#[track_caller]
fn refused(command: Command, expected: i32) -> String {
    let (code, _, said) = run(command);
    assert_eq!(code, Some(expected), "{said}");
    said
}

#[track_caller]
fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_directory_has_one_process_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = Process::serve(data.path(), 1);
    let said = refused_start(serve_command(data.path(), 1));
    assert_says(&said, &[path(data.path()), "is in use", "stop the process"]);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    let (mut server, _) = Process::serve(data.path(), 1);
    server.kill();
}

#[test]
fn a_directory_of_another_version_or_shard_count_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = Process::serve(data.path(), 2);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    let said = refused_settings(serve_command(data.path(), 3));
    assert_says(&said, &[path(data.path()), "has 2 shards", "configure 2"]);

    let format = data.path().join("format");
    let ours = fs::read_to_string(&format).unwrap();
    fs::write(&format, ours.replace("format 2", "format 9")).unwrap();
    let said = refused_start(serve_command(data.path(), 2));
    assert_says(&said, &[path(data.path()), "format 9", "reads format 2", "use the release that wrote it"]);
    fs::write(&format, "something else").unwrap();
    let said = refused_start(serve_command(data.path(), 2));
    assert_says(&said, &[path(&format), "restore it from a backup"]);

    fs::write(&format, ours).unwrap();
    let (mut server, _) = Process::serve(data.path(), 2);
    server.kill();
}

#[test]
fn somebody_elses_directory_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("holiday.jpg"), "not ours").unwrap();
    let said = refused_start(serve_command(data.path(), 1));
    assert_says(&said, &[path(data.path()), "is not a data directory", "name an empty one"]);
    let left: Vec<_> = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["holiday.jpg"]);

    // A directory that lost its `format` is not an empty one.
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = Process::serve(data.path(), 1);
    server.kill();
    fs::remove_file(data.path().join("format")).unwrap();
    let said = refused_start(serve_command(data.path(), 1));
    assert_says(&said, &["format", "is missing", "restore the directory from a backup"]);
}

#[test]
fn wrong_flags_and_settings_are_named() {
    let data = tempfile::tempdir().unwrap();
    for (flags, named) in [
        (&["--shrads", "2"][..], "--shrads"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--shards", "0"], "--shards"),
        (&["--log-format", "xml"], "--log-format"),
        (&["surplus"], "surplus"),
    ] {
        let mut command = serve_command(data.path(), 1);
        let (code, _, said) = run({
            command.args(flags);
            command
        });
        assert_eq!(code, Some(2), "{said}");
        assert_says(&said, &[named]);
    }
    let file = data.path().join("usher.toml");
    fs::write(&file, "shrads = 2\n").unwrap();
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["serve", "--config", path(&file), "--data-dir"]).arg(data.path().join("data"));
    assert_says(&refused_settings(command), &["shrads", path(&file)]);
    let mut command = serve_command(&data.path().join("data"), 1);
    command.env("USHER_INBOX_COMMANDS_MAX", "0").env("USHER_SERVICE_HOST", "not ours");
    assert_says(&refused_settings(command), &["inbox_commands_max"]);
    let mut command = serve_command(&data.path().join("data"), 1);
    command.args(["--log-level", "usher=loud"]);
    assert_says(&refused_settings(command), &["log_level", "usher=loud"]);
    // No level but, to the filter, the name of a module.
    let mut command = serve_command(&data.path().join("data"), 1);
    command.args(["--log-level", "inof"]);
    assert_says(&refused_settings(command), &["log_level", "inof", "error, warn, info"]);
    let mut command = serve_command(&data.path().join("data"), 1);
    command.env("USHER_LIMITS_STREAMS_MAX", "7");
    assert_says(&refused_settings(command), &["USHER_LIMITS_STREAMS_MAX", "USHER_LIMITS__STREAMS_MAX"]);
    let mut command = serve_command(&data.path().join("data"), 1);
    command.args(["--metrics-listen", "127.0.0.1:7421", "--operations-listen", "127.0.0.1:7421"]);
    assert_says(&refused_settings(command), &["127.0.0.1:7421 is listened on twice"]);
    let mut command = serve_command(&data.path().join("data"), 1);
    command.args(["--audit-dir", path(&data.path().join("audit"))]);
    assert_says(&refused_settings(command), &["access.audit_dir needs access.keys_file"]);
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["serve", "--listen", "0.0.0.0:0", "--data-dir"]).arg(data.path().join("data"));
    assert_says(&refused_settings(command), &["not loopback"]);
    assert!(!data.path().join("data").exists(), "a directory was made before the settings were read");
}

/// By name, and before anything is made.
#[test]
fn credentials_that_are_not_there_leave_the_data_directory_alone() {
    let data = tempfile::tempdir().unwrap();
    let at = |name: &str| data.path().join(name);
    let refused = |words: &[&str], check: fn(Command) -> String| {
        let mut command = serve_command(&at("data"), 1);
        command.args(words);
        check(command)
    };
    let (absent, empty) = (at("absent"), at("empty"));
    fs::write(&empty, "").unwrap();
    let said = refused(&["--keys-file", path(&absent)], refused_start);
    assert_says(&said, &[&format!("access.keys_file {}: No such file", absent.display())]);
    let said = refused(&["--keys-file", path(data.path())], refused_start);
    assert_says(&said, &["access.keys_file", path(data.path())]);
    let said = refused(&["--tls-certificate", path(&empty), "--tls-key", path(&absent)], refused_start);
    assert_says(&said, &[&format!("tls.key {}: No such file", absent.display())]);
    let file = at("usher.toml");
    fs::write(&file, "[access.tokens]\njwks_file = \"nowhere.json\"\nissuer = \"i\"\naudience = \"a\"\n").unwrap();
    let said = refused(&["--config", path(&file)], refused_start);
    assert_says(&said, &["access.tokens.jwks_file nowhere.json: No such file"]);
    for variable in ["USHER_ACCESS__KEYS_FILE", "USHER_ACCESS__AUDIT_DIR", "USHER_TLS__KEY", "USHER_TELEMETRY__CA"] {
        let mut command = serve_command(&at("data"), 1);
        command.env(variable, "");
        let setting = variable["USHER_".len()..].to_lowercase().replace("__", ".");
        assert_says(&refused_settings(command), &[&format!("{setting} is empty"), &format!("(set by {variable})")]);
    }
    assert!(!at("data").exists(), "a directory was made before the credentials were read");
}

/// Its shards were there by then, and are ended first.
#[test]
fn a_start_that_fails_late_ends_in_order() {
    let data = tempfile::tempdir().unwrap();
    let keys = data.path().join("keys.json");
    KeysFile::change(&keys, true, |file| file.create("web", Grant::everything())).unwrap();
    for _ in 0..5 {
        let mut command = serve_command(&data.path().join("data"), 2);
        command.args(["--keys-file", path(&keys), "--audit-dir", "/proc/nowhere"]);
        assert_says(&refused_start(command), &["the audit trail /proc/nowhere"]);
    }
}

#[test]
fn a_taken_port_is_named() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_server, address) = Process::serve(first.path(), 1);
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(second.path());
    assert_says(&refused_start(command), &[&address.to_string()]);
}

#[test]
fn a_signal_right_after_the_start_ends_it_in_order() {
    let data = tempfile::tempdir().unwrap();
    for start in 0..5 {
        let (mut server, _) = Process::serve(data.path(), 2);
        server.terminate();
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "start {start}: {status}\n{}", server.text());
        assert_eq!(server.lines_of("stopped").len(), 2, "{}", server.text());
    }
}

#[tokio::test]
async fn a_weaker_durability_is_said_and_survives_a_crash_of_the_process() {
    let data = tempfile::tempdir().unwrap();
    let serve = || {
        let mut command = serve_command(data.path(), 1);
        command.args(["--durability", "os"]);
        Process::spawn(command)
    };
    let mut server = serve();
    assert_eq!(server.wait_for("listening")["durability"], "os");
    let mut clients = Clients::connect(server.address()).await;
    let mut health = HealthClient::new(clients.channel.clone());
    let status = health.check(HealthCheckRequest { service: "durability-os".to_owned() }).await.unwrap().into_inner();
    assert_eq!(status.status(), ServingStatus::Serving);
    clients.shows.create_show(wire::hall("evening", 10, 0)).await.unwrap();
    server.kill();
    let mut server = serve();
    assert_eq!(Clients::connect(server.address()).await.seat_map("evening").await.seats, 10);
    server.kill();
}

/// A call that the server has begun when SIGTERM comes is answered, and what it did is there after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_flight_is_answered_before_the_end() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    let mut clients = Clients::connect(address).await;
    // Three kilobytes that are a million seats: reading them takes a while.
    let mut shows = clients.shows.clone();
    let mut import = pin!(shows.import_show(large_plan()));
    // The import goes out first, on the same connection: once the other call is answered, the server has the import.
    let refused = tokio::select! {
        biased;
        early = &mut import => panic!("it was to be in flight still: {early:?}"),
        other = clients.inventory.get_hold(wire::get("other", 1)) => Refused::from(other.unwrap_err()),
    };
    assert_eq!(refused.reason, "SHOW_UNKNOWN");
    server.terminate();
    let show = tokio::time::timeout(WAIT_MAX, import).await.unwrap().unwrap().into_inner().show.unwrap();
    assert_eq!(show.places, 1_000_000);
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    assert_eq!(server.lines_of("draining").len(), 1, "{}", server.text());

    let (mut server, address) = Process::serve(data.path(), 1);
    let mut clients = Clients::connect(address).await;
    assert_eq!(clients.seat_map("large").await.seats, 1_000_000);
    assert_eq!(server.wait_for("recovered")["state_hash"].as_str().map(str::len), Some(32));
    server.kill();
}

fn large_plan() -> v1::ImportShowRequest {
    let row = |name: u32| format!(r#"{{"name":"{name}","category":"Gold","seats":{{"first":1,"count":10000}}}}"#);
    let rows: Vec<String> = (0..100).map(row).collect();
    let plan = format!(
        r#"{{"name":"Large","currency":"EUR","categories":[{{"name":"Gold","price_minor":1}}],"sections":[{{"name":"S","rows":[{}]}}]}}"#,
        rows.join(",")
    );
    v1::ImportShowRequest {
        show_id: "large".to_owned(),
        plan: plan.into_bytes().into(),
        ..v1::ImportShowRequest::default()
    }
}

#[tokio::test]
async fn health_and_reflection_say_what_is_served() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 2);
    let clients = Clients::connect(address).await;
    let mut health = HealthClient::new(clients.channel.clone());
    for service in ["", "shard-0", "shard-1", "durability-fsync", "clock"] {
        // Health follows the shards every 100 ms; `watch` tells each change.
        let mut changes = health.watch(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner();
        let serves = async { while changes.message().await.unwrap().unwrap().status() != ServingStatus::Serving {} };
        tokio::time::timeout(WAIT_MAX, serves).await.unwrap();
        let status = health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner();
        assert_eq!(status.status(), ServingStatus::Serving, "{service:?}");
    }
    for absent in ["shard-2", "durability-os"] {
        let unknown = health.check(HealthCheckRequest { service: absent.to_owned() }).await.unwrap_err();
        assert_eq!(unknown.code(), tonic::Code::NotFound);
    }

    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut reflection = ServerReflectionClient::new(clients.channel.clone());
    let answers = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = services.service.iter().map(|service| service.name.as_str()).collect();
    for service in ["usher.v1.Inventory", "usher.v1.Shows", "usher.v1.Availability", "grpc.health.v1.Health"] {
        assert!(names.contains(&service), "no {service} in {names:?}");
    }
    server.kill();
}
