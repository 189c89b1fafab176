//! The holds of a show: live ones, sold ones for ever, and ended ones for as long as they are remembered.
//!
//! It stores and finds; what a hold may do is decided in the commands' files.

use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque};

use hashbrown::HashTable;

use super::{places::Places, slab::Slab};
use crate::{
    ids::{HoldId, Reference},
    time::{HoldTtl, Timestamp},
};

/// How long an ended hold is remembered, so that a repeated command learns its fate: 24 hours.
pub const ENDED_HOLD_RETENTION_MS: u64 = 86_400_000;
/// Most ended holds that a show remembers; beyond it the oldest is forgotten.
pub const ENDED_HOLDS_MAX: usize = 1_000_000;
/// Ended holds forgotten with each one that ends: more than one, so that a backlog shrinks, and few, so that no event
/// is slow.
const FORGET_AT_ONCE: usize = 4;

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// Its places are held, until the deadline.
    Held,
    /// Its places are sold.
    Confirmed,
    /// Given back by the caller.
    Released,
    /// Taken back by time.
    Expired,
    /// Released before it was held.
    Fenced,
}

/// A hold as it is stored: 88 bytes, of which four seats are inline.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) id: HoldId,
    /// Slot in the show's buyers.
    pub(super) buyer: u32,
    pub(super) ttl: HoldTtl,
    pub(super) granted_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// As granted.
    pub(super) places: Places,
    pub(super) state: HoldState,
    /// What few holds have.
    pub(super) more: Option<Box<More>>,
}

/// What few holds have.
#[derive(Debug, Default)]
pub(super) struct More {
    /// What is left after a part was given back; as granted if absent.
    pub(super) remaining: Option<Places>,
    pub(super) booking: Option<Booking>,
}

/// What a hold becomes when it is confirmed. It does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The frontend's order.
    pub order: Reference,
    /// The frontend's payment.
    pub payment: Reference,
    /// When.
    pub confirmed_at: Timestamp,
}

impl Hold {
    /// What a held or confirmed hold has now. An ended one has nothing, whatever this says.
    pub(super) fn remaining(&self) -> &Places {
        self.more.as_ref().and_then(|more| more.remaining.as_ref()).unwrap_or(&self.places)
    }

    /// How it stands at an instant: the deadline decides, not the sweep.
    pub(super) fn state_at(&self, now: Timestamp) -> HoldState {
        if self.state == HoldState::Held && now >= self.expires_at { HoldState::Expired } else { self.state }
    }

    pub(super) fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// All holds of one show.
#[derive(Debug, Default)]
pub(super) struct Holds {
    records: Slab<Hold>,
    by_id: HashTable<u32>,
    /// One entry for each live hold at its deadline, and stale ones, which are recognised when they come up. Follows
    /// from the records; not part of the state.
    deadlines: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Ended holds, oldest first.
    ended: VecDeque<(Timestamp, u32)>,
    live: u32,
}

impl Holds {
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn find(&self, id: HoldId) -> Option<&Hold> {
        self.slot(id).map(|slot| self.records.get(slot))
    }

    pub(super) fn slot(&self, id: HoldId) -> Option<u32> {
        self.by_id.find(hash(id), |&slot| self.records.get(slot).id == id).copied()
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
        self.ended.iter().map(|&(at, slot)| (at, self.records.get(slot)))
    }

    /// Makes room for a rush before its first hold: growing step by step from nothing would move everything ten times.
    pub(super) fn expect(&mut self, holds: usize) {
        let records = &self.records;
        self.by_id.reserve(holds, |&slot| hash(records.get(slot).id));
        self.deadlines.reserve_exact(holds / 2);
    }

    /// Whether no hold was ever stored, or all are forgotten.
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Stores a hold under an id that is not in use.
    pub(super) fn insert(&mut self, hold: Hold) -> u32 {
        let (id, state, expires_at) = (hold.id, hold.state, hold.expires_at);
        let slot = self.records.insert(hold);
        let records = &self.records;
        self.by_id.insert_unique(hash(id), slot, |&slot| hash(records.get(slot).id));
        if state == HoldState::Held {
            self.live += 1;
            self.push_deadline(expires_at, slot);
        }
        slot
    }

    /// A hold stops being live, in this state.
    pub(super) fn retire(&mut self, slot: u32, state: HoldState) {
        self.live -= 1;
        self.records.get_mut(slot).state = state;
    }

    /// Remembers an ended hold for a while, and forgets those that have been remembered long enough. `forgotten` is
    /// called with each of these.
    pub(super) fn remember_ended(&mut self, slot: u32, at: Timestamp, mut forgotten: impl FnMut(Hold)) {
        self.ended.push_back((at, slot));
        for _ in 0..FORGET_AT_ONCE {
            let Some(&(ended_at, slot)) = self.ended.front() else { return };
            if self.ended.len() <= ENDED_HOLDS_MAX && at.ms_since(ended_at) < ENDED_HOLD_RETENTION_MS {
                return;
            }
            self.ended.pop_front();
            let id = self.records.get(slot).id;
            if let Ok(entry) = self.by_id.find_entry(hash(id), |&other| other == slot) {
                entry.remove();
            }
            forgotten(self.records.remove(slot));
        }
    }

    /// Moves a live hold's deadline.
    pub(super) fn move_deadline(&mut self, slot: u32, expires_at: Timestamp) {
        self.records.get_mut(slot).expires_at = expires_at;
        self.push_deadline(expires_at, slot);
    }

    /// The earliest instant at which a hold may be due; never later than the truth.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes at most `max` holds that are due off the deadlines, in order of deadline and id. They must be expired then.
    pub(super) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<HoldId> {
        let mut due: Vec<(Timestamp, HoldId, u32)> = Vec::new();
        while let Some(&Reverse((at, slot))) = self.deadlines.peek() {
            // Of equal deadlines all are taken, since they are told apart by id only below.
            if at > now || (due.len() >= max && due.last().is_none_or(|&(last, ..)| last < at)) {
                break;
            }
            self.deadlines.pop();
            let hold = self.records.find(slot);
            if let Some(hold) = hold.filter(|hold| hold.state == HoldState::Held && hold.expires_at == at) {
                due.push((at, hold.id, slot));
            }
        }
        due.sort_unstable();
        due.dedup();
        for (at, _, slot) in due.drain(max.min(due.len())..) {
            self.deadlines.push(Reverse((at, slot)));
        }
        due.into_iter().map(|(_, id, _)| id).collect()
    }

    fn push_deadline(&mut self, at: Timestamp, slot: u32) {
        let stale = self.deadlines.len().saturating_sub(self.live as usize);
        if stale > self.live as usize + 4_096 {
            let live = self.records.iter().filter(|(_, hold)| hold.state == HoldState::Held);
            self.deadlines = live.map(|(slot, hold)| Reverse((hold.expires_at, slot))).collect();
            return;
        }
        if self.deadlines.len() == self.deadlines.capacity() {
            // By a quarter instead of doubling: a live hold may not cost twice what it needs.
            self.deadlines.reserve_exact((self.deadlines.len() / 4).max(64));
        }
        self.deadlines.push(Reverse((at, slot)));
    }
}

/// Mixes an id. Ids are mostly random, but may be counters or share a time prefix; both halves are folded so that such
/// ids spread as well. Callers are the operator's own frontends: this is no defence against crafted ids.
fn hash(id: HoldId) -> u64 {
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
    use crate::ids::SeatIndex;

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
            more: None,
        }
    }

    #[test]
    fn a_hold_is_small() {
        assert_eq!(size_of::<Option<Hold>>(), 88);
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
        assert_eq!(holds.take_due(Timestamp(20), 10), [id(3), id(2), id(9)]);
        assert_eq!(holds.take_due(Timestamp(99), 1), [id(5)]);
        assert_eq!(holds.take_due(Timestamp(99), 9), [id(4)]);
    }

    #[test]
    fn stale_deadlines_do_not_pile_up() {
        let mut holds = Holds::default();
        let slot = holds.insert(hold(1, 10));
        for at in 0..100_000 {
            holds.move_deadline(slot, Timestamp(11 + at));
        }
        assert!(holds.deadlines.len() < 10_000, "{}", holds.deadlines.len());
        assert_eq!(holds.take_due(Timestamp(u64::MAX), 10), [id(1)]);
    }

    #[test]
    fn ended_holds_are_forgotten_after_their_retention() {
        let mut holds = Holds::default();
        for number in [1, 2] {
            let slot = holds.insert(hold(number, 10));
            holds.retire(slot, HoldState::Released);
            let mut forgotten = Vec::new();
            let at = Timestamp(u64::from(number) * ENDED_HOLD_RETENTION_MS);
            holds.remember_ended(slot, at, |hold| forgotten.push(hold.id));
            assert_eq!(forgotten, if number == 2 { vec![id(1)] } else { vec![] });
        }
        assert!(holds.find(id(1)).is_none());
        assert!(holds.find(id(2)).is_some());
    }
}
