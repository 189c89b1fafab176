//! Wishes, terms and bookings that are malformed, or name what is not there: alone and in a batch, with the same reason.

use usher_proto::v1::{self, command::Command};

use crate::{
    Named,
    commands::{ANNS, SHOW, invalid, refuse_all, unknown},
    common::wire,
};

/// A wish of `bob` for two seats.
fn wish() -> v1::Wish {
    v1::Wish { quantity: 2, ..v1::Wish::default() }
}

fn best(wish: v1::Wish) -> Command {
    best_with(v1::HoldBestRequest { wish: Some(wish), ..wire::best(SHOW, 1, "bob", 2) })
}

fn best_with(request: v1::HoldBestRequest) -> Command {
    Command::HoldBest(Box::new(request))
}

fn tickets(quantity: u32, tickets: &[(&str, u32)]) -> Command {
    let tickets = tickets.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    best_with(v1::HoldBestRequest { tickets, ..wire::best(SHOW, 1, "bob", quantity) })
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn malformed_wishes_are_refused() {
    let many = |count| v1::Wish { quantity: count, ..wish() };
    let ids = v1::HoldBestRequest { hold_id: vec![1; 3].into(), ..wire::best(SHOW, 1, "bob", 2) };
    let ttl = v1::HoldBestRequest { ttl_ms: Some(1), ..wire::best(SHOW, 1, "bob", 2) };
    let absent = v1::HoldBestRequest { wish: None, ..wire::best(SHOW, 1, "bob", 2) };
    refuse_all(vec![
        invalid("a short id", best_with(ids), "hold_id", "16 bytes, is 3"),
        invalid("a short time", best_with(ttl), "ttl_ms", "5000 to 7200000 ms, is 1"),
        invalid("no wish", best_with(absent), "wish.quantity", "1 to 1000, is 0"),
        invalid("for nobody", best(many(0)), "wish.quantity", "1 to 1000, is 0"),
        invalid("for 1,001", best(many(1_001)), "wish.quantity", "is 1001"),
        invalid("an unknown adjacency", best(v1::Wish { adjacency: 9, ..wish() }), "wish.adjacency", "9 is not"),
        invalid(
            "dear",
            best(v1::Wish { price_minor_max: Some(u64::MAX), ..wish() }),
            "wish.price_minor_max",
            "at most",
        ),
        invalid(
            "256 categories",
            best(v1::Wish { categories: vec!["Gold".into(); 256], ..wish() }),
            "wish.categories",
            "at most 255, are 256",
        ),
        invalid(
            "4,097 sections",
            best(v1::Wish { sections: vec!["Stalls".into(); 4_097], ..wish() }),
            "wish.sections",
            "at most 4096, are 4097",
        ),
    ])
    .await;
}

#[tokio::test]
async fn wishes_that_contradict_themselves_are_refused() {
    let of_floor = || v1::Wish { sections: names(&["Floor"]), ..wish() };
    refuse_all(vec![
        invalid(
            "seats and units",
            best(v1::Wish { sections: names(&["Stalls", "Floor"]), ..wish() }),
            "wish.sections",
            "stand alone",
        ),
        invalid("fewer seats", best(v1::Wish { at_least: Some(1), ..wish() }), "wish.at_least", "general-admission"),
        invalid(
            "at least none",
            best(v1::Wish { at_least: Some(0), ..of_floor() }),
            "wish.at_least",
            "1 to wish.quantity, 2, is 0",
        ),
        invalid("at least more", best(v1::Wish { at_least: Some(3), ..of_floor() }), "wish.at_least", "is 3"),
        invalid(
            "a bay without seats",
            best(v1::Wish { wheelchair_bays: 1, ..of_floor() }),
            "wish.wheelchair_bays",
            "has no bays",
        ),
        invalid(
            "too many bays",
            best(v1::Wish { wheelchair_bays: 2, companions: 1, ..wish() }),
            "wish.wheelchair_bays",
            "wish.quantity, 2, are 3",
        ),
        invalid("companions of nobody", best(v1::Wish { companions: 1, ..wish() }), "wish.companions", "without"),
    ])
    .await;
}

#[tokio::test]
async fn tickets_and_names_of_a_wish_must_fit() {
    let place = |name| Named::Resource("place", name);
    let seventeen: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let seventeen: Vec<(&str, u32)> = seventeen.iter().map(|name| (name.as_str(), 1)).collect();
    refuse_all(vec![
        invalid(
            "tickets that do not add up",
            tickets(2, &[("adult", 1), ("child", 2)]),
            "tickets",
            "wish.quantity, 2, are 3",
        ),
        invalid("no ticket of a type", tickets(1, &[("adult", 1), ("child", 0)]), "tickets[\"child\"]", "1 or more"),
        invalid("a ticket without a type", tickets(1, &[("", 1)]), "tickets[\"\"]", "1 to 64 bytes"),
        invalid("17 types", tickets(17, &seventeen), "tickets", "at most 16, are 17"),
        unknown(
            "an unknown category",
            best(v1::Wish { categories: names(&["Golf"]), ..wish() }),
            "PLACES_UNKNOWN",
            place("category \"Golf\""),
        ),
        unknown(
            "an unknown section",
            best(v1::Wish { sections: names(&["Pit"]), ..wish() }),
            "PLACES_UNKNOWN",
            place("section \"Pit\""),
        ),
    ])
    .await;
}

#[tokio::test]
async fn malformed_terms_are_refused() {
    let with = |terms: v1::Terms| {
        let terms = Some(Box::new(terms));
        Command::HoldSeats(v1::HoldSeatsRequest { terms, ..wire::hold(SHOW, 1, "bob", wire::seats(&[5])) })
    };
    let keys = |keys: Vec<String>| with(v1::Terms { channel_keys: keys, ..v1::Terms::default() });
    let replaces = |bytes: &'static [u8]| v1::Terms { replaces: bytes.into(), ..v1::Terms::default() };
    let sale = Command::SellPlaces(Box::new(v1::SellPlacesRequest {
        terms: Some(replaces(&[1; 16])),
        ..wire::sell(SHOW, 1, "bob", "order", wire::seats(&[5]))
    }));
    let exchange = Command::ExchangeSeats(Box::new(v1::ExchangeSeatsRequest {
        terms: Some(replaces(&[1; 16])),
        ..wire::exchange(SHOW, ANNS, "ann", wire::seats(&[5]))
    }));
    let version = with(v1::Terms { manifest_version: Some(0), ..v1::Terms::default() });
    let reason = with(v1::Terms { override_reason: "r".repeat(65), ..v1::Terms::default() });
    refuse_all(vec![
        invalid("a short id", with(replaces(&[1; 15])), "terms.replaces", "16 bytes, is 15"),
        invalid("an id of zeros", with(replaces(&[0; 16])), "terms.replaces", "zeros"),
        invalid("a sale that replaces", sale, "terms.replaces", "must be empty"),
        invalid("an exchange that replaces", exchange, "terms.replaces", "must be empty"),
        invalid("17 keys", keys(vec!["fans".to_owned(); 17]), "terms.channel_keys", "at most 16, are 17"),
        invalid("an empty key", keys(names(&["fans", ""])), "terms.channel_keys[1]", "1 to 64 bytes, is 0"),
        invalid("a key of 65 bytes", keys(vec!["k".repeat(65)]), "terms.channel_keys[0]", "is 65"),
        invalid("a reason of 65 bytes", reason, "terms.override_reason", "1 to 64 bytes, is 65"),
        invalid("version 0", version, "terms.manifest_version", "1 or more"),
        unknown("an unknown key", keys(names(&["fans"])), "CHANNEL_UNKNOWN", Named::Resource("channel", "fans")),
    ])
    .await;
}

#[tokio::test]
async fn malformed_sales_and_entries_are_refused() {
    let sell = |order: &str, places| Command::SellPlaces(Box::new(wire::sell(SHOW, 1, "bob", order, places)));
    let transfer = |to: &str| Command::TransferBooking(wire::transfer(SHOW, ANNS, "ann", to));
    let cancel = |mark: v1::Mark| {
        Command::CancelBooking(v1::CancelBookingRequest { return_to: Some(mark), ..wire::cancel(SHOW, ANNS, "ann") })
    };
    let mark = |kind: v1::BlockKind, reason: &str| v1::Mark { kind: kind.into(), reason: reason.to_owned() };
    let join = |wish, priority| {
        Command::JoinWaitlist(Box::new(v1::JoinWaitlistRequest { wish, priority, ..wire::join(SHOW, 1, "bob", 2) }))
    };
    let channels = v1::JoinWaitlistRequest { channel_keys: names(&[""]), ..wire::join(SHOW, 1, "bob", 2) };
    let own = |hold_id: &'static [u8], buyer: &str| {
        (prost::bytes::Bytes::from_static(hold_id), SHOW.to_owned(), buyer.to_owned())
    };
    let (hold_id, show_id, buyer_id) = own(&[1; 15], "ann");
    let pin = Command::PinHold(v1::PinHoldRequest { show_id, hold_id, buyer_id });
    let (hold_id, show_id, buyer_id) = own(&[1; 16], "");
    let unpin = Command::UnpinHold(v1::UnpinHoldRequest { show_id, hold_id, buyer_id });
    let (hold_id, show_id, buyer_id) = own(&[0; 16], "ann");
    let leave = Command::LeaveWaitlist(v1::LeaveWaitlistRequest { show_id, hold_id, buyer_id });
    refuse_all(vec![
        invalid("a sale without an order", sell("", wire::seats(&[5])), "order_ref", "1 to 128 bytes, is 0"),
        invalid("a sale of nothing", sell("order", v1::Places::default()), "places", "at least one"),
        invalid("a transfer to nobody", transfer(""), "to_buyer_id", "1 to 64 bytes, is 0"),
        invalid("a transfer to oneself", transfer("ann"), "to_buyer_id", "another buyer"),
        invalid(
            "back to nowhere",
            cancel(mark(v1::BlockKind::Unspecified, "x")),
            "return_to.kind",
            "HOUSE, KILL or BLOCK",
        ),
        invalid(
            "back to the engine",
            cancel(mark(v1::BlockKind::Returning, "x")),
            "return_to.kind",
            "HOUSE, KILL or BLOCK",
        ),
        invalid(
            "back without a reason",
            cancel(mark(v1::BlockKind::Kill, "")),
            "return_to.reason",
            "1 to 64 bytes, is 0",
        ),
        invalid("waiting for nothing", join(None, 0), "wish.quantity", "is 0"),
        invalid("first of all", join(Some(wish()), 256), "priority", "0 to 255, is 256"),
        invalid("an empty key", Command::JoinWaitlist(Box::new(channels)), "channel_keys[0]", "1 to 64 bytes"),
        invalid("a pin of a short id", pin, "hold_id", "16 bytes, is 15"),
        invalid("an unpin for nobody", unpin, "buyer_id", "1 to 64 bytes, is 0"),
        invalid("leaving as zeros", leave, "hold_id", "zeros"),
    ])
    .await;
}
