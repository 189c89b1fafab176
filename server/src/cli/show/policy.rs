//! `usher show policy`: the rules of a show, and the flags that set them.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use usher_proto::v1;

use crate::cli::{client::ServerArgs, places::parse_length_ms, when::parse_when};

/// Without a rule to change, prints those in force. What is not named stays as it is.
#[derive(Debug, Args)]
pub(in crate::cli) struct Policy {
    /// The show
    show: String,
    #[command(flatten)]
    rules: PolicyArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// The rules of a show.
#[derive(Clone, Debug, Args)]
pub(super) struct PolicyArgs {
    /// Places in one hold, 1 to 1000 [new shows: 10]
    #[arg(long, value_name = "N")]
    places_per_hold_max: Option<u32>,
    /// How long a hold lives that asks for no length, 5s to 2h [new shows: 10m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    hold_ttl: Option<u64>,
    /// Longest life of a hold, 5s to 24h [new shows: 30m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    hold_life_max: Option<u64>,
    /// Live holds of one buyer [new shows: 10]
    #[arg(long, value_name = "N")]
    live_holds_per_buyer_max: Option<u32>,
    /// Places held and sold of one buyer [new shows: 100]
    #[arg(long, value_name = "N")]
    places_per_buyer_max: Option<u32>,
    /// Live holds of the show [new shows: 1000000]
    #[arg(long, value_name = "N")]
    holds_per_show_max: Option<u32>,
    /// What becomes of a hand-picked hold that leaves single seats over [new shows: off]
    #[arg(long, value_name = "RULE")]
    orphan_rule: Option<OrphanRule>,
    /// From when on nobody looks for single seats; 0 for never [new shows: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    orphan_rule_ends_at: Option<u64>,
    /// How long after its deadline a hold may be confirmed with --accept-late, 0s to 10m [new shows: 30s]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    late_confirm_max: Option<u64>,
    /// How long a pin lasts beyond the hold's longest life, 0s to 24h [new shows: 30m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    pin_max: Option<u64>,
    /// Holds that a buyer may let expire before he has to wait, 0 for any number [new shows: 0]
    #[arg(long, value_name = "N")]
    lapses_max: Option<u32>,
    /// How long he has to wait, 0s to 24h [new shows: 10m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    cool_down: Option<u64>,
    /// Places of a buyer who had let a hold expire come back within so long, 0s to 10m [new shows: 0s]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    return_spread: Option<u64>,
    /// Entries that may wait, 0 for no waitlist [new shows: 100000]
    #[arg(long, value_name = "N")]
    waitlist_max: Option<u32>,
    /// Who of those who wait is served first [new shows: fifo]
    #[arg(long, value_name = "ORDER")]
    waitlist_order: Option<WaitlistOrder>,
    /// Seed of a lottery; keep it from those who join
    #[arg(long, value_name = "N")]
    waitlist_lottery_seed: Option<u64>,
    /// From when on nobody may join or gets an offer; 0 for never [new shows: never]
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    waitlist_closes_at: Option<u64>,
    /// How long an offer is good, 5s to 2h [new shows: 10m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    offer_ttl: Option<u64>,
    /// How long places may be gathered for a party that waits, 0s to 1h [new shows: 10m]
    #[arg(long, value_name = "LENGTH", value_parser = parse_length_ms)]
    gather_max: Option<u64>,
    /// Places a second that a mass return, more than 64 at once, offers to those who wait, 1 to 100000 [new shows: 1000]
    #[arg(long, value_name = "N")]
    returns_per_second_max: Option<u32>,
    /// How often one hold may be extended, 0 to 1000000 [new shows: 1000000]
    #[arg(long, value_name = "N")]
    extends_max: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrphanRule {
    /// Nobody looks
    Off,
    /// It is granted, and the seats are named
    Avoid,
    /// It is refused, unless there is no other way
    Forbid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WaitlistOrder {
    /// Who joined first
    Fifo,
    /// Who has the higher priority
    Priority,
    /// In an order that a seed decides
    Lottery,
}

impl PolicyArgs {
    pub(super) fn into_policy(self) -> v1::Policy {
        let orphan_rule = self.orphan_rule.map(|rule| match rule {
            OrphanRule::Off => v1::OrphanRule::Off,
            OrphanRule::Avoid => v1::OrphanRule::Avoid,
            OrphanRule::Forbid => v1::OrphanRule::Forbid,
        });
        let waitlist_order = self.waitlist_order.map(|order| match order {
            WaitlistOrder::Fifo => v1::WaitlistOrder::Fifo,
            WaitlistOrder::Priority => v1::WaitlistOrder::Priority,
            WaitlistOrder::Lottery => v1::WaitlistOrder::Lottery,
        });
        v1::Policy {
            hold_ttl_ms_default: self.hold_ttl,
            hold_life_ms_max: self.hold_life_max,
            places_per_hold_max: self.places_per_hold_max,
            live_holds_per_buyer_max: self.live_holds_per_buyer_max,
            places_per_buyer_max: self.places_per_buyer_max,
            holds_per_show_max: self.holds_per_show_max,
            orphan_rule: orphan_rule.map(Into::into),
            late_confirm_ms_max: self.late_confirm_max,
            pin_ms_max: self.pin_max,
            lapses_max: self.lapses_max,
            cool_down_ms: self.cool_down,
            return_spread_ms: self.return_spread,
            waitlist_max: self.waitlist_max,
            waitlist_order: waitlist_order.map(Into::into),
            waitlist_lottery_seed: self.waitlist_lottery_seed,
            waitlist_closes_at_ms: self.waitlist_closes_at,
            offer_ttl_ms: self.offer_ttl,
            gather_ms_max: self.gather_max,
            returns_per_second_max: self.returns_per_second_max,
            extends_max: self.extends_max,
            orphan_rule_ends_at_ms: self.orphan_rule_ends_at,
        }
    }
}

impl Policy {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (show_id, policy) = (self.show, self.rules.into_policy());
        self.server.block_on(async |inventory| {
            let show = if policy == v1::Policy::default() {
                inventory.get_show(v1::GetShowRequest { show_id }).await?.show
            } else {
                inventory.update_policy(v1::UpdatePolicyRequest { show_id, policy: Some(policy) }).await?.show
            };
            print(&show.unwrap_or_default(), self.server.json());
            Ok(())
        })
    }
}

fn print(show: &v1::Show, json: bool) {
    let policy = policy_json(&show.policy.unwrap_or_default());
    if json {
        println!("{policy}");
        return;
    }
    println!("{}:", show.show_id);
    for (name, value) in policy.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        println!("  {name:<26} {value}");
    }
}

fn policy_json(policy: &v1::Policy) -> Value {
    let orphan_rule = policy.orphan_rule().as_str_name().trim_start_matches("ORPHAN_RULE_").to_lowercase();
    let waitlist_order = policy.waitlist_order().as_str_name().trim_start_matches("WAITLIST_ORDER_").to_lowercase();
    json!({
        "hold_ttl_ms_default": policy.hold_ttl_ms_default,
        "hold_life_ms_max": policy.hold_life_ms_max,
        "places_per_hold_max": policy.places_per_hold_max,
        "live_holds_per_buyer_max": policy.live_holds_per_buyer_max,
        "places_per_buyer_max": policy.places_per_buyer_max,
        "holds_per_show_max": policy.holds_per_show_max,
        "orphan_rule": orphan_rule,
        "orphan_rule_ends_at_ms": policy.orphan_rule_ends_at_ms,
        "late_confirm_ms_max": policy.late_confirm_ms_max,
        "pin_ms_max": policy.pin_ms_max,
        "lapses_max": policy.lapses_max,
        "cool_down_ms": policy.cool_down_ms,
        "return_spread_ms": policy.return_spread_ms,
        "waitlist_max": policy.waitlist_max,
        "waitlist_order": waitlist_order,
        "waitlist_closes_at_ms": policy.waitlist_closes_at_ms,
        "offer_ttl_ms": policy.offer_ttl_ms,
        "gather_ms_max": policy.gather_ms_max,
        "returns_per_second_max": policy.returns_per_second_max,
        "extends_max": policy.extends_max,
    })
}
