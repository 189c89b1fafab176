//! `usher show`: import, list and look at shows.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use usher_proto::v1::{self, availability_client::AvailabilityClient, shows_client::ShowsClient};

use super::{client::ServerArgs, places::parse_length_ms};
use crate::{convert, plan::usher_json};

/// Largest answer that is read: a whole manifest.
const MANIFEST_BYTES_MAX: usize = 64 << 20;

/// What to do with shows.
#[derive(Debug, Subcommand)]
pub(super) enum Show {
    /// Create a show from a seating plan (Usher's JSON or pretix seating-plan JSON)
    Import(Import),
    /// List shows
    List(List),
    /// Print a show: how many places are available, held and sold
    Get(Get),
    /// Print the JSON Schema of Usher's seating plans
    Schema,
}

/// Importing the same plan again is a success.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Id of the new show: 1 to 64 characters of A-Z a-z 0-9 . _ : -
    show: String,
    /// Seating plan
    plan: PathBuf,
    /// Format of the plan [default: found out from the plan]
    #[arg(long)]
    format: Option<Format>,
    /// Price of a category in minor units, for plans without prices; may stand several times
    #[arg(long = "price", value_name = "CATEGORY=MINOR", value_parser = parse_price)]
    prices: Vec<(String, u64)>,
    /// Currency, ISO 4217, for plans without one
    #[arg(long, default_value = "")]
    currency: String,
    /// Places in one hold, 1 to 1000 [default: 10]
    #[arg(long, value_name = "N")]
    places_per_hold_max: Option<u32>,
    /// How long a hold lives that asks for no length, 5s to 2h [default: 10m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    hold_ttl: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Usher,
    Pretix,
}

/// In the order of their ids.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    server: ServerArgs,
}

/// Counts as of this instant.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Show to print
    show: String,
    /// Print its seating plan in Usher's JSON instead
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    server: ServerArgs,
}

fn parse_price(text: &str) -> anyhow::Result<(String, u64)> {
    let (category, price) = text.rsplit_once('=').context("must be CATEGORY=MINOR, such as Gold=9500")?;
    let price = price.parse().with_context(|| format!("the price {price:?} must be a whole number of minor units"))?;
    Ok((category.to_owned(), price))
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Get(command) => command.run(),
            Self::Schema => {
                println!("{:#}", usher_json::schema());
                Ok(())
            }
        }
    }
}

impl Import {
    fn run(self) -> anyhow::Result<()> {
        let plan = std::fs::read(&self.plan).with_context(|| self.plan.display().to_string())?;
        let format = match self.format {
            None => v1::PlanFormat::Unspecified,
            Some(Format::Usher) => v1::PlanFormat::UsherJson,
            Some(Format::Pretix) => v1::PlanFormat::PretixJson,
        };
        let request = v1::ImportShowRequest {
            show_id: self.show,
            plan: plan.into(),
            format: format.into(),
            prices_minor: self.prices.into_iter().collect::<BTreeMap<_, _>>(),
            currency: self.currency,
            policy: Some(v1::Policy {
                places_per_hold_max: self.places_per_hold_max,
                hold_ttl_ms_default: self.hold_ttl,
                ..v1::Policy::default()
            }),
            sale: None,
        };
        self.server.block_on(async |channel| {
            let answer = ShowsClient::new(channel).import_show(request).await?.into_inner();
            let show = answer.show.unwrap_or_default();
            if self.server.json {
                println!("{}", show_json(&show, None));
            } else {
                let how = if answer.existed { "was there already, with equal content" } else { "created" };
                println!("{}: {} with {} places, {how}", show.show_id, show.name, show.places);
            }
            Ok(())
        })
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |channel| {
            let mut client = ShowsClient::new(channel);
            let mut page_token = String::new();
            loop {
                let request = v1::ListShowsRequest { page_size: 1_000, page_token };
                let page = client.list_shows(request).await?.into_inner();
                for show in &page.shows {
                    if self.server.json {
                        println!("{}", show_json(show, None));
                    } else {
                        println!(
                            "{:<24} {:>9} places  shard {:<3} {}",
                            show.show_id, show.places, show.shard, show.name
                        );
                    }
                }
                if page.next_page_token.is_empty() {
                    return Ok(());
                }
                page_token = page.next_page_token;
            }
        })
    }
}

impl Get {
    fn run(self) -> anyhow::Result<()> {
        self.server.block_on(async |channel| {
            let request = v1::GetShowRequest { show_id: self.show.clone() };
            let mut shows = ShowsClient::new(channel.clone()).max_decoding_message_size(MANIFEST_BYTES_MAX);
            let answer = shows.get_show(request).await?.into_inner();
            let show = answer.show.unwrap_or_default();
            if self.plan {
                let manifest =
                    convert::manifest::manifest(answer.manifest).map_err(crate::status::Refusal::into_status)?;
                println!("{}", serde_json::to_string_pretty(&usher_json::write(manifest.parts()))?);
                return Ok(());
            }
            let request = v1::GetSeatMapRequest { show_id: self.show, min_version: 0 };
            let map = AvailabilityClient::new(channel).get_seat_map(request).await?.into_inner();
            let Some(counts) = map.counts else { bail!("an answer without counts") };
            if self.server.json {
                println!("{}", show_json(&show, Some(&counts)));
                return Ok(());
            }
            println!("{}: {} on shard {}, version {}", show.show_id, show.name, show.shard, map.version);
            for (status, count) in [("available", counts.available), ("held", counts.held), ("sold", counts.sold)] {
                println!("  {count:>9} {status}");
            }
            Ok(())
        })
    }
}

fn show_json(show: &v1::Show, counts: Option<&v1::Counts>) -> serde_json::Value {
    let mut json = serde_json::json!({
        "show_id": show.show_id, "name": show.name, "places": show.places, "shard": show.shard,
    });
    if let Some(counts) = counts {
        json["available"] = counts.available.into();
        json["held"] = counts.held.into();
        json["sold"] = counts.sold.into();
    }
    json
}
