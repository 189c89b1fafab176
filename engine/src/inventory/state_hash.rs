//! The state hash: equal exactly when two inventories are the same, however they came to be.
//!
//! It covers what commands can observe, in an order of its own, so that slots and hash tables do not matter. It is no
//! proof against forgery.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::{Inventory, hold::Hold, seat_bitmap::SeatBitmap, show::Show};
use crate::codec::stable_bytes;

/// 128 bits of XXH3 over an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHash(pub u128);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Inventory {
    /// The hash of everything in it. Costs a walk over everything, with a sort of the holds.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        let mut writer = Writer(Xxh3::new());
        writer.number(self.shows.len() as u64);
        for (_, show) in self.shows() {
            writer.show(show);
        }
        StateHash(writer.0.digest128())
    }
}

impl Show {
    /// The hash of everything in it.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        let mut writer = Writer(Xxh3::new());
        writer.show(self);
        StateHash(writer.0.digest128())
    }
}

/// Each part is written with its length, so that no two states run into the same bytes.
struct Writer(Xxh3);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    /// A value by its stored bytes, which are equal exactly when the values are.
    fn value(&mut self, value: &impl bincode::Encode) {
        self.bytes(&stable_bytes(value));
    }

    fn seats(&mut self, seats: Option<&SeatBitmap>) {
        let words = seats.map(SeatBitmap::words).unwrap_or_default();
        self.number(words.len() as u64);
        words.iter().for_each(|word| self.number(*word));
    }

    fn show(&mut self, show: &Show) {
        self.bytes(show.id.as_str().as_bytes());
        self.value(&(show.manifest.parts(), show.policy, show.sale));
        self.value(&(show.version, show.manifest_version, &show.manifest_changes, show.created_as));
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
        let mut holds: Vec<&Hold> = show.holds.iter().collect();
        holds.sort_unstable_by_key(|hold| hold.id);
        self.number(holds.len() as u64);
        for hold in holds {
            self.hold(show, hold);
        }
        self.number(show.holds.ended().count() as u64);
        for (at, hold) in show.holds.ended() {
            self.value(&(at, hold.id));
        }
        for hold in show.holds.booked() {
            self.bytes(hold.id.as_bytes());
        }
        let lapses = show.lapses.iter().map(|(slot, lapses)| (&show.buyers.get(*slot).id, lapses));
        let mut lapses: Vec<_> = lapses.map(|(buyer, own)| (buyer, own.count, own.cools_until)).collect();
        lapses.sort_unstable();
        self.value(&lapses);
    }

    fn hold(&mut self, show: &Show, hold: &Hold) {
        self.bytes(hold.id.as_bytes());
        self.bytes(show.buyers.get(hold.buyer).id.as_bytes());
        self.value(&(hold.ttl, hold.granted_at, hold.expires_at, hold.state as u64, hold.extends));
        self.value(&(&hold.places, hold.remaining()));
        self.value(&hold.booking().map(|booking| (&booking.order, &booking.payment, booking.confirmed_at)));
        self.value(&(hold.request(), hold.placement()));
        if let Some(rare) = hold.rare() {
            self.value(&(&rare.tickets, &rare.prices.seats, &rare.prices.ga));
            self.value(&(rare.extendable_until, rare.pinned_from, rare.returns_later_ms, rare.has_lapsed));
            self.value(&(rare.difference_minor, rare.refunded_minor, rare.is_offer));
            self.value(&(&rare.booked, &rare.override_reason));
        }
    }
}
