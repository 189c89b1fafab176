//! What nested capacities leave: a section's, those of its pools, and the show's.
//!
//! For readers. Whoever takes places asks for each capacity by itself (`taking.rs`).

use smallvec::SmallVec;

use super::{
    manifest::{Manifest, SectionKind},
    show::Show,
};
use crate::ids::SectionIndex;

/// More is taken than a capacity allows, which has shrunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverCommitted {
    /// Whose capacity.
    pub of: CapacityOf,
    /// Beyond it: of a section held, sold and blocked units, otherwise held and sold places.
    pub places: u32,
}

/// What has a capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapacityOf {
    /// A general-admission section.
    Section(SectionIndex),
    /// A pool, by its name.
    Pool(String),
    /// All places together.
    Show,
}

/// What could be held now.
pub(super) struct Rooms {
    /// By section: available units, whatever pools and the show allow.
    units: Vec<u32>,
    /// By section: positions of its pools.
    pools_of: Vec<SmallVec<[u8; 2]>>,
    /// By pool.
    left: Vec<u32>,
    of_show: u32,
}

impl Rooms {
    pub(super) fn new(show: &Show) -> Self {
        let parts = show.manifest.parts();
        let sections = (0u32..).map(SectionIndex).take(parts.sections.len());
        let mut pools_of = vec![SmallVec::new(); parts.sections.len()];
        for (position, pool) in (0u8..).zip(&parts.pools) {
            pool.sections.iter().for_each(|section| pools_of[section.0 as usize].push(position));
        }
        Self {
            units: sections.map(|section| show.ga_available(section)).collect(),
            pools_of,
            left: parts.pools.iter().map(|pool| pool.capacity.saturating_sub(show.taken_of_pool(pool))).collect(),
            of_show: show.room_of_show(),
        }
    }

    /// Places that could be held, as far as the show's capacity is concerned.
    pub(super) fn of_show(&self) -> u32 {
        self.of_show
    }

    /// Units of a section that could be held.
    pub(super) fn of_section(&self, section: SectionIndex) -> u32 {
        self.at_once(0, [section])
    }

    /// So many free seats and the units of these sections, as far as they could be held together. Where pools cross
    /// each other there may be more.
    pub(super) fn at_once(&self, seats: u32, sections: impl IntoIterator<Item = SectionIndex>) -> u32 {
        let mut left: SmallVec<[u32; 8]> = SmallVec::from_slice(&self.left);
        let mut places = seats;
        for SectionIndex(section) in sections {
            let pools = &self.pools_of[section as usize];
            let own = pools.iter().map(|pool| left[usize::from(*pool)]).fold(self.units[section as usize], u32::min);
            pools.iter().for_each(|pool| left[usize::from(*pool)] -= own);
            places += own;
        }
        places.min(self.of_show)
    }
}

impl Show {
    /// Which capacities of a manifest, its own or the next, are below what is taken.
    pub(super) fn over_committed(&self, manifest: &Manifest) -> Vec<OverCommitted> {
        let parts = manifest.parts();
        let mut all = Vec::new();
        let mut note = |of: CapacityOf, taken: u32, capacity: u32| {
            if taken > capacity {
                all.push(OverCommitted { of, places: taken - capacity });
            }
        };
        for ((section, tally), description) in (0u32..).map(SectionIndex).zip(&self.ga).zip(&parts.sections) {
            if let SectionKind::GeneralAdmission { capacity, .. } = description.kind {
                note(CapacityOf::Section(section), tally.held + tally.sold + tally.blocked, capacity);
            }
        }
        for pool in &parts.pools {
            note(CapacityOf::Pool(pool.name.clone()), self.taken_of_pool(pool), pool.capacity);
        }
        if let Some(capacity) = parts.capacity {
            note(CapacityOf::Show, self.taken, capacity);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::scenario::check;

    /// What is told as available could be held at once, with every capacity (rule: capacities-nest).
    #[test]
    fn available_is_what_every_capacity_allows() {
        check(
            "row A 4 in West
             floor Floor 10
             floor Pit 10
             floor Hill 10
             pool Standing 8 Floor Pit
             capacity 20
             00:00  overview                           -> on sale, West 4+0+0+0 Floor 8+0+0+0 Pit 8+0+0+0 Hill 10+0+0+0, 20 in all, Standing 0 of 8 taken 8 left, 0 holds 0 bookings 0 waiting, 0 of 20 taken
             00:01  hold 5xFloor as h1                 -> held 500, until 10:01
             00:02  overview                           -> on sale, West 4+0+0+0 Floor 3+5+0+0 Pit 3+0+0+0 Hill 10+0+0+0, 15 in all, Standing 5 of 8 taken 3 left, 1 holds 0 bookings 0 waiting, 5 of 20 taken
             00:03  hold 9xHill as h2                  -> held 900, until 10:03
             00:04  sell 1xHill A1 A2 A3 as h3 for o3  -> confirmed A1 A2 A3 1xHill 3100 for o3
             00:05  overview                           -> on sale, West 1+0+3+0 Floor 2+5+0+0 Pit 2+0+0+0 Hill 0+9+1+0, 2 in all, Standing 5 of 8 taken 2 left, 2 holds 1 bookings 0 waiting, 18 of 20 taken
             00:06  units                              -> Floor 2 of 10, Pit 2 of 10, Hill 0 of 10, 2 in all
             00:07  hold 2xPit as h4 by bob            -> held 200, until 10:07
             00:08  units                              -> Floor 0 of 10, Pit 0 of 10, Hill 0 of 10, 0 in all
             00:09  hold A4 as h5 by bob               -> rejected: capacity of the show, 1 wanted, 0 left",
        );
    }

    /// Whichever capacity has shrunk below what is taken, blocked units of a section among it (rule: over-committed).
    #[test]
    fn every_capacity_that_shrank_too_far_is_told() {
        check(
            "floor Floor 10
             floor Pit 10
             pool Standing 15 Floor Pit
             00:00  block 4xFloor house:guests         -> 4 changed, Floor 0>4
             00:00  hold 5xFloor 3xPit as h1           -> held 800, until 10:00
             00:01  resize Floor 7                     -> version 2, Floor over by 2
             00:02  pool Standing 6 Floor Pit          -> version 3, Floor over by 2, pool Standing over by 2
             00:03  limit 5                            -> version 4, Floor over by 2, pool Standing over by 2, the show over by 3
             00:04  overview                           -> on sale, A 0+0+0+0 B 0+0+0+0 Floor 0+5+0+4 Pit 0+3+0+0, 0 in all, Standing 8 of 6 taken 0 left, house:guests 0 4xFloor, 1 holds 0 bookings 0 waiting, 8 of 5 taken, Floor over by 2, pool Standing over by 2, the show over by 3
             00:05  release h1                         -> released
             00:06  limit none                         -> version 5",
        );
    }
}
