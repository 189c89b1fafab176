//! The index equals a fresh one whatever changed, for every sight.

use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::{
    command::Adjacency,
    ids::ShowNumber,
    inventory::{Inventory, places::Places, scenario},
};

fn runs(words: &[u64], first: u32, seats: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    each_run(first, seats, |word| words[word], |start, length| found.push((start, length)));
    found
}

/// 250 seats in rows across words, of two prices, with bays, a restricted view and a channel.
fn hall() -> Inventory {
    scenario::run(
        "category Gold 3000
         row A 70 in West, 20-40 at Gold, restricted 30-33
         row B 10 in West, bays 4 5, companions 6
         row C 90 in West, rank 0, at Gold, restricted 1 90
         row D 1 in East
         row E 79 in East, restricted 40
         00:00  channel fans        -> done
         00:00  assign A1-A9 E70-E79 to fans -> 19 changed",
    )
}

fn sights(show: &Show) -> Vec<Sight> {
    let any = Wish::seats(1, Adjacency::Any);
    let cheap = Wish { price_minor_max: Some(1_000), ..any.clone() };
    let gold = Wish { categories: vec![CategoryIndex(2)], ..any.clone() };
    let clear = Wish { exclude_restricted: true, ..any.clone() };
    let of = |wish: &Wish| [0, 1].map(|reach| Sight::new(wish, &show.manifest, reach));
    [any, cheap, gold, clear].iter().flat_map(of).collect()
}

/// Takes a seat that is free, puts it back if it is taken.
fn change(show: &mut Show, seat: u32) {
    let seat = SeatIndex(seat % show.manifest.seats());
    let places = Places::new([seat], []).unwrap();
    if show.available.contains(seat) { show.take(&places) } else { show.put_back(&places) }
}

fn look(show: &Show, sight: &Sight) -> u32 {
    show.runs.with(show, sight, |index| index.free_seats)
}

fn random(number: u64) -> u32 {
    u32::try_from(xxh3_64(&number.to_le_bytes()) >> 32).unwrap()
}

#[test]
fn runs_are_found_across_words_and_end_with_the_row() {
    assert_eq!(runs(&[0b1011_0011], 0, 8), [(0, 2), (4, 2), (7, 1)]);
    assert_eq!(runs(&[0b1011_0011], 1, 5), [(1, 1), (4, 2)]);
    assert_eq!(runs(&[u64::MAX, u64::MAX], 60, 10), [(60, 10)]);
    assert_eq!(runs(&[u64::MAX, 0b11], 0, 128), [(0, 66)]);
    assert_eq!(runs(&[0, 0], 3, 100), []);
    assert_eq!(runs(&[u64::MAX, u64::MAX, u64::MAX], 10, 150), [(10, 150)]);
}

#[test]
fn a_sight_sees_what_the_wish_allows_and_the_caller_reaches() {
    let mut inventory = hall();
    let show = &mut inventory.shows[0];
    // 250 seats, 3 of the pool; of the others 19 in the channel, 111 at Gold, 7 with a restricted view.
    let counts: Vec<u32> = sights(show).iter().map(|sight| look(show, sight)).collect();
    assert_eq!(counts, [228, 247, 117, 136, 111, 111, 221, 240]);
    (0..250).filter(|seat| seat % 3 > 0).for_each(|seat| change(show, seat));
    show.runs.check(show);
}

/// Whatever is taken and put back, in whatever order the sights are asked.
#[test]
fn after_any_changes_every_index_is_what_a_new_one_would_be() {
    let mut inventory = hall();
    let show = &mut inventory.shows[0];
    let sights = sights(show);
    for round in 0..400 {
        // Most rounds change a few seats, some as many that an index that was not asked is made anew.
        let changes = if round % 50 == 49 { 1_000 } else { u64::from(random(round)) % 20 };
        (0..changes).for_each(|number| change(show, random(round * 1_000 + number)));
        let asked = &sights[random(round) as usize % sights.len()];
        let free =
            show.available.iter().filter(|seat| asked.sees(show, *seat) && !show.manifest.protected().contains(*seat));
        assert_eq!(look(show, asked) as usize, free.count(), "round {round}");
        if round % 40 == 39 {
            show.runs.check(show);
        }
    }
}

#[test]
fn changes_that_nobody_asked_about_are_forgotten_beyond_a_bound() {
    let mut inventory = hall();
    let show = &mut inventory.shows[0];
    let (known, other) = (sights(show)[0].clone(), sights(show)[1].clone());
    look(show, &known);
    look(show, &other);
    for seat in 0..10_000 {
        change(show, random(seat));
        if seat % 100 == 0 {
            look(show, &other);
        }
    }
    assert!(show.runs.changes.len() <= 2 * CHANGES_MIN);
    show.runs.check(show);
}

#[test]
fn nothing_is_noted_while_nobody_has_asked() {
    let mut inventory = hall();
    let show = &mut inventory.shows[0];
    show.runs.forget();
    (0..100).for_each(|seat| change(show, seat));
    assert!(show.runs.changes.is_empty());
    assert_eq!(show.runs.changes_before, 0);
}

/// The one that was not asked for longest makes room.
#[test]
fn there_are_at_most_so_many_indexes() {
    let mut inventory = hall();
    let show = &mut inventory.shows[0];
    let of_reach = |reach: u32| Sight::of_reach(u64::from(reach) << 1);
    for reach in 0..40 {
        look(show, &of_reach(reach));
        look(show, &of_reach(0));
        change(show, random(u64::from(reach)));
    }
    let kept: Vec<u64> = show.runs.indexes.borrow().all.iter().map(|index| index.sight.reach >> 1).collect();
    assert_eq!(kept.len(), INDEXES_MAX);
    assert!(kept.contains(&0) && kept.contains(&39) && !kept.contains(&1), "{kept:?}");
    show.runs.check(show);
}

#[test]
fn a_changed_channel_or_manifest_makes_them_anew() {
    let inventory = scenario::run(
        "row A 20 in West
         00:00  best 2 together as h1     -> held A10 A11 2000, until 10:00, together
         00:01  channel fans              -> done
         00:02  best 2 together as h2     -> held A8 A9 2000, until 10:02, together
         00:03  assign A5 A6 A7 to fans   -> 3 changed
         00:04  best 2 together as h3     -> held A12 A13 2000, until 10:04, together
         00:05  add row B 2 in West       -> version 2
         00:06  best 2 together as h4     -> held B1 B2 2000, until 10:06, together
         00:07  retire A16-A20            -> 5 changed
         00:08  best 4 together as h5     -> held A1 A2 A3 A4 4000, until 10:08, together
         00:09  best 2 together as h6     -> held A14 A15 2000, until 10:09, together",
    );
    inventory.show(ShowNumber(0)).unwrap().runs.check(&inventory.shows[0]);
}
