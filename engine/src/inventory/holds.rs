//! The holds of a show: live ones, sold ones for ever, and ended ones for as long as they are remembered.
//!
//! It stores and finds; what a hold may do is decided in the commands' files.

use std::{cell::RefCell, collections::VecDeque};

use hashbrown::HashTable;

use super::{
    deadlines::Deadlines,
    due::Due,
    hold::{Hold, HoldState},
    slab::Slab,
    split_table::SplitTable,
};
use crate::{
    codec::{CodecError, StateReader, StateWriter},
    ids::{HoldId, Reference},
    time::Timestamp,
};

/// How long an ended hold is remembered, so that a repeated command learns its fate: 24 hours.
pub const ENDED_HOLD_RETENTION_MS: u64 = 86_400_000;
/// Most ended holds that a show remembers; beyond it the oldest is forgotten.
pub const ENDED_HOLDS_MAX: usize = 1_000_000;
/// Ended holds forgotten with each one that ends: more than one, so that a backlog shrinks, and few, so that no event
/// is slow.
const FORGET_AT_ONCE: usize = 4;

/// All holds of one show.
#[derive(Debug, Default)]
pub(super) struct Holds {
    records: Slab<Hold>,
    by_id: SplitTable,
    /// One entry for each live hold at its deadline, and stale ones, which are recognised when they come up. Follows
    /// from the records; not part of the state.
    deadlines: Deadlines,
    /// Ended holds, oldest first.
    ended: VecDeque<(Timestamp, u32)>,
    live: u32,
    /// Bookings in the order in which they were confirmed.
    booked: Vec<u32>,
    /// The first so many of them by their orders; not part of the state.
    by_order: RefCell<OrderIndex>,
}

/// Bookings by order: whoever asks for an order brings it up to date, so that confirming costs nothing.
#[derive(Debug, Default)]
struct OrderIndex {
    /// Positions among the bookings.
    table: HashTable<u32>,
    /// So many of them are in it.
    indexed: usize,
}

impl Holds {
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn find(&self, id: HoldId) -> Option<&Hold> {
        self.slot(id).map(|slot| self.records.get(slot))
    }

    #[inline]
    pub(super) fn slot(&self, id: HoldId) -> Option<u32> {
        self.by_id.find(hash(id), |slot| self.records.get(slot).id == id)
    }

    /// Brings near what [`Self::slot`] looks at first, for the id of this hash.
    #[inline]
    pub(super) fn peek(&self, hash: u64) -> u64 {
        self.by_id.peek(hash)
    }

    pub(super) fn get(&self, slot: u32) -> &Hold {
        self.records.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Hold {
        self.records.get_mut(slot)
    }

    /// Every record, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.records.iter().map(|(_, hold)| hold)
    }

    /// Ended holds in the order in which they ended.
    pub(super) fn ended(&self) -> impl Iterator<Item = (Timestamp, &Hold)> {
        self.ended.iter().map(|&(at, slot)| (at, self.records.get(slot))).filter(|(_, hold)| hold.is_ended())
    }

    /// Makes room for a rush before the first hold, and parts for as many as there may be: growing step by step from
    /// nothing would move everything ten times.
    pub(super) fn expect(&mut self, rush: usize, most: usize) {
        self.by_id.expect(rush, most);
        self.records.expect((rush / 8).max(most / 64));
        self.deadlines.expect(rush / 2);
    }

    /// A copy to be read, which stays as it is now.
    pub(super) fn frozen(&mut self) -> Self {
        let (ended, booked) = (self.ended.clone(), self.booked.clone());
        Self { records: self.records.frozen(), ended, booked, live: self.live, ..Self::default() }
    }

    pub(super) fn store(&self, writer: &mut StateWriter) {
        writer.put_all(self.records.slots().map(|(_, hold)| hold).collect::<Vec<_>>().into_iter());
        writer.put_all(self.ended.iter());
        writer.put_all(self.booked.iter());
    }

    /// Of a show with at most so many holds.
    pub(super) fn load(reader: &mut StateReader<'_>, most: usize) -> Result<Self, CodecError> {
        let mut holds = Self::default();
        let mut failed = None;
        let records =
            reader.take_all::<Option<Hold>>()?.map_while(|hold| hold.map_err(|error| failed = Some(error)).ok());
        holds.records = Slab::of_slots(records);
        failed.map_or(Ok(()), Err)?;
        holds.ended = reader.take_all()?.collect::<Result<_, _>>()?;
        holds.booked = reader.take_all()?.collect::<Result<_, _>>()?;
        let is_there = |slot: &u32| holds.records.find(*slot).is_some();
        if !holds.ended.iter().all(|(_, slot)| is_there(slot)) || !holds.booked.iter().all(is_there) {
            return Err(CodecError::Stored { what: "a hold that ended or was sold is not there" });
        }
        let stored = holds.records.iter().count();
        if stored > 0 {
            holds.by_id.expect(stored, most.max(stored));
        }
        for (slot, hold) in holds.records.iter() {
            holds.by_id.insert(hash(hold.id), slot);
            holds.live += u32::from(hold.state == HoldState::Held);
        }
        holds.rebuild_deadlines();
        Ok(holds)
    }

    /// Every hold with its slot, in the order of these.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &Hold)> {
        self.records.iter()
    }

    /// Whether no hold was ever stored, nor expected.
    pub(super) fn is_new(&self) -> bool {
        self.by_id.is_new()
    }

    /// Stores a hold under an id that is not in use.
    pub(super) fn insert(&mut self, hold: Hold) -> u32 {
        let (id, state, sweep_at) = (hold.id, hold.state, hold.sweep_at());
        let slot = self.records.insert(hold);
        self.by_id.insert(hash(id), slot);
        if state == HoldState::Held {
            self.live += 1;
            self.push_deadline(sweep_at, slot);
        }
        slot
    }

    /// A live hold becomes a booking.
    pub(super) fn book(&mut self, slot: u32) {
        self.retire(slot, HoldState::Confirmed);
        self.booked.push(slot);
    }

    /// A hold that had expired becomes a booking, and is not remembered as ended any more: its entry there is stale.
    pub(super) fn book_late(&mut self, slot: u32) {
        self.records.get_mut(slot).state = HoldState::Confirmed;
        self.booked.push(slot);
    }

    /// Bookings, cancelled ones among them, in the order in which they were confirmed.
    pub(super) fn booked(&self) -> impl ExactSizeIterator<Item = &Hold> + Clone {
        self.booked.iter().map(|&slot| self.records.get(slot))
    }

    /// The bookings of an order, in the order in which they were confirmed.
    pub(super) fn of_order(&self, order: &Reference) -> Vec<&Hold> {
        let mut index = self.by_order.borrow_mut();
        let order_of = |position: &u32| {
            let hold = self.records.get(self.booked[*position as usize]);
            &hold.booking().expect("it was booked").order
        };
        let hash_of = |position: &u32| order_of(position).hash();
        for position in index.indexed..self.booked.len() {
            let position = u32::try_from(position).expect("fewer than 2^32 holds");
            index.table.insert_unique(hash_of(&position), position, hash_of);
        }
        index.indexed = self.booked.len();
        let same_hash = index.table.iter_hash(order.hash());
        let mut found: Vec<u32> = same_hash.filter(|position| order_of(position) == order).copied().collect();
        found.sort_unstable();
        found.into_iter().map(|position| self.records.get(self.booked[position as usize])).collect()
    }

    /// Bookings that were not cancelled.
    pub(super) fn bookings(&self) -> u32 {
        let standing = self.booked().filter(|hold| hold.state == HoldState::Confirmed);
        u32::try_from(standing.count()).expect("fewer than 2^32 holds")
    }

    /// Slots of all live holds, ascending.
    pub(super) fn live_slots(&self) -> Vec<u32> {
        let live = self.records.iter().filter(|(_, hold)| hold.state == HoldState::Held);
        live.map(|(slot, _)| slot).collect()
    }

    /// Slots of all live holds and bookings.
    pub(super) fn owners(&self) -> Vec<u32> {
        let owners =
            self.records.iter().filter(|(_, hold)| matches!(hold.state, HoldState::Held | HoldState::Confirmed));
        owners.map(|(slot, _)| slot).collect()
    }

    /// Every hold that was live at `since` lives so much longer, and may be extended as much longer.
    pub(super) fn shift_deadlines(&mut self, since: Timestamp, ms: u64, life_ms_max: u64) {
        for slot in self.live_slots() {
            let hold = self.records.get_mut(slot);
            if hold.expires_at <= since {
                continue;
            }
            let granted_at = hold.granted_at;
            hold.expires_at = hold.expires_at.plus_ms(ms);
            let rare = hold.rare_mut();
            let until = rare.extendable_until.unwrap_or(granted_at.plus_ms(life_ms_max));
            rare.extendable_until = Some(until.plus_ms(ms));
            rare.pinned_from = rare.pinned_from.map(|from| from.plus_ms(ms));
        }
        self.rebuild_deadlines();
    }

    /// A hold stops being live, in this state.
    pub(super) fn retire(&mut self, slot: u32, state: HoldState) {
        self.live -= 1;
        self.records.get_mut(slot).state = state;
    }

    /// Remembers an ended hold for a while, and forgets those that have been remembered long enough. `forgotten` is
    /// called with each of these.
    pub(super) fn remember_ended(&mut self, slot: u32, at: Timestamp, mut forgotten: impl FnMut(u32, Hold)) {
        self.ended.push_back((at, slot));
        for _ in 0..FORGET_AT_ONCE {
            let Some(&(ended_at, slot)) = self.ended.front() else { return };
            if self.ended.len() <= ENDED_HOLDS_MAX && at.ms_since(ended_at) < ENDED_HOLD_RETENTION_MS {
                return;
            }
            self.ended.pop_front();
            if !self.records.get(slot).is_ended() {
                continue;
            }
            let id = self.records.get(slot).id;
            self.by_id.remove(hash(id), slot);
            forgotten(slot, self.records.remove(slot));
        }
    }

    /// Moves a live hold's deadline.
    pub(super) fn move_deadline(&mut self, slot: u32, expires_at: Timestamp) {
        let hold = self.records.get_mut(slot);
        hold.expires_at = expires_at;
        let sweep_at = hold.sweep_at();
        self.push_deadline(sweep_at, slot);
    }

    /// The earliest instant at which a hold may be due; never later than the truth.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Takes at most `max` holds that are due off the deadlines, in order of deadline and id. They must lapse or expire
    /// then.
    pub(super) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Due> {
        let mut due: Vec<(Timestamp, HoldId, u32)> = Vec::new();
        while let Some((at, slot)) = self.deadlines.first() {
            // Of equal deadlines all are taken, since they are told apart by id only below.
            if at > now || (due.len() >= max && due.last().is_none_or(|&(last, ..)| last < at)) {
                break;
            }
            self.deadlines.pop();
            let hold = self.records.find(slot);
            // A deadline that was moved to where it is already is noted twice.
            let is_new = due.last().is_none_or(|&(last, _, other)| (last, other) != (at, slot));
            if let Some(hold) = hold.filter(|hold| is_new && hold.state == HoldState::Held && hold.sweep_at() == at) {
                due.push((at, hold.id, slot));
            }
        }
        due.sort_unstable();
        for (at, _, slot) in due.drain(max.min(due.len())..) {
            self.push_deadline(at, slot);
        }
        due.into_iter().map(|(_, _, slot)| self.records.get(slot).due(now)).collect()
    }

    /// Whether a live hold will come up at its time.
    pub(super) fn is_due_in_time(&self, slot: u32) -> bool {
        let sweep_at = self.records.get(slot).sweep_at();
        self.deadlines.contains(sweep_at, slot)
    }

    fn rebuild_deadlines(&mut self) {
        self.deadlines.clear();
        let live = self.records.iter().filter(|(_, hold)| hold.state == HoldState::Held);
        live.for_each(|(slot, hold)| self.deadlines.push(hold.sweep_at(), slot, |_, _| true));
    }

    fn push_deadline(&mut self, at: Timestamp, slot: u32) {
        let records = &self.records;
        self.deadlines.push(at, slot, |at, slot| {
            records.find(slot).is_some_and(|hold| hold.state == HoldState::Held && hold.sweep_at() == at)
        });
    }
}

/// Mixes an id. Ids are mostly random, but may be counters or share a time prefix; both halves are folded so that such
/// ids spread as well. Callers are the operator's own frontends: this is no defence against crafted ids.
#[inline]
pub(super) fn hash(id: HoldId) -> u64 {
    let value = u128::from_le_bytes(*id.as_bytes());
    let [low, high] = [value & u128::from(u64::MAX), value >> 64];
    // Odd constants from the fractional part of pi, as folded-multiply hashes use them.
    let product = (low ^ 0x243f_6a88_85a3_08d3) * (high ^ 0x1319_8a2e_0370_7345);
    let folded = (product ^ (product >> 64)) & u128::from(u64::MAX);
    u64::try_from(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::SeatIndex, inventory::places::Places, time::HoldTtl};

    fn id(number: u8) -> HoldId {
        HoldId::new(&[number; 16]).unwrap()
    }

    fn hold(number: u8, expires_at: u64) -> Hold {
        Hold {
            id: id(number),
            buyer: 0,
            ttl: HoldTtl::from_ms(5_000).unwrap(),
            granted_at: Timestamp(0),
            expires_at: Timestamp(expires_at),
            places: Places::new([SeatIndex(1)], []).unwrap(),
            state: HoldState::Held,
            extends: 0,
            more: None,
        }
    }

    #[test]
    fn due_holds_come_in_order_of_deadline_and_id() {
        let mut holds = Holds::default();
        for (number, expires_at) in [(9, 20), (3, 10), (2, 20), (4, 30), (5, 20)] {
            holds.insert(hold(number, expires_at));
        }
        let slot = holds.slot(id(5)).unwrap();
        holds.move_deadline(slot, Timestamp(25));
        assert_eq!(holds.next_deadline(), Some(Timestamp(10)));
        assert_eq!(holds.take_due(Timestamp(9), 10), []);
        assert_eq!(holds.take_due(Timestamp(20), 0), []);
        assert_eq!(holds.take_due(Timestamp(20), 10), [3, 2, 9].map(|number| Due::Expire(id(number))));
        assert_eq!(holds.take_due(Timestamp(99), 1), [Due::Expire(id(5))]);
        assert_eq!(holds.take_due(Timestamp(99), 9), [Due::Expire(id(4))]);
    }

    #[test]
    fn ended_holds_are_forgotten_after_their_retention() {
        let mut holds = Holds::default();
        for number in [1, 2] {
            let slot = holds.insert(hold(number, 10));
            holds.retire(slot, HoldState::Released);
            let mut forgotten = Vec::new();
            let at = Timestamp(u64::from(number) * ENDED_HOLD_RETENTION_MS);
            holds.remember_ended(slot, at, |_, hold| forgotten.push(hold.id));
            assert_eq!(forgotten, if number == 2 { vec![id(1)] } else { vec![] });
        }
        assert!(holds.find(id(1)).is_none());
        assert!(holds.find(id(2)).is_some());
    }
}
