//! A party that does not fit into one row, in groups.
//!
//! As few groups as the longest runs allow, in the section that needs fewest, of these in the one with the best row;
//! if no section has room, across all of them. The first group takes the best run with which that number of groups can
//! be reached; each further one the run nearest to it, counted in rows, with which it still can. Nobody sits alone if
//! every group can have two, or the group before him can spare one.
//!
//! Where the show has an orphan rule, the last two groups take runs in which no single seat is left over, if there are
//! such: all groups but the last take their whole runs, unless the last but one spares somebody.

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

/// So many at most are spared for the last group, so that nobody is alone and no single seat is left over: when three
/// find no run for them, the longest one has room for four.
const SPARED_MAX: u32 = 3;

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
        let leaves_none = self.field.leaves_none;
        for groups_left in (1..=groups).rev() {
            let shortest = self.shortest(groups_left, left).max(self.company(groups_left, left));
            let ends_well = |length: u32| length >= shortest && self.ends_well(groups_left, length, left);
            let can_end_well = leaves_none && groups_left <= 2 && (1..quantity).any(ends_well);
            let well = if can_end_well { self.find(first, ends_well) } else { None };
            let found = well.or_else(|| self.find(first, |length| length >= shortest));
            let (position, run) = found.expect("the party has room in so many groups");
            if first.is_none() {
                first = Some(manifest.ranked_rows()[position] as usize);
                score = self.field.row_at(position).rank.saturating_mul(1_000);
            }
            self.used.push(run.start);
            self.lengths[run.length as usize] -= 1;
            let spared = if groups_left == 2 { self.spared(run.length, left, leaves_none) } else { 0 };
            let taken = run.length.min(left) - spared;
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

    /// Whether there is a run of this length in which the party can go on so that in the end nobody sits alone and no
    /// single seat is left over. For the last two groups.
    fn ends_well(&self, groups: u32, length: u32, left: u32) -> bool {
        let is_there = self.lengths.get(length as usize).is_some_and(|&runs| runs > 0);
        is_there
            && match groups {
                1 => leaves_none(length, left),
                _ => self.spared_well(length, left, Some(length)).is_some(),
            }
    }

    /// How many the last group but one, in a run of this length, leaves to the last.
    fn spared(&self, length: u32, left: u32, leaves_none: bool) -> u32 {
        if leaves_none && let Some(spared) = self.spared_well(length, left, None) {
            return spared;
        }
        // The last one would sit alone: this group spares one, if it stays a group and a run has room for two.
        let is_alone = left - length == 1 && length > 2;
        u32::from(is_alone && self.lengths.iter().skip(2).any(|&runs| runs > 0))
    }

    /// The fewest with whom nobody sits alone and no single seat is left over, if there is a way. `besides`: the run
    /// still stands among the others.
    fn spared_well(&self, length: u32, left: u32, besides: Option<u32>) -> Option<u32> {
        let others = |own: u32| self.lengths[own as usize] - u32::from(besides == Some(own));
        let longest =
            (1..self.lengths.len()).rev().filter_map(|own| u32::try_from(own).ok()).find(|own| others(*own) > 0)?;
        (0..=SPARED_MAX).filter(|spared| *spared != 1).find(|spared| {
            let last = left - length + spared;
            let fits = longest >= last + 2 || (last <= longest && others(last) > 0);
            length >= spared + 2 && last >= 2 && fits
        })
    }

    /// The best run for the first group, for a further one the nearest to it.
    fn find(&self, first: Option<usize>, fits: impl Fn(u32) -> bool) -> Option<(usize, Run)> {
        let lengths = (1..=LONG_RUN)
            .filter(|&length| length == LONG_RUN || fits(length))
            .fold(0, |all, length| all | 1 << length);
        let Some(first) = first else {
            let mut rows = self.field.rows_where(lengths, &fits);
            return rows.find_map(|position| Some((position, self.run_in(position, lengths, &fits)?)));
        };
        self.nearest(first, lengths, &fits)
    }

    /// In the row that is fewest rows away; of two, in the better one.
    fn nearest(&self, first: usize, lengths: u32, fits: impl Fn(u32) -> bool) -> Option<(usize, Run)> {
        let manifest = &self.field.show.manifest;
        let rows = manifest.rows().len();
        (0..rows).find_map(|distance| {
            let rows = [first.checked_sub(distance), Some(first + distance).filter(|row| *row < rows && distance > 0)];
            let mut positions: SmallVec<[usize; 2]> =
                rows.into_iter().flatten().map(|row| manifest.rank_position(row)).collect();
            positions.sort_unstable();
            positions.into_iter().find_map(|position| Some((position, self.run_in(position, lengths, &fits)?)))
        })
    }

    /// The first run of a row that fits and is not used.
    fn run_in(&self, position: usize, lengths: u32, fits: impl Fn(u32) -> bool) -> Option<Run> {
        let section = self.field.row_at(position).section;
        let is_allowed = self.within.map_or_else(|| self.field.allows_section(section), |within| within == section);
        if !is_allowed || self.field.lengths_at(position) & lengths == 0 {
            return None;
        }
        let mut runs = self.field.runs_of(position).into_iter();
        runs.find(|run| fits(run.length) && !self.used.contains(&run.start))
    }
}

/// Whether so many leave no single seat over in a run of this length.
fn leaves_none(length: u32, quantity: u32) -> bool {
    length == quantity || length >= quantity + 2
}

#[cfg(test)]
mod tests;
