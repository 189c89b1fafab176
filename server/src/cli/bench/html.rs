//! The report as a page: tables and curves, in one file that needs nothing else.

use std::fmt::Write as _;

use super::{
    chart::{Line, Panel, Scale, escaped},
    report::{COLUMNS, Part, Report},
};
use crate::load::{
    meter::Sample,
    report::{Run, millis, thousands, whole},
};

const STYLE: &str = include_str!("report.css");
/// Where the latency curve has points.
const QUANTILES_PER_HALF: u32 = 10;
/// Beyond it there are too few answers to say anything.
const QUANTILE_MAX: f64 = 0.999_99;

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\"><title>usher bench</title>\n<style>{STYLE}</style></head>\n\
         <body><h1>usher bench</h1>\n<p class=\"conditions\">{}</p>\n",
        escaped(&report.conditions.to_string())
    );
    let rows = report.table();
    if !rows.is_empty() {
        table(&mut page, &COLUMNS.map(str::to_owned), &rows);
    }
    if let Some(panel) = compared(report) {
        page.push_str(&panel);
    }
    let growth: Vec<String> = growth(&report.parts).iter().map(Panel::svg).collect();
    if !growth.is_empty() {
        let _ = writeln!(page, "<h2>Growth</h2><div class=\"panels\">{}</div>", growth.concat());
    }
    for part in &report.parts {
        describe(&mut page, part);
    }
    if !report.recovery.is_empty() {
        page.push_str("<h2>Restart</h2>");
        let columns = ["events", "shows", "snapshots", "serves after, s", "events/s", "resident, MiB", "on disk, MiB"];
        let rows: Vec<[String; 7]> = report
            .recovery
            .iter()
            .map(|row| {
                let snapshots = if row.snapshots { "yes" } else { "none" };
                let seconds = format!("{:.2}", row.seconds);
                [
                    thousands(row.events),
                    thousands(row.shows.into()),
                    snapshots.to_owned(),
                    seconds,
                    whole(row.events_per_second),
                    thousands(row.resident_mib),
                    thousands(row.disk_mib),
                ]
            })
            .collect();
        table(&mut page, &columns.map(str::to_owned), &rows);
    }
    page.push_str("</body></html>\n");
    page
}

fn table<const N: usize>(page: &mut String, header: &[String; N], rows: &[[String; N]]) {
    let cells = |tag: &str, row: &[String; N]| {
        let cells: Vec<String> = row.iter().map(|text| format!("<{tag}>{}</{tag}>", escaped(text))).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let rows: Vec<String> = rows.iter().map(|row| cells("td", row)).collect();
    let _ = writeln!(page, "<table><thead>{}</thead><tbody>{}</tbody></table>", cells("th", header), rows.concat());
}

fn describe(page: &mut String, part: &Part) {
    let _ = writeln!(page, "<h2>{}</h2>", escaped(&part.set_up.to_string()));
    let [median, lowest, highest] = [part.rates.median, part.rates.lowest, part.rates.highest].map(whole);
    let count = part.runs.len();
    let runs = if count == 1 { "one run".to_owned() } else { format!("median of {count} runs, {lowest} to {highest}") };
    let _ = writeln!(page, "<p><strong>{median}</strong> commands/s ({runs})</p>");
    let Some(run) = part.median() else { return };
    let _ = writeln!(
        page,
        "<div class=\"panels\">{}{}{}{}</div>",
        throughput(part).svg(),
        sales(run).svg(),
        latency(part).svg(),
        waiting(run).svg()
    );
    let _ = writeln!(
        page,
        "<details><summary>The run in the middle, in figures</summary><pre>{}</pre></details>",
        escaped(&run.to_string())
    );
}

#[expect(clippy::cast_precision_loss, reason = "a figure to draw")]
fn over_time(run: &Run, value: impl Fn(&Sample) -> f64) -> Vec<(f64, f64)> {
    // The first and the last piece are not whole.
    let whole = run.timeline.len().saturating_sub(1);
    run.timeline.iter().take(whole.max(1)).map(|sample| (sample.at_ms as f64 / 1e3, value(sample))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a figure to draw")]
fn per_second(count: u64, sample: &Sample) -> f64 {
    count as f64 * 1e3 / sample.took_ms.max(1e-3)
}

fn panel(title: &str, axes: (&str, &str), lines: Vec<Line>, scales: (Scale, Scale)) -> Panel {
    Panel { title: title.to_owned(), axes: (axes.0.to_owned(), axes.1.to_owned()), lines, scales }
}

fn throughput(part: &Part) -> Panel {
    let line = |(number, run): (usize, &Run)| Line {
        name: format!("run {}", number + 1),
        points: over_time(run, |sample| per_second(sample.commands, sample)),
    };
    let lines = part.runs.iter().take(6).enumerate().map(line).collect();
    panel("Throughput", ("seconds", "commands/s"), lines, (Scale::Linear, Scale::Linear))
}

fn sales(run: &Run) -> Panel {
    let line = |name: &str, of: fn(&Sample) -> u64| Line {
        name: name.to_owned(),
        points: over_time(run, |sample| per_second(of(sample), sample)),
    };
    let lines = vec![
        line("refused", |sample| sample.refused),
        line("granted", |sample| sample.granted),
        line("sold", |sample| sample.sold),
    ];
    panel("What buyers were told", ("seconds", "answers/s"), lines, (Scale::Linear, Scale::Linear))
}

fn latency(part: &Part) -> Panel {
    let line = |(number, run): (usize, &Run)| {
        let steps = run.histogram_us.iter_quantiles(QUANTILES_PER_HALF);
        let steps = steps.map(|step| (step.quantile_iterated_to(), millis(step.value_iterated_to())));
        Line {
            name: format!("run {}", number + 1),
            points: steps.filter(|(quantile, _)| *quantile <= QUANTILE_MAX).collect(),
        }
    };
    let lines = part.runs.iter().take(6).enumerate().map(line).collect();
    panel("Latency by percentile", ("of all answers", "ms"), lines, (Scale::Nines, Scale::Powers))
}

fn waiting(run: &Run) -> Panel {
    let line = |name: &str, of: fn(&Sample) -> u64| Line {
        name: name.to_owned(),
        points: over_time(run, |sample| millis(of(sample))),
    };
    let lines = vec![line("p50", |sample| sample.p50_us), line("p99", |sample| sample.p99_us)];
    panel("Latency over time", ("seconds", "ms"), lines, (Scale::Linear, Scale::Linear))
}

/// A curve for each size of which there are several, all others being equal.
fn growth(parts: &[Part]) -> Vec<Panel> {
    let Some(first) = parts.first() else { return Vec::new() };
    let mut panels = Vec::new();
    for (index, (name, _)) in first.set_up.sizes().into_iter().enumerate() {
        let mut lines: Vec<Line> = Vec::new();
        for part in parts.iter().filter(|part| part.set_up.scenario == first.set_up.scenario) {
            let sizes = part.set_up.sizes();
            let others = sizes.iter().enumerate().filter(|(other, _)| *other != index && varies(parts, *other));
            let others: Vec<String> = others.map(|(_, (name, size))| format!("{name} {size}")).collect();
            let point = (sizes[index].1, part.rates.median);
            match lines.iter_mut().find(|line| line.name == others.join(", ")) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { name: others.join(", "), points: vec![point] }),
            }
        }
        lines.retain(|line| line.points.len() > 1);
        lines.iter_mut().for_each(|line| line.points.sort_by(|one, other| one.0.total_cmp(&other.0)));
        if !lines.is_empty() && varies(parts, index) {
            panels.push(panel(
                &format!("Throughput by {name}"),
                (name, "commands/s"),
                lines,
                (Scale::Powers, Scale::Linear),
            ));
        }
    }
    panels
}

fn varies(parts: &[Part], size: usize) -> bool {
    let of = |part: &Part| part.set_up.sizes()[size].1;
    parts.windows(2).any(|pair| of(&pair[0]).total_cmp(&of(&pair[1])).is_ne())
}

/// Bars of Usher's best and of every other system.
fn compared(report: &Report) -> Option<String> {
    let best = report.parts.iter().max_by(|one, other| one.rates.median.total_cmp(&other.rates.median))?;
    if report.peers.is_empty() {
        return None;
    }
    let usher = [("Usher".to_owned(), best.rates.median)];
    let peers = report.peers.iter().map(|peer| (format!("{}: {}", peer.system, peer.set_up), peer.median));
    let bars = usher.into_iter().chain(peers).map(|(name, rate)| {
        let percent = (rate / best.rates.median.max(1.0) * 100.0).min(100.0);
        format!(
            "<div class=\"bar\"><span>{}</span><b style=\"width:{percent:.2}%\"></b><i>{}</i></div>\n",
            escaped(&name),
            whole(rate)
        )
    });
    Some(format!("<h2>Commands a second</h2><div class=\"bars\">{}</div>\n", bars.collect::<String>()))
}
