//! Curves as SVG, by hand: a panel with axes and lines, which needs neither scripts nor other files.
//!
//! It knows nothing of what is drawn. Colours are those of the page around it.

use std::fmt::Write as _;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
/// Left, top, right, bottom: room for the labels.
const MARGINS: (f64, f64, f64, f64) = (64.0, 16.0, 16.0, 44.0);
/// Steps of an axis, about.
const TICKS: f64 = 5.0;

/// A line.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A coordinate system.
pub(super) struct Panel {
    pub(super) title: String,
    /// Of the horizontal and the vertical axis.
    pub(super) axes: (String, String),
    pub(super) lines: Vec<Line>,
    pub(super) scales: (Scale, Scale),
}

/// How an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero.
    Linear,
    /// By powers of ten.
    Powers,
    /// By what is left of one: 90 %, 99 %, 99.9 %.
    Nines,
}

/// An axis with the ends that it needs.
struct Axis {
    scale: Scale,
    from: f64,
    until: f64,
    /// Where it is marked, and with what.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    fn new(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let most = values.clone().fold(0.0, f64::max);
        match scale {
            Scale::Linear => {
                let step = step_of(most.max(1e-9) / TICKS);
                let until = (most / step).ceil().max(1.0) * step;
                let count = (until / step).round();
                let ticks = (0..=20).map(f64::from).take_while(|tick| *tick <= count);
                Self { scale, from: 0.0, until, ticks: ticks.map(|tick| (tick * step, short(tick * step))).collect() }
            }
            Scale::Powers => {
                let least = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min).min(most.max(1.0));
                let (from, until) = (least.max(1e-6).log10().floor(), most.max(1e-6).log10().ceil());
                let until = if until > from { until } else { from + 1.0 };
                let powers = (-6..=12).map(f64::from).filter(|power| (from..=until).contains(power));
                let ticks = powers.map(|power| (10f64.powf(power), short(10f64.powf(power)))).collect();
                Self { scale, from: 10f64.powf(from), until: 10f64.powf(until), ticks }
            }
            Scale::Nines => {
                let all =
                    [(0.0, "0"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.999_9, "99.99"), (0.999_99, "99.999")];
                let ticks = all
                    .into_iter()
                    .filter(|(share, _)| *share <= most)
                    .map(|(share, text)| (share, format!("{text} %")));
                Self { scale, from: 0.0, until: most, ticks: ticks.collect() }
            }
        }
    }

    /// Where a value lies, from 0 to 1.
    fn at(&self, value: f64) -> f64 {
        let place = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Powers => value.max(self.from).log10(),
            Scale::Nines => -(1.0 - value.min(0.999_999)).log10(),
        };
        let (from, until) = (place(self.from), place(self.until));
        ((place(value) - from) / (until - from).max(1e-12)).clamp(0.0, 1.0)
    }
}

/// The next round number: 1, 2 or 5 times a power of ten.
fn step_of(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= least * 0.999).unwrap_or(power)
}

/// 1.5M, 20k, 0.25.
fn short(value: f64) -> String {
    let text = |value: f64| format!("{}", (value * 1_000.0).round() / 1_000.0);
    match value {
        value if value >= 1e9 => format!("{}G", text(value / 1e9)),
        value if value >= 1e6 => format!("{}M", text(value / 1e6)),
        value if value >= 1e3 => format!("{}k", text(value / 1e3)),
        value => text(value),
    }
}

/// Text between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Panel {
    /// As a figure with its title and a legend.
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let x = Axis::new(self.scales.0, points().map(|(x, _)| *x));
        let y = Axis::new(self.scales.1, points().map(|(_, y)| *y));
        let mut svg = format!("<figure><figcaption>{}", escaped(&self.title));
        for (number, line) in self.lines.iter().enumerate().filter(|_| self.lines.len() > 1) {
            let _ = write!(svg, "<span class=\"key c{}\">{}</span>", number % 6, escaped(&line.name));
        }
        let _ = write!(
            svg,
            "</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.title)
        );
        self.draw_axes(&mut svg, &x, &y);
        for (number, line) in self.lines.iter().enumerate() {
            draw_line(&mut svg, line, number % 6, (&x, &y));
        }
        svg.push_str("</svg></figure>\n");
        svg
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (left, top, right, bottom) = MARGINS;
        let (end, floor) = (WIDTH - right, HEIGHT - bottom);
        for (value, label) in &y.ticks {
            let at = place_y(y, *value);
            let _ = write!(svg, "<line class=\"grid\" x1=\"{left}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
            let (label_x, label_y) = (left - 8.0, at + 4.0);
            let _ = write!(svg, "<text class=\"right\" x=\"{label_x}\" y=\"{label_y:.1}\">{label}</text>");
        }
        for (value, label) in &x.ticks {
            let at = place_x(x, *value);
            let label_y = floor + 18.0;
            let _ = write!(
                svg,
                "<line class=\"tick\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{floor}\" y2=\"{}\"/>",
                floor + 4.0
            );
            let _ = write!(svg, "<text class=\"middle\" x=\"{at:.1}\" y=\"{label_y}\">{label}</text>");
        }
        let _ = write!(svg, "<line class=\"axis\" x1=\"{left}\" x2=\"{end}\" y1=\"{floor}\" y2=\"{floor}\"/>");
        let (middle, below) = ((left + end) / 2.0, HEIGHT - 6.0);
        let _ =
            write!(svg, "<text class=\"middle name\" x=\"{middle}\" y=\"{below}\">{}</text>", escaped(&self.axes.0));
        let (beside, half) = (14.0, (top + floor) / 2.0);
        let name = escaped(&self.axes.1);
        let _ = write!(
            svg,
            "<text class=\"middle name\" transform=\"translate({beside} {half}) rotate(-90)\">{name}</text>"
        );
    }
}

fn place_x(axis: &Axis, value: f64) -> f64 {
    MARGINS.0 + axis.at(value) * (WIDTH - MARGINS.0 - MARGINS.2)
}

fn place_y(axis: &Axis, value: f64) -> f64 {
    HEIGHT - MARGINS.3 - axis.at(value) * (HEIGHT - MARGINS.1 - MARGINS.3)
}

fn draw_line(svg: &mut String, line: &Line, colour: usize, (x, y): (&Axis, &Axis)) {
    let places: Vec<(f64, f64)> = line.points.iter().map(|(at, value)| (place_x(x, *at), place_y(y, *value))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = write!(svg, "<polyline class=\"line c{colour}\" points=\"{}\"/>", path.join(" "));
    // Few points are figures of their own.
    for (x, y) in places.iter().filter(|_| places.len() <= 12) {
        let _ = write!(svg, "<circle class=\"dot c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let axis = Axis::new(Scale::Linear, [3.0, 1_234_567.0].into_iter());
        assert_eq!(axis.until, 1_500_000.0);
        assert_eq!(axis.ticks.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["0", "500k", "1M", "1.5M"]);
        let axis = Axis::new(Scale::Powers, [256.0, 32_768.0].into_iter());
        assert_eq!((axis.from, axis.until), (100.0, 100_000.0));
        assert!((axis.at(1_000.0) - 1.0 / 3.0).abs() < 1e-9);
        let axis = Axis::new(Scale::Nines, [0.0, 0.999].into_iter());
        assert!((axis.at(0.9) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        let line = Line { name: "a<b".to_owned(), points: vec![(0.0, 1.0), (1.0, 2.0)] };
        let other = Line { name: "c".to_owned(), points: vec![] };
        let panel = Panel {
            title: "x & y".to_owned(),
            axes: ("<s>".to_owned(), "n".to_owned()),
            lines: vec![line, other],
            scales: (Scale::Linear, Scale::Linear),
        };
        let svg = panel.svg();
        assert!(svg.contains("a&lt;b") && svg.contains("x &amp; y") && svg.contains("&lt;s&gt;"), "{svg}");
        assert!(!svg.contains("NaN"), "{svg}");
    }
}
