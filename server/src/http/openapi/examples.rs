//! What the bodies of some requests look like: those that a frontend writes first. A test sends every one of them.

use serde_json::{Value as Json, json};

/// What stands for a show and a hold in paths.
pub(super) const SHOW_ID: &str = "club";
pub(super) const HOLD_ID: &str = "0193a5f2-7c1e-7000-8000-000000000001";

/// The body of an operation.
pub(super) fn body(operation: &str) -> Option<Json> {
    Some(match operation {
        "CreateShow" => show(),
        "HoldSeats" => json!({
            "hold_id": HOLD_ID, "buyer_id": "ada",
            "places": {
                "seats": [{"section": "West", "row": "A", "seat": "7"}],
                "ga": [{"section": "Floor", "quantity": 2}],
            },
        }),
        "HoldBest" => json!({
            "hold_id": HOLD_ID, "buyer_id": "ada",
            "wish": {"quantity": 3, "adjacency": "ADJACENCY_REQUIRED", "categories": ["Gold"]},
        }),
        "ConfirmHold" => json!({"buyer_id": "ada", "order_ref": "order-1", "payment_ref": "payment-1"}),
        "ExtendHold" => json!({"buyer_id": "ada", "ttl_ms": "600000"}),
        "ReleaseHold" | "PinHold" | "UnpinHold" | "LeaveWaitlist" | "CancelBooking" => json!({"buyer_id": "ada"}),
        "SellPlaces" => json!({
            "hold_id": HOLD_ID, "buyer_id": "walk-in", "order_ref": "box-1", "places": {"seat_indexes": [11, 12]},
        }),
        "TransferBooking" => json!({"buyer_id": "ada", "to_buyer_id": "eve"}),
        "ExchangeSeats" => json!({"buyer_id": "ada", "places": {"seat_indexes": [3]}}),
        "JoinWaitlist" => json!({"hold_id": HOLD_ID, "buyer_id": "ada", "wish": {"quantity": 2}}),
        "Execute" => json!({"commands": [
            {"hold_seats": {"hold_id": HOLD_ID, "buyer_id": "ada", "places": {"seat_indexes": [6]}}},
            {"confirm_hold": {"hold_id": HOLD_ID, "buyer_id": "ada", "order_ref": "order-1"}},
        ]}),
        "UpdatePolicy" => json!({"hold_ttl_ms_default": "300000", "places_per_hold_max": 6}),
        "ScheduleSale" => json!({"opens_at_ms": "1798794000000"}),
        "ChangeManifest" => json!({"reprice": {"category": "Gold", "price_minor": "9500"}}),
        "BlockPlaces" | "UnblockPlaces" => json!({
            "selection": {"rows": [{"section": "West", "row": "A"}]},
            "mark": {"kind": "BLOCK_KIND_HOUSE", "reason": "sponsor"},
        }),
        _ => return None,
    })
}

fn show() -> Json {
    let seats = json!({"first": 1, "count": 30, "step": 1});
    json!({
        "show_id": SHOW_ID,
        "manifest": {
            "name": "Club", "currency": "EUR",
            "categories": [{"name": "Gold", "price_minor": "9000"}, {"name": "Floor", "price_minor": "4500"}],
            "sections": [
                {"name": "West", "reserved": {"rows": [{"name": "A", "runs": [{"category": "Gold", "numbered": seats}]}]}},
                {"name": "Floor", "general_admission": {"capacity": 500, "category": "Floor"}},
            ],
        },
    })
}
