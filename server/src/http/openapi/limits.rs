//! What protobuf cannot say of a request: which fields must be there, and how long a text may be.
//!
//! The services decide; this only repeats it for whoever reads the document. Tests hold the one against the other.

use prost_reflect::FieldDescriptor;
use serde_json::{Value as Json, json};
use usher_engine::{
    ids::{BUYER_ID_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX, SHOW_ID_CHARS_MAX},
    time::{HOLD_TTL_MS_MAX, HOLD_TTL_MS_MIN},
};

/// The fields without which a message is refused, by its name. None are the show's id, which is in the path or the
/// batch's, and a new hold's id, which a header may give.
const REQUIRED: [(&str, &[&str]); 32] = [
    ("HoldSeatsRequest", &["buyer_id", "places"]),
    ("ExtendHoldRequest", &["hold_id", "buyer_id"]),
    ("ReleaseHoldRequest", &["hold_id", "buyer_id"]),
    ("ConfirmHoldRequest", &["hold_id", "buyer_id", "order_ref"]),
    ("HoldBestRequest", &["buyer_id", "wish"]),
    ("PinHoldRequest", &["hold_id", "buyer_id"]),
    ("UnpinHoldRequest", &["hold_id", "buyer_id"]),
    ("SellPlacesRequest", &["buyer_id", "places", "order_ref"]),
    ("CancelBookingRequest", &["hold_id", "buyer_id"]),
    ("TransferBookingRequest", &["hold_id", "buyer_id", "to_buyer_id"]),
    ("ExchangeSeatsRequest", &["hold_id", "buyer_id", "places"]),
    ("JoinWaitlistRequest", &["buyer_id", "wish"]),
    ("LeaveWaitlistRequest", &["hold_id", "buyer_id"]),
    ("ExecuteRequest", &["commands"]),
    ("CreateShowRequest", &["show_id", "manifest"]),
    ("ImportShowRequest", &["show_id", "plan"]),
    ("BlockPlacesRequest", &["mark"]),
    ("UnblockPlacesRequest", &["mark"]),
    ("RetireSeatsRequest", &["selection"]),
    ("ScheduleReleaseRequest", &["mark"]),
    ("SetChannelRequest", &["key"]),
    ("AssignChannelRequest", &["selection"]),
    ("Manifest", &["currency", "categories", "sections"]),
    ("Category", &["name"]),
    ("Section", &["name"]),
    ("ReservedSection", &["rows"]),
    ("GeneralAdmission", &["capacity", "category"]),
    ("Row", &["name", "runs"]),
    ("SeatRun", &["category"]),
    ("Mark", &["kind", "reason"]),
    ("SeatLabel", &["section", "row", "seat"]),
    ("GaQuantity", &["section", "quantity"]),
];

/// The fields without which a message is refused.
pub(super) fn required(message: &str) -> &'static [&'static str] {
    REQUIRED.iter().find(|(name, _)| *name == message).map_or(&[], |(_, fields)| fields)
}

/// Adds a field's limits to its schema. Where texts are counted in bytes, it is what they may have at most.
pub(super) fn limit(field: &FieldDescriptor, schema: &mut Json) {
    let limits = match field.name() {
        "show_id" => json!({"maxLength": SHOW_ID_CHARS_MAX, "pattern": "^[A-Za-z0-9._:-]+$"}),
        "buyer_id" | "to_buyer_id" => json!({"minLength": 1, "maxLength": BUYER_ID_BYTES_MAX}),
        "order_ref" => json!({"minLength": 1, "maxLength": REFERENCE_BYTES_MAX}),
        "payment_ref" => json!({"maxLength": REFERENCE_BYTES_MAX}),
        "key" if field.parent_message().name() == "SetChannelRequest" => {
            json!({"minLength": 1, "maxLength": NAME_BYTES_MAX})
        }
        "ttl_ms" => json!({"minimum": HOLD_TTL_MS_MIN, "maximum": HOLD_TTL_MS_MAX}),
        "page_size" => json!({"maximum": 1_000}),
        "currency" if field.parent_message().name() == "Manifest" => json!({"pattern": "^[A-Z]{3}$"}),
        _ => return,
    };
    if let (Some(schema), Json::Object(limits)) = (schema.as_object_mut(), limits) {
        schema.extend(limits);
    }
}
