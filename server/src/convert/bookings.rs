//! Direct sales, and what is done to a booking after the sale.

use usher_engine::{
    command::{CancelBooking, Command, ExchangeSeats, ReturnTo, SellPlaces, TransferBooking},
    inventory::manifest::Manifest,
};
use usher_proto::v1;

use super::{
    Violations,
    places::{places, subset, terms_without_replacing},
    selection::mark,
};
use crate::status::Refusal;

pub(super) fn sell_places(wire: &v1::SellPlacesRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let order = violations.order(&wire.order_ref);
    let payment = violations.payment(&wire.payment_ref);
    let terms = terms_without_replacing(wire.terms.as_ref(), &mut violations);
    let places = places(wire.places.as_ref(), manifest, &mut violations)?;
    let read = || {
        let (hold_id, buyer, places) = (hold_id?, buyer?, places?);
        Some(SellPlaces { hold_id, buyer, places, order: order?, payment: payment?, terms: terms? })
    };
    violations.done(read()).map(Box::new).map(Command::SellPlaces)
}

pub(super) fn cancel_booking(wire: &v1::CancelBookingRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let return_to = match &wire.return_to {
        None => Some(ReturnTo::Available),
        Some(wire) => mark("return_to", Some(wire), &mut violations).map(ReturnTo::Blocked),
    };
    let places = subset(wire.places.as_ref(), manifest, &mut violations)?;
    let read = || {
        let (hold_id, buyer, places) = (hold_id?, buyer?, places?);
        Some(CancelBooking { hold_id, buyer, places, return_to: return_to? })
    };
    violations.done(read()).map(Command::CancelBooking)
}

pub(super) fn transfer_booking(wire: &v1::TransferBookingRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let to_buyer = violations.buyer_id("to_buyer_id", &wire.to_buyer_id);
    violations.require(buyer.is_none() || buyer != to_buyer, "to_buyer_id", "must be another buyer");
    let read = || Some(TransferBooking { hold_id: hold_id?, buyer: buyer?, to_buyer: to_buyer? });
    violations.done(read()).map(Command::TransferBooking)
}

pub(super) fn exchange_seats(wire: &v1::ExchangeSeatsRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.hold_id(&wire.hold_id);
    let buyer = violations.buyer_id("buyer_id", &wire.buyer_id);
    let terms = terms_without_replacing(wire.terms.as_ref(), &mut violations);
    let places = places(wire.places.as_ref(), manifest, &mut violations)?;
    let read = || Some(ExchangeSeats { hold_id: hold_id?, buyer: buyer?, places: places?, terms: terms? });
    violations.done(read()).map(Box::new).map(Command::ExchangeSeats)
}
