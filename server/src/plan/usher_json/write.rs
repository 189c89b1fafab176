//! From the parts of a manifest back to our plan, in its shortest form.
//!
//! Reading what is written gives an equal manifest. It does not check; the parts are those of a checked manifest.

use usher_engine::inventory::manifest::{CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind};

use super::{CategoryPlan, NumberedSeats, RowPlan, RunPlan, SeatsPlan, SectionPlan, UsherPlan};

/// The plan of a manifest.
///
/// # Panics
/// When a category's position is not one of the manifest's, which a checked manifest does not have.
#[must_use]
pub fn write(parts: &ManifestParts) -> UsherPlan {
    let categories = parts.categories.iter();
    let categories =
        categories.map(|category| CategoryPlan { name: category.name.clone(), price_minor: category.price_minor });
    UsherPlan {
        schema: None,
        name: parts.name.clone(),
        currency: parts.currency.clone(),
        categories: categories.collect(),
        sections: parts.sections.iter().map(|section| write_section(parts, section)).collect(),
    }
}

fn write_section(parts: &ManifestParts, section: &Section) -> SectionPlan {
    let name = section.name.clone();
    match &section.kind {
        SectionKind::Reserved(rows) => {
            let rows = rows.iter().map(|row| write_row(parts, row)).collect();
            SectionPlan { name, rows: Some(rows), capacity: None, category: None }
        }
        SectionKind::GeneralAdmission { capacity, category } => {
            let category = category_name(parts, *category);
            SectionPlan { name, rows: None, capacity: Some(*capacity), category: Some(category) }
        }
    }
}

fn write_row(parts: &ManifestParts, row: &Row) -> RowPlan {
    let name = row.name.clone();
    if let [run] = row.runs.as_slice() {
        let RunPlan { category, seats } = write_run(parts, run);
        return RowPlan { name, category: Some(category), seats: Some(seats), runs: None };
    }
    let runs = row.runs.iter().map(|run| write_run(parts, run)).collect();
    RowPlan { name, category: None, seats: None, runs: Some(runs) }
}

fn write_run(parts: &ManifestParts, run: &SeatRun) -> RunPlan {
    let seats = match &run.names {
        &SeatNames::Numbered { first, step, count } => SeatsPlan::Numbered(NumberedSeats { first, count, step }),
        SeatNames::Named(names) => SeatsPlan::Named(names.clone()),
    };
    RunPlan { category: category_name(parts, run.category), seats }
}

fn category_name(parts: &ManifestParts, category: CategoryIndex) -> String {
    parts.categories[usize::from(category.0)].name.clone()
}
