//! What there is to look at for those who wait. It notes; who gets what is decided in `offer.rs`.

use smallvec::SmallVec;

use crate::ids::{SeatIndex, SectionIndex};

/// Seats, sections and queues that are looked at one by one; for more, every queue is looked at.
pub(super) const LOOKED_AT_MAX: usize = 64;

/// What came back since the queues were last looked at. Between two commands there is nothing, but for a show that is
/// not on sale, where it stays until it is.
#[derive(Clone, Debug, Default)]
pub(in crate::inventory) struct Look {
    pub(in crate::inventory) everywhere: bool,
    pub(in crate::inventory) seats: SmallVec<[SeatIndex; 8]>,
    pub(in crate::inventory) sections: SmallVec<[SectionIndex; 2]>,
    /// Queues that somebody joined.
    pub(in crate::inventory) queues: SmallVec<[u32; 2]>,
}

impl Look {
    /// The first ones are remembered; for more than these, every queue is looked at.
    pub(super) fn note(
        &mut self,
        mut seats: impl Iterator<Item = SeatIndex>,
        mut ga: impl Iterator<Item = SectionIndex>,
    ) {
        self.seats.extend(seats.by_ref().take(LOOKED_AT_MAX - self.seats.len()));
        self.sections.extend(ga.by_ref().take(LOOKED_AT_MAX - self.sections.len()));
        self.everywhere |= seats.next().is_some() || ga.next().is_some();
    }

    pub(in crate::inventory) fn is_empty(&self) -> bool {
        !self.everywhere && self.seats.is_empty() && self.sections.is_empty() && self.queues.is_empty()
    }
}
