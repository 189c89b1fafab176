//! Wheelchair bays with their companions' seats: a pool of their own, which general requests never touch, even at the
//! end, and from which nobody gets anything else than he asked for.
//!
//! The bays and the companions' seats lie side by side, in the best row that has them so. The others of the party sit
//! beside them if they can, to the right or to the left, otherwise as any party would (never if they must be together).

use smallvec::SmallVec;

use super::{
    Placement, Step,
    choose::{self, Choice},
    field::Field,
};
use crate::{
    ids::{HoldId, SeatIndex},
    rejection::Rejection,
};

/// The bays, the companions' seats and those of the others, ascending.
pub(super) fn seats(field: &Field<'_>, hold_id: HoldId) -> Result<Choice, Rejection> {
    let wish = field.wish;
    let window = wish.bays + wish.companions;
    let others = wish.quantity - window;
    let windows = windows(field);
    let Some(&(position, start)) = windows.first() else {
        let available = pool_seats(field);
        let requested = window;
        return Err(if available < requested {
            Rejection::SoldOut { requested, available }
        } else {
            Rejection::NotTogether { requested, available }
        });
    };
    let rank_of = |position: usize| field.row_at(position).rank;
    let in_pool = |start: u32| (start..start + window).map(SeatIndex);
    for &(position, start) in &windows {
        if let Some(beside) = beside(field, position, start, window, others) {
            let mut seats: SmallVec<[SeatIndex; 8]> = in_pool(start).chain(beside).collect();
            seats.sort_unstable();
            let score = rank_of(position).saturating_mul(1_000);
            return Ok(Choice { seats, placement: Placement { step: Step::Together, score } });
        }
    }
    if !field.splits() {
        let available = window + field.free_seats();
        return Err(Rejection::NotTogether { requested: wish.quantity, available });
    }
    let mut rest = choose::seats(field, others, hold_id)?;
    rest.seats.extend(in_pool(start));
    rest.seats.sort_unstable();
    let score = rank_of(position).saturating_mul(1_000);
    Ok(Choice { seats: rest.seats, placement: Placement { step: Step::Split.max(rest.placement.step), score } })
}

/// Where the bays and the companions' seats can lie, best row first: position of the row and first seat.
fn windows(field: &Field<'_>) -> Vec<(usize, u32)> {
    let wish = field.wish;
    let window = wish.bays + wish.companions;
    let accessible = field.show.manifest.accessible();
    let mut windows = Vec::new();
    for position in pool_rows(field) {
        each_free_run(field, position, |start, length| {
            for first in start..(start + length + 1).saturating_sub(window).max(start) {
                let bays = (first..first + window).filter(|&seat| accessible.contains(SeatIndex(seat))).count();
                if bays == wish.bays as usize {
                    windows.push((position, first));
                }
            }
        });
    }
    windows
}

/// The allowed rows that have places of the pool, best first.
fn pool_rows<'a>(field: &'a Field<'_>) -> impl Iterator<Item = usize> + 'a {
    let rows = field.show.manifest.protected_rows().iter().map(|&position| position as usize);
    rows.filter(|&position| field.allows_section(field.row_at(position).section))
}

/// The free runs of the pool in a row.
fn each_free_run(field: &Field<'_>, position: usize, mut each: impl FnMut(u32, u32)) {
    let show = field.show;
    let row = field.row_at(position);
    let is_free = |seat: SeatIndex| {
        show.manifest.protected().contains(seat)
            && (show.available.contains(seat) || field.given_up.contains_seat(seat))
            && field.index.sight.sees(show, seat)
    };
    let (mut start, mut length) = (row.first_seat, 0);
    for seat in row.first_seat..row.first_seat + row.seats {
        if is_free(SeatIndex(seat)) {
            length += 1;
            continue;
        }
        if length > 0 {
            each(start, length);
        }
        (start, length) = (seat + 1, 0);
    }
    if length > 0 {
        each(start, length);
    }
}

/// Free places of the pool.
fn pool_seats(field: &Field<'_>) -> u32 {
    let mut seats = 0;
    pool_rows(field).for_each(|position| each_free_run(field, position, |_, length| seats += length));
    seats
}

/// Seats for the others right beside the window: to the right as far as can be, the rest to the left.
fn beside(
    field: &Field<'_>,
    position: usize,
    start: u32,
    window: u32,
    others: u32,
) -> Option<impl Iterator<Item = SeatIndex>> {
    let runs = field.runs_of(position);
    let right = runs.iter().find(|run| run.start == start + window).map_or(0, |run| run.length.min(others));
    let left = others - right;
    let room_left = runs.iter().find(|run| run.start + run.length == start).map_or(0, |run| run.length);
    let seats = (start - left.min(start)..start).chain(start + window..start + window + right);
    (left <= room_left).then(|| seats.map(SeatIndex))
}
