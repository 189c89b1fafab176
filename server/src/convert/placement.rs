//! How a party sits, as it is told: groups of seats side by side.

use usher_engine::{
    ids::SeatIndex,
    inventory::{
        hold_best::{Placement, Step},
        manifest::Manifest,
        places::Places,
    },
};
use usher_proto::v1;

/// A placement with what the hold has of it now.
pub(super) fn placement(placement: Placement, places: &Places, manifest: &Manifest) -> v1::Placement {
    let step = match placement.step {
        Step::Together => v1::PlacementStep::Together,
        Step::TogetherLeavingOne => v1::PlacementStep::TogetherLeavingOne,
        Step::Split => v1::PlacementStep::Split,
        Step::AcrossSections => v1::PlacementStep::AcrossSections,
        Step::Scattered => v1::PlacementStep::Scattered,
        Step::Units => v1::PlacementStep::Units,
    };
    let groups = groups(places, manifest);
    v1::Placement {
        step: step.into(),
        score: placement.score,
        is_together: groups.len() + places.ga().len() == 1,
        groups,
    }
}

/// Seats with consecutive numbers in one row sit side by side.
fn groups(places: &Places, manifest: &Manifest) -> Vec<v1::SeatGroup> {
    let mut groups: Vec<v1::SeatGroup> = Vec::new();
    let mut row_of_last = None;
    for seat in places.seats().filter(|seat| seat.0 < manifest.seats()) {
        let row = manifest.row_of(seat);
        match groups.last_mut() {
            Some(group) if row_of_last == Some(row) && is_next(group, seat) => group.seat_indexes.push(seat.0),
            _ => {
                let place = &manifest.rows()[row];
                groups.push(v1::SeatGroup {
                    section: manifest.section_name(place.section).to_owned(),
                    row: manifest.row_name(place).to_owned(),
                    seat_indexes: vec![seat.0],
                });
            }
        }
        row_of_last = Some(row);
    }
    groups
}

fn is_next(group: &v1::SeatGroup, seat: SeatIndex) -> bool {
    group.seat_indexes.last().is_some_and(|last| last + 1 == seat.0)
}

#[cfg(test)]
mod tests {
    use usher_engine::inventory::manifest::{
        Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind,
    };

    use super::*;

    /// Two halves of row 1 with an aisle between them, three seats each.
    fn halves() -> Manifest {
        let half = |first| {
            let names = SeatNames::Numbered { first, step: 1, count: 3 };
            Row::new("1", vec![SeatRun::new(CategoryIndex(0), names)])
        };
        let kind = SectionKind::Reserved(vec![half(1), half(4)]);
        Manifest::new(ManifestParts {
            name: "Hall".to_owned(),
            currency: "EUR".to_owned(),
            categories: vec![Category { name: "Gold".to_owned(), price_minor: 1 }],
            sections: vec![Section { name: "Stalls".to_owned(), kind }],
            capacity: None,
            pools: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn a_group_ends_at_a_gap_and_at_an_aisle() {
        let groups_of = |seats: &[u32]| {
            let places = Places::new(seats.iter().map(|&seat| SeatIndex(seat)), []).unwrap();
            let told = placement(Placement { step: Step::Split, score: 0 }, &places, &halves());
            let groups: Vec<Vec<u32>> = told.groups.into_iter().map(|group| group.seat_indexes).collect();
            (groups, told.is_together)
        };
        assert_eq!(groups_of(&[0, 1, 2]), (vec![vec![0, 1, 2]], true));
        assert_eq!(groups_of(&[1, 2, 3, 4]), (vec![vec![1, 2], vec![3, 4]], false), "across the aisle");
        assert_eq!(groups_of(&[0, 2]), (vec![vec![0], vec![2]], false));
    }
}
