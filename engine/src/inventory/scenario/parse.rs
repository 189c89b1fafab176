//! What can be asked in a step.
//!
//! ```text
//! hold A1 A2 2xFloor as h1 [for 5m]          best 4 together as h1 [tickets adult:3,child:1] [for 5m]
//! extend h1 [for 5m]      release [A1 of] h1      confirm [A1 of] h1 for o1 [keeping h2] [late]
//! get h1
//! pin h1      unpin h1      sell A1 as h1 for o1      cancel [A1 of] h1 [to kill:camera]
//! group h1 [with other]      prepare h1 for o1      decide h1 for o1      abandon h1
//! transfer h1 to bob      exchange A3 A4 of h1      join 2 preferred as h1 [priority 5]      leave h1
//! ```
//! Each of them may say `by bob` (otherwise it is ada). Who takes places may say `replacing h2`, `with KEY` for each
//! channel, `accessible`, `house`, `seen 1` (the manifest's version) and `overriding REASON`. A wish says `together`, `preferred` or `any`,
//! and may say `in SECTION`, `at CATEGORY`, `under PRICE`, `least 2`, `unrestricted`, `bays 1` and `companions 1`.
//! ```text
//! block A1-A5 row:West/B section:East category:Gold 5xFloor kill:camera      unblock SELECTION MARK [dry]
//! retire SELECTION      schedule MARK at 05:00|never      channel fans public 05:00|never
//! assign SELECTION to fans|none      plan [opens 05:00] [closes 20:00]      open      pause [clocks]      close
//! cancel-show [dry]      archive      policy places_per_hold 4
//! add row C 10 in West      add floor Pit 50      add category Gold 2000      recategorise A1 at Gold
//! reprice Gold 1500      resize Floor 150      limit 20|none      pool Standing 20 Floor      unpool Standing
//! list ada [max 2] [after h1]      order o1      sales [max 2] [from 2]      seats      units      overview      tick
//! newest [in SECTION] [max 2] [before h1]
//! ```

mod of_holds;
mod of_shows;

use std::collections::BTreeMap;

use super::{
    super::{
        blocks::{BlockKind, Mark},
        lookups::{Cursor, LookupBy},
        manifest::Manifest,
        places::Places,
        show::Show,
    },
    hall,
};
use crate::{
    command::{Command, OwnHold},
    ids::{BuyerId, HoldId, Name, Reference, SeatIndex, SectionIndex},
    time::{HoldTtl, Timestamp},
};

pub(super) const START: Timestamp = Timestamp(1_000_000);
/// Seats that no hall has.
pub(super) const UNKNOWN_SEATS: u32 = 10_000;
const KEYWORDS: [&str; 24] = [
    "keeping",
    "overriding",
    "for",
    "by",
    "replacing",
    "with",
    "seen",
    "priority",
    "least",
    "at",
    "in",
    "under",
    "bays",
    "companions",
    "tickets",
    "to",
    "opens",
    "closes",
    "public",
    "max",
    "after",
    "before",
    "from",
    "limit",
];

/// What a step asks.
pub(super) enum Asked {
    Command(Command),
    Lookup { by: LookupBy, from: Option<Cursor>, max: usize },
    Seats,
    Units,
    Overview,
    Nothing,
}

/// The words of a step behind its verb.
struct Words<'a> {
    manifest: &'a Manifest,
    holds: Vec<&'a str>,
    values: BTreeMap<&'a str, Vec<&'a str>>,
    others: Vec<&'a str>,
}

pub(super) fn asked(text: &str, show: &Show) -> Asked {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    if verb == "policy" {
        let mut policy = show.policy;
        hall::set_policy(&mut policy, rest);
        return Asked::Command(Command::ChangePolicy(Box::new(policy)));
    }
    let words = Words::new(rest, &show.manifest);
    match verb {
        "seats" => Asked::Seats,
        "units" => Asked::Units,
        "overview" => Asked::Overview,
        "tick" => Asked::Nothing,
        "list" | "order" | "sales" | "newest" => words.lookup(verb, show),
        "add" | "recategorise" | "reprice" | "resize" | "limit" | "pool" | "unpool" => {
            Asked::Command(Command::ChangeManifest(Box::new(words.change(verb, rest))))
        }
        verb => Asked::Command(words.of_hold(verb).unwrap_or_else(|| words.of_show(verb))),
    }
}

impl<'a> Words<'a> {
    fn new(text: &'a str, manifest: &'a Manifest) -> Self {
        let mut words = Self { manifest, holds: Vec::new(), values: BTreeMap::new(), others: Vec::new() };
        let mut tokens = text.split_whitespace();
        while let Some(token) = tokens.next() {
            match token {
                "as" | "of" => words.holds.push(tokens.next().expect("a hold")),
                keyword if KEYWORDS.contains(&keyword) => {
                    words.values.entry(keyword).or_default().push(tokens.next().expect("a value"));
                }
                hold if is_hold(hold) => words.holds.push(hold),
                other => words.others.push(other),
            }
        }
        words
    }

    fn has(&self, word: &str) -> bool {
        self.others.contains(&word)
    }

    fn value(&self, keyword: &str) -> Option<&'a str> {
        self.values.get(keyword).map(|values| values[0])
    }

    fn number(&self, keyword: &str) -> Option<u32> {
        self.value(keyword).map(number)
    }

    fn hold_id(&self) -> HoldId {
        hold_id(self.holds.first().expect("a hold"))
    }

    fn buyer(&self) -> BuyerId {
        buyer(self.value("by").unwrap_or("ada"))
    }

    fn own_hold(&self) -> OwnHold {
        OwnHold { hold_id: self.hold_id(), buyer: self.buyer() }
    }

    fn ttl(&self) -> Option<HoldTtl> {
        self.value("for").map(length)
    }

    fn reference(&self) -> Reference {
        Reference::order(self.value("for").expect("an order")).expect("an order")
    }

    fn seats(&self) -> Vec<SeatIndex> {
        let seats = self.others.iter().filter(|word| is_seat(word));
        seats
            .flat_map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                (seat(first, self.manifest).0..=seat(last, self.manifest).0).map(SeatIndex)
            })
            .collect()
    }

    fn units(&self) -> Vec<(SectionIndex, u32)> {
        let units = self.others.iter().filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        let units = units.filter_map(|word| word.split_once('x'));
        units.map(|(units, section)| (self.section(section), number(units))).collect()
    }

    fn section(&self, name: &str) -> SectionIndex {
        self.manifest.section(name).unwrap_or(SectionIndex(99))
    }

    fn places(&self) -> Option<Places> {
        let (seats, mut units) = (self.seats(), self.units());
        // Only of blocks can there be none.
        units.retain(|(_, units)| *units > 0);
        (!seats.is_empty() || !units.is_empty()).then(|| Places::new(seats, units).expect("places"))
    }

    fn some_places(&self) -> Places {
        self.places().expect("places")
    }
}

/// Minutes and seconds since the scenario's start.
pub(super) fn time(text: &str) -> Timestamp {
    let (minutes, seconds) = text.split_once(':').expect("mm:ss");
    let seconds = minutes.parse::<u64>().expect("minutes") * 60 + seconds.parse::<u64>().expect("seconds");
    START.plus_ms(seconds * 1_000)
}

pub(super) fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// A time to live.
pub(super) fn length(text: &str) -> HoldTtl {
    // Scenarios may ask for less than the API allows.
    HoldTtl::from_ms(ms(text).max(5_000)).expect("a time to live")
}

/// A length of time in milliseconds.
pub(super) fn ms(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let factor = match unit {
        "s" => 1_000,
        "m" => 60_000,
        _ => 3_600_000,
    };
    number.parse::<u64>().unwrap_or_else(|_| panic!("{text:?} is no length such as 5m")) * factor
}

fn is_hold(word: &str) -> bool {
    word.strip_prefix('h').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn hold_id(name: &str) -> HoldId {
    let number: u8 = name.strip_prefix('h').and_then(|number| number.parse().ok()).expect("a hold such as h1");
    HoldId::new(&[number; 16]).expect("a hold id")
}

fn buyer(name: &str) -> BuyerId {
    BuyerId::new(name.as_bytes()).expect("a buyer")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn mark(text: &str) -> Mark {
    let (kind, reason) = text.split_once(':').expect("a mark such as kill:camera");
    let kind = match kind {
        "house" => BlockKind::House,
        "kill" => BlockKind::Kill,
        "block" => BlockKind::Block,
        "returning" => BlockKind::Returning,
        other => panic!("unknown kind of block {other}"),
    };
    Mark { kind, reason: name(reason) }
}

/// Capital letters and a number, or a range of them.
fn is_seat(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.ends_with(|last: char| last.is_ascii_digit())
        && !word.contains(':')
}

fn seat(name: &str, manifest: &Manifest) -> SeatIndex {
    let digits = name.find(|letter: char| letter.is_ascii_digit()).expect("a seat's number");
    let (row, seat) = name.split_at(digits);
    let rows = manifest.rows().iter().filter(|place| manifest.row_name(place) == row);
    let mut found = rows.filter_map(|place| manifest.seat(manifest.section_name(place.section), row, seat));
    found.next().unwrap_or_else(|| SeatIndex(UNKNOWN_SEATS + number(seat)))
}
