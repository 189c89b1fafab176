//! The command line against a running server: what it prints, how it ends, and what it tells people to do next.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{fs, net::SocketAddr, path::Path};

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
    says(&usher(address, "best club --buyer bob", 1), &["--quantity N", "--ticket adult=2"]);
    let wait = format!("waitlist join club --buyer bob --quantity 7 --id {BOBS}");
    says(&usher(address, &wait, 0), &["waiting for 7; 1 waiting in all"]);
    says(&usher(address, &format!("get club {BOBS}"), 0), &["waiting for 7"]);
    says(&usher(address, &format!("pin club {ANNS} --buyer ann"), 0), &["is good until 20"]);
    says(&usher(address, &format!("release club {ANNS} --buyer ann"), 3), &["HOLD_PINNED", "usher unpin"]);
    usher(address, &format!("unpin club {ANNS} --buyer ann"), 0);
    says(&usher(address, &format!("confirm club {ANNS} --buyer ann --order o-1"), 0), &["confirmed"]);
    says(&usher(address, &format!("booking transfer club {ANNS} --buyer ann --to eve"), 0), &["it is eve's now"]);
    says(&usher(address, "holds club --buyer eve", 0), &[ANNS, "West/A/4, West/A/5, West/A/6", "order o-1"]);
    says(&usher(address, "holds club", 2), &["--buyer", "--order", "--all"]);
    let json = usher(address, "holds club --all --json", 0);
    let sale: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((sale["order_ref"].as_str(), sale["total_minor"].as_u64()), (Some("o-1"), Some(27_000)));
    server.kill();
}

#[test]
fn a_show_by_hand() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    says(
        &usher(address, "show block club --kind house --reason sponsor --seat West/A/1 --ga Floor=2", 0),
        &["3 blocked, 0 left alone"],
    );
    says(&usher(address, "show channel set club fans --public-at 2100-01-01T00:00:00Z", 0), &["2100-01-01T00:00:00Z"]);
    says(&usher(address, "show channel assign club --key fans --row West/A", 0), &["9 moved"]);
    says(&usher(address, "hold club --buyer ann --seat West/A/3", 3), &["PLACES_TAKEN", "West/A/3"]);
    usher(address, "hold club --buyer ann --seat West/A/3 --channel fans", 0);
    usher(address, "hold club --buyer ann --seat West/A/1 --channel fans --house", 0);
    says(&usher(address, "show policy club --orphan-rule avoid", 0), &["orphan_rule", "avoid"]);
    says(&usher(address, "show change reprice club Gold 100", 0), &["manifest is at version 2"]);
    let overview = usher(address, "show get club", 0);
    says(
        &overview,
        &["Club, on sale", "manifest 2", "fans", "public at 2100", "house \"sponsor\": 2 x Floor", "2 live holds"],
    );
    let plan = usher(address, "show get club --plan", 0);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["categories"][0]["price_minor"], 100);
    says(&usher(address, "show pause club", 0), &["club: paused"]);
    says(&usher(address, "show pause club --stop-clocks", 0), &["club: paused, clocks stand since 20"]);
    says(&usher(address, "show get club", 0), &["Club, paused, clocks stand since 20"]);
    assert!(!usher(address, "show pause club", 0).contains("clocks"));
    says(&usher(address, "hold club --buyer ann --ga Floor=1", 3), &["SHOW_NOT_OPEN", "usher show open"]);
    says(&usher(address, "show cancel club", 1), &["would end", "2 holds with 2 places", "--yes"]);
    says(&usher(address, "show cancel club --yes", 0), &["Cancelled"]);
    says(&usher(address, "show archive club", 0), &["club: archived"]);
    says(&usher(address, "show open club", 3), &["SHOW_NOT_OPEN"]);
    server.kill();
}
