//! What few requests for places say besides, and what a party wishes for, as flags.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use usher_proto::v1;

use super::places::HoldIdArg;

/// What few requests say besides.
#[derive(Clone, Debug, Args)]
pub(super) struct TermsArgs {
    /// Key of a channel to draw from besides the public places; may stand several times
    #[arg(long = "channel", value_name = "KEY")]
    channels: Vec<String>,
    /// The buyer is entitled to wheelchair bays and companions' seats that are named
    #[arg(long)]
    accessible: bool,
    /// Speak for the house: seats that are blocked for it may be taken; of units unblock some first
    #[arg(long)]
    house: bool,
    /// Refuse if a named place changed its price or category since this version of the manifest
    #[arg(long, value_name = "N")]
    manifest_version: Option<u32>,
    /// For staff: set aside what limits one buyer, his cool-down and the orphan rule; why is kept with the hold and logged
    #[arg(long, value_name = "REASON", default_value = "", hide_default_value = true)]
    override_reason: String,
}

impl TermsArgs {
    pub(super) fn into_terms(self, replaces: Option<HoldIdArg>) -> v1::Terms {
        v1::Terms {
            replaces: replaces.map(HoldIdArg::bytes).unwrap_or_default(),
            channel_keys: self.channels,
            accessible: self.accessible,
            house: self.house,
            manifest_version: self.manifest_version,
            override_reason: self.override_reason,
        }
    }
}

/// What a party wishes for.
#[derive(Clone, Debug, Args)]
pub(super) struct WishArgs {
    /// How many places, 1 to 1000
    #[arg(long, value_name = "N")]
    quantity: Option<u32>,
    /// How the seats may lie
    #[arg(long, default_value = "preferred")]
    adjacency: Adjacency,
    /// Category that will do; may stand several times [default: any]
    #[arg(long = "category", value_name = "NAME")]
    categories: Vec<String>,
    /// Section that will do; may stand several times [default: any section of seats]
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<String>,
    /// No place that costs more, in minor units
    #[arg(long, value_name = "MINOR")]
    price_max: Option<u64>,
    /// No seat with a restricted view
    #[arg(long)]
    exclude_restricted: bool,
    /// Wheelchair bays among the places
    #[arg(long, value_name = "N", default_value_t = 0)]
    bays: u32,
    /// Companions' seats among the places, beside the bays
    #[arg(long, value_name = "N", default_value_t = 0)]
    companions: u32,
    /// Take fewer if there are not enough, but at least so many; only of one general-admission section
    #[arg(long, value_name = "N")]
    at_least: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Adjacency {
    /// Side by side in one row, or not at all
    Required,
    /// Side by side if possible, otherwise in as few groups as possible
    Preferred,
    /// The best seats, wherever they are
    Any,
}

impl WishArgs {
    pub(super) fn into_wish(self) -> v1::Wish {
        let adjacency = match self.adjacency {
            Adjacency::Required => v1::Adjacency::Required,
            Adjacency::Preferred => v1::Adjacency::Preferred,
            Adjacency::Any => v1::Adjacency::Any,
        };
        v1::Wish {
            quantity: self.quantity.unwrap_or(0),
            at_least: self.at_least,
            adjacency: adjacency.into(),
            categories: self.categories,
            sections: self.sections,
            price_minor_max: self.price_max,
            exclude_restricted_view: self.exclude_restricted,
            wheelchair_bays: self.bays,
            companions: self.companions,
        }
    }
}

/// `adult=2`.
pub(super) fn parse_ticket(text: &str) -> anyhow::Result<(String, u32)> {
    let (name, count) = text.rsplit_once('=').context("must be TYPE=COUNT, such as adult=2")?;
    let count = count.parse().with_context(|| format!("the count {count:?} must be a number"))?;
    Ok((name.to_owned(), count))
}
