//! Tables on terminals of any width: where there is no room, whole columns are left out. A number is never cut, which would make
//! it another one; a name is, and shows it.

use ratatui::{
    Frame,
    layout::{Constraint, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Cell, Row, Table},
};

/// A column of a table.
pub(super) struct Column {
    title: &'static str,
    kind: Kind,
    /// Cells that it has at least, so that it does not move when its numbers grow.
    width_min: u16,
    /// Where there is no room the column with the highest goes first. The first column stays.
    rank: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name, in the room that the others leave.
    Text,
    Left,
    Right,
}

impl Column {
    pub(super) const fn text(title: &'static str, width_min: u16) -> Self {
        Self { title, kind: Kind::Text, width_min, rank: 0 }
    }

    pub(super) const fn left(title: &'static str, width_min: u16, rank: u8) -> Self {
        Self { title, kind: Kind::Left, width_min, rank }
    }

    pub(super) const fn right(title: &'static str, width_min: u16, rank: u8) -> Self {
        Self { title, kind: Kind::Right, width_min, rank }
    }

    fn cell(&self, content: Span<'static>, width: u16) -> Cell<'static> {
        Cell::from(match self.kind {
            Kind::Text => {
                let room = usize::from(width.saturating_sub(1));
                Line::styled(console::truncate_str(&content.content, room, "…").into_owned(), content.style)
            }
            Kind::Left => Line::from(content),
            Kind::Right => Line::from(content).right_aligned(),
        })
    }
}

/// Draws as many of the columns as there is room for.
pub(super) fn draw<const N: usize>(
    frame: &mut Frame<'_>,
    area: Rect,
    block: Block<'_>,
    columns: &[Column; N],
    rows: impl Iterator<Item = [Span<'static>; N]>,
) {
    let rows: Vec<_> = rows.collect();
    let kept = fitting(columns, &rows, area.width);
    let row = |content: &dyn Fn(usize) -> Span<'static>| {
        Row::new(kept.iter().map(|&(place, width)| columns[place].cell(content(place), width)))
    };
    let header = row(&|place| Span::raw(columns[place].title)).style(Style::new().add_modifier(Modifier::BOLD));
    let rows = rows.iter().map(|cells| row(&|place| cells[place].clone()));
    let widths = kept.iter().map(|(_, width)| Constraint::Length(*width));
    frame.render_widget(Table::new(rows, widths).header(header).block(block).column_spacing(0), area);
}

/// The places of the columns that there is room for, and the cells that each takes.
fn fitting<const N: usize>(columns: &[Column; N], rows: &[[Span<'static>; N]], width: u16) -> Vec<(usize, u16)> {
    let needed = |place: usize| {
        let column = &columns[place];
        let longest = rows.iter().map(|row| row[place].width() + 1).max().filter(|_| column.kind != Kind::Text);
        column.width_min.max(u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX))
    };
    let mut kept: Vec<(usize, u16)> = (0..N).map(|place| (place, needed(place))).collect();
    let taken = |kept: &[(usize, u16)]| kept.iter().fold(0_u16, |sum, (_, width)| sum.saturating_add(*width));
    while taken(&kept) > width {
        let later = kept.iter().enumerate().skip(1);
        let Some((least, _)) = later.max_by_key(|(_, (place, _))| columns[*place].rank) else { break };
        kept.remove(least);
    }
    let spare = width.saturating_sub(taken(&kept));
    kept.iter_mut().filter(|(place, _)| columns[*place].kind == Kind::Text).for_each(|(_, width)| *width += spare);
    kept
}
