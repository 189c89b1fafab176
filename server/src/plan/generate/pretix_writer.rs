//! The types of a pretix seating plan as the demo writes one.
//!
//! The importer has its own: it reads less than a drawn plan says, and this one writes what the demo draws.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) size: Size,
    pub(super) categories: Vec<Category>,
    pub(super) zones: Vec<Zone>,
}

/// In pixels.
#[derive(Serialize)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

#[derive(Serialize)]
pub(super) struct Category {
    pub(super) name: &'static str,
    pub(super) color: &'static str,
}

#[derive(Serialize)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) zone_id: String,
    pub(super) position: Position,
    pub(super) rows: Vec<Row>,
    pub(super) areas: Vec<Area>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) row_number: String,
    pub(super) row_number_position: &'static str,
    pub(super) seats: Vec<Seat>,
}

#[derive(Serialize)]
pub(super) struct Seat {
    pub(super) seat_guid: String,
    pub(super) seat_number: String,
    pub(super) radius: f64,
    pub(super) position: Position,
    pub(super) category: &'static str,
}

/// In pixels from the left and from the top.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Position {
    pub(super) x: f64,
    pub(super) y: f64,
}

#[derive(Serialize)]
pub(super) struct Area {
    pub(super) shape: &'static str,
    pub(super) color: &'static str,
    pub(super) position: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rectangle: Option<Rectangle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ellipse: Option<Ellipse>,
}

#[derive(Serialize)]
pub(super) struct Rectangle {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The radius along each axis.
#[derive(Serialize)]
pub(super) struct Ellipse {
    pub(super) radius: Position,
}
