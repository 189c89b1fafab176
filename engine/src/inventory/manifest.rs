//! What a show sells: categories with prices, sections of seats in rows, sections with a capacity.
//!
//! [`ManifestParts`] is the plain description that importers and the log produce; [`Manifest`] is a checked one, with
//! what is needed to find a seat by its label and a label by its seat. Labels are stored once per row and rule, not per
//! seat: an idle seat costs one byte here. It holds no status: who has a seat is not the manifest's business.

use std::{collections::BTreeSet, ops::Range};

use bincode::{Decode, Encode};

use crate::ids::{SeatIndex, SectionIndex};

mod check;
mod names;
pub use check::{ManifestError, ManifestProblem, ManifestSpot};
pub use names::SeatNames;

/// Most places (seats and general-admission units) of a show.
pub const PLACES_MAX: u32 = 1_000_000;
/// Most price categories of a show: a seat's category is one byte.
pub const CATEGORIES_MAX: usize = 255;
/// Most sections of a show.
pub const SECTIONS_MAX: usize = 4_096;
/// Most seats of one row, so that finding a seat by name is bounded.
pub const ROW_SEATS_MAX: u32 = 10_000;
/// Longest name of a category, section or row, in bytes.
pub const NAME_BYTES_MAX: usize = 100;
/// Longest name of a seat, in bytes.
pub const SEAT_NAME_BYTES_MAX: usize = 32;
/// Longest name of a manifest, in bytes.
pub const TITLE_BYTES_MAX: usize = 200;
/// Highest price, in minor units: the sum over a hold of 1,000 places stays far inside 64 bits.
pub const PRICE_MINOR_MAX: u64 = 1_000_000_000_000;

/// A manifest as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ManifestParts {
    /// The venue or plan, for people; at most 200 bytes.
    pub name: String,
    /// ISO 4217: three capital letters.
    pub currency: String,
    /// 1 to 255.
    pub categories: Vec<Category>,
    /// 1 to 4,096.
    pub sections: Vec<Section>,
}

/// A price category.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Category {
    /// Unique, 1 to 100 bytes.
    pub name: String,
    /// Minor units of the manifest's currency.
    pub price_minor: u64,
}

/// Position of a category in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CategoryIndex(pub u8);

/// A section with a unique name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Section {
    /// Unique, 1 to 100 bytes.
    pub name: String,
    /// Seats or a capacity.
    pub kind: SectionKind,
}

/// Seats or a capacity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SectionKind {
    /// Rows of seats, 1 or more.
    Reserved(Vec<Row>),
    /// General admission.
    GeneralAdmission {
        /// Units, 1 or more.
        capacity: u32,
        /// Their category.
        category: CategoryIndex,
    },
}

/// Seats side by side. Two rows may share a name (the halves on both sides of an aisle) if their seats' names differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// 1 to 100 bytes.
    pub name: String,
    /// 1 or more, from left to right.
    pub runs: Vec<SeatRun>,
}

/// Seats of one category side by side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SeatRun {
    /// Their category.
    pub category: CategoryIndex,
    /// Their names.
    pub names: SeatNames,
}

/// A checked manifest. It never changes; a changed one takes its place.
#[derive(Debug)]
pub struct Manifest {
    parts: ManifestParts,
    /// The rows of all sections, in order of their seats.
    rows: Vec<RowPlace>,
    /// For each section, its rows in `rows`; empty for general admission.
    section_rows: Vec<Range<u32>>,
    sections_by_name: Vec<u32>,
    /// Positions in `rows`, ordered by section, then name.
    rows_by_name: Vec<u32>,
    seat_categories: Vec<u8>,
    places: u32,
}

#[derive(Debug)]
struct RowPlace {
    section: u32,
    /// Position within its section.
    row: u32,
    first_seat: u32,
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
        let mut rows = Vec::new();
        let mut section_rows = Vec::with_capacity(parts.sections.len());
        let mut seat_categories = Vec::new();
        for (section, description) in (0u32..).zip(&parts.sections) {
            let first_row = length(&rows);
            if let SectionKind::Reserved(section_rows) = &description.kind {
                for (row, description) in (0u32..).zip(section_rows) {
                    rows.push(RowPlace { section, row, first_seat: length(&seat_categories) });
                    for run in &description.runs {
                        seat_categories.extend(std::iter::repeat_n(run.category.0, run.names.len() as usize));
                    }
                }
            }
            section_rows.push(first_row..length(&rows));
        }
        seat_categories.shrink_to_fit();
        let mut manifest = Self {
            sections_by_name: (0..length(&parts.sections)).collect(),
            rows_by_name: (0..length(&rows)).collect(),
            parts,
            rows,
            section_rows,
            seat_categories,
            places,
        };
        manifest.sort_by_name();
        manifest
    }

    fn sort_by_name(&mut self) {
        let mut sections = std::mem::take(&mut self.sections_by_name);
        sections.sort_by_key(|&section| &self.parts.sections[section as usize].name);
        self.sections_by_name = sections;
        let mut rows = std::mem::take(&mut self.rows_by_name);
        // Stable: rows that share a name stay in the order of their seats.
        rows.sort_by_key(|&row| (self.rows[row as usize].section, &self.row(row).name));
        self.rows_by_name = rows;
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
        let section = self.section(section)?.0;
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
        let place = self.rows.partition_point(|row| row.first_seat <= seat.0) - 1;
        let mut position = seat.0 - self.rows[place].first_seat;
        let row = self.row(u32::try_from(place).ok()?);
        for run in &row.runs {
            if position < run.names.len() {
                let section = self.section_name(SectionIndex(self.rows[place].section)).to_owned();
                return Some(SeatLabel { section, row: row.name.clone(), seat: run.names.name(position) });
            }
            position -= run.names.len();
        }
        None
    }

    fn row(&self, place: u32) -> &Row {
        let place = &self.rows[place as usize];
        match &self.parts.sections[place.section as usize].kind {
            SectionKind::Reserved(rows) => &rows[place.row as usize],
            SectionKind::GeneralAdmission { .. } => unreachable!("only sections of seats have rows"),
        }
    }

    /// The seats of a section, a contiguous run; empty for general admission. The section must exist.
    #[must_use]
    pub fn section_seats(&self, section: SectionIndex) -> Range<u32> {
        let rows = &self.section_rows[section.0 as usize];
        let first_seat_of = |row: u32| self.rows.get(row as usize).map_or(self.seats(), |row| row.first_seat);
        if rows.is_empty() { 0..0 } else { first_seat_of(rows.start)..first_seat_of(rows.end) }
    }
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
