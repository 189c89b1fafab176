//! Categories of a pretix plan: which are used, what they cost, and which position each has in the manifest.
//!
//! It says all missing prices at once, because whoever forgot one has usually forgotten more.

use std::collections::BTreeMap;

use usher_engine::inventory::manifest::{Category, CategoryIndex};

use super::{SeatSpot, document::PretixPlan};
use crate::plan::{PlanError, PlanPrices, PlanProblem, categories};

/// The categories that seats use, in the order in which the plan defines them.
pub(super) struct Categories<'a> {
    used: Vec<UsedCategory<'a>>,
    index: BTreeMap<&'a str, CategoryIndex>,
}

struct UsedCategory<'a> {
    /// Position among the plan's categories, used or not.
    position: usize,
    name: &'a str,
    price_minor: u64,
}

impl<'a> Categories<'a> {
    pub(super) fn of(plan: &'a PretixPlan<'_>, prices: &PlanPrices) -> Result<Self, PlanError> {
        let defined = categories::positions(plan.categories.iter().map(|category| category.name.as_ref()))?;
        for name in prices.by_category.keys() {
            if !defined.contains_key(name.as_str()) {
                return Err(PlanError::of_price(name, unknown(plan, name)));
            }
        }
        let is_used = used(plan, &defined)?;
        let names = plan.categories.iter().map(|category| category.name.as_ref()).enumerate();
        let names = names.filter(|&(position, _)| is_used[position]).collect();
        let used = priced(names, prices)?;
        let index = used.iter().map(|category| category.name).zip((0u8..).map(CategoryIndex)).collect();
        Ok(Self { used, index })
    }

    /// Of a category that a seat uses, which `of` has made sure of.
    pub(super) fn index(&self, name: &str) -> CategoryIndex {
        self.index[name]
    }

    pub(super) fn priced(&self) -> Vec<Category> {
        let used = self.used.iter();
        used.map(|category| Category { name: category.name.to_owned(), price_minor: category.price_minor }).collect()
    }

    /// A used category's position in the plan and its name, by its position in the manifest.
    pub(super) fn used(&self, category: usize) -> Option<(usize, &str)> {
        self.used.get(category).map(|category| (category.position, category.name))
    }
}

/// For each category of the plan, whether a seat uses it.
fn used(plan: &PretixPlan<'_>, defined: &BTreeMap<&str, usize>) -> Result<Vec<bool>, PlanError> {
    let mut used = vec![false; plan.categories.len()];
    for (zone, description) in plan.zones.iter().enumerate() {
        for (row, description) in description.rows.iter().enumerate() {
            let mut last = None;
            for (seat, description) in description.seats.iter().enumerate() {
                let name = description.category.as_ref();
                // Neighbours mostly share a category: one comparison instead of a look-up.
                if last == Some(name) {
                    continue;
                }
                last = Some(name);
                match defined.get(name) {
                    Some(&position) => used[position] = true,
                    None => {
                        let path = SeatSpot { zone, row, seat }.path("category");
                        return Err(PlanError::at(path, unknown(plan, name)));
                    }
                }
            }
        }
    }
    Ok(used)
}

fn priced<'a>(names: Vec<(usize, &'a str)>, prices: &PlanPrices) -> Result<Vec<UsedCategory<'a>>, PlanError> {
    categories::check_count(names.len())?;
    let mut used = Vec::with_capacity(names.len());
    let mut missing = Vec::new();
    for (position, name) in names {
        match prices.by_category.get(name) {
            Some(&price_minor) => used.push(UsedCategory { position, name, price_minor }),
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        return Ok(used);
    }
    Err(PlanError::at("categories", PlanProblem::NoPrices { categories: missing }))
}

fn unknown(plan: &PretixPlan<'_>, name: &str) -> PlanProblem {
    categories::unknown(name, plan.categories.iter().map(|category| category.name.as_ref()))
}
