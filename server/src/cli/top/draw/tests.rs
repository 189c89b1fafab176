//! The picture on terminals of several sizes.

use ratatui::{Terminal, backend::TestBackend};

use super::*;

fn status() -> v1::WatchStatusResponse {
    let append = v1::Latency { name: "append".to_owned(), count: 400, p50_us: 1_234, p99_us: 4_900, p999_us: 9_000 };
    let shard = |shard, state: ShardState| v1::ShardStatus {
        shard,
        state: state.into(),
        inbox_commands: 4_096,
        inbox_wait_us: 850,
        commands: 880_611,
        batches: 400,
        append: Some(append.clone()),
        holds: 8_282,
        is_clock_in_step: true,
        ..v1::ShardStatus::default()
    };
    let reason = |reason: &str, count| v1::ReasonCount { reason: reason.to_owned(), count };
    v1::WatchStatusResponse {
        over_ms: 2_000,
        process: Some(v1::ProcessStatus {
            version: "0.1.0".to_owned(),
            up_ms: 3_720_000,
            cpu_millis: 1_905,
            resident_bytes: 120 << 20,
            open_files: 77,
            connections: 42,
            disk_free_bytes: 30 << 30,
            log_bytes: 512 << 10,
        }),
        shards: vec![shard(0, ShardState::Serving), shard(1, ShardState::ReadOnly)],
        commands: vec![
            v1::CommandCount { kind: "confirm_hold".to_owned(), granted: 2_000, rejected: 0 },
            v1::CommandCount { kind: "hold_seats".to_owned(), granted: 4_000, rejected: 1_000_000 },
        ],
        rejections: vec![reason("PLACES_TAKEN", 1_000_000)],
        refusals: vec![reason("OVERLOADED", 3_000_000)],
        latencies: vec![append],
        shows: vec![v1::ShowCount { show_id: "gala".to_owned(), commands: 1_006_000 }],
        ..v1::WatchStatusResponse::default()
    }
}

fn drawn(picture: &Picture, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, picture)).unwrap();
    terminal.backend().to_string()
}

#[track_caller]
fn has(picture: &str, words: &str) {
    let found = picture.lines().any(|line| {
        let mut rest = line;
        words.split_whitespace().all(|word| rest.find(word).map(|at| rest = &rest[at + word.len()..]).is_some())
    });
    assert!(found, "no line with {words:?} in:\n{picture}");
}

#[test]
fn everything_is_seen_on_80_by_24() {
    let mut picture = Picture::new(true);
    picture.add(status());
    let drawn = drawn(&picture, 80, 24);
    for words in [
        "usher 0.1.0 up 1 h 2 min cpu 190 % memory 120 MiB 42 connections 77 files",
        "log 512 KiB disk 30.0 GiB free",
        "503,000 commands/s 3,000 granted 500,000 rejected 1,500,000 refused",
        "SHARD STATE COMMANDS/S BATCH INBOX WAIT APPEND p50 p99 HOLDS",
        "0 serving 440,305 2,201 4,096 850 µs 1.2 ms 4.9 ms 8,282",
        "1 read only 440,305",
        "append 1.2 ms 4.9 ms 9.0 ms 200 OVERLOADED 1,500,000",
        "PLACES_TAKEN 500,000",
        "gala 503,000",
        "hold_seats 2,000 500,000",
        "confirm_hold 1,000 0",
        "q ends it",
    ] {
        has(&drawn, words);
    }
    let (most, fewer) = (drawn.find("OVERLOADED").unwrap(), drawn.find("PLACES_TAKEN").unwrap());
    assert!(most < fewer, "the most first:\n{drawn}");
}

#[test]
fn no_terminal_is_too_small_and_a_high_one_has_a_curve() {
    let mut picture = Picture::new(false);
    drawn(&picture, 80, 24);
    picture.add(status());
    for (width, height) in [(1, 1), (20, 5), (40, 12), (200, 60)] {
        drawn(&picture, width, height);
    }
    has(&drawn(&picture, 80, 40), "commands a second");
    let mut shards = status();
    shards.shards = (0..40).map(|shard| v1::ShardStatus { shard, ..v1::ShardStatus::default() }).collect();
    picture.add(shards);
    has(&drawn(&picture, 80, 24), "q ends it");
}

const BETWEEN_WORDS: [char; 4] = [' ', '\n', '"', '─'];

#[test]
fn nothing_is_cut_on_a_narrow_terminal_but_names_which_show_it() {
    let mut grown = status();
    grown.shards[1].inbox_commands = 1_048_576;
    grown.shards[1].commands = 20_000_000_000;
    grown.shows[0].show_id = "acme.gala-2026-12-31".to_owned();
    for status in [status(), grown] {
        let mut picture = Picture::new(false);
        picture.add(status);
        let wide = drawn(&picture, 200, 40);
        let known: Vec<&str> = wide.split(BETWEEN_WORDS).collect();
        for width in WIDTH_MIN..=120 {
            let drawn = drawn(&picture, width, 40);
            let words = drawn.split(BETWEEN_WORDS).filter(|word| !word.is_empty() && !word.ends_with('…'));
            // The curve is none of words.
            for word in words.filter(|word| word.chars().any(char::is_alphanumeric)) {
                assert!(known.contains(&word), "{word:?} at {width}:\n{drawn}");
            }
            has(&drawn, "SHARD STATE COMMANDS/S");
            has(&drawn, "OVERLOADED 1,500,000");
        }
    }
    let mut picture = Picture::new(false);
    picture.add(status());
    has(&drawn(&picture, 60, 24), "SHARD STATE COMMANDS/S INBOX APPEND p50 p99");
    has(&drawn(&picture, 50, 24), "0 serving 440,305 4,096 1.2 ms");
    let narrow = drawn(&picture, WIDTH_MIN - 1, 24);
    has(&narrow, "too narrow");
    assert!(!narrow.contains("440"), "{narrow}");
}

#[test]
fn where_there_is_nothing_to_press_no_key_is_named() {
    let printed = drawn(&Picture::printed(status()), 80, 24);
    has(&printed, "0 serving");
    assert!(!printed.contains("q ends it"), "{printed}");
}

#[test]
fn a_server_that_went_away_is_told_of_beside_what_it_said_last() {
    let mut picture = Picture::new(false);
    picture.problem = Some("no server".to_owned());
    has(&drawn(&picture, 80, 24), "no server");
    picture.add(status());
    picture.problem = Some("connection refused".to_owned());
    let drawn = drawn(&picture, 80, 24);
    has(&drawn, "connection refused; trying again");
    has(&drawn, "0 serving");
}

#[test]
fn without_colors_there_are_none() {
    let mut picture = Picture::new(false);
    picture.add(status());
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &picture)).unwrap();
    assert!(terminal.backend().buffer().content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}
