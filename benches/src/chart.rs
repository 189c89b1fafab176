//! Pictures of figures: panels of lines with logarithmic axes, as a PNG.
//!
//! The letters are embedded, so that a machine without fonts draws the same. It knows nothing of what is measured.

use std::{error::Error, path::Path};

use plotters::{prelude::*, style::FontStyle};

const PANEL: (u32, u32) = (560, 420);
const HEADING_HEIGHT: u32 = 60;
const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(90, 90, 90),
];

/// One coordinate system.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// What the axes count.
    pub axes: (String, String),
    /// Named lines; all coordinates are above 0.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// Draws the panels in rows of `columns` under a heading.
///
/// # Errors
/// When the file cannot be written, or a panel has nothing to draw.
pub fn draw(path: &Path, heading: &str, panels: &[Panel], columns: usize) -> Result<(), Box<dyn Error>> {
    plotters::style::register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "the embedded font does not read")?;
    let rows = panels.len().div_ceil(columns);
    let size = (PANEL.0 * u32::try_from(columns)?, PANEL.1 * u32::try_from(rows)? + HEADING_HEIGHT);
    let root = BitMapBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, rest) = root.split_vertically(HEADING_HEIGHT);
    for (line, text) in heading.lines().enumerate() {
        top.draw_text(text, &("sans-serif", 16).into_text_style(&top), (12, 10 + 22 * i32::try_from(line)?))?;
    }
    for (area, panel) in rest.split_evenly((rows, columns)).iter().zip(panels) {
        draw_panel(area, panel)?;
    }
    root.present()?;
    Ok(())
}

fn draw_panel(
    area: &DrawingArea<BitMapBackend<'_>, plotters::coord::Shift>,
    panel: &Panel,
) -> Result<(), Box<dyn Error>> {
    let points = || panel.lines.iter().flat_map(|(_, points)| points);
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::INFINITY, f64::min);
        (least, points().map(of).fold(least, f64::max))
    };
    let ((left, right), (low, high)) = (bounds(|point| point.0), bounds(|point| point.1));
    // The names are above the lines: their share of the height, on a logarithmic axis.
    let named = (18.0 * panel.lines.len() as f64 + 20.0) / 320.0;
    let top = high * (high / low).powf(named / (1.0 - named)).max(3.0);
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(74)
        .build_cartesian_2d((left * 0.9..right * 1.1).log_scale().base(2.0), (low * 0.6..top).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .label_style(("sans-serif", 13))
        .x_desc(&panel.axes.0)
        .y_desc(&panel.axes.1)
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()?;
    for ((name, points), colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}
