//! Selections of places by what they are, marks of blocks, and the reports of what became of them.

use usher_engine::{
    command::Selection,
    ids::{SeatIndex, SectionIndex},
    inventory::{
        BlockedUnits, BulkReport,
        blocks::{BlockKind, Mark},
        manifest::{CATEGORIES_MAX, Manifest, PLACES_MAX, SECTIONS_MAX},
    },
};
use usher_proto::v1;

use super::{Violations, answers::seat, places::Unknown};
use crate::status::Refusal;

/// Most rows of one selection.
const ROWS_MAX: usize = 10_000;

/// Whether a command can be about units of general admission.
#[derive(Clone, Copy, Debug)]
pub(super) enum Units<'a> {
    /// As many as these are to be blocked afterwards; whole sections of general admission may be named, too.
    Blocked(&'a [v1::GaBlocked]),
    /// It is about seats only.
    Refused,
}

/// Reads a selection, which must name something. Unknown names are a refusal of their own.
pub(super) fn selection(
    wire: Option<&v1::Selection>,
    units: Units<'_>,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Option<Selection>, Refusal> {
    let none = v1::Selection::default();
    let wire = wire.unwrap_or(&none);
    let blocked = match units {
        Units::Blocked(blocked) => blocked,
        Units::Refused => &[],
    };
    if *wire == none && blocked.is_empty() {
        let or_units = if matches!(units, Units::Blocked(_)) { ", or `ga` units" } else { "" };
        violations.note("selection", format_args!("must name seats, rows, sections or categories{or_units}"));
        return Ok(None);
    }
    if !check(wire, blocked, violations) {
        return Ok(None);
    }
    let mut unknown = Unknown::default();
    let mut seats: Vec<SeatIndex> = wire.seat_indexes.iter().map(|&seat| SeatIndex(seat)).collect();
    seats.extend(wire.seats.iter().filter_map(|label| unknown.seat(label, manifest)));
    let mut sections: Vec<SectionIndex> =
        wire.sections.iter().filter_map(|name| section(name, units, manifest, &mut unknown)).collect();
    let mut rows = rows(wire, manifest, &mut unknown);
    let mut categories = Vec::new();
    for name in &wire.categories {
        match manifest.category(name) {
            Some(category) => categories.push(category),
            None => unknown.note(format!("category {name:?}")),
        }
    }
    let mut ga = Vec::new();
    for wanted in blocked {
        let Some(section) = unknown.ga(&wanted.section, manifest) else { continue };
        let is_new = ga.iter().all(|(own, _)| *own != section) && !sections.contains(&section);
        violations.require(is_new, "ga", format_args!("names section {:?}, which is named twice", wanted.section));
        ga.push((section, wanted.units));
    }
    if !unknown.none(violations)? {
        return Ok(None);
    }
    seats.sort_unstable();
    seats.dedup();
    sections.sort_unstable();
    sections.dedup();
    rows.sort_unstable();
    rows.dedup();
    Ok(Some(Selection { seats, rows, sections, categories, ga }))
}

fn check(wire: &v1::Selection, blocked: &[v1::GaBlocked], violations: &mut Violations) -> bool {
    let seats = wire.seat_indexes.len() + wire.seats.len();
    let limits = [
        ("selection.seat_indexes", seats, PLACES_MAX as usize),
        ("selection.rows", wire.rows.len(), ROWS_MAX),
        ("selection.sections", wire.sections.len(), SECTIONS_MAX),
        ("selection.categories", wire.categories.len(), CATEGORIES_MAX),
        ("ga", blocked.len(), SECTIONS_MAX),
    ];
    limits.into_iter().for_each(|(field, found, max)| violations.limit(field, found, max));
    limits.into_iter().all(|(_, found, max)| found <= max)
}

fn rows(wire: &v1::Selection, manifest: &Manifest, unknown: &mut Unknown) -> Vec<(SectionIndex, String)> {
    let mut known: Vec<(SectionIndex, &str)> =
        manifest.rows().iter().map(|row| (row.section, manifest.row_name(row))).collect();
    known.sort_unstable();
    let mut rows = Vec::new();
    for row in &wire.rows {
        let section = manifest.section(&row.section);
        match section.filter(|&section| known.binary_search(&(section, row.row.as_str())).is_ok()) {
            Some(section) => rows.push((section, row.row.clone())),
            None => unknown.note(format!("row {}/{}", row.section, row.row)),
        }
    }
    rows
}

/// A section by its name, which is one of seats where a command is about seats only.
fn section(name: &str, units: Units<'_>, manifest: &Manifest, unknown: &mut Unknown) -> Option<SectionIndex> {
    let (is_any, kind) = match units {
        Units::Blocked(_) => (true, "section"),
        Units::Refused => (false, "section of seats"),
    };
    let found = manifest.section(name).filter(|section| is_any || manifest.ga_capacity(*section).is_none());
    if found.is_none() {
        unknown.note(format!("{kind} {name:?}"));
    }
    found
}

/// Reads a mark; `RETURNING` is the engine's own.
pub(super) fn mark(field: &str, wire: Option<&v1::Mark>, violations: &mut Violations) -> Option<Mark> {
    let none = v1::Mark::default();
    let wire = wire.unwrap_or(&none);
    let kind = match v1::BlockKind::try_from(wire.kind) {
        Ok(v1::BlockKind::House) => Some(BlockKind::House),
        Ok(v1::BlockKind::Kill) => Some(BlockKind::Kill),
        Ok(v1::BlockKind::Block) => Some(BlockKind::Block),
        Ok(v1::BlockKind::Unspecified | v1::BlockKind::Returning) | Err(_) => {
            violations.note(&format!("{field}.kind"), "must be HOUSE, KILL or BLOCK");
            None
        }
    };
    let reason = violations.name(&format!("{field}.reason"), &wire.reason);
    Some(Mark { kind: kind?, reason: reason? })
}

pub(super) fn mark_to_wire(mark: &Mark) -> v1::Mark {
    let kind = match mark.kind {
        BlockKind::House => v1::BlockKind::House,
        BlockKind::Kill => v1::BlockKind::Kill,
        BlockKind::Block => v1::BlockKind::Block,
        BlockKind::Returning => v1::BlockKind::Returning,
    };
    v1::Mark { kind: kind.into(), reason: mark.reason.as_str().to_owned() }
}

/// What became of a bulk command.
#[must_use]
pub fn report_to_wire(report: &BulkReport, manifest: &Manifest) -> v1::BulkReport {
    v1::BulkReport {
        changed: report.changed,
        refused: report.refused,
        refused_seats: report.refused_seats.iter().filter_map(|&own| seat(own, manifest)).collect(),
        refused_ga: report.refused_ga.iter().map(|&section| manifest.section_name(section).to_owned()).collect(),
        queued: report.queued,
        waiting: report.waiting,
        ga: report.ga.iter().map(|units| blocked_units(*units, manifest)).collect(),
    }
}

fn blocked_units(units: BlockedUnits, manifest: &Manifest) -> v1::BlockedUnits {
    let BlockedUnits { section, before, after } = units;
    v1::BlockedUnits { section: manifest.section_name(section).to_owned(), before, after }
}
