//! The command line against a running server: what it prints, how it ends, and what it tells people to do next.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "command_line/output.rs"]
mod output;

use std::{fs, net::SocketAddr, path::Path, process::Stdio, thread, time::Duration};

use common::process::{Process, program, run};

const PLAN: &str = r#"{"name": "Club", "currency": "EUR", "categories": [{"name": "Gold", "price_minor": 9000}],
"sections": [{"name": "West", "rows": [{"name": "A", "category": "Gold", "seats": {"first": 1, "count": 9}}]},
{"name": "Floor", "capacity": 5, "category": "Gold"}]}"#;
const ANNS: &str = "0193a5f2-7c1e-7000-8000-000000000001";
const BOBS: &str = "0193a5f2-7c1e-7000-8000-000000000002";

/// `usher` with these words, separated by spaces, must end so; what it printed, on both outputs.
#[track_caller]
fn usher(address: SocketAddr, words: &str, code: i32) -> String {
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(words.split(' ')).args(["--server", &format!("http://{address}")]);
    let (ended, out, err) = run(command);
    assert_eq!(ended, Some(code), "usher {words}\n{out}{err}");
    format!("{out}{err}")
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

fn import(address: SocketAddr, dir: &Path) {
    let plan = dir.join("club.json");
    fs::write(&plan, PLAN).unwrap();
    says(&usher(address, &format!("show import club {}", plan.display()), 0), &["club: Club with 14 places, created"]);
}

#[test]
fn a_sale_by_hand() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    let best = format!("best club --buyer ann --ticket adult=2 --ticket child=1 --id {ANNS}");
    says(
        &usher(address, &best, 0),
        &["held", "270.00 EUR", "together: West/A 4 to 6", "2 adult, 1 child", "usher confirm"],
    );
    let seven = "best club --buyer bob --quantity 7";
    says(&usher(address, seven, 3), &["SOLD_OUT", "usher waitlist join"]);
    let never = usher(address, "best club --buyer bob --quantity 10 --category Gold", 3);
    says(&never, &["SOLD_OUT", "has 9 such places in all", "waiting does not help"]);
    let wait = format!("waitlist join club --buyer bob --quantity 7 --id {BOBS}");
    says(&usher(address, &wait, 0), &["waiting for 7; 1 waiting in all"]);
    says(&usher(address, &format!("get club {BOBS}"), 0), &["waiting for 7"]);
    says(&usher(address, &format!("pin club {ANNS} --buyer ann"), 0), &["is good until 20"]);
    says(&usher(address, &format!("release club {ANNS} --buyer ann"), 3), &["HOLD_PINNED", "usher unpin"]);
    usher(address, &format!("unpin club {ANNS} --buyer ann"), 0);
    let held = usher(address, &format!("get club {ANNS}"), 0);
    says(&held, &["held until 20", "Z, can be extended until 20"]);
    let confirm = |words: &str| usher(address, &format!("confirm club {ANNS} --buyer ann {words}"), 0);
    says(&confirm("--order o-1 --payment p-1"), &["confirmed", "sold at 20", "Z with order o-1, payment p-1"]);
    says(
        &confirm("--order o-2 --payment p-1"),
        &["with order o-1, payment p-1", "sold before, with order o-1; order o-2"],
    );
    says(&confirm("--order o-1 --payment p-2"), &["sold before, with payment \"p-1\"; payment \"p-2\" is not kept"]);
    assert!(!confirm("--order o-1").contains("sold before"));
    assert!(!confirm("--order o-1 --payment p-1").contains("sold before"));
    says(&usher(address, &format!("booking transfer club {ANNS} --buyer ann --to eve"), 0), &["it is eve's now"]);
    says(&usher(address, "holds club --buyer eve", 0), &[ANNS, "West/A/4, West/A/5, West/A/6", "  o-1  "]);
    says(&usher(address, "holds club", 2), &["--buyer", "--order", "--all"]);
    says(&usher(address, "holds club --newest", 0), &[ANNS]);
    assert_eq!(usher(address, "holds club --newest --section Floor", 0), "There are none.\n");
    says(&usher(address, "holds club --newest --pool Standing", 3), &["PLACES_UNKNOWN", "pool \"Standing\""]);
    let exchange = format!("booking exchange club {ANNS} --buyer eve --seat West/A/5 --seat West/A/6 --ga Floor=2");
    says(&usher(address, &exchange, 0), &["360.00 EUR", "the exchange cost 90.00 EUR more"]);
    let cancel = format!("booking cancel club {ANNS} --buyer eve --ga Floor=2");
    let cancelled = usher(address, &cancel, 0);
    says(&cancelled, &["180.00 EUR", "cancelled so far: places for 180.00 EUR", "refund 180.00 EUR"]);
    assert!(!cancelled.contains("exchange"), "{cancelled}");
    says(&usher(address, &cancel, 0), &["cancelled so far: places for 180.00 EUR", "nothing more to refund"]);
    let json = usher(address, "holds club --all --json", 0);
    let sales: serde_json::Value = serde_json::from_str(&json).unwrap();
    let sale = &sales[0];
    assert_eq!((sale["order_ref"].as_str(), sale["total_minor"].as_u64()), (Some("o-1"), Some(18_000)));
    server.kill();
}

#[test]
fn a_show_by_hand() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    says(
        &usher(address, "show block club --kind house --reason sponsor --seat West/A/1 --ga-blocked Floor=2", 0),
        &["3 blocked, 0 left alone", "Floor: 0 -> 2 units blocked"],
    );
    says(&usher(address, "show channel set club fans --public-at 2100-01-01T00:00:00Z", 0), &["2100-01-01T00:00:00Z"]);
    says(&usher(address, "show channel assign club --key fans --row West/A", 0), &["9 moved"]);
    says(&usher(address, "hold club --buyer ann --seat West/A/3", 3), &["PLACES_TAKEN", "West/A/3"]);
    usher(address, "hold club --buyer ann --seat West/A/3 --channel fans", 0);
    usher(address, "hold club --buyer ann --seat West/A/1 --channel fans --house", 0);
    let (whole, rest) = ("0193a5f2-7c1e-7000-8000-0000000000a1", "0193a5f2-7c1e-7000-8000-0000000000a2");
    usher(address, &format!("hold club --buyer cat --ga Floor=2 --id {whole}"), 0);
    let part = format!("confirm club {whole} --buyer cat --order o-1 --ga Floor=1 --keep-rest-as {rest}");
    says(&usher(address, &part, 0), &["confirmed", "1 x Floor"]);
    says(&usher(address, &format!("get club {rest}"), 0), &["held", "1 x Floor"]);
    usher(address, &format!("release club {rest} --buyer cat"), 0);
    says(&usher(address, "show policy club --orphan-rule avoid --places-per-hold-max 1", 0), &["orphan_rule", "avoid"]);
    says(&usher(address, "hold club --buyer bob --ga Floor=2", 3), &["LIMIT_REACHED", "places_per_hold_max"]);
    let overriding = "sell club --buyer bob --ga Floor=2 --order o-2 --override-reason press";
    says(&usher(address, overriding, 0), &["confirmed", "limits set aside: press"]);
    says(&usher(address, "show change reprice club Gold 100", 0), &["manifest is at version 2"]);
    says(&usher(address, "show change set-pool club Standing 2 --section Floor", 0), &["manifest is at version 3"]);
    let overview = usher(address, "show get club", 0);
    says(
        &overview,
        &[
            "Club, on sale",
            "manifest 3",
            "by capacity",
            "Standing",
            "fans",
            "public at 2100",
            "house \"sponsor\": 2 x Floor",
            "2 live holds",
        ],
    );
    let plan = usher(address, "show get club --plan", 0);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["categories"][0]["price_minor"], 100);
    says(&usher(address, "show pause club", 0), &["club: paused"]);
    says(&usher(address, "show pause club --stop-clocks", 0), &["club: paused, clocks stand since 20"]);
    says(&usher(address, "show get club", 0), &["Club, paused, clocks stand since 20"]);
    assert!(!usher(address, "show pause club", 0).contains("clocks"));
    says(&usher(address, "hold club --buyer ann --ga Floor=1", 3), &["SHOW_NOT_OPEN", "usher show open"]);
    says(&usher(address, "show cancel club", 2), &["would end", "2 holds with 2 places", "--yes"]);
    says(&usher(address, "show cancel club --yes", 0), &["Cancelled"]);
    says(&usher(address, "show archive club", 0), &["club: archived"]);
    says(&usher(address, "show open club", 3), &["SHOW_NOT_OPEN", "only looked up"]);
    server.kill();
}

/// As `usher show get club | head -1` may leave it.
#[test]
fn a_reader_may_stop_reading() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    for words in
        ["show get club", "show get club --plan", "show list --json", "call", "hold club --buyer ann --index 1"]
    {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(words.split(' ')).args(["--server", &format!("http://{address}")]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""), "{words}");
    }
    server.kill();
}

/// A number says what is blocked afterwards: both ways may be sent again, and the last unit comes back.
#[test]
fn units_are_blocked_and_unblocked_to_a_number() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    for (words, parts) in [
        ("block club --reason rain --ga-blocked Floor=4", ["4 blocked", "Floor: 0 -> 4 units blocked"]),
        ("block club --reason rain --ga-blocked Floor=4", ["0 blocked", "Floor: 4 -> 4 units blocked"]),
        ("block club --reason rain --ga-blocked Floor=0", ["0 blocked", "Floor: 4 -> 4 units blocked"]),
        ("unblock club --reason rain --ga-blocked Floor=1 --dry-run", ["3 would be unblocked", "Floor: 4 -> 1 units"]),
        ("unblock club --reason rain --ga-blocked Floor=1", ["3 unblocked", "Floor: 4 -> 1 units blocked"]),
        ("unblock club --reason rain --ga-blocked Floor=3", ["0 unblocked", "Floor: 1 -> 1 units blocked"]),
        ("unblock club --reason rain --ga-blocked Floor=0", ["1 unblocked", "Floor: 1 -> 0 units blocked"]),
        ("block club --reason rain --section Floor --section West", ["14 blocked", "Floor: 0 -> 5 units blocked"]),
        ("unblock club --reason rain --section Floor", ["5 unblocked", "Floor: 5 -> 0 units blocked"]),
        ("block club --reason rain --ga-blocked Floor=9", ["5 blocked, 4 left alone", "Floor: 0 -> 5 units blocked"]),
    ] {
        says(&usher(address, &format!("show {words}"), 0), &parts);
    }
    let json = usher(address, "show unblock club --reason rain --ga-blocked Floor=2 --json", 0);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["ga"], serde_json::json!([{ "section": "Floor", "before": 5, "after": 2 }]));
    says(&usher(address, "show retire club --section Floor", 3), &["PLACES_UNKNOWN", "section of seats \"Floor\""]);
    server.kill();
}

/// Whoever finds out that a request cannot be meant, `usher` or the server.
#[test]
fn wrong_usage_is_told_from_refusals() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    for (words, parts) in [
        ("best club --buyer bob", ["--quantity N", "--ticket adult=2"]),
        ("waitlist join club --buyer bob", ["--quantity N", ""]),
        ("hold club --buyer bob", ["INVALID_REQUEST", "places"]),
        ("sell club --buyer bob --order o-1", ["INVALID_REQUEST", "places"]),
        ("hold club --buyer bob --index 1 --ttl 1s", ["INVALID_REQUEST", "ttl_ms"]),
        ("show block club --reason rain", ["INVALID_REQUEST", "selection"]),
        ("holds club", ["--buyer", "--all"]),
        ("call nonsense", ["no method such as", "lists all"]),
        ("call usher.v1.Shows/Nonsense", ["has no method Nonsense", "lists all"]),
        ("call usher.v1.Shows/GetShow {\"nonsense\":1}", ["no usher.v1.GetShowRequest", "nonsense"]),
        ("show cancel club", ["nothing was done", "--yes"]),
    ] {
        says(&usher(address, words, 2), &parts);
    }
    says(&usher(address, "show get nowhere", 3), &["SHOW_UNKNOWN", "usher show list"]);
    says(&usher(address, "show close club", 0), &["closed"]);
    says(&usher(address, "show open club", 3), &["SHOW_NOT_OPEN", "does not open again"]);
    server.kill();
}

/// A late payment: what is left to do depends on why it was refused.
#[test]
fn advice_fits_a_payment_that_is_late() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    usher(address, &format!("hold club --buyer ann --index 1 --ttl 5s --id {ANNS}"), 0);
    usher(address, "show policy club --late-confirm-max 0s", 0);
    thread::sleep(Duration::from_millis(5_100));
    let confirm = format!("confirm club {ANNS} --buyer ann --order o-1");
    says(&usher(address, &confirm, 3), &["the hold expired at 20", "Z (HOLD_EXPIRED)\nThe places", "--accept-late"]);
    let late = usher(address, &format!("{confirm} --accept-late"), 3);
    says(&late, &["HOLD_EXPIRED", "late_confirm_max", "give the money back"]);
    usher(address, "show policy club --late-confirm-max 10m", 0);
    usher(address, "hold club --buyer bob --index 1", 0);
    let taken = usher(address, &format!("{confirm} --accept-late"), 3);
    says(&taken, &["PLACES_TAKEN", "others have its places"]);
    server.kill();
}

/// What would happen silently otherwise is said.
#[test]
fn nothing_is_replaced_dropped_or_left_alone_in_silence() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    let plan = plans.path().join("hall.json");
    fs::write(&plan, PLAN.replace("\"count\": 9", "\"count\": 99")).unwrap();
    let import = usher(address, &format!("show import hall {} --price Gold=8000", plan.display()), 0);
    says(&import, &["hall: Club with 104 places, created", "Gold: 80.00 EUR instead of the plan's 90.00 EUR"]);
    says(&usher(address, "show change set-capacity hall", 2), &["<CAPACITY|--none>"]);
    usher(address, "show change set-capacity hall 50 --none", 2);
    usher(address, "show change set-capacity hall 50", 0);
    says(&usher(address, "show get hall", 0), &["by capacity", "the show                      50         0        50"]);
    usher(address, "show change set-capacity hall --none", 0);
    assert!(!usher(address, "show get hall", 0).contains("by capacity"));

    usher(address, "show block hall --reason rain --row West/A", 0);
    let again = usher(address, "show block hall --reason fire --row West/A", 0);
    says(&again, &["0 blocked, 99 left alone", "left alone: West/A/1, West/A/2,", "West/A/20 and 79 more"]);
    let json = usher(address, "show block hall --reason fire --row West/A --json", 0);
    assert_eq!(json.matches("West/A/").count(), 99);
    let preview = "show unblock hall --reason rain --seat West/A/1 --dry-run";
    says(&usher(address, preview, 0), &["1 would be unblocked", "nobody waits"]);
    usher(address, "waitlist join hall --buyer bob --quantity 2", 0);
    says(&usher(address, preview, 0), &["1 would be unblocked", "1 wait; those whose wish it meets"]);
    let mass = "show unblock hall --reason rain --row West/A --dry-run";
    says(
        &usher(address, "waitlist join hall --buyer cyd --section Floor --quantity 1", 0),
        &["held, an offer", "Sell it"],
    );
    says(&usher(address, mass, 0), &["99 would be unblocked", "99 of them are offered a few at a time to the 1"]);
    assert!(!usher(address, "show get hall --plan", 0).contains("retired"));
    usher(address, "show retire hall --seat West/A/7 --seat West/A/9", 0);
    says(&usher(address, "show get hall --plan", 0), &["note: retired seats are in this plan (2): West/A/7, West/A/9"]);

    usher(address, "show pause hall", 0);
    let times = "--opens-at 2100-01-01T00:00:00Z --closes-at 2100-01-02T00:00:00Z";
    let paused = usher(address, &format!("show schedule hall {times}"), 0);
    says(&paused, &["hall: paused, closes at 2100-01-02", "`usher show open` does"]);
    server.kill();
}

/// Every method can be called with what `usher` says of it.
#[test]
fn the_api_describes_itself() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    let method = usher(address, "call --describe usher.v1.Shows/BlockPlaces", 0);
    says(&method, &["Withholds available places.", "Request:\nusher.v1.BlockPlacesRequest", "\n    The show.\n"]);
    says(&method, &["  ga: list of usher.v1.GaBlocked\n", "Response:\nusher.v1.BlockPlacesResponse"]);
    let wish = usher(address, "call --describe usher.v1.Wish", 0);
    says(&wish, &["  quantity: uint32\n    Places, 1 to 1,000.", "price_minor_max: uint64, may be absent"]);
    says(
        &usher(address, "call --describe usher.v1.BlockKind", 0),
        &["  BLOCK_KIND_KILL\n    Not to be sold by anyone"],
    );
    says(&usher(address, "call --describe", 0), &["usher.v1.Inventory/HoldSeats\n  Holds places for a buyer"]);
    says(&usher(address, "call --describe usher.v1.Nonsense", 2), &["is no method, message or enumeration"]);

    usher(address, &format!("hold club --buyer ann --index 1 --id {ANNS}"), 0);
    for field in ["holdId", "hold_id"] {
        let request = format!(r#"{{"showId":"club","{field}":"{ANNS}"}}"#);
        let found = usher(address, &format!("call usher.v1.Inventory/GetHold {request}"), 0);
        says(&found, &["HOLD_STATE_HELD", "AZOl8nwecACAAAAAAAAAAQ=="]);
    }
    let get = format!(r#"{{"getHold":{{"holdId":"{ANNS}"}}}}"#);
    let batch = format!(r#"call usher.v1.Inventory/Execute {{"showId":"club","commands":[{get}]}}"#);
    says(&usher(address, &batch, 0), &["HOLD_STATE_HELD"]);
    server.kill();
}

#[test]
fn help_has_help() {
    for words in ["help --help", "show help --help", "show help -h", "show change help --help", "help show import"] {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(words.split(' '));
        let (ended, out, err) = run(command);
        assert_eq!((ended, err.as_str()), (Some(0), ""), "{words}");
        says(&out, &["Usage: usher"]);
    }
}

#[test]
fn a_show_is_watched() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    usher(address, &format!("hold club --seat West/A/2 --buyer ann --id {ANNS}"), 0);
    says(&usher(address, "watch club --once", 0), &["13 available, 1 held, 0 sold, 0 blocked"]);
    says(&usher(address, "watch club --once --json", 0), &["\"held\":1", "\"show_id\":\"club\""]);
    says(&usher(address, "watch nosuch --once", 3), &["SHOW_UNKNOWN"]);
    says(&usher(address, "watch club --every 1", 2), &["100..=60000"]);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let said = |words: &[&str]| {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(words);
        let (ended, out, err) = run(command);
        assert_eq!((ended, err.as_str()), (Some(0), ""), "usher {words:?}");
        out
    };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        says(&said(&["completions", shell]), &["waitlist", "data-dir"]);
    }
    says(&said(&["man"]), &[".TH usher 1", "usher\\-hold(1)"]);
    let pages = tempfile::tempdir().unwrap();
    said(&["man", "--into", pages.path().to_str().unwrap()]);
    says(&fs::read_to_string(pages.path().join("usher-backup-create.1")).unwrap(), &["Exit codes"]);
}
