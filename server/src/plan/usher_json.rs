//! Our own plan format: its types, which are its JSON Schema too, and the two ways through it.
//!
//! ```json
//! {
//!   "name": "Arena", "currency": "EUR",
//!   "categories": [{"name": "Gold", "price_minor": 9000}, {"name": "Silver", "price_minor": 4500}],
//!   "sections": [
//!     {"name": "West", "rows": [
//!       {"name": "A", "category": "Gold", "seats": {"first": 1, "count": 30}},
//!       {"name": "B", "runs": [
//!         {"category": "Gold", "seats": {"first": 1, "count": 30, "step": 2}},
//!         {"category": "Silver", "seats": ["61a", "61b"]}]},
//!       {"name": "C", "rank": 0, "runs": [
//!         {"category": "Gold", "seats": ["R1"], "features": ["wheelchair"]},
//!         {"category": "Gold", "seats": ["B1"], "features": ["companion"]}]}]},
//!     {"name": "Floor", "capacity": 5000, "category": "Silver"}],
//!   "capacity": 4800, "pools": [{"name": "Standing", "capacity": 4500, "sections": ["Floor"]}]
//! }
//! ```
//!
//! A field that is not known is refused, so that a misspelt one is not lost. It has no positions and no colours.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use usher_engine::inventory::manifest::{
    CATEGORIES_MAX, Manifest, NAME_BYTES_MAX, PLACES_MAX, POOLS_MAX, PRICE_MINOR_MAX, ROW_SEATS_MAX,
    SEAT_NAME_BYTES_MAX, SECTIONS_MAX, TITLE_BYTES_MAX,
};

use super::{ADDED_MAX, PlanError, PlanPrices};

mod convert;
mod locate;
mod write;
pub use write::write;

/// The seats and standing places of a venue, with what they cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Usher plan")]
pub struct UsherPlan {
    /// Where an editor finds the schema of this document. It is not read.
    #[serde(rename = "$schema", default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub schema: Option<String>,
    /// The venue or plan, for people; at most 200 bytes.
    #[schemars(length(min = 1, max = TITLE_BYTES_MAX))]
    pub name: String,
    /// ISO 4217: three capital letters.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// The price categories.
    #[schemars(length(min = 1, max = CATEGORIES_MAX))]
    pub categories: Vec<CategoryPlan>,
    /// The sections, in the order of their seats.
    #[schemars(length(min = 1, max = SECTIONS_MAX))]
    pub sections: Vec<SectionPlan>,
    /// Most places that may be held and sold at once, seats and units together; as many as there are if absent.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1))]
    pub capacity: Option<u32>,
    /// General-admission sections that share a capacity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = POOLS_MAX))]
    pub pools: Vec<PoolPlan>,
}

/// General-admission sections that share a capacity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolPlan {
    /// Unique among the pools; at most 100 bytes.
    #[schemars(length(min = 1, max = NAME_BYTES_MAX))]
    pub name: String,
    /// Most units of these sections together that may be held and sold at once.
    #[schemars(range(min = 1))]
    pub capacity: u32,
    /// General-admission sections, by name.
    #[schemars(length(min = 1, max = SECTIONS_MAX))]
    pub sections: Vec<String>,
}

/// A price category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryPlan {
    /// Unique among the categories; at most 100 bytes.
    #[schemars(length(min = 1, max = NAME_BYTES_MAX))]
    pub name: String,
    /// Price in minor units of the currency, such as cents.
    #[schemars(range(max = PRICE_MINOR_MAX))]
    pub price_minor: u64,
}

/// A section: rows of seats, or a capacity for general admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["rows"], "properties": {"capacity": false, "category": false}},
    {"required": ["capacity", "category"], "properties": {"rows": false}}
]))]
pub struct SectionPlan {
    /// Unique among the sections; at most 100 bytes.
    #[schemars(length(min = 1, max = NAME_BYTES_MAX))]
    pub name: String,
    /// The rows of a section of seats, in the order of their seats.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<RowPlan>", length(min = 1))]
    pub rows: Option<Vec<RowPlan>>,
    /// Units of general admission.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1, max = PLACES_MAX))]
    pub capacity: Option<u32>,
    /// The category of a general-admission section, by name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub category: Option<String>,
}

/// A row: seats of one category, or runs of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["category", "seats"], "properties": {"runs": false}},
    {"required": ["runs"], "properties": {"category": false, "seats": false, "features": false}}
]))]
pub struct RowPlan {
    /// At most 100 bytes. Rows of a section may share a name if their seats' names differ.
    #[schemars(length(min = 1, max = NAME_BYTES_MAX))]
    pub name: String,
    /// The category of all its seats, by name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub category: Option<String>,
    /// All its seats.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SeatsPlan")]
    pub seats: Option<SeatsPlan>,
    /// What is particular about each of its seats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeaturePlan>,
    /// Its seats where the category changes along the row, from left to right.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<RunPlan>", length(min = 1))]
    pub runs: Option<Vec<RunPlan>>,
    /// How good it is; 0 is best. Absent: its position within its section.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub rank: Option<u32>,
    /// The change with which it came to a show that was on sale already, 0 if none: seats are numbered in this order
    /// first. Only in a plan that was printed from such a show.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(max = ADDED_MAX))]
    pub added: u32,
}

/// Seats of one category side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// The category, by name.
    pub category: String,
    /// The seats.
    pub seats: SeatsPlan,
    /// What is particular about each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeaturePlan>,
}

/// What is particular about a seat. A seat is a wheelchair bay or a companion's, not both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeaturePlan {
    /// A bay for a wheelchair; only for those who ask for it.
    Wheelchair,
    /// For the companion of a guest in the bay beside it; only for those who ask for it.
    Companion,
    /// Something stands in the way.
    RestrictedView,
}

/// The names of seats from left to right: a rule for numbers, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SeatsPlan {
    /// `first`, `first + step`, and so on.
    Numbered(NumberedSeats),
    /// Each its own name; at most 32 bytes.
    Named(
        #[schemars(length(min = 1, max = ROW_SEATS_MAX), inner(length(min = 1, max = SEAT_NAME_BYTES_MAX)))]
        Vec<String>,
    ),
}

/// Seats numbered by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberedSeats {
    /// The first seat's number.
    pub first: u32,
    /// How many seats.
    #[schemars(range(min = 1, max = ROW_SEATS_MAX))]
    pub count: u32,
    /// From one seat to the next: 2 for every other number, -1 to count down; never 0.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(extend("not" = {"const": 0}, "default" = 1))]
    pub step: i32,
}

/// The JSON Schema of the format, as published in `server/schema/usher-plan.schema.json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(UsherPlan).to_value()
}

/// Reads a plan; what `prices` names replaces what the document says.
pub(super) fn read(text: &str, prices: &PlanPrices) -> Result<Manifest, PlanError> {
    let plan: UsherPlan = super::parse(text)?;
    let parts = convert::parts(&plan, prices)?;
    Manifest::new(parts).map_err(|error| locate::locate(&plan, prices, error))
}

/// A key that may be absent; where it stands, `null` is no value for it.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn one() -> i32 {
    1
}

fn is_one(step: &i32) -> bool {
    *step == 1
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// By hand, because serde's own way of choosing between two shapes forgets where it was.
impl<'de> Deserialize<'de> for SeatsPlan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeatsVisitor)
    }
}

struct SeatsVisitor;

impl<'de> Visitor<'de> for SeatsVisitor {
    type Value = SeatsPlan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names or an object with \"first\" and \"count\"")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SeatsPlan, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            // Here and not only in the manifest: three bytes of a hostile document become eight times as much memory.
            if names.len() == ROW_SEATS_MAX as usize {
                return Err(A::Error::custom(format_args!("must be at most {ROW_SEATS_MAX} names")));
            }
            names.push(name);
        }
        Ok(SeatsPlan::Named(names))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SeatsPlan, A::Error> {
        NumberedSeats::deserialize(MapAccessDeserializer::new(map)).map(SeatsPlan::Numbered)
    }
}

#[cfg(test)]
mod tests;
