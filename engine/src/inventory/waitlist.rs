//! The waitlist: who waits for what, in which order, and what is gathered for whom.
//!
//! Entries with the same wish stand in one queue, so that a place that comes back is offered to a few queues instead of
//! thousands of entries. An entry is a hold that waits: its offer is a hold under the same id. This file stores and
//! finds; joining and leaving are decided in `join.rs`, who gets what in `offer.rs`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::OnceLock,
};

use bincode::{Decode, Encode};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{
    hold_best, manifest::Manifest, places::Places, policy::WaitlistOrder, runs::Sight, show::Show, slab::Slab,
    split_table::SplitTable,
};
use crate::{
    command::Wish,
    event::EntryJoined,
    ids::{BuyerId, HoldId, SeatIndex, SectionIndex},
    time::Timestamp,
};

pub(super) mod join;
mod look;
pub(super) mod offer;
mod stored;

use look::{LOOKED_AT_MAX, Look};

/// One who waits: 80 bytes.
#[derive(Clone, Debug, Encode, Decode)]
pub(super) struct Entry {
    pub(super) id: HoldId,
    pub(super) buyer: BuyerId,
    /// The order of joining.
    pub(super) number: u64,
    queue: u32,
    pub(super) priority: u8,
    /// Places were gathered for it before; that happens once.
    pub(super) was_gathered_for: bool,
}

/// Those who wait for the same.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub(super) wish: Wish,
    /// Channels that they may draw from, a bit each.
    pub(super) channels: u64,
    /// Which seats will do, by today's prices and open channels. Follows from the show.
    pub(super) sight: Sight,
    /// Whether the house could meet the wish, once it was asked. Follows from the manifest.
    is_possible: OnceLock<bool>,
    /// Slots of entries, the next to be served first.
    entries: VecDeque<u32>,
}

impl Queue {
    pub(super) fn is_possible(&self, show: &Show) -> bool {
        *self.is_possible.get_or_init(|| hold_best::is_possible(show, &self.wish))
    }
}

/// Places that are withheld for an entry that needs more.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Gathering {
    pub(super) places: Places,
    pub(super) until: Timestamp,
}

/// Everybody who waits for places of one show.
#[derive(Debug, Default)]
pub(super) struct Waitlist {
    entries: Slab<Entry>,
    by_id: SplitTable,
    by_buyer: SplitTable,
    queues: Slab<Queue>,
    by_wish: BTreeMap<(Wish, u64), u32>,
    /// Queues by the sections that they name; those that name none.
    by_section: BTreeMap<SectionIndex, Vec<u32>>,
    of_any_section: Vec<u32>,
    /// By slot of the entry, which is in no queue meanwhile.
    gatherings: BTreeMap<u32, Gathering>,
    waiting: u32,
    /// Entries that ever joined.
    pub(super) joined: u64,
    pub(super) order: WaitlistOrder,
    pub(super) look: Look,
}

impl Waitlist {
    /// Entries that wait.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    pub(super) fn is_entry(&self, id: HoldId) -> bool {
        self.slot(id).is_some()
    }

    pub(super) fn slot(&self, id: HoldId) -> Option<u32> {
        if self.waiting == 0 {
            return None;
        }
        self.by_id.find(hash(id), |slot| self.entries.get(slot).id == id)
    }

    pub(super) fn slot_of_buyer(&self, buyer: &BuyerId) -> Option<u32> {
        self.by_buyer.find(buyer.hash(), |slot| self.entries.get(slot).buyer == *buyer)
    }

    pub(super) fn entry(&self, slot: u32) -> &Entry {
        self.entries.get(slot)
    }

    pub(super) fn queue_of(&self, slot: u32) -> &Queue {
        self.queues.get(self.entries.get(slot).queue)
    }

    pub(super) fn queue(&self, queue: u32) -> Option<&Queue> {
        self.queues.find(queue)
    }

    pub(super) fn gathering(&self, slot: u32) -> Option<&Gathering> {
        self.gatherings.get(&slot)
    }

    /// Every entry with its slot, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        self.entries.iter()
    }

    /// The entries of a queue, the next to be served first.
    pub(super) fn entries_of(&self, queue: u32) -> impl Iterator<Item = u32> + '_ {
        self.queues.find(queue).into_iter().flat_map(|queue| queue.entries.iter().copied())
    }

    /// What is withheld, with the slot of the entry that it is for.
    pub(super) fn gatherings(&self) -> impl ExactSizeIterator<Item = (u32, &Gathering)> {
        self.gatherings.iter().map(|(slot, gathering)| (*slot, gathering))
    }

    /// What is withheld for each entry that something is gathered for.
    pub(super) fn gathered_places(&self) -> impl Iterator<Item = &Places> {
        self.gatherings.values().map(|gathering| &gathering.places)
    }

    /// Places that are withheld for entries.
    pub(super) fn gathered(&self) -> u32 {
        self.gatherings.values().map(|gathering| gathering.places.count()).sum()
    }

    /// The instant at which something that was gathered is to go back, and whose it is.
    pub(super) fn next_gathering_end(&self) -> Option<(Timestamp, HoldId)> {
        let ends = self.gatherings.iter().map(|(&slot, gathering)| (gathering.until, self.entries.get(slot).id));
        ends.min()
    }

    /// Entries for which what was gathered is to go back now, in order of time and id.
    pub(super) fn gatherings_due(&self, now: Timestamp) -> Vec<HoldId> {
        let due = self.gatherings.iter().filter(|(_, gathering)| gathering.until <= now);
        let mut due: Vec<_> = due.map(|(&slot, gathering)| (gathering.until, self.entries.get(slot).id)).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// What was gathered at `since` is withheld so much longer.
    pub(super) fn shift_gatherings(&mut self, since: Timestamp, ms: u64) {
        let running = self.gatherings.values_mut().filter(|gathering| gathering.until > since);
        running.for_each(|gathering| gathering.until = gathering.until.plus_ms(ms));
    }

    /// Queues that such a seat may be for.
    pub(super) fn queues_for(&self, section: SectionIndex) -> impl Iterator<Item = u32> + '_ {
        let named = self.by_section.get(&section).map(Vec::as_slice).unwrap_or_default();
        named.iter().chain(&self.of_any_section).copied()
    }

    pub(super) fn all_queues(&self) -> impl Iterator<Item = u32> + '_ {
        self.queues.iter().map(|(queue, _)| queue)
    }

    /// What decides who is served first: the lower key.
    pub(super) fn key(&self, slot: u32) -> (u64, u64) {
        let entry = self.entries.get(slot);
        match self.order {
            WaitlistOrder::Fifo => (0, entry.number),
            WaitlistOrder::Priority => (u64::from(u8::MAX - entry.priority), entry.number),
            WaitlistOrder::Lottery { seed } => (xxh3_64_with_seed(entry.id.as_bytes(), seed), entry.number),
        }
    }

    /// Every queue may be satisfied now.
    pub(super) fn look_everywhere(&mut self) {
        self.look.everywhere |= self.waiting > 0;
    }

    /// Places came back.
    #[inline]
    pub(super) fn look_at(&mut self, seats: impl Iterator<Item = SeatIndex>, ga: impl Iterator<Item = SectionIndex>) {
        if self.waiting > 0 {
            self.look.note(seats, ga);
        }
    }

    /// Everything was looked at.
    pub(super) fn looked(&mut self) {
        self.look = Look::default();
    }

    pub(super) fn set_order(&mut self, order: WaitlistOrder) {
        if self.order == order {
            return;
        }
        self.order = order;
        let queues: Vec<u32> = self.all_queues().collect();
        for queue in queues {
            let mut entries = std::mem::take(&mut self.queues.get_mut(queue).entries);
            entries.make_contiguous().sort_unstable_by_key(|&slot| self.key(slot));
            self.queues.get_mut(queue).entries = entries;
        }
    }

    /// Before the first entry: parts for as many as there may be.
    pub(super) fn expect(&mut self, most: u32) {
        if self.by_id.is_new() {
            self.by_id.expect(0, most as usize);
            self.by_buyer.expect(0, most as usize);
        }
    }

    /// Stores an entry under an id that is not in use.
    pub(super) fn insert(&mut self, joined: EntryJoined, manifest: &Manifest, open: u64) {
        let sight = Sight::new(&joined.wish, manifest, joined.channels | open);
        let queue = self.join_queue(joined.wish, joined.channels, sight, joined.is_possible);
        self.joined += 1;
        let (id, buyer) = (joined.hold_id, joined.buyer);
        let (number, priority) = (self.joined, joined.priority);
        let slot = self.entries.insert(Entry { id, buyer, number, queue, priority, was_gathered_for: false });
        self.by_id.insert(hash(id), slot);
        self.by_buyer.insert(self.entries.get(slot).buyer.hash(), slot);
        self.waiting += 1;
        self.enqueue(slot);
        if self.look.queues.len() < LOOKED_AT_MAX {
            self.look.queues.push(queue);
        } else {
            self.look_everywhere();
        }
    }

    /// Prices, categories or open channels are others now.
    pub(super) fn look_again(&mut self, manifest: &Manifest, open: u64) {
        let queues: Vec<u32> = self.all_queues().collect();
        for queue in queues {
            let queue = self.queues.get_mut(queue);
            queue.sight = Sight::new(&queue.wish, manifest, queue.channels | open);
        }
    }

    /// The house is another one.
    pub(super) fn house_changed(&mut self) {
        let queues: Vec<u32> = self.all_queues().collect();
        queues.into_iter().for_each(|queue| self.queues.get_mut(queue).is_possible = OnceLock::new());
    }

    pub(super) fn queue_for(&self, wish: &Wish, channels: u64) -> Option<&Queue> {
        self.by_wish.get(&(wish.clone(), channels)).map(|queue| self.queues.get(*queue))
    }

    fn join_queue(&mut self, wish: Wish, channels: u64, sight: Sight, is_possible: bool) -> u32 {
        let key = (wish, channels);
        if let Some(&queue) = self.by_wish.get(&key) {
            return queue;
        }
        let (wish, channels) = key.clone();
        let sections = wish.sections.clone();
        let queue = self.queues.insert(Queue {
            wish,
            channels,
            sight,
            is_possible: OnceLock::from(is_possible),
            entries: VecDeque::new(),
        });
        if sections.is_empty() {
            self.of_any_section.push(queue);
        }
        for section in sections {
            self.by_section.entry(section).or_default().push(queue);
        }
        self.by_wish.insert(key, queue);
        queue
    }

    fn enqueue(&mut self, slot: u32) {
        let queue = self.entries.get(slot).queue;
        let entries = &self.queues.get(queue).entries;
        let position = entries.partition_point(|&other| self.key(other) < self.key(slot));
        self.queues.get_mut(queue).entries.insert(position, slot);
    }

    fn dequeue(&mut self, slot: u32) {
        let queue = self.entries.get(slot).queue;
        let entries = &self.queues.get(queue).entries;
        let position = entries.partition_point(|&other| self.key(other) < self.key(slot));
        if entries.get(position) == Some(&slot) {
            self.queues.get_mut(queue).entries.remove(position);
        }
    }

    /// Takes an entry out, with what was gathered for it.
    pub(super) fn remove(&mut self, slot: u32) -> (Entry, Option<Gathering>) {
        self.dequeue(slot);
        let gathering = self.gatherings.remove(&slot);
        let entry = self.entries.remove(slot);
        self.by_id.remove(hash(entry.id), slot);
        self.by_buyer.remove(entry.buyer.hash(), slot);
        self.waiting -= 1;
        self.drop_if_empty(entry.queue);
        (entry, gathering)
    }

    /// A queue that nobody stands in is none; whoever is gathered for comes back to his.
    fn drop_if_empty(&mut self, queue: u32) {
        let is_awaited = self.gatherings.keys().any(|&slot| self.entries.get(slot).queue == queue);
        if is_awaited || !self.queues.get(queue).entries.is_empty() {
            return;
        }
        let Queue { wish, channels, .. } = self.queues.remove(queue);
        for section in &wish.sections {
            if let Some(queues) = self.by_section.get_mut(section) {
                queues.retain(|own| *own != queue);
            }
        }
        self.by_section.retain(|_, queues| !queues.is_empty());
        self.of_any_section.retain(|own| *own != queue);
        self.by_wish.remove(&(wish, channels));
    }

    /// Places are withheld for an entry, which leaves its queue until it has what it needs.
    pub(super) fn gather(&mut self, slot: u32, places: &Places, until: Timestamp) {
        self.dequeue(slot);
        self.entries.get_mut(slot).was_gathered_for = true;
        let gathering = self.gatherings.entry(slot).or_insert_with(|| Gathering { places: Places::default(), until });
        gathering.places = gathering.places.with(places);
    }

    /// An entry that comes earlier takes over some of what is gathered for this one, which keeps the rest; without any it
    /// goes back to its queue as if nothing had been gathered.
    pub(super) fn take_over(&mut self, slot: u32, places: &Places) {
        let gathering = self.gatherings.get_mut(&slot).expect("what is taken over is gathered");
        gathering.places = gathering.places.without(places);
        if gathering.places.is_empty() {
            self.end_gathering(slot);
            self.entries.get_mut(slot).was_gathered_for = false;
        }
    }

    /// What was gathered for an entry, which goes back to its queue.
    pub(super) fn end_gathering(&mut self, slot: u32) -> Option<Gathering> {
        let gathering = self.gatherings.remove(&slot);
        self.enqueue(slot);
        gathering
    }

    /// Forgets everybody. Returns what was gathered.
    pub(super) fn clear(&mut self) -> Vec<Places> {
        let cleared = std::mem::replace(self, Self { joined: self.joined, order: self.order, ..Self::default() });
        cleared.gatherings.into_values().map(|gathering| gathering.places).collect()
    }
}

fn hash(id: HoldId) -> u64 {
    xxh3_64(id.as_bytes())
}

#[cfg(test)]
mod tests;
