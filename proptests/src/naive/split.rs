//! A party in groups, in the naive model.

use usher_engine::inventory::hold_best::{Placement, Step};

use super::{best::Run, show::Show};

/// In the section that needs the fewest groups, of these in the one with the best row; otherwise across all. `runs` are
/// in the order of ranks, have room for all, and none has it alone.
pub(super) fn seats(show: &Show, runs: Vec<Run>, quantity: u32) -> (Vec<u32>, Placement) {
    let of_section =
        |section| -> Vec<Run> { runs.iter().copied().filter(|run| show.rows[run.row].section == section).collect() };
    let mut sections = Vec::new();
    for run in &runs {
        let section = show.rows[run.row].section;
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    // The first of those with the fewest: sections are in the order of their best rows.
    let within = sections.into_iter().map(of_section).filter_map(|own| Some((groups_needed(&own, quantity)?, own)));
    match within.min_by_key(|(groups, _)| *groups) {
        Some((groups, own)) => take(show, own, groups, quantity, Step::Split),
        None => {
            let groups = groups_needed(&runs, quantity).unwrap();
            take(show, runs, groups, quantity, Step::AcrossSections)
        }
    }
}

fn groups_needed(runs: &[Run], quantity: u32) -> Option<usize> {
    (1..=runs.len()).find(|groups| room(runs, *groups) >= quantity)
}

/// What the longest of these have together.
fn room(runs: &[Run], groups: usize) -> u32 {
    let mut lengths: Vec<u32> = runs.iter().map(|run| run.length).collect();
    lengths.sort_unstable();
    lengths.iter().rev().take(groups).sum()
}

fn take(show: &Show, mut runs: Vec<Run>, groups: usize, quantity: u32, step: Step) -> (Vec<u32>, Placement) {
    let (mut seats, mut left, mut first): (Vec<u32>, u32, Option<usize>) = (Vec::new(), quantity, None);
    for group in 0..groups {
        let others = groups - group - 1;
        let is_enough = |position: &usize| {
            let mut rest = runs.clone();
            rest.remove(*position).length + room(&rest, others) >= left
        };
        // Nobody begins a single seat while every group can have two.
        let has_company = left > 1 && runs.iter().filter(|run| run.length > 1).count() > others;
        let feasible = (0..runs.len()).filter(is_enough).filter(|run| !has_company || runs[*run].length > 1);
        // In rows; of those as near the best.
        let distance = |position: &usize| first.map_or(0, |first| first.abs_diff(runs[*position].row));
        let run = runs.remove(feasible.min_by_key(distance).unwrap());
        first = first.or(Some(run.row));
        let mut taken = run.length.min(left);
        let one_alone = others == 1 && left - taken == 1;
        if one_alone && taken > 2 && runs.iter().any(|run| run.length > 1) {
            taken -= 1;
        }
        left -= taken;
        seats.extend(run.start..run.start + taken);
    }
    let score = show.rows[first.unwrap()].rank * 1_000;
    (seats, Placement { step, score })
}
