//! The small shows of the histories: two dozen seats in two sections, two floors, tight limits, and whatever makes rules
//! meet: bays and companions' seats, restricted views, pools, capacities, now and then a row longer than a word of bits.

use rand::{RngExt, rngs::StdRng};
use usher_engine::{
    event::ShowCreated,
    ids::{SectionIndex, ShowId},
    inventory::{
        manifest::{
            Category, CategoryIndex, Features, Manifest, ManifestParts, Pool, Row, SeatNames, SeatRun, Section,
            SectionKind,
        },
        policy::{OrphanRule, Policy, WaitlistOrder},
        sale::{Sale, Stage},
    },
    time::{HoldTtl, Timestamp},
};

use super::START;

/// The general-admission sections of every show.
pub(super) const FLOORS: [SectionIndex; 2] = [SectionIndex(2), SectionIndex(3)];

/// A show named after `number`, with random limits.
pub fn show(rng: &mut StdRng, number: u8) -> ShowCreated {
    let show_id = ShowId::new(&format!("show-{number}")).unwrap();
    ShowCreated { show_id, manifest: manifest(rng), policy: policy(rng), sale: sale(rng) }
}

/// How many seats a show begins with.
pub(super) fn seats(created: &ShowCreated) -> u32 {
    Manifest::new(created.manifest.clone()).unwrap().seats()
}

fn sale(rng: &mut StdRng) -> Sale {
    let closes_at = rng.random_bool(0.05).then(|| Timestamp(START.0 + rng.random_range(30..90) * 1_000));
    let (stage, opens_at) = match rng.random_range(0..100) {
        0..4 => (Stage::Draft, Timestamp(0)),
        4..12 => (Stage::Planned, Timestamp(START.0 + rng.random_range(1..15) * 1_000)),
        _ => (Stage::Planned, Timestamp(0)),
    };
    Sale { stage, opens_at, closes_at }
}

pub(super) fn policy(rng: &mut StdRng) -> Policy {
    let mut one_of = |choices: &[u64]| choices[rng.random_range(0..choices.len())];
    let few = |ms| HoldTtl::from_ms(ms).unwrap();
    let short = |number: u64| u32::try_from(number).unwrap();
    let (hold_ttl_default, offer_ttl) = (few(one_of(&[5_000, 7_000, 10_000])), few(one_of(&[5_000, 8_000, 20_000])));
    Policy {
        hold_ttl_default,
        hold_life_ms_max: one_of(&[5_000, 12_000, 30_000, 120_000]),
        places_per_hold_max: short(one_of(&[3, 5, 6, 8, 90])),
        live_holds_per_buyer_max: short(one_of(&[1, 2, 3, 4, 9])),
        places_per_buyer_max: short(one_of(&[4, 7, 10, 15, 200])),
        holds_per_show_max: short(one_of(&[2, 5, 8, 12])),
        orphans: [OrphanRule::Off, OrphanRule::Avoid, OrphanRule::Forbid]
            [usize::try_from(one_of(&[0, 0, 1, 2])).unwrap()],
        late_confirm_ms_max: one_of(&[0, 3_000, 30_000]),
        pin_ms_max: one_of(&[0, 10_000, 60_000]),
        lapses_max: short(one_of(&[0, 0, 0, 1, 2])),
        cool_down_ms: one_of(&[2_000, 20_000]),
        return_spread_ms: one_of(&[0, 0, 0, 4_000]),
        waitlist_max: short(one_of(&[0, 2, 5, 5, 5, 5, 5, 5])),
        waitlist_order: match one_of(&[0, 0, 1, 2]) {
            0 => WaitlistOrder::Fifo,
            1 => WaitlistOrder::Priority,
            _ => WaitlistOrder::Lottery { seed: one_of(&[0, 1, 2, 3]) },
        },
        waitlist_closes_at: match one_of(&[0, 0, 0, 0, 0, 20_000]) {
            0 => None,
            ms => Some(Timestamp(START.0 + ms)),
        },
        offer_ttl,
        gather_ms_max: one_of(&[0, 3_000, 6_000, 6_000, 20_000]),
        returns_per_second_max: short(one_of(&[1, 3, 20, 40])),
        extends_max: short(one_of(&[0, 1, 2, 1_000_000, 1_000_000])),
        orphan_rule_ends_at: match one_of(&[0, 0, 20_000, 40_000]) {
            0 => None,
            ms => Some(Timestamp(START.0 + ms)),
        },
    }
}

fn manifest(rng: &mut StdRng) -> ManifestParts {
    let run = |category, first, count, features| SeatRun {
        category: CategoryIndex(category),
        names: SeatNames::Numbered { first, step: if count == 1 { 1 } else { 2 }, count },
        features,
    };
    let plain = |category, first, count| run(category, first, count, Features::NONE);
    let bay = |first| run(1, first, 1, Features::ACCESSIBLE);
    let companion = |first| run(1, first, 1, Features::COMPANION);
    let letters = SeatRun::new(CategoryIndex(1), SeatNames::Named(["a", "b", "c"].map(str::to_owned).into()));
    let section = |name: &str, kind| Section { name: name.to_owned(), kind };
    let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
    let long = rng.random_range(1..45);
    let mut row = |name: &str, runs| {
        let rank = [None, Some(0), Some(1), Some(2), Some(4)][rng.random_range(0..5)];
        Row { rank, ..Row::new(name, runs) }
    };
    let stalls = vec![
        row("1", vec![plain(0, 1, 4), plain(1, 9, 2)]),
        row("2", vec![plain(1, 1, 5), run(1, 11, 2, Features::RESTRICTED_VIEW)]),
    ];
    let circle = vec![
        row("1", vec![bay(20), companion(30), letters]),
        row("2", vec![plain(1, 1, 2), bay(20), companion(21), bay(22), plain(0, 31, 2)]),
        row("3", vec![plain(2, 1, 1)]),
    ];
    let gallery = row("1", vec![plain(2, 1, 30), plain(0, 101, long)]);
    let capacity = if rng.random_bool(0.25) { 90 } else { 6 };
    let floor = |capacity| SectionKind::GeneralAdmission { capacity, category: CategoryIndex(2) };
    let mut sections = vec![
        section("Stalls", SectionKind::Reserved(stalls)),
        section("Circle", SectionKind::Reserved(circle)),
        section("Floor", floor(capacity)),
        section("Yard", floor(4)),
    ];
    if rng.random_bool(0.2) {
        sections.push(section("Gallery", SectionKind::Reserved(vec![gallery])));
    }
    let pool = Pool { name: "Standing".to_owned(), capacity: 5, sections: FLOORS.to_vec() };
    ManifestParts {
        name: "House".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![category("Front", 5_000), category("Back", 3_000), category("Floor", 1_900)],
        sections,
        capacity: rng.random_bool(0.15).then(|| rng.random_range(5..20)),
        pools: if rng.random_bool(0.2) { vec![pool] } else { Vec::new() },
    }
}
