//! Manifests from the wire and back.
//!
//! Only the shape is read here; the engine checks the content.

use usher_engine::{
    ids::SectionIndex,
    inventory::manifest::{
        Category, CategoryIndex, Features, Manifest, ManifestParts, Pool, Row, SeatNames, SeatRun, Section, SectionKind,
    },
};
use usher_proto::v1;

use crate::{plan::ADDED_MAX, status::Refusal};

/// Reads and checks a manifest.
///
/// # Errors
/// A refusal that names the part that is wrong.
pub fn manifest(wire: Option<v1::Manifest>) -> Result<Manifest, Refusal> {
    let Some(wire) = wire else { return Err(Refusal::wrong("manifest", "must be set")) };
    let parts =
        parts(wire).map_err(|(field, description)| Refusal::wrong(&format!("manifest.{field}"), description))?;
    Manifest::new(parts).map_err(|error| Refusal::wrong(&format!("manifest.{}", error.spot), error.problem))
}

/// A field's path and what is wrong with it.
pub(super) type Wrong = (String, String);

fn parts(wire: v1::Manifest) -> Result<ManifestParts, Wrong> {
    let categories: Vec<Category> = wire.categories.into_iter().map(category).collect();
    let sections = wire.sections.into_iter().enumerate();
    let sections = sections.map(|(position, wire)| section(wire, &categories, &format!("sections[{position}]")));
    let sections: Vec<Section> = sections.collect::<Result<_, Wrong>>()?;
    let pools = wire.pools.into_iter().enumerate();
    let pools = pools.map(|(position, wire)| pool(wire, &sections, &format!("pools[{position}]")));
    let pools = pools.collect::<Result<_, Wrong>>()?;
    Ok(ManifestParts { name: wire.name, currency: wire.currency, categories, sections, capacity: wire.capacity, pools })
}

pub(super) fn category(wire: v1::Category) -> Category {
    Category { name: wire.name, price_minor: wire.price_minor }
}

pub(super) fn section(wire: v1::Section, categories: &[Category], path: &str) -> Result<Section, Wrong> {
    let none = || (path.to_owned(), "must be reserved or general_admission".to_owned());
    let kind = match wire.kind.ok_or_else(none)? {
        v1::section::Kind::Reserved(reserved) => {
            let rows = reserved.rows.into_iter().enumerate();
            let rows = rows.map(|(row, wire)| self::row(wire, categories, &format!("{path}.reserved.rows[{row}]")));
            SectionKind::Reserved(rows.collect::<Result<_, _>>()?)
        }
        v1::section::Kind::GeneralAdmission(wire) => {
            let category = category_index(categories, &wire.category, &format!("{path}.general_admission"))?;
            SectionKind::GeneralAdmission { capacity: wire.capacity, category }
        }
    };
    Ok(Section { name: wire.name, kind })
}

pub(super) fn row(wire: v1::Row, categories: &[Category], path: &str) -> Result<Row, Wrong> {
    let runs = wire.runs.into_iter().enumerate().map(|(run, wire)| {
        let path = format!("{path}.runs[{run}]");
        let category = category_index(categories, &wire.category, &path)?;
        let features = features(&wire.features, &path)?;
        let names = match wire.names.ok_or_else(|| (path, "must be numbered or named".to_owned()))? {
            v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count, step }) => {
                SeatNames::Numbered { first, step, count }
            }
            v1::seat_run::Names::Named(named) => SeatNames::Named(named.names),
        };
        Ok(SeatRun { category, names, features })
    });
    let runs = runs.collect::<Result<_, Wrong>>()?;
    if wire.added > ADDED_MAX {
        return Err((format!("{path}.added"), format!("must be at most {ADDED_MAX}, is {}", wire.added)));
    }
    Ok(Row { name: wire.name, runs, rank: wire.rank, added: wire.added })
}

fn features(wire: &[i32], path: &str) -> Result<Features, Wrong> {
    let mut features = Features::NONE;
    for &feature in wire {
        features = features.and(match v1::SeatFeature::try_from(feature) {
            Ok(v1::SeatFeature::Wheelchair) => Features::ACCESSIBLE,
            Ok(v1::SeatFeature::Companion) => Features::COMPANION,
            Ok(v1::SeatFeature::RestrictedView) => Features::RESTRICTED_VIEW,
            Ok(v1::SeatFeature::Unspecified) | Err(_) => {
                return Err((format!("{path}.features"), format!("{feature} is not a known feature")));
            }
        });
    }
    Ok(features)
}

pub(super) fn pool(wire: v1::Pool, sections: &[Section], path: &str) -> Result<Pool, Wrong> {
    let index = |name: &String| {
        let position = sections.iter().position(|section| section.name == *name);
        let index = position.and_then(|position| u32::try_from(position).ok()).map(SectionIndex);
        index.ok_or_else(|| (format!("{path}.sections"), format!("there is no section {name:?}")))
    };
    let sections = wire.sections.iter().map(index).collect::<Result<_, Wrong>>()?;
    Ok(Pool { name: wire.name, capacity: wire.capacity, sections })
}

fn category_index(categories: &[Category], name: &str, path: &str) -> Result<CategoryIndex, Wrong> {
    let position = categories.iter().position(|category| category.name == name);
    position
        .and_then(|position| u8::try_from(position).ok())
        .map(CategoryIndex)
        .ok_or_else(|| (format!("{path}.category"), format!("there is no category {name:?}")))
}

/// A manifest for the wire.
#[must_use]
pub fn manifest_to_wire(parts: &ManifestParts) -> v1::Manifest {
    let category =
        |category: &Category| v1::Category { name: category.name.clone(), price_minor: category.price_minor };
    let section_name = |section: &SectionIndex| parts.sections[section.0 as usize].name.clone();
    let pool = |pool: &Pool| v1::Pool {
        name: pool.name.clone(),
        capacity: pool.capacity,
        sections: pool.sections.iter().map(section_name).collect(),
    };
    v1::Manifest {
        name: parts.name.clone(),
        currency: parts.currency.clone(),
        categories: parts.categories.iter().map(category).collect(),
        sections: parts.sections.iter().map(|section| section_to_wire(section, parts)).collect(),
        capacity: parts.capacity,
        pools: parts.pools.iter().map(pool).collect(),
    }
}

fn section_to_wire(section: &Section, parts: &ManifestParts) -> v1::Section {
    let category_name = |category: CategoryIndex| parts.categories[usize::from(category.0)].name.clone();
    let run = |run: &SeatRun| v1::SeatRun {
        category: category_name(run.category),
        names: Some(match &run.names {
            &SeatNames::Numbered { first, step, count } => {
                v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count, step })
            }
            SeatNames::Named(names) => v1::seat_run::Names::Named(v1::NamedSeats { names: names.clone() }),
        }),
        features: features_to_wire(run.features),
    };
    let row = |row: &Row| v1::Row {
        name: row.name.clone(),
        runs: row.runs.iter().map(run).collect(),
        rank: row.rank,
        added: row.added,
    };
    let kind = match &section.kind {
        SectionKind::Reserved(rows) => {
            v1::section::Kind::Reserved(v1::ReservedSection { rows: rows.iter().map(row).collect() })
        }
        &SectionKind::GeneralAdmission { capacity, category } => {
            let category = category_name(category);
            v1::section::Kind::GeneralAdmission(v1::GeneralAdmission { capacity, category })
        }
    };
    v1::Section { name: section.name.clone(), kind: Some(kind) }
}

fn features_to_wire(features: Features) -> Vec<i32> {
    let all = [
        (Features::ACCESSIBLE, v1::SeatFeature::Wheelchair),
        (Features::COMPANION, v1::SeatFeature::Companion),
        (Features::RESTRICTED_VIEW, v1::SeatFeature::RestrictedView),
    ];
    all.into_iter().filter(|(own, _)| features.has_any(*own)).map(|(_, wire)| wire.into()).collect()
}
