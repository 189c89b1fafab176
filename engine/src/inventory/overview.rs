//! What an organiser sees of a show: counts by section, category and channel, what is withheld and when it comes back,
//! who waits.
//!
//! It reads; a walk over all seats is its cost.

use super::{blocks::Mark, manifest::CategoryIndex, sale::ShowState, show::Show};
use crate::{
    ids::{Name, SeatIndex, SectionIndex},
    time::Timestamp,
};

/// A show at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The shard's clock.
    pub as_of: Timestamp,
    /// The state that the show is in.
    pub state: ShowState,
    /// Rises with every change of the show.
    pub version: u64,
    /// Rises with every change of the manifest.
    pub manifest_version: u32,
    /// Every section, in the order of the manifest.
    pub sections: Vec<(SectionIndex, Counts)>,
    /// Every category, in the order of the manifest.
    pub categories: Vec<(CategoryIndex, Counts)>,
    /// Every channel, in the order in which they were defined.
    pub channels: Vec<ChannelOverview>,
    /// What is withheld, by way and reason; only where there is something.
    pub blocks: Vec<BlockOverview>,
    /// Live holds, pinned and offered ones among them.
    pub live_holds: u32,
    /// Bookings, cancelled ones not.
    pub bookings: u32,
    /// Entries that wait for an offer.
    pub waiting: u32,
    /// Places that are withheld for some of them, until they have all that they need.
    pub gathered: u32,
    /// Held and sold places, and how many of them there may be, if that is limited.
    pub capacity: (u32, Option<u32>),
}

/// How many places stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Can be held.
    pub available: u32,
    /// Held, offered, or gathered for somebody.
    pub held: u32,
    /// Sold.
    pub sold: u32,
    /// Withheld by the organiser.
    pub blocked: u32,
}

/// A channel and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOverview {
    /// Its key.
    pub key: Name,
    /// When it opens to the public.
    pub public_at: Option<Timestamp>,
    /// It has.
    pub is_public: bool,
    /// Its seats.
    pub counts: Counts,
}

/// What is withheld in one way, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOverview {
    /// In what way, and why.
    pub mark: Mark,
    /// Seats.
    pub seats: u32,
    /// Units by section.
    pub ga: Vec<(SectionIndex, u32)>,
    /// When it is to come back by itself.
    pub released_at: Option<Timestamp>,
}

impl Show {
    /// What its organiser sees.
    #[must_use]
    pub fn overview(&self, now: Timestamp) -> Overview {
        let parts = self.manifest.parts();
        let mut sections = vec![Counts::default(); parts.sections.len()];
        let mut categories = vec![Counts::default(); parts.categories.len()];
        let mut channels = vec![Counts::default(); self.channels.all.len()];
        for row in self.manifest.rows() {
            for seat in (row.first_seat..row.first_seat + row.seats).map(SeatIndex) {
                let category = usize::from(self.manifest.category_of(seat).0);
                let of_channel = self.channel_of(seat).map(|channel| &mut channels[usize::from(channel.0)]);
                let lists = [Some(&mut sections[row.section.0 as usize]), Some(&mut categories[category]), of_channel];
                lists.into_iter().flatten().for_each(|counts| self.count(seat, counts));
            }
        }
        for (section, tally) in (0u32..).map(SectionIndex).zip(&self.ga) {
            let Some(category) = self.manifest.ga_category_index(section) else { continue };
            for counts in [&mut sections[section.0 as usize], &mut categories[usize::from(category.0)]] {
                counts.available += self.ga_available(section);
                counts.held += tally.held;
                counts.sold += tally.sold;
                counts.blocked += tally.blocked;
            }
        }
        Overview {
            as_of: now,
            state: self.sale.state_at(now),
            version: self.version,
            manifest_version: self.manifest_version,
            sections: (0u32..).map(SectionIndex).zip(sections).collect(),
            categories: (0u8..).map(CategoryIndex).zip(categories).collect(),
            channels: self.channel_overviews(channels),
            blocks: self.block_overviews(),
            live_holds: self.holds.live(),
            bookings: self.holds.bookings(),
            waiting: self.waitlist.waiting(),
            gathered: self.waitlist.gathered(),
            capacity: (self.taken, parts.capacity),
        }
    }

    fn count(&self, seat: SeatIndex, counts: &mut Counts) {
        if self.available.contains(seat) {
            counts.available += 1;
        } else if self.sold.contains(seat) {
            counts.sold += 1;
        } else if self.blocks.is_blocked(seat) {
            counts.blocked += 1;
        } else if !self.is_retired(seat) {
            counts.held += 1;
        }
    }

    fn channel_overviews(&self, counts: Vec<Counts>) -> Vec<ChannelOverview> {
        let channels = (0u32..).zip(&self.channels.all).zip(counts);
        let overview = channels.map(|((position, channel), counts)| ChannelOverview {
            key: channel.key.clone(),
            public_at: channel.public_at,
            is_public: self.channels.open & (1 << position) != 0,
            counts,
        });
        overview.collect()
    }

    fn block_overviews(&self) -> Vec<BlockOverview> {
        let marks = (0u8..).zip(self.blocks.marks());
        let overviews = marks.map(|(position, mark)| BlockOverview {
            mark: mark.clone(),
            seats: u32::try_from(self.blocks.seats_of(mark).count()).unwrap_or(u32::MAX),
            ga: self
                .blocks
                .ga()
                .filter(|(_, own, _)| *own == mark)
                .map(|(section, _, units)| (section, units))
                .collect(),
            released_at: self.releases.get(&position).copied(),
        });
        overviews.filter(|block| block.seats > 0 || !block.ga.is_empty() || block.released_at.is_some()).collect()
    }
}
