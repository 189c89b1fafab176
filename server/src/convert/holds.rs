//! The commands of a hold's life: made, extended, released, confirmed, pinned, asked for.

use usher_engine::{
    command::{Command, ConfirmHold, ExtendHold, HoldSeats, OwnHold, Part, ReleaseHold, Terms},
    inventory::manifest::Manifest,
};
use usher_proto::v1;

use super::{
    Violations,
    places::{places, subset, terms},
};
use crate::status::Refusal;

pub(super) fn hold_seats(wire: &v1::HoldSeatsRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let ttl = violations.ttl(wire.ttl_ms);
    let terms = terms(wire.terms.as_deref(), &mut violations);
    let places = places(wire.places.as_ref(), manifest, &mut violations)?;
    let read = || {
        let terms = terms.filter(|terms| *terms != Terms::default()).map(Box::new);
        Some(HoldSeats { hold_id: hold_id?, buyer: buyer?, places: places?, ttl: ttl?, terms })
    };
    violations.done(read()).map(Command::HoldSeats)
}

pub(super) fn extend_hold(wire: &v1::ExtendHoldRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let ttl = violations.ttl(wire.ttl_ms);
    let read = || Some(ExtendHold { hold_id: hold_id?, buyer: buyer?, ttl: ttl? });
    violations.done(read()).map(Command::ExtendHold)
}

pub(super) fn release_hold(wire: &v1::ReleaseHoldRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let places = subset(wire.places.as_ref(), manifest, &mut violations)?;
    let read = || Some(ReleaseHold { hold_id: hold_id?, buyer: buyer?, places: places? });
    violations.done(read()).map(Command::ReleaseHold)
}

pub(super) fn confirm_hold(wire: &v1::ConfirmHoldRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let order = violations.order(&wire.order_ref);
    let payment = violations.payment(&wire.payment_ref);
    let places = subset(wire.places.as_ref(), manifest, &mut violations)?;
    let keep_rest_as = violations.other_hold_id("keep_rest_as", &wire.keep_rest_as);
    let accept_late = wire.accept_late;
    let needs_part = wire.keep_rest_as.is_empty() || wire.places.is_some();
    violations.require(needs_part, "keep_rest_as", "must be empty without places: all of the hold is sold");
    let read = || {
        let (hold_id, buyer, order, payment) = (hold_id?, buyer?, order?, payment?);
        let keep_rest_as = keep_rest_as?;
        let part = places?.map(|places| Box::new(Part { places, keep_rest_as }));
        Some(ConfirmHold { hold_id, buyer, order, payment, part, accept_late })
    };
    violations.done(read()).map(Command::ConfirmHold)
}

pub(super) fn get_hold(wire: &v1::GetHoldRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    violations.done(hold_id).map(Command::GetHold)
}

/// A hold and whose it is: all that some commands say.
pub(super) fn own_hold(hold_id: &[u8], buyer_id: &str) -> Result<OwnHold, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(hold_id);
    let buyer = violations.buyer_id("buyer_id", buyer_id);
    let read = || Some(OwnHold { hold_id: hold_id?, buyer: buyer? });
    violations.done(read())
}
