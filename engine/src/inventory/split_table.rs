//! A hash table of slots that grows a part at a time: growing all of it at once would make one command in a hundred
//! thousand wait for milliseconds.
//!
//! It knows hashes and slots; what is in a slot is the caller's business.

use hashbrown::{HashTable, hash_table::Entry};

/// Entries that a part is meant for when the table is full.
const PART_ENTRIES: usize = 512;
/// Most parts.
const PARTS_MAX: usize = 4_096;

/// Slots by hash.
#[derive(Debug, Default)]
pub(super) struct SplitTable {
    /// A power of two of them; none as long as nothing was stored.
    parts: Vec<HashTable<u32>>,
}

impl SplitTable {
    /// Makes room for `soon` entries, and parts for `most`. Only for an empty table.
    pub(super) fn expect(&mut self, soon: usize, most: usize) {
        let parts = (most / PART_ENTRIES).clamp(1, PARTS_MAX).next_power_of_two();
        self.parts = (0..parts).map(|_| HashTable::with_capacity(soon / parts)).collect();
    }

    /// The slot of this hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.parts.get(self.part(hash))?.find(hash, is_it).copied()
    }

    /// The place of the slot of this hash for which `is_it` holds, or for it.
    #[inline]
    pub(super) fn entry(
        &mut self,
        hash: u64,
        is_it: impl FnMut(&u32) -> bool,
        hash_of: impl Fn(&u32) -> u64,
    ) -> Entry<'_, u32> {
        self.part_mut(hash).entry(hash, is_it, hash_of)
    }

    /// Stores a slot that is not in it.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(&u32) -> u64) {
        self.part_mut(hash).insert_unique(hash, slot, hash_of);
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if let Ok(entry) = self.part_mut(hash).find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
    }

    /// Whether nothing was ever stored, nor expected.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.parts.is_empty()
    }

    /// hashbrown takes the highest and the lowest bits.
    #[inline]
    fn part(&self, hash: u64) -> usize {
        usize::try_from(hash >> 32).unwrap_or(0) & self.parts.len().wrapping_sub(1)
    }

    #[inline]
    fn part_mut(&mut self, hash: u64) -> &mut HashTable<u32> {
        if self.parts.is_empty() {
            self.parts.push(HashTable::new());
        }
        let part = self.part(hash);
        &mut self.parts[part]
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn hash(slot: &u32) -> u64 {
        xxh3_64(&slot.to_le_bytes())
    }

    #[test]
    fn what_is_stored_is_found_until_it_is_taken_out() {
        for most in [0, 1_000, 100_000] {
            let mut table = SplitTable::default();
            assert_eq!(table.find(hash(&7), |slot| *slot == 7), None);
            table.expect(most / 32, most);
            for slot in 0..5_000 {
                table.insert(hash(&slot), slot, hash);
            }
            for slot in (0..5_000).step_by(2) {
                table.remove(hash(&slot), slot);
            }
            for slot in 0..5_000 {
                let found = table.find(hash(&slot), |other| *other == slot);
                assert_eq!(found, (slot % 2 == 1).then_some(slot));
            }
        }
    }

    #[test]
    fn its_parts_are_used_alike() {
        let mut table = SplitTable::default();
        table.expect(0, 1_048_576);
        (0..65_536).for_each(|slot| table.insert(hash(&slot), slot, hash));
        assert!(table.parts.len() == 2_048 && table.parts.iter().all(|part| (8..80).contains(&part.len())));
    }
}
