//! The orphan rule of the naive model: no single free seat is left over between others, if there is another way.

use usher_engine::{
    ids::SeatIndex,
    inventory::{places::Places, policy::OrphanRule},
    rejection::{Conflicts, Rejection},
    time::Timestamp,
};

use super::{moves::has_seat, records::Row, show::Show, taking::Taking};

/// The single seats that a take leaves over.
pub(super) fn check(taking: &Taking<'_>, places: &Places) -> Result<Vec<SeatIndex>, Rejection> {
    let show = taking.show;
    if !are_looked_for(show, taking.now) {
        return Ok(Vec::new());
    }
    let is_free_then = |seat: SeatIndex| !has_seat(places, seat) && taking.is_reachable(seat);
    let beside_one = |seat: SeatIndex| neighbours(show, seat).into_iter().any(|other| has_seat(places, other));
    let orphans: Vec<SeatIndex> = show
        .seat_indexes()
        .filter(|seat| beside_one(*seat) && is_free_then(*seat) && is_single(show, *seat, is_free_then))
        .collect();
    let is_forbidden = show.policy.orphans == OrphanRule::Forbid && taking.terms.override_reason.is_none();
    if is_forbidden && !orphans.is_empty() && another_way(taking, longest_block(show, places)) {
        return Err(Rejection::OrphansLeft(Conflicts { seats: orphans.into(), ga: Vec::new().into() }));
    }
    Ok(orphans)
}

/// The single free seats that seats make when they come back.
pub(super) fn left_by_return(show: &Show, back: &Places, now: Timestamp) -> Vec<SeatIndex> {
    if !are_looked_for(show, now) {
        return Vec::new();
    }
    let is_free_then = |seat: SeatIndex| has_seat(back, seat) || show.seat(seat).is_available();
    back.seats().filter(|seat| is_single(show, *seat, is_free_then)).collect()
}

pub(super) fn are_looked_for(show: &Show, now: Timestamp) -> bool {
    let has_ended = show.policy.orphan_rule_ends_at.is_some_and(|at| at <= now);
    show.policy.orphans != OrphanRule::Off && !has_ended
}

/// Its row has other seats, and those beside it are not free.
fn is_single(show: &Show, seat: SeatIndex, is_free: impl Fn(SeatIndex) -> bool) -> bool {
    let beside = neighbours(show, seat);
    !beside.is_empty() && !beside.into_iter().any(is_free)
}

fn neighbours(show: &Show, seat: SeatIndex) -> Vec<SeatIndex> {
    let row = &show.rows[show.seat(seat).row];
    let in_row = seats_of(row);
    in_row.filter(|other| other.0.abs_diff(seat.0) == 1).collect()
}

fn seats_of(row: &Row) -> impl Iterator<Item = SeatIndex> + use<> {
    (row.first..row.first + row.seats).map(SeatIndex)
}

/// Whether so many seats side by side could be taken without leaving one over.
fn another_way(taking: &Taking<'_>, quantity: u32) -> bool {
    let show = taking.show;
    let is_free = |seat: &SeatIndex| {
        let seat = show.seat(*seat);
        seat.is_available() && !seat.is_protected() && taking.reaches(seat)
    };
    let lengths = show.rows.iter().flat_map(|row| free_runs(row, is_free)).map(|(_, length)| length);
    lengths.into_iter().any(|length| length == quantity || length >= quantity + 2)
}

/// The runs of free seats of a row: first seat and length.
pub(super) fn free_runs(row: &Row, is_free: impl Fn(&SeatIndex) -> bool) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for seat in seats_of(row).filter(|seat| is_free(seat)) {
        match runs.last_mut() {
            Some((first, length)) if *first + *length == seat.0 => *length += 1,
            _ => runs.push((seat.0, 1)),
        }
    }
    runs
}

fn longest_block(show: &Show, places: &Places) -> u32 {
    let runs = show.rows.iter().flat_map(|row| free_runs(row, |seat| has_seat(places, *seat)));
    runs.map(|(_, length)| length).max().unwrap_or(0)
}
