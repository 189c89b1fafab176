//! What an organiser sees of a show: counts by section, category and channel, what is withheld and when it comes back,
//! who waits.
//!
//! It reads; a walk over all seats is its cost.

use super::{
    blocks::Mark,
    capacities::{OverCommitted, Rooms},
    manifest::CategoryIndex,
    sale::ShowState,
    show::Show,
};
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
    /// All places. Also of the lists below: so many of them are available as every capacity allows to be held at once.
    pub counts: Counts,
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
    /// Every pool, in the order of the manifest.
    pub pools: Vec<PoolOverview>,
    /// Capacities below what is taken.
    pub over_committed: Vec<OverCommitted>,
}

/// Sections that share a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOverview {
    /// Its name.
    pub name: String,
    /// Most units that may be held and sold at once.
    pub capacity: u32,
    /// Units held and sold.
    pub taken: u32,
    /// Units that could be held, with every capacity.
    pub available: u32,
}

/// How many places stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Could be held at once.
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
        let rooms = Rooms::new(self);
        let mut units_of: Vec<Vec<SectionIndex>> = vec![Vec::new(); parts.categories.len()];
        for (section, tally) in (0u32..).map(SectionIndex).zip(&self.ga) {
            let Some(category) = self.manifest.ga_category_index(section) else { continue };
            units_of[usize::from(category.0)].push(section);
            for counts in [&mut sections[section.0 as usize], &mut categories[usize::from(category.0)]] {
                counts.held += tally.held;
                counts.sold += tally.sold;
                counts.blocked += tally.blocked;
            }
            sections[section.0 as usize].available = rooms.of_section(section);
        }
        for (counts, units_of) in categories.iter_mut().zip(units_of) {
            counts.available = rooms.at_once(counts.available, units_of);
        }
        let counts = self.sum(&rooms, &sections);
        for counts in sections.iter_mut().chain(&mut channels) {
            counts.available = counts.available.min(rooms.of_show());
        }
        Overview {
            counts,
            as_of: now,
            state: self.sale.state_at(now),
            version: self.version,
            manifest_version: self.manifest_version,
            sections: (0u32..).map(SectionIndex).zip(sections).collect(),
            categories: (0..=u8::MAX).map(CategoryIndex).zip(categories).collect(),
            channels: self.channel_overviews(channels),
            blocks: self.block_overviews(),
            live_holds: self.holds.live(),
            bookings: self.holds.bookings(),
            waiting: self.waitlist.waiting(),
            gathered: self.waitlist.gathered(),
            capacity: (self.taken, parts.capacity),
            pools: self.pool_overviews(&rooms),
            over_committed: self.over_committed(&self.manifest),
        }
    }

    fn sum(&self, rooms: &Rooms, sections: &[Counts]) -> Counts {
        let of = |count: fn(&Counts) -> u32| sections.iter().map(count).sum();
        let (held, sold, blocked) = (of(|counts| counts.held), of(|counts| counts.sold), of(|counts| counts.blocked));
        Counts { available: self.available_at_once(rooms), held, sold, blocked }
    }

    /// Seats and units that could be held at once.
    pub(super) fn available_at_once(&self, rooms: &Rooms) -> u32 {
        let sections = (0u32..).map(SectionIndex).take(self.manifest.parts().sections.len());
        rooms.at_once(self.available.count(), sections)
    }

    fn pool_overviews(&self, rooms: &Rooms) -> Vec<PoolOverview> {
        let pools = self.manifest.parts().pools.iter().map(|pool| PoolOverview {
            name: pool.name.clone(),
            capacity: pool.capacity,
            taken: self.taken_of_pool(pool),
            available: rooms.at_once(0, pool.sections.iter().copied()),
        });
        pools.collect()
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
        let marks = (0..=u8::MAX).zip(self.blocks.marks());
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

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// The organiser sees every place once by section, what is withheld and until when, and who waits (rule: overview).
    #[test]
    fn everything_is_counted_once() {
        check(
            "row A 4 in West, bays 4
             00:00  channel fans public 30:00          -> done
             00:00  assign A1 to fans                  -> 1 changed
             00:00  block A2 3xFloor house:guests      -> 4 changed, Floor 0>3
             00:00  schedule house:guests at 20:00     -> done
             00:01  hold A1 A4 as h1 with fans accessible -> held 2000, until 10:01
             00:02  sell A3 2xFloor as h2 for o2       -> confirmed A3 2xFloor 1200 for o2
             00:03  join 1 any in West as h3 by bob    -> waiting, 1 in all
             00:04  overview                           -> on sale, West 0+2+1+1 Floor 95+0+2+3, fans 0+1+0+0 public at 30:00, house:guests 1 3xFloor until 20:00, 1 holds 1 bookings 1 waiting
             00:05  cancel h2                          -> cancelled, refund 1200
                    => h3 offered A3 1000, until 10:05
             00:06  overview                           -> on sale, West 0+3+0+1 Floor 97+0+0+3, fans 0+1+0+0 public at 30:00, house:guests 1 3xFloor until 20:00, 2 holds 0 bookings 0 waiting",
        );
    }

    /// As many categories as there can be are counted (rule: bounded).
    #[test]
    fn a_show_with_every_category_is_counted() {
        let categories: String = (2..255).map(|number| format!("category C{number} 5\n")).collect();
        check(&format!(
            "{categories}row A 2 in West, at C254
             00:00  best 1 any at C254 as h1 -> held A1 5, until 10:00, scattered
             00:01  overview                 -> on sale, West 1+1+0+0 Floor 100+0+0+0, 1 holds 0 bookings 0 waiting
             00:02  add category More 5      -> rejected: manifest invalid, categories: must be 1 to 255, are 256"
        ));
    }
}
