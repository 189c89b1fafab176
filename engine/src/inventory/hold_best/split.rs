//! A party that does not fit into one row, in groups.
//!
//! As few groups as the longest runs allow, in the section that needs fewest, of these in the one with the best row;
//! if no section has room, across all of them. The first group takes the best run with which that number of groups can
//! be reached; each further one the run nearest to it, counted in rows, with which it still can. Nobody sits alone if
//! every group can have two, or the group before him can spare one.

use smallvec::SmallVec;

use super::{
    Placement, Step,
    choose::Choice,
    field::{Field, Lengths, Run},
};
use crate::{
    ids::{SeatIndex, SectionIndex},
    inventory::runs::LONG_RUN,
};

/// Steps 3 and 4. There must be no run in which all could sit side by side.
pub(super) fn seats(field: &Field<'_>, quantity: u32) -> Option<Choice> {
    if field.free_seats() < quantity {
        return None;
    }
    let by_section = field.lengths_by_section(quantity);
    let needed: Vec<_> = by_section.iter().map(|(_, lengths)| groups_needed(lengths, quantity)).collect();
    let (within, lengths, step) = if let Some(fewest) = needed.iter().flatten().min() {
        let mut rows = field.rows_where(u32::MAX << 1, |_| true).map(|position| field.row_at(position).section);
        let position_of = |section| by_section.binary_search_by_key(&section, |(section, _)| *section).ok();
        let best = rows.find_map(|section| position_of(section).filter(|own| needed[*own] == Some(*fewest)))?;
        let (section, lengths) = by_section.into_iter().nth(best)?;
        (Some(section), lengths, Step::Split)
    } else {
        let mut all = Lengths::from_elem(0, quantity as usize);
        for (_, own) in &by_section {
            all.iter_mut().zip(own).for_each(|(all, own)| *all += own);
        }
        (None, all, Step::AcrossSections)
    };
    let groups = groups_needed(&lengths, quantity)?;
    Some(Seating { field, within, lengths, used: SmallVec::new() }.seat(quantity, groups, step))
}

/// How many of the longest runs it takes.
fn groups_needed(lengths: &[u32], quantity: u32) -> Option<u32> {
    let (mut groups, mut left) = (0, quantity);
    for (length, runs) in longest_first(lengths) {
        let wanted = left.div_ceil(length);
        if wanted <= runs {
            return Some(groups + wanted);
        }
        groups += runs;
        left -= runs * length;
    }
    None
}

/// Lengths with how many runs have them.
fn longest_first(lengths: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    (1..lengths.len()).rev().map(|length| (u32::try_from(length).unwrap_or(u32::MAX), lengths[length]))
}

/// A party that takes its seats, group by group.
struct Seating<'a> {
    field: &'a Field<'a>,
    /// All sit in this section.
    within: Option<SectionIndex>,
    /// Of the runs that are not used.
    lengths: Lengths,
    /// First seats of those that are.
    used: SmallVec<[u32; 8]>,
}

impl Seating<'_> {
    fn seat(mut self, quantity: u32, groups: u32, step: Step) -> Choice {
        let manifest = &self.field.show.manifest;
        let mut seats: SmallVec<[SeatIndex; 8]> = SmallVec::new();
        let mut left = quantity;
        let mut first: Option<usize> = None;
        let mut score = 0;
        for groups_left in (1..=groups).rev() {
            let shortest = self.shortest(groups_left, left).max(self.company(groups_left, left));
            let found = first.map_or_else(|| self.best(shortest), |first| self.nearest(first, shortest));
            let (position, run) = found.expect("the party has room in so many groups");
            if first.is_none() {
                first = Some(manifest.ranked_rows()[position] as usize);
                score = self.field.row_at(position).rank.saturating_mul(1_000);
            }
            self.used.push(run.start);
            self.lengths[run.length as usize] -= 1;
            let mut taken = run.length.min(left);
            // The last one would sit alone: this group spares one, if it stays a group and a run has room for two.
            if groups_left == 2 && left - taken == 1 && taken > 2 && self.lengths.iter().skip(2).any(|&runs| runs > 0) {
                taken -= 1;
            }
            left -= taken;
            seats.extend((run.start..run.start + taken).map(SeatIndex));
        }
        seats.sort_unstable();
        Choice { seats, placement: Placement { step, score } }
    }

    /// The shortest run with which `groups` groups are enough for `left`: with the longest others it has room for all,
    /// or it is one of the longest.
    fn shortest(&self, groups: u32, left: u32) -> u32 {
        let (mut others, mut room, mut shortest) = (groups - 1, 0, left);
        for (length, runs) in longest_first(&self.lengths) {
            if others == 0 {
                break;
            }
            let counted = runs.min(others);
            others -= counted;
            room += counted * length;
            if counted > 0 {
                shortest = length;
            }
        }
        shortest.min(left.saturating_sub(room)).max(1)
    }

    /// Two, if every group can have as many.
    fn company(&self, groups: u32, left: u32) -> u32 {
        let runs: u32 = self.lengths.iter().skip(2).sum();
        if left > 1 && runs >= groups { 2 } else { 1 }
    }

    fn best(&self, shortest: u32) -> Option<(usize, Run)> {
        let mut rows = self.field.rows_where(at_least(shortest), move |length| length >= shortest);
        rows.find_map(|position| Some((position, self.run_in(position, shortest)?)))
    }

    /// In the row that is fewest rows away; of two, in the better one.
    fn nearest(&self, first: usize, shortest: u32) -> Option<(usize, Run)> {
        let manifest = &self.field.show.manifest;
        let rows = manifest.rows().len();
        (0..rows).find_map(|distance| {
            let rows = [first.checked_sub(distance), Some(first + distance).filter(|row| *row < rows && distance > 0)];
            let mut positions: SmallVec<[usize; 2]> =
                rows.into_iter().flatten().map(|row| manifest.rank_position(row)).collect();
            positions.sort_unstable();
            positions.into_iter().find_map(|position| Some((position, self.run_in(position, shortest)?)))
        })
    }

    /// The first run of a row that is long enough and not used.
    fn run_in(&self, position: usize, shortest: u32) -> Option<Run> {
        let section = self.field.row_at(position).section;
        let is_allowed = self.within.map_or_else(|| self.field.allows_section(section), |within| within == section);
        if !is_allowed || self.field.lengths_at(position) & at_least(shortest) == 0 {
            return None;
        }
        let mut runs = self.field.runs_of(position).into_iter();
        runs.find(|run| run.length >= shortest && !self.used.contains(&run.start))
    }
}

/// The bits of all lengths from a shortest one on.
fn at_least(shortest: u32) -> u32 {
    u32::MAX << shortest.min(LONG_RUN)
}

#[cfg(test)]
mod tests;
