//! The seats among which a party is seated: what the wish allows, what the caller reaches, and what is free.

use smallvec::SmallVec;

use crate::{
    command::{Adjacency, Wish},
    ids::{SeatIndex, SectionIndex},
    inventory::{
        manifest::RowPlace,
        places::Places,
        policy::OrphanRule,
        runs::{LENGTHS, LONG_RUN, RunIndex, each_run},
        seat_bitmap::SeatBitmap,
        show::Show,
    },
    time::Timestamp,
};

/// A run of free seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// How many runs there are of each length.
pub(super) type Lengths = SmallVec<[u32; LENGTHS]>;

/// What may be given to whoever wishes.
pub(super) struct Field<'a> {
    pub(super) show: &'a Show,
    pub(super) wish: &'a Wish,
    pub(super) index: &'a RunIndex,
    /// Seats that nobody has.
    pub(super) available: &'a SeatBitmap,
    /// What the buyer gives up for the new places.
    pub(super) given_up: &'a Places,
    /// A split party is to leave no single seat over: the show has an orphan rule now.
    pub(super) leaves_none: bool,
    /// Seats that will do and that the buyer gives up for the new ones: free for him. Ascending.
    own: SmallVec<[SeatIndex; 8]>,
    /// Positions of their rows in the order of ranks, ascending.
    own_rows: SmallVec<[usize; 4]>,
}

impl<'a> Field<'a> {
    pub(super) fn new(show: &'a Show, wish: &'a Wish, index: &'a RunIndex, given_up: &'a Places) -> Self {
        let own: SmallVec<[SeatIndex; 8]> = given_up.seats().filter(|seat| index.sees(*seat)).collect();
        let rows = own.iter().map(|seat| show.manifest.rank_position(show.manifest.row_of(*seat)));
        let mut own_rows: SmallVec<[usize; 4]> = rows.collect();
        own_rows.sort_unstable();
        own_rows.dedup();
        Self { show, wish, index, available: &show.available, given_up, leaves_none: false, own, own_rows }
    }

    /// At this instant.
    pub(super) fn at(self, now: Timestamp) -> Self {
        Self { leaves_none: self.show.policy.orphan_rule_at(now) != OrphanRule::Off, ..self }
    }

    /// With these seats free instead of those that are; the index must be one of them.
    pub(super) fn in_house(self, house: &'a SeatBitmap) -> Self {
        Self { available: house, ..self }
    }

    /// Of 64 seats those that will do and are free.
    fn word(&self, word: usize) -> u64 {
        let mut free = self.index.free_word(word);
        if !self.own.is_empty() {
            let first = u32::try_from(word * 64).unwrap_or(u32::MAX);
            let from = self.own.partition_point(|seat| seat.0 < first);
            let own = self.own[from..].iter().take_while(|seat| seat.0 < first + 64);
            own.for_each(|seat| free |= 1 << (seat.0 - first));
        }
        free
    }

    pub(super) fn allows_section(&self, section: SectionIndex) -> bool {
        self.wish.sections.is_empty() || self.wish.sections.binary_search(&section).is_ok()
    }

    /// The row at a position in the order of ranks.
    pub(super) fn row_at(&self, position: usize) -> &'a RowPlace {
        &self.show.manifest.rows()[self.show.manifest.ranked_rows()[position] as usize]
    }

    /// The free runs of the row at a position.
    pub(super) fn runs_of(&self, position: usize) -> SmallVec<[Run; 8]> {
        let row = self.row_at(position);
        let mut runs = SmallVec::new();
        each_run(row.first_seat, row.seats, |word| self.word(word), |start, length| runs.push(Run { start, length }));
        runs
    }

    /// The lengths of the free runs of the row at a position, a bit each.
    pub(super) fn lengths_at(&self, position: usize) -> u32 {
        if self.own_rows.binary_search(&position).is_err() {
            return self.index.lengths_at(position);
        }
        self.runs_of(position).iter().fold(0, |lengths, run| lengths | 1 << run.length.min(LONG_RUN))
    }

    /// Positions, best first, of the allowed rows that have a run for which `fits` holds. `lengths` has the bits for
    /// which it may hold; runs from `LONG_RUN` on are told apart only by `fits`.
    pub(super) fn rows_where<'b>(
        &'b self,
        lengths: u32,
        fits: impl Fn(u32) -> bool + 'b,
    ) -> impl Iterator<Item = usize> + 'b {
        let is_exact = lengths & (1 << LONG_RUN) == 0 || (fits(LONG_RUN) && fits(LONG_RUN + 1));
        let mut own_rows = self.own_rows.iter().copied().peekable();
        let mut others = self.index.rows_with(lengths).peekable();
        // Both ascend; a row of own seats may have become better than the index knows.
        let rows = std::iter::from_fn(move || match (own_rows.peek().copied(), others.peek().copied()) {
            (Some(own), Some(other)) if own <= other => {
                if own == other {
                    others.next();
                }
                own_rows.next()
            }
            (Some(_), None) => own_rows.next(),
            _ => others.next(),
        });
        rows.filter(move |&position| {
            self.allows_section(self.row_at(position).section)
                && ((is_exact && self.own.is_empty()) || self.runs_of(position).iter().any(|run| fits(run.length)))
        })
    }

    /// How many seats will do and are free.
    pub(super) fn free_seats(&self) -> u32 {
        let section_of = |seat: &&SeatIndex| self.show.manifest.rows()[self.show.manifest.row_of(**seat)].section;
        let own = self.own.iter().filter(|seat| self.allows_section(section_of(seat))).count();
        let free = if self.wish.sections.is_empty() {
            self.index.free_seats
        } else {
            self.wish.sections.iter().map(|section| self.index.section(*section).free_seats).sum()
        };
        free + u32::try_from(own).unwrap_or(u32::MAX)
    }

    /// The allowed sections with how many free runs they have of each length below `quantity`. There must be no longer
    /// ones.
    pub(super) fn lengths_by_section(&self, quantity: u32) -> Vec<(SectionIndex, Lengths)> {
        let sections = (0u32..).map(SectionIndex).take(self.show.manifest.parts().sections.len());
        let allowed = sections.filter(|section| self.allows_section(*section));
        if quantity <= LONG_RUN && self.own.is_empty() {
            let known = |section| SmallVec::from_slice(&self.index.section(section).lengths[..quantity as usize]);
            return allowed.map(|section| (section, known(section))).collect();
        }
        let mut all: Vec<_> = allowed.map(|section| (section, SmallVec::from_elem(0, quantity as usize))).collect();
        for position in self.rows_where(u32::MAX << 1, |_| true) {
            let section = self.row_at(position).section;
            let Ok(own) = all.binary_search_by_key(&section, |(section, _)| *section) else { continue };
            self.runs_of(position).iter().for_each(|run| all[own].1[run.length as usize] += 1);
        }
        all
    }

    pub(super) fn splits(&self) -> bool {
        self.wish.adjacency != Adjacency::Required
    }
}
