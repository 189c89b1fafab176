//! What a show sells: categories with prices, sections of seats in rows, sections with a capacity.
//!
//! [`ManifestParts`] is the plain description that importers and the log produce; [`Manifest`] is a checked one, with
//! what is needed to find a seat by its label and a label by its seat. Labels are stored once per row and rule, not per
//! seat: an idle seat costs one byte here. It holds no status: who has a seat is not the manifest's business.

use std::{collections::BTreeSet, ops::Range};

use super::seat_bitmap::SeatBitmap;
use crate::ids::{SeatIndex, SectionIndex};

mod change;
mod check;
mod features;
mod names;
mod parts;
mod repeated;
pub use change::ManifestChange;
pub use check::{ManifestError, ManifestProblem, ManifestSpot};
pub use features::Features;
pub use names::SeatNames;
pub use parts::{Category, CategoryIndex, ManifestParts, Pool, Row, SeatRun, Section, SectionKind};

/// Most places (seats and general-admission units) of a show.
pub const PLACES_MAX: u32 = 1_000_000;
/// Most price categories of a show: a seat's category is one byte.
pub const CATEGORIES_MAX: usize = 255;
/// Most sections of a show.
pub const SECTIONS_MAX: usize = 4_096;
/// Most seats of one row, so that finding a seat by name is bounded.
pub const ROW_SEATS_MAX: u32 = 10_000;
/// Most pools of a show.
pub const POOLS_MAX: usize = 64;
/// Longest name of a category, section, pool or row, in bytes.
pub const NAME_BYTES_MAX: usize = 100;
/// Longest name of a seat, in bytes.
pub const SEAT_NAME_BYTES_MAX: usize = 32;
/// Longest name of a manifest, in bytes.
pub const TITLE_BYTES_MAX: usize = 200;
/// Highest price, in minor units: the sum over a hold of 1,000 places stays far inside 64 bits.
pub const PRICE_MINOR_MAX: u64 = 1_000_000_000_000;

/// A checked manifest. It never changes; a changed one takes its place.
#[derive(Debug)]
pub struct Manifest {
    parts: ManifestParts,
    /// The rows of all sections, in order of their seats.
    rows: Vec<RowPlace>,
    /// Positions in `rows`, best first, and for each row its position there.
    ranked_rows: Vec<u32>,
    rank_positions: Vec<u32>,
    /// Positions in `ranked_rows` of the rows with places that are kept for those who need them, ascending.
    protected_rows: Vec<u32>,
    sections_by_name: Vec<u32>,
    /// Positions in `rows`, ordered by section, then name.
    rows_by_name: Vec<u32>,
    seat_categories: Vec<u8>,
    accessible: SeatBitmap,
    protected: SeatBitmap,
    restricted: SeatBitmap,
    places: u32,
}

/// A row and its seats, which are a contiguous run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace {
    /// Its section.
    pub section: SectionIndex,
    /// Its position within its section.
    pub row: u32,
    /// The number of its first seat.
    pub first_seat: u32,
    /// How many it has.
    pub seats: u32,
    /// How good it is; 0 is best.
    pub rank: u32,
    /// The category of its seats, if all have the same.
    pub category: Option<CategoryIndex>,
}

/// What is printed on a seat's ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeatLabel {
    /// The section's name.
    pub section: String,
    /// The row's name.
    pub row: String,
    /// The seat's name within its row.
    pub seat: String,
}

impl Manifest {
    /// Checks a description and builds what is needed to find seats in it.
    ///
    /// # Errors
    /// [`ManifestError`] with the first thing that is wrong and where it stands.
    pub fn new(mut parts: ManifestParts) -> Result<Self, ManifestError> {
        names::normalise(&mut parts);
        let places = check::check(&parts)?;
        Ok(Self::index(parts, places))
    }

    /// Only for checked parts, within the limits above.
    fn index(parts: ManifestParts, places: u32) -> Self {
        let rows = number_rows(&parts);
        let seats = rows.last().map_or(0, |row| row.first_seat + row.seats);
        let mut manifest = Self {
            sections_by_name: (0..length(&parts.sections)).collect(),
            rows_by_name: (0..length(&rows)).collect(),
            ranked_rows: (0..length(&rows)).collect(),
            rank_positions: vec![0; rows.len()],
            protected_rows: Vec::new(),
            seat_categories: Vec::with_capacity(seats as usize),
            accessible: SeatBitmap::empty(seats),
            protected: SeatBitmap::empty(seats),
            restricted: SeatBitmap::empty(seats),
            parts,
            rows,
            places,
        };
        manifest.note_seats();
        manifest.sort();
        manifest
    }

    fn note_seats(&mut self) {
        for row in 0..length(&self.rows) {
            let mut seat = self.rows[row as usize].first_seat;
            let runs: Vec<_> =
                self.row(row).runs.iter().map(|run| (run.category.0, run.features, run.names.len())).collect();
            for (category, features, seats) in runs {
                self.seat_categories.extend(std::iter::repeat_n(category, seats as usize));
                let next = seat + seats;
                for (feature, bitmap) in [
                    (Features::ACCESSIBLE, &mut self.accessible),
                    (Features::ACCESSIBLE.and(Features::COMPANION), &mut self.protected),
                    (Features::RESTRICTED_VIEW, &mut self.restricted),
                ] {
                    if features.has_any(feature) {
                        (seat..next).for_each(|seat| bitmap.insert(SeatIndex(seat)));
                    }
                }
                seat = next;
            }
        }
    }

    fn sort(&mut self) {
        let mut sections = std::mem::take(&mut self.sections_by_name);
        sections.sort_by_key(|&section| &self.parts.sections[section as usize].name);
        self.sections_by_name = sections;
        let mut rows = std::mem::take(&mut self.rows_by_name);
        // Stable: rows that share a name stay in the order of their seats.
        rows.sort_by_key(|&row| (self.rows[row as usize].section, &self.row(row).name));
        self.rows_by_name = rows;
        let rows = &self.rows;
        self.ranked_rows.sort_by_key(|&row| (rows[row as usize].rank, rows[row as usize].section));
        for (position, &row) in (0u32..).zip(&self.ranked_rows) {
            self.rank_positions[row as usize] = position;
        }
        let rows: BTreeSet<usize> = self.protected.iter().map(|seat| self.row_of(seat)).collect();
        self.protected_rows = rows.into_iter().map(|row| self.rank_positions[row]).collect();
        self.protected_rows.sort_unstable();
    }

    /// The description it was made from.
    #[must_use]
    pub fn parts(&self) -> &ManifestParts {
        &self.parts
    }

    /// Seats and general-admission units together.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.places
    }

    /// Seats.
    #[must_use]
    pub fn seats(&self) -> u32 {
        length(&self.seat_categories)
    }

    /// Units of a general-admission section; `None` for a section of seats or one that does not exist.
    #[must_use]
    pub fn ga_capacity(&self, section: SectionIndex) -> Option<u32> {
        self.ga(section).map(|(capacity, _)| capacity)
    }

    /// What one unit of a general-admission section costs; `None` as for [`Self::ga_capacity`].
    #[must_use]
    pub fn ga_category(&self, section: SectionIndex) -> Option<&Category> {
        self.ga(section).map(|(_, category)| &self.parts.categories[usize::from(category.0)])
    }

    /// The category of a general-admission section; `None` as for [`Self::ga_capacity`].
    #[must_use]
    pub fn ga_category_index(&self, section: SectionIndex) -> Option<CategoryIndex> {
        self.ga(section).map(|(_, category)| category)
    }

    fn ga(&self, section: SectionIndex) -> Option<(u32, CategoryIndex)> {
        match self.parts.sections.get(section.0 as usize)?.kind {
            SectionKind::GeneralAdmission { capacity, category } => Some((capacity, category)),
            SectionKind::Reserved(_) => None,
        }
    }

    /// A seat's category; `None` for a seat that does not exist.
    #[must_use]
    pub fn seat_category(&self, seat: SeatIndex) -> Option<&Category> {
        let category = self.seat_categories.get(seat.0 as usize)?;
        Some(&self.parts.categories[usize::from(*category)])
    }

    /// The position of a seat's category. The seat must exist.
    #[must_use]
    pub fn category_of(&self, seat: SeatIndex) -> CategoryIndex {
        CategoryIndex(self.seat_categories[seat.0 as usize])
    }

    /// What a place of a category costs, in minor units. The category must exist.
    #[must_use]
    pub fn price_of(&self, category: CategoryIndex) -> u64 {
        self.parts.categories[usize::from(category.0)].price_minor
    }

    /// A category by its name.
    #[must_use]
    pub fn category(&self, name: &str) -> Option<CategoryIndex> {
        let position = self.parts.categories.iter().position(|category| category.name == name)?;
        u8::try_from(position).ok().map(CategoryIndex)
    }

    /// Wheelchair bays.
    #[must_use]
    pub fn accessible(&self) -> &SeatBitmap {
        &self.accessible
    }

    /// Wheelchair bays and companions' seats: the places that are kept for those who need them.
    #[must_use]
    pub fn protected(&self) -> &SeatBitmap {
        &self.protected
    }

    /// Seats with a restricted view.
    #[must_use]
    pub fn restricted(&self) -> &SeatBitmap {
        &self.restricted
    }

    /// All rows, in the order of their seats.
    #[must_use]
    pub fn rows(&self) -> &[RowPlace] {
        &self.rows
    }

    /// Seats side by side of one category, ascending.
    pub fn seat_runs(&self) -> impl Iterator<Item = (Range<u32>, CategoryIndex)> + '_ {
        self.rows.iter().flat_map(|place| {
            let mut first = place.first_seat;
            self.row_at(place).runs.iter().map(move |run| {
                let seats = first..first + run.names.len();
                first = seats.end;
                (seats, run.category)
            })
        })
    }

    /// The position in [`Self::rows`] of a seat's row. The seat must exist.
    #[must_use]
    pub fn row_of(&self, seat: SeatIndex) -> usize {
        self.rows.partition_point(|row| row.first_seat <= seat.0) - 1
    }

    /// A row's name. The row must be one of [`Self::rows`].
    #[must_use]
    pub fn row_name(&self, row: &RowPlace) -> &str {
        &self.row_at(row).name
    }

    /// Positions in [`Self::rows`], best first: by rank, then section, then the order of their seats.
    #[must_use]
    pub fn ranked_rows(&self) -> &[u32] {
        &self.ranked_rows
    }

    /// Where the rows with places that are kept for those who need them stand in [`Self::ranked_rows`], ascending.
    #[must_use]
    pub fn protected_rows(&self) -> &[u32] {
        &self.protected_rows
    }

    /// Where a row of [`Self::rows`] stands in [`Self::ranked_rows`].
    #[must_use]
    pub fn rank_position(&self, row: usize) -> usize {
        self.rank_positions[row] as usize
    }

    /// A section by its name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<SectionIndex> {
        let name_of = |&section: &u32| self.parts.sections[section as usize].name.as_str();
        let position = self.sections_by_name.binary_search_by_key(&name, name_of).ok()?;
        Some(SectionIndex(self.sections_by_name[position]))
    }

    /// A section's name. The section must exist.
    #[must_use]
    pub fn section_name(&self, section: SectionIndex) -> &str {
        &self.parts.sections[section.0 as usize].name
    }

    /// A seat by its label.
    #[must_use]
    pub fn seat(&self, section: &str, row: &str, seat: &str) -> Option<SeatIndex> {
        let section = self.section(section)?;
        let key_of = |&place: &u32| (self.rows[place as usize].section, self.row(place).name.as_str());
        let first = self.rows_by_name.partition_point(|place| key_of(place) < (section, row));
        let same_name = self.rows_by_name[first..].iter().take_while(|place| key_of(place) == (section, row));
        for &place in same_name {
            let mut next_seat = self.rows[place as usize].first_seat;
            for run in &self.row(place).runs {
                if let Some(position) = run.names.position(seat) {
                    return Some(SeatIndex(next_seat + position));
                }
                next_seat += run.names.len();
            }
        }
        None
    }

    /// A seat's label; `None` for a seat that does not exist.
    #[must_use]
    pub fn label(&self, seat: SeatIndex) -> Option<SeatLabel> {
        if seat.0 >= self.seats() {
            return None;
        }
        let place = self.row_of(seat);
        let mut position = seat.0 - self.rows[place].first_seat;
        let row = self.row(u32::try_from(place).ok()?);
        for run in &row.runs {
            if position < run.names.len() {
                let section = self.section_name(self.rows[place].section).to_owned();
                return Some(SeatLabel { section, row: row.name.clone(), seat: run.names.name(position) });
            }
            position -= run.names.len();
        }
        None
    }

    fn row(&self, place: u32) -> &Row {
        self.row_at(&self.rows[place as usize])
    }

    fn row_at(&self, place: &RowPlace) -> &Row {
        match &self.parts.sections[place.section.0 as usize].kind {
            SectionKind::Reserved(rows) => &rows[place.row as usize],
            SectionKind::GeneralAdmission { .. } => unreachable!("only sections of seats have rows"),
        }
    }
}

/// The rows of all sections with the numbers of their seats: first those that came first.
fn number_rows(parts: &ManifestParts) -> Vec<RowPlace> {
    let mut rows: Vec<(u32, RowPlace)> = Vec::new();
    for (section, description) in (0u32..).map(SectionIndex).zip(&parts.sections) {
        let SectionKind::Reserved(own) = &description.kind else { continue };
        for (row, description) in (0u32..).zip(own) {
            let seats = description.runs.iter().map(|run| run.names.len()).sum();
            let rank = description.rank.unwrap_or(row);
            let first = description.runs.first().map(|run| run.category);
            let category = first.filter(|first| description.runs.iter().all(|run| run.category == *first));
            rows.push((description.added, RowPlace { section, row, first_seat: 0, seats, rank, category }));
        }
    }
    rows.sort_by_key(|(added, _)| *added);
    let mut next_seat = 0;
    let numbered = rows.into_iter().map(|(_, mut row)| {
        row.first_seat = next_seat;
        next_seat += row.seats;
        row
    });
    numbered.collect()
}

/// A length that the limits above keep far below 2^32.
fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("a manifest within its limits")
}

/// The first name that stands twice, with the position of its second standing.
fn first_repeated<T: Ord>(names: impl IntoIterator<Item = T>) -> Option<usize> {
    let mut seen = BTreeSet::new();
    names.into_iter().position(|name| !seen.insert(name))
}

#[cfg(test)]
mod tests;
