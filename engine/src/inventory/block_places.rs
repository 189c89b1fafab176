//! BlockPlaces, UnblockPlaces, ScheduleRelease and RetireSeats: what the organiser withholds, and gives back.
//!
//! None of them touches what is held or sold: such places are left alone and named, the rest is done. What comes back
//! goes first to those who wait; a mass return goes to them a few places at a time.

use super::{
    Answer, BulkReport,
    blocks::{BlockKind, MARKS_MAX, Mark},
    bulk::{self, BlockedUnits, must_be_changeable},
    show::Show,
};
use crate::{
    command::{BlockPlaces, ScheduleRelease, Selection, UnblockPlaces},
    event::{Event, MarkedPlaces},
    ids::{SeatIndex, SeatRange, SectionIndex},
    rejection::{Limit, Rejection},
    time::Timestamp,
};

/// Between two parts of a mass return, in milliseconds.
const RETURN_EVERY_MS: u64 = 1_000;
/// More places than this that come back at once, while somebody waits, are queued.
const RETURNED_AT_ONCE_MAX: u32 = 64;

pub(super) fn block(
    show: &Show,
    command: &BlockPlaces,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    let selected = bulk::select(show, &command.selection)?;
    if show.blocks.position(&command.mark).is_none() && show.blocks.is_full() {
        return Err(Rejection::LimitReached { limit: Limit::MarksPerShow, max: MARKS_MAX as u64 });
    }
    // After this point it must succeed.
    let is_so = |seat: &SeatIndex| show.blocks.is_blocked(*seat) && show.blocks.mark_of(*seat) == Some(&command.mark);
    let (free, others): (Vec<_>, Vec<_>) = selected.seats.into_iter().partition(|seat| show.available.contains(*seat));
    let refused = others.into_iter().filter(|seat| !is_so(seat)).collect();
    let (mut ga, mut short, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for (section, units) in selected.ga {
        let available = show.ga_available(section);
        let before = show.blocks.units_of(section, &command.mark);
        let more = units.map_or(available, |units| units.saturating_sub(before));
        let granted = more.min(available);
        ga.extend((granted > 0).then_some((section, granted)));
        short.extend((more > granted).then_some((section, more - granted)));
        told.push(BlockedUnits { section, before, after: before + granted });
    }
    let changed = bulk::count(&free) + ga.iter().map(|(_, units)| units).sum::<u32>();
    let report = BulkReport { ga: told, ..bulk::report(changed, refused, &short) };
    if report.changed > 0 {
        let marked = MarkedPlaces { mark: command.mark.clone(), seats: SeatRange::of(free), ga };
        events.push(Event::PlacesBlocked(Box::new(marked)));
    }
    Ok(Answer::Bulk(Box::new(report)))
}

pub(super) fn unblock(
    show: &Show,
    command: &UnblockPlaces,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    let selected = bulk::select(show, &command.selection)?;
    // After this point it must succeed.
    let mark = &command.mark;
    let (marked, others): (Vec<_>, Vec<_>) =
        selected.seats.into_iter().partition(|seat| show.blocks.mark_of(*seat) == Some(mark));
    // What is available already is as it was asked to be.
    let refused = others.into_iter().filter(|seat| !show.available.contains(*seat)).collect();
    let told = selected.ga.into_iter().map(|(section, stays)| {
        let before = show.blocks.units_of(section, mark);
        BlockedUnits { section, before, after: before.min(stays.unwrap_or(0)) }
    });
    let told: Vec<BlockedUnits> = told.collect();
    let back = told.iter().map(|units| (units.section, units.before - units.after));
    let ga: Vec<_> = back.filter(|(_, units)| *units > 0).collect();
    let changed = bulk::count(&marked) + ga.iter().map(|(_, units)| units).sum::<u32>();
    let mut report = BulkReport { ga: told, ..bulk::report(changed, refused, &[]) };
    report.waiting = show.waitlist.waiting();
    if report.changed > RETURNED_AT_ONCE_MAX && report.waiting > 0 && mark.kind != BlockKind::Returning {
        report.queued = report.changed;
    }
    if report.changed > 0 && !command.dry_run {
        events.push(release(show, mark, marked, ga));
    }
    Ok(Answer::Bulk(Box::new(report)))
}

/// Takes a mark off these places, at once or as a mass return.
fn release(show: &Show, mark: &Mark, seats: Vec<SeatIndex>, ga: Vec<(SectionIndex, u32)>) -> Event {
    let count = seats.len() + ga.iter().map(|(_, units)| *units as usize).sum::<usize>();
    let is_mass = count > RETURNED_AT_ONCE_MAX as usize && mark.kind != BlockKind::Returning;
    let places = Box::new(MarkedPlaces { mark: mark.clone(), seats: SeatRange::of(seats), ga });
    if is_mass && show.waitlist.waiting() > 0 && !show.blocks.is_full() {
        Event::ReturnsQueued(places)
    } else {
        Event::PlacesUnblocked(places)
    }
}

pub(super) fn schedule(
    show: &Show,
    command: &ScheduleRelease,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    if show.blocks.position(&command.mark).is_none() && show.blocks.is_full() {
        return Err(Rejection::LimitReached { limit: Limit::MarksPerShow, max: MARKS_MAX as u64 });
    }
    // After this point it must succeed.
    let known = show.blocks.position(&command.mark).and_then(|mark| show.releases.get(&mark).copied());
    if known != command.at {
        events.push(Event::ReleaseScheduled { mark: command.mark.clone(), at: command.at });
    }
    Ok(Answer::Done)
}

/// What a scheduled release does when its time has come: everything under its mark comes back, and the plan is done. A
/// seat of the house that is held or sold then is not the house's any more.
pub(super) fn release_due(show: &Show, mark: u8, events: &mut Vec<Event>) {
    let mark = &show.blocks.marks()[usize::from(mark)];
    let seats: Vec<SeatIndex> = show.blocks.marked(mark).collect();
    let of_mark = show.blocks.ga().filter(|(_, own, _)| *own == mark);
    let ga: Vec<_> = of_mark.map(|(section, _, units)| (section, units)).collect();
    if !seats.is_empty() || !ga.is_empty() {
        events.push(release(show, mark, seats, ga));
    }
    events.push(Event::ReleaseScheduled { mark: mark.clone(), at: None });
}

/// The next places of a mass return: as many as come back in a second, all at once.
pub(super) fn return_due(show: &Show, events: &mut Vec<Event>) {
    let max = show.policy.returns_per_second_max as usize;
    let Some(mark) = show.blocks.marks().iter().find(|mark| mark.kind == BlockKind::Returning) else { return };
    let seats: Vec<SeatIndex> = show.blocks.seats_of(mark).take(max).collect();
    let mut room = u32::try_from(max - seats.len()).unwrap_or(0);
    let mut ga = Vec::new();
    for (section, _, units) in show.blocks.ga().filter(|(_, own, _)| *own == mark) {
        let units = units.min(room);
        room -= units;
        if units > 0 {
            ga.push((section, units));
        }
    }
    let places = MarkedPlaces { mark: mark.clone(), seats: SeatRange::of(seats), ga };
    events.push(Event::PlacesUnblocked(Box::new(places)));
}

pub(super) fn retire(
    show: &Show,
    selection: &Selection,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    must_be_changeable(show, now)?;
    let selected = bulk::select(show, selection)?;
    // After this point it must succeed.
    let is_free = |seat: &SeatIndex| show.available.contains(*seat) || show.blocks.is_blocked(*seat);
    let (free, refused): (Vec<_>, Vec<_>) = selected.seats.into_iter().partition(is_free);
    let report = bulk::report(bulk::count(&free), refused, &no_units(selected.ga));
    if !free.is_empty() {
        events.push(Event::SeatsRetired { seats: SeatRange::of(free) });
    }
    Ok(Answer::Bulk(Box::new(report)))
}

/// Units of general admission are left alone where only seats can be meant.
pub(super) fn no_units(ga: Vec<(SectionIndex, Option<u32>)>) -> Vec<(SectionIndex, u32)> {
    ga.into_iter().map(|(section, units)| (section, units.unwrap_or(0))).collect()
}

pub(super) fn apply_blocked(show: &mut Show, places: &MarkedPlaces) {
    let mark = show.blocks.position_or_new(&places.mark);
    let seats = show.manifest.seats();
    for seat in places.seats.iter().flat_map(|range| range.seats()) {
        show.available.remove(seat);
        show.blocks.mark(seat, mark, seats);
    }
    for &(section, units) in &places.ga {
        show.ga[section.0 as usize].blocked += units;
        show.blocks.add_units(section, mark, units);
    }
    show.runs_changed(places.seats.iter().flat_map(|range| range.seats()));
}

pub(super) fn apply_unblocked(show: &mut Show, places: &MarkedPlaces, at: Timestamp) {
    let Some(mark) = show.blocks.position(&places.mark) else { return };
    for seat in places.seats.iter().flat_map(|range| range.seats()) {
        // A seat of the house that is held or sold only loses its mark.
        let comes_back = show.blocks.is_blocked(seat);
        show.blocks.unmark(seat);
        if comes_back {
            show.available.insert(seat);
            show.waitlist.look_at(std::iter::once(seat), std::iter::empty());
        }
    }
    for &(section, units) in &places.ga {
        show.ga[section.0 as usize].blocked -= units;
        show.blocks.remove_units(section, mark, units);
        show.waitlist.look_at(std::iter::empty(), std::iter::once(section));
    }
    if places.mark.kind == BlockKind::Returning {
        let is_done = show.blocks.seats_of(&places.mark).next().is_none()
            && show.blocks.ga().all(|(_, mark, _)| *mark != places.mark);
        show.returns_due_at = (!is_done).then(|| at.plus_ms(RETURN_EVERY_MS));
    }
    show.runs_changed(places.seats.iter().flat_map(|range| range.seats()));
}

/// The places wait under a mark of their own.
pub(super) fn apply_queued(show: &mut Show, places: &MarkedPlaces, at: Timestamp) {
    let returning = Mark { kind: BlockKind::Returning, reason: places.mark.reason.clone() };
    let returning = match show.blocks.marks().iter().find(|mark| mark.kind == BlockKind::Returning) {
        Some(known) => known.clone(),
        None => returning,
    };
    let Some(from) = show.blocks.position(&places.mark) else { return };
    let to = show.blocks.position_or_new(&returning);
    let seats = show.manifest.seats();
    for seat in places.seats.iter().flat_map(|range| range.seats()) {
        if show.blocks.is_blocked(seat) {
            show.blocks.mark(seat, to, seats);
        } else {
            show.blocks.unmark(seat);
        }
    }
    for &(section, units) in &places.ga {
        show.blocks.remove_units(section, from, units);
        show.blocks.add_units(section, to, units);
    }
    show.returns_due_at.get_or_insert(at);
}

pub(super) fn apply_scheduled(show: &mut Show, mark: &Mark, at: Option<Timestamp>) {
    let mark = show.blocks.position_or_new(mark);
    match at {
        Some(at) => show.releases.insert(mark, at),
        None => show.releases.remove(&mark),
    };
}

pub(super) fn apply_retired(show: &mut Show, seats: &[SeatRange]) {
    let count = show.manifest.seats();
    for seat in seats.iter().flat_map(|range| range.seats()) {
        show.available.remove(seat);
        show.blocks.unmark(seat);
        show.retired.get_or_insert_with(|| super::seat_bitmap::SeatBitmap::empty(count)).insert(seat);
    }
    show.runs_changed(seats.iter().flat_map(|range| range.seats()));
    show.waitlist.house_changed();
}

#[cfg(test)]
mod tests;
