//! Round trips, golden bytes, hostile bytes.

use bincode::error::{AllowedEnumVariants, DecodeError};

use super::*;
use crate::{
    command::{Adjacency, ReturnTo, TicketCount, Wish},
    event::{EntryJoined, GrantedOnTerms, HoldGranted, MarkedPlaces, OfferMade, ShowCreated, ShowLoaded},
    ids::{BuyerId, ChannelIndex, HoldId, Name, Reference, SeatIndex, SeatRange, SectionIndex, ShowId},
    inventory::{
        blocks::{BlockKind, Mark},
        hold_best::{Placement, Step},
        manifest::{
            Category, CategoryIndex, Features, ManifestChange, ManifestParts, Pool, Row, SeatNames, SeatRun, Section,
            SectionKind,
        },
        places::Places,
        policy::{OrphanRule, Policy, WaitlistOrder},
        sale::{Sale, Stage},
    },
    time::{HoldTtl, Timestamp},
};

/// Events of which there are bytes of version 1.
const GOLDEN_V1: usize = 46;
/// And of version 2.
const GOLDEN_V2: usize = 48;
/// The clock reading of their frame.
const AT: Timestamp = Timestamp(20);

fn hold_id(byte: u8) -> HoldId {
    HoldId::new(&[byte; 16]).unwrap()
}

fn ada() -> BuyerId {
    BuyerId::new(b"ada").unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn places() -> Places {
    Places::new([SeatIndex(3), SeatIndex(1)], [(SectionIndex(2), 5)]).unwrap()
}

fn granted() -> HoldGranted {
    HoldGranted {
        hold_id: hold_id(7),
        buyer: ada(),
        places: places(),
        ttl: HoldTtl::from_ms(600_000).unwrap(),
        expires_at: Timestamp(9),
        total_minor: 2_500,
    }
}

/// What version 1 had, as it is read today.
fn first_events() -> Vec<Event> {
    let hold_id = hold_id(7);
    let (order, payment) = (Reference::order("o1").unwrap(), Reference::payment("").unwrap());
    vec![
        Event::ShowCreated(Box::new(first_show())),
        Event::HoldGranted(granted()),
        Event::HoldExtended { hold_id, expires_at: Timestamp(10) },
        Event::HoldReleased { hold_id, places: Some(places()) },
        Event::HoldFenced { hold_id, buyer: ada() },
        Event::HoldConfirmed { hold_id, order, payment, places: None },
        Event::HoldExpired { hold_id },
    ]
}

/// The first show that was ever stored: on sale from the beginning, without anything that came later.
fn first_show() -> ShowCreated {
    let category = CategoryIndex(0);
    let run = SeatRun::new(category, SeatNames::Numbered { first: 9, step: -1, count: 4 });
    let named = SeatRun::new(category, SeatNames::Named(vec!["12a".to_owned()]));
    let row = Row::new("1", vec![run, named]);
    let floor = SectionKind::GeneralAdmission { capacity: 300, category };
    ShowCreated {
        show_id: ShowId::new("gala").unwrap(),
        manifest: ManifestParts {
            name: "Arena".to_owned(),
            currency: "EUR".to_owned(),
            categories: vec![Category { name: "Gold".to_owned(), price_minor: 500 }],
            sections: vec![
                Section { name: "West".to_owned(), kind: SectionKind::Reserved(vec![row]) },
                Section { name: "Floor".to_owned(), kind: floor },
            ],
            capacity: None,
            pools: Vec::new(),
        },
        policy: Policy::default(),
        sale: Sale::default(),
    }
}

/// A show that says everything.
fn show() -> ShowCreated {
    let mut show = first_show();
    let SectionKind::Reserved(rows) = &mut show.manifest.sections[0].kind else { panic!("seats") };
    (rows[0].rank, rows[0].added) = (Some(4), 1);
    rows[0].runs[1].features = Features::ACCESSIBLE.and(Features::RESTRICTED_VIEW);
    show.manifest.capacity = Some(303);
    show.manifest.pools = vec![Pool { name: "Standing".to_owned(), capacity: 200, sections: vec![SectionIndex(1)] }];
    show.policy = policy();
    let stage = Stage::Paused { clocks_stand_since: Some(Timestamp(3)) };
    show.sale = Sale { stage, opens_at: Timestamp(2), closes_at: Some(Timestamp(4)) };
    show
}

fn policy() -> Policy {
    Policy {
        orphans: OrphanRule::Forbid,
        waitlist_order: WaitlistOrder::Lottery { seed: 42 },
        waitlist_closes_at: Some(Timestamp(5)),
        orphan_rule_ends_at: Some(Timestamp(6)),
        ..Policy::default()
    }
}

fn mark() -> Mark {
    Mark { kind: BlockKind::Kill, reason: name("camera") }
}

fn marked() -> Box<MarkedPlaces> {
    let seats = vec![SeatRange { first: SeatIndex(3), count: 2 }];
    Box::new(MarkedPlaces { mark: mark(), seats, ga: vec![(SectionIndex(1), 6)] })
}

fn wish() -> Wish {
    Wish {
        quantity: 3,
        at_least: Some(2),
        adjacency: Adjacency::Preferred,
        categories: vec![CategoryIndex(1)],
        sections: vec![SectionIndex(2)],
        price_minor_max: Some(5_000),
        exclude_restricted: true,
        bays: 1,
        companions: 1,
    }
}

fn changes() -> Vec<ManifestChange> {
    let row = Row::new("2", vec![SeatRun::new(CategoryIndex(0), SeatNames::Numbered { first: 1, step: 1, count: 2 })]);
    let section = Section { name: "East".to_owned(), kind: SectionKind::Reserved(vec![row.clone()]) };
    let pool = Pool { name: "Standing".to_owned(), capacity: 9, sections: vec![SectionIndex(1)] };
    let seats = vec![SeatRange { first: SeatIndex(1), count: 2 }];
    vec![
        ManifestChange::AddRows { section: SectionIndex(0), rows: vec![row] },
        ManifestChange::AddSection(section),
        ManifestChange::AddCategory(Category { name: "Silver".to_owned(), price_minor: 400 }),
        ManifestChange::Recategorise { seats, category: CategoryIndex(1) },
        ManifestChange::Reprice { category: CategoryIndex(0), price_minor: 600 },
        ManifestChange::SetGaCapacity { section: SectionIndex(1), capacity: 250 },
        ManifestChange::SetCapacity(Some(100)),
        ManifestChange::SetPool(pool),
        ManifestChange::RemovePool("Standing".to_owned()),
    ]
}

/// Every event that is written today, in the order of their variants.
fn events() -> Vec<Event> {
    let hold_id = hold_id(7);
    let (order, payment) = (Reference::order("o1").unwrap(), Reference::payment("p1").unwrap());
    let placement = Placement { step: Step::AcrossSections, score: 12 };
    let on_terms = GrantedOnTerms {
        granted: granted(),
        replaces: Some(self::hold_id(1)),
        moved_from: vec![self::hold_id(2)],
        request: Some(77),
        placement: Some(placement),
        tickets: vec![TicketCount { ticket_type: name("adult"), count: 7 }],
        extendable_until: Timestamp(11),
        override_reason: Some(name("vip")),
    };
    let joined = EntryJoined { hold_id, buyer: ada(), wish: wish(), priority: 9, channels: 5, is_possible: true };
    let ranges = marked().seats;
    let mut events = first_events().split_off(1);
    events.extend([
        Event::ShowCreated(Box::new(show())),
        Event::HoldGrantedOnTerms(Box::new(on_terms)),
        Event::HoldPinned { hold_id, expires_at: Timestamp(12) },
        Event::HoldUnpinned { hold_id },
        Event::HoldConfirmedLate { hold_id, order, payment, places: places() },
        Event::BookingCancelled { hold_id, places: None, return_to: ReturnTo::Available },
        Event::BookingCancelled { hold_id, places: Some(places()), return_to: ReturnTo::Blocked(mark()) },
        Event::BookingTransferred { hold_id, buyer: ada() },
        Event::BookingExchanged { hold_id, places: places(), difference_minor: -3, override_reason: None },
        Event::EntryJoined(Box::new(joined)),
        Event::EntryLeft { hold_id },
        Event::OfferMade(Box::new(OfferMade { granted: granted(), placement, taken_over: vec![(hold_id, places())] })),
        Event::PlacesGathered { hold_id, places: places(), until: Timestamp(13) },
        Event::GatheringEnded { hold_id },
        Event::PlacesBlocked(marked()),
        Event::PlacesUnblocked(marked()),
        Event::ReturnsQueued(marked()),
        Event::ReleaseScheduled { mark: mark(), at: Some(Timestamp(14)) },
        Event::ChannelSet { key: name("fans"), public_at: None },
        Event::ChannelOpened { channel: ChannelIndex(3) },
        Event::ChannelAssigned { channel: Some(ChannelIndex(3)), seats: ranges.clone() },
        Event::SeatsRetired { seats: ranges },
        Event::SaleScheduled { opens_at: Timestamp(15), closes_at: Some(Timestamp(16)) },
        Event::SaleOpened,
        Event::SalePaused { stop_clocks: true },
        Event::SaleClosed,
        Event::ShowCancelled,
        Event::ShowArchived,
        Event::PolicyChanged(Box::new(policy())),
    ]);
    events.extend(changes().into_iter().map(|change| Event::ManifestChanged(Box::new(change))));
    events.push(Event::HoldSplit { hold_id, rest_id: HoldId::new(&[8; 16]).unwrap(), rest: places() });
    events.push(Event::HoldLapsed { hold_id });
    events.push(Event::ShowLoaded(Box::new(ShowLoaded { of_shard: 1, of_lsn: 2, state: vec![3, 4] })));
    events.push(Event::ShowLeft { to_shard: 5 });
    events.push(Event::GroupJoined(Box::new((hold_id, vec![show().show_id, ShowId::new("s2").unwrap()]))));
    let (order, payment) = (Reference::order("o1").unwrap(), Reference::payment("p1").unwrap());
    events.push(Event::MemberPrepared { hold_id, order, payment });
    // In its short form.
    events.push(Event::HoldGranted(HoldGranted { expires_at: AT.plus_ms(600_000), ..granted() }));
    events
}

fn payload(events: &[Event]) -> Vec<u8> {
    let mut writer = PayloadWriter::default();
    events.iter().for_each(|event| writer.push(ShowNumber(4), event, AT));
    assert_eq!(writer.events() as usize, events.len());
    writer.bytes().to_vec()
}

fn read(payload: &[u8]) -> Vec<Event> {
    read_payload(payload, AT).map(|record| record.unwrap().1).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.trim().chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The position of an event's variant, as it is stored.
fn variant_of(payload: &[u8]) -> u32 {
    assert!(payload[3] < 251, "a byte is enough");
    u32::from(payload[3])
}

/// The last position that is a variant.
fn last_variant() -> u32 {
    let payload = [3, 0, 0, 250];
    match read_payload(&payload, AT).next() {
        Some(Err(CodecError::Record {
            source: DecodeError::UnexpectedVariant { allowed: AllowedEnumVariants::Range { max, .. }, .. },
            ..
        })) => *max,
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_come_back_as_they_were() {
    assert_eq!(read(&payload(&events())), events());
}

/// What is stored may never change its meaning: the oldest of these bytes were written before there were features, ranks,
/// pools, a sale and the later rules of a policy.
#[test]
fn the_bytes_of_older_versions_are_read_as_todays_events() {
    assert_eq!(read(&bytes_of(include_str!("golden_payload_v1.hex"))), first_events());
    let of_each_event = include_str!("golden_events_v1.hex").lines().flat_map(|line| read(&bytes_of(line)));
    assert!(of_each_event.eq(events().into_iter().take(GOLDEN_V1)));
    let of_each_event = include_str!("golden_events_v2.hex").lines().flat_map(|line| read(&bytes_of(line)));
    assert!(of_each_event.eq(events().into_iter().take(GOLDEN_V2)));
}

/// One line an event: what is written today is what was written when it was first stored in this version. A new event is
/// a new line at the end; no line is ever changed or moved.
#[test]
fn every_event_is_written_as_it_was() {
    let written: Vec<String> = events().iter().map(|event| hex(&payload(std::slice::from_ref(event)))).collect();
    let golden: Vec<&str> = include_str!("golden_events_v3.hex").lines().collect();
    assert_eq!(written, golden);
}

#[test]
fn every_variant_but_the_replaced_one_has_golden_bytes() {
    let mut covered: Vec<u32> =
        include_str!("golden_events_v3.hex").lines().map(|line| variant_of(&bytes_of(line))).collect();
    assert!(covered.is_sorted(), "in the order of the variants");
    covered.dedup();
    assert_eq!(covered, (1..=last_variant()).chain([PLAIN_GRANT.into()]).collect::<Vec<_>>());
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_run_of_whole_records() {
    let whole = events();
    let payload = payload(&whole);
    for length in 0..payload.len() {
        let mut count = 0;
        for (read, event) in read_payload(&payload[..length], AT).zip(&whole) {
            match read {
                Ok((_, read)) => assert_eq!(read, *event),
                Err(_) => break,
            }
            count += 1;
        }
        assert!(count < whole.len(), "at {length}");
    }
}

/// The frame's checksum finds damage; what is read nevertheless must neither panic nor ask for memory.
#[test]
fn a_changed_byte_is_an_error_or_another_event() {
    for event in events() {
        let payload = payload(&[event]);
        for position in 0..payload.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = payload.clone();
                changed[position] ^= change;
                read_payload(&changed, AT).take(2).for_each(drop);
            }
        }
    }
}

#[test]
fn hostile_bytes_are_errors() {
    assert!(matches!(read_payload(&[1], AT).next(), Some(Err(CodecError::NoVersion(1)))));
    assert!(matches!(read_payload(&[9, 0], AT).next(), Some(Err(CodecError::UnknownVersion { found: 9 }))));
    // Lengths of 2^64 - 1 ask for no memory. Variants that have no length in them are read as a record.
    let has_no_length = |event: &Event| {
        matches!(
            event,
            Event::HoldExtended { .. }
                | Event::HoldExpired { .. }
                | Event::HoldLapsed { .. }
                | Event::ShowLeft { .. }
                | Event::HoldPinned { .. }
                | Event::HoldUnpinned { .. }
                | Event::EntryLeft { .. }
                | Event::GatheringEnded { .. }
                | Event::ChannelOpened { .. }
                | Event::SaleOpened
                | Event::SaleClosed
                | Event::ShowCancelled
                | Event::ShowArchived
        )
    };
    let longest = [[253].as_slice(), &[0xff; 8]].concat().repeat(30);
    for variant in (0..=last_variant() + 1).chain([PLAIN_GRANT.into()]) {
        let of_fixed_size = [&[1, 0, 0, 0, 0, 0], &variant.to_le_bytes()[..], &[0xff; 256]].concat();
        let compact = [&[3, 0, 0, variant.to_le_bytes()[0]], longest.as_slice()].concat();
        for payload in [of_fixed_size, compact] {
            match read_payload(&payload, AT).next().unwrap() {
                Err(_) => {}
                Ok((_, event)) => assert!(has_no_length(&event), "variant {variant}"),
            }
        }
    }
}
