//! What the rules say, as clients see it: the reason of each rejection and what goes with it.

use tonic::Code;
use usher_engine::{
    ids::SectionIndex,
    inventory::{manifest::Manifest, sale::ShowState},
    rejection::{Conflicts, Rejection},
};
use usher_proto::v1;

use super::{Refusal, header::list};

impl Refusal {
    /// What the rules say.
    #[must_use]
    pub fn rejected(rejection: &Rejection, manifest: &Manifest) -> Self {
        let precondition = |reason| Self::new(Code::FailedPrecondition, reason, rejection.to_string());
        match rejection {
            Rejection::ShowIdReused { field } => precondition("SHOW_ID_REUSED").with("field", field),
            Rejection::IdReused { field } => precondition("ID_REUSED").with("field", field),
            Rejection::HoldUnknown => {
                Self::new(Code::NotFound, "HOLD_UNKNOWN", rejection.to_string()).about("hold", String::new())
            }
            Rejection::HoldOfAnotherBuyer => precondition("HOLD_OF_ANOTHER_BUYER"),
            Rejection::HoldFenced => precondition("HOLD_FENCED"),
            Rejection::HoldReleased => precondition("HOLD_RELEASED"),
            Rejection::HoldExpired { expires_at } => precondition("HOLD_EXPIRED").with("expires_at_ms", expires_at.0),
            Rejection::HoldConfirmed => precondition("HOLD_CONFIRMED"),
            Rejection::HoldCancelled => precondition("HOLD_CANCELLED"),
            Rejection::HoldPinned => precondition("HOLD_PINNED"),
            Rejection::HoldOfGroup => precondition("HOLD_OF_GROUP"),
            Rejection::HoldNotOfGroup => precondition("HOLD_NOT_OF_GROUP"),
            Rejection::HoldNotConfirmed => precondition("HOLD_NOT_CONFIRMED"),
            Rejection::HoldWaiting => precondition("HOLD_WAITING"),
            Rejection::HoldNotWaiting => precondition("HOLD_NOT_WAITING"),
            Rejection::PlacesNotInHold(conflicts) => precondition("PLACES_NOT_IN_HOLD").blame(conflicts, manifest),
            Rejection::PlacesUnknown(conflicts) => {
                let seat = conflicts.seats.first().map(|seat| format!("seat {}", seat.0));
                let section = || conflicts.ga.first().map(|shortage| section_name(manifest, shortage.section));
                Self::new(Code::NotFound, "PLACES_UNKNOWN", rejection.to_string())
                    .about("place", seat.or_else(section).unwrap_or_default())
                    .blame(conflicts, manifest)
            }
            Rejection::LimitReached { limit, max } => {
                precondition("LIMIT_REACHED").with("limit", limit).with("max", max)
            }
            Rejection::PlacesTaken(conflicts) => precondition("PLACES_TAKEN").blame(conflicts, manifest),
            Rejection::PlacesProtected(conflicts) => precondition("PLACES_PROTECTED").blame(conflicts, manifest),
            Rejection::OrphansLeft(conflicts) => precondition("ORPHANS_LEFT").blame(conflicts, manifest),
            other => Self::of_show(other, manifest),
        }
    }

    /// What the show as a whole does not allow.
    fn of_show(rejection: &Rejection, manifest: &Manifest) -> Self {
        let precondition = |reason| Self::new(Code::FailedPrecondition, reason, rejection.to_string());
        match rejection {
            Rejection::ShowNotOpen { state, opens_at } => {
                let refusal = precondition("SHOW_NOT_OPEN").with("state", state_name(*state));
                match opens_at {
                    Some(opens_at) => refusal.with("opens_at_ms", opens_at.0),
                    None => refusal,
                }
            }
            Rejection::HoldsLive { holds } => precondition("HOLDS_LIVE").with("holds", holds),
            Rejection::WaitlistClosed => precondition("WAITLIST_CLOSED"),
            Rejection::ChannelUnknown { key } => {
                Self::new(Code::NotFound, "CHANNEL_UNKNOWN", rejection.to_string()).about("channel", key.to_string())
            }
            Rejection::ManifestInvalid(error) => {
                precondition("MANIFEST_INVALID").with("spot", error.spot).with("problem", &error.problem)
            }
            Rejection::ManifestChanged { version, places } => {
                precondition("MANIFEST_CHANGED").with("manifest_version", version).blame(places, manifest)
            }
            Rejection::ManifestNotReached { version } => {
                precondition("VERSION_NOT_REACHED").with("manifest_version", version)
            }
            Rejection::CoolingDown { until } => precondition("COOLING_DOWN").with("until_ms", until.0),
            Rejection::WaitsAlready { hold_id } => precondition("WAITS_ALREADY").with("hold_id", hold_id),
            Rejection::CapacityReached { pool, requested, available } => {
                let refusal =
                    precondition("CAPACITY_REACHED").with("requested", requested).with("available", available);
                match pool {
                    Some(pool) => refusal.with("pool", pool),
                    None => refusal,
                }
            }
            Rejection::SoldOut { requested, available } => {
                precondition("SOLD_OUT").with("requested", requested).with("available", available)
            }
            Rejection::NotTogether { requested, available } => {
                precondition("NOT_TOGETHER").with("requested", requested).with("available", available)
            }
            _ => Self::internal("a rejection without a reason"),
        }
    }

    /// Names every place that stands in the way.
    fn blame(mut self, conflicts: &Conflicts, manifest: &Manifest) -> Self {
        let names = conflicts.seats.iter().map(|&seat| match manifest.label(seat) {
            Some(label) => format!("{}/{}/{}", label.section, label.row, label.seat),
            None => format!("seat {}", seat.0),
        });
        let sections = conflicts.ga.iter().map(|shortage| section_name(manifest, shortage.section));
        let count = conflicts.seats.len() + conflicts.ga.len();
        self.0.message = format!("{}: {}", self.0.message, list(names.chain(sections), count));
        self.0.seat_indexes = conflicts.seats.iter().map(|seat| seat.0).collect();
        self.0.ga = conflicts
            .ga
            .iter()
            .map(|shortage| v1::GaShortage {
                section: section_name(manifest, shortage.section),
                requested: shortage.requested,
                available: shortage.available,
            })
            .collect();
        self
    }
}

fn section_name(manifest: &Manifest, section: SectionIndex) -> String {
    manifest.parts().sections.get(section.0 as usize).map_or_else(String::new, |section| section.name.clone())
}

/// As the wire calls it, in capitals.
fn state_name(state: ShowState) -> &'static str {
    match state {
        ShowState::Draft => "DRAFT",
        ShowState::Scheduled => "SCHEDULED",
        ShowState::OnSale => "ON_SALE",
        ShowState::Paused => "PAUSED",
        ShowState::Closed => "CLOSED",
        ShowState::Cancelled => "CANCELLED",
        ShowState::Archived => "ARCHIVED",
    }
}
