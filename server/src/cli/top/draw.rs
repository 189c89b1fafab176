//! The pictures of `usher top`: what a server told, laid out for a terminal of 80 by 24 or more. On a narrower one some of it
//! is left out, in whole ([`table`]).

use std::{collections::VecDeque, time::Duration};

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Sparkline, Wrap},
};
use usher_proto::v1::{self, ShardState};

use super::super::log::thousands;
use table::Column;

mod table;

/// Intervals that the curve remembers.
const CURVE_MAX: usize = 400;
/// Rows of the lists below each other: heading, latencies and reasons, shows and kinds.
const MIDDLE_ROWS: u16 = 7;
/// Height from which there is a curve.
const CURVE_HEIGHT_MIN: u16 = 28;

/// Of a narrower terminal, half is too narrow for a name with a number beside it.
const WIDTH_MIN: u16 = 48;
/// Cells of a name before columns beside it are left out.
const NAME_WIDTH_MIN: u16 = 10;

/// What is to be drawn.
pub(super) struct Picture {
    has_colors: bool,
    /// There is one only, and nothing to be pressed.
    is_printed: bool,
    status: Option<v1::WatchStatusResponse>,
    /// Commands a second of the last intervals, the newest last.
    curve: VecDeque<u64>,
    /// Why nothing comes any more, if so.
    pub(super) problem: Option<String>,
}

impl Picture {
    pub(super) fn new(has_colors: bool) -> Self {
        Self { has_colors, is_printed: false, status: None, curve: VecDeque::new(), problem: None }
    }

    /// One that is printed.
    pub(super) fn printed(status: v1::WatchStatusResponse) -> Self {
        let mut picture = Self { is_printed: true, ..Self::new(false) };
        picture.add(status);
        picture
    }

    /// One interval more.
    pub(super) fn add(&mut self, status: v1::WatchStatusResponse) {
        if self.curve.len() == CURVE_MAX {
            self.curve.pop_front();
        }
        let all: u64 = status.commands.iter().map(|count| count.granted + count.rejected).sum();
        self.curve.push_back(a_second(all, &status));
        (self.status, self.problem) = (Some(status), None);
    }

    fn colored(&self, color: Color) -> Style {
        if self.has_colors { Style::new().fg(color) } else { Style::new() }
    }

    fn block(&self, title: &'static str) -> Block<'static> {
        let title = Span::styled(format!(" {title} "), self.colored(Color::Cyan).add_modifier(Modifier::BOLD));
        Block::new().borders(Borders::TOP).border_style(self.colored(Color::DarkGray)).title(title)
    }
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, picture: &Picture) {
    let Some(status) = &picture.status else {
        let text = picture.problem.as_deref().unwrap_or("waiting for the first interval ...");
        return frame.render_widget(Paragraph::new(text), frame.area());
    };
    let area = frame.area();
    if area.width < WIDTH_MIN {
        let text = format!("too narrow: a terminal of {WIDTH_MIN} columns is needed, of 80 for all there is");
        return frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
    }
    let curve_rows = if area.height >= CURVE_HEIGHT_MIN { 4 } else { 0 };
    let shards = u16::try_from(status.shards.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [head, curve, shards, middle, bottom, foot] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(curve_rows),
        Constraint::Max(shards),
        Constraint::Length(MIDDLE_ROWS),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(area);
    let halves =
        |area| Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).spacing(2).areas(area);
    draw_head(frame, head, picture, status);
    if curve_rows > 0 {
        draw_curve(frame, curve, picture);
    }
    draw_shards(frame, shards, picture, status);
    let [latencies, reasons] = halves(middle);
    draw_latencies(frame, latencies, picture, status);
    draw_reasons(frame, reasons, picture, status);
    let [shows, kinds] = halves(bottom);
    draw_shows(frame, shows, picture, status);
    draw_kinds(frame, kinds, picture, status);
    draw_foot(frame, foot, picture);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let process = status.process.clone().unwrap_or_default();
    let (granted, rejected) = status
        .commands
        .iter()
        .fold((0, 0), |(granted, rejected), count| (granted + count.granted, rejected + count.rejected));
    let refused: u64 = status.refusals.iter().map(|count| count.count).sum();
    let rate = |count| thousands(a_second(count, status));
    let bold = |text: String| Span::styled(text, Style::new().add_modifier(Modifier::BOLD));
    let lines = [
        vec![
            bold(format!("usher {}", process.version)),
            Span::raw(format!("up {}", length(process.up_ms))),
            Span::raw(format!("cpu {} %", process.cpu_millis / 10)),
            Span::raw(format!("memory {}", bytes(process.resident_bytes))),
            Span::raw(format!("{} connections", thousands(process.connections.into()))),
            Span::raw(format!("{} files", thousands(process.open_files.into()))),
        ],
        vec![
            Span::raw(format!("log {}", bytes(process.log_bytes))),
            Span::raw(format!("disk {} free", bytes(process.disk_free_bytes))),
        ],
        vec![
            bold(format!("{} commands/s", rate(granted + rejected))),
            Span::styled(format!("{} granted", rate(granted)), picture.colored(Color::Green)),
            Span::styled(format!("{} rejected", rate(rejected)), picture.colored(Color::Yellow)),
            Span::styled(format!("{} refused", rate(refused)), picture.colored(Color::Red)),
        ],
    ];
    let lines = lines.map(|parts| whole(parts, area.width));
    frame.render_widget(Paragraph::new(Vec::from(lines)), area);
}

/// Those at the beginning that there is room for: a number that is cut would be another one.
fn whole(parts: Vec<Span<'static>>, width: u16) -> Line<'static> {
    let mut line = Line::default();
    for part in parts {
        let gap = Span::raw(if line.spans.is_empty() { "" } else { "  " });
        if line.width() + gap.width() + part.width() > usize::from(width) {
            break;
        }
        line.spans.extend([gap, part]);
    }
    line
}

fn draw_curve(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let width = usize::from(area.width);
    let newest: Vec<u64> = picture.curve.iter().rev().take(width).rev().copied().collect();
    let curve = Sparkline::default().data(newest).style(picture.colored(Color::Green));
    frame.render_widget(curve.block(picture.block("commands a second")), area);
}

fn draw_shards(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    const COLUMNS: [Column; 9] = [
        Column::right("SHARD", 5, 0),
        Column::left(" STATE", 11, 1),
        Column::right("COMMANDS/S", 11, 2),
        Column::right("BATCH", 7, 7),
        Column::right("INBOX", 8, 4),
        Column::right("WAIT", 8, 6),
        Column::right("APPEND p50", 12, 3),
        Column::right("p99", 8, 5),
        Column::right("HOLDS", 9, 8),
    ];
    let rows = status.shards.iter().map(|shard| {
        let append = shard.append.clone().unwrap_or_default();
        let (state, color) = state(shard);
        [
            Span::raw(shard.shard.to_string()),
            Span::styled(format!(" {state}"), picture.colored(color)),
            Span::raw(thousands(a_second(shard.commands, status))),
            Span::raw(thousands(shard.commands.checked_div(shard.batches).unwrap_or(0))),
            Span::raw(thousands(shard.inbox_commands.into())),
            Span::raw(time(shard.inbox_wait_us)),
            Span::raw(time(append.p50_us)),
            Span::raw(time(append.p99_us)),
            Span::raw(thousands(shard.holds)),
        ]
    });
    table::draw(frame, area, picture.block("shards"), &COLUMNS, rows);
}

fn draw_latencies(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    const COLUMNS: [Column; 5] = [
        Column::text("STAGE", 7),
        Column::right("p50", 8, 1),
        Column::right("p99", 8, 2),
        Column::right("p99.9", 8, 3),
        Column::right("/S", 6, 4),
    ];
    let rows = status.latencies.iter().map(|latency| {
        let [p50, p99, p999] = [latency.p50_us, latency.p99_us, latency.p999_us].map(|us| Span::raw(time(us)));
        [Span::raw(latency.name.clone()), p50, p99, p999, Span::raw(thousands(a_second(latency.count, status)))]
    });
    table::draw(frame, area, picture.block("latencies"), &COLUMNS, rows);
}

fn draw_reasons(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    const COLUMNS: [Column; 2] = [Column::text("REASON", NAME_WIDTH_MIN), Column::right("/S", 6, 1)];
    let ruled = status.rejections.iter().map(|count| (count, Color::Yellow));
    let refused = status.refusals.iter().map(|count| (count, Color::Red));
    let mut all: Vec<_> = ruled.chain(refused).collect();
    all.sort_by_key(|(count, _)| std::cmp::Reverse(count.count));
    let rows = all.into_iter().map(|(count, color)| {
        let rate = thousands(a_second(count.count, status));
        [Span::styled(count.reason.clone(), picture.colored(color)), Span::raw(rate)]
    });
    table::draw(frame, area, picture.block("rejected and refused"), &COLUMNS, rows);
}

fn draw_shows(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    const COLUMNS: [Column; 2] = [Column::text("SHOW", NAME_WIDTH_MIN), Column::right("COMMANDS/S", 11, 1)];
    let rows = status
        .shows
        .iter()
        .map(|show| [Span::raw(show.show_id.clone()), Span::raw(thousands(a_second(show.commands, status)))]);
    table::draw(frame, area, picture.block("hot shows"), &COLUMNS, rows);
}

fn draw_kinds(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    const COLUMNS: [Column; 3] =
        [Column::text("KIND", NAME_WIDTH_MIN), Column::right("GRANTED/S", 10, 1), Column::right("REJECTED/S", 11, 2)];
    let mut kinds: Vec<_> = status.commands.iter().collect();
    kinds.sort_by_key(|count| std::cmp::Reverse(count.granted + count.rejected));
    let rows = kinds.into_iter().map(|count| {
        let [granted, rejected] = [count.granted, count.rejected].map(|count| thousands(a_second(count, status)));
        [Span::raw(count.kind.clone()), Span::raw(granted), Span::raw(rejected)]
    });
    table::draw(frame, area, picture.block("commands"), &COLUMNS, rows);
}

fn draw_foot(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let line = match &picture.problem {
        Some(problem) => Line::styled(format!("{problem}; trying again"), picture.colored(Color::Red)),
        None if picture.is_printed => return,
        None => Line::styled("q ends it", picture.colored(Color::DarkGray)),
    };
    frame.render_widget(line, area);
}

fn state(shard: &v1::ShardStatus) -> (&'static str, Color) {
    match (shard.state(), shard.is_clock_in_step) {
        (ShardState::Serving, true) => ("serving", Color::Green),
        (ShardState::Serving, false) => ("clock off", Color::Yellow),
        (ShardState::ReadOnly, _) => ("read only", Color::Red),
        (ShardState::Recovering, _) => ("recovers", Color::Yellow),
        (ShardState::NotServing, _) => ("is down", Color::Red),
        (ShardState::Unspecified, _) => ("unknown", Color::Yellow),
    }
}

fn a_second(count: u64, status: &v1::WatchStatusResponse) -> u64 {
    count.saturating_mul(1_000) / u64::from(status.over_ms.max(1))
}

fn time(us: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time to look at")]
    let time = us as f64;
    match us {
        0 => "-".to_owned(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.1} ms", time / 1e3),
        _ => format!("{:.1} s", time / 1e6),
    }
}

fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size to look at")]
    let size = count as f64;
    match count {
        0..0x400 => format!("{count} B"),
        0x400..0x10_0000 => format!("{:.0} KiB", size / f64::from(1 << 10)),
        0x10_0000..0x4000_0000 => format!("{:.0} MiB", size / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", size / f64::from(1 << 30)),
    }
}

fn length(ms: u64) -> String {
    let seconds = Duration::from_millis(ms).as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests;
