//! How commands print: tables for people, one JSON document, one JSON object a line; and what they say without a server.

use serde_json::Value;

use crate::{
    ANNS, BOBS,
    common::process::{Process, program, run},
    import, says, usher,
};

#[test]
fn lists_are_tables_arrays_or_lines() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    says(&usher(address, "show list", 0), &["no shows", "usher show import"]);
    assert_eq!(usher(address, "show list --output jsonl", 0), "");
    assert_eq!(usher(address, "show list --json", 0), "[]\n");
    import(address, plans.path());
    usher(address, &format!("show import gala-of-the-year {}", plans.path().join("club.json").display()), 0);
    assert_eq!(
        usher(address, "show list", 0),
        "SHOW              PLACES  SHARD  NAME  SALE\n\
         club                  14      0  Club  on sale\n\
         gala-of-the-year      14      0  Club  on sale\n"
    );
    let array: Value = serde_json::from_str(&usher(address, "show list --json", 0)).unwrap();
    let lines = usher(address, "show list --output jsonl", 0);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((array.as_array().unwrap(), lines[1]["show_id"].as_str()), (&lines, Some("gala-of-the-year")));

    usher(address, &format!("sell club --buyer ann --index 1 --ga Floor=2 --order o-1 --id {ANNS}"), 0);
    usher(address, &format!("waitlist join club --buyer ann --quantity 9 --id {BOBS}"), 0);
    let holds = usher(address, "holds club --buyer ann", 0);
    says(&holds, &["ID  ", "  TOTAL  ORDER  UNTIL  PLACES\n", "  270.00 EUR  o-1           West/A/2, 2 x Floor\n"]);
    says(&holds, &["waiting", "9 wanted\n"]);
    let holds: Value = serde_json::from_str(&usher(address, "holds club --buyer ann --output json", 0)).unwrap();
    let states: Vec<&str> = holds.as_array().unwrap().iter().map(|hold| hold["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["confirmed", "waiting"]);
    server.kill();
}

#[test]
fn every_answer_is_json_where_that_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    for words in [
        &format!("hold club --buyer ann --index 1 --id {ANNS}"),
        &format!("extend club {ANNS} --buyer ann"),
        &format!("get club {ANNS}"),
        &format!("pin club {ANNS} --buyer ann"),
        &format!("confirm club {ANNS} --buyer ann --order o-1"),
        &format!("booking transfer club {ANNS} --buyer ann --to eve"),
        &format!("booking cancel club {ANNS} --buyer eve"),
        "show get club",
        "show policy club",
        "show channel set club fans",
        "show channel assign club --key fans --row West/A",
        "show block club --reason rain --index 5",
        "show change reprice club Gold 1",
        "show pause club",
        "snapshot",
        "watch club --once",
        "call",
        "call usher.v1.Shows/ListShows",
    ] {
        let json = usher(address, &format!("{words} --json"), 0);
        let _: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{words}: {error} in {json}"));
        for line in usher(address, &format!("{words} --output jsonl"), 0).lines() {
            let one: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{words}: {error} in {line}"));
            assert!(one.is_object(), "{words}: {line}");
        }
    }
    says(&usher(address, "show list --json --output table", 2), &["--json", "cannot be used with"]);
    says(&usher(address, "show list --output yaml", 2), &["table, json, jsonl"]);
    server.kill();
}

/// Bold titles where colours are forced, none where they are not wanted.
#[test]
fn colours_are_for_those_who_want_them() {
    let data = tempfile::tempdir().unwrap();
    let plans = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(data.path(), 1);
    import(address, plans.path());
    for (variable, is_bold) in [("CLICOLOR_FORCE", true), ("NO_COLOR", false)] {
        let mut command = program(env!("CARGO_BIN_EXE_usher"));
        command.args(["show", "list", "--server", &format!("http://{address}")]);
        let (_, out, _) = run({
            command.env_remove("CLICOLOR_FORCE").env(variable, "1");
            command
        });
        assert_eq!(out.starts_with("\u{1b}[1mSHOW"), is_bold, "{variable}: {out:?}");
    }
    server.kill();
}

/// Nobody waits for a server that is not there, however long he would wait for an answer.
#[test]
fn no_server_is_said_at_once() {
    let nowhere = ([127, 0, 0, 1], 1).into();
    let begun = std::time::Instant::now();
    for words in
        ["show list --timeout 1h", "get club 0193a5f2-7c1e-7000-8000-000000000001 --timeout 1h", "call --timeout 1h"]
    {
        says(&usher(nowhere, words, 1), &["no server at http://127.0.0.1:1: ", "usher serve", "--server"]);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    let mut command = program(env!("CARGO_BIN_EXE_usher"));
    command.args(["show", "list", "--server", "127.0.0.1:7421"]);
    let (code, _, err) = run(command);
    assert_eq!(code, Some(2), "{err}");
    says(&err, &["http://127.0.0.1:7421"]);
}
