//! Feature tests as text: one line a step, what is asked on the left, what is answered on the right.
//!
//! ```text
//! 00:00  hold A1 A2 2xFloor as h1 for 5m by ada  -> held 2200, until 05:00
//! 00:01  confirm A1 of h1 for order-1            -> confirmed A1 1000 for order-1
//! 00:02  seats                                   -> A1 sold
//! ```
//! The show has sections A and B of one row of ten seats at 1000 each, and a Floor of 100 units at 100. What is due is
//! expired before each step, unless `no sweep` stands before. After each step the invariants are checked, and at the end
//! a replay of the logged bytes must have the same state hash.

use super::{
    Answer, HoldState, HoldView, Inventory, invariants,
    manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
    places::Places,
    policy::Policy,
};
use crate::{
    codec::{PayloadWriter, read_payload},
    command::{Command, ConfirmHold, ExtendHold, HoldSeats, ReleaseHold},
    event::{Event, ShowCreated},
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex, ShowId, ShowNumber},
    rejection::{Conflicts, Rejection},
    time::{HoldTtl, Timestamp},
};

const START: Timestamp = Timestamp(1_000_000);
const SHOW: ShowNumber = ShowNumber(0);
const SECTIONS: [&str; 3] = ["A", "B", "Floor"];
/// Seats beyond the show's twenty, which a scenario may ask for.
const UNKNOWN_SEATS: u32 = 10_000;

/// Runs a scenario.
pub(super) fn check(text: &str) {
    let mut world = World::default();
    for line in text.lines().map(str::trim) {
        if let Some(policy) = line.strip_prefix("policy ") {
            policy.split(", ").for_each(|setting| world.set_policy(setting));
        } else if line == "no sweep" {
            world.sweeps = false;
        } else {
            world.step(line);
        }
    }
    let mut replayed = Inventory::default();
    for (at, payload) in &world.log {
        for record in read_payload(payload) {
            let (number, event) = record.expect("our own bytes");
            replayed.apply(number, event, *at);
        }
    }
    assert_eq!(replayed.state_hash(), world.inventory.state_hash(), "replay of\n{text}");
}

struct World {
    inventory: Inventory,
    policy: Policy,
    log: Vec<(Timestamp, Vec<u8>)>,
    sweeps: bool,
}

impl Default for World {
    fn default() -> Self {
        Self { inventory: Inventory::default(), policy: Policy::default(), log: Vec::new(), sweeps: true }
    }
}

impl World {
    fn set_policy(&mut self, setting: &str) {
        let (name, value) = setting.split_once(' ').expect("a name and a value");
        let value: u32 = value.parse().expect("a number");
        match name {
            "places_per_hold" => self.policy.places_per_hold_max = value,
            "live_holds_per_buyer" => self.policy.live_holds_per_buyer_max = value,
            "places_per_buyer" => self.policy.places_per_buyer_max = value,
            "holds_per_show" => self.policy.holds_per_show_max = value,
            "hold_life_ms" => self.policy.hold_life_ms_max = u64::from(value),
            other => panic!("unknown policy {other}"),
        }
    }

    fn step(&mut self, line: &str) {
        let (asked, expected) = line.split_once("->").unwrap_or_else(|| panic!("no answer in {line:?}"));
        let (time, asked) = asked.trim().split_once(' ').expect("a time and a command");
        let now = parse_time(time);
        if self.inventory.next_number() == SHOW {
            let (show_id, manifest) = (ShowId::new("scenario").expect("an id"), manifest());
            let created = ShowCreated { show_id, manifest, policy: self.policy };
            self.commit(vec![Event::ShowCreated(Box::new(created))], now);
        }
        if self.sweeps {
            let due = self.inventory.take_due(now, usize::MAX);
            self.commit(due.into_iter().map(|(_, hold_id)| Event::HoldExpired { hold_id }).collect(), now);
        }
        let answered = if asked.trim() == "seats" { self.seats() } else { self.ask(asked.trim(), now) };
        assert_eq!(answered, expected.trim(), "in {line:?}");
        invariants::check(&self.inventory);
    }

    fn ask(&mut self, asked: &str, now: Timestamp) -> String {
        let mut events = Vec::new();
        let command = parse_command(asked);
        let decided = self.inventory.decide(SHOW, &command, now, &mut events);
        assert!(decided.is_ok() || events.is_empty(), "a rejection has no events");
        self.commit(events, now);
        match decided {
            Ok(answer) => show_answer(&answer),
            Err(rejection) => format!("rejected: {}", show_rejection(&rejection)),
        }
    }

    fn commit(&mut self, events: Vec<Event>, now: Timestamp) {
        let mut payload = PayloadWriter::default();
        for event in events {
            payload.push(SHOW, &event);
            self.inventory.apply(SHOW, event, now);
        }
        self.log.push((now, payload.bytes().to_vec()));
        self.log.retain(|(_, payload)| !payload.is_empty());
    }

    fn seats(&self) -> String {
        let map = self.inventory.show(SHOW).expect("the show").seat_map(START);
        let seats: Vec<SeatIndex> = (0..20).map(SeatIndex).collect();
        let of = |status: &str, wanted: &dyn Fn(SeatIndex) -> bool| {
            let names: Vec<String> = seats.iter().filter(|seat| wanted(**seat)).map(|seat| seat_name(*seat)).collect();
            (!names.is_empty()).then(|| format!("{} {status}", names.join(" ")))
        };
        let ga = |status: &str, units: u32| (units > 0).then(|| format!("{units}xFloor {status}"));
        let parts = [
            of("held", &|seat| !map.available.contains(seat) && !map.sold.contains(seat)),
            of("sold", &|seat| map.sold.contains(seat)),
            ga("held", map.ga[0].held),
            ga("sold", map.ga[0].sold),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "all available".to_owned() } else { parts.join(", ") }
    }
}

fn manifest() -> ManifestParts {
    let names = SeatNames::Numbered { first: 1, step: 1, count: 10 };
    let row = |name: &str| Row::new(name, vec![SeatRun::new(CategoryIndex(0), names.clone())]);
    let seats = |name: &str| Section { name: name.to_owned(), kind: SectionKind::Reserved(vec![row(name)]) };
    let floor = SectionKind::GeneralAdmission { capacity: 100, category: CategoryIndex(1) };
    let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
    ManifestParts {
        name: "Scenario".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![category("Seat", 1_000), category("Floor", 100)],
        sections: vec![seats("A"), seats("B"), Section { name: "Floor".to_owned(), kind: floor }],
    }
}

fn parse_time(text: &str) -> Timestamp {
    let (minutes, seconds) = text.split_once(':').expect("mm:ss");
    let seconds = minutes.parse::<u64>().expect("minutes") * 60 + seconds.parse::<u64>().expect("seconds");
    START.plus_ms(seconds * 1_000)
}

fn show_time(at: Timestamp) -> String {
    let seconds = at.ms_since(START) / 1_000;
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// The words of a step after its verb.
#[derive(Default)]
struct Words<'a> {
    places: Vec<&'a str>,
    hold: &'a str,
    length_or_order: Option<&'a str>,
    buyer: Option<&'a str>,
}

fn parse_command(asked: &str) -> Command {
    let mut tokens = asked.split_whitespace();
    let verb = tokens.next().expect("a verb");
    let mut words = Words::default();
    while let Some(token) = tokens.next() {
        let mut next = || tokens.next().expect("a word behind a keyword");
        match token {
            "as" | "of" => words.hold = next(),
            "for" => words.length_or_order = Some(next()),
            "by" => words.buyer = Some(next()),
            hold if hold.starts_with('h') => words.hold = hold,
            place => words.places.push(place),
        }
    }
    let hold_id = parse_hold_id(words.hold);
    let buyer = BuyerId::new(words.buyer.unwrap_or("ada").as_bytes()).expect("a buyer");
    let places = (!words.places.is_empty()).then(|| parse_places(&words.places));
    let ttl = || words.length_or_order.map(parse_length);
    match verb {
        "hold" => Command::HoldSeats(HoldSeats { hold_id, buyer, places: places.expect("places"), ttl: ttl() }),
        "extend" => Command::ExtendHold(ExtendHold { hold_id, buyer, ttl: ttl() }),
        "release" => Command::ReleaseHold(ReleaseHold { hold_id, buyer, places }),
        "get" => Command::GetHold(hold_id),
        "confirm" => {
            let order = Reference::order(words.length_or_order.expect("an order")).expect("an order");
            Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment: Reference::default(), places })
        }
        other => panic!("unknown verb {other}"),
    }
}

fn parse_hold_id(name: &str) -> HoldId {
    let number: u8 = name.strip_prefix('h').and_then(|number| number.parse().ok()).expect("a hold such as h1");
    HoldId::new(&[number; 16]).expect("a hold id")
}

fn parse_length(text: &str) -> HoldTtl {
    let (number, unit) = text.split_at(text.len() - 1);
    let factor = match unit {
        "s" => 1_000,
        "m" => 60_000,
        _ => 3_600_000,
    };
    let ms = number.parse::<u64>().expect("a number") * factor;
    // Scenarios may ask for less than the API allows.
    HoldTtl::from_ms(ms.max(5_000)).expect("a time to live")
}

fn parse_places(tokens: &[&str]) -> Places {
    let (ga, seats): (Vec<&str>, Vec<&str>) = tokens.iter().partition(|token| token.contains('x'));
    let ga = ga.iter().map(|token| {
        let (units, section) = token.split_once('x').expect("units");
        let section = SECTIONS.iter().position(|name| *name == section).expect("a section");
        (SectionIndex(u32::try_from(section).expect("small")), units.parse().expect("units"))
    });
    Places::new(seats.iter().map(|name| parse_seat(name)), ga).expect("places")
}

fn parse_seat(name: &str) -> SeatIndex {
    let (row, number) = name.split_at(1);
    let number: u32 = number.parse().expect("a seat number");
    match (row, number) {
        ("A", 1..=10) => SeatIndex(number - 1),
        ("B", 1..=10) => SeatIndex(number + 9),
        _ => SeatIndex(UNKNOWN_SEATS + number),
    }
}

fn seat_name(seat: SeatIndex) -> String {
    match seat.0 {
        index @ 0..10 => format!("A{}", index + 1),
        index @ 10..20 => format!("B{}", index - 9),
        index => format!("A{}", index - UNKNOWN_SEATS),
    }
}

fn show_places(places: &Places) -> String {
    let seats = places.seats().map(seat_name);
    let ga = places.ga().map(|(section, units)| format!("{units}x{}", SECTIONS[section.0 as usize]));
    seats.chain(ga).collect::<Vec<_>>().join(" ")
}

fn show_state(state: HoldState) -> String {
    format!("{state:?}").to_lowercase()
}

fn show_answer(answer: &Answer) -> String {
    let until = |hold: &HoldView| format!("{}, until {}", hold.total_minor, show_time(hold.expires_at));
    match answer {
        Answer::Held(hold) => format!("{} {}", show_state(hold.state), until(hold)),
        Answer::Extended { expires_at, extendable_until } => {
            format!("extended to {} of {}", show_time(*expires_at), show_time(*extendable_until))
        }
        Answer::Released(state) => show_state(*state),
        Answer::Confirmed(hold) => {
            let order = hold.booking.as_ref().map_or("nothing", |booking| booking.order.as_str());
            format!("confirmed {} {} for {order}", show_places(&hold.places), hold.total_minor)
        }
        Answer::Found(hold) if hold.places.is_empty() => show_state(hold.state),
        Answer::Found(hold) => format!("{} {} {}", show_state(hold.state), show_places(&hold.places), until(hold)),
    }
}

fn show_rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::IdReused { field } => format!("id reused, another {field}"),
        Rejection::HoldUnknown => "hold unknown".to_owned(),
        Rejection::HoldOfAnotherBuyer => "hold of another buyer".to_owned(),
        Rejection::HoldFenced => "fenced".to_owned(),
        Rejection::HoldReleased => "released".to_owned(),
        Rejection::HoldConfirmed => "confirmed".to_owned(),
        Rejection::HoldExpired { expires_at } => format!("expired at {}", show_time(*expires_at)),
        Rejection::PlacesNotInHold(conflicts) => format!("places not in hold {}", show_conflicts(conflicts, true)),
        Rejection::PlacesUnknown(conflicts) => format!("places unknown {}", show_conflicts(conflicts, false)),
        Rejection::PlacesTaken(conflicts) => format!("places taken {}", show_conflicts(conflicts, true)),
        other => other.to_string(),
    }
}

fn show_conflicts(conflicts: &Conflicts, with_units: bool) -> String {
    let ga = conflicts.ga.iter().map(|shortage| {
        let section = SECTIONS[shortage.section.0 as usize];
        let units = format!(" {}>{}", shortage.requested, shortage.available);
        format!("{section}{}", if with_units { units.as_str() } else { "" })
    });
    conflicts.seats.iter().map(|seat| seat_name(*seat)).chain(ga).collect::<Vec<_>>().join(" ")
}
