//! A manifest as it is written down: what importers and the log produce, and what is stored.
//!
//! Nothing here is checked.

use bincode::{Decode, Encode};

use super::{Features, SeatNames};
use crate::ids::SectionIndex;

/// A manifest as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ManifestParts {
    /// The venue or plan, for people; at most 200 bytes.
    pub name: String,
    /// ISO 4217: three capital letters.
    pub currency: String,
    /// 1 to 255.
    pub categories: Vec<Category>,
    /// 1 to 4,096.
    pub sections: Vec<Section>,
    /// Most places that may be held and sold at once, seats and units together; as many as there are if absent.
    pub capacity: Option<u32>,
    /// At most 64.
    pub pools: Vec<Pool>,
}

/// General-admission sections that share a capacity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pool {
    /// Unique, 1 to 100 bytes.
    pub name: String,
    /// Most units of them together that may be held and sold at once, 1 or more.
    pub capacity: u32,
    /// 1 or more, each once.
    pub sections: Vec<SectionIndex>,
}

/// A price category.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Category {
    /// Unique, 1 to 100 bytes.
    pub name: String,
    /// Minor units of the manifest's currency.
    pub price_minor: u64,
}

/// Position of a category in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CategoryIndex(pub u8);

/// A section with a unique name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Section {
    /// Unique, 1 to 100 bytes.
    pub name: String,
    /// Seats or a capacity.
    pub kind: SectionKind,
}

/// Seats or a capacity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SectionKind {
    /// Rows of seats, 1 or more.
    Reserved(Vec<Row>),
    /// General admission.
    GeneralAdmission {
        /// Units, 1 or more.
        capacity: u32,
        /// Their category.
        category: CategoryIndex,
    },
}

/// Seats side by side. Two rows may share a name (the halves on both sides of an aisle) if their seats' names differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// 1 to 100 bytes.
    pub name: String,
    /// 1 or more, from left to right.
    pub runs: Vec<SeatRun>,
    /// How good it is; 0 is best. Absent: its position within its section.
    pub rank: Option<u32>,
    /// 0 if it was there from the beginning, otherwise the change it came with: seats are numbered in the order in which
    /// they came.
    pub added: u32,
}

impl Row {
    /// A row without a rank of its own, from the beginning.
    #[must_use]
    pub fn new(name: impl Into<String>, runs: Vec<SeatRun>) -> Self {
        Self { name: name.into(), runs, rank: None, added: 0 }
    }
}

/// Seats of one category side by side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SeatRun {
    /// Their category.
    pub category: CategoryIndex,
    /// Their names.
    pub names: SeatNames,
    /// What is particular about each of them.
    pub features: Features,
}

impl SeatRun {
    /// Seats with nothing particular about them.
    #[must_use]
    pub fn new(category: CategoryIndex, names: SeatNames) -> Self {
        Self { category, names, features: Features::NONE }
    }
}
