//! Who may have which places, and how many.

use usher_proto::v1::{self, change_manifest_request::Change};

use crate::{Ask, Row, ask, common::wire, hold, row, ruled};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = chosen();
    rows.extend(counted());
    rows
}

fn hold_on_terms(show: &str, id: u128, seats: &[u32], terms: v1::Terms) -> Ask {
    let request = wire::hold(show, id, "bob", wire::seats(seats));
    ask!(inventory.hold_seats(v1::HoldSeatsRequest { terms: Some(Box::new(terms)), ..request }))
}

fn best(show: &str, quantity: u32) -> Ask {
    let wish = v1::Wish { quantity, adjacency: v1::Adjacency::Required.into(), ..v1::Wish::default() };
    ask!(inventory.hold_best(v1::HoldBestRequest { wish: Some(wish), ..wire::best(show, 9, "bob", quantity) }))
}

fn change(show: &str, change: Change) -> Ask {
    ask!(shows.change_manifest(v1::ChangeManifestRequest { show_id: show.to_owned(), change: Some(change) }))
}

fn chosen() -> Vec<Row> {
    let forbidding = v1::Policy { orphan_rule: Some(v1::OrphanRule::Forbid.into()), ..v1::Policy::default() };
    let fans = v1::Terms { channel_keys: vec!["fans".to_owned()], ..v1::Terms::default() };
    let seen = v1::Terms { manifest_version: Some(1), ..v1::Terms::default() };
    let reprice = v1::Reprice { category: "Gold".to_owned(), price_minor: 1 };
    vec![
        row(
            "ORPHANS_LEFT",
            ruled(wire::hall("orphans", 10, 0), forbidding),
            vec![],
            hold("orphans", 1, "ann", &[1, 2]),
        )
        .says("seat_indexes", "0"),
        row("CHANNEL_UNKNOWN", wire::hall("channels", 5, 0), vec![], hold_on_terms("channels", 1, &[0], fans)),
        row(
            "MANIFEST_CHANGED",
            wire::hall("repriced", 5, 0),
            vec![change("repriced", Change::Reprice(reprice))],
            hold_on_terms("repriced", 1, &[0], seen),
        )
        .says("manifest_version", 2)
        .says("seat_indexes", "0"),
        row(
            "VERSION_NOT_REACHED",
            wire::hall("not-reached", 5, 0),
            vec![],
            hold_on_terms("not-reached", 1, &[0], v1::Terms { manifest_version: Some(2), ..v1::Terms::default() }),
        )
        .says("manifest_version", 1),
        row(
            "MANIFEST_INVALID",
            wire::hall("invalid", 5, 0),
            vec![],
            change("invalid", Change::SetCapacity(v1::SetCapacity { capacity: Some(0) })),
        )
        .says("spot", "capacity"),
        row("SOLD_OUT", wire::hall("sold-out", 5, 0), vec![hold("sold-out", 1, "ann", &[2])], best("sold-out", 5))
            .says("requested", 5)
            .says("available", 4),
        row("NOT_TOGETHER", wire::hall("apart", 5, 0), vec![hold("apart", 1, "ann", &[2])], best("apart", 3))
            .says("requested", 3)
            .says("available", 4),
        row(
            "PLACES_TAKEN",
            wire::hall("taken", 5, 0),
            vec![hold("taken", 1, "ann", &[2])],
            hold("taken", 2, "bob", &[1, 2]),
        )
        .says("seat_indexes", "2"),
        row("PLACES_UNKNOWN", wire::hall("nowhere", 5, 0), vec![], hold("nowhere", 1, "ann", &[5])),
        row("INVALID_REQUEST", wire::hall("malformed", 5, 0), vec![], hold("malformed", 0, "", &[0])),
    ]
}

fn counted() -> Vec<Row> {
    let mut bays = wire::hall("bays", 5, 0);
    let section = bays.manifest.as_mut().unwrap().sections[0].kind.as_mut().unwrap();
    let v1::section::Kind::Reserved(section) = section else { panic!("a section of seats") };
    section.rows[0].runs[0].features = vec![v1::SeatFeature::Wheelchair.into()];
    let capped = |show, capacity| {
        let mut show = wire::hall(show, 5, 5);
        show.manifest.as_mut().unwrap().capacity = Some(capacity);
        show
    };
    let mut pooled = wire::hall("pooled", 5, 5);
    let pool = v1::Pool { name: "Standing".to_owned(), capacity: 2, sections: vec!["Floor".to_owned()] };
    pooled.manifest.as_mut().unwrap().pools = vec![pool];
    let floor = v1::GaQuantity { section: "Floor".to_owned(), quantity: 3 };
    let units = v1::Places { ga: vec![floor], ..v1::Places::default() };
    vec![
        row("PLACES_PROTECTED", bays, vec![], hold("bays", 1, "ann", &[0, 1])).says("seat_indexes", "0,1"),
        row(
            "CAPACITY_REACHED",
            capped("capped", 2),
            vec![hold("capped", 1, "ann", &[0])],
            hold("capped", 2, "bob", &[1, 2]),
        )
        .says("requested", 2)
        .says("available", 1)
        .says("pool", ""),
        row("CAPACITY_REACHED", pooled, vec![], ask!(inventory.hold_seats(wire::hold("pooled", 1, "ann", units))))
            .says("requested", 3)
            .says("available", 2)
            .says("pool", "Standing"),
    ]
}
