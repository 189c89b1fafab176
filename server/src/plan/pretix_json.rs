//! pretix seating plans: zones become sections, rows stay rows, seats keep their numbers and their order.
//!
//! Reading order decides: the seat that stands n-th in the file, from 0, over all zones and rows, has `SeatIndex` n. A
//! frontend that draws the plan thus knows each seat's index without asking, and finds it by `seat_guid`.
//!
//! What has no meaning for selling is not kept: positions (which must be numbers all the same), colours, sizes, labels
//! for people, areas. A zone of areas alone is decoration and skipped. Fields that are not known are ignored, since
//! exporters add their own. The format knows no general admission, no currency and no prices: the last two come from
//! [`PlanPrices`]. A category that no seat uses is dropped, whether or not it has a price.
//!
//! The names of zones need not be unique in the format; sections' names must be. A name that stands twice gets the
//! zone's `zone_id` behind it in parentheses, at every standing.

use usher_engine::inventory::manifest::{Manifest, ManifestError, ManifestParts, ManifestProblem, ManifestSpot};

use super::{PlanError, PlanPrices, PlanProblem};

mod categories;
mod document;
mod zones;

use categories::Categories;
use document::{PretixPlan, Seat, Zone};

/// Where a seat stands in the document.
#[derive(Clone, Copy, Debug)]
struct SeatSpot {
    zone: usize,
    row: usize,
    seat: usize,
}

impl SeatSpot {
    fn path(self, key: &str) -> String {
        format!("zones[{}].rows[{}].seats[{}].{key}", self.zone, self.row, self.seat)
    }
}

/// Reads a plan; the currency and a price for each category that a seat uses must be in `prices`.
pub(super) fn read(text: &str, prices: &PlanPrices) -> Result<Manifest, PlanError> {
    let plan: PretixPlan<'_> = super::parse(text)?;
    let zones = zones::seated(&plan)?;
    zones::check_guids(&plan)?;
    let categories = Categories::of(&plan, prices)?;
    let currency = prices.currency.clone().ok_or_else(|| PlanError::of_currency(PlanProblem::NoCurrency))?;
    let sections = zones::sections(&plan, &zones, &categories)?;
    let (name, categories_priced) = (plan.name.to_string(), categories.priced());
    // The format knows no capacities.
    let (capacity, pools) = (None, Vec::new());
    let parts = ManifestParts { name, currency, categories: categories_priced, sections, capacity, pools };
    Manifest::new(parts).map_err(|error| locate(&plan, &categories, &zones, error))
}

/// From a spot in the manifest to the path in the document; `zones` says which zone each section was.
fn locate(plan: &PretixPlan<'_>, categories: &Categories<'_>, zones: &[usize], error: ManifestError) -> PlanError {
    let ManifestError { spot, problem } = error;
    let zone_of = |section: usize| zones.get(section).copied().unwrap_or(section);
    let path = match spot {
        ManifestSpot::Name => "name".to_owned(),
        ManifestSpot::Currency => return PlanError::of_currency(PlanProblem::Manifest(problem)),
        ManifestSpot::Categories => "categories".to_owned(),
        ManifestSpot::Category(category) => match (categories.used(category), &problem) {
            (Some((_, name)), ManifestProblem::Price { .. }) => {
                return PlanError::of_price(name, PlanProblem::Manifest(problem));
            }
            (Some((position, _)), _) => format!("categories[{position}].name"),
            (None, _) => "categories".to_owned(),
        },
        ManifestSpot::Sections | ManifestSpot::Pool(_) | ManifestSpot::Capacity => "zones".to_owned(),
        ManifestSpot::Section(section) => match problem {
            ManifestProblem::NameLength { .. } => format!("zones[{}].name", zone_of(section)),
            _ => format!("zones[{}]", zone_of(section)),
        },
        ManifestSpot::Row { section, row } => row_path(plan, zone_of(section), row, &problem),
        ManifestSpot::Seat { section, row, seat } => {
            return repeated_seat(plan, SeatSpot { zone: zone_of(section), row, seat }, problem);
        }
    };
    PlanError::at(path, PlanProblem::Manifest(problem))
}

fn row_path(plan: &PretixPlan<'_>, zone: usize, row: usize, problem: &ManifestProblem) -> String {
    let ManifestProblem::NameLength { length, max } = problem else { return format!("zones[{zone}].rows[{row}]") };
    let seats = plan.zones.get(zone).and_then(|zone| zone.rows.get(row)).map(|row| (&row.row_number, &row.seats));
    let wrong = |name: &str| name.len() == *length && !(1..=*max).contains(&name.len());
    match seats.map(|(name, seats)| (wrong(name), seats.iter().position(|seat| wrong(&seat.seat_number)))) {
        Some((false, Some(seat))) => SeatSpot { zone, row, seat }.path("seat_number"),
        _ => format!("zones[{zone}].rows[{row}].row_number"),
    }
}

fn repeated_seat(plan: &PretixPlan<'_>, spot: SeatSpot, problem: ManifestProblem) -> PlanError {
    let path = spot.path("seat_number");
    let first = plan.zones.get(spot.zone).and_then(|zone| first_standing(zone, spot));
    match (problem, first) {
        (ManifestProblem::Repeated { name }, Some(first)) => {
            PlanError::at(path, PlanProblem::Repeated { name, first: first.path("seat_number") })
        }
        (problem, _) => PlanError::at(path, PlanProblem::Manifest(problem)),
    }
}

/// Where a seat with the row name and the number of this one stands first in its zone.
fn first_standing(zone: &Zone<'_>, spot: SeatSpot) -> Option<SeatSpot> {
    let row_number = &zone.rows.get(spot.row)?.row_number;
    let Seat { seat_number, .. } = zone.rows.get(spot.row)?.seats.get(spot.seat)?;
    let same_name = zone.rows.iter().enumerate().filter(|(_, row)| row.row_number == *row_number);
    same_name
        .flat_map(|(row, description)| {
            description.seats.iter().enumerate().map(move |(seat, named)| (row, seat, named))
        })
        .find(|(_, _, named)| named.seat_number == *seat_number)
        .map(|(row, seat, _)| SeatSpot { zone: spot.zone, row, seat })
}

#[cfg(test)]
mod tests;
