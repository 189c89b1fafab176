//! What can be asked in a step.
//!
//! ```text
//! hold A1 A2 2xFloor as h1 [for 5m]          best 4 together as h1 [tickets adult:3,child:1] [for 5m]
//! extend h1 [for 5m]      release [A1 of] h1      confirm [A1 of] h1 for o1 [late]      get h1
//! pin h1      unpin h1      sell A1 as h1 for o1      cancel [A1 of] h1 [to kill:camera]
//! transfer h1 to bob      exchange A3 A4 of h1      join 2 preferred as h1 [priority 5]      leave h1
//! ```
//! Each of them may say `by bob` (otherwise it is ada). Who takes places may say `replacing h2`, `with KEY` for each
//! channel, `accessible`, `house` and `seen 1` (the manifest's version). A wish says `together`, `preferred` or `any`,
//! and may say `in SECTION`, `at CATEGORY`, `under PRICE`, `least 2`, `unrestricted`, `bays 1` and `companions 1`.
//! ```text
//! block A1-A5 row:West/B section:East category:Gold 5xFloor kill:camera      unblock SELECTION MARK [dry]
//! retire SELECTION      schedule MARK at 05:00|never      channel fans public 05:00|never
//! assign SELECTION to fans|none      plan [opens 05:00] [closes 20:00]      open      pause [clocks]      close
//! cancel-show [dry]      archive      policy places_per_hold 4
//! add row C 10 in West      add floor Pit 50      add category Gold 2000      recategorise A1 at Gold
//! reprice Gold 1500      resize Floor 150      limit 20|none      pool Standing 20 Floor      unpool Standing
//! list ada [max 2] [after h1]      order o1      sales [max 2] [from 2]      seats      overview      tick
//! ```

use std::collections::BTreeMap;

use super::{
    super::{
        blocks::{BlockKind, Mark},
        lookups::{Cursor, LookupBy},
        manifest::{Manifest, ManifestChange, Section, SectionKind},
        places::Places,
        show::Show,
    },
    hall,
};
use crate::{
    command::{
        Adjacency, AssignChannel, BlockPlaces, CancelBooking, Command, ConfirmHold, ExchangeSeats, ExtendHold,
        HoldBest, HoldSeats, JoinWaitlist, OwnHold, ReleaseHold, ReturnTo, ScheduleRelease, ScheduleSale, Selection,
        SellPlaces, SetChannel, Terms, TicketCount, TransferBooking, UnblockPlaces, Wish,
    },
    ids::{BuyerId, HoldId, Name, Reference, SeatIndex, SeatRange, SectionIndex},
    time::{HoldTtl, Timestamp},
};

pub(super) const START: Timestamp = Timestamp(1_000_000);
/// Seats that no hall has.
pub(super) const UNKNOWN_SEATS: u32 = 10_000;
const KEYWORDS: [&str; 21] = [
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
    "from",
    "limit",
];

/// What a step asks.
pub(super) enum Asked {
    Command(Command),
    Lookup { by: LookupBy, from: Option<Cursor>, max: usize },
    Seats,
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
        "overview" => Asked::Overview,
        "tick" => Asked::Nothing,
        "list" | "order" | "sales" => words.lookup(verb),
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

    fn keys(&self) -> Vec<Name> {
        self.values.get("with").into_iter().flatten().map(|key| name(key)).collect()
    }

    fn terms(&self) -> Terms {
        Terms {
            replaces: self.value("replacing").map(hold_id),
            channels: self.keys(),
            accessible: self.has("accessible"),
            house: self.has("house"),
            manifest_version: self.number("seen"),
        }
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
        let (seats, units) = (self.seats(), self.units());
        (!seats.is_empty() || !units.is_empty()).then(|| Places::new(seats, units).expect("places"))
    }

    fn some_places(&self) -> Places {
        self.places().expect("places")
    }

    fn wish(&self) -> Wish {
        let adjacency = match () {
            () if self.has("together") => Adjacency::Required,
            () if self.has("preferred") => Adjacency::Preferred,
            () => Adjacency::Any,
        };
        let all = |keyword: &str| self.values.get(keyword).cloned().unwrap_or_default();
        let mut wish = Wish::seats(number(self.others.first().expect("how many")), adjacency);
        wish.sections = all("in").into_iter().map(|name| self.section(name)).collect();
        wish.categories =
            all("at").into_iter().map(|name| hall::category(name, &self.manifest.parts().categories)).collect();
        wish.sections.sort_unstable();
        wish.categories.sort_unstable();
        wish.at_least = self.number("least");
        wish.price_minor_max = self.number("under").map(u64::from);
        wish.exclude_restricted = self.has("unrestricted");
        wish.bays = self.number("bays").unwrap_or(0);
        wish.companions = self.number("companions").unwrap_or(0);
        wish
    }

    fn tickets(&self) -> Vec<TicketCount> {
        let ticket = |text: &str| {
            let (ticket_type, count) = text.split_once(':').expect("a type and a count");
            TicketCount { ticket_type: name(ticket_type), count: number(count) }
        };
        self.value("tickets").into_iter().flat_map(|tickets| tickets.split(',').map(ticket)).collect()
    }

    fn of_hold(&self, verb: &str) -> Option<Command> {
        let places = self.places();
        Some(match verb {
            "hold" => {
                let terms = Some(self.terms()).filter(|terms| *terms != Terms::default()).map(Box::new);
                let (hold_id, buyer, ttl) = (self.hold_id(), self.buyer(), self.ttl());
                Command::HoldSeats(HoldSeats { hold_id, buyer, places: self.some_places(), ttl, terms })
            }
            "best" => Command::HoldBest(Box::new(HoldBest {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                wish: self.wish(),
                tickets: self.tickets(),
                ttl: self.ttl(),
                terms: self.terms(),
            })),
            "extend" => {
                Command::ExtendHold(ExtendHold { hold_id: self.hold_id(), buyer: self.buyer(), ttl: self.ttl() })
            }
            "release" => Command::ReleaseHold(ReleaseHold { hold_id: self.hold_id(), buyer: self.buyer(), places }),
            "get" => Command::GetHold(self.hold_id()),
            "confirm" => {
                let (order, payment, accept_late) = (self.reference(), Reference::default(), self.has("late"));
                let (hold_id, buyer) = (self.hold_id(), self.buyer());
                Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, places, accept_late })
            }
            "pin" => Command::PinHold(self.own_hold()),
            "unpin" => Command::UnpinHold(self.own_hold()),
            "leave" => Command::LeaveWaitlist(self.own_hold()),
            verb => return self.of_booking(verb),
        })
    }

    fn of_booking(&self, verb: &str) -> Option<Command> {
        let (order, payment) = (|| self.reference(), Reference::default());
        Some(match verb {
            "sell" => Command::SellPlaces(Box::new(SellPlaces {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                places: self.some_places(),
                order: order(),
                payment,
                terms: self.terms(),
            })),
            "cancel" => {
                let return_to = self.value("to").map_or(ReturnTo::Available, |text| ReturnTo::Blocked(mark(text)));
                let (hold_id, buyer, places) = (self.hold_id(), self.buyer(), self.places());
                Command::CancelBooking(CancelBooking { hold_id, buyer, places, return_to })
            }
            "transfer" => {
                let to_buyer = buyer(self.value("to").expect("to whom"));
                Command::TransferBooking(TransferBooking { hold_id: self.hold_id(), buyer: self.buyer(), to_buyer })
            }
            "exchange" => {
                let (hold_id, buyer, terms) = (self.hold_id(), self.buyer(), self.terms());
                Command::ExchangeSeats(Box::new(ExchangeSeats { hold_id, buyer, places: self.some_places(), terms }))
            }
            "join" => Command::JoinWaitlist(Box::new(JoinWaitlist {
                hold_id: self.hold_id(),
                buyer: self.buyer(),
                wish: self.wish(),
                priority: u8::try_from(self.number("priority").unwrap_or(0)).expect("a priority"),
                channels: self.keys(),
            })),
            _ => return None,
        })
    }

    fn selection(&self) -> Selection {
        let kinds = |kind: &str| {
            let of_kind = self.others.iter().filter_map(|word| word.split_once(':'));
            of_kind.filter(|(own, _)| *own == kind).map(|(_, name)| name).collect::<Vec<_>>()
        };
        let row = |text: &str| {
            let (section, row) = text.split_once('/').expect("a section and a row");
            (self.section(section), row.to_owned())
        };
        let categories = &self.manifest.parts().categories;
        Selection {
            seats: self.seats(),
            rows: kinds("row").into_iter().map(row).collect(),
            sections: kinds("section").into_iter().map(|name| self.section(name)).collect(),
            categories: kinds("category").into_iter().map(|name| hall::category(name, categories)).collect(),
            ga: self.units(),
        }
    }

    fn mark(&self) -> Mark {
        let is_mark = |word: &&&str| {
            let kind = word.split_once(':').map(|(kind, _)| kind);
            kind.is_some_and(|kind| !["row", "section", "category"].contains(&kind))
        };
        mark(self.others.iter().find(is_mark).expect("a mark such as kill:camera"))
    }

    fn of_show(&self, verb: &str) -> Command {
        let (selection, dry_run) = (self.selection(), self.has("dry"));
        match verb {
            "block" => Command::BlockPlaces(BlockPlaces { selection, mark: self.mark() }),
            "unblock" => Command::UnblockPlaces(UnblockPlaces { selection, mark: self.mark(), dry_run }),
            "retire" => Command::RetireSeats(selection),
            "schedule" => {
                Command::ScheduleRelease(ScheduleRelease { mark: self.mark(), at: self.value("at").map(time) })
            }
            "channel" => {
                let (key, public_at) = (name(self.others[0]), self.value("public").map(time));
                Command::SetChannel(SetChannel { key, public_at })
            }
            "assign" => {
                let key = self.value("to").filter(|key| *key != "none").map(name);
                Command::AssignChannel(AssignChannel { selection, key })
            }
            "plan" => {
                let opens_at = self.value("opens").map_or(Timestamp(0), time);
                Command::ScheduleSale(ScheduleSale { opens_at, closes_at: self.value("closes").map(time) })
            }
            "open" => Command::OpenSale,
            "pause" => Command::PauseSale { stop_clocks: self.has("clocks") },
            "close" => Command::CloseSale,
            "cancel-show" => Command::CancelShow { dry_run },
            "archive" => Command::ArchiveShow,
            other => panic!("unknown verb {other}"),
        }
    }

    fn change(&self, verb: &str, rest: &str) -> ManifestChange {
        let parts = self.manifest.parts();
        let (what, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match (verb, what) {
            ("add", "row") => {
                let (section, row) = hall::row(more, &parts.categories);
                match self.manifest.section(&section) {
                    Some(section) => ManifestChange::AddRows { section, rows: vec![row] },
                    None => {
                        let kind = SectionKind::Reserved(vec![row]);
                        ManifestChange::AddSection(Section { name: section, kind })
                    }
                }
            }
            ("add", "floor") => ManifestChange::AddSection(hall::floor(more, &parts.categories)),
            ("add", _) => {
                let (name, price) = more.split_once(' ').expect("a name and a price");
                let (name, price_minor) = (name.to_owned(), u64::from(number(price)));
                ManifestChange::AddCategory(super::super::manifest::Category { name, price_minor })
            }
            ("recategorise", _) => {
                let category = hall::category(self.value("at").expect("a category"), &parts.categories);
                ManifestChange::Recategorise { seats: SeatRange::of(self.seats()), category }
            }
            ("reprice", name) => {
                let category = hall::category(name, &parts.categories);
                ManifestChange::Reprice { category, price_minor: u64::from(number(more)) }
            }
            ("resize", name) => ManifestChange::SetGaCapacity { section: self.section(name), capacity: number(more) },
            ("limit", what) => ManifestChange::SetCapacity((what != "none").then(|| number(what))),
            ("pool", _) => ManifestChange::SetPool(hall::pool(rest, &parts.sections)),
            _ => ManifestChange::RemovePool(rest.to_owned()),
        }
    }

    fn lookup(&self, verb: &str) -> Asked {
        let after = self.value("after").map(|hold| Cursor::After(hold_id(hold)));
        let from = self.number("from").map(Cursor::At).or(after);
        let by = match verb {
            "list" => LookupBy::Buyer(buyer(self.others[0])),
            "order" => LookupBy::Order(Reference::order(self.others[0]).expect("an order")),
            _ => LookupBy::Show,
        };
        Asked::Lookup { by, from, max: self.number("max").unwrap_or(10) as usize }
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
