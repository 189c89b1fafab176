//! ChangeManifest and ChangePolicy: other places, prices and rules from now on, without losing what was granted.
//!
//! A hold keeps the prices it was granted at; they are noted with it when they change. A general-admission section may
//! shrink below what is taken: then it is over-committed, and nothing more is granted. Seats are never renumbered.

use std::sync::Arc;

use super::{
    Answer,
    blocks::{BlockKind, Mark},
    bulk::must_be_changeable,
    capacities::OverCommitted,
    manifest::{Manifest, ManifestChange, SectionKind},
    places::Places,
    policy::Policy,
    show::{GaTally, Show},
};
use crate::{
    event::{Event, MarkedPlaces},
    ids::{Name, SeatIndex, SeatRange, SectionIndex},
    rejection::{Conflicts, GaShortage, Limit, Rejection},
    time::Timestamp,
};

/// Most changes of one show's manifest.
pub const MANIFEST_CHANGES_MAX: u32 = 10_000;
/// More new places than this, while somebody waits, are offered a few at a time.
const NEW_AT_ONCE_MAX: u32 = 64;

/// What a change of the manifest did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestReport {
    /// The version that it has now.
    pub version: u32,
    /// Capacities below what is taken.
    pub over_committed: Vec<OverCommitted>,
}

pub(super) fn decide(
    show: &Show,
    change: &ManifestChange,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    let changed = show.manifest.changed(change).map_err(|error| Rejection::ManifestInvalid(Box::new(error)))?;
    let is_new = changed.parts() != show.manifest.parts();
    if is_new && show.manifest_version > MANIFEST_CHANGES_MAX {
        let max = u64::from(MANIFEST_CHANGES_MAX);
        return Err(Rejection::LimitReached { limit: Limit::ManifestChanges, max });
    }
    // After this point it must succeed.
    if is_new {
        events.push(Event::ManifestChanged(Box::new(change.clone())));
    }
    let version = show.manifest_version + u32::from(is_new);
    Ok(Answer::ManifestChanged(ManifestReport { version, over_committed: show.over_committed(&changed) }))
}

pub(super) fn apply(show: &mut Show, change: &ManifestChange) {
    let manifest = show.manifest.changed(change).expect("only a valid change is logged");
    let (seats, sections) = show.manifest.changed_places(change);
    keep_prices(show, &seats, &sections);
    let before = std::mem::replace(&mut show.manifest, Arc::new(manifest));
    show.manifest_version += 1;
    show.manifest_changes.push((show.manifest_version, seats, sections));
    grow(show, &before);
    show.runs.forget();
    show.waitlist.house_changed();
    show.waitlist.look_again(&show.manifest, show.channels.open);
    show.waitlist.look_everywhere();
}

/// Every hold and booking keeps the prices of its places.
fn keep_prices(show: &mut Show, seats: &[SeatRange], sections: &[SectionIndex]) {
    if seats.is_empty() && sections.is_empty() {
        return;
    }
    let is_changed = |seat: SeatIndex| {
        let after = seats.partition_point(|range| range.first <= seat);
        after.checked_sub(1).is_some_and(|range| seat.0 < seats[range].first.0 + seats[range].count)
    };
    for slot in show.holds.owners() {
        let hold = show.holds.get(slot);
        let places = hold.remaining();
        let of_seat = |seat: SeatIndex| Some((seat, show.manifest.seat_category(seat)?.price_minor));
        let of_unit = |section: SectionIndex| Some((section, show.manifest.ga_category(section)?.price_minor));
        let known = hold.rare().map(|rare| rare.prices.clone()).unwrap_or_default();
        let new = |seat: &SeatIndex| is_changed(*seat) && known.seats.iter().all(|(own, _)| own != seat);
        let kept: Vec<_> = places.seats().filter(new).filter_map(of_seat).collect();
        let new = |section: &SectionIndex| sections.contains(section) && known.ga.iter().all(|(own, _)| own != section);
        let kept_ga: Vec<_> = places.ga().map(|(section, _)| section).filter(new).filter_map(of_unit).collect();
        if !kept.is_empty() || !kept_ga.is_empty() {
            let prices = &mut show.holds.get_mut(slot).rare_mut().prices;
            prices.seats.extend(kept);
            prices.ga.extend(kept_ga);
        }
    }
}

/// New seats and units are there, free; a mass of them first for those who wait.
fn grow(show: &mut Show, before: &Manifest) {
    let (old, new) = (before.seats(), show.manifest.seats());
    show.available.grow(new);
    show.sold.grow(new);
    show.retired.iter_mut().for_each(|retired| retired.grow(new));
    show.channels.all.iter_mut().for_each(|channel| channel.seats.grow(new));
    if !show.blocks.is_empty() {
        show.blocks.make_room(new);
    }
    show.ga.resize(show.manifest.parts().sections.len(), GaTally::default());
    (old..new).for_each(|seat| show.available.insert(SeatIndex(seat)));
    let units = new_units(show, before);
    let count = new - old + units.iter().map(|(_, units)| units).sum::<u32>();
    if count <= NEW_AT_ONCE_MAX || show.waitlist.waiting() == 0 || show.blocks.is_full() {
        show.waitlist.look_at((old..new).map(SeatIndex), units.iter().map(|(section, _)| *section));
        return;
    }
    let mark = Mark { kind: BlockKind::Block, reason: Name::new("new").expect("a short name") };
    let seats = if new > old { vec![SeatRange { first: SeatIndex(old), count: new - old }] } else { Vec::new() };
    let places = MarkedPlaces { mark, seats, ga: units };
    super::block_places::apply_blocked(show, &places);
    super::block_places::apply_queued(show, &places, Timestamp(0));
}

/// Units that can be taken now and could not before.
fn new_units(show: &Show, before: &Manifest) -> Vec<(SectionIndex, u32)> {
    let sections = (0u32..).map(SectionIndex).zip(&show.manifest.parts().sections);
    let grown = sections.filter_map(|(section, description)| {
        let SectionKind::GeneralAdmission { capacity, .. } = description.kind else { return None };
        let more = capacity.saturating_sub(before.ga_capacity(section).unwrap_or(0));
        Some((section, more.min(show.ga_available(section))))
    });
    grown.filter(|(_, units)| *units > 0).collect()
}

pub(super) fn decide_policy(
    show: &Show,
    policy: &Policy,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    // After this point it must succeed.
    if show.policy != *policy {
        events.push(Event::PolicyChanged(Box::new(*policy)));
    }
    Ok(Answer::Done)
}

pub(super) fn apply_policy(show: &mut Show, policy: Policy) {
    show.policy = policy;
    show.waitlist.set_order(policy.waitlist_order);
    show.waitlist.look_everywhere();
}

impl Show {
    /// Refuses if a named place changed its price or its category since the version that the caller saw.
    pub(super) fn check_manifest_version(&self, seen: Option<u32>, places: &Places) -> Result<(), Rejection> {
        let Some(seen) = seen.filter(|seen| *seen < self.manifest_version) else { return Ok(()) };
        let since = self.manifest_changes.iter().filter(|(version, ..)| *version > seen);
        let mut conflicts = Conflicts::default();
        for (_, seats, sections) in since {
            let is_in = |seat: &SeatIndex| {
                seats.iter().any(|range| (range.first.0..range.first.0 + range.count).contains(&seat.0))
            };
            conflicts.seats.extend(places.seats().filter(is_in));
            let changed = places.ga().filter(|(section, _)| sections.contains(section));
            conflicts.ga.extend(changed.map(|(section, requested)| GaShortage {
                section,
                requested,
                available: self.ga_available(section),
            }));
        }
        conflicts.seats.sort_unstable();
        conflicts.seats.dedup();
        conflicts.ga.sort_unstable_by_key(|shortage| shortage.section);
        conflicts.ga.dedup();
        if conflicts.is_empty() {
            return Ok(());
        }
        Err(Rejection::ManifestChanged { version: self.manifest_version, places: Box::new(conflicts) })
    }
}

#[cfg(test)]
mod tests;
