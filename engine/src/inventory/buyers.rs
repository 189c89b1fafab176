//! The buyers of a show: how much each of them has, for as long as any hold remembers him.
//!
//! It counts; the limits are kept in the commands' files.

use hashbrown::{HashTable, hash_table::Entry};
use xxhash_rust::xxh3::xxh3_64;

use super::slab::Slab;

/// What a buyer has.
#[derive(Debug)]
pub(super) struct Buyer {
    pub(super) id: Box<[u8]>,
    /// Holds of any state that name him; without any he is forgotten.
    pub(super) holds: u32,
    pub(super) live_holds: u32,
    /// Held and sold.
    pub(super) places: u32,
}

/// All buyers of one show.
#[derive(Debug, Default)]
pub(super) struct Buyers {
    records: Slab<Buyer>,
    by_id: HashTable<u32>,
}

impl Buyers {
    pub(super) fn find(&self, id: &[u8]) -> Option<&Buyer> {
        self.slot(id).map(|slot| self.records.get(slot))
    }

    pub(super) fn get(&self, slot: u32) -> &Buyer {
        self.records.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Buyer {
        self.records.get_mut(slot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Buyer)> {
        self.records.iter()
    }

    /// Makes room for a rush before its first buyer.
    pub(super) fn expect(&mut self, buyers: usize) {
        let records = &self.records;
        self.by_id.reserve(buyers, |&slot| xxh3_64(&records.get(slot).id));
    }

    /// The buyer's slot, for one hold more that names him.
    pub(super) fn name(&mut self, id: &[u8]) -> u32 {
        let records = &mut self.records;
        let is_his = |&slot: &u32| *records.get(slot).id == *id;
        let slot = match self.by_id.entry(xxh3_64(id), is_his, |&slot| xxh3_64(&records.get(slot).id)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let slot = records.insert(Buyer { id: id.into(), holds: 0, live_holds: 0, places: 0 });
                new.insert(slot);
                slot
            }
        };
        self.records.get_mut(slot).holds += 1;
        slot
    }

    /// One hold less names him.
    pub(super) fn forget(&mut self, slot: u32) {
        let buyer = self.records.get_mut(slot);
        buyer.holds -= 1;
        if buyer.holds > 0 {
            return;
        }
        assert!(buyer.live_holds == 0 && buyer.places == 0, "a buyer without holds has nothing");
        let hash = xxh3_64(&buyer.id);
        if let Ok(entry) = self.by_id.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.records.remove(slot);
    }

    fn slot(&self, id: &[u8]) -> Option<u32> {
        self.by_id.find(xxh3_64(id), |&slot| *self.records.get(slot).id == *id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_lives_as_long_as_a_hold_names_him() {
        let mut buyers = Buyers::default();
        let slot = buyers.name(b"ada");
        assert_eq!(buyers.name(b"ada"), slot);
        assert_ne!(buyers.name(b"bob"), slot);
        buyers.forget(slot);
        assert_eq!(buyers.find(b"ada").unwrap().holds, 1);
        buyers.forget(slot);
        assert!(buyers.find(b"ada").is_none());
    }
}
