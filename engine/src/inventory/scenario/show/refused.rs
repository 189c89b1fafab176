//! How rejections look in a scenario.

use super::{Names, hold, time};
use crate::rejection::{Conflicts, Rejection};

impl Names<'_> {
    pub(in super::super) fn rejection(&self, rejection: &Rejection) -> String {
        match rejection {
            Rejection::IdReused { field } => format!("id reused, another {field}"),
            Rejection::HoldUnknown => "hold unknown".to_owned(),
            Rejection::HoldOfAnotherBuyer => "hold of another buyer".to_owned(),
            Rejection::HoldFenced => "fenced".to_owned(),
            Rejection::HoldReleased => "released".to_owned(),
            Rejection::HoldConfirmed => "confirmed".to_owned(),
            Rejection::HoldCancelled => "cancelled".to_owned(),
            Rejection::HoldPinned => "pinned".to_owned(),
            Rejection::HoldOfGroup => "one of a group".to_owned(),
            Rejection::HoldNotOfGroup => "not one of a group".to_owned(),
            Rejection::HoldNotConfirmed => "not confirmed".to_owned(),
            Rejection::HoldWaiting => "waiting".to_owned(),
            Rejection::HoldNotWaiting => "not waiting".to_owned(),
            Rejection::HoldExpired { expires_at } => format!("expired at {}", time(*expires_at)),
            Rejection::ShowNotOpen { state, opens_at } => {
                let opens = opens_at.map_or_else(String::new, |at| format!(", opens at {}", time(at)));
                format!("the show is {state}{opens}")
            }
            Rejection::ManifestInvalid(error) => format!("manifest invalid, {error}"),
            Rejection::CoolingDown { until } => format!("cooling down until {}", time(*until)),
            Rejection::WaitsAlready { hold_id } => format!("waits already as {}", hold(*hold_id)),
            Rejection::PlacesNotInHold(places) => format!("places not in hold {}", self.conflicts(places, true)),
            Rejection::PlacesUnknown(places) => format!("places unknown {}", self.conflicts(places, false)),
            Rejection::PlacesTaken(places) => format!("places taken {}", self.conflicts(places, true)),
            Rejection::PlacesProtected(places) => format!("places protected {}", self.conflicts(places, true)),
            Rejection::OrphansLeft(places) => format!("orphans left {}", self.conflicts(places, true)),
            Rejection::ManifestChanged { version, places } => {
                format!("manifest changed to version {version}: {}", self.conflicts(places, false))
            }
            Rejection::SoldOut { requested, available } => format!("sold out, {requested} wanted, {available} there"),
            Rejection::NotTogether { requested, available } => {
                format!("not together, {requested} wanted, {available} there")
            }
            Rejection::CapacityReached { pool, requested, available } => {
                let whose = pool.as_deref().unwrap_or("the show");
                format!("capacity of {whose}, {requested} wanted, {available} left")
            }
            other => other.to_string(),
        }
    }

    fn conflicts(&self, conflicts: &Conflicts, with_units: bool) -> String {
        let ga = conflicts.ga.iter().map(|shortage| {
            let units = format!(" {}>{}", shortage.requested, shortage.available);
            format!("{}{}", self.section(shortage.section), if with_units { units.as_str() } else { "" })
        });
        let seats = conflicts.seats.iter().map(|seat| self.seat(*seat));
        seats.chain(ga).collect::<Vec<_>>().join(" ")
    }
}
