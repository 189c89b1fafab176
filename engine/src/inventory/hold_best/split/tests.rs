//! Parties in random houses: what is chosen against what a count of the free runs says.

use xxhash_rust::xxh3::xxh3_64;

use crate::{
    command::{Adjacency, Wish},
    ids::{HoldId, SeatIndex},
    inventory::{
        hold_best::{self, Placement, Step},
        places::Places,
        policy::OrphanRule,
        runs::Sight,
        scenario,
        show::Show,
    },
    rejection::Rejection,
    time::Timestamp,
};

const HALL: &str = "row A 12 in West
     row B 7 in West
     row C 9 in West
     row D 5 in East
     row E 40 in East
     row F 3 in East
     00:00  tick  -> done";

fn random(number: u64) -> u64 {
    xxh3_64(&number.to_le_bytes())
}

fn choose(show: &Show, quantity: u32, adjacency: Adjacency, id: u8) -> Result<(Vec<u32>, Placement), Rejection> {
    let wish = Wish::seats(quantity, adjacency);
    let id = HoldId::new(&[id; 16]).unwrap();
    let sight = Sight::new(&wish, &show.manifest, 0);
    let (places, placement) = hold_best::choose(show, &wish, &sight, &Places::default(), (id, Timestamp(0)))?;
    Ok((places.seats().map(|seat| seat.0).collect(), placement))
}

/// The lengths of the free runs of some sections, longest first.
fn free_runs(show: &Show, sections: &[u32]) -> Vec<u32> {
    let mut lengths = Vec::new();
    for row in show.manifest.rows().iter().filter(|row| sections.contains(&row.section.0)) {
        let is_free = |seat: u32| show.available.contains(SeatIndex(seat));
        let seats: Vec<bool> = (row.first_seat..row.first_seat + row.seats).map(is_free).collect();
        let runs = seats.split(|is_free| !is_free).map(<[bool]>::len).filter(|length| *length > 0);
        lengths.extend(runs.map(|length| u32::try_from(length).unwrap()));
    }
    lengths.sort_unstable_by(|left, right| right.cmp(left));
    lengths
}

/// How many of the longest runs have room for so many.
fn fewest(runs: &[u32], quantity: u32) -> Option<usize> {
    let mut room = 0;
    let enough = runs.iter().position(|length| {
        room += length;
        room >= quantity
    });
    enough.map(|last| last + 1)
}

/// The groups of chosen seats: in one row, side by side.
fn groups(show: &Show, seats: &[u32]) -> Vec<u32> {
    let mut groups: Vec<(u32, u32)> = Vec::new();
    for &seat in seats {
        let starts_row = show.manifest.rows().iter().any(|row| row.first_seat == seat);
        match groups.last_mut() {
            Some((first, count)) if *first + *count == seat && !starts_row => *count += 1,
            _ => groups.push((seat, 1)),
        }
    }
    groups.into_iter().map(|(_, count)| count).collect()
}

/// A house of which every second to fifth seat is taken.
fn house(show: &mut Show, seed: u64) {
    let density = 2 + random(seed) % 4;
    for seat in
        (0..show.manifest.seats()).filter(|seat| random(seed * 1_000 + u64::from(*seat)).is_multiple_of(density))
    {
        show.take(&Places::new([SeatIndex(seat)], []).unwrap());
    }
}

#[test]
fn a_party_that_must_sit_together_does_or_is_refused() {
    for seed in 0..300 {
        let mut inventory = scenario::run(HALL);
        let show = &mut inventory.shows[0];
        house(show, seed);
        let runs = free_runs(show, &[0, 1]);
        let free: u32 = runs.iter().sum();
        for quantity in 1..=10 {
            let leaves_none = |length: &u32| *length == quantity || *length >= quantity + 2;
            match choose(show, quantity, Adjacency::Required, 1) {
                Ok((seats, placement)) => {
                    assert_eq!(groups(show, &seats), [quantity]);
                    assert!(seats.iter().all(|seat| show.available.contains(SeatIndex(*seat))));
                    let expected = if runs.iter().any(leaves_none) { Step::Together } else { Step::TogetherLeavingOne };
                    assert_eq!(placement.step, expected, "seed {seed}, {quantity}");
                }
                Err(Rejection::SoldOut { available, .. }) => assert!(available == free && free < quantity),
                Err(Rejection::NotTogether { available, .. }) => {
                    assert!(available == free && runs.first().is_none_or(|longest| *longest < quantity));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

/// In one section if one has room, of these one that needs fewest groups; otherwise across them, in as few as can be.
#[test]
fn a_party_that_may_be_split_sits_in_as_few_groups_as_can_be() {
    let mut steps = [0; 3];
    for seed in 0..300 {
        let mut inventory = scenario::run(HALL);
        let show = &mut inventory.shows[0];
        house(show, seed);
        let (west, east, all) = (free_runs(show, &[0]), free_runs(show, &[1]), free_runs(show, &[0, 1]));
        for quantity in [2, 4, 5, 8, 15, 30, 60] {
            let within = [fewest(&west, quantity), fewest(&east, quantity)].into_iter().flatten().min();
            let Ok((seats, placement)) = choose(show, quantity, Adjacency::Preferred, 1) else {
                assert_eq!(fewest(&all, quantity), None, "seed {seed}, {quantity}");
                continue;
            };
            let groups = groups(show, &seats);
            assert_eq!(groups.iter().sum::<u32>(), quantity);
            assert!(seats.iter().all(|seat| show.available.contains(SeatIndex(*seat))));
            let expected = match placement.step {
                Step::Together | Step::TogetherLeavingOne => Some(1),
                Step::Split => within,
                Step::AcrossSections => fewest(&all, quantity).filter(|_| within.is_none()),
                other => panic!("{other:?}"),
            };
            assert_eq!(Some(groups.len()), expected, "seed {seed}, {quantity}: {groups:?} {:?}", placement.step);
            steps[(placement.step as usize).saturating_sub(1).min(2)] += 1;
        }
    }
    assert!(steps.iter().all(|count| *count > 20), "every step was taken: {steps:?}");
}

#[test]
fn nobody_sits_alone_while_there_is_room_for_two_elsewhere() {
    for seed in 0..500 {
        let mut inventory = scenario::run(HALL);
        let show = &mut inventory.shows[0];
        house(show, seed);
        for quantity in 4..=8 {
            let Ok((seats, placement)) = choose(show, quantity, Adjacency::Preferred, 1) else { continue };
            let groups = groups(show, &seats);
            if placement.step != Step::Split || groups.len() != 2 || !groups.contains(&1) {
                continue;
            }
            // The other group spares one only if it stays a group, and there is a run of two that is not its own.
            let section = show.manifest.rows()[show.manifest.row_of(SeatIndex(seats[0]))].section.0;
            let of_two = free_runs(show, &[section]).iter().filter(|length| **length >= 2).count();
            assert!(of_two < 2, "seed {seed}, {quantity}: {groups:?}");
        }
    }
}

/// In two groups of two or more, as long as there are two runs that allow it.
#[test]
fn no_single_seat_is_left_over_by_two_groups_if_the_show_has_an_orphan_rule() {
    let fits = |length: u32, quantity: u32| length == quantity || length >= quantity + 2;
    let mut changed = 0;
    for seed in 0..500 {
        let mut inventory = scenario::run(HALL);
        let show = &mut inventory.shows[0];
        house(show, seed);
        for quantity in 4..=16 {
            let without = choose(show, quantity, Adjacency::Preferred, 1);
            show.policy.orphans = OrphanRule::Avoid;
            let chosen = choose(show, quantity, Adjacency::Preferred, 1);
            show.policy.orphans = OrphanRule::Off;
            let Ok((seats, placement)) = chosen.clone() else { continue };
            if placement.step != Step::Split || groups(show, &seats).len() != 2 {
                continue;
            }
            changed += u32::from(chosen != without);
            let section = show.manifest.rows()[show.manifest.row_of(SeatIndex(seats[0]))].section.0;
            let runs = free_runs(show, &[section]);
            let can_be = (2..=quantity - 2).any(|one| {
                let pairs = (0..runs.len()).flat_map(|a| (0..runs.len()).map(move |b| (a, b)));
                pairs.filter(|(a, b)| a != b).any(|(a, b)| fits(runs[a], one) && fits(runs[b], quantity - one))
            });
            let singles = |lengths: &[u32]| lengths.iter().filter(|length| **length == 1).count();
            let before = singles(&runs);
            let mut then = scenario::run(HALL);
            let then = &mut then.shows[0];
            house(then, seed);
            then.take(&Places::new(seats.iter().copied().map(SeatIndex), []).unwrap());
            let after = singles(&free_runs(then, &[section]));
            assert!(!can_be || after <= before, "seed {seed}, {quantity}: {seats:?}");
        }
    }
    assert!(changed > 20, "the rule matters: {changed}");
}

#[test]
fn whoever_wants_any_seats_gets_them_as_long_as_there_are_enough() {
    for seed in 0..100 {
        let mut inventory = scenario::run(HALL);
        let show = &mut inventory.shows[0];
        house(show, seed);
        let free: u32 = free_runs(show, &[0, 1]).iter().sum();
        for quantity in [1, 7, free, free + 1] {
            let chosen = choose(show, quantity, Adjacency::Any, 1).map(|(seats, _)| seats.len());
            assert_eq!(chosen.ok(), (quantity <= free).then_some(quantity as usize), "seed {seed}");
        }
    }
}

/// Long runs, whose length the index does not tell apart.
#[test]
fn large_parties_find_the_long_rows() {
    let mut inventory = scenario::run(HALL);
    let show = &mut inventory.shows[0];
    for quantity in [29, 30, 31, 32, 38, 40] {
        let (seats, placement) = choose(show, quantity, Adjacency::Required, 1).unwrap();
        assert_eq!((groups(show, &seats), placement.step), (vec![quantity], Step::Together));
    }
    assert_eq!(choose(show, 39, Adjacency::Required, 1).unwrap().1.step, Step::TogetherLeavingOne);
    assert!(matches!(choose(show, 41, Adjacency::Required, 1), Err(Rejection::NotTogether { available: 76, .. })));
    let (seats, placement) = choose(show, 45, Adjacency::Preferred, 1).unwrap();
    assert_eq!((groups(show, &seats).len(), placement.step), (2, Step::Split));
}

#[test]
fn the_choice_depends_on_the_state_and_the_id_alone() {
    let mut inventory = scenario::run(HALL);
    house(&mut inventory.shows[0], 7);
    let show = &inventory.shows[0];
    let chosen: Vec<_> = (1..50).map(|id| choose(show, 3, Adjacency::Required, id).unwrap()).collect();
    show.available.iter().take(10).for_each(|_| {
        look_elsewhere(show);
        let again: Vec<_> = (1..50).map(|id| choose(show, 3, Adjacency::Required, id).unwrap()).collect();
        assert_eq!(chosen, again);
    });
}

/// Asks with other wishes, which makes other indexes.
fn look_elsewhere(show: &Show) {
    let wish = Wish { exclude_restricted: true, ..Wish::seats(2, Adjacency::Any) };
    let sight = Sight::new(&wish, &show.manifest, 0);
    let id = HoldId::new(&[9; 16]).unwrap();
    hold_best::choose(show, &wish, &sight, &Places::default(), (id, Timestamp(0))).unwrap();
}
