//! What bulk commands share: which places a selection means, and how what was left alone is told.

use super::{sale::ShowState, show::Show};
use crate::{
    command::Selection,
    ids::{SeatIndex, SectionIndex},
    rejection::{Conflicts, GaShortage, Rejection},
    time::Timestamp,
};

/// Most seats of a bulk command that are named as left alone; the rest is counted.
pub const NAMED_REFUSALS_MAX: usize = 1_000;

/// What became of a bulk command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkReport {
    /// Seats and units that it did change.
    pub changed: u32,
    /// Seats and units that it left alone, because their status did not allow it.
    pub refused: u32,
    /// The first of the seats that were left alone, at most 1,000.
    pub refused_seats: Vec<SeatIndex>,
    /// Sections of which units were left alone.
    pub refused_ga: Vec<SectionIndex>,
    /// Places that will be offered a few at a time to those who wait, of those that it did change.
    pub queued: u32,
    /// Entries that wait, when it was asked only to count.
    pub waiting: u32,
}

/// The state of a show in which its organiser may change it.
pub(super) fn must_be_changeable(show: &Show, now: Timestamp) -> Result<(), Rejection> {
    match show.sale.state_at(now) {
        ShowState::Cancelled | ShowState::Archived => Err(show.not_open(now)),
        _ => Ok(()),
    }
}

/// The seats of a selection, ascending, without those that were retired; and its units.
///
/// # Errors
/// [`Rejection::PlacesUnknown`].
pub(super) fn select(
    show: &Show,
    selection: &Selection,
) -> Result<(Vec<SeatIndex>, Vec<(SectionIndex, u32)>), Rejection> {
    let manifest = &show.manifest;
    let is_section = |section: &SectionIndex| (section.0 as usize) < manifest.parts().sections.len();
    let is_ga = |section: &SectionIndex| manifest.ga_capacity(*section).is_some();
    let unknown = Conflicts {
        seats: selection.seats.iter().copied().filter(|seat| seat.0 >= manifest.seats()).collect(),
        ga: selection
            .ga
            .iter()
            .filter(|(section, _)| !is_ga(section))
            .map(|&(section, requested)| GaShortage { section, requested, available: 0 })
            .chain(selection.sections.iter().chain(selection.rows.iter().map(|(section, _)| section)).filter_map(
                |section| {
                    (!is_section(section)).then_some(GaShortage { section: *section, requested: 0, available: 0 })
                },
            ))
            .collect(),
    };
    if !unknown.is_empty() {
        return Err(Rejection::PlacesUnknown(unknown));
    }
    let mut seats = selection.seats.clone();
    for row in manifest.rows() {
        let by_name = || {
            let own = selection.rows.iter().filter(|(section, _)| *section == row.section);
            own.into_iter().any(|(_, name)| *name == *manifest.row_name(row))
        };
        if selection.sections.contains(&row.section) || by_name() {
            seats.extend((row.first_seat..row.first_seat + row.seats).map(SeatIndex));
        }
    }
    if !selection.categories.is_empty() {
        let of_category = |seat: &SeatIndex| selection.categories.contains(&manifest.category_of(*seat));
        seats.extend((0..manifest.seats()).map(SeatIndex).filter(of_category));
    }
    seats.sort_unstable();
    seats.dedup();
    seats.retain(|seat| !show.is_retired(*seat));
    let mut ga: Vec<(SectionIndex, u32)> = Vec::new();
    for &(section, units) in &selection.ga {
        match ga.iter_mut().find(|(own, _)| *own == section) {
            Some((_, own)) => *own = own.saturating_add(units),
            None => ga.push((section, units)),
        }
    }
    ga.sort_unstable();
    Ok((seats, ga))
}

/// A report of so many changed seats, and of those left alone.
pub(super) fn report(
    changed: usize,
    refused: Vec<SeatIndex>,
    refused_ga: impl IntoIterator<Item = SectionIndex>,
) -> BulkReport {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut refused_seats = refused;
    let refused = count(refused_seats.len());
    refused_seats.truncate(NAMED_REFUSALS_MAX);
    BulkReport {
        changed: count(changed),
        refused,
        refused_seats,
        refused_ga: refused_ga.into_iter().collect(),
        ..BulkReport::default()
    }
}
