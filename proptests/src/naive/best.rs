//! HoldBest of the naive model: every row is walked, and in it every place where the party could sit.

use std::collections::BTreeSet;

use usher_engine::{
    command::{Adjacency, HoldBest, Wish},
    ids::{HoldId, SeatIndex, SectionIndex},
    inventory::{
        Answer, HoldState,
        hold_best::{Placement, Step},
        manifest::{CategoryIndex, Features},
        places::Places,
        sale::ShowState,
    },
    rejection::{Conflicts, GaShortage, HoldField, Rejection},
    shard::Outcome,
    time::Timestamp,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    holds::{self, Grant},
    moves::has_seat,
    orphans::free_runs,
    records::{Asked, Row},
    show::Show,
    split,
    taking::Taking,
};

/// Rows that may be as good as the best: so many ranks below it, and so many of them.
const AS_GOOD_RANKS: u32 = 1;
const AS_GOOD_MAX: usize = 8;

pub(super) fn hold_best(show: &mut Show, command: &HoldBest, now: Timestamp) -> Outcome {
    let (id, wish) = (command.hold_id, &command.wish);
    let asked = Asked::Best(wish.clone(), command.tickets.clone(), command.terms.clone());
    if let Some(hold) = holds::known(show, id, &command.buyer, command.ttl)? {
        let reused = Rejection::IdReused { field: HoldField::Request };
        return if hold.asked.as_ref() == Some(&asked) { Ok(holds::again(show, id, now)) } else { Err(reused) };
    }
    let taking = Taking::begin(show, &command.buyer, command.terms.clone(), &[ShowState::OnSale], now)?;
    check_sections(show, wish)?;
    let own = taking.replaced_places();
    taking.check_limits(wish.quantity, own.count(), 0)?;
    let keys = &command.terms.channels;
    let channels = (0..show.channels.len()).filter(|channel| keys.contains(&show.channels[*channel].key)).collect();
    let (places, placement) = Search { show, wish, channels, own: &own, id, now }.best()?;
    taking.check_capacities(&places)?;
    let given_up = taking.give_up();
    let note = |hold: &mut super::Hold| {
        (hold.asked, hold.placement, hold.tickets) = (Some(asked), Some(placement), command.tickets.clone());
        hold.override_reason.clone_from(&command.terms.override_reason);
    };
    let grant = Grant { id, buyer: &command.buyer, places: places.clone(), ttl: command.ttl };
    grant.make(show, given_up, note, now);
    Ok(Answer::Held(show.view(id, HoldState::Held, &places)))
}

pub(super) fn check_sections(show: &Show, wish: &Wish) -> Result<(), Rejection> {
    let unknown = wish.sections.iter().filter(|section| section.0 as usize >= show.parts.sections.len());
    let shortage = |section: &SectionIndex| GaShortage { section: *section, requested: wish.quantity, available: 0 };
    let conflicts = Conflicts { seats: Vec::new().into(), ga: unknown.map(shortage).collect() };
    if conflicts.is_empty() { Ok(()) } else { Err(Rejection::PlacesUnknown(conflicts)) }
}

/// A run of free seats and the row that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Position in [`Show::rows`].
    pub(super) row: usize,
    pub(super) start: u32,
    pub(super) length: u32,
}

/// What is looked for, and for whom.
pub(super) struct Search<'a> {
    pub(super) show: &'a Show,
    pub(super) wish: &'a Wish,
    /// Channels that may be drawn from besides the public ones.
    pub(super) channels: BTreeSet<usize>,
    /// Places that are given up for the new ones.
    pub(super) own: &'a Places,
    pub(super) id: HoldId,
    pub(super) now: Timestamp,
}

pub(super) type Found = Result<(Vec<u32>, Placement), Rejection>;

impl Search<'_> {
    pub(super) fn best(&self) -> Result<(Places, Placement), Rejection> {
        if let [section] = *self.wish.sections
            && self.show.units.contains_key(&section)
        {
            return self.units(section);
        }
        let (seats, placement) = if self.wish.bays > 0 { self.accessible()? } else { self.seats(self.wish.quantity)? };
        Ok((Places::new(seats.into_iter().map(SeatIndex), []).unwrap(), placement))
    }

    pub(super) fn will_do(&self, category: CategoryIndex) -> bool {
        let wish = self.wish;
        let is_cheap = wish.price_minor_max.is_none_or(|max| self.show.price_of_category(category) <= max);
        is_cheap && (wish.categories.is_empty() || wish.categories.contains(&category))
    }

    fn units(&self, section: SectionIndex) -> Result<(Places, Placement), Rejection> {
        let wish = self.wish;
        let available =
            if self.will_do(self.show.units[&section].category) { self.show.room(section, self.own) } else { 0 };
        let granted = available.min(wish.quantity);
        if granted < wish.at_least.unwrap_or(wish.quantity) || granted == 0 {
            return Err(Rejection::SoldOut { requested: wish.quantity, available });
        }
        Ok((Places::new([], [(section, granted)]).unwrap(), Placement { step: Step::Units, score: 0 }))
    }

    /// Whether a seat is free and will do. The pool of those who need it is apart from all others.
    pub(super) fn is_free(&self, seat: SeatIndex, in_pool: bool) -> bool {
        let (own, wish) = (self.show.seat(seat), self.wish);
        let reaches = |channel: usize| self.show.channels[channel].is_open || self.channels.contains(&channel);
        let is_free = (has_seat(self.own, seat) || own.is_available()) && own.channel.is_none_or(reaches);
        let in_section = wish.sections.is_empty() || wish.sections.contains(&own.section);
        let is_seen = !wish.exclude_restricted || !own.features.has_any(Features::RESTRICTED_VIEW);
        is_free && in_section && is_seen && own.is_protected() == in_pool && self.will_do(own.category)
    }

    /// Positions of rows, best first.
    fn ranked(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.show.rows.len()).collect();
        rows.sort_by_key(|&row| (self.show.rows[row].rank, self.show.rows[row].section, row));
        rows
    }

    /// The free runs, those of the best row first.
    pub(super) fn runs(&self, in_pool: bool) -> Vec<Run> {
        let of_row = |row: usize| {
            let runs = free_runs(&self.show.rows[row], |seat| self.is_free(*seat, in_pool));
            runs.into_iter().map(move |(start, length)| Run { row, start, length })
        };
        self.ranked().into_iter().flat_map(of_row).collect()
    }

    fn seats(&self, quantity: u32) -> Found {
        let runs = self.runs(false);
        let available: u32 = runs.iter().map(|run| run.length).sum();
        if available < quantity {
            return Err(Rejection::SoldOut { requested: quantity, available });
        }
        let found = match self.wish.adjacency {
            Adjacency::Any => Some(self.scattered(&runs, quantity)),
            Adjacency::Required => self.together(&runs, quantity),
            Adjacency::Preferred => {
                self.together(&runs, quantity).or_else(|| Some(split::seats(self.show, runs, quantity, self.now)))
            }
        };
        found.ok_or(Rejection::NotTogether { requested: quantity, available })
    }

    /// In one row, if possible without leaving a single seat over.
    fn together(&self, runs: &[Run], quantity: u32) -> Option<(Vec<u32>, Placement)> {
        let row_of = |start: &(usize, u32)| start.0;
        let leaving_none = starts(runs, quantity, true);
        let (step, starts) = if leaving_none.is_empty() {
            (Step::TogetherLeavingOne, starts(runs, quantity, false))
        } else {
            (Step::Together, leaving_none)
        };
        let best = &self.show.rows[row_of(starts.first()?)];
        let mut rows: Vec<usize> = starts.iter().map(row_of).collect();
        rows.dedup();
        rows.retain(|row| self.show.rows[*row].rank <= best.rank + AS_GOOD_RANKS);
        rows.truncate(AS_GOOD_MAX);
        let start_in = |row: usize| {
            let in_row = starts.iter().filter(|start| row_of(start) == row).map(|(_, start)| *start);
            in_row.min_by_key(|start| (off_middle(&self.show.rows[row], *start, quantity), *start)).unwrap()
        };
        let price_of = |seat: u32| self.show.price_of_category(self.show.seat(SeatIndex(seat)).category);
        let price_in = |row: usize| (start_in(row)..start_in(row) + quantity).map(price_of).sum::<u64>();
        let best_price = price_in(rows[0]);
        rows.retain(|row| price_in(*row) == best_price);
        let row = rows[usize::try_from(xxh3_64(self.id.as_bytes()) % rows.len() as u64).unwrap()];
        let (place, start) = (&self.show.rows[row], start_in(row));
        let score = place.rank * 1_000 + off_middle(place, start, quantity);
        Some(((start..start + quantity).collect(), Placement { step, score }))
    }

    /// Row by row, from the middle outwards.
    fn scattered(&self, runs: &[Run], quantity: u32) -> (Vec<u32>, Placement) {
        let mut seats: Vec<(usize, u32)> =
            runs.iter().flat_map(|run| (run.start..run.start + run.length).map(|seat| (run.row, seat))).collect();
        let position = |row: usize| self.ranked().iter().position(|other| *other == row);
        seats.sort_by_key(|&(row, seat)| (position(row), off_middle(&self.show.rows[row], seat, 1), seat));
        seats.truncate(quantity as usize);
        let score = self.show.rows[seats[0].0].rank * 1_000;
        (seats.into_iter().map(|(_, seat)| seat).collect(), Placement { step: Step::Scattered, score })
    }

    /// Bays and companions' seats side by side, and the others beside them if possible.
    fn accessible(&self) -> Found {
        let (show, wish) = (self.show, self.wish);
        let window = wish.bays + wish.companions;
        let pool = self.runs(true);
        let is_bay = |seat: &u32| show.seat(SeatIndex(*seat)).features.has_any(Features::ACCESSIBLE);
        let mut windows = Vec::new();
        for run in &pool {
            for start in run.start..run.start + run.length {
                let fits = start + window <= run.start + run.length;
                if fits && (start..start + window).filter(is_bay).count() == wish.bays as usize {
                    windows.push((run.row, start));
                }
            }
        }
        let Some(&first) = windows.first() else {
            let (requested, available) = (window, pool.iter().map(|run| run.length).sum());
            let too_few = Rejection::SoldOut { requested, available };
            let apart = Rejection::NotTogether { requested, available };
            return Err(if available < requested { too_few } else { apart });
        };
        let others = wish.quantity - window;
        let placed = |step, row: usize| Placement { step, score: show.rows[row].rank * 1_000 };
        for (row, start) in windows {
            if let Some(beside) = self.beside(row, start, start + window, others) {
                return Ok(((start..start + window).chain(beside).collect(), placed(Step::Together, row)));
            }
        }
        if wish.adjacency == Adjacency::Required {
            let free: u32 = self.runs(false).iter().map(|run| run.length).sum();
            return Err(Rejection::NotTogether { requested: wish.quantity, available: window + free });
        }
        let (rest, placement) = self.seats(others)?;
        let (row, start) = first;
        Ok(((start..start + window).chain(rest).collect(), placed(placement.step.max(Step::Split), row)))
    }

    /// Free seats beside these of a row: to the right as far as can be, the rest to the left.
    fn beside(&self, row: usize, from: u32, to: u32, others: u32) -> Option<Vec<u32>> {
        let place = &self.show.rows[row];
        let is_free = |seat: &u32| self.is_free(SeatIndex(*seat), false);
        let right: Vec<u32> = (to..place.first + place.seats).take_while(is_free).take(others as usize).collect();
        let left = (place.first..from).rev().take_while(is_free);
        let beside: Vec<u32> = right.into_iter().chain(left).take(others as usize).collect();
        (beside.len() == others as usize).then_some(beside)
    }
}

fn off_middle(row: &Row, start: u32, quantity: u32) -> u32 {
    (2 * (start - row.first) + quantity).abs_diff(row.seats)
}

/// Where the party can sit, with the row: leaving no single seat over, or leaving one.
fn starts(runs: &[Run], quantity: u32, leaving_none: bool) -> Vec<(usize, u32)> {
    let mut starts = Vec::new();
    for run in runs.iter().filter(|run| run.length >= quantity) {
        for before in 0..=run.length - quantity {
            let after = run.length - quantity - before;
            let fits = if leaving_none { before != 1 && after != 1 } else { run.length == quantity + 1 };
            if fits {
                starts.push((run.row, run.start + before));
            }
        }
    }
    starts
}
