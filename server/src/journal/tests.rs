//! Every event in JSON and in words, by a golden file each; and what is left without names.
//!
//! The events are those of the engine's golden file, which has one of each kind and gets a line with each new one.
//! `USHER_GOLDEN=write` writes ours anew: look at the difference, since scripts rely on the JSON.

use std::{collections::BTreeSet, env, fs, path::Path};
use usher_engine::time::Timestamp;
use usher_wal::Lsn;

use super::*;

const EVENTS: &str = include_str!("../../../engine/src/codec/golden_events_v3.hex");

fn events() -> Vec<(ShowNumber, Event)> {
    let bytes_of = |hex: &str| -> Vec<u8> {
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    EVENTS
        .lines()
        .flat_map(|line| read_payload(&bytes_of(line), Timestamp(20)).map(Result::unwrap).collect::<Vec<_>>())
        .collect()
}

/// The names of the golden show with its channel, as they are before any of its changes.
fn names() -> Names {
    let mut names = Names::default();
    let is_naming = |event: &Event| matches!(event, Event::ShowCreated(_) | Event::ChannelSet { .. });
    for (number, event) in events().iter().filter(|(_, event)| is_naming(event)) {
        names.learn(Lsn::FIRST, *number, event).unwrap();
    }
    names
}

fn rendered(names: &Names, render: impl Fn(&Entry<'_>) -> String) -> String {
    let (lsn, clock) = (Lsn(7), Timestamp(1_700_000_000_000));
    let position = Position { shard: ShardId(2), lsn, epoch: ShardEpoch(3), clock };
    let line =
        |(number, event): &(ShowNumber, Event)| render(&Entry { position, number: *number, event, names }) + "\n";
    events().iter().map(line).collect()
}

#[track_caller]
fn assert_golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal").join(file);
    if env::var("USHER_GOLDEN").is_ok_and(|what| what == "write") {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    for (number, (line, golden)) in (1..).zip(text.lines().zip(golden.lines())) {
        assert_eq!(line, golden, "{file}:{number}");
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{file}");
}

#[test]
fn every_event_is_a_line_of_json() {
    assert_golden("golden_events.jsonl", &rendered(&names(), |entry| entry.to_json()));
}

#[test]
fn every_event_is_a_line_of_words() {
    assert_golden("golden_events.txt", &rendered(&names(), |entry| entry.to_words()));
}

#[test]
fn each_kind_has_its_own_name() {
    let kinds: BTreeSet<&str> = events().iter().map(|(_, event)| kind_of(event)).collect();
    let debugged: BTreeSet<String> = events().iter().map(|(_, event)| debug_name(event)).collect();
    assert_eq!(kinds, debugged.iter().map(String::as_str).collect());
}

fn debug_name(event: &Event) -> String {
    let debug = format!("{event:?}");
    debug.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn a_show_from_before_the_first_frame_has_numbers_for_names() {
    let names = Names::default();
    let json = rendered(&names, |entry| entry.to_json());
    let held = json.lines().find(|line| line.contains("HoldGranted\"")).unwrap();
    let held: serde_json::Value = serde_json::from_str(held).unwrap();
    assert_eq!((&held["show_id"], &held["show_number"]), (&serde_json::Value::Null, &4.into()));
    assert_eq!(held["places"]["seats"][0], serde_json::json!({ "index": 1, "label": null }));
    assert!(rendered(&names, |entry| entry.to_words()).contains("held seat 1, seat 3, 5 x section 2 by ada"));
}

#[test]
fn what_buyers_are_called_commands_no_terminal() {
    let buyer = usher_engine::ids::BuyerId::new(b"\x1b[2Jada").unwrap();
    let hold_id = usher_engine::ids::HoldId::new(&[1; 16]).unwrap();
    let event = Event::BookingTransferred { hold_id, buyer };
    let words = words::of(&event, None);
    assert!(words.ends_with(r"to \u{1b}[2Jada"), "{words}");
}
