//! Where seats lie free side by side: for each row, which lengths its free runs have.
//!
//! ```text
//! row    x..xx.x....x      free runs of 2, 1 and 4      mask 0b10110
//! ```
//! One mask a row, in the order of the rows' ranks, and one that unites 64 rows each: finding the best row with a run
//! of four is a scan over a few cache lines, and no longer in a full house than in an empty one. There is an index for
//! each reach (a set of channels) that somebody asked with; it is made when it is first needed and then follows every
//! change. It is a cache: it follows from the show, and is not part of the state.

use std::cell::RefCell;

use super::{places::Places, show::Show};

/// Bit of a run of this length or longer.
pub(super) const LONG_RUN: u32 = 31;
/// Rows that one mask of the upper level unites.
const BLOCK: usize = 64;
/// Most indexes of a show; for others everything is looked at anew.
const INDEXES_MAX: usize = 4;

/// The indexes of a show.
#[derive(Debug, Default)]
pub(super) struct Runs(RefCell<Vec<RunIndex>>);

/// The free runs for one reach.
#[derive(Debug)]
pub(super) struct RunIndex {
    reach: u64,
    /// By position in the order of ranks.
    pub(super) rows: Vec<u32>,
    blocks: Vec<u32>,
    /// Free seats by row, as `rows`.
    free: Vec<u16>,
    free_by_section: Vec<u32>,
    pub(super) free_seats: u32,
}

impl Runs {
    /// Nobody has looked yet, or everything has changed since.
    pub(super) fn forget(&mut self) {
        self.0.get_mut().clear();
    }

    /// Looks at the index of a reach, which is made if need be.
    pub(super) fn with<T>(&self, show: &Show, reach: u64, look: impl FnOnce(&RunIndex) -> T) -> T {
        let mut indexes = self.0.borrow_mut();
        if let Some(index) = indexes.iter().find(|index| index.reach == reach) {
            return look(index);
        }
        let index = RunIndex::new(show, reach);
        if indexes.len() >= INDEXES_MAX {
            return look(&index);
        }
        indexes.push(index);
        look(&indexes[indexes.len() - 1])
    }

    fn is_empty(&mut self) -> bool {
        self.0.get_mut().is_empty()
    }
}

impl Show {
    /// Says that these seats changed between free and not free.
    #[inline]
    pub(super) fn runs_changed(&mut self, places: &Places) {
        if !self.runs.is_empty() {
            self.update_runs(places);
        }
    }

    #[cold]
    fn update_runs(&mut self, places: &Places) {
        let mut indexes = std::mem::take(self.runs.0.get_mut());
        let mut end_of_row = 0;
        for seat in places.seats().filter(|seat| seat.0 < self.manifest.seats()) {
            if seat.0 < end_of_row {
                continue;
            }
            let row = self.manifest.row_of(seat);
            end_of_row = self.manifest.rows()[row].first_seat + self.manifest.rows()[row].seats;
            indexes.iter_mut().for_each(|index| index.update(self, row));
        }
        *self.runs.0.get_mut() = indexes;
    }

    /// Of 64 seats those that anybody with this reach may be given: available, and not kept for those who need them.
    pub(super) fn free_word(&self, word: usize, reach: u64) -> u64 {
        let protected = self.manifest.protected().words().get(word).copied().unwrap_or(0);
        self.available.words()[word] & !protected & !self.channels.hidden_word(word, reach)
    }
}

impl RunIndex {
    fn new(show: &Show, reach: u64) -> Self {
        let rows = show.manifest.rows();
        let mut index = Self {
            reach,
            rows: vec![0; rows.len()],
            blocks: vec![0; rows.len().div_ceil(BLOCK)],
            free: vec![0; rows.len()],
            free_by_section: vec![0; show.manifest.parts().sections.len()],
            free_seats: 0,
        };
        for row in 0..rows.len() {
            index.update(show, row);
        }
        index
    }

    fn update(&mut self, show: &Show, row: usize) {
        let place = &show.manifest.rows()[row];
        let position = show.manifest.rank_position(row);
        let (mut mask, mut free) = (0u32, 0u32);
        each_run(
            place.first_seat,
            place.seats,
            |word| show.free_word(word, self.reach),
            |_, length| {
                mask |= 1 << length.min(LONG_RUN);
                free += length;
            },
        );
        let before = u32::from(std::mem::replace(&mut self.free[position], u16::try_from(free).unwrap_or(u16::MAX)));
        self.free_seats = self.free_seats + free - before;
        let section = &mut self.free_by_section[place.section.0 as usize];
        *section = *section + free - before;
        if std::mem::replace(&mut self.rows[position], mask) != mask {
            let block = position / BLOCK;
            let rows = &self.rows[block * BLOCK..self.rows.len().min((block + 1) * BLOCK)];
            self.blocks[block] = rows.iter().fold(0, |all, mask| all | mask);
        }
    }

    /// Free seats of a section.
    pub(super) fn free_of(&self, section: crate::ids::SectionIndex) -> u32 {
        self.free_by_section[section.0 as usize]
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
mod tests {
    use super::*;

    fn runs(words: &[u64], first: u32, seats: u32) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        each_run(first, seats, |word| words[word], |start, length| found.push((start, length)));
        found
    }

    #[test]
    fn runs_are_found_across_words_and_end_with_the_row() {
        assert_eq!(runs(&[0b1011_0011], 0, 8), [(0, 2), (4, 2), (7, 1)]);
        assert_eq!(runs(&[0b1011_0011], 1, 5), [(1, 1), (4, 2)]);
        assert_eq!(runs(&[u64::MAX, u64::MAX], 60, 10), [(60, 10)]);
        assert_eq!(runs(&[u64::MAX, 0b11], 0, 128), [(0, 66)]);
        assert_eq!(runs(&[0, 0], 3, 100), []);
        assert_eq!(runs(&[u64::MAX, u64::MAX, u64::MAX], 10, 150), [(10, 150)]);
    }
}
