//! A show's places as a picture of characters: as many seats in a character as the terminal's size asks for.

use std::fmt::Write as _;

use console::{Color, Style};
use usher_proto::v1::{self, section::Kind};

/// Which seats lie where.
pub(super) struct Hall {
    sections: Vec<Section>,
}

struct Section {
    name: String,
    /// The first seat and how many, from the first row to the last; none of general admission.
    rows: Vec<(usize, usize)>,
}

/// How a seat is, and how that is drawn: the later one wins where as many are so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    None,
    Available,
    Blocked,
    Held,
    Sold,
}

const DRAWN: [Status; 4] = [Status::Available, Status::Held, Status::Sold, Status::Blocked];

impl Status {
    fn glyph(self) -> char {
        match self {
            Self::None => ' ',
            Self::Available => '.',
            Self::Blocked => '-',
            Self::Held => 'o',
            Self::Sold => '#',
        }
    }

    fn style(self) -> Style {
        let color = match self {
            Self::None | Self::Blocked => return Style::new().dim(),
            Self::Available => Color::Green,
            Self::Held => Color::Yellow,
            Self::Sold => Color::Red,
        };
        Style::new().fg(color)
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Available => "available",
            Self::Blocked => "blocked",
            Self::Held => "held",
            Self::Sold => "sold",
        }
    }

    fn of(map: &v1::GetSeatMapResponse, seat: usize) -> Self {
        let has = |bits: &[u8]| bits.get(seat / 8).is_some_and(|byte| byte >> (seat % 8) & 1 == 1);
        let all = [
            (&map.available, Self::Available),
            (&map.held, Self::Held),
            (&map.sold, Self::Sold),
            (&map.blocked, Self::Blocked),
        ];
        all.into_iter().find_map(|(bits, status)| has(bits).then_some(status)).unwrap_or(Self::None)
    }
}

impl Hall {
    pub(super) fn of(manifest: &v1::Manifest) -> Self {
        let rows_of = |section: &v1::Section| match &section.kind {
            Some(Kind::Reserved(reserved)) => reserved.rows.iter().map(|row| (row.added, seats_of(row))).collect(),
            _ => Vec::new(),
        };
        let rows: Vec<Vec<(u32, usize)>> = manifest.sections.iter().map(rows_of).collect();
        // Rows that came later are numbered later, wherever they lie.
        let mut order: Vec<(u32, usize, usize)> = Vec::new();
        for (section, rows) in rows.iter().enumerate() {
            order.extend(rows.iter().enumerate().map(|(row, (added, _))| (*added, section, row)));
        }
        order.sort_unstable();
        let named = manifest.sections.iter().zip(&rows);
        let named = named.map(|(own, rows)| Section { name: own.name.clone(), rows: vec![(0, 0); rows.len()] });
        let (mut sections, mut first) = (named.collect::<Vec<_>>(), 0);
        for (_, section, row) in order {
            let (_, count) = rows[section][row];
            sections[section].rows[row] = (first, count);
            first += count;
        }
        Self { sections }
    }

    /// The picture: at most so many characters wide, and so many lines high unless there are more sections.
    pub(super) fn draw(&self, map: &v1::GetSeatMapResponse, (width, height): (usize, usize)) -> Vec<String> {
        let longest = self.sections.iter().flat_map(|section| &section.rows).map(|(_, count)| *count).max();
        let rows: usize = self.sections.iter().map(|section| section.rows.len()).sum();
        let heads = self.sections.len();
        let across = longest.unwrap_or(1).div_ceil(width.max(1)).max(1);
        let down = rows.div_ceil(height.saturating_sub(heads).max(1)).max(1);
        let mut lines = Vec::new();
        for section in &self.sections {
            match map.ga.iter().find(|own| own.section == section.name) {
                Some(own) => lines.push(general_admission(own, width)),
                None => {
                    lines.push(section.name.clone());
                    lines.extend(section.rows.chunks(down).map(|rows| line(rows, across, map)));
                }
            }
        }
        lines
    }
}

/// What the characters mean.
pub(super) fn legend() -> String {
    let drawn = DRAWN.map(|status| format!("{} {}", status.style().apply_to(status.glyph()), status.name()));
    drawn.join("  ")
}

fn seats_of(row: &v1::Row) -> usize {
    let seats = row.runs.iter().map(|run| match &run.names {
        Some(v1::seat_run::Names::Numbered(numbered)) => numbered.count as usize,
        Some(v1::seat_run::Names::Named(named)) => named.names.len(),
        None => 0,
    });
    seats.sum()
}

/// Some rows as one line, a character for so many seats of each.
fn line(rows: &[(usize, usize)], across: usize, map: &v1::GetSeatMapResponse) -> String {
    let longest = rows.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let cell = |at: usize| {
        let seats = rows
            .iter()
            .flat_map(|&(first, count)| (at.min(count)..(at + across).min(count)).map(move |seat| first + seat));
        let mut counts = [0usize; 5];
        seats.for_each(|seat| counts[Status::of(map, seat) as usize] += 1);
        let all = [Status::None, Status::Available, Status::Blocked, Status::Held, Status::Sold];
        all.into_iter().max_by_key(|status| counts[*status as usize]).unwrap_or(Status::None)
    };
    drawn((0..longest).step_by(across).map(cell))
}

/// Characters, each run of equal ones in its colour.
fn drawn(cells: impl Iterator<Item = Status>) -> String {
    let cells: Vec<Status> = cells.collect();
    cells.chunk_by(|one, other| one == other).fold(String::from("  "), |mut text, run| {
        let glyphs: String = run.iter().map(|status| status.glyph()).collect();
        let _ = write!(text, "{}", run[0].style().apply_to(glyphs));
        text
    })
}

/// A bar, and the numbers.
fn general_admission(own: &v1::GaCounts, width: usize) -> String {
    let counts = own.counts.unwrap_or_default();
    let bar = width.clamp(10, 40);
    let of = |count: u32| count as usize * bar / (own.capacity.max(1) as usize);
    let parts = [(counts.sold, Status::Sold), (counts.held, Status::Held), (counts.blocked, Status::Blocked)];
    let mut cells: Vec<Status> = parts.iter().flat_map(|(count, status)| vec![*status; of(*count)]).collect();
    cells.resize(bar, Status::Available);
    format!("{}\n{} {} of {} available", own.section, drawn(cells.into_iter()), counts.available, own.capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(count: u32, added: u32) -> v1::Row {
        let numbered = v1::NumberedSeats { first: 1, count, step: 1 };
        let run = v1::SeatRun { names: Some(v1::seat_run::Names::Numbered(numbered)), ..Default::default() };
        v1::Row { runs: vec![run], added, ..Default::default() }
    }

    fn hall(rows: Vec<v1::Row>) -> Hall {
        let kind = Some(Kind::Reserved(v1::ReservedSection { rows }));
        let section = v1::Section { name: "West".to_owned(), kind };
        Hall::of(&v1::Manifest { sections: vec![section], ..Default::default() })
    }

    fn map(available: u8, held: u8, sold: u8) -> v1::GetSeatMapResponse {
        let bits = |byte: u8| prost::bytes::Bytes::from(vec![byte]);
        v1::GetSeatMapResponse { available: bits(available), held: bits(held), sold: bits(sold), ..Default::default() }
    }

    #[test]
    fn each_seat_is_where_it_lies() {
        console::set_colors_enabled(false);
        // The row that was added later has the last seats, although it lies between the others.
        let hall = hall(vec![row(3, 0), row(2, 1), row(3, 0)]);
        assert_eq!(
            hall.draw(&map(0b0110_0011, 0b0000_0100, 0b1001_1000), (80, 20)),
            ["West", "  ..o", "  .#", "  ##."]
        );
    }

    #[test]
    fn what_is_too_large_is_drawn_smaller() {
        console::set_colors_enabled(false);
        let hall = hall(vec![row(4, 0), row(4, 0)]);
        // Of two by two seats the most are sold, of the others as many are available as sold.
        assert_eq!(hall.draw(&map(0b1100_1000, 0, 0b0011_0111), (2, 2)), ["West", "  #."]);
    }
}
