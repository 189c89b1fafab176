//! Selections of places and marks of blocks, as flags.

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use usher_proto::v1;

use crate::cli::places::parse_label;

/// In what way places are withheld.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// For the house: whoever speaks for it may hold and sell them
    House,
    /// Not to be sold by anyone
    Kill,
    /// Not to be sold for the time being
    Block,
}

pub(in crate::cli) fn mark(kind: Kind, reason: String) -> v1::Mark {
    let kind = match kind {
        Kind::House => v1::BlockKind::House,
        Kind::Kill => v1::BlockKind::Kill,
        Kind::Block => v1::BlockKind::Block,
    };
    v1::Mark { kind: kind.into(), reason }
}

/// In what way, and why.
#[derive(Clone, Debug, Args)]
pub(super) struct MarkArgs {
    /// In what way they are withheld
    #[arg(long, default_value = "block")]
    kind: Kind,
    /// Why: a tag such as "sponsor" or "camera"
    #[arg(long, value_name = "TAG")]
    reason: String,
}

impl MarkArgs {
    pub(super) fn into_mark(self) -> v1::Mark {
        mark(self.kind, self.reason)
    }
}

/// Which seats: all that is named.
#[derive(Clone, Debug, Args)]
pub(super) struct SelectionArgs {
    /// Seat by its label; may stand several times
    #[arg(long = "seat", value_name = "SECTION/ROW/SEAT", value_parser = parse_label)]
    seats: Vec<v1::SeatLabel>,
    /// Seat by its number, from 0; may stand several times
    #[arg(long = "index", value_name = "N")]
    indexes: Vec<u32>,
    /// A whole row; may stand several times
    #[arg(long = "row", value_name = "SECTION/ROW", value_parser = parse_row)]
    rows: Vec<v1::RowLabel>,
    /// A whole section; may stand several times
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<String>,
    /// All seats of a category; may stand several times
    #[arg(long = "category", value_name = "NAME")]
    categories: Vec<String>,
}

impl SelectionArgs {
    pub(super) fn into_selection(self) -> v1::Selection {
        let Self { seats, indexes, rows, sections, categories } = self;
        v1::Selection { seat_indexes: indexes, seats, rows, sections, categories }
    }
}

/// `Floor=50`.
pub(super) fn parse_ga_blocked(text: &str) -> anyhow::Result<v1::GaBlocked> {
    let (section, units) = text.rsplit_once('=').context("must be SECTION=UNITS, such as Floor=50")?;
    let units = units.parse().with_context(|| format!("the units {units:?} must be a number"))?;
    Ok(v1::GaBlocked { section: section.to_owned(), units })
}

/// The row is the last part, so that a section's name may have slashes.
fn parse_row(text: &str) -> anyhow::Result<v1::RowLabel> {
    match text.rsplit_once('/') {
        Some((section, row)) => Ok(v1::RowLabel { section: section.to_owned(), row: row.to_owned() }),
        None => bail!("must be SECTION/ROW, such as West/12"),
    }
}
