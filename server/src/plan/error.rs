//! What is wrong with a plan, and where: every problem of every format, with its words.
//!
//! It finds nothing; the readers do.

use std::fmt;

use usher_engine::inventory::manifest::ManifestProblem;

use super::{ADDED_MAX, DOCUMENT_BYTES_MAX};

/// What is wrong with a plan, and where.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct PlanError {
    /// The path inside the document, such as `zones[3].rows[2].seats[5].seat_guid`; `document` for all of it, and
    /// `prices` with a key for what the caller gave beside it.
    pub path: String,
    /// What.
    pub problem: PlanProblem,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum PlanProblem {
    #[error("must be at most {DOCUMENT_BYTES_MAX} bytes, is {bytes}")]
    TooLarge { bytes: usize },
    #[error("is not UTF-8 at line {line} column {column}")]
    NotUtf8 { line: usize, column: usize },
    #[error("has neither \"sections\" (an Usher plan) nor \"zones\" (a pretix seating plan) at its top")]
    UnknownFormat,
    /// Not JSON, cut short, or of another type; the message ends with line and column.
    #[error("{0}")]
    Json(serde_json::Error),
    #[error("{0}")]
    Manifest(ManifestProblem),
    /// With the path of its first standing.
    #[error("{name:?} stands twice, first at {first}")]
    Repeated { name: String, first: String },
    #[error("{name:?} is not one of the plan's categories ({})", quoted(known))]
    UnknownCategory { name: String, known: Vec<String> },
    #[error("{name:?} is not one of the plan's sections")]
    UnknownSection { name: String },
    #[error("must be at most {ADDED_MAX}, is {found}")]
    Added { found: u32 },
    #[error("must have \"rows\", or \"capacity\" and \"category\"")]
    SectionShape,
    #[error("must have \"category\" and \"seats\", or \"runs\"")]
    RowShape,
    #[error("has neither \"name\" nor \"zone_id\"")]
    ZoneWithoutName,
    #[error("has neither rows nor areas")]
    EmptyZone,
    #[error("have no seats")]
    NoSeats,
    #[error("a pretix plan has no currency: give one, as in --currency EUR")]
    NoCurrency,
    #[error(
        "no price for {}: give one for each in minor units, as in --price {:?}",
        quoted(categories),
        example(categories)
    )]
    NoPrices { categories: Vec<String> },
}

impl PlanError {
    pub(super) fn at(path: impl Into<String>, problem: PlanProblem) -> Self {
        Self { path: path.into(), problem }
    }

    pub(super) fn of_document(problem: PlanProblem) -> Self {
        Self::at("document", problem)
    }

    /// For what stands in the prices that came beside the document.
    pub(super) fn of_price(category: &str, problem: PlanProblem) -> Self {
        Self::at(format!("prices[{category:?}]"), problem)
    }

    /// For the currency that came, or should have come, beside the document.
    pub(super) fn of_currency(problem: PlanProblem) -> Self {
        Self::at("prices.currency", problem)
    }
}

fn quoted(names: &[String]) -> impl fmt::Display {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

fn example(categories: &[String]) -> String {
    categories.first().map_or(String::new(), |name| format!("{name}=4500"))
}
