//! What the rules say, as clients see it: the reason of each rejection and what goes with it.

use tonic::Code;
use usher_engine::{
    ids::SectionIndex,
    inventory::{manifest::Manifest, sale::ShowState},
    rejection::{Conflicts, Rejection, RejectionKind},
};
use usher_proto::v1;

use super::{Refusal, header::list};

impl Refusal {
    /// What the rules say.
    #[must_use]
    pub fn rejected(rejection: &Rejection, manifest: &Manifest) -> Self {
        let mut refusal = Self::of_rules(rejection, manifest);
        refusal.0.is_of_rules = true;
        refusal
    }

    fn of_rules(rejection: &Rejection, manifest: &Manifest) -> Self {
        let precondition = || Self::new(Code::FailedPrecondition, reason(rejection.kind()), rejection.to_string());
        match rejection {
            Rejection::ShowIdReused { field } => precondition().with("field", field),
            Rejection::IdReused { field } => precondition().with("field", field),
            Rejection::HoldUnknown => {
                Self::new(Code::NotFound, reason(rejection.kind()), rejection.to_string()).about("hold", String::new())
            }
            Rejection::HoldOfAnotherBuyer => precondition(),
            Rejection::HoldFenced => precondition(),
            Rejection::HoldReleased => precondition(),
            Rejection::HoldExpired { expires_at } => precondition().with("expires_at_ms", expires_at.0),
            Rejection::HoldConfirmed => precondition(),
            Rejection::HoldCancelled => precondition(),
            Rejection::HoldPinned => precondition(),
            Rejection::HoldOfGroup => precondition(),
            Rejection::HoldNotOfGroup => precondition(),
            Rejection::HoldNotConfirmed => precondition(),
            Rejection::HoldWaiting => precondition(),
            Rejection::HoldNotWaiting => precondition(),
            Rejection::PlacesNotInHold(conflicts) => precondition().blame(conflicts, manifest),
            Rejection::PlacesUnknown(conflicts) => {
                let seat = conflicts.seats.first().map(|seat| format!("seat {}", seat.0));
                let section = || conflicts.ga.first().map(|shortage| section_name(manifest, shortage.section));
                Self::new(Code::NotFound, reason(rejection.kind()), rejection.to_string())
                    .about("place", seat.or_else(section).unwrap_or_default())
                    .blame(conflicts, manifest)
            }
            Rejection::LimitReached { limit, max } => precondition().with("limit", limit).with("max", max),
            Rejection::PlacesTaken(conflicts) => precondition().blame(conflicts, manifest),
            Rejection::PlacesProtected(conflicts) => precondition().blame(conflicts, manifest),
            Rejection::OrphansLeft(conflicts) => precondition().blame(conflicts, manifest),
            other => Self::of_show(other, manifest),
        }
    }

    /// What the show as a whole does not allow.
    fn of_show(rejection: &Rejection, manifest: &Manifest) -> Self {
        let precondition = || Self::new(Code::FailedPrecondition, reason(rejection.kind()), rejection.to_string());
        match rejection {
            Rejection::ShowNotOpen { state, opens_at } => {
                let refusal = precondition().with("state", state_name(*state));
                match opens_at {
                    Some(opens_at) => refusal.with("opens_at_ms", opens_at.0),
                    None => refusal,
                }
            }
            Rejection::HoldsLive { holds } => precondition().with("holds", holds),
            Rejection::WaitlistClosed => precondition(),
            Rejection::ChannelUnknown { key } => {
                Self::new(Code::NotFound, reason(rejection.kind()), rejection.to_string())
                    .about("channel", key.to_string())
            }
            Rejection::ManifestInvalid(error) => {
                precondition().with("spot", error.spot).with("problem", &error.problem)
            }
            Rejection::ManifestChanged { version, places } => {
                precondition().with("manifest_version", version).blame(places, manifest)
            }
            Rejection::ManifestNotReached { version } => precondition().with("manifest_version", version),
            Rejection::CoolingDown { until } => precondition().with("until_ms", until.0),
            Rejection::WaitsAlready { hold_id } => precondition().with("hold_id", hold_id),
            Rejection::CapacityReached { pool, requested, available } => {
                let refusal = precondition().with("requested", requested).with("available", available);
                match pool {
                    Some(pool) => refusal.with("pool", pool),
                    None => refusal,
                }
            }
            Rejection::SoldOut { requested, available } => {
                precondition().with("requested", requested).with("available", available)
            }
            Rejection::NotTogether { requested, available } => {
                precondition().with("requested", requested).with("available", available)
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

/// The reason of a rejection on the wire.
pub(crate) fn reason(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::ShowIdReused => "SHOW_ID_REUSED",
        RejectionKind::IdReused => "ID_REUSED",
        RejectionKind::HoldUnknown => "HOLD_UNKNOWN",
        RejectionKind::HoldOfAnotherBuyer => "HOLD_OF_ANOTHER_BUYER",
        RejectionKind::HoldFenced => "HOLD_FENCED",
        RejectionKind::HoldReleased => "HOLD_RELEASED",
        RejectionKind::HoldExpired => "HOLD_EXPIRED",
        RejectionKind::HoldConfirmed => "HOLD_CONFIRMED",
        RejectionKind::HoldCancelled => "HOLD_CANCELLED",
        RejectionKind::HoldPinned => "HOLD_PINNED",
        RejectionKind::HoldOfGroup => "HOLD_OF_GROUP",
        RejectionKind::HoldNotOfGroup => "HOLD_NOT_OF_GROUP",
        RejectionKind::HoldNotConfirmed => "HOLD_NOT_CONFIRMED",
        RejectionKind::HoldWaiting => "HOLD_WAITING",
        RejectionKind::ShowNotOpen => "SHOW_NOT_OPEN",
        RejectionKind::HoldsLive => "HOLDS_LIVE",
        RejectionKind::HoldNotWaiting => "HOLD_NOT_WAITING",
        RejectionKind::WaitlistClosed => "WAITLIST_CLOSED",
        RejectionKind::ChannelUnknown => "CHANNEL_UNKNOWN",
        RejectionKind::ManifestInvalid => "MANIFEST_INVALID",
        RejectionKind::PlacesNotInHold => "PLACES_NOT_IN_HOLD",
        RejectionKind::PlacesUnknown => "PLACES_UNKNOWN",
        RejectionKind::ManifestChanged => "MANIFEST_CHANGED",
        RejectionKind::ManifestNotReached => "VERSION_NOT_REACHED",
        RejectionKind::LimitReached => "LIMIT_REACHED",
        RejectionKind::CoolingDown => "COOLING_DOWN",
        RejectionKind::WaitsAlready => "WAITS_ALREADY",
        RejectionKind::PlacesProtected => "PLACES_PROTECTED",
        RejectionKind::CapacityReached => "CAPACITY_REACHED",
        RejectionKind::PlacesTaken => "PLACES_TAKEN",
        RejectionKind::OrphansLeft => "ORPHANS_LEFT",
        RejectionKind::SoldOut => "SOLD_OUT",
        RejectionKind::NotTogether => "NOT_TOGETHER",
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
