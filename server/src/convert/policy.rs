//! The rules of a show.

use usher_engine::{
    inventory::policy::{OrphanRule, Policy, WaitlistOrder},
    time::HoldTtl,
};
use usher_proto::v1;

use super::Violations;
use crate::status::Refusal;

/// Reads rules; absent fields stay as they are in `present`.
///
/// # Errors
/// A refusal that names every field out of its range.
pub fn policy(wire: Option<&v1::Policy>, present: Policy) -> Result<Policy, Refusal> {
    let Some(wire) = wire else { return Ok(present) };
    let mut violations = Violations::default();
    let policy = Policy {
        hold_ttl_default: ttl(
            "hold_ttl_ms_default",
            wire.hold_ttl_ms_default,
            present.hold_ttl_default,
            &mut violations,
        ),
        hold_life_ms_max: wire.hold_life_ms_max.unwrap_or(present.hold_life_ms_max),
        places_per_hold_max: wire.places_per_hold_max.unwrap_or(present.places_per_hold_max),
        live_holds_per_buyer_max: wire.live_holds_per_buyer_max.unwrap_or(present.live_holds_per_buyer_max),
        places_per_buyer_max: wire.places_per_buyer_max.unwrap_or(present.places_per_buyer_max),
        holds_per_show_max: wire.holds_per_show_max.unwrap_or(present.holds_per_show_max),
        orphans: orphan_rule(wire, present.orphans, &mut violations),
        late_confirm_ms_max: wire.late_confirm_ms_max.unwrap_or(present.late_confirm_ms_max),
        pin_ms_max: wire.pin_ms_max.unwrap_or(present.pin_ms_max),
        lapses_max: wire.lapses_max.unwrap_or(present.lapses_max),
        cool_down_ms: wire.cool_down_ms.unwrap_or(present.cool_down_ms),
        return_spread_ms: wire.return_spread_ms.unwrap_or(present.return_spread_ms),
        waitlist_max: wire.waitlist_max.unwrap_or(present.waitlist_max),
        waitlist_order: waitlist_order(wire, present.waitlist_order, &mut violations),
        waitlist_closes_at: match wire.waitlist_closes_at_ms {
            None => present.waitlist_closes_at,
            Some(0) => None,
            Some(ms) => violations.instant("policy.waitlist_closes_at_ms", ms),
        },
        offer_ttl: ttl("offer_ttl_ms", wire.offer_ttl_ms, present.offer_ttl, &mut violations),
        gather_ms_max: wire.gather_ms_max.unwrap_or(present.gather_ms_max),
        returns_per_second_max: wire.returns_per_second_max.unwrap_or(present.returns_per_second_max),
        extends_max: wire.extends_max.unwrap_or(present.extends_max),
        orphan_rule_ends_at: match wire.orphan_rule_ends_at_ms {
            None => present.orphan_rule_ends_at,
            Some(0) => None,
            Some(ms) => violations.instant("policy.orphan_rule_ends_at_ms", ms),
        },
    };
    for error in policy.errors() {
        let description = format_args!("must be {} to {}, is {}", error.min, error.max, error.found);
        violations.note(&format!("policy.{}", error.field), description);
    }
    violations.done(Some(policy))
}

fn ttl(field: &str, ms: Option<u64>, present: HoldTtl, violations: &mut Violations) -> HoldTtl {
    let read = ms.and_then(|ms| violations.take(&format!("policy.{field}"), HoldTtl::from_ms(ms)));
    read.unwrap_or(present)
}

fn orphan_rule(wire: &v1::Policy, present: OrphanRule, violations: &mut Violations) -> OrphanRule {
    let Some(rule) = wire.orphan_rule else { return present };
    match v1::OrphanRule::try_from(rule) {
        Ok(v1::OrphanRule::Off) => OrphanRule::Off,
        Ok(v1::OrphanRule::Avoid) => OrphanRule::Avoid,
        Ok(v1::OrphanRule::Forbid) => OrphanRule::Forbid,
        Ok(v1::OrphanRule::Unspecified) | Err(_) => {
            violations.note("policy.orphan_rule", "must be OFF, AVOID or FORBID");
            present
        }
    }
}

/// A lottery keeps its seed unless another one is given.
fn waitlist_order(wire: &v1::Policy, present: WaitlistOrder, violations: &mut Violations) -> WaitlistOrder {
    let seed = wire.waitlist_lottery_seed;
    let order = match wire.waitlist_order.map(v1::WaitlistOrder::try_from) {
        None => present,
        Some(Ok(v1::WaitlistOrder::Fifo)) => WaitlistOrder::Fifo,
        Some(Ok(v1::WaitlistOrder::Priority)) => WaitlistOrder::Priority,
        Some(Ok(v1::WaitlistOrder::Lottery)) => match (present, seed) {
            (WaitlistOrder::Lottery { .. }, None) => present,
            (_, Some(seed)) => WaitlistOrder::Lottery { seed },
            (_, None) => {
                violations.note("policy.waitlist_lottery_seed", "must be set: a lottery needs a seed");
                present
            }
        },
        Some(Ok(v1::WaitlistOrder::Unspecified) | Err(_)) => {
            violations.note("policy.waitlist_order", "must be FIFO, PRIORITY or LOTTERY");
            present
        }
    };
    match (order, seed) {
        (WaitlistOrder::Lottery { .. }, Some(seed)) => WaitlistOrder::Lottery { seed },
        (WaitlistOrder::Fifo | WaitlistOrder::Priority, Some(_)) => {
            violations.note("policy.waitlist_lottery_seed", "must be absent: the order is no LOTTERY");
            order
        }
        (order, None) => order,
    }
}

/// Rules with every field set, but for the seed of a lottery, which stays here.
#[must_use]
pub fn policy_to_wire(policy: &Policy) -> v1::Policy {
    let orphan_rule = match policy.orphans {
        OrphanRule::Off => v1::OrphanRule::Off,
        OrphanRule::Avoid => v1::OrphanRule::Avoid,
        OrphanRule::Forbid => v1::OrphanRule::Forbid,
    };
    let waitlist_order = match policy.waitlist_order {
        WaitlistOrder::Fifo => v1::WaitlistOrder::Fifo,
        WaitlistOrder::Priority => v1::WaitlistOrder::Priority,
        WaitlistOrder::Lottery { .. } => v1::WaitlistOrder::Lottery,
    };
    v1::Policy {
        hold_ttl_ms_default: Some(policy.hold_ttl_default.ms()),
        hold_life_ms_max: Some(policy.hold_life_ms_max),
        places_per_hold_max: Some(policy.places_per_hold_max),
        live_holds_per_buyer_max: Some(policy.live_holds_per_buyer_max),
        places_per_buyer_max: Some(policy.places_per_buyer_max),
        holds_per_show_max: Some(policy.holds_per_show_max),
        orphan_rule: Some(orphan_rule.into()),
        late_confirm_ms_max: Some(policy.late_confirm_ms_max),
        pin_ms_max: Some(policy.pin_ms_max),
        lapses_max: Some(policy.lapses_max),
        cool_down_ms: Some(policy.cool_down_ms),
        return_spread_ms: Some(policy.return_spread_ms),
        waitlist_max: Some(policy.waitlist_max),
        waitlist_order: Some(waitlist_order.into()),
        waitlist_lottery_seed: None,
        waitlist_closes_at_ms: Some(policy.waitlist_closes_at.map_or(0, |at| at.0)),
        offer_ttl_ms: Some(policy.offer_ttl.ms()),
        gather_ms_max: Some(policy.gather_ms_max),
        returns_per_second_max: Some(policy.returns_per_second_max),
        extends_max: Some(policy.extends_max),
        orphan_rule_ends_at_ms: Some(policy.orphan_rule_ends_at.map_or(0, |at| at.0)),
    }
}
