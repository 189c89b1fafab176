//! How the API's commands print: aligned for people, or JSON for scripts.

use clap::{Args, ValueEnum};
use console::{Style, measure_text_width};
use serde_json::Value;

use super::output::print_error;

/// Under which the help lists what all of the API's commands have.
pub(super) const HEADING: &str = "Server and output";
/// Spaces between two columns.
const GAP: &str = "  ";

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One JSON document; a list is an array
    Json,
    /// One JSON object a line
    Jsonl,
}

/// How to print, as flags.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FormatArgs {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = HEADING)]
    output: Format,
    /// Short for --output json
    #[arg(long, conflicts_with = "output", help_heading = HEADING)]
    json: bool,
}

impl FormatArgs {
    pub(super) fn format(self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}

/// A column's title, and to which side its texts are aligned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Left(&'static str),
    Right(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Left(title) | Self::Right(title) => title,
        }
    }

    fn aligned(self, text: &str, width: usize) -> String {
        let spaces = " ".repeat(width.saturating_sub(measure_text_width(text)));
        match self {
            Self::Left(_) => format!("{text}{spaces}"),
            Self::Right(_) => format!("{spaces}{text}"),
        }
    }
}

/// A list that may be long: it is printed page by page.
pub(super) struct List<'a> {
    format: Format,
    columns: &'a [Column],
    widths: Vec<usize>,
    rows: Vec<Vec<String>>,
    has_header: bool,
    /// The last item of an array, which is not yet known to be the last.
    pending: Option<Value>,
    is_open: bool,
}

impl<'a> List<'a> {
    pub(super) fn new(format: Format, columns: &'a [Column]) -> Self {
        let widths = columns.iter().map(|column| column.title().len()).collect();
        Self { format, columns, widths, rows: Vec::new(), has_header: false, pending: None, is_open: false }
    }

    /// An item, as JSON or with a text for each column.
    pub(super) fn add(&mut self, json: impl FnOnce() -> Value, row: impl FnOnce() -> Vec<String>) {
        match self.format {
            Format::Table => self.rows.push(row()),
            Format::Jsonl => println!("{}", json()),
            Format::Json => {
                if !self.is_open {
                    println!("[");
                    self.is_open = true;
                }
                if let Some(before) = self.pending.replace(json()) {
                    println!("{before},");
                }
            }
        }
    }

    /// Prints what is there, aligned with what was printed before as far as that can be.
    pub(super) fn page(&mut self) {
        for row in &self.rows {
            for (width, text) in self.widths.iter_mut().zip(row) {
                *width = measure_text_width(text).max(*width);
            }
        }
        if !self.has_header && !self.rows.is_empty() {
            let titles: Vec<String> = self.columns.iter().map(|column| column.title().to_owned()).collect();
            println!("{}", Style::new().bold().apply_to(self.line(&titles)));
            self.has_header = true;
        }
        for row in std::mem::take(&mut self.rows) {
            println!("{}", self.line(&row));
        }
    }

    fn line(&self, row: &[String]) -> String {
        let cells = self.columns.iter().zip(row).zip(&self.widths);
        let cells: Vec<String> = cells.map(|((column, text), width)| column.aligned(text, *width)).collect();
        cells.join(GAP).trim_end().to_owned()
    }

    /// Prints the rest. Where nothing was in it, people are told so by `nothing`, on standard error.
    pub(super) fn end(mut self, nothing: &str) {
        self.page();
        match (self.format, self.pending) {
            (Format::Json, Some(last)) => println!("{last}\n]"),
            (Format::Json, None) => println!("[]"),
            (Format::Table, _) if !self.has_header => print_error(format_args!("{nothing}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut list = List::new(Format::Table, &[Column::Left("NAME"), Column::Right("SEATS"), Column::Left("X")]);
        list.widths = vec![6, 5, 1];
        let line = |row: [&str; 3]| list.line(&row.map(str::to_owned));
        assert_eq!(line(["Zoë", "7", ""]), "Zoë         7");
        assert_eq!(line(["東京", "12345678", "y"]), "東京    12345678  y");
    }
}
