//! Queues: who stands where, what is remembered to be looked at.

use super::*;
use crate::{
    command::Adjacency,
    inventory::{
        manifest::{Category, CategoryIndex, ManifestParts, Section, SectionKind},
        waitlist::LOOKED_AT_MAX,
    },
};

fn manifest() -> Manifest {
    let kind = SectionKind::GeneralAdmission { capacity: 5, category: CategoryIndex(0) };
    let parts = ManifestParts {
        name: "Hall".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Floor".to_owned(), price_minor: 100 }],
        sections: vec![Section { name: "Floor".to_owned(), kind }],
        capacity: None,
        pools: Vec::new(),
    };
    Manifest::new(parts).unwrap()
}

fn id(number: u8) -> HoldId {
    HoldId::new(&[number; 16]).unwrap()
}

fn wish(quantity: u32, sections: &[u32]) -> Wish {
    let sections = sections.iter().map(|section| SectionIndex(*section)).collect();
    Wish { sections, ..Wish::seats(quantity, Adjacency::Any) }
}

fn join(waitlist: &mut Waitlist, number: u8, wish: Wish, priority: u8) -> u32 {
    let (hold_id, buyer) = (id(number), BuyerId::new(&[number]).unwrap());
    waitlist.insert(EntryJoined { hold_id, buyer, wish, priority, channels: 0, is_possible: true }, &manifest(), 0);
    waitlist.slot(hold_id).unwrap()
}

/// The only queue's entries, by the numbers of their ids.
fn standing(waitlist: &Waitlist) -> Vec<u8> {
    let queues: Vec<u32> = waitlist.all_queues().collect();
    assert_eq!(queues.len(), 1);
    waitlist.entries_of(queues[0]).map(|slot| waitlist.entry(slot).id.as_bytes()[0]).collect()
}

fn place(seat: u32) -> Places {
    Places::new([SeatIndex(seat)], []).unwrap()
}

#[test]
fn an_entry_is_small() {
    assert_eq!(size_of::<Option<Entry>>(), 56);
}

#[test]
fn the_same_wish_is_the_same_queue_and_the_first_stands_first() {
    let mut waitlist = Waitlist::default();
    for number in [3, 1, 2] {
        join(&mut waitlist, number, wish(2, &[0]), 9 - number);
    }
    assert_eq!(standing(&waitlist), [3, 1, 2]);
    join(&mut waitlist, 4, wish(1, &[0]), 0);
    join(&mut waitlist, 5, wish(2, &[]), 0);
    assert_eq!(waitlist.all_queues().count(), 3);
    assert_eq!(waitlist.queues_for(SectionIndex(0)).count(), 3);
    assert_eq!(waitlist.queues_for(SectionIndex(7)).count(), 1, "who names no section waits for all");
}

#[test]
fn priority_goes_before_joining_and_joining_before_nothing() {
    let mut waitlist = Waitlist { order: WaitlistOrder::Priority, ..Waitlist::default() };
    for (number, priority) in [(1, 0), (2, 255), (3, 7), (4, 255), (5, 0)] {
        join(&mut waitlist, number, wish(1, &[]), priority);
    }
    assert_eq!(standing(&waitlist), [2, 4, 3, 1, 5]);
    waitlist.set_order(WaitlistOrder::Fifo);
    assert_eq!(standing(&waitlist), [1, 2, 3, 4, 5]);
    waitlist.set_order(WaitlistOrder::Priority);
    assert_eq!(standing(&waitlist), [2, 4, 3, 1, 5]);
}

#[test]
fn a_lottery_depends_on_the_seed_and_the_ids_and_not_on_who_came_first() {
    let drawn = |seed: u64, joins: &[u8]| {
        let mut waitlist = Waitlist { order: WaitlistOrder::Lottery { seed }, ..Waitlist::default() };
        for number in joins {
            join(&mut waitlist, *number, wish(1, &[]), *number);
        }
        standing(&waitlist)
    };
    let forwards: Vec<u8> = (1..=60).collect();
    let backwards: Vec<u8> = (1..=60).rev().collect();
    assert_eq!(drawn(7, &forwards), drawn(7, &backwards));
    assert_ne!(drawn(7, &forwards), drawn(8, &forwards));
    // Everybody has about the same chance to be drawn among the first ten.
    let mut luck = [0; 61];
    (0..600).for_each(|seed| drawn(seed, &forwards)[..10].iter().for_each(|number| luck[usize::from(*number)] += 1));
    assert!(luck[1..].iter().all(|times| (60..=140).contains(times)), "{luck:?}");
}

#[test]
fn who_is_gathered_for_leaves_the_queue_and_comes_back_to_his_turn() {
    let mut waitlist = Waitlist::default();
    let slots = [1, 2, 3].map(|number| join(&mut waitlist, number, wish(3, &[]), 0));
    waitlist.gather(slots[1], &place(4), Timestamp(50));
    waitlist.gather(slots[1], &place(2), Timestamp(90));
    assert_eq!(standing(&waitlist), [1, 3]);
    assert_eq!((waitlist.gathered(), waitlist.next_gathering_end()), (2, Some((Timestamp(50), id(2)))));
    assert_eq!(waitlist.gatherings_due(Timestamp(49)), []);
    assert_eq!(waitlist.gatherings_due(Timestamp(50)), [id(2)]);
    let ended = waitlist.end_gathering(slots[1]).unwrap();
    assert_eq!(ended.places.seats().collect::<Vec<_>>(), [SeatIndex(2), SeatIndex(4)]);
    assert_eq!(standing(&waitlist), [1, 2, 3]);
    assert!(waitlist.entry(slots[1]).was_gathered_for);
}

#[test]
fn a_queue_ends_with_its_last_entry_and_not_while_one_is_gathered_for() {
    let mut waitlist = Waitlist::default();
    let slots = [1, 2].map(|number| join(&mut waitlist, number, wish(3, &[0]), 0));
    waitlist.gather(slots[0], &place(4), Timestamp(50));
    waitlist.remove(slots[1]);
    assert_eq!(waitlist.queues_for(SectionIndex(0)).count(), 1, "the first one comes back to it");
    let (entry, gathering) = waitlist.remove(slots[0]);
    assert_eq!((entry.id, gathering.map(|gathering| gathering.places)), (id(1), Some(place(4))));
    assert_eq!(waitlist.all_queues().count() + waitlist.queues_for(SectionIndex(0)).count(), 0);
    assert_eq!(waitlist.waiting(), 0);
    assert!(waitlist.slot_of_buyer(&BuyerId::new(&[1]).unwrap()).is_none() && waitlist.slot(id(1)).is_none());
}

#[test]
fn nothing_is_looked_at_while_nobody_waits() {
    let mut waitlist = Waitlist::default();
    waitlist.look_at([SeatIndex(1)].into_iter(), std::iter::empty());
    waitlist.look_everywhere();
    assert!(waitlist.look.is_empty());
}

#[test]
fn what_came_back_is_remembered_up_to_a_bound_and_then_everything_is_looked_at() {
    let mut waitlist = Waitlist::default();
    join(&mut waitlist, 1, wish(1, &[]), 0);
    waitlist.looked();
    let most = u32::try_from(LOOKED_AT_MAX).unwrap();
    waitlist.look_at((0..most).map(SeatIndex), std::iter::empty());
    assert!(!waitlist.look.everywhere && waitlist.look.seats.len() == LOOKED_AT_MAX);
    waitlist.look_at([SeatIndex(999)].into_iter(), [SectionIndex(0)].into_iter());
    assert!(waitlist.look.everywhere && waitlist.look.seats.len() == LOOKED_AT_MAX);
    assert_eq!(*waitlist.look.sections, [SectionIndex(0)]);
    waitlist.looked();
    assert!(waitlist.look.is_empty());
}

#[test]
fn clearing_gives_back_what_was_gathered_and_counts_on() {
    let mut waitlist = Waitlist::default();
    let slots = [1, 2, 3].map(|number| join(&mut waitlist, number, wish(3, &[]), 0));
    waitlist.gather(slots[2], &place(4), Timestamp(50));
    assert_eq!(waitlist.clear(), [place(4)]);
    assert_eq!((waitlist.waiting(), waitlist.joined, waitlist.iter().count()), (0, 3, 0));
}
