//! Nested capacities in the naive model.

use std::collections::BTreeMap;

use usher_engine::{
    ids::SectionIndex,
    inventory::{
        capacities::{CapacityOf, OverCommitted},
        overview::PoolOverview,
        places::Places,
    },
};

use super::{moves::units_of, show::Show};

impl Show {
    /// Units of a section that may be taken, within every capacity, with what is given up counted as free.
    pub(super) fn room(&self, section: SectionIndex, own: &Places) -> u32 {
        let units = &self.units[&section];
        let taken = units.taken() + units.blocked.values().sum::<u32>() - units_of(own, section);
        let mut room = units.capacity.saturating_sub(taken);
        for pool in self.parts.pools.iter().filter(|pool| pool.sections.contains(&section)) {
            let own: u32 = pool.sections.iter().map(|section| units_of(own, *section)).sum();
            room = room.min(pool.capacity.saturating_sub(self.taken_of(&pool.sections) - own));
        }
        room.min(self.room_of_show(own))
    }

    /// Places that the show's capacity leaves.
    pub(super) fn room_of_show(&self, own: &Places) -> u32 {
        self.parts.capacity.map_or(u32::MAX, |capacity| capacity.saturating_sub(self.taken() - own.count()))
    }

    /// So many seats and the units of these sections: they are taken one after the other until a capacity is reached.
    pub(super) fn at_once(&self, seats: u32, sections: &[SectionIndex]) -> u32 {
        let (mut places, mut taken) = (seats.min(self.room_of_show(&Places::default())), BTreeMap::new());
        for section in sections.iter().filter(|section| self.units.contains_key(section)) {
            let is_room = |taken: &BTreeMap<SectionIndex, u32>, places: u32| {
                let also = |sections: &[SectionIndex]| sections.iter().filter_map(|own| taken.get(own)).sum::<u32>();
                let pools = self.parts.pools.iter().filter(|pool| pool.sections.contains(section));
                also(&[*section]) < self.units[section].available()
                    && places < self.room_of_show(&Places::default())
                    && pools
                        .into_iter()
                        .all(|pool| self.taken_of(&pool.sections) + also(&pool.sections) < pool.capacity)
            };
            while is_room(&taken, places) {
                *taken.entry(*section).or_insert(0) += 1;
                places += 1;
            }
        }
        places
    }

    pub(super) fn pool_overviews(&self) -> Vec<PoolOverview> {
        let pools = self.parts.pools.iter().map(|pool| PoolOverview {
            name: pool.name.clone(),
            capacity: pool.capacity,
            taken: self.taken_of(&pool.sections),
            available: self.at_once(0, &pool.sections),
        });
        pools.collect()
    }

    /// Sections, pools, and the show.
    pub(super) fn over_committed(&self) -> Vec<OverCommitted> {
        let sections = self.units.iter().map(|(section, units)| {
            (CapacityOf::Section(*section), units.taken() + units.blocked.values().sum::<u32>(), units.capacity)
        });
        let pools = self.parts.pools.iter();
        let pools =
            pools.map(|pool| (CapacityOf::Pool(pool.name.clone()), self.taken_of(&pool.sections), pool.capacity));
        let show = self.parts.capacity.map(|capacity| (CapacityOf::Show, self.taken(), capacity));
        let over = sections.chain(pools).chain(show).filter(|(_, taken, capacity)| taken > capacity);
        over.map(|(of, taken, capacity)| OverCommitted { of, places: taken - capacity }).collect()
    }
}
