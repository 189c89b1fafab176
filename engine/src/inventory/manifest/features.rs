//! What is particular about a seat.

use bincode::{Decode, Encode};

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Features(u8);

impl Features {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A bay for a wheelchair.
    pub const ACCESSIBLE: Self = Self(1);
    /// For the companion of a guest in the bay beside it.
    pub const COMPANION: Self = Self(2);
    /// Something stands in the way.
    pub const RESTRICTED_VIEW: Self = Self(4);
    const ALL: u8 = 7;

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it has one of these.
    #[must_use]
    pub fn has_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// A seat is a bay or a companion's, not both; and there are no other features.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.0 & !Self::ALL == 0 && !(self.has_any(Self::ACCESSIBLE) && self.has_any(Self::COMPANION))
    }
}
