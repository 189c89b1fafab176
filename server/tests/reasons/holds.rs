//! How a hold, a booking or an entry stands, and who may wait.

use usher_proto::v1;

use crate::{Ask, Row, ask, common::wire, hold, row, ruled, short_hold, until_it_expired};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = standing();
    rows.extend(unfit());
    rows.extend(waiting());
    rows
}

fn confirm(show: &str, id: u128, buyer: &str) -> Ask {
    ask!(inventory.confirm_hold(wire::confirm(show, id, buyer, "order")))
}

fn release(show: &str, id: u128, buyer: &str) -> Ask {
    ask!(inventory.release_hold(wire::release(show, id, buyer)))
}

fn join(show: &str, id: u128, buyer: &str) -> Ask {
    ask!(inventory.join_waitlist(wire::join(show, id, buyer, 1)))
}

fn standing() -> Vec<Row> {
    vec![
        row(
            "HOLD_CANCELLED",
            wire::hall("cancelled", 5, 0),
            vec![
                ask!(inventory.sell_places(wire::sell("cancelled", 1, "ann", "order", wire::seats(&[0])))),
                ask!(inventory.cancel_booking(wire::cancel("cancelled", 1, "ann"))),
            ],
            ask!(inventory.exchange_seats(wire::exchange("cancelled", 1, "ann", wire::seats(&[1])))),
        ),
        row(
            "HOLD_PINNED",
            wire::hall("pinned", 5, 0),
            vec![hold("pinned", 1, "ann", &[0]), ask!(inventory.pin_hold(wire::pin("pinned", 1, "ann")))],
            ask!(inventory.release_hold(wire::release("pinned", 1, "ann"))),
        ),
        row(
            "HOLD_OF_GROUP",
            wire::hall("a-season", 5, 0),
            vec![
                ask!(shows.create_show(wire::hall("another-night", 5, 0))),
                ask!(groups.hold_group(wire::hold_group(1, "ann", &["a-season", "another-night"], 0))),
            ],
            confirm("a-season", 1, "ann"),
        ),
        row(
            "HOLD_NOT_OF_GROUP",
            wire::hall("one-night", 5, 0),
            vec![hold("one-night", 1, "ann", &[0])],
            ask!(groups.confirm_group(wire::confirm_group("one-night", 1, "ann"))),
        ),
        row(
            "HOLD_NOT_CONFIRMED",
            wire::hall("unconfirmed", 5, 0),
            vec![hold("unconfirmed", 1, "ann", &[0])],
            ask!(inventory.transfer_booking(wire::transfer("unconfirmed", 1, "ann", "bob"))),
        ),
        row(
            "HOLD_WAITING",
            wire::hall("waiting", 1, 0),
            vec![hold("waiting", 1, "ann", &[0]), join("waiting", 2, "bob")],
            confirm("waiting", 2, "bob"),
        ),
        row(
            "HOLD_NOT_WAITING",
            wire::hall("holding", 1, 0),
            vec![hold("holding", 1, "ann", &[0])],
            ask!(inventory.leave_waitlist(wire::leave("holding", 1, "ann"))),
        ),
        row(
            "ID_REUSED",
            wire::hall("reused", 5, 0),
            vec![ask!(inventory.sell_places(wire::sell("reused", 1, "ann", "order", wire::seats(&[0]))))],
            ask!(inventory.sell_places(wire::sell("reused", 1, "ann", "another", wire::seats(&[0])))),
        )
        .says("field", "order_ref"),
    ]
}

fn unfit() -> Vec<Row> {
    vec![
        row("HOLD_UNKNOWN", wire::hall("no-hold", 5, 0), vec![], confirm("no-hold", 1, "ann")),
        row(
            "HOLD_OF_ANOTHER_BUYER",
            wire::hall("of-another", 5, 0),
            vec![hold("of-another", 1, "ann", &[0])],
            confirm("of-another", 1, "bob"),
        ),
        row(
            "HOLD_FENCED",
            wire::hall("fenced", 5, 0),
            vec![release("fenced", 1, "ann")],
            hold("fenced", 1, "ann", &[0]),
        ),
        row(
            "HOLD_RELEASED",
            wire::hall("released", 5, 0),
            vec![hold("released", 1, "ann", &[0]), release("released", 1, "ann")],
            confirm("released", 1, "ann"),
        ),
        row(
            "HOLD_EXPIRED",
            wire::hall("expired", 5, 0),
            vec![short_hold("expired", 1, "ann"), until_it_expired()],
            confirm("expired", 1, "ann"),
        ),
        row(
            "HOLD_CONFIRMED",
            wire::hall("confirmed", 5, 0),
            vec![hold("confirmed", 1, "ann", &[0]), confirm("confirmed", 1, "ann")],
            release("confirmed", 1, "ann"),
        ),
        row(
            "PLACES_NOT_IN_HOLD",
            wire::hall("not-in-hold", 5, 0),
            vec![hold("not-in-hold", 1, "ann", &[0])],
            ask!(inventory.confirm_hold(v1::ConfirmHoldRequest {
                places: Some(wire::seats(&[1])),
                ..wire::confirm("not-in-hold", 1, "ann", "order")
            })),
        )
        .says("seat_indexes", "1"),
    ]
}

fn waiting() -> Vec<Row> {
    let none = v1::Policy { waitlist_max: Some(0), ..v1::Policy::default() };
    let one = v1::Policy { waitlist_max: Some(1), ..v1::Policy::default() };
    let strict = v1::Policy { lapses_max: Some(1), cool_down_ms: Some(60_000), ..v1::Policy::default() };
    let waits = format!("{:08x}-0000-0000-0000-{:012x}", 0, 2);
    vec![
        row("WAITLIST_CLOSED", ruled(wire::hall("closed", 1, 0), none), vec![], join("closed", 1, "ann")),
        row(
            "WAITS_ALREADY",
            wire::hall("twice", 1, 0),
            vec![hold("twice", 1, "ann", &[0]), join("twice", 2, "bob")],
            join("twice", 3, "bob"),
        )
        .says("hold_id", waits),
        row(
            "LIMIT_REACHED",
            ruled(wire::hall("crowded", 1, 0), one),
            vec![hold("crowded", 1, "ann", &[0]), join("crowded", 2, "bob")],
            join("crowded", 3, "eve"),
        )
        .says("limit", "waitlist_max")
        .says("max", 1),
        row(
            "COOLING_DOWN",
            ruled(wire::hall("lapsed", 5, 0), strict),
            vec![short_hold("lapsed", 1, "ann"), until_it_expired()],
            hold("lapsed", 2, "ann", &[1]),
        ),
    ]
}
