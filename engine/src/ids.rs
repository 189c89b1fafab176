//! Names of things. Each is checked when it is made, so that whoever holds one need not check again.
//!
//! It knows no storage and no wire; numbers here are positions in memory that replay reproduces exactly.

use std::{cmp::Ordering, fmt};

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder},
    error::DecodeError,
};
use smallvec::SmallVec;

use crate::text::Text;

/// Longest show id, in characters.
pub const SHOW_ID_CHARS_MAX: usize = 64;
/// Longest buyer id, in bytes.
pub const BUYER_ID_BYTES_MAX: usize = 64;
/// Longest name of a channel's key, a ticket type or a reason, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest order or payment reference, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 128;

/// Why an id was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, too long, or with a character that is not allowed.
    #[error("must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")]
    ShowId,
    /// Not 16 bytes.
    #[error("must be 16 bytes, is {0}")]
    HoldIdLength(usize),
    /// All zero, which is what an unset field looks like.
    #[error("must not be all zeros")]
    HoldIdZero,
    /// Empty or too long.
    #[error("must be 1 to 64 bytes, is {0}")]
    BuyerId(usize),
    /// Empty or too long.
    #[error("must be 1 to 64 bytes, is {0}")]
    Name(usize),
    /// Empty or too long.
    #[error("must be {min} to 128 bytes, is {length}")]
    Reference {
        /// 1 for an order, 0 for a payment.
        min: usize,
        /// The length given.
        length: usize,
    },
}

/// A show, as its creator named it: 1 to 64 characters of `[A-Za-z0-9._:-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ShowId(Box<str>);

impl ShowId {
    /// Checks a show id.
    ///
    /// # Errors
    /// [`IdError::ShowId`] when it is empty, too long, or has another character.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let fits = (1..=SHOW_ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(IdError::ShowId) }
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hold, as its caller named it: 16 bytes, not all zero. Becomes the booking's id when the hold is confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct HoldId([u8; 16]);

impl HoldId {
    /// Checks a hold id.
    ///
    /// # Errors
    /// [`IdError::HoldIdLength`] or [`IdError::HoldIdZero`].
    pub fn new(bytes: &[u8]) -> Result<Self, IdError> {
        let id: [u8; 16] = bytes.try_into().map_err(|_| IdError::HoldIdLength(bytes.len()))?;
        if id == [0; 16] { Err(IdError::HoldIdZero) } else { Ok(Self(id)) }
    }

    /// The bytes of it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// In hexadecimal, as a UUID is printed.
impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A buyer, as the frontend names him: 1 to 64 opaque bytes. Compared by them, ordered by nothing that means anything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode)]
pub struct BuyerId(Text);

impl BuyerId {
    /// Checks a buyer id.
    ///
    /// # Errors
    /// [`IdError::BuyerId`] when it is empty or too long.
    pub fn new(bytes: &[u8]) -> Result<Self, IdError> {
        Self::of(bytes.len(), || Text::new(bytes))
    }

    fn of(length: usize, text: impl FnOnce() -> Text) -> Result<Self, IdError> {
        if (1..=BUYER_ID_BYTES_MAX).contains(&length) { Ok(Self(text())) } else { Err(IdError::BuyerId(length)) }
    }

    /// The bytes of it.
    #[must_use]
    pub fn bytes(&self) -> SmallVec<[u8; 40]> {
        self.0.bytes()
    }

    /// Whether it is UTF-8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.0.is_utf8()
    }

    /// Equal buyers have equal hashes, within one process.
    #[must_use]
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        self.0.hash()
    }
}

/// As text; what is none is replaced.
impl fmt::Display for BuyerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes()))
    }
}

impl PartialOrd for BuyerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BuyerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(&other.bytes())
    }
}

impl<Context> Decode<Context> for BuyerId {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let text = Text::decode(decoder)?;
        let wrong = DecodeError::Other("a buyer's id of a length that is not allowed");
        Self::of(text.len(), || text).map_err(|_| wrong)
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for BuyerId {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// A channel's key, a ticket type, or the reason of a block: 1 to 64 bytes, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Name(Box<str>);

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// [`IdError::Name`] when it is empty or too long.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if (1..=NAME_BYTES_MAX).contains(&text.len()) { Ok(Self(text.into())) } else { Err(IdError::Name(text.len())) }
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An order or a payment of the frontend, opaque: at most 128 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Reference(Text);

impl Reference {
    /// Checks an order's reference, which must be there.
    ///
    /// # Errors
    /// [`IdError::Reference`] when it is empty or too long.
    pub fn order(text: &str) -> Result<Self, IdError> {
        Self::of_length(text, 1)
    }

    /// Checks a payment's reference, which may be empty.
    ///
    /// # Errors
    /// [`IdError::Reference`] when it is too long.
    pub fn payment(text: &str) -> Result<Self, IdError> {
        Self::of_length(text, 0)
    }

    fn of_length(text: &str, min: usize) -> Result<Self, IdError> {
        if (min..=REFERENCE_BYTES_MAX).contains(&text.len()) {
            Ok(Self(Text::new(text.as_bytes())))
        } else {
            Err(IdError::Reference { min, length: text.len() })
        }
    }

    /// Equal references have equal hashes, within one process.
    pub(crate) fn hash(&self) -> u64 {
        self.0.hash()
    }
}

impl Default for Reference {
    fn default() -> Self {
        Self(Text::new(&[]))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0.bytes()))
    }
}

impl<Context> Decode<Context> for Reference {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let text = Text::decode(decoder)?;
        if text.is_utf8() { Ok(Self(text)) } else { Err(DecodeError::Other("a reference that is no UTF-8")) }
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for Reference {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// A show's position among the shows of its shard, in the order of their creation. Never changes, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ShowNumber(pub u32);

/// A seat's position in its manifest: dense, from 0, in the order of sections, rows and seats. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SeatIndex(pub u32);

/// Seats with consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SeatRange {
    /// The first of them.
    pub first: SeatIndex,
    /// How many, 1 or more.
    pub count: u32,
}

impl SeatRange {
    /// Its seats, ascending.
    pub fn seats(self) -> impl Iterator<Item = SeatIndex> {
        (self.first.0..self.first.0.saturating_add(self.count)).map(SeatIndex)
    }

    /// The ranges of ascending seats.
    #[must_use]
    pub fn of(seats: impl IntoIterator<Item = SeatIndex>) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for seat in seats {
            match ranges.last_mut() {
                Some(last) if last.first.0 + last.count == seat.0 => last.count += 1,
                _ => ranges.push(Self { first: seat, count: 1 }),
            }
        }
        ranges
    }
}

/// A channel's position among the channels of its show, from 0 to 62. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ChannelIndex(pub u8);

/// A section's position in its manifest, from 0. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SectionIndex(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_ids_are_short_and_plain() {
        assert!(ShowId::new("2026-07-04:arena_1.evening").is_ok());
        assert!(ShowId::new(&"a".repeat(64)).is_ok());
        for bad in ["", "a/b", "a b", "é", &"a".repeat(65)] {
            assert_eq!(ShowId::new(bad), Err(IdError::ShowId), "{bad:?}");
        }
    }

    #[test]
    fn hold_ids_are_sixteen_bytes_and_not_zero() {
        assert_eq!(HoldId::new(&[1; 15]), Err(IdError::HoldIdLength(15)));
        assert_eq!(HoldId::new(&[0; 16]), Err(IdError::HoldIdZero));
        let id = HoldId::new(&[0xab; 16]).unwrap();
        assert_eq!(id.to_string(), "abababab-abab-abab-abab-abababababab");
    }

    #[test]
    fn buyer_ids_and_references_have_limits() {
        for length in 1..=64 {
            let buyer = BuyerId::new(&vec![7; length]).unwrap();
            assert_eq!((&*buyer.bytes(), &buyer), (&*vec![7; length], &buyer.clone()));
            assert!(length == 1 || buyer > BuyerId::new(&vec![7; length - 1]).unwrap());
        }
        assert_eq!(BuyerId::new(&[]), Err(IdError::BuyerId(0)));
        assert_eq!(BuyerId::new(&[7; 65]), Err(IdError::BuyerId(65)));
        assert!(Reference::payment("").is_ok());
        assert_eq!(Reference::order(""), Err(IdError::Reference { min: 1, length: 0 }));
        assert_eq!(Reference::order(&"x".repeat(129)), Err(IdError::Reference { min: 1, length: 129 }));
    }
}
