//! `usher show import`: a show from a seating plan.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use usher_proto::v1;

use super::{describe::show_json, policy::PolicyArgs};
use crate::{
    cli::{client::ServerArgs, places::money, when::parse_when},
    plan::{self, PlanPrices},
};

/// Importing the same plan again is a success.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// Id of the new show: 1 to 64 characters of A-Z a-z 0-9 . _ : -
    show: String,
    /// Seating plan
    plan: PathBuf,
    /// Format of the plan [default: found out from the plan]
    #[arg(long)]
    format: Option<Format>,
    /// Price of a category in minor units, for plans without prices; comes before a price that the plan has. May stand
    /// several times
    #[arg(long = "price", value_name = "CATEGORY=MINOR", value_parser = parse_price)]
    prices: Vec<(String, u64)>,
    /// Currency, ISO 4217, for plans without one; comes before the plan's
    #[arg(long, default_value = "")]
    currency: String,
    /// Not to be sold yet
    #[arg(long, conflicts_with_all = ["opens_at", "closes_at"])]
    draft: bool,
    /// From when on places can be held: +10m, 2026-12-24T18:00:00Z, or milliseconds since 1970 [default: at once]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    opens_at: Option<u64>,
    /// From when on they cannot, for good: a sale that has closed does not open again [default: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    closes_at: Option<u64>,
    #[command(flatten)]
    rules: PolicyArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Usher,
    Pretix,
}

fn parse_price(text: &str) -> anyhow::Result<(String, u64)> {
    let (category, price) = text.rsplit_once('=').context("must be CATEGORY=MINOR, such as Gold=9500")?;
    let price = price.parse().with_context(|| format!("the price {price:?} must be a whole number of minor units"))?;
    Ok((category.to_owned(), price))
}

/// What of a plan the flags replaced. A plan that has no prices of its own cannot be read without them.
fn replaced(document: &[u8], prices: &[(String, u64)], currency: &str) -> Vec<String> {
    let Ok(own) = plan::read(document, None, &PlanPrices::default()) else { return Vec::new() };
    let own = own.parts();
    let now = if currency.is_empty() { &own.currency } else { currency };
    let price = |(name, price): &(String, u64)| {
        let before = own.categories.iter().find(|category| category.name == *name)?.price_minor;
        let text = || format!("{name}: {} instead of the plan's {}", money(*price, now), money(before, &own.currency));
        (before != *price).then(text)
    };
    let is_other = !currency.is_empty() && currency != own.currency;
    let currency = is_other.then(|| format!("{currency} instead of the plan's {}", own.currency));
    prices.iter().filter_map(price).chain(currency).collect()
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let plan = std::fs::read(&self.plan).with_context(|| self.plan.display().to_string())?;
        let format = match self.format {
            None => v1::PlanFormat::Unspecified,
            Some(Format::Usher) => v1::PlanFormat::UsherJson,
            Some(Format::Pretix) => v1::PlanFormat::PretixJson,
        };
        let replaced = if self.server.json() { Vec::new() } else { replaced(&plan, &self.prices, &self.currency) };
        let request = v1::ImportShowRequest {
            show_id: self.show,
            plan: plan.into(),
            format: format.into(),
            prices_minor: self.prices.into_iter().collect::<BTreeMap<_, _>>(),
            currency: self.currency,
            policy: Some(self.rules.into_policy()),
            sale: Some(v1::Sale {
                is_draft: self.draft,
                opens_at_ms: self.opens_at.unwrap_or(0),
                closes_at_ms: self.closes_at,
            }),
        };
        self.server.block_on(async |inventory| {
            let answer = inventory.import_show(request).await?;
            let show = answer.show.unwrap_or_default();
            if self.server.json() {
                println!("{}", show_json(&show));
            } else {
                let how = if answer.existed { "was there already, with equal content" } else { "created" };
                println!("{}: {} with {} places, {how}", show.show_id, show.name, show.places);
                replaced.iter().for_each(|replaced| println!("  {replaced}"));
            }
            Ok(())
        })
    }
}
