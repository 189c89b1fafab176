//! Manifests from the wire and back.
//!
//! Only the shape is read here; the engine checks the content.

use usher_engine::inventory::manifest::{
    Category, CategoryIndex, Manifest, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind,
};
use usher_proto::v1;

use crate::{convert::Violations, status::Refusal};

/// Reads and checks a manifest.
///
/// # Errors
/// A refusal that names the part that is wrong.
pub fn manifest(wire: Option<v1::Manifest>) -> Result<Manifest, Refusal> {
    let mut violations = Violations::default();
    let Some(wire) = wire else {
        violations.note("manifest", "must be set");
        return Err(violations.into_refusal());
    };
    let parts = match parts(wire) {
        Ok(parts) => parts,
        Err((field, description)) => {
            violations.note(&format!("manifest.{field}"), description);
            return Err(violations.into_refusal());
        }
    };
    Manifest::new(parts).map_err(|error| {
        violations.note(&format!("manifest.{}", error.spot), error.problem);
        violations.into_refusal()
    })
}

/// A field's path and what is wrong with it.
type Wrong = (String, String);

fn parts(wire: v1::Manifest) -> Result<ManifestParts, Wrong> {
    let categories: Vec<Category> = wire
        .categories
        .into_iter()
        .map(|category| Category { name: category.name, price_minor: category.price_minor })
        .collect();
    let sections = wire.sections.into_iter().enumerate().map(|(position, wire)| {
        let path = format!("sections[{position}]");
        let kind = match wire.kind.ok_or_else(|| (path.clone(), "must be reserved or general_admission".to_owned()))? {
            v1::section::Kind::Reserved(reserved) => {
                let rows = reserved.rows.into_iter().enumerate();
                let rows =
                    rows.map(|(row, wire)| self::row(wire, &categories, &format!("{path}.reserved.rows[{row}]")));
                SectionKind::Reserved(rows.collect::<Result<_, _>>()?)
            }
            v1::section::Kind::GeneralAdmission(wire) => {
                let category = category(&categories, &wire.category, &format!("{path}.general_admission"))?;
                SectionKind::GeneralAdmission { capacity: wire.capacity, category }
            }
        };
        Ok(Section { name: wire.name, kind })
    });
    let sections = sections.collect::<Result<_, Wrong>>()?;
    Ok(ManifestParts { name: wire.name, currency: wire.currency, categories, sections })
}

fn row(wire: v1::Row, categories: &[Category], path: &str) -> Result<Row, Wrong> {
    let runs = wire.runs.into_iter().enumerate().map(|(run, wire)| {
        let path = format!("{path}.runs[{run}]");
        let category = category(categories, &wire.category, &path)?;
        let names = match wire.names.ok_or_else(|| (path, "must be numbered or named".to_owned()))? {
            v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count, step }) => {
                SeatNames::Numbered { first, step, count }
            }
            v1::seat_run::Names::Named(named) => SeatNames::Named(named.names),
        };
        Ok(SeatRun { category, names })
    });
    Ok(Row { name: wire.name, runs: runs.collect::<Result<_, Wrong>>()? })
}

fn category(categories: &[Category], name: &str, path: &str) -> Result<CategoryIndex, Wrong> {
    let position = categories.iter().position(|category| category.name == name);
    position
        .and_then(|position| u8::try_from(position).ok())
        .map(CategoryIndex)
        .ok_or_else(|| (format!("{path}.category"), format!("there is no category {name:?}")))
}

/// A manifest for the wire.
#[must_use]
pub fn manifest_to_wire(parts: &ManifestParts) -> v1::Manifest {
    let category_name = |category: CategoryIndex| parts.categories[usize::from(category.0)].name.clone();
    let run = |run: &SeatRun| v1::SeatRun {
        category: category_name(run.category),
        names: Some(match &run.names {
            &SeatNames::Numbered { first, step, count } => {
                v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count, step })
            }
            SeatNames::Named(names) => v1::seat_run::Names::Named(v1::NamedSeats { names: names.clone() }),
        }),
    };
    let row = |row: &Row| v1::Row { name: row.name.clone(), runs: row.runs.iter().map(run).collect() };
    let section = |section: &Section| v1::Section {
        name: section.name.clone(),
        kind: Some(match &section.kind {
            SectionKind::Reserved(rows) => {
                v1::section::Kind::Reserved(v1::ReservedSection { rows: rows.iter().map(row).collect() })
            }
            &SectionKind::GeneralAdmission { capacity, category } => {
                let category = category_name(category);
                v1::section::Kind::GeneralAdmission(v1::GeneralAdmission { capacity, category })
            }
        }),
    };
    let category =
        |category: &Category| v1::Category { name: category.name.clone(), price_minor: category.price_minor };
    v1::Manifest {
        name: parts.name.clone(),
        currency: parts.currency.clone(),
        categories: parts.categories.iter().map(category).collect(),
        sections: parts.sections.iter().map(section).collect(),
    }
}
