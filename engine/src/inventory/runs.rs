//! Where seats lie free side by side: for each row, which lengths its free runs have.
//!
//! ```text
//! row    x..xx.x....x      free runs of 2, 1 and 4      mask 0b10110
//! ```
//! One mask a row, in the order of the rows' ranks, and one that unites 64 rows each: finding the best row with a run
//! of four is a scan over a few cache lines, and no longer in a full house than in an empty one. There is an index for
//! each [`Sight`] that somebody asked with. It is made when it is first needed; what changes afterwards is noted, and
//! made up for when it is asked again, so that those who name their seats hardly pay for it. It is a cache: it follows
//! from the show, and is not part of the state.

use std::cell::RefCell;

use super::{
    manifest::{CategoryIndex, Manifest},
    seat_bitmap::SeatBitmap,
    show::Show,
};
use crate::{
    command::Wish,
    ids::{SeatIndex, SectionIndex},
};

/// Bit of a run of this length or longer.
pub(super) const LONG_RUN: u32 = 31;
/// Lengths that are told apart, and none.
pub(super) const LENGTHS: usize = LONG_RUN as usize + 1;
/// Rows that one mask of the upper level unites.
const BLOCK: usize = 64;
/// Most indexes of a show; the one that was not asked for longest makes room.
const INDEXES_MAX: usize = 16;
/// Changes that are noted at least; of a large show as many as half its rows, beyond which a new index is cheaper.
const CHANGES_MIN: usize = 64;

const EVERY_CATEGORY: [u64; 4] = [u64::MAX; 4];

/// Which seats somebody may be given, whoever has them now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// The channels that may be drawn from, a bit each.
    pub(super) reach: u64,
    /// A bit for each category that will do.
    categories: [u64; 4],
    excludes_restricted: bool,
}

impl Sight {
    /// Of a wish, by today's prices.
    pub(super) fn new(wish: &Wish, manifest: &Manifest, reach: u64) -> Self {
        let mut categories = EVERY_CATEGORY;
        if !wish.categories.is_empty() || wish.price_minor_max.is_some() {
            let all = (0u8..).map(CategoryIndex).take(manifest.parts().categories.len());
            let will_do = |category: &CategoryIndex| {
                (wish.categories.is_empty() || wish.categories.binary_search(category).is_ok())
                    && wish.price_minor_max.is_none_or(|max| manifest.price_of(*category) <= max)
            };
            categories = [0; 4];
            all.filter(will_do).for_each(|category| categories[usize::from(category.0 / 64)] |= 1 << (category.0 % 64));
        }
        Self { reach, categories, excludes_restricted: wish.exclude_restricted }
    }

    /// Of whoever takes any seat that the public and these channels have.
    pub(super) fn of_reach(reach: u64) -> Self {
        Self { reach, categories: EVERY_CATEGORY, excludes_restricted: false }
    }

    pub(super) fn has_category(&self, CategoryIndex(category): CategoryIndex) -> bool {
        self.categories[usize::from(category / 64)] & (1 << (category % 64)) != 0
    }

    /// Whether a seat will do; whether it is kept for those who need it is not asked.
    pub(super) fn sees(&self, show: &Show, seat: SeatIndex) -> bool {
        self.has_category(show.manifest.category_of(seat))
            && !(self.excludes_restricted && show.manifest.restricted().contains(seat))
            && show.channels.reaches(seat, self.reach)
    }
}

/// The indexes of a show.
#[derive(Debug, Default)]
pub(super) struct Runs {
    indexes: RefCell<Indexes>,
    /// Seats that changed between free and not free, the oldest first.
    changes: Vec<SeatIndex>,
    /// Changes that were noted before these.
    changes_before: u64,
}

#[derive(Debug, Default)]
struct Indexes {
    all: Vec<RunIndex>,
    /// How often one was asked.
    asked: u64,
}

/// The free runs in one sight.
#[derive(Debug)]
pub(super) struct RunIndex {
    pub(super) sight: Sight,
    /// Seats that will do and are not kept for those who need them, whoever has them.
    seen: SeatBitmap,
    /// Those of them that were free when it was last asked.
    free: SeatBitmap,
    /// By position in the order of ranks.
    rows: Vec<u32>,
    blocks: Vec<u32>,
    /// By section: how many runs there are of each length, and how many free seats.
    sections: Vec<SectionRuns>,
    pub(super) free_seats: u32,
    /// So many changes are in it.
    changes: u64,
    last_asked: u64,
}

/// The free runs of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SectionRuns {
    /// Runs by length, the last of them all that are as long or longer.
    pub(super) lengths: [u32; LENGTHS],
    pub(super) free_seats: u32,
}

impl Runs {
    /// Everything may have changed.
    pub(super) fn forget(&mut self) {
        self.indexes.get_mut().all.clear();
        self.changes.clear();
    }

    /// Looks at the index of a sight, which is made or brought up to date if need be.
    pub(super) fn with<T>(&self, show: &Show, sight: &Sight, look: impl FnOnce(&RunIndex) -> T) -> T {
        let mut indexes = self.indexes.borrow_mut();
        indexes.asked += 1;
        let asked = indexes.asked;
        let known = indexes.all.iter().position(|index| index.sight == *sight);
        let position = match known {
            Some(position) if indexes.all[position].changes >= self.changes_before => {
                indexes.all[position].catch_up(show, self);
                position
            }
            Some(position) => {
                indexes.all[position] = RunIndex::new(show, sight.clone(), &show.available);
                position
            }
            None => {
                if indexes.all.len() >= INDEXES_MAX {
                    let oldest = (0..INDEXES_MAX).min_by_key(|&position| indexes.all[position].last_asked);
                    indexes.all.swap_remove(oldest.unwrap_or(0));
                }
                indexes.all.push(RunIndex::new(show, sight.clone(), &show.available));
                indexes.all.len() - 1
            }
        };
        let index = &mut indexes.all[position];
        (index.changes, index.last_asked) = (self.changes_before + self.changes.len() as u64, asked);
        look(index)
    }

    /// # Panics
    /// When an index is not what a new one would be.
    pub(super) fn check(&self, show: &Show) {
        let sights: Vec<Sight> = self.indexes.borrow().all.iter().map(|index| index.sight.clone()).collect();
        for sight in sights {
            self.with(show, &sight, |index| {
                let new = RunIndex::new(show, sight.clone(), &show.available);
                assert_eq!((&index.rows, &index.blocks, index.free_seats), (&new.rows, &new.blocks, new.free_seats));
                assert_eq!(index.sections, new.sections, "free runs of sections");
            });
        }
    }
}

impl Show {
    /// Says that these seats changed between free and not free.
    #[inline]
    pub(super) fn runs_changed(&mut self, seats: impl Iterator<Item = SeatIndex>) {
        if !self.runs.indexes.get_mut().all.is_empty() {
            self.note_changes(seats);
        }
    }

    #[cold]
    fn note_changes(&mut self, seats: impl Iterator<Item = SeatIndex>) {
        let max = (self.manifest.rows().len() / 2).max(CHANGES_MIN);
        let runs = &mut self.runs;
        runs.changes.extend(seats);
        if runs.changes.len() > 2 * max {
            let old = runs.changes.len() - max;
            runs.changes.drain(..old);
            runs.changes_before += old as u64;
        }
    }
}

impl RunIndex {
    /// Of these seats.
    pub(super) fn new(show: &Show, sight: Sight, available: &SeatBitmap) -> Self {
        let manifest = &show.manifest;
        let mut index = Self {
            seen: seen(show, &sight),
            sight,
            free: SeatBitmap::empty(manifest.seats()),
            rows: vec![0; manifest.rows().len()],
            blocks: vec![0; manifest.rows().len().div_ceil(BLOCK)],
            sections: vec![SectionRuns::default(); manifest.parts().sections.len()],
            free_seats: 0,
            changes: 0,
            last_asked: 0,
        };
        (0..manifest.rows().len()).for_each(|row| index.add_row(show, row, available));
        (0..index.blocks.len()).for_each(|block| index.unite(block));
        index
    }

    /// Makes up for what changed since it was last asked.
    fn catch_up(&mut self, show: &Show, runs: &Runs) {
        let known = usize::try_from(self.changes - runs.changes_before).unwrap_or(usize::MAX);
        let mut row_done = 0..0;
        for seat in runs.changes.iter().skip(known) {
            if row_done.contains(&seat.0) {
                continue;
            }
            let row = show.manifest.row_of(*seat);
            let place = &show.manifest.rows()[row];
            row_done = place.first_seat..place.first_seat + place.seats;
            self.remove_row(show, row);
            self.add_row(show, row, &show.available);
            self.unite(show.manifest.rank_position(row) / BLOCK);
        }
    }

    /// Its free runs count no more.
    fn remove_row(&mut self, show: &Show, row: usize) {
        let place = show.manifest.rows()[row];
        let section = &mut self.sections[place.section.0 as usize];
        each_run(
            place.first_seat,
            place.seats,
            |word| self.free.words()[word],
            |_, length| {
                section.lengths[length.min(LONG_RUN) as usize] -= 1;
                section.free_seats -= length;
                self.free_seats -= length;
            },
        );
    }

    /// What is free of it now.
    fn add_row(&mut self, show: &Show, row: usize, available: &SeatBitmap) {
        let place = show.manifest.rows()[row];
        let section = &mut self.sections[place.section.0 as usize];
        let (available, seen) = (available.words(), self.seen.words());
        self.free.copy_range(place.first_seat..place.first_seat + place.seats, |word| available[word] & seen[word]);
        let mut mask = 0;
        each_run(
            place.first_seat,
            place.seats,
            |word| self.free.words()[word],
            |_, length| {
                mask |= 1 << length.min(LONG_RUN);
                section.lengths[length.min(LONG_RUN) as usize] += 1;
                section.free_seats += length;
                self.free_seats += length;
            },
        );
        self.rows[show.manifest.rank_position(row)] = mask;
    }

    fn unite(&mut self, block: usize) {
        let rows = &self.rows[block * BLOCK..self.rows.len().min((block + 1) * BLOCK)];
        self.blocks[block] = rows.iter().fold(0, |all, mask| all | mask);
    }

    /// Of 64 seats those that will do and are free.
    pub(super) fn free_word(&self, word: usize) -> u64 {
        self.free.words()[word]
    }

    /// Whether a seat will do and is not kept for those who need it, whoever has it.
    pub(super) fn sees(&self, seat: SeatIndex) -> bool {
        self.seen.contains(seat)
    }

    /// The free runs of a section.
    pub(super) fn section(&self, section: SectionIndex) -> &SectionRuns {
        &self.sections[section.0 as usize]
    }

    /// The lengths of the free runs of the row at a position in the order of ranks, a bit each.
    pub(super) fn lengths_at(&self, position: usize) -> u32 {
        self.rows[position]
    }

    /// Positions, best first, of the rows that have a run of one of these lengths.
    pub(super) fn rows_with(&self, lengths: u32) -> impl Iterator<Item = usize> + '_ {
        let blocks = self.blocks.iter().enumerate().filter(move |(_, mask)| *mask & lengths != 0);
        blocks.flat_map(move |(block, _)| {
            let first = block * BLOCK;
            let rows = &self.rows[first..self.rows.len().min(first + BLOCK)];
            rows.iter().enumerate().filter(move |(_, mask)| *mask & lengths != 0).map(move |(row, _)| first + row)
        })
    }
}

/// The seats that will do and are not kept for those who need them.
fn seen(show: &Show, sight: &Sight) -> SeatBitmap {
    let seats = show.manifest.seats();
    let mut seen = SeatBitmap::full(seats);
    if sight.categories != EVERY_CATEGORY {
        let others = show.manifest.seat_runs().filter(|(_, category)| !sight.has_category(*category));
        others.for_each(|(seats, _)| seen.copy_range(seats, |_| 0));
    }
    let closed = (0u32..).zip(&show.channels.all).filter(|(channel, _)| sight.reach & (1 << channel) == 0);
    closed.for_each(|(_, channel)| seen.remove_all(&channel.seats));
    if sight.excludes_restricted {
        seen.remove_all(show.manifest.restricted());
    }
    seen.remove_all(show.manifest.protected());
    seen
}

/// Calls `each` with the start and the length of every run of set bits among `seats` bits from `first` on.
#[inline]
pub(super) fn each_run(first: u32, seats: u32, word_of: impl Fn(usize) -> u64, mut each: impl FnMut(u32, u32)) {
    let end = first + seats;
    let mut position = first;
    let mut run = 0;
    while position < end {
        let offset = position % 64;
        let width = (64 - offset).min(end - position);
        // Bits beyond the row read as taken.
        let mut word = word_of((position / 64) as usize) >> offset;
        if width < 64 {
            word &= (1 << width) - 1;
        }
        let mut done = 0;
        while done < width {
            let set = (!(word >> done)).trailing_zeros().min(width - done);
            run += set;
            done += set;
            if done < width {
                if run > 0 {
                    each(position + done - run, run);
                    run = 0;
                }
                done +=
                    if word >> done == 0 { width - done } else { (word >> done).trailing_zeros().min(width - done) };
            }
        }
        position += width;
    }
    if run > 0 {
        each(end - run, run);
    }
}

#[cfg(test)]
mod tests;
