//! The demo's venue: a bowl after published facts of the Olympiastadion in Berlin, as a pretix seating plan.
//!
//! Only figures are borrowed, each with its source; where no figure is published, ours are plausible and say so. It is
//! no plan to find one's seat by. It goes through the importer like anybody's file; it builds no manifest itself.

use std::f64::consts::{PI, TAU};

use super::{
    middles,
    pretix_writer::{Area, Category, Ellipse, Plan, Position, Rectangle, Row, Seat, Size, Zone},
    shares,
};
use crate::plan::PlanPrices;

/// 42 rows below and 31 above; 38,020 and 36,455 seats; 560 of the lower ones in boxes. Source: Olympiastadion Berlin,
/// "Facts and Figures", <http://www.olympiastadion-berlin.de/en/stadium-visitor-centre/facts-and-figures.html>.
const LOWER_ROWS: u32 = 42;
const LOWER_SEATS: u32 = 38_020;
const BOX_SEATS: u32 = 560;
const UPPER_ROWS: u32 = 31;
const UPPER_SEATS: u32 = 36_455;

/// Blocks A to T below, 1 to 41 above, clockwise; Q to T and 34 to 41 are the east curve, which fixes where they begin.
/// Source: <https://analysenachricht.de/?p=6226>. That the blocks of a ring are equally wide is ours.
const LOWER_BLOCKS: &str = "ABCDEFGHIJKLMNOPQRST";
const UPPER_BLOCKS: u32 = 41;

/// The inside, in metres: 189.97 by 116.11 (the outside is 304.26 by 230.73, long side east to west). Source: Hertha
/// BSC, <https://www.herthabsc.de/de/stadion/olympiastadion/technische-daten/page/599-1006-4--.html>.
/// The ellipse is ours.
const INSIDE_HALF_LENGTH_M: f64 = 189.97 / 2.0;
const INSIDE_HALF_WIDTH_M: f64 = 116.11 / 2.0;
const OUTSIDE_LENGTH_M: f64 = 304.26;
const OUTSIDE_WIDTH_M: f64 = 230.73;

/// The pitch, in metres. Source: <https://fussball-stadion.de/olympiastadion-berlin/>.
const PITCH_LENGTH_M: f64 = 105.0;
const PITCH_WIDTH_M: f64 = 68.0;

/// The gate in the west parts the upper ring over 25 metres. Source: Der Tagesspiegel, "Das olympische Oval",
/// <https://www.tagesspiegel.de/berlin/olympiastadion-das-olympische-oval/151204.html>.
const GATE_M: f64 = 25.0;

/// Ours: what the published inside and outside leave for 73 rows and a gangway between the rings.
const ROW_DEPTH_M: f64 = 0.75;
const GANGWAY_M: f64 = 2.0;

/// Ours: the drawing's scale, its margin, and the radius of a seat.
const PIXELS_PER_METRE: f64 = 10.0;
const MARGIN_M: f64 = 5.0;
const SEAT_RADIUS: f64 = 2.2;

/// The roof stands on 20 supports (Hertha BSC, as above), in the upper ring. Which seats they hide is ours.
const ROOF_SUPPORTS: u32 = 20;
const FIRST_HIDDEN_ROW: u32 = 14;

/// Names, colours and prices in cents: ours.
const CATEGORIES: [(&str, &str, u64); 7] = [
    (BOX, "#6a3d9a", 35_000),
    (BUSINESS, "#b15928", 22_000),
    (CATEGORY_1, "#e31a1c", 14_000),
    (CATEGORY_2, "#ff7f00", 9_500),
    (CATEGORY_3, "#33a02c", 6_500),
    (CATEGORY_4, "#1f78b4", 4_500),
    (RESTRICTED_VIEW, "#999999", 3_000),
];
const BOX: &str = "Box";
const BUSINESS: &str = "Business";
const CATEGORY_1: &str = "Category 1";
const CATEGORY_2: &str = "Category 2";
const CATEGORY_3: &str = "Category 3";
const CATEGORY_4: &str = "Category 4";
const RESTRICTED_VIEW: &str = "Restricted view";

/// The demo stadium as a pretix seating plan: 74,475 seats in 61 blocks, drawn to scale, about 9 MB of JSON.
#[must_use]
pub fn demo_stadium_pretix() -> String {
    let mut zones = vec![inside()];
    zones.extend(lower_ring());
    zones.extend(upper_ring());
    let plan = Plan {
        name: "Olympiastadion Berlin (demo)".to_owned(),
        size: Size { width: 3_143, height: 2_408 },
        categories: CATEGORIES.iter().map(|&(name, color, _)| Category { name, color }).collect(),
        zones,
    };
    serde_json::to_string(&plan).expect("names and numbers are always JSON")
}

/// What the demo stadium's categories cost, in euros; figures of ours.
#[must_use]
pub fn demo_stadium_prices() -> PlanPrices {
    let by_category = CATEGORIES.iter().map(|&(name, _, price_minor)| (name.to_owned(), price_minor)).collect();
    PlanPrices { currency: Some("EUR".to_owned()), by_category }
}

/// Track and pitch: decoration.
fn inside() -> Zone {
    let corner = |length: f64, width: f64| pixels((OUTSIDE_LENGTH_M - length) / 2.0, (OUTSIDE_WIDTH_M - width) / 2.0);
    let radius = Position {
        x: tenths(INSIDE_HALF_LENGTH_M * PIXELS_PER_METRE),
        y: tenths(INSIDE_HALF_WIDTH_M * PIXELS_PER_METRE),
    };
    let track = Area {
        shape: "ellipse",
        color: "#8fb4d9",
        position: corner(0.0, 0.0),
        rectangle: None,
        ellipse: Some(Ellipse { radius }),
    };
    let size = Rectangle { width: PITCH_LENGTH_M * PIXELS_PER_METRE, height: PITCH_WIDTH_M * PIXELS_PER_METRE };
    let pitch = Area {
        shape: "rectangle",
        color: "#4c9a4c",
        position: corner(PITCH_LENGTH_M, PITCH_WIDTH_M),
        rectangle: Some(size),
        ellipse: None,
    };
    Zone {
        name: "Inside".to_owned(),
        zone_id: "inside".to_owned(),
        position: origin(),
        rows: vec![],
        areas: vec![track, pitch],
    }
}

/// A block and the angles it spans, clockwise from the east as seen from above.
struct Block {
    name: String,
    from: f64,
    width: f64,
    upper: bool,
    /// A roof support stands before its first seats.
    behind_support: bool,
}

fn lower_ring() -> Vec<Zone> {
    let width = TAU / 20.0;
    // The east curve is blocks Q to T: four of twenty, half of them on either side of the east.
    let first = 2.0 * width;
    let seats = shares(LOWER_SEATS - BOX_SEATS, &[1; 20]).into_iter().zip(shares(BOX_SEATS, &[1; 20]));
    let blocks = LOWER_BLOCKS.chars().zip(0u32..).map(|(letter, position)| Block {
        name: letter.to_string(),
        from: first + width * f64::from(position),
        width,
        upper: false,
        behind_support: false,
    });
    let zones = blocks.zip(seats).map(|(block, (seats, box_seats))| {
        let mut rows = row_seats(LOWER_ROWS - 1, 0.0, seats);
        rows.push(box_seats);
        block.zone(0.0, &rows)
    });
    zones.collect()
}

fn upper_ring() -> Vec<Zone> {
    let depth = f64::from(LOWER_ROWS) * ROW_DEPTH_M + GANGWAY_M;
    // At the narrow end of an ellipse an angle's arc is as long as the angle times the half width.
    let gate = GATE_M / (INSIDE_HALF_WIDTH_M + depth);
    let width = (TAU - gate) / f64::from(UPPER_BLOCKS);
    // With 16 blocks between the east curve and the gate, block 41 ends within two degrees of where block T does.
    let first = PI - gate / 2.0 - 16.0 * width;
    let blocks = (0..UPPER_BLOCKS).map(|position| Block {
        name: (position + 1).to_string(),
        from: first + width * f64::from(position) + if position < 16 { 0.0 } else { gate },
        width,
        upper: true,
        behind_support: position % 2 == 1 && position / 2 < ROOF_SUPPORTS,
    });
    let seats = shares(UPPER_SEATS, &[1; 41]);
    blocks.zip(seats).map(|(block, seats)| block.zone(depth, &row_seats(UPPER_ROWS, depth, seats))).collect()
}

/// Divides a block's seats among its rows as their arcs are long.
fn row_seats(rows: u32, depth: f64, seats: u32) -> Vec<u32> {
    // In whole units of half a row's depth, which is what the mean radius grows by.
    let first_radius = 204 + if depth > 0.0 { 90 } else { 0 };
    let weights: Vec<u32> = (0..rows).map(|row| first_radius + 2 * row).collect();
    shares(seats, &weights)
}

impl Block {
    /// The block's zone, its first row at `depth` metres from the inside.
    fn zone(&self, depth: f64, row_seats: &[u32]) -> Zone {
        let rows = (1u32..).zip(row_seats).map(|(row, &count)| {
            let depth = depth + ROW_DEPTH_M * (f64::from(row) - 0.5);
            // A gangway between blocks takes a part of each end.
            let seats = (1..=count).zip(middles(count)).map(|(seat, part)| Seat {
                seat_guid: format!("{}-{row}-{seat}", self.name),
                seat_number: seat.to_string(),
                radius: SEAT_RADIUS,
                position: place(self.from + self.width * (0.03 + 0.94 * part), depth),
                category: self.category(row, seat),
            });
            Row { row_number: row.to_string(), row_number_position: "both", seats: seats.collect() }
        });
        let name = format!("Block {}", self.name);
        Zone { name, zone_id: self.name.clone(), position: origin(), rows: rows.collect(), areas: vec![] }
    }

    fn category(&self, row: u32, seat: u32) -> &'static str {
        let on_long_side = (self.from + self.width / 2.0).sin().abs() > 0.7;
        match (self.upper, on_long_side) {
            (true, _) if self.behind_support && row >= FIRST_HIDDEN_ROW && seat <= 2 => RESTRICTED_VIEW,
            (true, true) => CATEGORY_2,
            (true, false) => CATEGORY_4,
            (false, _) if row == LOWER_ROWS => BOX,
            (false, true) if matches!(self.name.as_str(), "C" | "D" | "E") && row > 10 => BUSINESS,
            (false, true) => CATEGORY_1,
            (false, false) => CATEGORY_3,
        }
    }
}

/// Where `angle` leads, `depth` metres behind the inside's edge.
fn place(angle: f64, depth: f64) -> Position {
    let x = OUTSIDE_LENGTH_M / 2.0 + (INSIDE_HALF_LENGTH_M + depth) * angle.cos();
    let y = OUTSIDE_WIDTH_M / 2.0 + (INSIDE_HALF_WIDTH_M + depth) * angle.sin();
    pixels(x, y)
}

fn pixels(x_m: f64, y_m: f64) -> Position {
    Position { x: tenths((x_m + MARGIN_M) * PIXELS_PER_METRE), y: tenths((y_m + MARGIN_M) * PIXELS_PER_METRE) }
}

fn origin() -> Position {
    Position { x: 0.0, y: 0.0 }
}

/// To a tenth: finer is not seen, and longer to write.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
