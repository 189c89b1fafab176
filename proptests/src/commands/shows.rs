//! The small shows of the histories: twelve seats in two sections and a floor of six, with tight limits.
//!
//! The third row's seats are called by letters, so that both kinds of names are logged and replayed.

use rand::{RngExt, rngs::StdRng};
use usher_engine::{
    event::ShowCreated,
    ids::ShowId,
    inventory::{
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        policy::Policy,
    },
    time::HoldTtl,
};

/// A show named after `number`, with random limits.
pub fn show(rng: &mut StdRng, number: u8) -> ShowCreated {
    let show_id = ShowId::new(&format!("show-{number}")).unwrap();
    ShowCreated { show_id, manifest: manifest(), policy: policy(rng) }
}

fn policy(rng: &mut StdRng) -> Policy {
    Policy {
        hold_ttl_default: HoldTtl::from_ms([5_000, 7_000, 10_000][rng.random_range(0..3)]).unwrap(),
        hold_life_ms_max: [5_000, 12_000, 30_000, 120_000][rng.random_range(0..4)],
        places_per_hold_max: rng.random_range(2..=6),
        live_holds_per_buyer_max: rng.random_range(1..=4),
        places_per_buyer_max: rng.random_range(4..=10),
        holds_per_show_max: rng.random_range(2..=9),
    }
}

fn manifest() -> ManifestParts {
    let numbered = |first, step, count| SeatNames::Numbered { first, step, count };
    let letters = SeatNames::Named(["a", "b", "c", "d"].map(str::to_owned).into());
    let run = |category, names| SeatRun { category: CategoryIndex(category), names };
    let row = |name: &str, runs| Row { name: name.to_owned(), runs };
    let section = |name: &str, kind| Section { name: name.to_owned(), kind };
    let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
    let stalls = vec![row("1", vec![run(0, numbered(1, 1, 3)), run(1, numbered(4, 1, 2))])];
    let circle = vec![row("1", vec![run(1, numbered(6, -2, 3))]), row("2", vec![run(1, letters)])];
    ManifestParts {
        name: "House".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![category("Front", 5_000), category("Back", 3_000), category("Floor", 1_900)],
        sections: vec![
            section("Stalls", SectionKind::Reserved(stalls)),
            section("Circle", SectionKind::Reserved(circle)),
            section("Floor", SectionKind::GeneralAdmission { capacity: 6, category: CategoryIndex(2) }),
        ],
    }
}
