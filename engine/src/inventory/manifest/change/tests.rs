//! Changes: no seat is ever renumbered, and what changed its meaning is told.

use super::*;
use crate::inventory::manifest::SeatNames;

fn numbered(first: u32, count: u32) -> SeatRun {
    SeatRun::new(CategoryIndex(0), SeatNames::Numbered { first, step: 1, count })
}

fn row(name: &str, first: u32, count: u32) -> Row {
    Row::new(name, vec![numbered(first, count)])
}

fn hall() -> Manifest {
    let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
    let seats = |name: &str, rows| Section { name: name.to_owned(), kind: SectionKind::Reserved(rows) };
    let floor = SectionKind::GeneralAdmission { capacity: 10, category: CategoryIndex(1) };
    let named = SeatNames::Named(["a", "b", "c"].map(str::to_owned).to_vec());
    let named = Row::new("N", vec![SeatRun::new(CategoryIndex(1), named)]);
    let parts = ManifestParts {
        name: "Hall".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![category("Seat", 1_000), category("Floor", 100)],
        sections: vec![
            seats("West", vec![row("A", 1, 5), row("B", 1, 5)]),
            seats("East", vec![named]),
            Section { name: "Floor".to_owned(), kind: floor },
        ],
        capacity: None,
        pools: Vec::new(),
    };
    Manifest::new(parts).unwrap()
}

/// Every seat's label, in the order of their numbers.
fn labels(manifest: &Manifest) -> Vec<String> {
    let seats = (0..manifest.seats()).map(SeatIndex);
    seats
        .map(|seat| manifest.label(seat).map(|label| format!("{}/{}{}", label.section, label.row, label.seat)).unwrap())
        .collect()
}

fn ranges(seats: &[(u32, u32)]) -> Vec<SeatRange> {
    seats.iter().map(|&(first, count)| SeatRange { first: SeatIndex(first), count }).collect()
}

fn problem(manifest: &Manifest, change: &ManifestChange) -> String {
    manifest.changed(change).unwrap_err().to_string()
}

#[test]
fn what_is_added_is_numbered_behind_everything_that_was_there() {
    let first = hall();
    let east = SectionIndex(1);
    let second =
        first.changed(&ManifestChange::AddRows { section: SectionIndex(0), rows: vec![row("C", 1, 2)] }).unwrap();
    let north = Section { name: "North".to_owned(), kind: SectionKind::Reserved(vec![row("A", 1, 2)]) };
    let third = second.changed(&ManifestChange::AddSection(north)).unwrap();
    let more = Row { rank: Some(9), added: 77, ..row("M", 1, 1) };
    let fourth = third.changed(&ManifestChange::AddRows { section: east, rows: vec![more, row("O", 5, 2)] }).unwrap();
    let (all, before) = (labels(&fourth), [labels(&first), labels(&second), labels(&third)]);
    assert!(before.iter().all(|before| all.starts_with(before)), "{all:?}");
    assert_eq!(all[13..], ["West/C1", "West/C2", "North/A1", "North/A2", "East/M1", "East/O5", "East/O6"]);
    for (number, _) in all.iter().enumerate() {
        let seat = SeatIndex(u32::try_from(number).unwrap());
        let label = fourth.label(seat).unwrap();
        assert_eq!(fourth.seat(&label.section, &label.row, &label.seat), Some(seat));
    }
    // Written down and read again, it is the same.
    let again = Manifest::new(fourth.parts().clone()).unwrap();
    assert_eq!(labels(&again), all);
}

#[test]
fn seats_go_to_another_category_and_keep_their_names_and_features() {
    let first = hall();
    let change = ManifestChange::Recategorise { seats: ranges(&[(3, 4), (11, 1)]), category: CategoryIndex(1) };
    let second = first.changed(&change).unwrap();
    assert_eq!(labels(&second), labels(&first));
    let of =
        |manifest: &Manifest| (0..13).filter(|seat| manifest.category_of(SeatIndex(*seat)).0 == 1).collect::<Vec<_>>();
    assert_eq!(of(&first), [10, 11, 12]);
    assert_eq!(of(&second), [3, 4, 5, 6, 10, 11, 12]);
    // The named seat was there already: only the others changed.
    assert_eq!(first.changed_places(&change), (ranges(&[(3, 4)]), vec![]));
    // Sent again it changes nothing.
    assert_eq!(second.changed(&change).unwrap().parts(), second.parts());
    let back = ManifestChange::Recategorise { seats: ranges(&[(5, 1)]), category: CategoryIndex(0) };
    let third = second.changed(&back).unwrap();
    assert_eq!(of(&third), [3, 4, 6, 10, 11, 12]);
    assert_eq!(labels(&third), labels(&first));
}

#[test]
fn another_price_is_told_for_every_place_of_the_category() {
    let hall = hall();
    let reprice = |category: u8| ManifestChange::Reprice { category: CategoryIndex(category), price_minor: 5 };
    assert_eq!(hall.changed_places(&reprice(0)), (ranges(&[(0, 10)]), vec![]));
    assert_eq!(hall.changed_places(&reprice(1)), (ranges(&[(10, 3)]), vec![SectionIndex(2)]));
    assert_eq!(hall.changed(&reprice(1)).unwrap().price_of(CategoryIndex(1)), 5);
    let capacity = ManifestChange::SetGaCapacity { section: SectionIndex(2), capacity: 3 };
    assert_eq!(hall.changed_places(&capacity), (vec![], vec![]), "a capacity changes no place");
}

#[test]
fn pools_and_capacities_come_and_go() {
    let set = |capacity: u32| {
        ManifestChange::SetPool(Pool { name: "Standing".to_owned(), capacity, sections: vec![SectionIndex(2)] })
    };
    let with = hall().changed(&set(5)).unwrap().changed(&set(6)).unwrap();
    assert_eq!(with.parts().pools.iter().map(|pool| pool.capacity).collect::<Vec<_>>(), [6]);
    let remove = ManifestChange::RemovePool("Standing".to_owned());
    let without = with.changed(&remove).unwrap();
    assert_eq!(without.parts(), hall().parts());
    assert_eq!(without.changed(&remove).unwrap().parts(), without.parts(), "once is enough");
    let limited = hall().changed(&ManifestChange::SetCapacity(Some(7))).unwrap();
    assert_eq!(limited.parts().capacity, Some(7));
    assert_eq!(limited.changed(&ManifestChange::SetCapacity(None)).unwrap().parts().capacity, None);
}

#[test]
fn every_wrong_change_is_refused_with_its_place() {
    let hall = hall();
    let rows = |section: u32, row: Row| ManifestChange::AddRows { section: SectionIndex(section), rows: vec![row] };
    let category = CategoryIndex(9);
    let resize = |section: u32| ManifestChange::SetGaCapacity { section: SectionIndex(section), capacity: 5 };
    for (change, expected) in [
        (rows(9, row("C", 1, 1)), "sections: there are 3 sections, 9 is none of them"),
        (rows(2, row("C", 1, 1)), "sections[2]: \"Floor\" is not of the kind that this is for"),
        (rows(0, row("A", 5, 2)), "sections[0].rows[2], seat 0 (from 0): \"5\" stands twice"),
        (ManifestChange::Reprice { category, price_minor: 1 }, "categories: names category 9, but there are 2"),
        (
            ManifestChange::Recategorise { seats: ranges(&[(12, 2)]), category: CategoryIndex(0) },
            "sections: there is no seat 13",
        ),
        (
            ManifestChange::Recategorise { seats: ranges(&[(0, 1)]), category },
            "sections[0].rows[0]: names category 9, but there are 2",
        ),
        (resize(0), "sections[0]: \"West\" is not of the kind that this is for"),
        (resize(9), "sections: there are 3 sections, 9 is none of them"),
        (
            ManifestChange::Recategorise { seats: ranges(&[(u32::MAX, u32::MAX)]), category: CategoryIndex(0) },
            "sections: there is no seat 4294967294",
        ),
    ] {
        assert_eq!(problem(&hall, &change), expected);
    }
}
