//! Changes of a manifest: names of what is there become positions; the engine checks what would come of it.

use usher_engine::{
    command::Command,
    ids::SeatRange,
    inventory::{
        ManifestReport,
        capacities::{CapacityOf, OverCommitted},
        manifest::{Category, CategoryIndex, Manifest, ManifestChange, Row},
    },
};
use usher_proto::v1;

use super::{
    Violations,
    manifest::{self, Wrong},
    selection::{Units, selection},
};
use crate::status::Refusal;

/// Most rows of one AddRows.
const ROWS_MAX: usize = 10_000;

/// Reads a change.
///
/// # Errors
/// A refusal that names every field that is wrong, or what the show does not have.
pub fn change_manifest(wire: v1::ChangeManifestRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    use v1::change_manifest_request::Change;
    let Some(change) = wire.change else { return Err(Refusal::wrong("change", "must be set")) };
    let parts = manifest.parts();
    let change = match change {
        Change::AddRows(wire) => add_rows(wire, manifest)?,
        Change::AddSection(wire) => {
            let section = manifest::section(wire, &parts.categories, "add_section").map_err(refused)?;
            ManifestChange::AddSection(section)
        }
        Change::AddCategory(wire) => ManifestChange::AddCategory(manifest::category(wire)),
        Change::Recategorise(wire) => recategorise(&wire, manifest)?,
        Change::Reprice(v1::Reprice { category, price_minor }) => {
            ManifestChange::Reprice { category: self::category(&category, manifest)?, price_minor }
        }
        Change::SetGaCapacity(v1::SetGaCapacity { section, capacity }) => {
            let found = manifest.section(&section).filter(|&section| manifest.ga_capacity(section).is_some());
            let unknown = || Refusal::places_unknown(&[format!("general admission {section:?}")]);
            ManifestChange::SetGaCapacity { section: found.ok_or_else(unknown)?, capacity }
        }
        Change::SetCapacity(v1::SetCapacity { capacity }) => ManifestChange::SetCapacity(capacity),
        Change::SetPool(wire) => {
            ManifestChange::SetPool(manifest::pool(wire, &parts.sections, "set_pool").map_err(refused)?)
        }
        Change::RemovePool(name) => ManifestChange::RemovePool(name),
    };
    Ok(Command::ChangeManifest(Box::new(change)))
}

fn add_rows(wire: v1::AddRows, manifest: &Manifest) -> Result<ManifestChange, Refusal> {
    let Some(section) = manifest.section(&wire.section).filter(|&section| manifest.ga_capacity(section).is_none())
    else {
        return Err(Refusal::places_unknown(&[format!("section of seats {:?}", wire.section)]));
    };
    let mut violations = Violations::default();
    let count = wire.rows.len();
    violations.require(
        (1..=ROWS_MAX).contains(&count),
        "add_rows.rows",
        format_args!("must be 1 to {ROWS_MAX}, are {count}"),
    );
    let rows = rows(wire.rows, &manifest.parts().categories).map_err(refused)?;
    violations.done(Some(ManifestChange::AddRows { section, rows }))
}

fn rows(wire: Vec<v1::Row>, categories: &[Category]) -> Result<Vec<Row>, Wrong> {
    let rows = wire.into_iter().take(ROWS_MAX).enumerate();
    rows.map(|(row, wire)| manifest::row(wire, categories, &format!("add_rows.rows[{row}]"))).collect()
}

fn recategorise(wire: &v1::Recategorise, manifest: &Manifest) -> Result<ManifestChange, Refusal> {
    let category = category(&wire.category, manifest)?;
    let mut violations = Violations::default();
    let selection = selection(wire.selection.as_ref(), Units::Refused, manifest, &mut violations)?;
    let seats = violations.done(selection.map(|selection| SeatRange::of(selection.seats_in(manifest))))?;
    Ok(ManifestChange::Recategorise { seats, category })
}

fn category(name: &str, manifest: &Manifest) -> Result<CategoryIndex, Refusal> {
    manifest.category(name).ok_or_else(|| Refusal::places_unknown(&[format!("category {name:?}")]))
}

fn refused((field, description): Wrong) -> Refusal {
    Refusal::wrong(&field, description)
}

/// What a change did.
#[must_use]
pub fn report_to_wire(report: &ManifestReport, manifest: &Manifest) -> v1::ChangeManifestResponse {
    let over_committed = report.over_committed.iter().map(|over| over_committed(over, manifest));
    v1::ChangeManifestResponse { manifest_version: report.version, over_committed: over_committed.collect() }
}

/// A capacity below what is taken.
#[must_use]
pub fn over_committed(over: &OverCommitted, manifest: &Manifest) -> v1::OverCommitted {
    use v1::over_committed::Of;
    let of = match &over.of {
        CapacityOf::Section(section) => Some(Of::Section(manifest.section_name(*section).to_owned())),
        CapacityOf::Pool(name) => Some(Of::Pool(name.clone())),
        CapacityOf::Show => None,
    };
    v1::OverCommitted { of, places: over.places }
}
