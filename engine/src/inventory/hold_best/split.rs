//! A party that does not fit into one row, in groups.
//!
//! As few groups as the longest runs allow, in the section that needs fewest, of these in the one with the best row;
//! if no section has room, across all of them. The first group takes the best run with which that number of groups can
//! be reached; each further one the run nearest to it, counted in rows, with which it still can. Nobody sits alone if
//! the group before him can spare one.

use smallvec::SmallVec;

use super::{
    Placement, Step,
    choose::Choice,
    field::{Field, Run},
};
use crate::{ids::SeatIndex, inventory::runs::RunIndex};

/// Steps 3 and 4.
pub(super) fn seats(field: &Field<'_>, index: &RunIndex, quantity: u32) -> Option<Choice> {
    let mut runs = field.all_runs(index);
    let section_of = |run: &Run| field.show.manifest.rows()[field.row(run.position)].section;
    if let Some(groups) = groups_needed(&runs, quantity)
        && groups > 1
    {
        let mut by_section = runs.clone();
        // Stable: within a section the best run stays first.
        by_section.sort_by_key(section_of);
        let sections = by_section.chunk_by(|one, other| section_of(one) == section_of(other));
        let needed = sections.filter_map(|own| Some((groups_needed(own, quantity)?, own[0].position, own)));
        let best =
            needed.min_by_key(|&(groups, best, _)| (groups, best)).map(|(groups, _, own)| (groups, own.to_vec()));
        if let Some((groups, own)) = best {
            return Some(take(field, own, groups, quantity, Step::Split));
        }
    }
    let groups = groups_needed(&runs, quantity)?;
    runs.sort_by_key(|run| run.position);
    Some(take(field, runs, groups, quantity, Step::AcrossSections))
}

/// How many of the longest runs it takes.
fn groups_needed(runs: &[Run], quantity: u32) -> Option<usize> {
    let mut lengths: Vec<u32> = runs.iter().map(|run| run.length).collect();
    lengths.sort_unstable_by(|one, other| other.cmp(one));
    let mut room = 0;
    let groups = lengths.iter().position(|length| {
        room += length;
        room >= quantity
    })?;
    Some(groups + 1)
}

/// `runs` are in the order of ranks.
fn take(field: &Field<'_>, mut runs: Vec<Run>, groups: usize, quantity: u32, step: Step) -> Choice {
    let mut seats: SmallVec<[SeatIndex; 8]> = SmallVec::new();
    let mut left = quantity;
    let mut first: Option<usize> = None;
    let mut score = 0;
    for groups_left in (1..=groups).rev() {
        let chosen = choose(field, &runs, groups_left, left, first);
        let run = runs.remove(chosen);
        if first.is_none() {
            first = Some(field.row(run.position));
            score = field.show.manifest.rows()[field.row(run.position)].rank.saturating_mul(1_000);
        }
        let mut taken = run.length.min(left);
        // The last one would sit alone: this group spares one, if it stays a group and a run has room for two.
        if groups_left == 2 && left - taken == 1 && taken > 2 && runs.iter().any(|run| run.length >= 2) {
            taken -= 1;
        }
        left -= taken;
        seats.extend((run.start..run.start + taken).map(SeatIndex));
    }
    seats.sort_unstable();
    Choice { seats, placement: Placement { step, score } }
}

/// The position in `runs` of the nearest run with which `groups` groups are enough for `left`.
fn choose(field: &Field<'_>, runs: &[Run], groups: usize, left: u32, first: Option<usize>) -> usize {
    let mut longest: Vec<u32> = runs.iter().map(|run| run.length).collect();
    longest.sort_unstable_by(|one, other| other.cmp(one));
    let others = groups - 1;
    let room: u32 = longest.iter().take(others).sum();
    let next = longest.get(others).copied().unwrap_or(0);
    let is_enough = |run: &Run| {
        // The longest others; if this is one of them, the next longest takes its place.
        let is_among = others > 0 && run.length >= longest[others - 1];
        let room = if is_among { room - run.length + next } else { room };
        run.length + room >= left
    };
    let distance = |run: &Run| first.map_or(0, |first| field.row(run.position).abs_diff(first));
    let feasible = runs.iter().enumerate().filter(|(_, run)| is_enough(run));
    feasible.min_by_key(|(position, run)| (distance(run), *position)).map_or(0, |(position, _)| position)
}
