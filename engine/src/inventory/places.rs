//! The places that a command or a hold is about: seats and general-admission units together.
//!
//! A `Places` has no seat twice and no empty part, in one canonical order, so that two of them are equal exactly when
//! they name the same places. It does not know whether the places exist.

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder},
    enc::Encoder,
    error::{DecodeError, EncodeError},
};
use smallvec::SmallVec;

use crate::ids::{SeatIndex, SectionIndex};

/// Most places in one hold, whatever a show's policy says.
pub const PLACES_PER_HOLD_MAX: u32 = 1_000;

/// Why places were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// None at all.
    #[error("must name at least one place")]
    Empty,
    /// More than 1,000.
    #[error("must name at most {PLACES_PER_HOLD_MAX} places, names {0}")]
    TooMany(u64),
    /// A seat is named twice.
    #[error("names seat {} twice", .0.0)]
    SeatTwice(SeatIndex),
    /// A section is named twice.
    #[error("names section {} twice", .0.0)]
    SectionTwice(SectionIndex),
    /// Zero units of a section.
    #[error("asks for 0 units of section {}", .0.0)]
    ZeroQuantity(SectionIndex),
}

/// Seats in ascending order, then units per section in ascending order. Up to four seats, or two sections, need no
/// allocation.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Places {
    /// `seats` seat numbers, then pairs of section and quantity.
    words: SmallVec<[u32; 4]>,
    seats: u32,
}

impl Places {
    /// Checks and orders places.
    ///
    /// # Errors
    /// [`PlacesError`], in the order of its variants.
    pub fn new(
        seats: impl IntoIterator<Item = SeatIndex>,
        ga: impl IntoIterator<Item = (SectionIndex, u32)>,
    ) -> Result<Self, PlacesError> {
        let mut words: SmallVec<[u32; 4]> = seats.into_iter().map(|seat| seat.0).collect();
        words.sort_unstable();
        let mut sections: SmallVec<[(u32, u32); 2]> =
            ga.into_iter().map(|(section, units)| (section.0, units)).collect();
        sections.sort_unstable();
        let count = words.len() as u64 + sections.iter().map(|&(_, units)| u64::from(units)).sum::<u64>();
        if words.is_empty() && sections.is_empty() {
            return Err(PlacesError::Empty);
        }
        if count > u64::from(PLACES_PER_HOLD_MAX) {
            return Err(PlacesError::TooMany(count));
        }
        if let Some(pair) = words.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(PlacesError::SeatTwice(SeatIndex(pair[0])));
        }
        if let Some(pair) = sections.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(PlacesError::SectionTwice(SectionIndex(pair[0].0)));
        }
        if let Some(&(section, _)) = sections.iter().find(|&&(_, units)| units == 0) {
            return Err(PlacesError::ZeroQuantity(SectionIndex(section)));
        }
        Ok(Self::of(words, sections))
    }

    /// Of seats in ascending order and sections in ascending order, each once.
    fn of(mut words: SmallVec<[u32; 4]>, sections: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let seats = u32::try_from(words.len()).expect("at most 1,000 seats");
        words.extend(sections.into_iter().flat_map(|(section, units)| [section, units]));
        Self { words, seats }
    }

    /// A single seat.
    #[must_use]
    pub fn seat(seat: SeatIndex) -> Self {
        Self { words: SmallVec::from_buf_and_len([seat.0, 0, 0, 0], 1), seats: 1 }
    }

    /// The seats, ascending.
    pub fn seats(&self) -> impl ExactSizeIterator<Item = SeatIndex> + Clone + '_ {
        self.words[..self.seats as usize].iter().map(|&seat| SeatIndex(seat))
    }

    /// The general-admission units, by ascending section.
    pub fn ga(&self) -> impl ExactSizeIterator<Item = (SectionIndex, u32)> + Clone + '_ {
        self.words[self.seats as usize..].chunks_exact(2).map(|pair| (SectionIndex(pair[0]), pair[1]))
    }

    /// Seats and units together.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.seats + self.ga().map(|(_, units)| units).sum::<u32>()
    }

    /// No place at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether this seat is among them.
    #[must_use]
    pub fn contains_seat(&self, seat: SeatIndex) -> bool {
        self.words[..self.seats as usize].binary_search(&seat.0).is_ok()
    }

    /// Units of this section among them.
    #[must_use]
    pub fn units_of(&self, section: SectionIndex) -> u32 {
        self.ga().find(|&(own, _)| own == section).map_or(0, |(_, units)| units)
    }

    /// These and those of `other`, which has none of these seats; units are added.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut seats: SmallVec<[u32; 4]> = self.seats().chain(other.seats()).map(|seat| seat.0).collect();
        seats.sort_unstable();
        let mut sections: SmallVec<[u32; 2]> = self.ga().chain(other.ga()).map(|(section, _)| section.0).collect();
        sections.sort_unstable();
        sections.dedup();
        let units = |section: u32| self.units_of(SectionIndex(section)) + other.units_of(SectionIndex(section));
        Self::of(seats, sections.into_iter().map(|section| (section, units(section))))
    }

    /// What of these is not in `other`; units are subtracted.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let seats = self.seats().filter(|&seat| !other.contains_seat(seat)).map(|seat| seat.0).collect();
        let left = |(section, units): (SectionIndex, u32)| (section.0, units.saturating_sub(other.units_of(section)));
        Self::of(seats, self.ga().map(left).filter(|&(_, units)| units > 0))
    }
}

// A copy of words at once; the derived clone goes element by element, which is a fifth of the cost of a grant.
impl Clone for Places {
    #[inline]
    fn clone(&self) -> Self {
        Self { words: SmallVec::from_slice(&self.words), seats: self.seats }
    }
}

// Stored as the number of seats, the number of words, and the words: what memory holds.
impl Encode for Places {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.seats.encode(encoder)?;
        self.words.as_slice().encode(encoder)
    }
}

impl<Context> Decode<Context> for Places {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let seats = u32::decode(decoder)?;
        let length = u64::decode(decoder)?;
        // A hostile length asks for no memory: there are not as many words.
        let mut words = SmallVec::new();
        for _ in 0..length {
            words.push(u32::decode(decoder)?);
        }
        let pairs = words.len().checked_sub(seats as usize);
        if pairs.is_none_or(|words| words % 2 != 0) {
            return Err(DecodeError::Other("places with a number of seats that does not fit"));
        }
        Ok(Self { words, seats })
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for Places {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(seats: &[u32], ga: &[(u32, u32)]) -> Result<Places, PlacesError> {
        let ga = ga.iter().map(|&(section, units)| (SectionIndex(section), units));
        Places::new(seats.iter().map(|&seat| SeatIndex(seat)), ga)
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(places(&[3, 1, 2], &[(9, 1), (4, 2)]), places(&[1, 2, 3], &[(4, 2), (9, 1)]));
        assert_eq!(places(&[3, 1], &[(4, 2)]).unwrap().count(), 4);
    }

    #[test]
    fn each_refusal_names_the_culprit() {
        assert_eq!(places(&[], &[]), Err(PlacesError::Empty));
        assert_eq!(places(&[1, 2, 1], &[]), Err(PlacesError::SeatTwice(SeatIndex(1))));
        assert_eq!(places(&[], &[(2, 1), (2, 3)]), Err(PlacesError::SectionTwice(SectionIndex(2))));
        assert_eq!(places(&[5], &[(2, 0)]), Err(PlacesError::ZeroQuantity(SectionIndex(2))));
        assert_eq!(places(&[5], &[(2, 1_000)]), Err(PlacesError::TooMany(1_001)));
        assert_eq!(places(&[], &[(1, u32::MAX), (2, u32::MAX)]), Err(PlacesError::TooMany(2 * u64::from(u32::MAX))));
    }

    #[test]
    fn sets_are_subtracted_with_their_units() {
        let all = places(&[1, 2, 3], &[(7, 5), (8, 1)]).unwrap();
        let some = places(&[2], &[(7, 2), (8, 1)]).unwrap();
        assert_eq!(all.without(&some), places(&[1, 3], &[(7, 3)]).unwrap());
        assert_eq!(some.without(&all), Places::default());
    }
}
