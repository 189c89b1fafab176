//! From the wire to the engine's types and back: parse, don't validate. Every field that is wrong is named, not only
//! the first.
//!
//! It decides nothing about seats.

use usher_engine::{
    command::{Command, ConfirmHold, ExtendHold, HoldSeats, ReleaseHold},
    ids::{BuyerId, HoldId, Reference, SeatIndex, SectionIndex, ShowId},
    inventory::{
        Answer, HoldState, HoldView,
        manifest::Manifest,
        places::{Places, PlacesError},
        policy::Policy,
    },
    time::HoldTtl,
};
use usher_proto::v1;

use crate::status::{Refusal, Violation};

/// What is wrong with a request, gathered while it is read.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The value, or a note about its field.
    pub fn take<T, E: std::fmt::Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.note(field, error)).ok()
    }

    /// Notes what is wrong with a field.
    pub fn note(&mut self, field: &str, description: impl std::fmt::Display) {
        self.0.push(Violation { field: field.to_owned(), description: description.to_string() });
    }

    /// The refusal of everything noted.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        Refusal::invalid(self.0)
    }
}

/// Reads a show's id.
///
/// # Errors
/// A refusal that names the field `show_id`.
pub fn show_id(text: &str) -> Result<ShowId, Refusal> {
    let mut violations = Violations::default();
    violations.take("show_id", ShowId::new(text)).ok_or_else(|| violations.into_refusal())
}

/// Reads one command of a batch for `show_id`.
///
/// # Errors
/// A refusal that names every field that is wrong, or the places that the show does not have.
pub fn command(command: &v1::Command, show_id: &str, manifest: &Manifest) -> Result<Command, Refusal> {
    use v1::command::Command as Wire;
    let mut violations = Violations::default();
    let Some(wire) = &command.command else {
        violations.note("command", "must be set");
        return Err(violations.into_refusal());
    };
    let own_show_id = match wire {
        Wire::HoldSeats(wire) => &wire.show_id,
        Wire::ExtendHold(wire) => &wire.show_id,
        Wire::ReleaseHold(wire) => &wire.show_id,
        Wire::ConfirmHold(wire) => &wire.show_id,
        Wire::GetHold(wire) => &wire.show_id,
    };
    if !own_show_id.is_empty() && own_show_id != show_id {
        violations.note("show_id", format!("must be empty or the batch's, {show_id:?}"));
        return Err(violations.into_refusal());
    }
    match wire {
        Wire::HoldSeats(wire) => hold_seats(wire, manifest),
        Wire::ExtendHold(wire) => extend_hold(wire),
        Wire::ReleaseHold(wire) => release_hold(wire, manifest),
        Wire::ConfirmHold(wire) => confirm_hold(wire, manifest),
        Wire::GetHold(wire) => get_hold(wire),
    }
}

/// Reads a HoldSeats.
///
/// # Errors
/// As [`command`].
pub fn hold_seats(wire: &v1::HoldSeatsRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("hold_id", HoldId::new(&wire.hold_id));
    let buyer = violations.take("buyer_id", BuyerId::new(wire.buyer_id.as_bytes()));
    let ttl = ttl(wire.ttl_ms, &mut violations);
    let none = v1::Places::default();
    let places = places(wire.places.as_ref().unwrap_or(&none), manifest, &mut violations)?;
    match (hold_id, buyer, ttl, places) {
        (Some(hold_id), Some(buyer), Some(ttl), Some(places)) => {
            Ok(Command::HoldSeats(HoldSeats { hold_id, buyer, places, ttl }))
        }
        _ => Err(violations.into_refusal()),
    }
}

/// Reads an ExtendHold.
///
/// # Errors
/// As [`command`].
pub fn extend_hold(wire: &v1::ExtendHoldRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("hold_id", HoldId::new(&wire.hold_id));
    let buyer = violations.take("buyer_id", BuyerId::new(wire.buyer_id.as_bytes()));
    match (hold_id, buyer, ttl(wire.ttl_ms, &mut violations)) {
        (Some(hold_id), Some(buyer), Some(ttl)) => Ok(Command::ExtendHold(ExtendHold { hold_id, buyer, ttl })),
        _ => Err(violations.into_refusal()),
    }
}

/// Reads a ReleaseHold.
///
/// # Errors
/// As [`command`].
pub fn release_hold(wire: &v1::ReleaseHoldRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("hold_id", HoldId::new(&wire.hold_id));
    let buyer = violations.take("buyer_id", BuyerId::new(wire.buyer_id.as_bytes()));
    match (hold_id, buyer, subset(wire.places.as_ref(), manifest, &mut violations)?) {
        (Some(hold_id), Some(buyer), Some(places)) => Ok(Command::ReleaseHold(ReleaseHold { hold_id, buyer, places })),
        _ => Err(violations.into_refusal()),
    }
}

/// Reads a ConfirmHold.
///
/// # Errors
/// As [`command`].
pub fn confirm_hold(wire: &v1::ConfirmHoldRequest, manifest: &Manifest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("hold_id", HoldId::new(&wire.hold_id));
    let buyer = violations.take("buyer_id", BuyerId::new(wire.buyer_id.as_bytes()));
    let order = violations.take("order_ref", Reference::order(&wire.order_ref));
    let payment = violations.take("payment_ref", Reference::payment(&wire.payment_ref));
    match (hold_id, buyer, order, payment, subset(wire.places.as_ref(), manifest, &mut violations)?) {
        (Some(hold_id), Some(buyer), Some(order), Some(payment), Some(places)) => {
            Ok(Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, places }))
        }
        _ => Err(violations.into_refusal()),
    }
}

/// Reads a GetHold.
///
/// # Errors
/// As [`command`].
pub fn get_hold(wire: &v1::GetHoldRequest) -> Result<Command, Refusal> {
    let mut violations = Violations::default();
    let hold_id = violations.take("hold_id", HoldId::new(&wire.hold_id));
    hold_id.map(Command::GetHold).ok_or_else(|| violations.into_refusal())
}

/// The outer `Option` is absent when the value is wrong.
fn ttl(ttl_ms: Option<u64>, violations: &mut Violations) -> Option<Option<HoldTtl>> {
    match ttl_ms {
        None => Some(None),
        Some(ms) => violations.take("ttl_ms", HoldTtl::from_ms(ms)).map(Some),
    }
}

/// As [`places`], where none at all means all.
fn subset(
    wire: Option<&v1::Places>,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Option<Option<Places>>, Refusal> {
    match wire {
        None => Ok(Some(None)),
        Some(wire) => Ok(places(wire, manifest, violations)?.map(Some)),
    }
}

/// Finds places by number and label. Unknown labels are a refusal of their own; unknown numbers are the engine's to
/// refuse.
fn places(wire: &v1::Places, manifest: &Manifest, violations: &mut Violations) -> Result<Option<Places>, Refusal> {
    let mut unknown = Vec::new();
    let mut seats: Vec<SeatIndex> = wire.seat_indexes.iter().map(|&seat| SeatIndex(seat)).collect();
    for label in &wire.seats {
        match manifest.seat(&label.section, &label.row, &label.seat) {
            Some(seat) => seats.push(seat),
            None => unknown.push(format!("{}/{}/{}", label.section, label.row, label.seat)),
        }
    }
    let mut ga: Vec<(SectionIndex, u32)> = Vec::new();
    for wanted in &wire.ga {
        match manifest.section(&wanted.section).filter(|&section| manifest.ga_capacity(section).is_some()) {
            Some(section) => ga.push((section, wanted.quantity)),
            None => unknown.push(format!("general admission {:?}", wanted.section)),
        }
    }
    if !unknown.is_empty() {
        return Err(Refusal::places_unknown(&unknown));
    }
    let places = Places::new(seats, ga).map_err(|error| match error {
        // The section's name says more than its position.
        PlacesError::SectionTwice(section) => format!("names section {:?} twice", manifest.section_name(section)),
        PlacesError::ZeroQuantity(section) => {
            format!("asks for 0 units of section {:?}", manifest.section_name(section))
        }
        other => other.to_string(),
    });
    Ok(violations.take("places", places))
}

/// Reads a policy; absent fields take the default.
///
/// # Errors
/// A refusal that names every field out of its range.
pub fn policy(wire: Option<&v1::Policy>) -> Result<Policy, Refusal> {
    let mut policy = Policy::default();
    let Some(wire) = wire else { return Ok(policy) };
    let mut violations = Violations::default();
    if let Some(ms) = wire.hold_ttl_ms_default
        && let Some(ttl) = violations.take("policy.hold_ttl_ms_default", HoldTtl::from_ms(ms))
    {
        policy.hold_ttl_default = ttl;
    }
    policy.hold_life_ms_max = wire.hold_life_ms_max.unwrap_or(policy.hold_life_ms_max);
    policy.places_per_hold_max = wire.places_per_hold_max.unwrap_or(policy.places_per_hold_max);
    policy.live_holds_per_buyer_max = wire.live_holds_per_buyer_max.unwrap_or(policy.live_holds_per_buyer_max);
    policy.places_per_buyer_max = wire.places_per_buyer_max.unwrap_or(policy.places_per_buyer_max);
    policy.holds_per_show_max = wire.holds_per_show_max.unwrap_or(policy.holds_per_show_max);
    for error in policy.errors() {
        let description = format!("must be {} to {}, is {}", error.min, error.max, error.found);
        violations.note(&format!("policy.{}", error.field), description);
    }
    if violations.0.is_empty() { Ok(policy) } else { Err(violations.into_refusal()) }
}

/// A policy with every field set.
#[must_use]
pub fn policy_to_wire(policy: &Policy) -> v1::Policy {
    v1::Policy {
        hold_ttl_ms_default: Some(policy.hold_ttl_default.ms()),
        hold_life_ms_max: Some(policy.hold_life_ms_max),
        places_per_hold_max: Some(policy.places_per_hold_max),
        live_holds_per_buyer_max: Some(policy.live_holds_per_buyer_max),
        places_per_buyer_max: Some(policy.places_per_buyer_max),
        holds_per_show_max: Some(policy.holds_per_show_max),
    }
}

/// What became of a command, as one outcome of a batch.
#[must_use]
pub fn answer(answer: Answer, show_id: &str, manifest: &Manifest) -> v1::outcome::Outcome {
    use v1::outcome::Outcome;
    match answer {
        Answer::Held(view) => Outcome::HoldSeats(v1::HoldSeatsResponse { hold: Some(hold(view, show_id, manifest)) }),
        Answer::Extended { expires_at, extendable_until } => Outcome::ExtendHold(v1::ExtendHoldResponse {
            expires_at_ms: expires_at.0,
            extendable_until_ms: extendable_until.0,
        }),
        Answer::Released(state) => Outcome::ReleaseHold(v1::ReleaseHoldResponse { state: hold_state(state).into() }),
        Answer::Confirmed(view) => {
            Outcome::ConfirmHold(v1::ConfirmHoldResponse { hold: Some(hold(view, show_id, manifest)) })
        }
        Answer::Found(view) => Outcome::GetHold(v1::GetHoldResponse { hold: Some(hold(view, show_id, manifest)) }),
    }
}

fn hold(view: HoldView, show_id: &str, manifest: &Manifest) -> v1::Hold {
    v1::Hold {
        show_id: show_id.to_owned(),
        hold_id: view.hold_id.as_bytes().to_vec().into(),
        buyer_id: String::from_utf8_lossy(view.buyer.as_bytes()).into_owned(),
        state: hold_state(view.state).into(),
        seats: view.places.seats().filter_map(|seat| granted_seat(seat, manifest)).collect(),
        ga: view.places.ga().filter_map(|(section, quantity)| granted_ga(section, quantity, manifest)).collect(),
        total_minor: view.total_minor,
        currency: manifest.parts().currency.clone(),
        granted_at_ms: view.granted_at.0,
        expires_at_ms: view.expires_at.0,
        extendable_until_ms: view.extendable_until.0,
        booking: view.booking.map(|booking| v1::Booking {
            order_ref: booking.order.as_str().to_owned(),
            payment_ref: booking.payment.as_str().to_owned(),
            confirmed_at_ms: booking.confirmed_at.0,
        }),
    }
}

fn granted_seat(seat: SeatIndex, manifest: &Manifest) -> Option<v1::GrantedSeat> {
    let (label, category) = (manifest.label(seat)?, manifest.seat_category(seat)?);
    let label = v1::SeatLabel { section: label.section, row: label.row, seat: label.seat };
    Some(v1::GrantedSeat {
        seat_index: seat.0,
        label: Some(label),
        category: category.name.clone(),
        price_minor: category.price_minor,
    })
}

fn granted_ga(section: SectionIndex, quantity: u32, manifest: &Manifest) -> Option<v1::GrantedGa> {
    let category = manifest.ga_category(section)?;
    Some(v1::GrantedGa {
        section: manifest.section_name(section).to_owned(),
        quantity,
        category: category.name.clone(),
        unit_price_minor: category.price_minor,
    })
}

fn hold_state(state: HoldState) -> v1::HoldState {
    match state {
        HoldState::Held => v1::HoldState::Held,
        HoldState::Confirmed => v1::HoldState::Confirmed,
        HoldState::Released => v1::HoldState::Released,
        HoldState::Expired => v1::HoldState::Expired,
        HoldState::Fenced => v1::HoldState::Fenced,
    }
}
