//! The pictures of `usher top`: what a server told, laid out for a terminal of 80 by 24 or more.

use std::{collections::VecDeque, time::Duration};

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table},
};
use usher_proto::v1::{self, ShardState};

use super::super::log::thousands;

/// Intervals that the curve remembers.
const CURVE_MAX: usize = 400;
/// Rows of the lists below each other: heading, latencies and reasons, shows and kinds.
const MIDDLE_ROWS: u16 = 7;
/// Height from which there is a curve.
const CURVE_HEIGHT_MIN: u16 = 28;

/// What is to be drawn.
pub(super) struct Picture {
    has_colors: bool,
    status: Option<v1::WatchStatusResponse>,
    /// Commands a second of the last intervals, the newest last.
    curve: VecDeque<u64>,
    /// Why nothing comes any more, if so.
    pub(super) problem: Option<String>,
}

impl Picture {
    pub(super) fn new(has_colors: bool) -> Self {
        Self { has_colors, status: None, curve: VecDeque::new(), problem: None }
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
    let lines = vec![
        Line::from(vec![
            bold(format!("usher {}", process.version)),
            Span::raw(format!(
                "  up {}  cpu {} %  memory {}  {} connections  {} files",
                length(process.up_ms),
                process.cpu_millis / 10,
                bytes(process.resident_bytes),
                thousands(process.connections.into()),
                thousands(process.open_files.into()),
            )),
        ]),
        Line::raw(format!("log {}  disk {} free", bytes(process.log_bytes), bytes(process.disk_free_bytes))),
        Line::from(vec![
            bold(format!("{} commands/s", rate(granted + rejected))),
            Span::raw("  "),
            Span::styled(format!("{} granted", rate(granted)), picture.colored(Color::Green)),
            Span::raw("  "),
            Span::styled(format!("{} rejected", rate(rejected)), picture.colored(Color::Yellow)),
            Span::raw("  "),
            Span::styled(format!("{} refused", rate(refused)), picture.colored(Color::Red)),
        ]),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn draw_curve(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let width = usize::from(area.width);
    let newest: Vec<u64> = picture.curve.iter().rev().take(width).rev().copied().collect();
    let curve = Sparkline::default().data(newest).style(picture.colored(Color::Green));
    frame.render_widget(curve.block(picture.block("commands a second")), area);
}

fn draw_shards(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let titles = ["SHARD", " STATE", "COMMANDS/S", "BATCH", "INBOX", "WAIT", "APPEND p50", "p99", "HOLDS"];
    let rows = status.shards.iter().map(|shard| {
        let append = shard.append.clone().unwrap_or_default();
        let (state, color) = state(shard);
        let cells = [
            thousands(a_second(shard.commands, status)),
            thousands(shard.commands.checked_div(shard.batches).unwrap_or(0)),
            thousands(shard.inbox_commands.into()),
            time(shard.inbox_wait_us),
            time(append.p50_us),
            time(append.p99_us),
            thousands(shard.holds),
        ];
        let first = [right(shard.shard.to_string()), Cell::from(format!(" {state}")).style(picture.colored(color))];
        Row::new(first.into_iter().chain(cells.map(right)))
    });
    let widths = [5, 11, 11, 7, 8, 8, 12, 8, 9].map(Constraint::Length);
    let header = Row::new(titles.into_iter().enumerate().map(|(place, title)| match place {
        1 => Cell::from(title),
        _ => right(title.to_owned()),
    }));
    let table = Table::new(rows, widths).header(header.style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(table.block(picture.block("shards")).column_spacing(0), area);
}

fn draw_latencies(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let rows = status.latencies.iter().map(|latency| {
        let times = [latency.p50_us, latency.p99_us, latency.p999_us].map(|us| right(time(us)));
        let rate = right(thousands(a_second(latency.count, status)));
        Row::new([Cell::from(latency.name.clone())].into_iter().chain(times).chain([rate]))
    });
    let header = Row::new([
        Cell::from("STAGE"),
        right("p50".into()),
        right("p99".into()),
        right("p99.9".into()),
        right("/S".into()),
    ]);
    let widths = [
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Min(6),
    ];
    let table = Table::new(rows, widths).header(header.style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(table.block(picture.block("latencies")).column_spacing(0), area);
}

fn draw_reasons(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let ruled = status.rejections.iter().map(|count| (count, Color::Yellow));
    let refused = status.refusals.iter().map(|count| (count, Color::Red));
    let mut all: Vec<_> = ruled.chain(refused).collect();
    all.sort_by_key(|(count, _)| std::cmp::Reverse(count.count));
    let rows = all.into_iter().map(|(count, color)| {
        let rate = thousands(a_second(count.count, status));
        Row::new([Cell::from(count.reason.clone()).style(picture.colored(color)), right(rate)])
    });
    draw_list(frame, area, picture, "rejected and refused", ["REASON", "/S"], rows);
}

fn draw_shows(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let rows = status
        .shows
        .iter()
        .map(|show| Row::new([Cell::from(show.show_id.clone()), right(thousands(a_second(show.commands, status)))]));
    draw_list(frame, area, picture, "hot shows", ["SHOW", "COMMANDS/S"], rows);
}

fn draw_kinds(frame: &mut Frame<'_>, area: Rect, picture: &Picture, status: &v1::WatchStatusResponse) {
    let mut kinds: Vec<_> = status.commands.iter().collect();
    kinds.sort_by_key(|count| std::cmp::Reverse(count.granted + count.rejected));
    let rows = kinds.into_iter().map(|count| {
        let rates = [count.granted, count.rejected].map(|count| thousands(a_second(count, status)));
        Row::new([Cell::from(count.kind.clone())].into_iter().chain(rates.map(right)))
    });
    let header = Row::new([Cell::from("KIND"), right("GRANTED/S".into()), right("REJECTED/S".into())]);
    let widths = [Constraint::Min(10), Constraint::Length(11), Constraint::Length(12)];
    let table = Table::new(rows, widths).header(header.style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(table.block(picture.block("commands")).column_spacing(0), area);
}

fn draw_list<'a>(
    frame: &mut Frame<'_>,
    area: Rect,
    picture: &Picture,
    title: &'static str,
    [left, at_right]: [&'static str; 2],
    rows: impl Iterator<Item = Row<'a>>,
) {
    let header = Row::new([Cell::from(left), right(at_right.to_owned())]);
    let table = Table::new(rows, [Constraint::Min(10), Constraint::Length(12)]);
    let table = table.header(header.style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(table.block(picture.block(title)).column_spacing(0), area);
}

fn draw_foot(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let line = match &picture.problem {
        Some(problem) => Line::styled(format!("{problem}; trying again"), picture.colored(Color::Red)),
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

fn right(text: String) -> Cell<'static> {
    Cell::from(Line::raw(text).right_aligned())
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
