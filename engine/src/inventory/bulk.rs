//! What bulk commands share: which places a selection means, and how what was left alone is told.

use std::collections::BTreeSet;

use super::{manifest::Manifest, sale::ShowState, show::Show};
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
    /// Sections of which units were left alone, for want of available ones, or because only seats can be meant.
    pub refused_ga: Vec<SectionIndex>,
    /// Of blocks: the sections of general admission that were named, ascending.
    pub ga: Vec<BlockedUnits>,
    /// Places that will be offered a few at a time to those who wait, of those that it did change.
    pub queued: u32,
    /// Entries that wait.
    pub waiting: u32,
}

/// Units of a section that are blocked in the command's way and for its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedUnits {
    /// The section.
    pub section: SectionIndex,
    /// Before the command.
    pub before: u32,
    /// After it, or as it would be after it.
    pub after: u32,
}

/// The state of a show in which its organiser may change it.
pub(super) fn must_be_changeable(show: &Show, now: Timestamp) -> Result<(), Rejection> {
    match show.sale.state_at(now) {
        ShowState::Cancelled | ShowState::Archived => Err(show.not_open(now)),
        _ => Ok(()),
    }
}

impl Selection {
    /// All seats that it means in a manifest, ascending. Costs one walk over the manifest, however much is named.
    #[must_use]
    pub fn seats_in(&self, manifest: &Manifest) -> Vec<SeatIndex> {
        let mut seats = self.seats.clone();
        let sections: BTreeSet<SectionIndex> = self.sections.iter().copied().collect();
        let rows: BTreeSet<(SectionIndex, &str)> =
            self.rows.iter().map(|(section, name)| (*section, name.as_str())).collect();
        for row in manifest.rows() {
            if sections.contains(&row.section) || rows.contains(&(row.section, manifest.row_name(row))) {
                seats.extend((row.first_seat..row.first_seat + row.seats).map(SeatIndex));
            }
        }
        let of_category = manifest.seat_runs().filter(|(_, category)| self.categories.contains(category));
        of_category.for_each(|(own, _)| seats.extend(own.map(SeatIndex)));
        seats.sort_unstable();
        seats.dedup();
        seats
    }
}

/// What a selection means.
pub(super) struct Selected {
    /// Ascending, without those that were retired.
    pub(super) seats: Vec<SeatIndex>,
    /// Ascending; all units of a section if no number is given.
    pub(super) ga: Vec<(SectionIndex, Option<u32>)>,
}

/// # Errors
/// [`Rejection::PlacesUnknown`].
pub(super) fn select(show: &Show, selection: &Selection) -> Result<Selected, Rejection> {
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
    let mut seats = selection.seats_in(manifest);
    seats.retain(|seat| !show.is_retired(*seat));
    let numbered = selection.ga.iter().map(|&(section, units)| (section, Some(units)));
    let whole = selection.sections.iter().copied().filter(is_ga).map(|section| (section, None));
    let mut ga: Vec<(SectionIndex, Option<u32>)> = whole.chain(numbered).collect();
    ga.sort_unstable();
    ga.dedup_by_key(|(section, _)| *section);
    Ok(Selected { seats, ga })
}

/// A report of so many changed places, and of those left alone.
pub(super) fn report(changed: u32, refused_seats: Vec<SeatIndex>, refused_ga: &[(SectionIndex, u32)]) -> BulkReport {
    let units: u32 = refused_ga.iter().map(|(_, units)| units).sum();
    let refused = count(&refused_seats) + units;
    let mut refused_seats = refused_seats;
    refused_seats.truncate(NAMED_REFUSALS_MAX);
    let refused_ga = refused_ga.iter().map(|(section, _)| *section).collect();
    BulkReport { changed, refused, refused_seats, refused_ga, ..BulkReport::default() }
}

/// How many seats these are.
pub(super) fn count(seats: &[SeatIndex]) -> u32 {
    u32::try_from(seats.len()).expect("at most a million seats")
}
