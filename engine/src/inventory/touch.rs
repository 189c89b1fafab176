//! What the next commands are about is looked at together, before they are decided one by one.
//!
//! Where there are many holds, or many shows, nearly every look is at memory that is in no cache. The processor waits for many
//! such looks at once if none depends on another.

use super::{Inventory, holds, show::Show};
use crate::{
    command::Command,
    ids::{BuyerId, SeatIndex, ShowNumber},
};

/// What a command's lookups begin with: hashes of its hold and its buyer, and its first seat.
struct Keys {
    hold: u64,
    buyer: u64,
    seat: SeatIndex,
}

impl Keys {
    fn of(command: &Command) -> Self {
        let seat = match command {
            Command::HoldSeats(command) => command.places.seats().next(),
            _ => None,
        };
        Self {
            hold: command.hold_id().map_or(0, holds::hash),
            buyer: command.claimant().map_or(0, BuyerId::hash),
            seat: seat.unwrap_or(SeatIndex(0)),
        }
    }
}

impl Inventory {
    /// So many commands are looked up at once: more than the processor waits for at a time, and all of it stays in its caches.
    pub const TOUCHED_AT_ONCE: usize = 32;

    /// Looks up what the next commands are about, for nothing but to have it at hand: where there are many holds, the memory
    /// that each lookup waits for comes while the others wait for theirs.
    ///
    /// All keys come before the first look: the less there is between two looks, the more of them the processor has under way.
    #[inline]
    pub fn touch(&self, commands: &[Command], show_of: impl Fn(usize) -> ShowNumber) {
        if commands.len() < Self::TOUCHED_AT_ONCE {
            return;
        }
        let keys: [_; Self::TOUCHED_AT_ONCE] = std::array::from_fn(|position| Keys::of(&commands[position]));
        let show = |position| &self.shows[show_of(position).0 as usize];
        let look = |seen, (position, keys): (usize, &_)| seen ^ show(position).peek(keys);
        std::hint::black_box(keys.iter().enumerate().fold(0, look));
        // New claims are about holds that there are not yet; the others' records lie behind what was peeked at.
        let of_holds = commands.iter().enumerate().filter(|(_, command)| command.claimant().is_none());
        std::hint::black_box(of_holds.fold(0, |seen, (position, command)| seen ^ show(position).touch(command)));
    }
}

impl Show {
    /// Brings near what is looked at first for a command: its hold, its buyer and its seat.
    #[inline]
    fn peek(&self, keys: &Keys) -> u64 {
        self.holds.peek(keys.hold)
            ^ self.buyers.peek(keys.buyer)
            ^ self.available.peek(keys.seat)
            ^ self.peek_price(keys.seat)
    }

    /// Brings near the record of the hold that a command is about, its buyer's, and what it says of its seat.
    fn touch(&self, command: &Command) -> u64 {
        let Some(hold) = command.hold_id().and_then(|id| self.holds.find(id)) else { return 0 };
        let seat = hold.remaining().seats().next().unwrap_or(SeatIndex(0));
        u64::from(self.buyers.get(hold.buyer).live_holds) ^ self.sold.peek(seat) ^ self.peek_price(seat)
    }

    fn peek_price(&self, seat: SeatIndex) -> u64 {
        self.manifest.seat_category(seat).map_or(0, |category| category.price_minor)
    }
}
