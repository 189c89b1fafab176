//! What a scenario says before its first step: the hall, the policy, the sale.
//!
//! ```text
//! category Gold 2000
//! row A 10 in West, at Gold, bays 1 2, companions 3, restricted 9-10, 5-6 at Seat, from 11, rank 2
//! floor Pit 50 at Gold
//! capacity 15
//! pool Standing 120 Floor Pit
//! policy places_per_hold 4, orphans forbid, gather 10m
//! sale draft | sale opens 05:00 closes 20:00
//! ```
//! Rows replace the sections A and B; a row without a section is one of its own name. The Floor comes after them.

use super::{
    super::{
        manifest::{
            Category, CategoryIndex, Features, ManifestParts, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
        },
        policy::{OrphanRule, Policy, WaitlistOrder},
        sale::{Sale, Stage},
    },
    parse::{length, ms, number, time},
};
use crate::{ids::SectionIndex, time::Timestamp};

pub(super) struct Hall {
    categories: Vec<Category>,
    seats: Vec<Section>,
    floors: Vec<Section>,
    capacity: Option<u32>,
    pools: Vec<String>,
}

impl Default for Hall {
    fn default() -> Self {
        let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
        let categories = vec![category("Seat", 1_000), category("Floor", 100)];
        let floors = vec![floor("Floor 100 at Floor", &categories)];
        Self { categories, seats: Vec::new(), floors, capacity: None, pools: Vec::new() }
    }
}

impl Hall {
    /// Takes a directive, if it is one about the hall.
    pub(super) fn directive(&mut self, line: &str) -> bool {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        match what {
            "category" => {
                let (name, price) = rest.split_once(' ').expect("a name and a price");
                self.categories.push(Category { name: name.to_owned(), price_minor: price.parse().expect("a price") });
            }
            "row" => {
                let (section, row) = row(rest, &self.categories);
                let known = self.seats.iter_mut().find(|own| own.name == section);
                match known.map(|known| &mut known.kind) {
                    Some(SectionKind::Reserved(rows)) => rows.push(row),
                    _ => self.seats.push(Section { name: section, kind: SectionKind::Reserved(vec![row]) }),
                }
            }
            "floor" => {
                let floor = floor(rest, &self.categories);
                self.floors.retain(|own| own.name != floor.name);
                self.floors.push(floor);
            }
            "capacity" => self.capacity = Some(number(rest)),
            "pool" => self.pools.push(rest.to_owned()),
            _ => return false,
        }
        true
    }

    pub(super) fn parts(&self) -> ManifestParts {
        let mut sections = self.seats.clone();
        if sections.is_empty() {
            let section = |name: &str| {
                let (name, row) = row(&format!("{name} 10"), &self.categories);
                Section { name, kind: SectionKind::Reserved(vec![row]) }
            };
            sections.extend(["A", "B"].map(section));
        }
        sections.extend(self.floors.iter().cloned());
        let pools = self.pools.iter().map(|text| pool(text, &sections)).collect();
        let (name, currency) = ("Scenario".to_owned(), "EUR".to_owned());
        ManifestParts { name, currency, categories: self.categories.clone(), sections, capacity: self.capacity, pools }
    }
}

/// A row and its section's name.
pub(super) fn row(text: &str, categories: &[Category]) -> (String, Row) {
    let mut parts = text.split(", ");
    let words: Vec<&str> = parts.next().expect("a row").split_whitespace().collect();
    let (name, count): (&str, u32) = (words[0], number(words[1]));
    let section = words.get(3).unwrap_or(&name);
    let (mut first, mut rank) = (1, None);
    let mut seats = vec![(CategoryIndex(0), Features::NONE); count as usize];
    for part in parts {
        let words: Vec<&str> = part.split_whitespace().collect();
        let (keyword, numbers) = words.split_first().expect("a word");
        let mut feature = |feature: Features| {
            each_number(numbers, |seat| {
                let features = &mut seats[(seat - first) as usize].1;
                *features = features.and(feature);
            });
        };
        match *keyword {
            "bays" => feature(Features::ACCESSIBLE),
            "companions" => feature(Features::COMPANION),
            "restricted" => feature(Features::RESTRICTED_VIEW),
            "rank" => rank = Some(number(numbers[0])),
            "from" => first = number(numbers[0]),
            "at" => seats.iter_mut().for_each(|seat| seat.0 = category(numbers[0], categories)),
            _ => {
                let at = words.iter().position(|word| *word == "at").expect("seats at a category");
                each_number(&words[..at], |seat| {
                    seats[(seat - first) as usize].0 = category(words[at + 1], categories);
                });
            }
        }
    }
    let mut row = Row::new(name, runs(first, &seats));
    row.rank = rank;
    ((*section).to_owned(), row)
}

fn runs(first: u32, seats: &[(CategoryIndex, Features)]) -> Vec<SeatRun> {
    let mut runs: Vec<SeatRun> = Vec::new();
    for (first, &(category, features)) in (first..).zip(seats) {
        match runs.last_mut() {
            Some(SeatRun { category: own, features: own_features, names: SeatNames::Numbered { count, .. } })
                if (*own, *own_features) == (category, features) =>
            {
                *count += 1;
            }
            _ => runs.push(SeatRun { category, features, names: SeatNames::Numbered { first, step: 1, count: 1 } }),
        }
    }
    runs
}

/// "3 5-7" are 3, 5, 6 and 7.
fn each_number(words: &[&str], mut each: impl FnMut(u32)) {
    for word in words {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        (number(first)..=number(last)).for_each(&mut each);
    }
}

/// A section of general admission.
pub(super) fn floor(text: &str, categories: &[Category]) -> Section {
    let words: Vec<&str> = text.split_whitespace().collect();
    let category = category(words.get(3).unwrap_or(&"Floor"), categories);
    let kind = SectionKind::GeneralAdmission { capacity: number(words[1]), category };
    Section { name: words[0].to_owned(), kind }
}

pub(super) fn pool(text: &str, sections: &[Section]) -> Pool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let position = |name: &&str| sections.iter().position(|own| own.name == **name).expect("a section");
    let sections = words[2..].iter().map(|name| SectionIndex(u32::try_from(position(name)).expect("few"))).collect();
    Pool { name: words[0].to_owned(), capacity: number(words[1]), sections }
}

pub(super) fn category(name: &str, categories: &[Category]) -> CategoryIndex {
    let position = categories.iter().position(|own| own.name == name).unwrap_or(99);
    CategoryIndex(u8::try_from(position).expect("few categories"))
}

/// Changes a policy by settings such as "places_per_hold 4, gather 10m".
pub(super) fn set_policy(policy: &mut Policy, settings: &str) {
    for setting in settings.split(", ") {
        let (name, value) = setting.split_once(' ').expect("a name and a value");
        match name {
            "ttl" => policy.hold_ttl_default = length(value),
            "hold_life" => policy.hold_life_ms_max = ms(value),
            "hold_life_ms" => policy.hold_life_ms_max = u64::from(number(value)),
            "places_per_hold" => policy.places_per_hold_max = number(value),
            "live_holds_per_buyer" => policy.live_holds_per_buyer_max = number(value),
            "places_per_buyer" => policy.places_per_buyer_max = number(value),
            "holds_per_show" => policy.holds_per_show_max = number(value),
            "orphans_end" => policy.orphan_rule_ends_at = Some(time(value)),
            "orphans" => policy.orphans = orphan_rule(value),
            "late_confirm" => policy.late_confirm_ms_max = ms(value),
            "pin" => policy.pin_ms_max = ms(value),
            "lapses" => policy.lapses_max = number(value),
            "cool_down" => policy.cool_down_ms = ms(value),
            "return_spread" => policy.return_spread_ms = ms(value),
            "waitlist" => policy.waitlist_max = number(value),
            "waitlist_order" => policy.waitlist_order = waitlist_order(value),
            "waitlist_closes" => policy.waitlist_closes_at = Some(time(value)),
            "offer_ttl" => policy.offer_ttl = length(value),
            "gather" => policy.gather_ms_max = ms(value),
            "extends" => policy.extends_max = number(value),
            "returns_per_second" => policy.returns_per_second_max = number(value),
            other => panic!("unknown policy {other}"),
        }
    }
}

fn orphan_rule(text: &str) -> OrphanRule {
    match text {
        "off" => OrphanRule::Off,
        "avoid" => OrphanRule::Avoid,
        "forbid" => OrphanRule::Forbid,
        other => panic!("unknown orphan rule {other}"),
    }
}

fn waitlist_order(text: &str) -> WaitlistOrder {
    match text.split_once(' ') {
        None if text == "fifo" => WaitlistOrder::Fifo,
        None if text == "priority" => WaitlistOrder::Priority,
        Some(("lottery", seed)) => WaitlistOrder::Lottery { seed: seed.parse().expect("a seed") },
        _ => panic!("unknown order {text}"),
    }
}

pub(super) fn sale(text: &str) -> Sale {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |keyword: &str| {
        let position = words.iter().position(|word| *word == keyword)?;
        Some(time(words[position + 1]))
    };
    let stage = if words.contains(&"draft") { Stage::Draft } else { Stage::Planned };
    Sale { stage, opens_at: after("opens").unwrap_or(Timestamp(0)), closes_at: after("closes") }
}
