//! Places by number and label, and the terms on which they are asked for.

use usher_engine::{
    command::Terms,
    ids::{SeatIndex, SectionIndex},
    inventory::{
        manifest::Manifest,
        places::{Places, PlacesError},
    },
};
use usher_proto::v1;

use super::Violations;
use crate::status::Refusal;

/// Most keys of channels in one request.
const CHANNEL_KEYS_MAX: usize = 16;

/// What a show does not have of the names in a request.
#[derive(Debug, Default)]
pub(super) struct Unknown(Vec<String>);

impl Unknown {
    pub(super) fn note(&mut self, name: String) {
        self.0.push(name);
    }

    pub(super) fn seat(&mut self, label: &v1::SeatLabel, manifest: &Manifest) -> Option<SeatIndex> {
        let found = manifest.seat(&label.section, &label.row, &label.seat);
        if found.is_none() {
            self.note(format!("{}/{}/{}", label.section, label.row, label.seat));
        }
        found
    }

    pub(super) fn ga(&mut self, name: &str, manifest: &Manifest) -> Option<SectionIndex> {
        let found = manifest.section(name).filter(|&section| manifest.ga_capacity(section).is_some());
        if found.is_none() {
            self.note(format!("general admission {name:?}"));
        }
        found
    }

    /// Whether all names are known. Fields that are wrong are told before names that are not.
    ///
    /// # Errors
    /// The refusal of all unknown names.
    pub(super) fn none(self, violations: &Violations) -> Result<bool, Refusal> {
        match (self.0.is_empty(), violations.is_empty()) {
            (true, _) => Ok(true),
            (false, false) => Ok(false),
            (false, true) => Err(Refusal::places_unknown(&self.0)),
        }
    }
}

/// As [`places`], where none at all means all.
pub(super) fn subset(
    wire: Option<&v1::Places>,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Option<Option<Places>>, Refusal> {
    match wire {
        None => Ok(Some(None)),
        Some(_) => Ok(places(wire, manifest, violations)?.map(Some)),
    }
}

/// Finds places by number and label. Unknown labels are a refusal of their own; unknown numbers are the engine's to
/// refuse.
pub(super) fn places(
    wire: Option<&v1::Places>,
    manifest: &Manifest,
    violations: &mut Violations,
) -> Result<Option<Places>, Refusal> {
    let none = v1::Places::default();
    let wire = wire.unwrap_or(&none);
    let mut unknown = Unknown::default();
    let mut seats: Vec<SeatIndex> = wire.seat_indexes.iter().map(|&seat| SeatIndex(seat)).collect();
    seats.extend(wire.seats.iter().filter_map(|label| unknown.seat(label, manifest)));
    let ga: Vec<(SectionIndex, u32)> =
        wire.ga.iter().filter_map(|wanted| Some((unknown.ga(&wanted.section, manifest)?, wanted.quantity))).collect();
    if !unknown.none(violations)? {
        return Ok(None);
    }
    let places = Places::new(seats, ga).map_err(|error| named(&error, manifest));
    Ok(violations.take("places", places))
}

/// What is wrong with places, by their names: those say more than positions.
pub(super) fn named(error: &PlacesError, manifest: &Manifest) -> String {
    match error {
        PlacesError::SeatTwice(seat) => match manifest.label(*seat) {
            Some(label) => {
                format!("names seat {}/{}/{} twice, number {}", label.section, label.row, label.seat, seat.0)
            }
            None => error.to_string(),
        },
        PlacesError::SectionTwice(section) => format!("names section {:?} twice", manifest.section_name(*section)),
        PlacesError::ZeroQuantity(section) => {
            format!("asks for 0 units of section {:?}", manifest.section_name(*section))
        }
        other => other.to_string(),
    }
}

/// Reads terms; those that say nothing are none.
pub(super) fn terms(wire: Option<&v1::Terms>, violations: &mut Violations) -> Option<Terms> {
    let Some(wire) = wire else { return Some(Terms::default()) };
    let replaces = violations.other_hold_id("terms.replaces", &wire.replaces);
    let channels = channel_keys("terms.channel_keys", &wire.channel_keys, violations);
    let override_reason = match wire.override_reason.as_str() {
        "" => Some(None),
        reason => violations.name("terms.override_reason", reason).map(Some),
    };
    violations.require(wire.manifest_version != Some(0), "terms.manifest_version", "must be 1 or more, is 0");
    Some(Terms {
        replaces: replaces?,
        channels: channels?,
        accessible: wire.accessible,
        house: wire.house,
        manifest_version: wire.manifest_version,
        override_reason: override_reason?,
    })
}

/// Terms of a command that replaces nothing.
pub(super) fn terms_without_replacing(wire: Option<&v1::Terms>, violations: &mut Violations) -> Option<Terms> {
    let terms = terms(wire, violations)?;
    violations.require(terms.replaces.is_none(), "terms.replaces", "must be empty: there is no hold to replace here");
    Some(terms)
}

pub(super) fn channel_keys(
    field: &str,
    keys: &[String],
    violations: &mut Violations,
) -> Option<Vec<usher_engine::ids::Name>> {
    violations.limit(field, keys.len(), CHANNEL_KEYS_MAX);
    let keys = keys.iter().take(CHANNEL_KEYS_MAX).enumerate();
    let names: Vec<_> = keys.map(|(position, key)| violations.name(&format!("{field}[{position}]"), key)).collect();
    names.into_iter().collect()
}
