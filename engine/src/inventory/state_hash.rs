//! The state hash: equal exactly when two inventories are the same, however they came to be.
//!
//! It covers what commands can observe, in an order of its own, so that slots and hash tables do not matter; of holds it is
//! the sum of their hashes, which needs no order. It is no proof against forgery.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{Inventory, hold::Hold, seat_bitmap::SeatBitmap, show::Show};
use crate::codec::add_stable_bytes;

/// 128 bits of XXH3 over an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHash(pub u128);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Inventory {
    /// The hash of everything in it. Costs a walk over everything, but for shows that are as they were loaded.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        let mut writer = Writer::default();
        writer.number(self.shows.len() as u64);
        for (_, show) in self.shows() {
            writer.value(&show.state_hash().0);
        }
        StateHash(writer.finish())
    }
}

impl Show {
    /// The hash of everything in it.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        match self.loaded_as {
            Some((version, hash)) if version == self.version => hash,
            _ => self.computed_state_hash(),
        }
    }

    /// As [`Self::state_hash`], whatever is known of it.
    pub(super) fn computed_state_hash(&self) -> StateHash {
        let mut writer = Writer::default();
        writer.show(self);
        StateHash(writer.finish())
    }
}

/// Bytes gathered before they are hashed: many small pieces cost more than one large one.
const GATHERED_BYTES: usize = 16 << 10;

/// Each part is written with its length, so that no two states run into the same bytes.
#[derive(Default)]
struct Writer {
    hash: Xxh3,
    gathered: Vec<u8>,
}

impl Writer {
    fn number(&mut self, number: u64) {
        self.gathered.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.gathered.extend_from_slice(bytes);
    }

    /// A value by its stored bytes, which are equal exactly when the values are and tell themselves where they end.
    fn value(&mut self, value: &impl bincode::Encode) {
        add_stable_bytes(value, &mut self.gathered);
        if self.gathered.len() >= GATHERED_BYTES {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
    }

    fn finish(mut self) -> u128 {
        self.hash.update(&self.gathered);
        self.hash.digest128()
    }

    fn seats(&mut self, seats: Option<&SeatBitmap>) {
        self.value(&seats.map(SeatBitmap::words).unwrap_or_default());
    }

    fn show(&mut self, show: &Show) {
        self.bytes(show.id.as_str().as_bytes());
        self.value(&(show.manifest.parts(), show.policy, show.sale));
        self.value(&(show.version, show.manifest_version, &show.manifest_changes, show.created_as));
        // Only of a show that left, so that those of older releases hash to what they did.
        if show.left_to.is_some() {
            self.value(&show.left_to);
        }
        self.seats(Some(&show.available));
        self.seats(Some(&show.sold));
        self.seats(show.retired.as_ref());
        self.number(u64::from(show.taken));
        for tally in &show.ga {
            self.value(&(tally.held, tally.sold, tally.blocked));
        }
        self.blocks(show);
        self.channels(show);
        self.waitlist(show);
        self.holds(show);
        // Only of a show that has some, as above.
        if !show.groups.is_empty() {
            self.value(&show.groups);
        }
    }

    fn blocks(&mut self, show: &Show) {
        self.number(show.blocks.marks().len() as u64);
        for mark in show.blocks.marks() {
            self.value(mark);
        }
        self.seats(show.blocks.blocked());
        self.bytes(show.blocks.seat_marks());
        self.number(show.blocks.ga().count() as u64);
        for (section, mark, units) in show.blocks.ga() {
            self.value(&(section, mark, units));
        }
        self.value(&(&show.releases, show.returns_due_at));
    }

    fn channels(&mut self, show: &Show) {
        self.number(show.channels.open);
        self.number(show.channels.all.len() as u64);
        for channel in &show.channels.all {
            self.value(&(&channel.key, channel.public_at));
            self.seats(Some(&channel.seats));
        }
    }

    fn waitlist(&mut self, show: &Show) {
        let waitlist = &show.waitlist;
        self.value(&(waitlist.joined, waitlist.waiting(), waitlist.order));
        let mut entries: Vec<_> = waitlist.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.number);
        for (slot, entry) in entries {
            let queue = waitlist.queue_of(slot);
            self.value(&(entry.id, &entry.buyer, entry.number, entry.priority, entry.was_gathered_for));
            self.value(&(&queue.wish, queue.channels));
            self.value(&waitlist.gathering(slot).map(|gathering| (&gathering.places, gathering.until)));
        }
    }

    fn holds(&mut self, show: &Show) {
        let (mut one, mut sum, mut count) = (Vec::new(), 0u128, 0);
        for hold in show.holds.iter() {
            one.clear();
            add_hold(&mut one, show, hold);
            sum = sum.wrapping_add(xxh3_128(&one));
            count += 1;
        }
        self.value(&(count, sum));
        self.number(show.holds.ended().count() as u64);
        for (at, hold) in show.holds.ended() {
            self.value(&(at, hold.id));
        }
        for hold in show.holds.booked() {
            self.value(&hold.id);
        }
        let lapses = show.lapses.iter().map(|(slot, lapses)| (&show.buyers.get(*slot).id, lapses));
        let mut lapses: Vec<_> = lapses.map(|(buyer, own)| (buyer, own.count, own.cools_until)).collect();
        lapses.sort_unstable();
        self.value(&lapses);
    }
}

/// The bytes of a hold, which are not those of a snapshot: slots mean nothing here.
fn add_hold(bytes: &mut Vec<u8>, show: &Show, hold: &Hold) {
    let buyer = &show.buyers.get(hold.buyer).id;
    let stands = (hold.ttl, hold.granted_at, hold.expires_at, hold.state as u64, hold.extends);
    add_stable_bytes(&(hold.id, buyer, stands, &hold.places, &hold.more), bytes);
}
