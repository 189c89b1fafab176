//! Plans: documents that describe a venue, read into a checked [`Manifest`].
//!
//! Two formats: our own JSON ([`usher_json`]) and pretix's seating plans ([`pretix_json`]). Whatever the bytes, reading
//! ends with a manifest or with a [`PlanError`] that names the path inside the document. It opens no files, knows no
//! shows and draws nothing: positions on the screen belong to whoever has the plan.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use usher_engine::inventory::manifest::Manifest;

mod categories;
mod error;
pub mod generate;
pub mod pretix_json;
pub mod usher_json;
pub use error::{PlanError, PlanProblem};

/// Largest document, in bytes: 64 MiB. A million seats take about 3 MB in our format. In pretix's, at 85 bytes a seat
/// or more, about half a million fit: it meets this limit before the manifest's.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// The latest change that a row may say it came with: far beyond what a show takes.
pub const ADDED_MAX: u32 = 1_000_000;

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// Ours, known by `sections` at its top.
    UsherJson,
    /// A pretix seating plan, known by `zones` at its top.
    PretixJson,
}

/// What is charged, where the document does not say it or the caller says otherwise.
///
/// A pretix plan has neither a currency nor prices: both are needed here. Our own plans carry theirs; what stands here
/// replaces them, so that one plan serves shows at different prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanPrices {
    /// ISO 4217: three capital letters.
    pub currency: Option<String>,
    /// Category name to price in minor units of the currency. Each name must be a category that the plan defines.
    pub by_category: BTreeMap<String, u64>,
}

/// Reads a document of at most [`DOCUMENT_BYTES_MAX`]; without a `format`, the document's own keys decide.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong and its path inside the document.
pub fn read(document: &[u8], format: Option<PlanFormat>, prices: &PlanPrices) -> Result<Manifest, PlanError> {
    let text = text_of(document)?;
    let format = match format {
        Some(format) => format,
        None => PlanFormat::of(text)?,
    };
    match format {
        PlanFormat::UsherJson => usher_json::read(text, prices),
        PlanFormat::PretixJson => pretix_json::read(text, prices),
    }
}

/// Some editors put a byte order mark first; JSON knows none, so it is dropped.
fn text_of(document: &[u8]) -> Result<&str, PlanError> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(PlanError::of_document(PlanProblem::TooLarge { bytes: document.len() }));
    }
    match std::str::from_utf8(document) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = &document[..error.valid_up_to()];
            let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let column = before.len() - line_start + 1;
            Err(PlanError::of_document(PlanProblem::NotUtf8 { line, column }))
        }
    }
}

/// The one way from text to a document's types: with the path in the error, and nothing after the document.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, PlanError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let problem = PlanProblem::Json(error.into_inner());
        if path == "." { PlanError::of_document(problem) } else { PlanError { path, problem } }
    })?;
    deserializer.end().map_err(|error| PlanError::of_document(PlanProblem::Json(error)))?;
    Ok(value)
}

impl PlanFormat {
    /// By the first of the two telling keys; nothing after it is looked at.
    fn of(text: &str) -> Result<Self, PlanError> {
        let mut found = None;
        let top = TopKeys { found: &mut found };
        let end = serde_json::Deserializer::from_str(text).deserialize_map(top);
        match (found, end) {
            (Some(format), _) => Ok(format),
            (None, Ok(())) => Err(PlanError::of_document(PlanProblem::UnknownFormat)),
            (None, Err(error)) => Err(PlanError::of_document(PlanProblem::Json(error))),
        }
    }
}

struct TopKeys<'a> {
    found: &'a mut Option<PlanFormat>,
}

impl<'de> Visitor<'de> for TopKeys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            *self.found = match key.as_str() {
                "sections" => Some(PlanFormat::UsherJson),
                "zones" => Some(PlanFormat::PretixJson),
                _ => None,
            };
            if self.found.is_some() {
                return Err(A::Error::custom("known; no need to read on"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
