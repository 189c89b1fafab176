//! The waitlist in a snapshot.
//!
//! Entries and queues keep their slots; in which order a queue stands follows from its entries.

use std::sync::OnceLock;

use super::{Entry, Gathering, Queue, Waitlist, hash, look::Look};
use crate::{
    codec::{CodecError, StateReader, StateWriter},
    command::Wish,
    ids::{SeatIndex, SectionIndex},
    inventory::{manifest::Manifest, policy::WaitlistOrder, runs::Sight, slab::Slab, split_table::SplitTable},
};

impl Waitlist {
    /// A copy to be read, which stays as it is now; nobody is found in it by id.
    pub(in crate::inventory) fn frozen(&mut self) -> Self {
        Self {
            entries: self.entries.frozen(),
            queues: self.queues.frozen(),
            gatherings: self.gatherings.clone(),
            waiting: self.waiting,
            joined: self.joined,
            order: self.order,
            look: self.look.clone(),
            ..Self::default()
        }
    }

    pub(in crate::inventory) fn store(&self, writer: &mut StateWriter) {
        writer.put(&(self.joined, self.order));
        let queues = self.queues.slots().map(|(_, queue)| queue.map(|queue| (&queue.wish, queue.channels)));
        writer.put_all(queues.collect::<Vec<_>>().into_iter());
        writer.put_all(self.entries.slots().map(|(_, entry)| entry).collect::<Vec<_>>().into_iter());
        writer.put_all(self.gatherings.iter());
        let Look { everywhere, seats, sections, queues } = &self.look;
        writer.put(&(everywhere, seats.as_slice(), sections.as_slice(), queues.as_slice()));
    }

    /// Of a show with this manifest, these public channels and at most so many entries.
    pub(in crate::inventory) fn load(
        reader: &mut StateReader<'_>,
        (manifest, open, most): (&Manifest, u64, usize),
    ) -> Result<Self, CodecError> {
        let (joined, order): (u64, WaitlistOrder) = reader.take()?;
        let queues: Vec<Option<(Wish, u64)>> = reader.take_all()?.collect::<Result<_, _>>()?;
        let entries: Vec<Option<Entry>> = reader.take_all()?.collect::<Result<_, _>>()?;
        let gatherings: Vec<(u32, Gathering)> = reader.take_all()?.collect::<Result<_, _>>()?;
        let (everywhere, seats, sections, looked_at): (bool, Vec<SeatIndex>, Vec<SectionIndex>, Vec<u32>) =
            reader.take()?;
        let queues = queues.into_iter().map(|queue| {
            let (wish, channels) = queue?;
            let sight = Sight::new(&wish, manifest, channels | open);
            Some(Queue { wish, channels, sight, is_possible: OnceLock::new(), entries: Default::default() })
        });
        let mut waitlist = Self {
            queues: Slab::of_slots(queues),
            entries: Slab::of_slots(entries.into_iter()),
            gatherings: gatherings.into_iter().collect(),
            joined,
            order,
            look: Look { everywhere, seats: seats.into(), sections: sections.into(), queues: looked_at.into() },
            ..Self::default()
        };
        waitlist.check_slots()?;
        waitlist.find_queues();
        waitlist.find_entries(most);
        Ok(waitlist)
    }

    /// Whether whatever names a slot names one in use.
    fn check_slots(&self) -> Result<(), CodecError> {
        let is_queue = |queue: u32| self.queues.find(queue).is_some();
        let is_whole = self.entries.iter().all(|(_, entry)| is_queue(entry.queue))
            && self.gatherings.keys().all(|slot| self.entries.find(*slot).is_some());
        let what = "the waitlist names somebody who is not there";
        if is_whole { Ok(()) } else { Err(CodecError::Stored { what }) }
    }

    fn find_queues(&mut self) {
        for (slot, queue) in self.queues.iter() {
            let wish = &queue.wish;
            self.by_wish.insert((wish.clone(), queue.channels), slot);
            if wish.sections.is_empty() {
                self.of_any_section.push(slot);
            }
            for section in &wish.sections {
                self.by_section.entry(*section).or_default().push(slot);
            }
        }
    }

    fn find_entries(&mut self, most: usize) {
        let mut in_turn: Vec<u32> = self.entries.iter().map(|(slot, _)| slot).collect();
        in_turn.sort_unstable_by_key(|&slot| self.key(slot));
        self.waiting = u32::try_from(in_turn.len()).expect("fewer than 2^32 entries");
        let (mut by_id, mut by_buyer) = (SplitTable::default(), SplitTable::default());
        if self.waiting > 0 {
            by_id.expect(in_turn.len(), most);
            by_buyer.expect(in_turn.len(), most);
        }
        for slot in in_turn {
            let entry = self.entries.get(slot);
            by_id.insert(hash(entry.id), slot);
            by_buyer.insert(entry.buyer.hash(), slot);
            // Whoever is gathered for is in no queue meanwhile.
            if !self.gatherings.contains_key(&slot) {
                self.queues.get_mut(entry.queue).entries.push_back(slot);
            }
        }
        (self.by_id, self.by_buyer) = (by_id, by_buyer);
    }
}
