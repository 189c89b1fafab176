//! Round trips, golden bytes, hostile bytes.

use super::*;
use crate::{
    event::{HoldGranted, ShowCreated},
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex, ShowId},
    inventory::{
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        places::Places,
        policy::Policy,
    },
    time::{HoldTtl, Timestamp},
};

fn events() -> Vec<Event> {
    let hold_id = HoldId::new(&[7; 16]).unwrap();
    let buyer = BuyerId::new(b"ada").unwrap();
    let places = Places::new([SeatIndex(3), SeatIndex(1)], [(SectionIndex(2), 5)]).unwrap();
    let ttl = HoldTtl::from_ms(600_000).unwrap();
    let (order, payment) = (Reference::order("o1").unwrap(), Reference::payment("").unwrap());
    vec![
        Event::ShowCreated(Box::new(show_created())),
        Event::HoldGranted(HoldGranted {
            hold_id,
            buyer: buyer.clone(),
            places: places.clone(),
            ttl,
            expires_at: Timestamp(9),
            total_minor: 2_500,
        }),
        Event::HoldExtended { hold_id, expires_at: Timestamp(10) },
        Event::HoldReleased { hold_id, places: Some(places) },
        Event::HoldFenced { hold_id, buyer },
        Event::HoldConfirmed { hold_id, order, payment, places: None },
        Event::HoldExpired { hold_id },
    ]
}

fn show_created() -> ShowCreated {
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
        },
        policy: Policy::default(),
    }
}

fn payload() -> Vec<u8> {
    let mut writer = PayloadWriter::default();
    events().iter().for_each(|event| writer.push(ShowNumber(4), event));
    assert_eq!(writer.events(), 7);
    writer.bytes().to_vec()
}

#[test]
fn events_come_back_as_they_were() {
    let read: Vec<_> = read_payload(&payload()).map(Result::unwrap).collect();
    assert_eq!(read, events().into_iter().map(|event| (ShowNumber(4), event)).collect::<Vec<_>>());
}

/// What is stored may never change its meaning: these bytes were written by version 1.
#[test]
fn the_bytes_of_version_1_are_what_they_were() {
    let hex: String = payload().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("golden_payload_v1.hex").trim());
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_run_of_whole_records() {
    let payload = payload();
    let whole = events();
    for length in 0..payload.len() {
        let mut count = 0;
        for (read, event) in read_payload(&payload[..length]).zip(&whole) {
            match read {
                Ok((_, read)) => assert_eq!(read, *event),
                Err(_) => break,
            }
            count += 1;
        }
        assert!(count < whole.len(), "at {length}");
    }
}

#[test]
fn hostile_bytes_are_errors() {
    assert!(matches!(read_payload(&[1]).next(), Some(Err(CodecError::NoVersion(1)))));
    assert!(matches!(read_payload(&[9, 0]).next(), Some(Err(CodecError::UnknownVersion { found: 9 }))));
    // A length of 2^64 - 1 asks for no memory.
    let mut lengths = vec![1, 0];
    lengths.extend([0xff; 64]);
    // Of the variants that have no length in them, these bytes are a record.
    for variant in [0, 1, 3, 4, 5, 7, 255] {
        lengths[6] = variant;
        lengths[7..10].fill(0);
        assert!(read_payload(&lengths).next().is_some_and(|read| read.is_err()), "variant {variant}");
    }
}
