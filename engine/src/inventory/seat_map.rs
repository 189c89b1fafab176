//! A show's places at one instant, for readers.

use super::{seat_bitmap::SeatBitmap, show::Show};
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
    /// Seats that are sold. What is neither is held.
    pub sold: SeatBitmap,
    /// The general-admission sections, in the order of the manifest.
    pub ga: Vec<GaCounts>,
}

/// The counts of a general-admission section; they add up to its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaCounts {
    /// The section.
    pub section: SectionIndex,
    /// Units that can be held.
    pub available: u32,
    /// Units that are held.
    pub held: u32,
    /// Units that are sold.
    pub sold: u32,
}

impl Show {
    /// A copy of the status of every place; a seat is one bit twice.
    #[must_use]
    pub fn seat_map(&self, now: Timestamp) -> SeatMap {
        let counts = |(section, tally): (u32, &super::show::GaTally)| {
            let section = SectionIndex(section);
            self.manifest.ga_capacity(section)?;
            Some(GaCounts { section, available: self.ga_available(section), held: tally.held, sold: tally.sold })
        };
        SeatMap {
            version: self.version,
            as_of: now,
            available: self.available.clone(),
            sold: self.sold.clone(),
            ga: (0u32..).zip(&self.ga).filter_map(counts).collect(),
        }
    }
}
