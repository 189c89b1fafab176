//! What the organiser of the naive model withholds, and gives back.

use std::collections::{BTreeMap, BTreeSet};

use usher_engine::{
    command::{BlockPlaces, ScheduleRelease, Selection, UnblockPlaces},
    ids::{Name, SeatIndex, SectionIndex},
    inventory::{
        Answer, BlockedUnits, BulkReport,
        blocks::{BlockKind, Mark},
        places::Places,
    },
    rejection::{Conflicts, GaShortage, Rejection},
    shard::Outcome,
    time::Timestamp,
};

use super::{lifecycle::CHANGEABLE, records::Owner, show::Show};

/// More than this at once, while somebody waits, come back a few at a time.
pub(super) const AT_ONCE_MAX: u32 = 64;

/// Seats and units, as a selection means them: all units of a section if no number is given.
type Selected = (Vec<SeatIndex>, Vec<(SectionIndex, Option<u32>)>);

impl Show {
    pub(super) fn note_mark(&mut self, mark: &Mark) {
        if !self.marks.contains(mark) {
            self.marks.push(mark.clone());
        }
    }

    /// Seats that are blocked so, and units.
    pub(super) fn marked(&self, mark: &Mark) -> (Vec<SeatIndex>, Vec<(SectionIndex, u32)>) {
        let is_marked = |seat: &SeatIndex| {
            let seat = self.seat(*seat);
            seat.is_blocked() && seat.mark.as_ref() == Some(mark)
        };
        let units = self.units.iter().filter_map(|(section, units)| Some((*section, *units.blocked.get(mark)?)));
        (self.seat_indexes().filter(is_marked).collect(), units.collect())
    }
}

/// The seats of a selection that are part of the show, and its units.
pub(super) fn select(show: &Show, selection: &Selection) -> Result<Selected, Rejection> {
    let shortage = |section, requested| GaShortage { section, requested, available: 0 };
    let mut unknown = Conflicts::default();
    unknown.seats.extend(selection.seats.iter().copied().filter(|seat| seat.0 as usize >= show.seats.len()));
    for &(section, units) in &selection.ga {
        if !show.units.contains_key(&section) {
            unknown.ga.push(shortage(section, units));
        }
    }
    for section in selection.sections.iter().chain(selection.rows.iter().map(|(section, _)| section)) {
        if section.0 as usize >= show.parts.sections.len() {
            unknown.ga.push(shortage(*section, 0));
        }
    }
    if !unknown.is_empty() {
        return Err(Rejection::PlacesUnknown(unknown));
    }
    let is_selected = |seat: &SeatIndex| {
        let (own, row) = (show.seat(*seat), &show.rows[show.seat(*seat).row]);
        let by_row = selection.rows.iter().any(|(section, name)| *section == row.section && *name == row.name);
        let named = by_row || selection.seats.contains(seat) || selection.sections.contains(&own.section);
        own.owner != Owner::Retired && (named || selection.categories.contains(&own.category))
    };
    // All units of a named section; otherwise the smallest number that is named.
    let mut ga: BTreeMap<SectionIndex, Option<u32>> = BTreeMap::new();
    for &(section, units) in &selection.ga {
        let own = ga.entry(section).or_insert(Some(units));
        *own = (*own).min(Some(units));
    }
    let named = selection.sections.iter().filter(|section| show.units.contains_key(section));
    ga.extend(named.map(|section| (*section, None)));
    Ok((show.seat_indexes().filter(is_selected).collect(), ga.into_iter().collect()))
}

pub(super) fn report(changed: u32, refused_seats: Vec<SeatIndex>, ga: Vec<(SectionIndex, u32)>) -> BulkReport {
    let refused = u32::try_from(refused_seats.len()).unwrap() + ga.iter().map(|(_, units)| units).sum::<u32>();
    let refused_ga = ga.into_iter().map(|(section, _)| section).collect();
    BulkReport { changed, refused, refused_seats, refused_ga, ..BulkReport::default() }
}

pub(super) fn block(show: &mut Show, command: &BlockPlaces, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let (seats, ga) = select(show, &command.selection)?;
    let mark = &command.mark;
    let (mut changed, mut refused, mut refused_ga, mut told) = (0, Vec::new(), Vec::new(), Vec::new());
    for seat in seats {
        let own = &mut show.seats[seat.0 as usize];
        if own.is_available() {
            own.mark = Some(mark.clone());
            changed += 1;
        } else if !own.is_blocked() || own.mark.as_ref() != Some(mark) {
            refused.push(seat);
        }
    }
    for (section, units) in ga {
        let own = show.units_mut(section);
        let (available, blocked) = (own.available(), own.blocked.get(mark).copied().unwrap_or(0));
        let more = units.map_or(available, |units| units.saturating_sub(blocked));
        let granted = more.min(available);
        if granted > 0 {
            own.blocked.insert(mark.clone(), blocked + granted);
            changed += granted;
        }
        if granted < more {
            refused_ga.push((section, more - granted));
        }
        told.push(BlockedUnits { section, before: blocked, after: blocked + granted });
    }
    if changed > 0 {
        show.note_mark(mark);
    }
    Ok(Answer::Bulk(Box::new(BulkReport { ga: told, ..report(changed, refused, refused_ga) })))
}

pub(super) fn unblock(show: &mut Show, command: &UnblockPlaces, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let (seats, ga) = select(show, &command.selection)?;
    let mark = &command.mark;
    let is_marked = |seat: &SeatIndex| show.seat(*seat).mark.as_ref() == Some(mark);
    let (marked, others): (Vec<_>, Vec<_>) = seats.into_iter().partition(is_marked);
    let refused = others.into_iter().filter(|seat| !show.seat(*seat).is_available()).collect();
    let (mut back, mut told) = (Vec::new(), Vec::new());
    for (section, stays) in ga {
        let before = show.units[&section].blocked.get(mark).copied().unwrap_or(0);
        let units = before.saturating_sub(stays.unwrap_or(0));
        if units > 0 {
            back.push((section, units));
        }
        told.push(BlockedUnits { section, before, after: before - units });
    }
    let ga = back;
    let changed = u32::try_from(marked.len()).unwrap() + ga.iter().map(|(_, units)| units).sum::<u32>();
    let mut report = BulkReport { ga: told, ..report(changed, refused, Vec::new()) };
    report.waiting = show.waiting();
    if is_mass(show, mark, changed) {
        report.queued = changed;
    }
    if !command.dry_run {
        free(show, mark, marked, ga, now);
    }
    Ok(Answer::Bulk(Box::new(report)))
}

fn is_mass(show: &Show, mark: &Mark, count: u32) -> bool {
    count > AT_ONCE_MAX && show.waiting() > 0 && mark.kind != BlockKind::Returning
}

/// Takes a mark off these places, at once or as a mass return.
fn free(show: &mut Show, mark: &Mark, seats: Vec<SeatIndex>, ga: Vec<(SectionIndex, u32)>, now: Timestamp) {
    let count = u32::try_from(seats.len()).unwrap() + ga.iter().map(|(_, units)| units).sum::<u32>();
    if count == 0 {
        return;
    }
    let returning = is_mass(show, mark, count).then(|| returning(show, &mark.reason));
    let back = Places::new(
        seats.iter().copied().filter(|seat| returning.is_none() && show.seat(*seat).is_blocked()),
        ga.iter().copied().filter(|(_, units)| returning.is_none() && *units > 0),
    );
    for seat in seats {
        let seat = &mut show.seats[seat.0 as usize];
        // A seat of the house that is held or sold only loses its mark.
        seat.mark = if seat.is_blocked() { returning.clone() } else { None };
    }
    for (section, units) in ga {
        let blocked = &mut show.units_mut(section).blocked;
        let left = blocked.remove(mark).unwrap_or(0) - units;
        if left > 0 {
            blocked.insert(mark.clone(), left);
        }
        if let Some(returning) = &returning {
            *blocked.entry(returning.clone()).or_default() += units;
        }
    }
    if returning.is_some() {
        show.returns_due_at = show.returns_due_at.or(Some(now));
        return;
    }
    if mark.kind == BlockKind::Returning {
        let (seats, ga) = show.marked(mark);
        show.returns_due_at = (!seats.is_empty() || !ga.is_empty()).then(|| Timestamp(now.0 + 1_000));
    }
    show.came_back(&back.unwrap_or_default());
}

/// The mark of what comes back a few at a time: one for all.
pub(super) fn returning(show: &mut Show, reason: &Name) -> Mark {
    let known = show.marks.iter().find(|mark| mark.kind == BlockKind::Returning).cloned();
    let mark = known.unwrap_or_else(|| Mark { kind: BlockKind::Returning, reason: reason.clone() });
    show.note_mark(&mark);
    mark
}

pub(super) fn schedule(show: &mut Show, command: &ScheduleRelease, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    if show.releases.get(&command.mark).copied() == command.at {
        return Ok(Answer::Done);
    }
    show.note_mark(&command.mark);
    match command.at {
        Some(at) => show.releases.insert(command.mark.clone(), at),
        None => show.releases.remove(&command.mark),
    };
    Ok(Answer::Done)
}

/// A scheduled release: everything that is blocked so comes back, what is held or sold loses the mark, and the plan is
/// done.
pub(super) fn release_due(show: &mut Show, mark: &Mark, now: Timestamp) {
    let (_, ga) = show.marked(mark);
    let seats = show.seat_indexes().filter(|seat| show.seat(*seat).mark.as_ref() == Some(mark)).collect();
    free(show, mark, seats, ga, now);
    show.releases.remove(mark);
}

/// As much of a mass return as comes back in a second.
pub(super) fn return_due(show: &mut Show, now: Timestamp) {
    let Some(mark) = show.marks.iter().find(|mark| mark.kind == BlockKind::Returning).cloned() else { return };
    let (mut seats, all) = show.marked(&mark);
    let mut left = show.policy.returns_per_second_max;
    seats.truncate(left as usize);
    left -= u32::try_from(seats.len()).unwrap();
    let mut ga = Vec::new();
    for (section, units) in all {
        let units = units.min(left);
        left -= units;
        ga.push((section, units));
    }
    if seats.is_empty() && ga.is_empty() {
        show.returns_due_at = None;
        return;
    }
    free(show, &mark, seats, ga, now);
}

pub(super) fn retire(show: &mut Show, selection: &Selection, now: Timestamp) -> Outcome {
    show.must_be(&CHANGEABLE, now)?;
    let (seats, ga) = select(show, selection)?;
    let mut refused = Vec::new();
    let mut retired = BTreeSet::new();
    for seat in seats {
        let own = &mut show.seats[seat.0 as usize];
        if own.owner == Owner::Nobody {
            (own.owner, own.mark) = (Owner::Retired, None);
            retired.insert(seat);
        } else {
            refused.push(seat);
        }
    }
    Ok(Answer::Bulk(Box::new(report(u32::try_from(retired.len()).unwrap(), refused, no_units(ga)))))
}

/// Units are left alone where only seats can be meant.
pub(super) fn no_units(ga: Vec<(SectionIndex, Option<u32>)>) -> Vec<(SectionIndex, u32)> {
    ga.into_iter().map(|(section, units)| (section, units.unwrap_or(0))).collect()
}
