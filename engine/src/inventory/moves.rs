//! How places move between the statuses, and what moves with them: counts, runs of free seats, those who wait.
//!
//! Every command's events come down to these; no rule is decided here.

use super::{hold::HoldState, places::Places, show::Show};
use crate::time::Timestamp;

impl Show {
    /// Places go to a hold. They must be available, or blocked for the house.
    pub(super) fn take(&mut self, places: &Places) {
        for seat in places.seats() {
            self.available.remove(seat);
            self.blocks.set_blocked(seat, false);
        }
        for (section, units) in places.ga() {
            self.ga[section.0 as usize].held += units;
        }
        self.taken += places.count();
        self.runs_changed(places.seats());
    }

    /// Held places are sold.
    pub(super) fn sell(&mut self, places: &Places) {
        places.seats().for_each(|seat| self.sold.insert(seat));
        for (section, units) in places.ga() {
            let tally = &mut self.ga[section.0 as usize];
            tally.held -= units;
            tally.sold += units;
        }
    }

    /// Sold places are held again, on their way elsewhere.
    pub(super) fn take_back(&mut self, places: &Places) {
        places.seats().for_each(|seat| self.sold.remove(seat));
        for (section, units) in places.ga() {
            let tally = &mut self.ga[section.0 as usize];
            tally.sold -= units;
            tally.held += units;
        }
    }

    /// Held places go back to what they were: available, or blocked for the house.
    pub(super) fn put_back(&mut self, places: &Places) {
        for seat in places.seats() {
            if !self.blocks.is_empty() && self.blocks.mark_of(seat).is_some() {
                self.blocks.set_blocked(seat, true);
            } else {
                self.available.insert(seat);
            }
        }
        for (section, units) in places.ga() {
            self.ga[section.0 as usize].held -= units;
        }
        self.taken -= places.count();
        self.runs_changed(places.seats());
        self.waitlist.look_at(places.seats(), places.ga().map(|(section, _)| section));
        if self.has_capacities() {
            self.waitlist.look_everywhere();
        }
    }

    /// A live hold ends without a sale: what it still has goes back, and it is remembered for a while.
    pub(super) fn end_hold(&mut self, slot: u32, state: HoldState, at: Timestamp) {
        self.forget_prepared(slot);
        let hold = self.holds.get(slot);
        let (remaining, buyer) = (hold.remaining().clone(), hold.buyer);
        self.put_back(&remaining);
        let tally = self.buyers.get_mut(buyer);
        tally.live_holds -= 1;
        tally.places -= remaining.count();
        self.holds.retire(slot, state);
        self.remember_ended(slot, at);
    }

    /// A live hold has fewer places from now on; they go back.
    pub(super) fn give_back(&mut self, slot: u32, back: &Places) {
        self.put_back(back);
        let hold = self.holds.get_mut(slot);
        let remaining = hold.remaining().without(back);
        let buyer = hold.buyer;
        hold.uncommon_mut().remaining = Some(remaining);
        self.buyers.get_mut(buyer).places -= back.count();
    }

    /// A live hold loses those of its seats that are among these to another one of the same buyer.
    pub(super) fn lose_seats(&mut self, slot: u32, places: &Places, at: Timestamp) {
        let own = self.holds.get(slot).remaining();
        let lost = Places::new(own.seats().filter(|seat| places.contains_seat(*seat)), []).unwrap_or_default();
        if lost == *own {
            self.end_hold(slot, HoldState::Released, at);
        } else if !lost.is_empty() {
            self.give_back(slot, &lost);
        }
    }

    pub(super) fn remember_ended(&mut self, slot: u32, at: Timestamp) {
        let (buyers, lapses, groups) = (&mut self.buyers, &mut self.lapses, &mut self.groups);
        self.holds.remember_ended(slot, at, |slot, forgotten| {
            buyers.remove_hold(forgotten.buyer, slot);
            groups.remove(&forgotten.id);
            if buyers.forget(forgotten.buyer) {
                lapses.remove(&forgotten.buyer);
            }
        });
    }
}
