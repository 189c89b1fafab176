//! The buyers of a show: how much each of them has, for as long as any hold remembers him.
//!
//! It counts; the limits are kept in the commands' files.

use std::num::NonZeroU32;

use super::{
    hold::{Hold, HoldState},
    slab::Slab,
    split_table::SplitTable,
};
use crate::{
    codec::{CodecError, StateReader, StateWriter},
    ids::BuyerId,
};

/// What a buyer has: 40 bytes.
#[derive(Clone, Debug)]
pub(super) struct Buyer {
    pub(super) id: BuyerId,
    /// Holds of any state that name him; without any he is forgotten.
    pub(super) holds: NonZeroU32,
    pub(super) live_holds: u32,
    /// Held and sold.
    pub(super) places: u32,
    /// Where its holds are found.
    link: Link,
}

impl Buyer {
    /// One hold more names him.
    pub(super) fn name_again(&mut self) {
        self.holds = self.holds.checked_add(1).expect("fewer than 2^32 holds");
    }
}

/// The holds of a buyer: most have one, whose slot is here; the others have a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link(u32);

impl Link {
    const NONE: Self = Self(u32::MAX);
    /// Set in a link to a list.
    const LIST: u32 = 1 << 31;

    fn list(self) -> Option<u32> {
        (self != Self::NONE && self.0 & Self::LIST != 0).then_some(self.0 & !Self::LIST)
    }
}

/// All buyers of one show.
#[derive(Debug, Default)]
pub(super) struct Buyers {
    records: Slab<Buyer>,
    by_id: SplitTable,
    /// Slots of holds, of buyers who have several.
    lists: Slab<Vec<u32>>,
}

impl Buyers {
    /// The slots of a buyer's holds, of any state, in no order that means anything.
    pub(super) fn holds_of(&self, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let link = self.records.get(slot).link;
        let list = link.list().map(|list| self.lists.get(list).as_slice()).unwrap_or_default();
        let single = (link != Link::NONE && link.list().is_none()).then_some(link.0);
        single.into_iter().chain(list.iter().copied())
    }

    /// A live hold of so many places names this buyer, who must have been named for it.
    pub(super) fn add_live_hold(&mut self, slot: u32, hold: u32, places: u32) {
        let buyer = self.records.get_mut(slot);
        buyer.live_holds += 1;
        buyer.places += places;
        if buyer.link == Link::NONE {
            buyer.link = Link(hold);
        } else {
            self.add_hold(slot, hold);
        }
    }

    /// A hold names this buyer, who must have been named for it.
    pub(super) fn add_hold(&mut self, slot: u32, hold: u32) {
        let buyer = self.records.get_mut(slot);
        match (buyer.link, buyer.link.list()) {
            (Link::NONE, _) => buyer.link = Link(hold),
            (_, Some(list)) => self.lists.get_mut(list).push(hold),
            (Link(first), None) => buyer.link = Link(self.lists.insert(vec![first, hold]) | Link::LIST),
        }
    }

    /// A hold names this buyer no more.
    pub(super) fn remove_hold(&mut self, slot: u32, hold: u32) {
        let buyer = self.records.get_mut(slot);
        let Some(list) = buyer.link.list() else {
            buyer.link = Link::NONE;
            return;
        };
        let holds = self.lists.get_mut(list);
        if let Some(position) = holds.iter().position(|own| *own == hold) {
            holds.swap_remove(position);
        }
        if holds.is_empty() {
            buyer.link = Link::NONE;
            self.lists.remove(list);
        }
    }

    /// A copy to be read, which stays as it is now; without the holds of each.
    pub(super) fn frozen(&mut self) -> Self {
        Self { records: self.records.frozen(), ..Self::default() }
    }

    pub(super) fn store(&self, writer: &mut StateWriter) {
        let ids = self.records.slots().map(|(_, buyer)| buyer.map(|buyer| &buyer.id));
        writer.put_all(ids.collect::<Vec<_>>().into_iter());
    }

    /// Of a show with at most so many holds, which are counted afterwards.
    pub(super) fn load(reader: &mut StateReader<'_>, most: usize) -> Result<Self, CodecError> {
        // One hold too many, until all are counted.
        let named = |id| Buyer { id, holds: NonZeroU32::MIN, live_holds: 0, places: 0, link: Link::NONE };
        let mut failed = None;
        let ids = reader.take_all::<Option<BuyerId>>()?.map_while(|id| id.map_err(|error| failed = Some(error)).ok());
        let records = Slab::of_slots(ids.map(|id| id.map(named)));
        failed.map_or(Ok(()), Err)?;
        let mut buyers = Self { records, ..Self::default() };
        let stored = buyers.records.iter().count();
        if stored > 0 {
            buyers.by_id.expect(stored, most.max(stored));
        }
        for (slot, buyer) in buyers.records.iter() {
            buyers.by_id.insert(buyer.id.hash(), slot);
        }
        Ok(buyers)
    }

    /// Counts a hold of a snapshot. Returns whether its buyer is there.
    pub(super) fn count(&mut self, slot: u32, hold: &Hold) -> bool {
        if self.records.find(hold.buyer).is_none() {
            return false;
        }
        let buyer = self.records.get_mut(hold.buyer);
        buyer.name_again();
        buyer.live_holds += u32::from(hold.state == HoldState::Held);
        if matches!(hold.state, HoldState::Held | HoldState::Confirmed) {
            buyer.places += hold.remaining().count();
        }
        self.add_hold(hold.buyer, slot);
        true
    }

    /// All holds of a snapshot are counted. Returns whether each buyer has one.
    pub(super) fn counted(&mut self) -> bool {
        let slots: Vec<u32> = self.records.iter().map(|(slot, _)| slot).collect();
        slots.into_iter().all(|slot| {
            let buyer = self.records.get_mut(slot);
            let holds = NonZeroU32::new(buyer.holds.get() - 1);
            buyer.holds = holds.unwrap_or(NonZeroU32::MIN);
            holds.is_some()
        })
    }

    pub(super) fn find(&self, slot: u32) -> Option<&Buyer> {
        self.records.find(slot)
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

    /// Makes room for a rush before the first buyer, and parts for as many as there may be.
    pub(super) fn expect(&mut self, rush: usize, most: usize) {
        self.by_id.expect(rush, most);
        self.records.expect((rush / 8).max(most / 64));
    }

    /// The buyer's slot, for one hold more that names him.
    pub(super) fn name(&mut self, id: &BuyerId) -> u32 {
        if let Some(slot) = self.find_slot(id) {
            self.records.get_mut(slot).name_again();
            return slot;
        }
        let holds = NonZeroU32::MIN;
        let slot = self.records.insert(Buyer { id: id.clone(), holds, live_holds: 0, places: 0, link: Link::NONE });
        self.by_id.insert(id.hash(), slot);
        slot
    }

    /// One hold less names him. Says whether he is forgotten with it.
    pub(super) fn forget(&mut self, slot: u32) -> bool {
        let buyer = self.records.get_mut(slot);
        if let Some(holds) = NonZeroU32::new(buyer.holds.get() - 1) {
            buyer.holds = holds;
            return false;
        }
        assert!(buyer.live_holds == 0 && buyer.places == 0, "a buyer without holds has nothing");
        self.by_id.remove(buyer.id.hash(), slot);
        self.records.remove(slot);
        true
    }

    /// Brings near what [`Self::find_slot`] looks at first, for the id of this hash.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> u64 {
        self.by_id.peek(hash)
    }

    #[inline]
    pub(super) fn find_slot(&self, id: &BuyerId) -> Option<u32> {
        self.by_id.find(id.hash(), |slot| self.records.get(slot).id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_lives_as_long_as_a_hold_names_him() {
        let mut buyers = Buyers::default();
        let [ada, bob] = [b"ada", b"bob"].map(|id| BuyerId::new(id).unwrap());
        let slot = buyers.name(&ada);
        assert_eq!(buyers.name(&ada), slot);
        assert_ne!(buyers.name(&bob), slot);
        assert!(!buyers.forget(slot));
        assert_eq!(buyers.find_slot(&ada), Some(slot));
        assert!(buyers.forget(slot));
        assert!(buyers.find_slot(&ada).is_none());
    }

    #[test]
    fn a_buyer_is_small() {
        assert_eq!(size_of::<Option<Buyer>>(), 40);
    }
}
