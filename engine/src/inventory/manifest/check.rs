//! What makes a manifest one: every limit and every uniqueness, with the spot of the first thing that is wrong.
//!
//! Spots are positions in [`ManifestParts`]; whoever read a document turns them into a path inside it.

use std::fmt;

use super::{
    CATEGORIES_MAX, CategoryIndex, ManifestParts, NAME_BYTES_MAX, PLACES_MAX, POOLS_MAX, PRICE_MINOR_MAX,
    ROW_SEATS_MAX, Row, SEAT_NAME_BYTES_MAX, SECTIONS_MAX, SeatNames, SeatRun, Section, SectionKind, TITLE_BYTES_MAX,
    first_repeated,
};

/// Where in a manifest something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestSpot {
    /// The manifest's name.
    Name,
    /// The currency.
    Currency,
    /// The list of categories.
    Categories,
    /// A category, by position.
    Category(usize),
    /// The list of sections.
    Sections,
    /// A section, by position.
    Section(usize),
    /// A pool, by position.
    Pool(usize),
    /// The capacity of the whole show.
    Capacity,
    /// A row, by position within its section.
    Row {
        /// Its section.
        section: usize,
        /// The row.
        row: usize,
    },
    /// A seat, by position within its row.
    Seat {
        /// Its section.
        section: usize,
        /// Its row.
        row: usize,
        /// The seat, counted over all runs of the row.
        seat: usize,
    },
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum ManifestProblem {
    #[error("must be 1 to {max} bytes, is {length}")]
    NameLength { length: usize, max: usize },
    #[error("must be three capital letters (ISO 4217), is {found:?}")]
    Currency { found: String },
    #[error("must be 1 to {max}, are {found}")]
    Count { found: usize, max: usize },
    #[error("{name:?} stands twice")]
    Repeated { name: String },
    #[error("must be at most {PRICE_MINOR_MAX}, is {found}")]
    Price { found: u64 },
    #[error("names category {index}, but there are {categories}")]
    UnknownCategory { index: u8, categories: usize },
    #[error("has features that do not go together")]
    Features,
    #[error("there are {sections} sections, {index} is none of them")]
    UnknownSection { index: u32, sections: usize },
    #[error("{name:?} is not of the kind that this is for")]
    WrongSection { name: String },
    #[error("there is no seat {index}")]
    UnknownSeat { index: u32 },
    #[error("must be at most {max}, are {found}")]
    TooMany { found: usize, max: usize },
    #[error("has no rows")]
    EmptySection,
    #[error("has no seats")]
    EmptyRow,
    #[error("has a capacity of 0")]
    NoCapacity,
    #[error("has {found} seats, at most {ROW_SEATS_MAX} are allowed")]
    RowTooLong { found: u64 },
    #[error("numbers its seats from {first} in steps of {step}, {count} of them, which does not fit")]
    Numbering { first: u32, step: i32, count: u32 },
    #[error("makes the show larger than {PLACES_MAX} places")]
    TooManyPlaces,
}

/// What is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{spot}: {problem}")]
pub struct ManifestError {
    /// Where.
    pub spot: ManifestSpot,
    /// What.
    pub problem: ManifestProblem,
}

impl fmt::Display for ManifestSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Currency => f.write_str("currency"),
            Self::Categories => f.write_str("categories"),
            Self::Category(category) => write!(f, "categories[{category}]"),
            Self::Sections => f.write_str("sections"),
            Self::Section(section) => write!(f, "sections[{section}]"),
            Self::Pool(pool) => write!(f, "pools[{pool}]"),
            Self::Capacity => f.write_str("capacity"),
            Self::Row { section, row } => write!(f, "sections[{section}].rows[{row}]"),
            Self::Seat { section, row, seat } => write!(f, "sections[{section}].rows[{row}], seat {seat} (from 0)"),
        }
    }
}

/// Returns the number of places.
pub(super) fn check(parts: &ManifestParts) -> Result<u32, ManifestError> {
    let title = &parts.name;
    if title.len() > TITLE_BYTES_MAX || title.is_empty() {
        return wrong(ManifestSpot::Name, ManifestProblem::NameLength { length: title.len(), max: TITLE_BYTES_MAX });
    }
    if parts.currency.len() != 3 || !parts.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return wrong(ManifestSpot::Currency, ManifestProblem::Currency { found: parts.currency.clone() });
    }
    check_categories(parts)?;
    check_count(ManifestSpot::Sections, parts.sections.len(), SECTIONS_MAX)?;
    let mut places = 0;
    for (position, section) in parts.sections.iter().enumerate() {
        let spot = ManifestSpot::Section(position);
        check_name(spot, &section.name, NAME_BYTES_MAX)?;
        places = add_places(spot, places, check_section(position, section, parts.categories.len())?)?;
    }
    if let Some(second) = first_repeated(parts.sections.iter().map(|section| &section.name)) {
        let name = parts.sections[second].name.clone();
        return wrong(ManifestSpot::Section(second), ManifestProblem::Repeated { name });
    }
    check_pools(parts)?;
    if parts.capacity == Some(0) {
        return wrong(ManifestSpot::Capacity, ManifestProblem::NoCapacity);
    }
    Ok(places)
}

fn check_pools(parts: &ManifestParts) -> Result<(), ManifestError> {
    let found = parts.pools.len();
    if found > POOLS_MAX {
        return wrong(ManifestSpot::Pool(POOLS_MAX), ManifestProblem::TooMany { found, max: POOLS_MAX });
    }
    for (position, pool) in parts.pools.iter().enumerate() {
        let spot = ManifestSpot::Pool(position);
        check_name(spot, &pool.name, NAME_BYTES_MAX)?;
        check_count(spot, pool.sections.len(), SECTIONS_MAX)?;
        if pool.capacity == 0 {
            return wrong(spot, ManifestProblem::NoCapacity);
        }
        for section in &pool.sections {
            let Some(section) = parts.sections.get(section.0 as usize) else {
                let (index, sections) = (section.0, parts.sections.len());
                return wrong(spot, ManifestProblem::UnknownSection { index, sections });
            };
            if matches!(section.kind, SectionKind::Reserved(_)) {
                return wrong(spot, ManifestProblem::WrongSection { name: section.name.clone() });
            }
        }
        if let Some(second) = first_repeated(&pool.sections) {
            let name = parts.sections[pool.sections[second].0 as usize].name.clone();
            return wrong(spot, ManifestProblem::Repeated { name });
        }
    }
    match first_repeated(parts.pools.iter().map(|pool| &pool.name)) {
        Some(second) => {
            let name = parts.pools[second].name.clone();
            wrong(ManifestSpot::Pool(second), ManifestProblem::Repeated { name })
        }
        None => Ok(()),
    }
}

fn check_categories(parts: &ManifestParts) -> Result<(), ManifestError> {
    check_count(ManifestSpot::Categories, parts.categories.len(), CATEGORIES_MAX)?;
    for (position, category) in parts.categories.iter().enumerate() {
        let spot = ManifestSpot::Category(position);
        check_name(spot, &category.name, NAME_BYTES_MAX)?;
        if category.price_minor > PRICE_MINOR_MAX {
            return wrong(spot, ManifestProblem::Price { found: category.price_minor });
        }
    }
    match first_repeated(parts.categories.iter().map(|category| &category.name)) {
        Some(second) => {
            let name = parts.categories[second].name.clone();
            wrong(ManifestSpot::Category(second), ManifestProblem::Repeated { name })
        }
        None => Ok(()),
    }
}

fn check_section(position: usize, section: &Section, categories: usize) -> Result<u32, ManifestError> {
    let spot = ManifestSpot::Section(position);
    match &section.kind {
        SectionKind::GeneralAdmission { capacity: 0, .. } => wrong(spot, ManifestProblem::NoCapacity),
        SectionKind::GeneralAdmission { capacity, category } => {
            check_category(spot, *category, categories)?;
            Ok(*capacity)
        }
        SectionKind::Reserved(rows) if rows.is_empty() => wrong(spot, ManifestProblem::EmptySection),
        SectionKind::Reserved(rows) => {
            let mut seats = 0;
            for (row, description) in rows.iter().enumerate() {
                let spot = ManifestSpot::Row { section: position, row };
                seats = add_places(spot, seats, check_row(spot, description, categories)?)?;
            }
            check_labels(position, rows)?;
            Ok(seats)
        }
    }
}

fn check_row(spot: ManifestSpot, row: &Row, categories: usize) -> Result<u32, ManifestError> {
    check_name(spot, &row.name, NAME_BYTES_MAX)?;
    let seats: u64 = row.runs.iter().map(|run| u64::from(run.names.len())).sum();
    if seats == 0 || row.runs.iter().any(|run| run.names.is_empty()) {
        return wrong(spot, ManifestProblem::EmptyRow);
    }
    for run in &row.runs {
        check_category(spot, run.category, categories)?;
        if !run.features.is_valid() {
            return wrong(spot, ManifestProblem::Features);
        }
        match &run.names {
            &SeatNames::Numbered { first, step, count } if step == 0 || run.names.last_number().is_none() => {
                return wrong(spot, ManifestProblem::Numbering { first, step, count });
            }
            SeatNames::Numbered { .. } => {}
            SeatNames::Named(names) => {
                names.iter().try_for_each(|name| check_name(spot, name, SEAT_NAME_BYTES_MAX))?;
            }
        }
    }
    match u32::try_from(seats) {
        Ok(seats) if seats <= ROW_SEATS_MAX => Ok(seats),
        _ => wrong(spot, ManifestProblem::RowTooLong { found: seats }),
    }
}

/// No two seats of a section have the same row name and the same seat name.
fn check_labels(section: usize, rows: &[Row]) -> Result<(), ManifestError> {
    let mut by_name: Vec<(&str, usize)> =
        (0..).zip(rows).map(|(position, row)| (row.name.as_str(), position)).collect();
    by_name.sort_unstable();
    by_name.chunk_by(|(one, _), (other, _)| one == other).try_for_each(|rows_of_name| {
        // Numbers in one run differ, and that is what most rows have.
        let [(_, only)] = rows_of_name else { return check_names(section, rows, rows_of_name) };
        match rows[*only].runs.as_slice() {
            [SeatRun { names: SeatNames::Numbered { .. }, .. }] => Ok(()),
            _ => check_names(section, rows, rows_of_name),
        }
    })
}

/// No two seats of these rows of one name have the same name.
fn check_names(section: usize, rows: &[Row], rows_of_name: &[(&str, usize)]) -> Result<(), ManifestError> {
    let mut labels = Vec::new();
    for &(_, row) in rows_of_name {
        let names = rows[row].runs.iter().flat_map(|run| (0..run.names.len()).map(|seat| run.names.name(seat)));
        labels.extend(names.enumerate().map(|(seat, name)| (name, row, seat)));
    }
    labels.sort_unstable();
    let repeated = labels.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| &pair[1]);
    let Some((name, row, seat)) = repeated else { return Ok(()) };
    wrong(ManifestSpot::Seat { section, row: *row, seat: *seat }, ManifestProblem::Repeated { name: name.clone() })
}

fn check_category(spot: ManifestSpot, category: CategoryIndex, categories: usize) -> Result<(), ManifestError> {
    if usize::from(category.0) < categories {
        return Ok(());
    }
    wrong(spot, ManifestProblem::UnknownCategory { index: category.0, categories })
}

fn check_name(spot: ManifestSpot, name: &str, max: usize) -> Result<(), ManifestError> {
    if (1..=max).contains(&name.len()) {
        return Ok(());
    }
    wrong(spot, ManifestProblem::NameLength { length: name.len(), max })
}

fn check_count(spot: ManifestSpot, found: usize, max: usize) -> Result<(), ManifestError> {
    if (1..=max).contains(&found) { Ok(()) } else { wrong(spot, ManifestProblem::Count { found, max }) }
}

fn add_places(spot: ManifestSpot, so_far: u32, more: u32) -> Result<u32, ManifestError> {
    match so_far.checked_add(more) {
        Some(places) if places <= PLACES_MAX => Ok(places),
        _ => wrong(spot, ManifestProblem::TooManyPlaces),
    }
}

fn wrong<T>(spot: ManifestSpot, problem: ManifestProblem) -> Result<T, ManifestError> {
    Err(ManifestError { spot, problem })
}
