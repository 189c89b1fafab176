//! Which seats a party gets: a ladder, and on each step the best.
//!
//! 1. Together in one row, and no single seat is left over.
//! 2. Together in one row.
//! 3. If the party may be split: in one section, in as few groups as can be, near each other, and nobody alone unless
//!    there is no other way (`split.rs`).
//! 4. The same across sections.
//!
//! On steps 1 and 2 the best row is the first in the order of ranks, and within it the best block is the one nearest to
//! its middle, of two the left one. Of rows of its rank or the next, the first eight, those whose best block costs as
//! much are as good: the hold's id decides among them. Who wants any seats gets the best ones, row by row and from the
//! middle outwards.

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Placement, Step,
    field::{Field, Run},
    split,
};
use crate::{
    command::Adjacency,
    ids::{HoldId, SeatIndex},
    inventory::runs::LONG_RUN,
    rejection::Rejection,
};

/// Rows that may be as good as the best: their ranks are at most so much lower.
const AS_GOOD_RANKS: u32 = 1;
/// So many of them, the best among them, are looked at.
const AS_GOOD_MAX: usize = 8;

/// The seats for a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::inventory) struct Choice {
    /// Ascending.
    pub(in crate::inventory) seats: SmallVec<[SeatIndex; 8]>,
    pub(in crate::inventory) placement: Placement,
}

/// The best seats for so many.
pub(super) fn seats(field: &Field<'_>, quantity: u32, hold_id: HoldId) -> Result<Choice, Rejection> {
    // Known without looking at any row.
    let available = field.free_seats();
    if available < quantity {
        return Err(Rejection::SoldOut { requested: quantity, available });
    }
    let together = || together(field, quantity, hold_id);
    let found = match field.wish.adjacency {
        Adjacency::Any => scattered(field, quantity),
        Adjacency::Required => together(),
        Adjacency::Preferred => together().or_else(|| split::seats(field, quantity)),
    };
    found.ok_or(Rejection::NotTogether { requested: quantity, available })
}

/// Whether step 1 has an answer.
pub(super) fn has_block(field: &Field<'_>, quantity: u32) -> bool {
    let leaves_none = |length: u32| length == quantity || length >= quantity + 2;
    field.rows_where(lengths(quantity, leaves_none), leaves_none).next().is_some()
}

/// Steps 1 and 2.
fn together(field: &Field<'_>, quantity: u32, hold_id: HoldId) -> Option<Choice> {
    let leaves_none = |length: u32| length == quantity || length >= quantity + 2;
    let step = Step::Together;
    best_row(field, (quantity, step), leaves_none, hold_id).map(|row| in_row(field, row, quantity, step)).or_else(
        || {
            let step = Step::TogetherLeavingOne;
            let row = best_row(field, (quantity, step), |length| length == quantity + 1, hold_id)?;
            Some(in_row(field, row, quantity, step))
        },
    )
}

/// The index's bits of the lengths for which `fits` holds.
fn lengths(quantity: u32, fits: impl Fn(u32) -> bool) -> u32 {
    let exact = (1..LONG_RUN).filter(|&length| fits(length)).fold(0, |lengths, length| lengths | 1 << length);
    // Of the long ones some may fit: the row itself tells.
    exact | u32::from(fits(LONG_RUN) || quantity + 1 >= LONG_RUN) << LONG_RUN
}

/// The best row with a run for which `fits` holds, or one that is as good and costs as much.
fn best_row(
    field: &Field<'_>,
    (quantity, step): (u32, Step),
    fits: impl Fn(u32) -> bool,
    hold_id: HoldId,
) -> Option<usize> {
    let mut rows: SmallVec<[usize; AS_GOOD_MAX]> = SmallVec::new();
    for position in field.rows_where(lengths(quantity, &fits), &fits) {
        let rank_of = |position: usize| field.row_at(position).rank;
        if rows.first().is_some_and(|&first| rank_of(position) > rank_of(first) + AS_GOOD_RANKS) {
            break;
        }
        rows.push(position);
        if rows.len() == AS_GOOD_MAX {
            break;
        }
    }
    let best = field.row_at(*rows.first()?).category;
    if best.is_none() || rows.iter().any(|&row| field.row_at(row).category != best) {
        let price = price_in_row(field, rows[0], quantity, step);
        rows.retain(|row| price_in_row(field, *row, quantity, step) == price);
    }
    let spread = usize::try_from(xxh3_64(hold_id.as_bytes()) % rows.len() as u64).unwrap_or(0);
    rows.get(spread).copied()
}

/// What the best block of a row costs.
fn price_in_row(field: &Field<'_>, position: usize, quantity: u32, step: Step) -> u64 {
    let manifest = &field.show.manifest;
    if let Some(category) = field.row_at(position).category {
        return manifest.price_of(category) * u64::from(quantity);
    }
    let seats = in_row(field, position, quantity, step).seats;
    seats.iter().map(|seat| manifest.price_of(manifest.category_of(*seat))).sum()
}

/// The place in a row that is nearest to its middle.
fn in_row(field: &Field<'_>, position: usize, quantity: u32, step: Step) -> Choice {
    let row = field.row_at(position);
    let off_middle = |start: u32| (2 * (start - row.first_seat) + quantity).abs_diff(row.seats);
    let starts =
        field.runs_of(position).into_iter().flat_map(|run| starts(run, quantity, step, row.first_seat, row.seats));
    let best = starts.min_by_key(|&start| (off_middle(start), start)).expect("a row with a run that fits");
    let score = row.rank.saturating_mul(1_000).saturating_add(off_middle(best));
    Choice { seats: (best..best + quantity).map(SeatIndex).collect(), placement: Placement { step, score } }
}

/// Where in a run the party may sit: the candidates that can be nearest to the middle of the row.
fn starts(run: Run, quantity: u32, step: Step, first_seat: u32, seats: u32) -> SmallVec<[u32; 6]> {
    let Some(last) = (run.start + run.length).checked_sub(quantity).filter(|last| *last >= run.start) else {
        return SmallVec::new();
    };
    let leaves_none = |start: u32| start - run.start != 1 && last - start != 1;
    let middle = (first_seat + seats.saturating_sub(quantity) / 2).clamp(run.start, last);
    let near = [run.start, middle.saturating_sub(1), middle, middle + 1, middle + 2, last];
    let inside = near.into_iter().filter(|start| (run.start..=last).contains(start));
    match step {
        Step::Together => inside.filter(|start| leaves_none(*start)).collect(),
        _ if run.length == quantity + 1 => inside.collect(),
        _ => SmallVec::new(),
    }
}

/// The best seats, wherever they are.
fn scattered(field: &Field<'_>, quantity: u32) -> Option<Choice> {
    let mut seats: SmallVec<[SeatIndex; 8]> = SmallVec::new();
    let mut best = None;
    for position in field.rows_where(u32::MAX << 1, |_| true) {
        let row = field.row_at(position);
        let off_middle = |seat: &SeatIndex| (2 * (seat.0 - row.first_seat) + 1).abs_diff(row.seats);
        let free = field.runs_of(position).into_iter().flat_map(|run| run.start..run.start + run.length);
        let mut free: SmallVec<[SeatIndex; 64]> = free.map(SeatIndex).collect();
        free.sort_unstable_by_key(|seat| (off_middle(seat), *seat));
        free.truncate(quantity as usize - seats.len());
        seats.extend(free);
        best.get_or_insert(row.rank);
        if seats.len() == quantity as usize {
            seats.sort_unstable();
            let score = best.unwrap_or(row.rank).saturating_mul(1_000);
            return Some(Choice { seats, placement: Placement { step: Step::Scattered, score } });
        }
    }
    None
}
