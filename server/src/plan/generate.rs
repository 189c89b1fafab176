//! Venues made up by arithmetic: of any size for measurements, and the demo's stadium.
//!
//! The same arguments give the same venue, seat for seat: there is no randomness. Nothing here reads or writes files.

use usher_engine::inventory::manifest::{
    Category, CategoryIndex, ManifestParts, PLACES_MAX, Row, SeatNames, SeatRun, Section, SectionKind,
};

mod demo_stadium;
mod pretix_writer;
pub use demo_stadium::{demo_stadium_pretix, demo_stadium_prices};

/// Fewest places of [`stadium`]: below, a bowl has no shape.
pub const STADIUM_PLACES_MIN: u32 = 1_000;

/// Stands by compass, with the weight of their side: West and East are the long sides.
const STANDS: [(&str, u32); 4] = [("West", 6), ("North", 5), ("East", 6), ("South", 5)];
/// A block of common size: about 25 rows of 24 seats.
const BLOCK_SEATS: u32 = 600;
/// So that a block's number within its stand and tier has two digits.
const BLOCKS_PER_STAND_MAX: u32 = 99;
/// One place in this many stands.
const STANDING_SHARE: u32 = 20;

const PREMIUM: CategoryIndex = CategoryIndex(0);
const FIRST: CategoryIndex = CategoryIndex(1);
const SECOND: CategoryIndex = CategoryIndex(2);
const THIRD: CategoryIndex = CategoryIndex(3);
const STANDING: CategoryIndex = CategoryIndex(4);

/// A bowl of 1 to 6 tiers with four stands, five price categories and two standing sections: exactly `places` places.
///
/// A block is a section, such as `West 214`: tier 2, block 14. It has 20 to 30 rows, the more the higher its tier, and
/// each row has about as many seats as the one before it or more. One place in 20 is a standing one.
///
/// # Panics
/// When `places` is not between [`STADIUM_PLACES_MIN`] and [`PLACES_MAX`].
#[must_use]
pub fn stadium(places: u32) -> ManifestParts {
    assert!((STADIUM_PLACES_MIN..=PLACES_MAX).contains(&places), "a stadium has 1,000 to 1,000,000 places");
    let standing = places / STANDING_SHARE;
    let seats = places - standing;
    let tiers = tiers(seats);
    // The bowl widens: each tier holds a tenth more than the one below.
    let tier_weights: Vec<u32> = (0..tiers).map(|tier| 10 + tier).collect();
    let tier_seats = (1u32..).zip(shares(seats, &tier_weights));
    let mut sections: Vec<Section> = tier_seats.flat_map(|(tier, seats)| tier_sections(tier, seats)).collect();
    for (name, capacity) in [("Standing North", standing / 2), ("Standing South", standing - standing / 2)] {
        let kind = SectionKind::GeneralAdmission { capacity, category: STANDING };
        sections.push(Section { name: name.to_owned(), kind });
    }
    ManifestParts {
        name: format!("Stadium of {places} places"),
        currency: "EUR".to_owned(),
        categories: categories(),
        sections,
        capacity: None,
        pools: Vec::new(),
    }
}

/// A plain hall of one price: blocks of 25 rows of 40 seats, the last ones shorter.
#[must_use]
pub fn hall(seats: u32) -> ManifestParts {
    const ROW_SEATS: u32 = 40;
    const BLOCK_ROWS: usize = 25;
    let row = |(number, first): (usize, u32)| {
        let count = (seats - first).min(ROW_SEATS);
        let names = SeatNames::Numbered { first: 1, step: 1, count };
        Row::new((number % BLOCK_ROWS + 1).to_string(), vec![SeatRun::new(PREMIUM, names)])
    };
    let rows: Vec<Row> = (0..seats.div_ceil(ROW_SEATS)).map(|row| row * ROW_SEATS).enumerate().map(row).collect();
    let blocks = (1..).zip(rows.chunks(BLOCK_ROWS));
    let section = |(number, rows): (u32, &[Row])| {
        let kind = SectionKind::Reserved(rows.to_vec());
        Section { name: format!("Block {number}"), kind }
    };
    ManifestParts {
        name: format!("Hall of {seats} seats"),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Seat".to_owned(), price_minor: 5_000 }],
        sections: blocks.map(section).collect(),
        capacity: None,
        pools: Vec::new(),
    }
}

fn tiers(seats: u32) -> u32 {
    match seats {
        0..10_000 => 1,
        10_000..40_000 => 2,
        40_000..120_000 => 3,
        120_000..250_000 => 4,
        250_000..500_000 => 5,
        _ => 6,
    }
}

fn categories() -> Vec<Category> {
    let prices = [("Premium", 18_000), ("Category 1", 12_000), ("Category 2", 8_500), ("Category 3", 5_500)];
    let prices = prices.into_iter().chain([("Standing", 2_500)]);
    prices.map(|(name, price_minor)| Category { name: name.to_owned(), price_minor }).collect()
}

/// The blocks of a tier (from 1), stand by stand.
fn tier_sections(tier: u32, seats: u32) -> Vec<Section> {
    let blocks = (seats / (4 * BLOCK_SEATS)).clamp(1, BLOCKS_PER_STAND_MAX);
    let stands = STANDS.iter().flat_map(|&stand| (1..=blocks).map(move |block| (stand, block)));
    let weights: Vec<u32> = stands.clone().map(|((_, weight), _)| weight).collect();
    let blocks_with_seats = stands.zip(shares(seats, &weights));
    let section = |(((stand, _), block), seats): (((&str, u32), u32), u32)| {
        let long_side = matches!(stand, "West" | "East");
        let rows = block_rows(tier, long_side, seats);
        Section { name: format!("{stand} {tier}{block:02}"), kind: SectionKind::Reserved(rows) }
    };
    blocks_with_seats.map(section).collect()
}

fn block_rows(tier: u32, long_side: bool, seats: u32) -> Vec<Row> {
    let rows = (18 + 2 * tier).min(30);
    // The last row is about half as wide again as the first.
    let weights: Vec<u32> = (0..rows).map(|row| 2 * rows + row).collect();
    let row = |(number, count): (u32, u32)| {
        let names = SeatNames::Numbered { first: 1, step: 1, count };
        let category = category_of(tier, long_side, number);
        Row::new(number.to_string(), vec![SeatRun::new(category, names)])
    };
    (1u32..).zip(shares(seats, &weights)).map(row).collect()
}

fn category_of(tier: u32, long_side: bool, row: u32) -> CategoryIndex {
    match (tier, long_side) {
        (1, true) if row <= 12 => PREMIUM,
        (1, true) => FIRST,
        (2, true) | (1, false) => SECOND,
        _ => THIRD,
    }
}

/// Divides `total` in proportion to the weights; the shares add up to exactly `total`.
///
/// Each share is the difference of two rounded running sums, so that no share is off by more than one.
fn shares(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u128 = weights.iter().copied().map(u128::from).sum();
    let mut weight_so_far = 0u128;
    let mut given = 0;
    let mut share = |&weight: &u32| {
        weight_so_far += u128::from(weight);
        let until_here = u128::from(total) * weight_so_far / sum.max(1);
        let until_here = u32::try_from(until_here).unwrap_or(total);
        let share = until_here - given;
        given = until_here;
        share
    };
    weights.iter().map(&mut share).collect()
}

/// `count` positions in the middle of equal parts of 0 to 1.
fn middles(count: u32) -> impl Iterator<Item = f64> {
    (0..count).map(move |part| (f64::from(part) + 0.5) / f64::from(count))
}

#[cfg(test)]
mod tests {
    use usher_engine::inventory::manifest::Manifest;

    use super::*;
    use crate::plan::{self, PlanFormat};

    #[test]
    fn a_stadium_has_exactly_the_places_asked_for() {
        let sizes = (1_000..4_000).step_by(37).chain((4_000..1_000_000).step_by(49_999));
        for places in sizes.chain([9_999, 10_530, 70_001, 999_999, PLACES_MAX]) {
            let manifest = Manifest::new(stadium(places)).unwrap();
            assert_eq!(manifest.places(), places);
            assert_eq!(manifest.places() - manifest.seats(), places / STANDING_SHARE);
        }
    }

    #[test]
    fn blocks_grow_with_their_distance_from_the_pitch() {
        let parts = stadium(70_000);
        for section in &parts.sections {
            let SectionKind::Reserved(rows) = &section.kind else { continue };
            let lengths: Vec<u32> = rows.iter().map(|row| row.runs[0].names.len()).collect();
            assert!((20..=30).contains(&rows.len()), "{}: {} rows", section.name, rows.len());
            // Shares are off by at most one, so that a row may be one shorter than the row before it.
            assert!(lengths.windows(2).all(|pair| pair[1] + 1 >= pair[0]), "{}: {lengths:?}", section.name);
            assert!(lengths.last() > lengths.first() && lengths.iter().all(|&length| length < 60), "{lengths:?}");
        }
        assert_eq!(parts, stadium(70_000), "the same each time");
    }

    #[test]
    fn shares_add_up_and_follow_the_weights() {
        assert_eq!(shares(10, &[1, 1, 1]), [3, 3, 4]);
        assert_eq!(shares(7, &[0, 2, 5]), [0, 2, 5]);
        assert_eq!(shares(u32::MAX, &[u32::MAX, u32::MAX]), [u32::MAX / 2, u32::MAX / 2 + 1]);
        assert!(shares(5, &[]).is_empty());
    }

    #[test]
    fn the_demo_stadium_is_imported_like_any_plan() {
        let document = demo_stadium_pretix();
        assert!(document.len() < plan::DOCUMENT_BYTES_MAX / 4, "{} bytes", document.len());
        let manifest = plan::read(document.as_bytes(), None, &demo_stadium_prices()).unwrap();
        assert_eq!((manifest.places(), manifest.seats()), (74_475, 74_475));
        assert_eq!(manifest.parts().sections.len(), 61);
        assert_eq!(manifest.parts().categories.len(), 7, "each category has seats");
        assert!(plan::read(document.as_bytes(), Some(PlanFormat::UsherJson), &demo_stadium_prices()).is_err());
    }
}
