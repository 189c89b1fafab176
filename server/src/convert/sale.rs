//! When a show is sold: its times and its states.

use usher_engine::{
    command::ScheduleSale,
    inventory::sale::{Sale, ShowState, Stage},
    time::Timestamp,
};
use usher_proto::v1;

use super::Violations;
use crate::status::Refusal;

/// Reads when a new show is sold; at once if that is absent.
///
/// # Errors
/// A refusal that names every field that is wrong.
pub fn sale(wire: Option<&v1::Sale>) -> Result<Sale, Refusal> {
    let Some(wire) = wire else { return Ok(Sale::default()) };
    let mut violations = Violations::default();
    if wire.is_draft {
        violations.require(wire.opens_at_ms == 0, "sale.opens_at_ms", "must be 0: a draft has no times");
        violations.require(wire.closes_at_ms.is_none(), "sale.closes_at_ms", "must be absent: a draft has no times");
        return violations.done(Some(Sale { stage: Stage::Draft, ..Sale::default() }));
    }
    let fields = ["sale.opens_at_ms", "sale.closes_at_ms"];
    let times = times(fields, wire.opens_at_ms, wire.closes_at_ms, &mut violations);
    let sale = times.map(|(opens_at, closes_at)| Sale { stage: Stage::Planned, opens_at, closes_at });
    violations.done(sale)
}

/// Reads the times of a ScheduleSale.
///
/// # Errors
/// As [`sale`].
pub fn schedule_sale(wire: &v1::ScheduleSaleRequest) -> Result<ScheduleSale, Refusal> {
    let mut violations = Violations::default();
    let times = times(["opens_at_ms", "closes_at_ms"], wire.opens_at_ms, wire.closes_at_ms, &mut violations);
    violations.done(times.map(|(opens_at, closes_at)| ScheduleSale { opens_at, closes_at }))
}

fn times(
    fields: [&str; 2],
    opens_at_ms: u64,
    closes_at_ms: Option<u64>,
    violations: &mut Violations,
) -> Option<(Timestamp, Option<Timestamp>)> {
    let opens_at = violations.instant(fields[0], opens_at_ms);
    let closes_at = violations.later(fields[1], closes_at_ms);
    let (opens_at, closes_at) = (opens_at?, closes_at?);
    let is_after = closes_at.is_none_or(|closes_at| closes_at > opens_at);
    violations.require(is_after, fields[1], format_args!("must be after {}, {opens_at}", fields[0]));
    Some((opens_at, closes_at))
}

/// A state for the wire.
#[must_use]
pub fn state_to_wire(state: ShowState) -> v1::ShowState {
    match state {
        ShowState::Draft => v1::ShowState::Draft,
        ShowState::Scheduled => v1::ShowState::Scheduled,
        ShowState::OnSale => v1::ShowState::OnSale,
        ShowState::Paused => v1::ShowState::Paused,
        ShowState::Closed => v1::ShowState::Closed,
        ShowState::Cancelled => v1::ShowState::Cancelled,
        ShowState::Archived => v1::ShowState::Archived,
    }
}
