//! Our format: both shapes of everything, the way back, every refusal with its path, and the published schema.

use std::{env, fs, path::Path};

use serde_json::{Value, json};
use usher_engine::{ids::SeatIndex, inventory::manifest::ManifestParts};

use super::*;
use crate::plan::generate;

fn arena() -> Value {
    json!({
        "name": "Arena", "currency": "EUR",
        "categories": [{"name": "Gold", "price_minor": 9000}, {"name": "Silver", "price_minor": 4500}],
        "sections": [
            {"name": "West", "rows": [
                {"name": "A", "category": "Gold", "seats": {"first": 1, "count": 30}},
                {"name": "B", "runs": [
                    {"category": "Gold", "seats": {"first": 60, "count": 30, "step": -2}},
                    {"category": "Silver", "seats": ["61a", "61b"]}]}]},
            {"name": "Floor", "capacity": 5000, "category": "Silver"}]
    })
}

/// The arena with one value replaced, at a JSON pointer; `null` takes it away.
fn changed(pointer: &str, value: Value) -> Value {
    changed_in(arena(), pointer, value)
}

fn changed_in(mut plan: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match plan.pointer_mut(parent).unwrap() {
        Value::Object(fields) if value.is_null() => drop(fields.remove(key)),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("{parent} is {other}"),
    }
    plan
}

fn read_value(plan: &Value, prices: &PlanPrices) -> Result<Manifest, PlanError> {
    read(&plan.to_string(), prices)
}

fn problem(plan: &Value) -> String {
    read_value(plan, &PlanPrices::default()).unwrap_err().to_string()
}

/// Without the place in the text, which other tests hold.
fn problem_in(pointer: &str, value: Value) -> String {
    let message = problem(&changed(pointer, value));
    message.split(" at line ").next().unwrap().to_owned()
}

#[test]
fn a_plan_becomes_a_manifest() {
    let manifest = read_value(&arena(), &PlanPrices::default()).unwrap();
    assert_eq!((manifest.seats(), manifest.places()), (62, 5062));
    assert_eq!(manifest.seat("West", "A", "30"), Some(SeatIndex(29)));
    assert_eq!(manifest.seat("West", "B", "60"), Some(SeatIndex(30)));
    assert_eq!(manifest.seat("West", "B", "61b"), Some(SeatIndex(61)));
    assert_eq!(manifest.seat_category(SeatIndex(59)).unwrap().name, "Gold");
    assert_eq!(manifest.seat_category(SeatIndex(60)).unwrap().price_minor, 4500);
    assert_eq!(manifest.ga_capacity(manifest.section("Floor").unwrap()), Some(5000));
}

/// The arena with a row of bays, and capacities.
fn capped_arena() -> Value {
    let mut plan = arena();
    plan["sections"][0]["rows"][0]["rank"] = json!(3);
    plan["sections"][0]["rows"][0]["features"] = json!(["restricted_view"]);
    plan["sections"][0]["rows"].as_array_mut().unwrap().push(json!({"name": "C", "added": 2, "runs": [
        {"category": "Gold", "seats": ["R1"], "features": ["wheelchair", "restricted_view"]},
        {"category": "Gold", "seats": ["B1"], "features": ["companion"]}]}));
    plan["capacity"] = json!(4_000);
    plan["pools"] = json!([{"name": "Standing", "capacity": 3_000, "sections": ["Floor"]}]);
    plan
}

#[test]
fn ranks_features_and_capacities_are_read_and_written() {
    let manifest = read_value(&capped_arena(), &PlanPrices::default()).unwrap();
    let bay = manifest.seat("West", "C", "R1").unwrap();
    assert!(manifest.accessible().contains(bay) && manifest.restricted().contains(bay));
    assert_eq!(manifest.protected().iter().count(), 2);
    assert_eq!((manifest.restricted().iter().count(), manifest.rows()[0].rank), (31, 3));
    assert_eq!((manifest.parts().capacity, manifest.parts().pools[0].capacity), (Some(4_000), 3_000));
    assert_eq!(serde_json::to_value(write(manifest.parts())).unwrap(), capped_arena());
    assert!(jsonschema::validator_for(&schema()).unwrap().is_valid(&capped_arena()));
}

#[test]
fn wrong_features_and_capacities_are_refused() {
    let run = "/sections/0/rows/2/runs/0";
    for (pointer, value, message) in [
        ("/capacity", json!(0), "capacity: has a capacity of 0"),
        ("/pools/0/capacity", json!(0), "pools[0].capacity: has a capacity of 0"),
        ("/pools/0/name", json!(""), "pools[0].name: must be 1 to 100 bytes, is 0"),
        ("/pools/0/sections", json!([]), "pools[0].sections: must be 1 to 4096, are 0"),
        ("/pools/0/sections/0", json!("Pit"), "pools[0].sections[0]: \"Pit\" is not one of the plan's sections"),
        ("/pools/0/sections/0", json!("West"), "pools[0].sections: \"West\" is not of the kind that this is for"),
        (
            "/sections/0/rows/2/added",
            json!(1_000_001),
            "sections[0].rows[2].added: must be at most 1000000, is 1000001",
        ),
        (
            &format!("{run}/features"),
            json!(["wheelchair", "companion"]),
            "sections[0].rows[2]: has features that do not go together",
        ),
        (
            &format!("{run}/features"),
            json!(["sofa"]),
            "sections[0].rows[2].runs[0].features[0]: unknown variant `sofa`, \
             expected one of `wheelchair`, `companion`, `restricted_view`",
        ),
        (
            "/sections/0/rows/2/features",
            json!(["companion"]),
            "sections[0].rows[2]: must have \"category\" and \"seats\", or \"runs\"",
        ),
    ] {
        let refused = problem(&changed_in(capped_arena(), pointer, value));
        assert_eq!(refused.split(" at line ").next().unwrap(), message, "{pointer}");
    }
}

#[test]
fn prices_from_outside_replace_the_plans() {
    let prices =
        PlanPrices { currency: Some("CHF".to_owned()), by_category: [("Silver".to_owned(), 1)].into_iter().collect() };
    let manifest = read_value(&arena(), &prices).unwrap();
    assert_eq!(manifest.parts().currency, "CHF");
    let charged: Vec<u64> = manifest.parts().categories.iter().map(|category| category.price_minor).collect();
    assert_eq!(charged, [9000, 1]);
    let priced =
        |name: &str, price| PlanPrices { by_category: [(name.to_owned(), price)].into(), ..Default::default() };
    let refused = |prices| read_value(&arena(), &prices).unwrap_err().to_string();
    assert_eq!(
        refused(priced("Bronze", 1)),
        "prices[\"Bronze\"]: \"Bronze\" is not one of the plan's categories (\"Gold\", \"Silver\")"
    );
    assert_eq!(
        refused(priced("Gold", u64::MAX)),
        format!("prices[\"Gold\"]: must be at most {PRICE_MINOR_MAX}, is {}", u64::MAX)
    );
    let currency = PlanPrices { currency: Some("x".to_owned()), ..Default::default() };
    assert_eq!(refused(currency), "prices.currency: must be three capital letters (ISO 4217), is \"x\"");
}

#[test]
fn what_is_written_reads_the_same() {
    let arena = read_value(&arena(), &PlanPrices::default()).unwrap();
    let venues = [1_000, 70_000, 1_000_000].map(generate::stadium);
    for parts in venues.iter().chain([arena.parts()]) {
        let text = serde_json::to_string(&write(parts)).unwrap();
        let again = read(&text, &PlanPrices::default()).unwrap();
        let normal: &ManifestParts = &Manifest::new(parts.clone()).unwrap().parts().clone();
        assert_eq!(again.parts(), normal);
    }
}

#[test]
fn the_written_form_is_the_short_one() {
    let manifest = read_value(&arena(), &PlanPrices::default()).unwrap();
    assert_eq!(serde_json::to_value(write(manifest.parts())).unwrap(), arena());
}

#[test]
fn equal_things_are_refused_with_both_paths() {
    let gold = json!({"name": "Gold", "price_minor": 1});
    assert_eq!(
        problem_in("/categories/1", gold),
        "categories[1].name: \"Gold\" stands twice, first at categories[0].name"
    );
    assert_eq!(
        problem_in("/sections/1/name", json!("West")),
        "sections[1].name: \"West\" stands twice, first at sections[0].name"
    );
    let seats = "/sections/0/rows/1/runs/1/seats";
    assert_eq!(
        problem_in(seats, json!(["x", "60"])),
        "sections[0].rows[1].runs[1].seats[1]: \"60\" stands twice, first at sections[0].rows[1].runs[0].seats"
    );
    let halves = json!({"name": "A", "category": "Gold", "seats": ["a", "b", "7"]});
    assert_eq!(
        problem_in("/sections/0/rows/1", halves),
        "sections[0].rows[1].seats[2]: \"7\" stands twice, first at sections[0].rows[0].seats"
    );
}

#[test]
fn empty_and_endless_things_are_refused() {
    let seats = "/sections/0/rows/0/seats";
    for (pointer, value, message) in [
        ("/name", json!(""), "name: must be 1 to 200 bytes, is 0"),
        ("/currency", json!("eur"), "currency: must be three capital letters (ISO 4217), is \"eur\""),
        ("/categories", json!([]), "categories: must be 1 to 255, are 0"),
        (
            "/categories/0/price_minor",
            json!(PRICE_MINOR_MAX + 1),
            "categories[0].price_minor: must be at most 1000000000000, is 1000000000001",
        ),
        ("/sections", json!([]), "sections: must be 1 to 4096, are 0"),
        ("/sections/0/name", json!(""), "sections[0].name: must be 1 to 100 bytes, is 0"),
        ("/sections/0/rows", json!([]), "sections[0].rows: has no rows"),
        ("/sections/0/rows/1/runs", json!([]), "sections[0].rows[1]: has no seats"),
        ("/sections/0/rows/1/name", json!(""), "sections[0].rows[1].name: must be 1 to 100 bytes, is 0"),
        ("/sections/1/capacity", json!(0), "sections[1].capacity: has a capacity of 0"),
        (seats, json!([]), "sections[0].rows[0].seats: has no seats"),
        (seats, json!(["1", ""]), "sections[0].rows[0].seats[1]: must be 1 to 32 bytes, is 0"),
        (seats, json!({"first": 1, "count": 0}), "sections[0].rows[0].seats: has no seats"),
        (
            seats,
            json!({"first": 1, "count": 10_001}),
            "sections[0].rows[0]: has 10001 seats, at most 10000 are allowed",
        ),
        (seats, json!(vec!["x"; 10_001]), "sections[0].rows[0].seats: must be at most 10000 names"),
        (
            seats,
            json!({"first": 1, "count": 2, "step": -2}),
            "sections[0].rows[0].seats: numbers its seats from 1 in steps of -2, 2 of them, which does not fit",
        ),
        ("/sections/1/capacity", json!(999_940), "sections[1]: makes the show larger than 1000000 places"),
    ] {
        assert_eq!(problem_in(pointer, value), message, "{pointer}");
    }
    let fitting = read_value(&changed("/sections/1/capacity", json!(999_938)), &PlanPrices::default()).unwrap();
    assert_eq!(fitting.places(), 1_000_000);
    let category = |position: usize| json!({"name": position.to_string(), "price_minor": 1});
    let many: Vec<Value> = (0..256).map(category).collect();
    assert_eq!(problem_in("/categories", many.into()), "categories: must be 1 to 255, are 256");
}

#[test]
fn wrong_shapes_and_types_are_refused() {
    let row = "/sections/0/rows/0";
    let row_shape = "sections[0].rows[0]: must have \"category\" and \"seats\", or \"runs\"";
    let section_shape = "sections[1]: must have \"rows\", or \"capacity\" and \"category\"";
    for (pointer, value, message) in [
        ("/sections/1/rows", json!([]), section_shape),
        ("/sections/1/capacity", Value::Null, section_shape),
        ("/sections/0/rows/0/runs", json!([]), row_shape),
        (row, json!({"name": "A", "seats": ["1"]}), row_shape),
        (
            row,
            json!({"name": "A", "category": null, "seats": ["1"]}),
            "sections[0].rows[0].category: invalid type: null, expected a string",
        ),
        (row, json!(7), "sections[0].rows[0]: invalid type: integer `7`, expected struct RowPlan"),
        (
            "/sections/0/rows/0/seats",
            json!("1"),
            "sections[0].rows[0].seats: invalid type: string \"1\", expected a list of names or \
             an object with \"first\" and \"count\"",
        ),
        (
            "/sections/0/rows/0/seats",
            json!(["1", 2]),
            "sections[0].rows[0].seats[1]: invalid type: integer `2`, expected a string",
        ),
        (
            "/sections/0/rows/0/seats",
            json!({"first": -1, "count": 1}),
            "sections[0].rows[0].seats.first: invalid value: integer `-1`, expected u32",
        ),
        ("/sections/0/rows/0/seats", json!({"first": 1}), "sections[0].rows[0].seats: missing field `count`"),
        (
            "/sections/0/rows/1/runs/1/category",
            json!("Bronze"),
            "sections[0].rows[1].runs[1].category: \
             \"Bronze\" is not one of the plan's categories (\"Gold\", \"Silver\")",
        ),
        (
            "/sections/1/category",
            json!("Bronze"),
            "sections[1].category: \"Bronze\" is not one of the plan's categories (\"Gold\", \"Silver\")",
        ),
        ("/currency", Value::Null, "document: missing field `currency`"),
        (
            "/categories/0/price_minor",
            json!(90.5),
            "categories[0].price_minor: invalid type: floating point `90.5`, expected u64",
        ),
        (
            "/sections/1/capacity",
            json!(1u64 << 32),
            "sections[1].capacity: invalid value: integer `4294967296`, expected u32",
        ),
    ] {
        assert_eq!(problem_in(pointer, value), message, "{pointer}");
    }
}

#[test]
fn misspelt_keys_and_huge_numbers_are_refused() {
    let misspelt = problem_in("/sections/1/capasity", json!(1));
    assert_eq!(
        misspelt,
        "sections[1].capasity: unknown field `capasity`, expected one of `name`, `rows`, `capacity`, `category`"
    );
    let huge = arena().to_string().replace("5000", "1e999");
    let message = read(&huge, &PlanPrices::default()).unwrap_err().to_string();
    assert!(message.starts_with("sections[1].capacity: number out of range at line 1 column"), "{message}");
}

#[test]
fn a_cut_plan_says_where() {
    let text = serde_json::to_string_pretty(&arena()).unwrap();
    let cut = &text[..text.find("61b").unwrap()];
    let message = read(cut, &PlanPrices::default()).unwrap_err().to_string();
    assert_eq!(message, "sections[0].rows[1].runs[1].seats[1]: EOF while parsing a string at line 41 column 17");
}

/// With `UPDATE_SCHEMA` set, writes the published schema instead of comparing it. The order of keys is not compared: it
/// depends on which features of `serde_json` the whole build has switched on.
#[test]
fn the_published_schema_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/usher-plan.schema.json");
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&schema()).unwrap() + "\n").unwrap();
    }
    let published: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(published == schema(), "{} is stale: run this test with UPDATE_SCHEMA=1", path.display());
}

#[test]
fn the_schema_knows_good_plans_from_bad() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let valid = |plan: &Value| schema.is_valid(plan);
    assert!(valid(&arena()));
    assert!(valid(&changed("/$schema", json!("usher-plan.schema.json"))));
    assert!(valid(&serde_json::to_value(write(&generate::stadium(2_000))).unwrap()));
    let seats = "/sections/0/rows/0/seats";
    for (pointer, value) in [
        ("/currency", Value::Null),
        ("/currency", json!("euro")),
        ("/name", json!("")),
        ("/colour", json!("red")),
        ("/categories", json!([])),
        ("/categories/0/price_minor", json!(-1)),
        ("/categories/0/price_minor", json!(PRICE_MINOR_MAX + 1)),
        ("/sections/1/rows", json!([])),
        ("/sections/1/capacity", json!(0)),
        ("/sections/1/capacity", Value::Null),
        ("/sections/0/rows", json!([])),
        ("/sections/0/rows", Value::Null),
        ("/sections/0/category", json!("Gold")),
        ("/sections/0/rows/0/runs", json!([])),
        ("/sections/0/rows/0/category", Value::Null),
        ("/sections/0/rows/1/runs/0/seats/step", json!(0)),
        (seats, json!([])),
        (seats, json!([""])),
        (seats, json!([1])),
        (seats, json!("1-30")),
        (seats, json!({"first": 1})),
        (seats, json!({"first": 1, "count": 0})),
        (seats, json!({"first": 1, "count": 1, "last": 1})),
    ] {
        let plan = changed(pointer, value);
        assert!(!valid(&plan), "{pointer}: the schema takes {plan}");
        assert!(read_value(&plan, &PlanPrices::default()).is_err(), "{pointer}: the reader takes {plan}");
    }
}
