//! The seats among which a party is seated: what the wish allows, what the caller reaches, and what is free.

use smallvec::SmallVec;

use crate::{
    command::{Adjacency, Wish},
    ids::SeatIndex,
    inventory::{
        manifest::RowPlace,
        runs::{LONG_RUN, RunIndex, each_run},
        show::Show,
    },
};

/// A run of free seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Position of its row in the order of ranks.
    pub(super) position: usize,
    pub(super) start: u32,
    pub(super) length: u32,
}

/// What may be given to whoever wishes.
pub(super) struct Field<'a> {
    pub(super) show: &'a Show,
    pub(super) wish: &'a Wish,
    /// The channels that the caller may draw from.
    reach: u64,
    /// Seats that the buyer holds and gives up for the new ones: free for him. Ascending.
    own: &'a [SeatIndex],
    /// A seat of an allowed row may still not do.
    judges_seats: bool,
}

impl<'a> Field<'a> {
    pub(super) fn new(show: &'a Show, wish: &'a Wish, reach: u64, own: &'a [SeatIndex]) -> Self {
        let judges_prices = !wish.categories.is_empty() || wish.price_minor_max.is_some();
        Self { show, wish, reach, own, judges_seats: judges_prices || wish.exclude_restricted || !own.is_empty() }
    }

    /// Whether every free seat of an allowed section will do.
    fn is_plain(&self) -> bool {
        !self.judges_seats
    }

    /// Of 64 seats those that will do and are free.
    pub(super) fn word(&self, word: usize) -> u64 {
        self.word_of(word, self.show.free_word(word, self.reach), |seat| !self.show.manifest.protected().contains(seat))
    }

    /// As [`Self::word`], of the places that are kept for those who need them.
    pub(super) fn protected_word(&self, word: usize) -> u64 {
        let protected = self.show.manifest.protected().words().get(word).copied().unwrap_or(0);
        let hidden = self.show.channels.hidden_word(word, self.reach);
        let free = self.show.available.words()[word] & protected & !hidden;
        self.word_of(word, free, |seat| self.show.manifest.protected().contains(seat))
    }

    fn word_of(&self, word: usize, free: u64, is_of_kind: impl Fn(SeatIndex) -> bool) -> u64 {
        if self.is_plain() {
            return free;
        }
        let first = u32::try_from(word * 64).unwrap_or(u32::MAX);
        let mut free = free;
        let from = self.own.partition_point(|seat| seat.0 < first);
        for seat in self.own[from..].iter().take_while(|seat| seat.0 < first + 64) {
            if is_of_kind(*seat) {
                free |= 1 << (seat.0 - first);
            }
        }
        let mut rest = free;
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            if !self.will_do(SeatIndex(first + bit.trailing_zeros())) {
                free &= !bit;
            }
            rest &= rest - 1;
        }
        free
    }

    fn will_do(&self, seat: SeatIndex) -> bool {
        let manifest = &self.show.manifest;
        let category = manifest.category_of(seat);
        let wish = self.wish;
        (wish.categories.is_empty() || wish.categories.binary_search(&category).is_ok())
            && wish.price_minor_max.is_none_or(|max| manifest.price_of(category) <= max)
            && !(wish.exclude_restricted && manifest.restricted().contains(seat))
    }

    fn allows_section(&self, position: usize) -> bool {
        let row = &self.show.manifest.rows()[self.row(position)];
        self.wish.sections.is_empty() || self.wish.sections.binary_search(&row.section).is_ok()
    }

    /// The row at a position in the order of ranks.
    pub(super) fn row(&self, position: usize) -> usize {
        self.show.manifest.ranked_rows()[position] as usize
    }

    /// The free runs of the row at a position.
    pub(super) fn runs_of(&self, position: usize) -> SmallVec<[Run; 8]> {
        let row = &self.show.manifest.rows()[self.row(position)];
        let mut runs = SmallVec::new();
        each_run(
            row.first_seat,
            row.seats,
            |word| self.word(word),
            |start, length| {
                runs.push(Run { position, start, length });
            },
        );
        runs
    }

    /// The allowed rows with their positions, best first.
    pub(super) fn allowed_rows(&self) -> impl Iterator<Item = (usize, &'a RowPlace)> + '_ {
        let rows = self.show.manifest.rows();
        let all = (0..rows.len()).filter(|position| self.allows_section(*position));
        all.map(|position| (position, &rows[self.row(position)]))
    }

    /// Whether what the index has is all that there can be.
    pub(super) fn is_within(&self) -> bool {
        self.own.is_empty()
    }

    /// Calls `each` with the positions, best first, of the allowed rows that have a run for which `fits` holds, until
    /// it says to stop. `lengths` has the bits of the index for which it may hold. The index does not tell lengths from
    /// `LONG_RUN` on apart.
    pub(super) fn rows_where(
        &self,
        index: &RunIndex,
        lengths: u32,
        fits: impl Fn(u32) -> bool,
        mut each: impl FnMut(usize) -> bool,
    ) {
        let is_exact = self.is_plain() && (lengths & (1 << LONG_RUN) == 0 || (fits(LONG_RUN) && fits(LONG_RUN + 1)));
        let shortest = lengths.trailing_zeros();
        // Under a filter a run may be a part of a longer one; with own seats any row may have become better.
        let lengths = if self.is_plain() { lengths } else { u32::MAX.unbounded_shl(shortest) };
        let mut check = |position: usize| {
            let holds = self.allows_section(position)
                && (is_exact || self.runs_of(position).iter().any(|run| fits(run.length)));
            !holds || each(position)
        };
        if self.own.is_empty() {
            let _ = index.rows_with(lengths).all(&mut check);
        } else {
            let _ = (0..index.rows.len()).all(&mut check);
        }
    }

    /// How many seats will do and are free.
    pub(super) fn free_seats(&self, index: &RunIndex) -> u32 {
        if self.is_plain() && self.wish.sections.is_empty() {
            return index.free_seats;
        }
        if self.is_plain() {
            return self.wish.sections.iter().map(|section| index.free_of(*section)).sum();
        }
        if self.own.is_empty() && index.free_seats == 0 {
            return 0;
        }
        let rows = (0..index.rows.len()).filter(|position| self.allows_section(*position));
        rows.map(|position| self.runs_of(position).iter().map(|run| run.length).sum::<u32>()).sum()
    }

    /// All runs of the allowed rows, best first.
    pub(super) fn all_runs(&self, index: &RunIndex) -> Vec<Run> {
        let mut runs = Vec::new();
        self.rows_where(
            index,
            u32::MAX << 1,
            |_| true,
            |position| {
                runs.extend(self.runs_of(position));
                true
            },
        );
        runs
    }

    pub(super) fn with_index<T>(&self, look: impl FnOnce(&RunIndex) -> T) -> T {
        self.show.runs.with(self.show, self.reach, look)
    }

    pub(super) fn splits(&self) -> bool {
        self.wish.adjacency != Adjacency::Required
    }
}
