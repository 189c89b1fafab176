//! From our plan to the parts of a manifest: names of categories become positions, prices from outside replace ours.
//!
//! It checks only what the parts cannot say; the manifest checks the rest.

use std::collections::BTreeMap;

use usher_engine::{
    ids::SectionIndex,
    inventory::manifest::{
        Category, CategoryIndex, Features, ManifestParts, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
    },
};

use super::{FeaturePlan, PoolPlan, RowPlan, SeatsPlan, SectionPlan, UsherPlan};
use crate::plan::{ADDED_MAX, PlanError, PlanPrices, PlanProblem, categories};

pub(super) fn parts(plan: &UsherPlan, prices: &PlanPrices) -> Result<ManifestParts, PlanError> {
    let names = Categories::of(plan)?;
    let sections = plan.sections.iter().enumerate().map(|(position, section)| names.section(position, section));
    let pools = plan.pools.iter().enumerate().map(|(position, pool)| self::pool(plan, position, pool));
    Ok(ManifestParts {
        name: plan.name.clone(),
        currency: prices.currency.as_ref().unwrap_or(&plan.currency).clone(),
        categories: names.priced(plan, prices)?,
        sections: sections.collect::<Result<_, _>>()?,
        capacity: plan.capacity,
        pools: pools.collect::<Result<_, _>>()?,
    })
}

fn pool(plan: &UsherPlan, position: usize, pool: &PoolPlan) -> Result<Pool, PlanError> {
    let section = |(of_pool, name): (usize, &String)| {
        let found = plan.sections.iter().position(|section| section.name == *name);
        let index = found.and_then(|found| u32::try_from(found).ok()).map(SectionIndex);
        let unknown = || PlanProblem::UnknownSection { name: name.clone() };
        index.ok_or_else(|| PlanError::at(format!("pools[{position}].sections[{of_pool}]"), unknown()))
    };
    let sections = pool.sections.iter().enumerate().map(section).collect::<Result<_, _>>()?;
    Ok(Pool { name: pool.name.clone(), capacity: pool.capacity, sections })
}

/// The categories' names in their order, and where each stands.
struct Categories<'a> {
    names: Vec<&'a str>,
    index: BTreeMap<&'a str, CategoryIndex>,
}

impl<'a> Categories<'a> {
    fn of(plan: &'a UsherPlan) -> Result<Self, PlanError> {
        categories::check_count(plan.categories.len())?;
        let names: Vec<&str> = plan.categories.iter().map(|category| category.name.as_str()).collect();
        categories::positions(names.iter().copied())?;
        let index = names.iter().copied().zip((0u8..).map(CategoryIndex)).collect();
        Ok(Self { names, index })
    }

    fn priced(&self, plan: &UsherPlan, prices: &PlanPrices) -> Result<Vec<Category>, PlanError> {
        for name in prices.by_category.keys() {
            self.index(name).map_err(|problem| PlanError::of_price(name, problem))?;
        }
        let priced = plan.categories.iter().map(|category| Category {
            name: category.name.clone(),
            price_minor: prices.by_category.get(&category.name).copied().unwrap_or(category.price_minor),
        });
        Ok(priced.collect())
    }

    fn index(&self, name: &str) -> Result<CategoryIndex, PlanProblem> {
        let index = self.index.get(name).copied();
        index.ok_or_else(|| categories::unknown(name, self.names.iter().copied()))
    }

    fn section(&self, position: usize, section: &SectionPlan) -> Result<Section, PlanError> {
        let path = || format!("sections[{position}]");
        let kind = match (&section.rows, section.capacity, &section.category) {
            (Some(rows), None, None) => {
                let rows = rows.iter().enumerate();
                let rows = rows.map(|(row, plan)| self.row(|| format!("{}.rows[{row}]", path()), plan));
                SectionKind::Reserved(rows.collect::<Result<_, _>>()?)
            }
            (None, Some(capacity), Some(category)) => {
                let category = self.index(category);
                let category = category.map_err(|problem| PlanError::at(format!("{}.category", path()), problem))?;
                SectionKind::GeneralAdmission { capacity, category }
            }
            _ => return Err(PlanError::at(path(), PlanProblem::SectionShape)),
        };
        Ok(Section { name: section.name.clone(), kind })
    }

    fn row(&self, path: impl Fn() -> String, row: &RowPlan) -> Result<Row, PlanError> {
        let Some(runs) = runs(row) else { return Err(PlanError::at(path(), PlanProblem::RowShape)) };
        if row.added > ADDED_MAX {
            let problem = PlanProblem::Added { found: row.added };
            return Err(PlanError::at(format!("{}.added", path()), problem));
        }
        let runs = runs.into_iter().enumerate().map(|(position, run)| {
            let category = self
                .index(run.category)
                .map_err(|problem| PlanError::at(format!("{}{}.category", path(), run_path(row, position)), problem))?;
            Ok(SeatRun { category, names: names(run.seats), features: features(run.features) })
        });
        let (name, rank, added) = (row.name.clone(), row.rank, row.added);
        Ok(Row { name, runs: runs.collect::<Result<_, _>>()?, rank, added })
    }
}

/// A run, whichever way its row is written.
pub(super) struct Run<'a> {
    category: &'a str,
    pub(super) seats: &'a SeatsPlan,
    features: &'a [FeaturePlan],
}

/// The runs of a row, whichever way it is written; `None` when it is neither way.
pub(super) fn runs(row: &RowPlan) -> Option<Vec<Run<'_>>> {
    match (&row.category, &row.seats, &row.runs) {
        (Some(category), Some(seats), None) => Some(vec![Run { category, seats, features: &row.features }]),
        (None, None, Some(runs)) if row.features.is_empty() => {
            let runs = runs.iter();
            Some(runs.map(|run| Run { category: &run.category, seats: &run.seats, features: &run.features }).collect())
        }
        _ => None,
    }
}

fn features(plan: &[FeaturePlan]) -> Features {
    plan.iter().fold(Features::NONE, |features, feature| {
        features.and(match feature {
            FeaturePlan::Wheelchair => Features::ACCESSIBLE,
            FeaturePlan::Companion => Features::COMPANION,
            FeaturePlan::RestrictedView => Features::RESTRICTED_VIEW,
        })
    })
}

/// What leads from the row's path to its run's.
pub(super) fn run_path(row: &RowPlan, run: usize) -> String {
    if row.runs.is_some() { format!(".runs[{run}]") } else { String::new() }
}

pub(super) fn names(seats: &SeatsPlan) -> SeatNames {
    match seats {
        SeatsPlan::Numbered(rule) => SeatNames::Numbered { first: rule.first, step: rule.step, count: rule.count },
        SeatsPlan::Named(names) => SeatNames::Named(names.clone()),
    }
}
