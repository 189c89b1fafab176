//! A party in groups, in the naive model.

use usher_engine::{
    inventory::hold_best::{Placement, Step},
    time::Timestamp,
};

use super::{best::Run, orphans::are_looked_for, show::Show};

/// In the section that needs the fewest groups, of these in the one with the best row; otherwise across all. `runs` are
/// in the order of ranks, have room for all, and none has it alone.
pub(super) fn seats(show: &Show, runs: Vec<Run>, quantity: u32, now: Timestamp) -> (Vec<u32>, Placement) {
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
        Some((groups, own)) => take((show, now), own, groups, quantity, Step::Split),
        None => {
            let groups = groups_needed(&runs, quantity).unwrap();
            take((show, now), runs, groups, quantity, Step::AcrossSections)
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

fn take(
    (show, now): (&Show, Timestamp),
    mut runs: Vec<Run>,
    groups: usize,
    quantity: u32,
    step: Step,
) -> (Vec<u32>, Placement) {
    let heeds_orphans = are_looked_for(show, now);
    let (mut seats, mut left, mut first): (Vec<u32>, u32, Option<usize>) = (Vec::new(), quantity, None);
    for group in 0..groups {
        let others = groups - group - 1;
        let is_enough = |position: &usize| {
            let mut rest = runs.clone();
            rest.remove(*position).length + room(&rest, others) >= left
        };
        // Nobody begins a single seat while every group can have two.
        let has_company = left > 1 && runs.iter().filter(|run| run.length > 1).count() > others;
        let mut feasible: Vec<usize> =
            (0..runs.len()).filter(is_enough).filter(|run| !has_company || runs[*run].length > 1).collect();
        // Whether no single seat is left over, and nobody is alone in the last but one or the last group.
        let ends_well = |position: &usize| match others {
            0 => leaves_none(&runs[*position], left),
            1 => shared_well(&runs, *position, left).is_some(),
            _ => false,
        };
        if heeds_orphans && feasible.iter().any(ends_well) {
            feasible.retain(ends_well);
        }
        // In rows; of those as near the best.
        let distance = |position: &usize| first.map_or(0, |first| first.abs_diff(runs[*position].row));
        let position = feasible.into_iter().min_by_key(distance).unwrap();
        let well = if heeds_orphans { shared_well(&runs, position, left) } else { None };
        let run = runs.remove(position);
        first = first.or(Some(run.row));
        let mut taken = run.length.min(left);
        let one_alone = others == 1 && left - taken == 1;
        match well {
            Some(well) if others == 1 => taken = well,
            _ if one_alone && taken > 2 && runs.iter().any(|run| run.length > 1) => taken -= 1,
            _ => {}
        }
        left -= taken;
        seats.extend(run.start..run.start + taken);
    }
    let score = show.rows[first.unwrap()].rank * 1_000;
    (seats, Placement { step, score })
}

fn leaves_none(run: &Run, quantity: u32) -> bool {
    run.length == quantity || run.length > quantity + 1
}

/// The most that a run can take of those who are left so that another run has room for all others, two or more sit in
/// each, and no single seat is left over in either.
fn shared_well(runs: &[Run], position: usize, left: u32) -> Option<u32> {
    let mut others = runs.to_vec();
    let run = others.remove(position);
    let is_well = |taken: &u32| {
        let last = left - taken;
        last > 1 && leaves_none(&run, *taken) && others.iter().any(|other| leaves_none(other, last))
    };
    (2..=run.length.min(left)).rev().find(is_well)
}
