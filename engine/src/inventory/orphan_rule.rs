//! The orphan rule: no single free seat is left over between others, if there is another way.
//!
//! It is judged over the whole take, and over the seats that this buyer could take: another channel's seat bounds a run
//! as a taken one does, another price does not. Late in a sale, when the policy says so, nobody looks any more. It is the policy's choice whether it is told or refused; what is chosen
//! by `hold_best` avoids it by itself.

use super::{hold_best, places::Places, policy::OrphanRule, show::Show, taking::Taking};
use crate::{
    ids::SeatIndex,
    rejection::{Conflicts, Rejection},
    time::Timestamp,
};

/// The single seats that a take of free places leaves over.
///
/// # Errors
/// [`Rejection::OrphansLeft`], if the policy forbids it, nobody sets it aside, and as many seats could be taken otherwise.
pub(super) fn check(taking: &Taking<'_>, places: &Places) -> Result<Vec<SeatIndex>, Rejection> {
    let rule = taking.show.policy.orphan_rule_at(taking.now);
    if rule == OrphanRule::Off {
        return Ok(Vec::new());
    }
    let is_free_then = |seat: SeatIndex| !places.contains_seat(seat) && taking.is_reachable(seat);
    let orphans = orphans_beside(taking.show, places.seats(), is_free_then);
    let is_last_resort = || !hold_best::has_block(taking.show, taking.reach, longest_block(taking.show, places));
    let is_forbidden = rule == OrphanRule::Forbid && taking.terms.override_reason.is_none();
    if is_forbidden && !orphans.is_empty() && !is_last_resort() {
        return Err(Rejection::OrphansLeft(Conflicts { seats: orphans.into_iter().collect(), ga: Vec::new().into() }));
    }
    Ok(orphans)
}

/// The single free seats that seats make when they come back. That is allowed, and told.
pub(super) fn left_by_return(show: &Show, back: &Places, now: Timestamp) -> Vec<SeatIndex> {
    if show.policy.orphan_rule_at(now) == OrphanRule::Off {
        return Vec::new();
    }
    let is_free_then = |seat: SeatIndex| back.contains_seat(seat) || show.available.contains(seat);
    back.seats().filter(|seat| is_orphan(show, *seat, is_free_then)).collect()
}

/// The neighbours of these seats that are single free seats then, ascending.
fn orphans_beside(
    show: &Show,
    seats: impl Iterator<Item = SeatIndex>,
    is_free: impl Fn(SeatIndex) -> bool + Copy,
) -> Vec<SeatIndex> {
    let beside = seats.flat_map(|seat| neighbours(show, seat));
    let mut orphans: Vec<SeatIndex> = beside.filter(|seat| is_free(*seat) && is_orphan(show, *seat, is_free)).collect();
    orphans.sort_unstable();
    orphans.dedup();
    orphans
}

/// Nobody can sit beside it, and not because its row has no other seat.
fn is_orphan(show: &Show, seat: SeatIndex, is_free: impl Fn(SeatIndex) -> bool) -> bool {
    let mut beside = neighbours(show, seat).peekable();
    beside.peek().is_some() && !beside.any(is_free)
}

/// The seats beside a seat, in its row.
fn neighbours(show: &Show, seat: SeatIndex) -> impl Iterator<Item = SeatIndex> + use<> {
    let row = &show.manifest.rows()[show.manifest.row_of(seat)];
    let (first, end) = (row.first_seat, row.first_seat + row.seats);
    let left = seat.0.checked_sub(1).filter(|left| *left >= first);
    let right = Some(seat.0 + 1).filter(|right| *right < end);
    left.into_iter().chain(right).map(SeatIndex)
}

/// The length of the longest block of seats side by side in one row.
fn longest_block(show: &Show, places: &Places) -> u32 {
    let (mut longest, mut block, mut next) = (0, 0, None);
    for seat in places.seats() {
        let starts_row = show.manifest.rows()[show.manifest.row_of(seat)].first_seat == seat.0;
        block = if next == Some(seat) && !starts_row { block + 1 } else { 1 };
        longest = longest.max(block);
        next = Some(SeatIndex(seat.0 + 1));
    }
    longest
}

#[cfg(test)]
mod tests;
