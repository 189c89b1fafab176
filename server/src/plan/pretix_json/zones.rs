//! Zones of a pretix plan: their names as sections, their seats as runs of one category.
//!
//! It does not check what a manifest checks; only what is lost on the way there, such as two seats with one guid.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use usher_engine::inventory::manifest::{self, SeatNames, SeatRun, Section, SectionKind};

use super::{
    Categories, SeatSpot,
    document::{PretixPlan, Row, Zone},
};
use crate::plan::{PlanError, PlanProblem};

/// No two seats of the whole document share a guid: the frontend finds seats by it.
pub(super) fn check_guids(plan: &PretixPlan<'_>) -> Result<(), PlanError> {
    let rows = plan.zones.iter().flat_map(|zone| &zone.rows);
    // Only looked up, never listed, so that its order is nobody's concern.
    let mut first_by_guid = HashMap::with_capacity(rows.map(|row| row.seats.len()).sum());
    for (zone, description) in plan.zones.iter().enumerate() {
        for (row, description) in description.rows.iter().enumerate() {
            for (seat, description) in description.seats.iter().enumerate() {
                let spot = SeatSpot { zone, row, seat };
                if let Some(first) = first_by_guid.insert(description.seat_guid.as_ref(), spot) {
                    let (name, first) = (description.seat_guid.to_string(), first.path("seat_guid"));
                    return Err(PlanError::at(spot.path("seat_guid"), PlanProblem::Repeated { name, first }));
                }
            }
        }
    }
    Ok(())
}

/// The positions of the zones that have rows; the others are decoration.
pub(super) fn seated(plan: &PretixPlan<'_>) -> Result<Vec<usize>, PlanError> {
    let mut seated = Vec::new();
    for (position, zone) in plan.zones.iter().enumerate() {
        match (zone.rows.is_empty(), zone.areas.is_empty()) {
            (false, _) => seated.push(position),
            (true, false) => {}
            (true, true) => return Err(PlanError::at(format!("zones[{position}]"), PlanProblem::EmptyZone)),
        }
    }
    if seated.is_empty() {
        return Err(PlanError::at("zones", PlanProblem::NoSeats));
    }
    Ok(seated)
}

/// A section for each of these zones.
pub(super) fn sections(
    plan: &PretixPlan<'_>,
    zones: &[usize],
    categories: &Categories<'_>,
) -> Result<Vec<Section>, PlanError> {
    let names = section_names(plan, zones)?;
    let section = |(name, &zone): (String, &usize)| {
        let rows = plan.zones[zone].rows.iter().map(|row| row_of(row, categories)).collect();
        Section { name, kind: SectionKind::Reserved(rows) }
    };
    Ok(names.into_iter().zip(zones).map(section).collect())
}

fn section_names(plan: &PretixPlan<'_>, zones: &[usize]) -> Result<Vec<String>, PlanError> {
    let mut standings: BTreeMap<&str, usize> = BTreeMap::new();
    for &position in zones {
        let (name, _) = name_of(&plan.zones[position], position)?;
        *standings.entry(name).or_default() += 1;
    }
    let mut names = Vec::with_capacity(zones.len());
    let mut first_by_name: BTreeMap<String, String> = BTreeMap::new();
    for &position in zones {
        let zone = &plan.zones[position];
        let (name, key) = name_of(zone, position)?;
        let unique = match &zone.zone_id {
            Some(id) if standings[name] > 1 && !id.is_empty() => format!("{name} ({id})"),
            _ => name.to_owned(),
        };
        let path = format!("zones[{position}].{key}");
        if let Some(first) = first_by_name.insert(unique.clone(), path.clone()) {
            return Err(PlanError::at(path, PlanProblem::Repeated { name: unique, first }));
        }
        names.push(unique);
    }
    Ok(names)
}

/// A zone's name, or its id where it has none, and the key where it stands.
fn name_of<'a>(zone: &'a Zone<'_>, position: usize) -> Result<(&'a str, &'static str), PlanError> {
    match (&zone.name, &zone.zone_id) {
        (Some(name), _) if !name.is_empty() => Ok((name, "name")),
        (_, Some(id)) if !id.is_empty() => Ok((id, "zone_id")),
        _ => Err(PlanError::at(format!("zones[{position}]"), PlanProblem::ZoneWithoutName)),
    }
}

fn row_of(row: &Row<'_>, categories: &Categories<'_>) -> manifest::Row {
    let mut runs = Vec::new();
    let mut names = Vec::new();
    for (position, seat) in row.seats.iter().enumerate() {
        names.push(seat.seat_number.to_string());
        let next = row.seats.get(position + 1);
        if next.is_none_or(|next| next.category != seat.category) {
            let names = SeatNames::Named(mem::take(&mut names));
            runs.push(SeatRun::new(categories.index(&seat.category), names));
        }
    }
    manifest::Row::new(row.row_number.to_string(), runs)
}
