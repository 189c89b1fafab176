//! A show's places at one instant, for readers.

use super::{
    capacities::Rooms,
    seat_bitmap::SeatBitmap,
    show::{GaTally, Show},
};
use crate::{ids::SectionIndex, time::Timestamp};

/// A copy of the status of every place.
#[derive(Clone, Debug)]
pub struct SeatMap {
    /// Rises with every change of the show.
    pub version: u64,
    /// The shard's clock when it was taken.
    pub as_of: Timestamp,
    /// Seats that can be held.
    pub available: SeatBitmap,
    /// Seats that are sold.
    pub sold: SeatBitmap,
    /// Seats that the organiser withholds; none if absent. What is nothing of all this is held.
    pub blocked: Option<SeatBitmap>,
    /// Seats that are no part of the show any more; none if absent.
    pub retired: Option<SeatBitmap>,
    /// The version of the manifest that all of this is about.
    pub manifest_version: u32,
    /// The general-admission sections, in the order of the manifest.
    pub ga: Vec<GaCounts>,
    /// Seats and units that could be held at once, with every capacity.
    pub available_at_once: u32,
}

/// The counts of a general-admission section. They add up to its capacity, or beyond it if it is over-committed; to less
/// where a pool or the show allows fewer to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaCounts {
    /// The section.
    pub section: SectionIndex,
    /// Units that there are.
    pub capacity: u32,
    /// Units that could be held at once, with every capacity.
    pub available: u32,
    /// Units that are held.
    pub held: u32,
    /// Units that are sold.
    pub sold: u32,
    /// Units that the organiser withholds.
    pub blocked: u32,
    /// Units that are held, sold or blocked beyond the capacity, which has shrunk.
    pub over_committed: u32,
}

impl Show {
    /// A copy of the status of every place; a seat is one bit each time.
    #[must_use]
    pub fn seat_map(&self, now: Timestamp) -> SeatMap {
        let rooms = Rooms::new(self);
        let counts = |(section, tally): (u32, &GaTally)| {
            let section = SectionIndex(section);
            let capacity = self.manifest.ga_capacity(section)?;
            let GaTally { held, sold, blocked } = *tally;
            let over_committed = (held + sold + blocked).saturating_sub(capacity);
            let available = rooms.of_section(section);
            Some(GaCounts { section, capacity, available, held, sold, blocked, over_committed })
        };
        SeatMap {
            version: self.version,
            as_of: now,
            available: self.available.clone(),
            sold: self.sold.clone(),
            blocked: self.blocks.blocked().cloned(),
            retired: self.retired.clone(),
            manifest_version: self.manifest_version,
            ga: (0u32..).zip(&self.ga).filter_map(counts).collect(),
            available_at_once: self.available_at_once(&rooms),
        }
    }
}
