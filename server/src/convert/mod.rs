//! From the wire to the engine's types and back: parse, don't validate. Every field that is wrong is named, not only
//! the first.
//!
//! It decides nothing about seats. This file dispatches; a command's fields are read in the file of its kind.

use std::sync::LazyLock;

use usher_engine::{
    command::Command,
    ids::ShowId,
    inventory::manifest::{Category, CategoryIndex, Manifest, ManifestParts, Section, SectionKind},
};
use usher_proto::v1;

use crate::{access, status::Refusal};

pub mod answers;
mod best;
mod bookings;
pub mod change;
pub mod columns;
pub mod groups;
mod holds;
pub mod lookups;
pub mod manifest;
pub mod organise;
mod placement;
pub mod places;
pub mod policy;
pub mod sale;
pub mod selection;
pub mod shows;
mod violations;

pub use violations::Violations;

/// Reads a show's id.
///
/// No service comes by a show in another way, so that none touches one which its caller may not.
///
/// # Errors
/// A refusal that names the field `show_id`; that the caller may not touch the show.
pub fn show_id(text: &str) -> Result<ShowId, Refusal> {
    let mut violations = Violations::default();
    let show_id = violations.take("show_id", ShowId::new(text));
    let show_id = violations.done(show_id)?;
    access::permit(&show_id)?;
    Ok(show_id)
}

/// What a request is read against whose show there is not, so that its other wrong fields are named, too.
pub(crate) static NOTHING: LazyLock<Manifest> = LazyLock::new(|| {
    let floor = SectionKind::GeneralAdmission { capacity: 1, category: CategoryIndex(0) };
    let parts = ManifestParts {
        name: "nothing".to_owned(),
        currency: "XXX".to_owned(),
        categories: vec![Category { name: "nothing".to_owned(), price_minor: 0 }],
        sections: vec![Section { name: "nothing".to_owned(), kind: floor }],
        capacity: None,
        pools: Vec::new(),
    };
    Manifest::new(parts).expect("a manifest of one unit")
});

/// The refusal of a show's id with every other field that is wrong, as far as that can be told without the show. `read`
/// reads the request with the manifest.
#[must_use]
pub fn also_wrong<T>(refusal: Refusal, read: impl FnOnce(&Manifest) -> Result<T, Refusal>) -> Refusal {
    match read(&NOTHING) {
        Ok(_) => refusal,
        Err(other) => refusal.and(other),
    }
}

/// Both, or what is wrong with either.
///
/// # Errors
/// The refusals, as one if both are of malformed fields.
pub fn both<A, B>(first: Result<A, Refusal>, second: Result<B, Refusal>) -> Result<(A, B), Refusal> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(first), Err(second)) => Err(first.and(second)),
        (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => Err(refusal),
    }
}

/// Reads one command of a batch for `show_id`.
///
/// # Errors
/// As [`command`], and when it names another show.
pub fn command_of_batch(command: &v1::Command, show_id: &str, manifest: &Manifest) -> Result<Command, Refusal> {
    let Some(wire) = &command.command else { return Err(Refusal::wrong("command", "must be set")) };
    let own_show_id = show_id_of(wire);
    if !own_show_id.is_empty() && own_show_id != show_id {
        return Err(Refusal::wrong("show_id", format!("must be empty or the batch's, {show_id:?}")));
    }
    self::command(wire, manifest)
}

/// Reads a command.
///
/// # Errors
/// A refusal that names every field that is wrong, or the places that the show does not have.
pub fn command(wire: &v1::command::Command, manifest: &Manifest) -> Result<Command, Refusal> {
    use v1::command::Command as Wire;
    match wire {
        Wire::HoldSeats(wire) => holds::hold_seats(wire, manifest),
        Wire::ExtendHold(wire) => holds::extend_hold(wire),
        Wire::ReleaseHold(wire) => holds::release_hold(wire, manifest),
        Wire::ConfirmHold(wire) => holds::confirm_hold(wire, manifest),
        Wire::GetHold(wire) => holds::get_hold(wire),
        Wire::HoldBest(wire) => best::hold_best(wire, manifest),
        Wire::PinHold(wire) => holds::own_hold(&wire.hold_id, &wire.buyer_id).map(Command::PinHold),
        Wire::UnpinHold(wire) => holds::own_hold(&wire.hold_id, &wire.buyer_id).map(Command::UnpinHold),
        Wire::SellPlaces(wire) => bookings::sell_places(wire, manifest),
        Wire::CancelBooking(wire) => bookings::cancel_booking(wire, manifest),
        Wire::TransferBooking(wire) => bookings::transfer_booking(wire),
        Wire::ExchangeSeats(wire) => bookings::exchange_seats(wire, manifest),
        Wire::JoinWaitlist(wire) => best::join_waitlist(wire, manifest),
        Wire::LeaveWaitlist(wire) => holds::own_hold(&wire.hold_id, &wire.buyer_id).map(Command::LeaveWaitlist),
    }
}

/// The show that a command names.
#[must_use]
pub fn show_id_of(wire: &v1::command::Command) -> &str {
    use v1::command::Command as Wire;
    match wire {
        Wire::HoldSeats(wire) => &wire.show_id,
        Wire::ExtendHold(wire) => &wire.show_id,
        Wire::ReleaseHold(wire) => &wire.show_id,
        Wire::ConfirmHold(wire) => &wire.show_id,
        Wire::GetHold(wire) => &wire.show_id,
        Wire::HoldBest(wire) => &wire.show_id,
        Wire::PinHold(wire) => &wire.show_id,
        Wire::UnpinHold(wire) => &wire.show_id,
        Wire::SellPlaces(wire) => &wire.show_id,
        Wire::CancelBooking(wire) => &wire.show_id,
        Wire::TransferBooking(wire) => &wire.show_id,
        Wire::ExchangeSeats(wire) => &wire.show_id,
        Wire::JoinWaitlist(wire) => &wire.show_id,
        Wire::LeaveWaitlist(wire) => &wire.show_id,
    }
}
