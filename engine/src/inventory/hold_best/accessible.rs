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
            && (field.available.contains(seat) || field.given_up.contains_seat(seat))
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

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// Bays and companions' seats are not given to whoever did not ask, even as the last ones (rule: accessible-pool).
    #[test]
    fn the_pool_never_leaks() {
        check(
            "row A 4 in West, bays 2, companions 3
             00:00  best 2 any as h1                     -> held A1 A4 2000, until 10:00, scattered
             00:01  best 1 any as h2                     -> rejected: sold out, 1 wanted, 0 there
             00:01  best 1 preferred as h2               -> rejected: sold out, 1 wanted, 0 there
             00:02  hold A2 as h2                        -> rejected: places protected A2
             00:02  hold A3 as h2                        -> rejected: places protected A3
             00:03  hold A2 as h2 accessible             -> held 1000, until 10:03
             00:04  release h2                           -> released
             00:05  best 1 any as h3                     -> rejected: sold out, 1 wanted, 0 there",
        );
    }

    /// Side by side in the best row that has them, and nothing else instead (rule: accessible-together).
    #[test]
    fn a_bay_and_its_companions_come_together() {
        check(
            "row A 3 in West, bays 1, companions 3
             row B 4 in West, bays 2, companions 3
             00:00  best 2 together as h1 bays 1 companions 1 -> held B2 B3 2000, until 10:00, together
             00:01  best 2 together as h2 bays 1 companions 1 -> rejected: not together, 2 wanted, 2 there
             00:02  best 1 together as h2 bays 1         -> held A1 1000, until 10:02, together
             00:03  best 1 together as h3 bays 1         -> rejected: not together, 1 wanted, 1 there
             00:04  hold A3 as h4 accessible             -> held 1000, until 10:04
             00:05  best 1 together as h5 bays 1         -> rejected: sold out, 1 wanted, 0 there",
        );
    }

    /// To the right as far as can be, the rest to the left (rule: accessible-together).
    #[test]
    fn the_others_of_the_party_sit_beside() {
        check(
            "row A 8 in West, bays 3, companions 4
             00:00  best 5 together as h1 bays 1 companions 1 -> held A3-A7 5000, until 10:00, together
             00:01  release h1                           -> released
             00:02  hold A6 as h2 by bob                 -> held 1000, until 10:02
             00:03  best 5 together as h3 bays 1 companions 1 -> held A1-A5 5000, until 10:03, together",
        );
    }

    /// Together refuses precisely; preferred splits the others off (rule: accessible-together).
    #[test]
    fn the_others_sit_elsewhere_only_if_they_may() {
        check(
            "row A 3 in West, bays 1, companions 2
             row B 9 in West
             00:00  best 4 together as h1 bays 1 companions 1 -> rejected: not together, 4 wanted, 12 there
             00:01  best 4 preferred as h1 bays 1 companions 1 -> held A1 A2 B4 B5 4000, until 10:01, split
             00:02  best 20 preferred as h2 bays 1 companions 1 -> rejected: places_per_hold_max is 10",
        );
    }

    /// Only bays and companions' seats are protected, and they end a run (rule: accessible-pool).
    #[test]
    fn the_general_seats_beside_a_bay_are_anybodys() {
        check(
            "row A 7 in West, bays 4
             00:00  best 4 together as h1                -> rejected: not together, 4 wanted, 6 there
             00:01  best 3 together as h1                -> held A1 A2 A3 3000, until 10:01, together",
        );
    }

    /// Replacing an accessible hold counts its bay as free (rule: swap-is-net).
    #[test]
    fn ones_own_bay_may_be_chosen_again() {
        check(
            "row A 4 in West, bays 2, companions 3
             00:00  best 2 together as h1 bays 1 companions 1 -> held A2 A3 2000, until 10:00, together
             00:01  best 3 together as h2 replacing h1 bays 1 companions 1 -> held A2 A3 A4 3000, until 10:01, together
             00:02  best 4 together as h3 replacing h2 bays 1 companions 1 -> held A1 A2 A3 A4 4000, until 10:02, together",
        );
    }
}
