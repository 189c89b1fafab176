//! The document's types: what of a pretix seating plan is read.
//!
//! Text is borrowed from the document where it has no escapes: a plan of a million seats allocates little.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

#[derive(Deserialize)]
pub(super) struct PretixPlan<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) categories: Vec<Category<'a>>,
    #[serde(borrow)]
    pub(super) zones: Vec<Zone<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Category<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct Zone<'a> {
    pub(super) name: Option<String>,
    pub(super) zone_id: Option<String>,
    #[serde(rename = "position")]
    _position: Position,
    #[serde(borrow, default)]
    pub(super) rows: Vec<Row<'a>>,
    #[serde(default)]
    pub(super) areas: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) row_number: Cow<'a, str>,
    #[serde(rename = "position")]
    _position: Option<Position>,
    #[serde(borrow)]
    pub(super) seats: Vec<Seat<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Seat<'a> {
    #[serde(borrow)]
    pub(super) seat_guid: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) seat_number: Cow<'a, str>,
    #[serde(rename = "position")]
    _position: Position,
    #[serde(borrow)]
    pub(super) category: Cow<'a, str>,
}

/// Read only to be sure that it is one.
#[derive(Deserialize)]
struct Position {
    #[serde(rename = "x")]
    _x: f64,
    #[serde(rename = "y")]
    _y: f64,
}
