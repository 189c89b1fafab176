//! Whether what a change would add is there already, so that it may be sent again.
//!
//! When something came is not compared: the change itself does not say it.

use std::collections::BTreeMap;

use super::{CategoryIndex, Features, ManifestChange, ManifestParts, Row, Section, SectionKind};

/// Whether a change would add what is there already, exactly as it would be added.
pub(super) fn is_there(parts: &ManifestParts, change: &ManifestChange) -> bool {
    match change {
        ManifestChange::AddRows { section, rows } => match parts.sections.get(section.0 as usize) {
            Some(Section { kind: SectionKind::Reserved(own), .. }) => are_there(own, rows),
            _ => false,
        },
        ManifestChange::AddSection(section) => parts.sections.iter().any(|own| is_same_section(own, section)),
        ManifestChange::AddCategory(category) => parts.categories.contains(category),
        _ => false,
    }
}

fn are_there(own: &[Row], rows: &[Row]) -> bool {
    let mut by_name: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    own.iter().for_each(|own| by_name.entry(&own.name).or_default().push(own));
    let is_there =
        |row: &Row| by_name.get(row.name.as_str()).is_some_and(|own| own.iter().any(|own| is_same_row(own, row)));
    rows.iter().all(is_there)
}

/// Rows that were added to it later do not make another section of it.
fn is_same_section(own: &Section, section: &Section) -> bool {
    own.name == section.name
        && match (&own.kind, &section.kind) {
            (SectionKind::Reserved(own), SectionKind::Reserved(rows)) => {
                let came = own.iter().filter(|row| row.added == own[0].added);
                came.clone().count() == rows.len() && came.zip(rows).all(|(own, row)| is_same_row(own, row))
            }
            (own, kind) => own == kind,
        }
}

fn is_same_row(own: &Row, row: &Row) -> bool {
    let count = |row: &Row| row.runs.iter().map(|run| u64::from(run.names.len())).sum::<u64>();
    own.name == row.name && own.rank == row.rank && count(own) == count(row) && seats_of(own).eq(seats_of(row))
}

/// Seat by seat: runs may be cut differently.
fn seats_of(row: &Row) -> impl Iterator<Item = (CategoryIndex, Features, String)> + '_ {
    row.runs.iter().flat_map(|run| (0..run.names.len()).map(|seat| (run.category, run.features, run.names.name(seat))))
}
