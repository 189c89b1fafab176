//! From the parts of a manifest back to our plan, in its shortest form.
//!
//! Reading what is written gives an equal manifest. It does not check; the parts are those of a checked manifest.

use usher_engine::{
    ids::SectionIndex,
    inventory::manifest::{
        CategoryIndex, Features, ManifestParts, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
    },
};

use super::{CategoryPlan, FeaturePlan, NumberedSeats, PoolPlan, RowPlan, RunPlan, SeatsPlan, SectionPlan, UsherPlan};

/// The plan of a manifest.
///
/// # Panics
/// When a category's position is not one of the manifest's, which a checked manifest does not have.
#[must_use]
pub fn write(parts: &ManifestParts) -> UsherPlan {
    let section_name = |section: &SectionIndex| parts.sections[section.0 as usize].name.clone();
    let pool = |pool: &Pool| PoolPlan {
        name: pool.name.clone(),
        capacity: pool.capacity,
        sections: pool.sections.iter().map(section_name).collect(),
    };
    let categories = parts.categories.iter();
    let categories =
        categories.map(|category| CategoryPlan { name: category.name.clone(), price_minor: category.price_minor });
    UsherPlan {
        schema: None,
        name: parts.name.clone(),
        currency: parts.currency.clone(),
        categories: categories.collect(),
        sections: parts.sections.iter().map(|section| write_section(parts, section)).collect(),
        capacity: parts.capacity,
        pools: parts.pools.iter().map(pool).collect(),
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
    let (name, rank, added) = (row.name.clone(), row.rank, row.added);
    if let [run] = row.runs.as_slice() {
        let RunPlan { category, seats, features } = write_run(parts, run);
        return RowPlan { name, category: Some(category), seats: Some(seats), features, runs: None, rank, added };
    }
    let runs = row.runs.iter().map(|run| write_run(parts, run)).collect();
    RowPlan { name, category: None, seats: None, features: Vec::new(), runs: Some(runs), rank, added }
}

fn write_run(parts: &ManifestParts, run: &SeatRun) -> RunPlan {
    let seats = match &run.names {
        &SeatNames::Numbered { first, step, count } => SeatsPlan::Numbered(NumberedSeats { first, count, step }),
        SeatNames::Named(names) => SeatsPlan::Named(names.clone()),
    };
    RunPlan { category: category_name(parts, run.category), seats, features: write_features(run.features) }
}

fn write_features(features: Features) -> Vec<FeaturePlan> {
    let all = [
        (Features::ACCESSIBLE, FeaturePlan::Wheelchair),
        (Features::COMPANION, FeaturePlan::Companion),
        (Features::RESTRICTED_VIEW, FeaturePlan::RestrictedView),
    ];
    all.into_iter().filter(|(own, _)| features.has_any(*own)).map(|(_, plan)| plan).collect()
}

fn category_name(parts: &ManifestParts, category: CategoryIndex) -> String {
    parts.categories[usize::from(category.0)].name.clone()
}
