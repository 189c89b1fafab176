//! The state hash: equal exactly when two inventories are the same, however they came to be.
//!
//! It covers what commands can observe, in an order of its own, so that slots and hash tables do not matter. It is no
//! proof against forgery.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::{Inventory, hold::Hold, places::Places, show::Show};

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

    fn show(&mut self, show: &Show) {
        self.bytes(show.id.as_str().as_bytes());
        self.bytes(&crate::codec::stable_bytes(&(show.manifest.parts(), show.policy)));
        self.number(show.version);
        for word in show.available.words().iter().chain(show.sold.words()) {
            self.number(*word);
        }
        for tally in &show.ga {
            self.number(u64::from(tally.held));
            self.number(u64::from(tally.sold));
        }
        let mut holds: Vec<&Hold> = show.holds.iter().collect();
        holds.sort_unstable_by_key(|hold| hold.id);
        self.number(holds.len() as u64);
        for hold in holds {
            self.hold(show, hold);
        }
        self.number(show.holds.ended().count() as u64);
        for (at, hold) in show.holds.ended() {
            self.number(at.0);
            self.bytes(hold.id.as_bytes());
        }
    }

    fn hold(&mut self, show: &Show, hold: &Hold) {
        self.bytes(hold.id.as_bytes());
        self.bytes(&show.buyers.get(hold.buyer).id);
        for number in [hold.ttl.ms(), hold.granted_at.0, hold.expires_at.0, hold.state as u64] {
            self.number(number);
        }
        self.places(&hold.places);
        self.places(hold.remaining());
        let booking = hold.more.as_ref().and_then(|more| more.booking.as_ref());
        self.number(u64::from(booking.is_some()));
        if let Some(booking) = booking {
            self.bytes(booking.order.as_str().as_bytes());
            self.bytes(booking.payment.as_str().as_bytes());
            self.number(booking.confirmed_at.0);
        }
    }

    fn places(&mut self, places: &Places) {
        self.number(places.seats().len() as u64);
        for seat in places.seats() {
            self.number(u64::from(seat.0));
        }
        self.number(places.ga().len() as u64);
        for (section, units) in places.ga() {
            self.number(u64::from(section.0));
            self.number(u64::from(units));
        }
    }
}
