//! A hash table of slots that grows a part at a time: growing all of it at once would make one command in a hundred
//! thousand wait for milliseconds.
//!
//! It knows hashes and slots; what is in a slot is the caller's business. Half of a hash stands beside its slot, so that who is
//! not there costs one look at memory, and growing none at the records. Source: O. Amble and D. E. Knuth, "Ordered hash tables",
//! The Computer Journal 17 (1974).

/// Entries that a part is meant for when the table is full.
const PART_ENTRIES: usize = 1_024;
/// Most parts.
const PARTS_MAX: usize = 4_096;
/// Places of the smallest part.
const PLACES_MIN: usize = 8;
/// No entry: behind every other one in order.
const GAP: u64 = u64::MAX;

/// Slots by hash.
#[derive(Debug, Default)]
pub(super) struct SplitTable {
    /// A power of two of them; none as long as nothing was stored.
    parts: Vec<Part>,
}

/// Entries in the order of their hashes. Each stands at the place that its hash names, or behind it, with no gap between.
#[derive(Debug, Default)]
struct Part {
    /// The lower half of the hash, then the slot. The last ones may have been pushed beyond the places.
    entries: Vec<u64>,
    /// That hashes name.
    places: usize,
    used: usize,
}

impl SplitTable {
    /// Makes room for `soon` entries, and parts for `most`. Only for an empty table.
    pub(super) fn expect(&mut self, soon: usize, most: usize) {
        let parts = (most / PART_ENTRIES).clamp(1, PARTS_MAX).next_power_of_two();
        self.parts = (0..parts).map(|_| Part::of(soon / parts * 5 / 4)).collect();
    }

    /// The slot of this hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.parts.get(self.part(hash))?.find(hash, &mut is_it).map(|(_, slot)| slot)
    }

    /// What stands where this hash belongs. No branch depends on it: the processor goes on while it comes from memory, so that
    /// many of them come at once.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> u64 {
        let part = self.parts.get(self.part(hash));
        part.and_then(|part| part.entries.get(part.home(hash << 32))).copied().unwrap_or(GAP)
    }

    /// Stores a slot that is not in it.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        let part = self.part(hash);
        self.parts[part].insert(hash, slot);
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let part = self.part(hash);
        if let Some(part) = self.parts.get_mut(part)
            && let Some((at, _)) = part.find(hash, &mut |other| other == slot)
        {
            part.remove(at);
        }
    }

    /// Whether nothing was ever stored, nor expected.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.parts.is_empty()
    }

    /// Parts take the upper half of the hash, the places in them the lower one.
    #[inline]
    fn part(&self, hash: u64) -> usize {
        usize::try_from(hash >> 32).unwrap_or(0) & self.parts.len().wrapping_sub(1)
    }
}

impl Part {
    fn of(places: usize) -> Self {
        Self { entries: vec![GAP; places], places, used: 0 }
    }

    #[inline]
    fn find(&self, hash: u64, is_it: &mut impl FnMut(u32) -> bool) -> Option<(usize, u32)> {
        let first = hash << 32;
        let mut at = self.home(first);
        loop {
            let entry = *self.entries.get(at)?;
            if entry >= first {
                let slot = slot_of(entry);
                if (entry ^ first) >> 32 != 0 || entry == GAP {
                    return None;
                }
                if is_it(slot) {
                    return Some((at, slot));
                }
            }
            at += 1;
        }
    }

    #[inline]
    fn insert(&mut self, hash: u64, slot: u32) {
        if (self.used + 1) * 5 > self.places * 4 {
            self.grow();
        }
        self.used += 1;
        let mut entry = hash << 32 | u64::from(slot);
        let mut at = self.home(entry);
        while self.entries.get(at).is_some_and(|other| *other < entry) {
            at += 1;
        }
        // Those behind it make room, up to the next gap.
        while let Some(other) = self.entries.get_mut(at) {
            std::mem::swap(other, &mut entry);
            if entry == GAP {
                return;
            }
            at += 1;
        }
        self.entries.push(entry);
    }

    fn remove(&mut self, at: usize) {
        self.used -= 1;
        let mut at = at;
        // Those behind it move up, as far as they are not where they belong.
        while let Some(&next) = self.entries.get(at + 1)
            && next != GAP
            && self.home(next) <= at
        {
            self.entries[at] = next;
            at += 1;
        }
        self.entries[at] = GAP;
    }

    #[cold]
    fn grow(&mut self) {
        let places = (self.places * 3 / 2).max(PLACES_MIN);
        let mut grown = Self { entries: Vec::with_capacity(places + PLACES_MIN), places, used: self.used };
        grown.entries.resize(places, GAP);
        let mut free = 0;
        for &entry in self.entries.iter().filter(|entry| **entry != GAP) {
            let at = grown.home(entry).max(free);
            match grown.entries.get_mut(at) {
                Some(place) => *place = entry,
                None => grown.entries.push(entry),
            }
            free = at + 1;
        }
        *self = grown;
    }

    /// In the order of the hashes.
    #[inline]
    fn home(&self, entry: u64) -> usize {
        usize::try_from(((entry >> 32) * self.places as u64) >> 32).unwrap_or(0)
    }
}

#[inline]
fn slot_of(entry: u64) -> u32 {
    u32::try_from(entry & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn hash(slot: u32) -> u64 {
        xxh3_64(&slot.to_le_bytes())
    }

    #[test]
    fn what_is_stored_is_found_until_it_is_taken_out() {
        for most in [0, 1_000, 100_000] {
            let mut table = SplitTable::default();
            assert_eq!(table.find(hash(7), |slot| slot == 7), None);
            table.expect(most / 32, most);
            for slot in 0..5_000 {
                table.insert(hash(slot), slot);
            }
            for slot in (0..5_000).step_by(2) {
                table.remove(hash(slot), slot);
            }
            for slot in 0..5_000 {
                let found = table.find(hash(slot), |other| other == slot);
                assert_eq!(found, (slot % 2 == 1).then_some(slot));
            }
        }
    }

    #[test]
    fn its_parts_are_used_alike() {
        let mut table = SplitTable::default();
        table.expect(0, 1_048_576);
        (0..65_536).for_each(|slot| table.insert(hash(slot), slot));
        assert!(table.parts.len() == 1_024 && table.parts.iter().all(|part| (24..110).contains(&part.used)));
    }

    #[test]
    fn hashes_that_are_alike_are_told_apart() {
        let mut table = SplitTable::default();
        let alike = [0, 1 << 31, u64::from(u32::MAX)];
        let slots = || (0..60).map(|slot: u32| (alike[slot as usize % 3], slot));
        slots().for_each(|(hash, slot)| table.insert(hash, slot));
        table.remove(alike[2], 5);
        for (hash, slot) in slots() {
            assert_eq!(table.find(hash, |other| other == slot), (slot != 5).then_some(slot));
        }
        slots().for_each(|(hash, slot)| table.remove(hash, slot));
        assert!(table.parts[0].used == 0 && table.parts[0].entries.iter().all(|entry| *entry == GAP));
    }
}
