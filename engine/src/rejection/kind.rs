//! The kinds of rejections, without what they carry.

use super::Rejection;
use crate::kinds::kinds;

kinds! {
    /// The kind of a rejection.
    RejectionKind of Rejection {
        ShowIdReused => "show_id_reused",
        IdReused => "id_reused",
        HoldUnknown => "hold_unknown",
        HoldOfAnotherBuyer => "hold_of_another_buyer",
        HoldFenced => "hold_fenced",
        HoldReleased => "hold_released",
        HoldExpired => "hold_expired",
        HoldConfirmed => "hold_confirmed",
        HoldCancelled => "hold_cancelled",
        HoldPinned => "hold_pinned",
        HoldOfGroup => "hold_of_group",
        HoldNotOfGroup => "hold_not_of_group",
        HoldNotConfirmed => "hold_not_confirmed",
        HoldWaiting => "hold_waiting",
        ShowNotOpen => "show_not_open",
        HoldsLive => "holds_live",
        HoldNotWaiting => "hold_not_waiting",
        WaitlistClosed => "waitlist_closed",
        ChannelUnknown => "channel_unknown",
        ManifestInvalid => "manifest_invalid",
        PlacesNotInHold => "places_not_in_hold",
        PlacesUnknown => "places_unknown",
        ManifestChanged => "manifest_changed",
        ManifestNotReached => "manifest_not_reached",
        LimitReached => "limit_reached",
        CoolingDown => "cooling_down",
        WaitsAlready => "waits_already",
        PlacesProtected => "places_protected",
        CapacityReached => "capacity_reached",
        PlacesTaken => "places_taken",
        OrphansLeft => "orphans_left",
        SoldOut => "sold_out",
        NotTogether => "not_together",
    }
}
