//! Manifests: finding seats both ways, equal descriptions, and every refusal.

use super::*;

fn numbered(first: u32, step: i32, count: u32) -> SeatRun {
    SeatRun::new(CategoryIndex(0), SeatNames::Numbered { first, step, count })
}

fn named(names: &[&str]) -> SeatRun {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    SeatRun::new(CategoryIndex(1), SeatNames::Named(names))
}

fn row(name: &str, runs: Vec<SeatRun>) -> Row {
    Row::new(name, runs)
}

fn section(name: &str, rows: Vec<Row>) -> Section {
    Section { name: name.to_owned(), kind: SectionKind::Reserved(rows) }
}

fn ga(name: &str, capacity: u32) -> Section {
    let kind = SectionKind::GeneralAdmission { capacity, category: CategoryIndex(1) };
    Section { name: name.to_owned(), kind }
}

fn parts(sections: Vec<Section>) -> ManifestParts {
    let category = |name: &str, price_minor| Category { name: name.to_owned(), price_minor };
    ManifestParts {
        name: "Arena".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![category("Gold", 9_000), category("Silver", 4_500)],
        sections,
        capacity: None,
        pools: Vec::new(),
    }
}

fn arena() -> ManifestParts {
    parts(vec![
        section(
            "West",
            vec![row("B", vec![numbered(1, 2, 3), named(&["W1", "W2"])]), row("A", vec![numbered(9, -1, 2)])],
        ),
        ga("Floor", 500),
        section("East", vec![row("A", vec![numbered(1, 1, 2)]), row("A", vec![numbered(11, 1, 2)])]),
    ])
}

fn problem(parts: ManifestParts) -> String {
    Manifest::new(parts).unwrap_err().to_string()
}

#[test]
fn every_seat_is_found_by_its_label_and_back() {
    let manifest = Manifest::new(arena()).unwrap();
    assert_eq!((manifest.seats(), manifest.places()), (11, 511));
    for seat in (0..manifest.seats()).map(SeatIndex) {
        let label = manifest.label(seat).unwrap();
        assert_eq!(manifest.seat(&label.section, &label.row, &label.seat), Some(seat), "{label:?}");
    }
    assert_eq!(manifest.seat("West", "B", "5"), Some(SeatIndex(2)));
    assert_eq!(manifest.seat("West", "B", "W2"), Some(SeatIndex(4)));
    assert_eq!(manifest.seat("West", "A", "8"), Some(SeatIndex(6)));
    assert_eq!(manifest.seat("East", "A", "12"), Some(SeatIndex(10)), "rows that share a name");
    assert_eq!(manifest.label(SeatIndex(11)), None);
}

#[test]
fn what_is_not_there_is_not_found() {
    let manifest = Manifest::new(arena()).unwrap();
    for (section, row, seat) in [
        ("West", "B", "2"),
        ("West", "B", "7"),
        ("West", "B", "01"),
        ("West", "C", "1"),
        ("North", "A", "1"),
        ("Floor", "A", "1"),
    ] {
        assert_eq!(manifest.seat(section, row, seat), None, "{section} {row} {seat}");
    }
    assert_eq!(manifest.ga_capacity(SectionIndex(0)), None);
    assert_eq!(manifest.ga_capacity(SectionIndex(1)), Some(500));
}

#[test]
fn a_list_that_follows_a_rule_equals_the_rule() {
    let listed = parts(vec![section("West", vec![row("A", vec![named(&["8", "6", "4"])])])]);
    let mut ruled = listed.clone();
    let SectionKind::Reserved(rows) = &mut ruled.sections[0].kind else { panic!("seats") };
    rows[0].runs[0].names = SeatNames::Numbered { first: 8, step: -2, count: 3 };
    assert_eq!(Manifest::new(listed).unwrap().parts(), Manifest::new(ruled).unwrap().parts());
}

#[test]
fn names_with_leading_zeros_stay_as_they_are() {
    let manifest = Manifest::new(parts(vec![section("West", vec![row("A", vec![named(&["01", "02"])])])])).unwrap();
    assert_eq!(manifest.label(SeatIndex(1)).unwrap().seat, "02");
    assert_eq!(manifest.seat("West", "A", "2"), None);
}

#[test]
fn equal_seats_are_refused_with_their_place() {
    let twice = section("West", vec![row("A", vec![numbered(1, 1, 4), named(&["x", "3"])])]);
    assert_eq!(problem(parts(vec![twice])), "sections[0].rows[0], seat 5 (from 0): \"3\" stands twice");
    let halves = section("West", vec![row("A", vec![numbered(1, 1, 4)]), row("A", vec![numbered(4, 1, 2)])]);
    assert_eq!(problem(parts(vec![halves])), "sections[0].rows[1], seat 0 (from 0): \"4\" stands twice");
}

#[test]
fn empty_things_are_refused() {
    assert_eq!(problem(parts(vec![])), "sections: must be 1 to 4096, are 0");
    assert_eq!(problem(parts(vec![section("West", vec![])])), "sections[0]: has no rows");
    assert_eq!(problem(parts(vec![section("West", vec![row("A", vec![])])])), "sections[0].rows[0]: has no seats");
    assert_eq!(problem(parts(vec![ga("Floor", 0)])), "sections[0]: has a capacity of 0");
    assert_eq!(problem(parts(vec![ga("", 1)])), "sections[0]: must be 1 to 100 bytes, is 0");
}

#[test]
fn limits_are_kept() {
    assert!(Manifest::new(parts(vec![ga("Floor", 1_000_000)])).is_ok());
    assert_eq!(
        problem(parts(vec![ga("Floor", 1_000_000), ga("Roof", 2)])),
        "sections[1]: makes the show larger than 1000000 places"
    );
    assert_eq!(
        problem(parts(vec![section("West", vec![row("A", vec![numbered(1, 1, 10_001)])])])),
        "sections[0].rows[0]: has 10001 seats, at most 10000 are allowed"
    );
    assert_eq!(
        problem(parts(vec![section("West", vec![row("A", vec![numbered(3, -1, 5)])])])),
        "sections[0].rows[0]: numbers its seats from 3 in steps of -1, 5 of them, which does not fit"
    );
    assert_eq!(problem(parts(vec![ga("Floor", 1), ga("Floor", 1)])), "sections[1]: \"Floor\" stands twice");
}

#[test]
fn money_is_checked() {
    let mut wrong = arena();
    wrong.currency = "eur".to_owned();
    assert_eq!(problem(wrong), "currency: must be three capital letters (ISO 4217), is \"eur\"");
    let mut dear = arena();
    dear.categories[1].price_minor = PRICE_MINOR_MAX + 1;
    assert_eq!(problem(dear), "categories[1]: must be at most 1000000000000, is 1000000000001");
    let mut unknown = arena();
    unknown.categories.pop();
    assert_eq!(problem(unknown), "sections[0].rows[0]: names category 1, but there are 1");
}

#[test]
fn rows_are_ranked_by_their_rank_and_otherwise_by_their_position() {
    let mut ranked = parts(vec![
        section("West", vec![row("A", vec![numbered(1, 1, 2)]), row("B", vec![numbered(1, 1, 2)])]),
        section("East", vec![row("A", vec![numbered(1, 1, 2)]), row("B", vec![numbered(1, 1, 2)])]),
    ]);
    let order = |parts: &ManifestParts| Manifest::new(parts.clone()).unwrap().ranked_rows().to_vec();
    assert_eq!(order(&ranked), [0, 2, 1, 3], "front rows first, of two the first section's");
    let SectionKind::Reserved(rows) = &mut ranked.sections[1].kind else { panic!("seats") };
    (rows[0].rank, rows[1].rank) = (Some(7), Some(0));
    assert_eq!(order(&ranked), [0, 3, 1, 2]);
    let manifest = Manifest::new(ranked).unwrap();
    for (position, row) in manifest.ranked_rows().iter().enumerate() {
        assert_eq!(manifest.rank_position(*row as usize), position);
    }
}

#[test]
fn features_are_found_by_seat() {
    let mut bay = numbered(1, 1, 2);
    bay.features = Features::ACCESSIBLE;
    let mut companion = numbered(3, 1, 1);
    companion.features = Features::COMPANION.and(Features::RESTRICTED_VIEW);
    let plain = row("B", vec![numbered(1, 1, 3)]);
    let rows = vec![plain, row("A", vec![numbered(9, 1, 2), bay, companion])];
    let manifest = Manifest::new(parts(vec![section("West", rows)])).unwrap();
    let of = |seats: &SeatBitmap| seats.iter().map(|seat| seat.0).collect::<Vec<_>>();
    assert_eq!(of(manifest.accessible()), [5, 6]);
    assert_eq!(of(manifest.protected()), [5, 6, 7]);
    assert_eq!(of(manifest.restricted()), [7]);
    assert_eq!(manifest.protected_rows(), [1]);
}

#[test]
fn a_seat_is_a_bay_or_a_companions_and_has_no_unknown_features() {
    let with = |features: Features| {
        let mut run = numbered(1, 1, 1);
        run.features = features;
        Manifest::new(parts(vec![section("West", vec![row("A", vec![run])])])).map(drop)
    };
    assert!(with(Features::ACCESSIBLE.and(Features::RESTRICTED_VIEW)).is_ok());
    let both = with(Features::ACCESSIBLE.and(Features::COMPANION)).unwrap_err();
    assert_eq!(both.to_string(), "sections[0].rows[0]: has features that do not go together");
}

#[test]
fn pools_are_checked() {
    let pool = |name: &str, capacity: u32, sections: &[u32]| Pool {
        name: name.to_owned(),
        capacity,
        sections: sections.iter().map(|section| SectionIndex(*section)).collect(),
    };
    let problem_of = |pools: Vec<Pool>| {
        let seats = section("West", vec![row("A", vec![numbered(1, 1, 2)])]);
        problem(ManifestParts { pools, ..parts(vec![ga("Floor", 5), ga("Pit", 5), seats]) })
    };
    assert_eq!(problem_of(vec![pool("", 5, &[0])]), "pools[0]: must be 1 to 100 bytes, is 0");
    assert_eq!(problem_of(vec![pool("All", 0, &[0])]), "pools[0]: has a capacity of 0");
    assert_eq!(problem_of(vec![pool("All", 5, &[])]), "pools[0]: must be 1 to 4096, are 0");
    assert_eq!(problem_of(vec![pool("All", 5, &[3])]), "pools[0]: there are 3 sections, 3 is none of them");
    assert_eq!(problem_of(vec![pool("All", 5, &[2])]), "pools[0]: \"West\" is not of the kind that this is for");
    assert_eq!(problem_of(vec![pool("All", 5, &[0, 1, 0])]), "pools[0]: \"Floor\" stands twice");
    assert_eq!(problem_of(vec![pool("All", 5, &[0]), pool("All", 6, &[1])]), "pools[1]: \"All\" stands twice");
    let many = (0..=POOLS_MAX).map(|number| pool(&format!("Pool {number}"), 5, &[0])).collect();
    assert_eq!(problem_of(many), "pools[64]: must be at most 64, are 65");
    assert_eq!(problem(ManifestParts { capacity: Some(0), ..arena() }), "capacity: has a capacity of 0");
}
