//! From a spot in a manifest to the path in the plan it was read from.
//!
//! A spot counts seats over the runs of a row and says only which row has a bad name; here it becomes the exact key.

use usher_engine::inventory::manifest::{ManifestError, ManifestProblem, ManifestSpot, SEAT_NAME_BYTES_MAX, SeatNames};

use super::{RowPlan, SeatsPlan, UsherPlan, convert};
use crate::plan::{PlanError, PlanPrices, PlanProblem};

pub(super) fn locate(plan: &UsherPlan, prices: &PlanPrices, error: ManifestError) -> PlanError {
    let ManifestError { spot, problem } = error;
    match spot {
        ManifestSpot::Currency if prices.currency.is_some() => PlanError::of_currency(PlanProblem::Manifest(problem)),
        ManifestSpot::Category(category) => in_category(plan, prices, category, problem),
        ManifestSpot::Section(section) => in_section(plan, section, problem),
        ManifestSpot::Pool(pool) => in_pool(plan, pool, problem),
        ManifestSpot::Row { section, row } => in_row(plan, section, row, problem),
        ManifestSpot::Seat { section, row, seat } => repeated_seat(plan, section, row, seat, problem),
        ManifestSpot::Name
        | ManifestSpot::Currency
        | ManifestSpot::Categories
        | ManifestSpot::Sections
        | ManifestSpot::Capacity => PlanError::at(spot.to_string(), PlanProblem::Manifest(problem)),
    }
}

fn in_category(plan: &UsherPlan, prices: &PlanPrices, category: usize, problem: ManifestProblem) -> PlanError {
    let key = if matches!(problem, ManifestProblem::Price { .. }) { "price_minor" } else { "name" };
    match plan.categories.get(category) {
        Some(named) if key == "price_minor" && prices.by_category.contains_key(&named.name) => {
            PlanError::of_price(&named.name, PlanProblem::Manifest(problem))
        }
        _ => PlanError::at(format!("categories[{category}].{key}"), PlanProblem::Manifest(problem)),
    }
}

fn in_section(plan: &UsherPlan, section: usize, problem: ManifestProblem) -> PlanError {
    let key = match &problem {
        ManifestProblem::Repeated { name } => {
            let first = plan.sections.iter().position(|earlier| earlier.name == *name).unwrap_or(0);
            return repeated(format!("sections[{section}].name"), name.clone(), format!("sections[{first}].name"));
        }
        ManifestProblem::NameLength { .. } => ".name",
        ManifestProblem::NoCapacity => ".capacity",
        ManifestProblem::EmptySection => ".rows",
        _ => "",
    };
    PlanError::at(format!("sections[{section}]{key}"), PlanProblem::Manifest(problem))
}

fn in_pool(plan: &UsherPlan, pool: usize, problem: ManifestProblem) -> PlanError {
    let key = match &problem {
        ManifestProblem::Repeated { name } if plan.pools.get(pool).is_some_and(|own| own.name == *name) => {
            let first = plan.pools.iter().position(|earlier| earlier.name == *name).unwrap_or(0);
            return repeated(format!("pools[{pool}].name"), name.clone(), format!("pools[{first}].name"));
        }
        ManifestProblem::NameLength { .. } => ".name",
        ManifestProblem::NoCapacity => ".capacity",
        ManifestProblem::TooMany { .. } => "",
        _ => ".sections",
    };
    PlanError::at(format!("pools[{pool}]{key}"), PlanProblem::Manifest(problem))
}

fn in_row(plan: &UsherPlan, section: usize, row: usize, problem: ManifestProblem) -> PlanError {
    let key = row_of(plan, section, row).and_then(|row| match &problem {
        ManifestProblem::NameLength { max, .. } if *max == SEAT_NAME_BYTES_MAX => long_seat_name(row),
        ManifestProblem::NameLength { .. } => Some(".name".to_owned()),
        ManifestProblem::EmptyRow => {
            let empty = |seats: &SeatsPlan| matches!(seats, SeatsPlan::Named(names) if names.is_empty());
            let none = |seats: &SeatsPlan| matches!(seats, SeatsPlan::Numbered(rule) if rule.count == 0);
            run_where(row, |seats| empty(seats) || none(seats))
        }
        ManifestProblem::Numbering { first, step, count } => run_where(row, |seats| {
            matches!(seats, SeatsPlan::Numbered(rule) if (rule.first, rule.step, rule.count) == (*first, *step, *count))
        }),
        _ => None,
    });
    let path = format!("sections[{section}].rows[{row}]{}", key.unwrap_or_default());
    PlanError::at(path, PlanProblem::Manifest(problem))
}

/// A name of a category or row is checked against another limit than a seat's, which is how the two are told apart.
fn long_seat_name(row: &RowPlan) -> Option<String> {
    let runs = convert::runs(row)?;
    runs.iter().enumerate().find_map(|(run, own)| {
        let SeatsPlan::Named(names) = own.seats else { return None };
        let seat = names.iter().position(|name| name.is_empty() || name.len() > SEAT_NAME_BYTES_MAX)?;
        Some(format!("{}.seats[{seat}]", convert::run_path(row, run)))
    })
}

fn run_where(row: &RowPlan, wrong: impl Fn(&SeatsPlan) -> bool) -> Option<String> {
    let run = convert::runs(row)?.iter().position(|run| wrong(run.seats))?;
    Some(format!("{}.seats", convert::run_path(row, run)))
}

fn repeated_seat(plan: &UsherPlan, section: usize, row: usize, seat: usize, problem: ManifestProblem) -> PlanError {
    let path = |row: usize, seat: usize| {
        let key = row_of(plan, section, row).and_then(|row| seat_path(row, seat)).unwrap_or_default();
        format!("sections[{section}].rows[{row}]{key}")
    };
    match problem {
        ManifestProblem::Repeated { name } => {
            let (first_row, first_seat) = first_standing(plan, section, row, &name).unwrap_or((row, seat));
            repeated(path(row, seat), name, path(first_row, first_seat))
        }
        _ => PlanError::at(path(row, seat), PlanProblem::Manifest(problem)),
    }
}

/// The row, and the seat counted over its runs, where this seat's label stands first.
fn first_standing(plan: &UsherPlan, section: usize, row: usize, seat: &str) -> Option<(usize, usize)> {
    let rows = plan.sections.get(section)?.rows.as_ref()?;
    let name = &rows.get(row)?.name;
    rows.iter().enumerate().filter(|(_, earlier)| earlier.name == *name).find_map(|(position, earlier)| {
        let mut before = 0;
        for run in convert::runs(earlier)? {
            let names = convert::names(run.seats);
            if let Some(found) = names.position(seat) {
                return Some((position, before + found as usize));
            }
            before += names.len() as usize;
        }
        None
    })
}

/// What leads from the row's path to a seat, counted over its runs; a numbered seat has no path of its own.
fn seat_path(row: &RowPlan, mut seat: usize) -> Option<String> {
    for (run, own) in convert::runs(row)?.into_iter().enumerate() {
        let names = convert::names(own.seats);
        let length = names.len() as usize;
        if seat < length {
            let path = convert::run_path(row, run);
            let listed = matches!(names, SeatNames::Named(_));
            return Some(if listed { format!("{path}.seats[{seat}]") } else { format!("{path}.seats") });
        }
        seat -= length;
    }
    None
}

fn row_of(plan: &UsherPlan, section: usize, row: usize) -> Option<&RowPlan> {
    plan.sections.get(section)?.rows.as_ref()?.get(row)
}

fn repeated(path: String, name: String, first: String) -> PlanError {
    PlanError::at(path, PlanProblem::Repeated { name, first })
}
