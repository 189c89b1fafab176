//! What to do next about a refusal, by its reason: the second line of an error.

use std::collections::BTreeMap;

use usher_client::Reason;

/// Limits that a show's policy sets; the others are fixed.
const LIMITS_OF_POLICY: [&str; 6] = [
    "places_per_hold_max",
    "holds_per_show_max",
    "live_holds_per_buyer_max",
    "places_per_buyer_max",
    "waitlist_max",
    "extends_max",
];

/// What to do next; empty where the message says all. `told` is the refusal's metadata.
pub(super) fn of(reason: &Reason, told: &BTreeMap<String, String>) -> String {
    let of = |name: &str| told.get(name).map(String::as_str).unwrap_or_default();
    match reason {
        Reason::ShowNotOpen => of_state(of("state")).to_owned(),
        Reason::WaitsAlready => {
            format!("`usher get SHOW {}` tells how that stands; `usher waitlist leave` ends it.", of("hold_id"))
        }
        Reason::LimitReached if LIMITS_OF_POLICY.contains(&of("limit")) => {
            "`usher show policy SHOW` prints the limits, and changes them.".to_owned()
        }
        _ => fixed(reason).to_owned(),
    }
}

fn fixed(reason: &Reason) -> &'static str {
    match reason {
        Reason::ShowUnknown => "`usher show list` tells which shows there are.",
        Reason::ShowIdReused => "`usher show get SHOW` prints what is there; choose another id for another show.",
        Reason::IdReused => "A repetition must say the same. Leave --id out, or choose another, for something new.",
        Reason::HoldUnknown => "`usher holds SHOW --buyer BUYER` lists what a buyer has.",
        Reason::HoldFenced => "Nothing can be held under it any more: use a new id.",
        Reason::HoldConfirmed => "`usher booking cancel` takes a sale back.",
        Reason::HoldOfGroup => "Confirm or release its group: `usher call ConfirmGroup`, `usher call ReleaseGroup`.",
        Reason::HoldPinned => "Confirm it, or `usher unpin` it first.",
        Reason::HoldWaiting => "`usher get SHOW ID` tells how it stands; `usher waitlist leave` ends it.",
        Reason::HoldNotWaiting => "It is a hold: `usher release` gives it back.",
        Reason::HoldNotConfirmed => {
            "It is no booking: `usher confirm` makes a hold one, `usher release` or `usher waitlist leave` ends it."
        }
        Reason::HoldExpired => {
            "The places went back. Hold them again under a new id, or confirm with --accept-late if it was a moment ago."
        }
        Reason::HoldReleased => "The places went back. Hold them again under a new id.",
        Reason::HoldsLive => "Wait until they end; `usher show get SHOW` counts them.",
        Reason::PlacesTaken => "Nothing was held. Choose other places; `usher show get SHOW` counts what is left.",
        Reason::PlacesProtected => "Ask for them with --accessible, or with `usher best SHOW --bays N --companions N`.",
        Reason::PlacesUnknown => "`usher show get SHOW --plan` prints every section, row and seat.",
        Reason::PlacesNotInHold => "`usher get SHOW ID` prints what it has.",
        Reason::OrphansLeft => "Move the choice so that no single seat is left, or let `usher best` choose.",
        Reason::SoldOut => {
            "Nothing was held. Ask for fewer, widen the wish, or wait: `usher waitlist join SHOW --quantity N`."
        }
        Reason::NotTogether => {
            "Nothing was held. Allow a split with --adjacency preferred (companions sit beside their bay all the \
             same), or ask for fewer."
        }
        Reason::CapacityReached => {
            "Nothing was held. Ask for fewer, or wait. `usher show change set-capacity` and `set-pool` change capacities."
        }
        Reason::ManifestChanged => "`usher show get SHOW --plan` prints the present prices.",
        Reason::ChannelUnknown => "`usher show get SHOW` lists the channels; `usher show channel set` defines one.",
        Reason::WaitlistClosed => "`usher show policy SHOW` prints its rules.",
        Reason::DiskFull => "Nothing was done. The server's disk needs room; then it goes on by itself.",
        Reason::DiskUnwritable => "Nothing was done. The server's log says what is wrong with its disk.",
        Reason::OutcomeUnknown
        | Reason::ShardRecovering
        | Reason::InboxFull
        | Reason::Overloaded
        | Reason::DeadlinePassed => "Send it again, under the same id if it has one.",
        _ => "",
    }
}

/// Of a show that is in a state which the command does not allow.
fn of_state(state: &str) -> &'static str {
    match state {
        "DRAFT" => "`usher show open SHOW` opens its sale, `usher show schedule SHOW --opens-at WHEN` plans it.",
        "SCHEDULED" => "It opens by itself then; `usher show open SHOW` opens it now.",
        "ON_SALE" => "`usher show close SHOW` ends its sale, for good.",
        "PAUSED" => "`usher show open SHOW` goes on with its sale, `usher show close SHOW` ends it for good.",
        "CLOSED" => "Its sale is over and does not open again. The box office can still `usher sell`.",
        "CANCELLED" => "It does not take place. `usher holds SHOW --all` lists the bookings that are to be refunded.",
        "ARCHIVED" => "It is only looked up: `usher show get`, `usher holds` and `usher get` answer.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_fits_the_state_and_the_limit() {
        let told = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(of(&Reason::ShowNotOpen, &told("state", "PAUSED")).contains("usher show open"));
        for over in ["CLOSED", "CANCELLED", "ARCHIVED"] {
            assert!(!of(&Reason::ShowNotOpen, &told("state", over)).contains("usher show open"), "{over}");
        }
        assert!(of(&Reason::LimitReached, &told("limit", "places_per_hold_max")).contains("policy"));
        assert_eq!(of(&Reason::LimitReached, &told("limit", "manifest_bytes_max")), "");
        assert!(of(&Reason::WaitsAlready, &told("hold_id", "abc")).contains("get SHOW abc"));
    }
}
