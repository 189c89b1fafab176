//! When what is due, by slot: heaps that forget what is stale and grow one at a time and by a third, so that no command
//! waits for all of them and a live hold does not cost twice what it needs.
//!
//! It keeps what is noted; whether that still holds is the caller's business.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::time::Timestamp;

const PARTS: usize = 32;

/// Instants with slots.
#[derive(Debug)]
pub(super) struct Deadlines([BinaryHeap<Reverse<(Timestamp, u32)>>; PARTS]);

impl Default for Deadlines {
    fn default() -> Self {
        Self(std::array::from_fn(|_| BinaryHeap::new()))
    }
}

impl Deadlines {
    /// Makes room for so many.
    pub(super) fn expect(&mut self, soon: usize) {
        self.0.iter_mut().for_each(|part| part.reserve_exact(soon / PARTS));
    }

    /// Notes an instant. Before there is more room, those are forgotten for which `is_current` does not hold.
    #[inline]
    pub(super) fn push(&mut self, at: Timestamp, slot: u32, is_current: impl Fn(Timestamp, u32) -> bool) {
        let part = &mut self.0[slot as usize % PARTS];
        if part.len() == part.capacity() {
            part.retain(|&Reverse((at, slot))| is_current(at, slot));
            if part.len() >= part.capacity() / 4 * 3 {
                part.reserve_exact(part.capacity() - part.len() + (part.capacity() / 3).max(4));
            }
        }
        part.push(Reverse((at, slot)));
    }

    /// The earliest.
    pub(super) fn first(&self) -> Option<(Timestamp, u32)> {
        let firsts = self.0.iter().filter_map(|part| part.peek());
        firsts.map(|Reverse(first)| *first).min()
    }

    /// Takes the earliest out.
    pub(super) fn pop(&mut self) -> Option<(Timestamp, u32)> {
        let (_, slot) = self.first()?;
        self.0[slot as usize % PARTS].pop().map(|Reverse(first)| first)
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(BinaryHeap::clear);
    }

    pub(super) fn contains(&self, at: Timestamp, slot: u32) -> bool {
        self.0[slot as usize % PARTS].iter().any(|&Reverse(noted)| noted == (at, slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_whatever_its_slot() {
        let mut deadlines = Deadlines::default();
        for slot in 0..1_000 {
            deadlines.push(Timestamp(u64::from(slot * 7_919 % 1_000)), slot, |_, _| true);
        }
        let taken: Vec<u64> = std::iter::from_fn(|| deadlines.pop()).map(|(at, _)| at.0).collect();
        assert_eq!(taken, (0..1_000).collect::<Vec<_>>());
        assert_eq!(deadlines.first(), None);
    }

    #[test]
    fn what_is_stale_does_not_pile_up() {
        let mut deadlines = Deadlines::default();
        for at in 0..100_000 {
            deadlines.push(Timestamp(at), 7, |noted, _| noted.0 + 10 > at);
        }
        let noted: usize = deadlines.0.iter().map(BinaryHeap::len).sum();
        assert!(noted < 100 && deadlines.contains(Timestamp(99_999), 7), "{noted}");
    }
}
