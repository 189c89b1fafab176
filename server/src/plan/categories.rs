//! The names of a document's categories, whichever its format: unique, few enough, found by name.
//!
//! Prices are the formats' business.

use std::collections::BTreeMap;

use usher_engine::inventory::manifest::{CATEGORIES_MAX, ManifestProblem};

use super::{PlanError, PlanProblem};

/// Each name's position among the document's `categories`.
///
/// # Errors
/// With both paths when a name stands twice.
pub(super) fn positions<'a>(names: impl Iterator<Item = &'a str>) -> Result<BTreeMap<&'a str, usize>, PlanError> {
    let mut positions = BTreeMap::new();
    for (position, name) in names.enumerate() {
        if let Some(first) = positions.insert(name, position) {
            let (name, first) = (name.to_owned(), format!("categories[{first}].name"));
            return Err(PlanError::at(format!("categories[{position}].name"), PlanProblem::Repeated { name, first }));
        }
    }
    Ok(positions)
}

/// Because a category's position must fit into its byte before a manifest can say that it does not.
pub(super) fn check_count(found: usize) -> Result<(), PlanError> {
    if (1..=CATEGORIES_MAX).contains(&found) {
        return Ok(());
    }
    let problem = ManifestProblem::Count { found, max: CATEGORIES_MAX };
    Err(PlanError::at("categories", PlanProblem::Manifest(problem)))
}

/// For a name that is not among these.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> PlanProblem {
    PlanProblem::UnknownCategory { name: name.to_owned(), known: known.map(str::to_owned).collect() }
}
