//! Sets of seats as words: one bit a seat.
//!
//! It knows positions, not what a set means.

use std::ops::Range;

use crate::ids::SeatIndex;

/// A set of the seats of one show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatBitmap {
    words: Box<[u64]>,
}

impl SeatBitmap {
    /// No seat of `seats`.
    #[must_use]
    pub fn empty(seats: u32) -> Self {
        Self { words: vec![0; seats.div_ceil(64) as usize].into() }
    }

    /// Every seat of `seats`.
    #[must_use]
    pub fn full(seats: u32) -> Self {
        let mut bitmap = Self { words: vec![u64::MAX; seats.div_ceil(64) as usize].into() };
        if let Some(last) = bitmap.words.last_mut()
            && !seats.is_multiple_of(64)
        {
            *last = (1 << (seats % 64)) - 1;
        }
        bitmap
    }

    /// The set of these words; nothing if they are not those of so many seats.
    #[must_use]
    pub fn of_words(words: Vec<u64>, seats: u32) -> Option<Self> {
        let is_beyond = |last: &u64| !seats.is_multiple_of(64) && last >> (seats % 64) != 0;
        let fits = words.len() == seats.div_ceil(64) as usize && !words.last().is_some_and(is_beyond);
        fits.then(|| Self { words: words.into() })
    }

    /// Whether the seat is in the set. The seat must exist.
    #[must_use]
    pub fn contains(&self, seat: SeatIndex) -> bool {
        self.words[seat.0 as usize / 64] & bit(seat) != 0
    }

    /// Brings near what [`Self::contains`] looks at.
    #[inline]
    pub(super) fn peek(&self, seat: SeatIndex) -> u64 {
        self.words.get(seat.0 as usize / 64).copied().unwrap_or(0)
    }

    /// Puts a seat in. The seat must exist.
    pub fn insert(&mut self, seat: SeatIndex) {
        self.words[seat.0 as usize / 64] |= bit(seat);
    }

    /// Takes a seat out. The seat must exist.
    pub fn remove(&mut self, seat: SeatIndex) {
        self.words[seat.0 as usize / 64] &= !bit(seat);
    }

    /// Takes out every seat of another set of the same show.
    pub fn remove_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= !other);
    }

    /// Takes over which of these seats are in another set, of which `word_of` gives the words.
    pub fn copy_range(&mut self, seats: Range<u32>, word_of: impl Fn(usize) -> u64) {
        if seats.is_empty() {
            return;
        }
        let (first, last) = (seats.start / 64, (seats.end - 1) / 64);
        for word in first..=last {
            let from = if word == first { seats.start % 64 } else { 0 };
            let to = if word == last { (seats.end - 1) % 64 } else { 63 };
            let mask = (u64::MAX << from) & (u64::MAX >> (63 - to));
            let own = &mut self.words[word as usize];
            *own = (*own & !mask) | (word_of(word as usize) & mask);
        }
    }

    /// Makes room for more seats, none of which is in the set.
    pub fn grow(&mut self, seats: u32) {
        let mut words = std::mem::take(&mut self.words).into_vec();
        words.resize(seats.div_ceil(64) as usize, 0);
        self.words = words.into();
    }

    /// The seats in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = SeatIndex> + '_ {
        (0u32..).zip(&self.words).flat_map(|(position, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let seat = (rest != 0).then(|| SeatIndex(position * 64 + rest.trailing_zeros()))?;
                rest &= rest - 1;
                Some(seat)
            })
        })
    }

    /// How many seats are in the set.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// 64 seats a word, lowest bit first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

fn bit(seat: SeatIndex) -> u64 {
    1 << (seat.0 % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_has_every_seat_and_no_more() {
        for seats in [0, 1, 63, 64, 65, 1_000] {
            assert_eq!(SeatBitmap::full(seats).count(), seats);
            assert_eq!(SeatBitmap::empty(seats).count(), 0);
        }
    }

    #[test]
    fn a_range_is_copied_and_nothing_beside_it() {
        for (start, end) in [(0, 0), (0, 1), (3, 64), (63, 65), (64, 128), (1, 130), (100, 130)] {
            let mut bitmap = SeatBitmap::empty(130);
            bitmap.insert(SeatIndex(2));
            bitmap.copy_range(start..end, |_| u64::MAX);
            let expected = (0..130).filter(|seat| (start..end).contains(seat) || *seat == 2);
            assert!(bitmap.iter().map(|seat| seat.0).eq(expected), "{start}..{end}");
        }
    }

    #[test]
    fn seats_go_in_and_out() {
        let mut bitmap = SeatBitmap::empty(130);
        for seat in [0, 63, 64, 129].map(SeatIndex) {
            bitmap.insert(seat);
            assert!(bitmap.contains(seat));
        }
        bitmap.remove(SeatIndex(64));
        assert!(!bitmap.contains(SeatIndex(64)));
        assert_eq!(bitmap.count(), 3);
    }
}
