//! Changes of a manifest while its show is on sale. A change makes a new manifest; it never renumbers a seat.
//!
//! What becomes of holds and statuses is not known here.

use bincode::{Decode, Encode};

use super::{
    Category, CategoryIndex, Manifest, ManifestError, ManifestParts, ManifestProblem, ManifestSpot, Pool, Row, SeatRun,
    Section, SectionKind, repeated::is_there,
};
use crate::ids::{SeatIndex, SeatRange, SectionIndex};

/// One change. It may come again: what is added exactly as it is there already, or removed and not there, changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ManifestChange {
    /// More rows of a section of seats. When they came is noted by the change itself.
    AddRows {
        /// The section.
        section: SectionIndex,
        /// 1 or more.
        rows: Vec<Row>,
    },
    /// One more section.
    AddSection(Section),
    /// One more category.
    AddCategory(Category),
    /// Seats of another category.
    Recategorise {
        /// Ascending, without overlap.
        seats: Vec<SeatRange>,
        /// Their new category.
        category: CategoryIndex,
    },
    /// Another price of a category.
    Reprice {
        /// The category.
        category: CategoryIndex,
        /// Minor units.
        price_minor: u64,
    },
    /// Another capacity of a general-admission section, which may be below what is taken.
    SetGaCapacity {
        /// The section.
        section: SectionIndex,
        /// Units, 1 or more.
        capacity: u32,
    },
    /// Another capacity of the whole show, or none.
    SetCapacity(Option<u32>),
    /// One more pool, or another one of its name.
    SetPool(Pool),
    /// No pool of this name.
    RemovePool(String),
}

impl Manifest {
    /// The manifest after a change, which is as before if the change is repeated.
    ///
    /// # Errors
    /// [`ManifestError`] when there would be something wrong with it.
    pub fn changed(&self, change: &ManifestChange) -> Result<Self, ManifestError> {
        let mut parts = self.parts.clone();
        let wave = self.latest_wave() + 1;
        match change {
            repeated if is_there(&parts, repeated) => {}
            ManifestChange::AddRows { section, rows } => {
                let rows = rows.iter().map(|row| Row { added: wave, ..row.clone() });
                rows_of(&mut parts, *section)?.extend(rows);
            }
            ManifestChange::AddSection(section) => parts.sections.push(added(section, wave)),
            ManifestChange::AddCategory(category) => parts.categories.push(category.clone()),
            ManifestChange::Recategorise { seats, category } => self.recategorise(&mut parts, seats, *category)?,
            ManifestChange::Reprice { category, price_minor } => {
                let (index, categories) = (category.0, parts.categories.len());
                let spot = ManifestSpot::Categories;
                let unknown = ManifestError { spot, problem: ManifestProblem::UnknownCategory { index, categories } };
                parts.categories.get_mut(usize::from(index)).ok_or(unknown)?.price_minor = *price_minor;
            }
            ManifestChange::SetGaCapacity { section, capacity } => match &mut section_of(&mut parts, *section)?.kind {
                SectionKind::GeneralAdmission { capacity: own, .. } => *own = *capacity,
                SectionKind::Reserved(_) => return Err(wrong_section(&parts, *section)),
            },
            ManifestChange::SetCapacity(capacity) => parts.capacity = *capacity,
            ManifestChange::SetPool(pool) => match parts.pools.iter_mut().find(|own| own.name == pool.name) {
                Some(own) => *own = pool.clone(),
                None => parts.pools.push(pool.clone()),
            },
            ManifestChange::RemovePool(name) => parts.pools.retain(|pool| pool.name != *name),
        }
        Self::new(parts)
    }

    /// The seats, and the general-admission sections, that existed before a change and have another price or category
    /// after it.
    #[must_use]
    pub fn changed_places(&self, change: &ManifestChange) -> (Vec<SeatRange>, Vec<SectionIndex>) {
        match change {
            ManifestChange::Recategorise { seats, category } => {
                let seats = seats.iter().flat_map(|range| range.seats());
                (SeatRange::of(seats.filter(|seat| self.category_of(*seat) != *category)), Vec::new())
            }
            ManifestChange::Reprice { category, .. } => {
                let seats = (0..self.seats()).map(SeatIndex).filter(|seat| self.category_of(*seat) == *category);
                let sections = (0u32..).map(SectionIndex).take(self.parts.sections.len());
                let own = sections.filter(|section| self.ga_category_index(*section) == Some(*category));
                (SeatRange::of(seats), own.collect())
            }
            _ => (Vec::new(), Vec::new()),
        }
    }

    fn latest_wave(&self) -> u32 {
        let rows = (0..self.rows.len()).filter_map(|row| u32::try_from(row).ok()).map(|row| self.row(row).added);
        rows.max().unwrap_or(0)
    }

    fn recategorise(
        &self,
        parts: &mut ManifestParts,
        seats: &[SeatRange],
        category: CategoryIndex,
    ) -> Result<(), ManifestError> {
        for range in seats {
            let end = range.first.0.saturating_add(range.count);
            if end > self.seats() {
                let problem = ManifestProblem::UnknownSeat { index: end.saturating_sub(1) };
                return Err(ManifestError { spot: ManifestSpot::Sections, problem });
            }
            let mut next = range.first.0;
            while next < end {
                let row = self.rows[self.row_of(SeatIndex(next))];
                let end_in_row = end.min(row.first_seat + row.seats);
                let runs = &mut rows_of(parts, row.section)?[row.row as usize].runs;
                *runs = cut(runs, next - row.first_seat, end_in_row - row.first_seat, category);
                next = end_in_row;
            }
        }
        Ok(())
    }
}

/// The runs of a row whose seats from `from` to `end` have another category.
fn cut(runs: &[SeatRun], from: u32, end: u32, category: CategoryIndex) -> Vec<SeatRun> {
    let mut new: Vec<SeatRun> = Vec::new();
    let mut first = 0;
    for run in runs {
        let last = first + run.names.len();
        if run.category == category {
            new.push(run.clone());
            first = last;
            continue;
        }
        let (inner_first, inner_last) = (from.clamp(first, last), end.clamp(first, last));
        let pieces =
            [(first, inner_first, run.category), (inner_first, inner_last, category), (inner_last, last, run.category)];
        for (start, stop, category) in pieces.into_iter().filter(|(start, stop, _)| start < stop) {
            let names = run.names.slice(start - first, stop - start);
            new.push(SeatRun { category, names, features: run.features });
        }
        first = last;
    }
    new
}

fn added(section: &Section, wave: u32) -> Section {
    let mut section = section.clone();
    if let SectionKind::Reserved(rows) = &mut section.kind {
        rows.iter_mut().for_each(|row| row.added = wave);
    }
    section
}

fn section_of(parts: &mut ManifestParts, section: SectionIndex) -> Result<&mut Section, ManifestError> {
    let (index, sections) = (section.0, parts.sections.len());
    let problem = ManifestProblem::UnknownSection { index, sections };
    let unknown = ManifestError { spot: ManifestSpot::Sections, problem };
    parts.sections.get_mut(section.0 as usize).ok_or(unknown)
}

fn rows_of(parts: &mut ManifestParts, section: SectionIndex) -> Result<&mut Vec<Row>, ManifestError> {
    let wrong = parts.sections.get(section.0 as usize).map(|_| wrong_section(parts, section));
    match (&mut section_of(parts, section)?.kind, wrong) {
        (SectionKind::Reserved(rows), _) => Ok(rows),
        (_, Some(wrong)) => Err(wrong),
        (_, None) => unreachable!("the section was found"),
    }
}

fn wrong_section(parts: &ManifestParts, section: SectionIndex) -> ManifestError {
    let name = parts.sections[section.0 as usize].name.clone();
    let spot = ManifestSpot::Section(section.0 as usize);
    ManifestError { spot, problem: ManifestProblem::WrongSection { name } }
}

#[cfg(test)]
mod tests;
