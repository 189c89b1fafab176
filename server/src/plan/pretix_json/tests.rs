//! The importer: what becomes of zones, rows and seats, and every refusal with its path.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_engine::ids::SeatIndex;

use super::*;

fn seat(guid: &str, number: &str, category: &str) -> Value {
    let position = json!({"x": 1, "y": 2.5});
    json!({"seat_guid": guid, "seat_number": number, "position": position, "category": category, "tooltip": []})
}

fn row(number: &str, seats: Vec<Value>) -> Value {
    json!({"row_number": number, "row_label": null, "seats": seats})
}

fn zone(name: &str, id: &str, rows: Vec<Value>) -> Value {
    json!({"name": name, "zone_id": id, "uuid": "u", "position": {"x": 0, "y": 0}, "rows": rows, "areas": []})
}

fn hall() -> Value {
    let stage = json!({"position": {"x": 0, "y": 0}, "rows": [], "areas": [{"shape": "circle"}]});
    let stalls = vec![
        row("B", vec![seat("s1", "1", "Gold"), seat("s2", "2", "Silver"), seat("s3", "3", "Silver")]),
        row("A", vec![seat("s4", "10", "Silver")]),
    ];
    let balcony = vec![row("A", vec![seat("b2", "2", "Gold"), seat("b1", "1", "Gold")])];
    let categories = ["Silver", "Unused", "Gold"].map(|name| json!({"name": name, "color": "red"}));
    json!({
        "name": "Hall", "size": {"width": 100, "height": 100}, "categories": categories,
        "zones": [stage, zone("Stalls", "z1", stalls), zone("Balcony", "z2", balcony)]
    })
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut plan = hall();
    *plan.pointer_mut(pointer).unwrap() = value;
    plan
}

fn prices() -> PlanPrices {
    let by_category = [("Gold", 9000), ("Silver", 4500)].map(|(name, price)| (name.to_owned(), price));
    PlanPrices { currency: Some("EUR".to_owned()), by_category: BTreeMap::from(by_category) }
}

fn refused(plan: &Value, prices: &PlanPrices) -> String {
    let message = read(&plan.to_string(), prices).unwrap_err().to_string();
    message.split(" at line ").next().unwrap().to_owned()
}

fn problem_in(pointer: &str, value: Value) -> String {
    refused(&changed(pointer, value), &prices())
}

#[test]
fn seats_keep_the_order_of_the_file() {
    let manifest = read(&hall().to_string(), &prices()).unwrap();
    let labels = [("Stalls", "B", "1"), ("Stalls", "B", "2"), ("Stalls", "B", "3"), ("Stalls", "A", "10")];
    let labels = labels.into_iter().chain([("Balcony", "A", "2"), ("Balcony", "A", "1")]);
    for (index, (section, row, seat)) in (0u32..).zip(labels) {
        assert_eq!(manifest.seat(section, row, seat), Some(SeatIndex(index)), "{section} {row} {seat}");
    }
    assert_eq!(manifest.places(), 6);
}

#[test]
fn runs_end_where_the_category_changes_and_unused_categories_go() {
    let manifest = read(&hall().to_string(), &prices()).unwrap();
    let names: Vec<&str> = manifest.parts().categories.iter().map(|category| category.name.as_str()).collect();
    assert_eq!(names, ["Silver", "Gold"]);
    let categories: Vec<u64> =
        (0..6).map(|seat| manifest.seat_category(SeatIndex(seat)).unwrap().price_minor).collect();
    assert_eq!(categories, [9000, 4500, 4500, 4500, 9000, 9000]);
    let mut generous = prices();
    generous.by_category.insert("Unused".to_owned(), 1);
    assert!(read(&hall().to_string(), &generous).is_ok(), "a price for an unused category does no harm");
}

#[test]
fn zones_of_one_name_are_told_apart_by_their_ids() {
    let manifest = read(&changed("/zones/2/name", json!("Stalls")).to_string(), &prices()).unwrap();
    let names: Vec<&str> = manifest.parts().sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["Stalls (z1)", "Stalls (z2)"]);
    let nameless = read(&changed("/zones/2/name", json!(null)).to_string(), &prices()).unwrap();
    assert_eq!(nameless.parts().sections[1].name, "z2");
    let mut same = changed("/zones/2/name", json!("Stalls"));
    same["zones"][2]["zone_id"] = json!("z1");
    assert_eq!(refused(&same, &prices()), "zones[2].name: \"Stalls (z1)\" stands twice, first at zones[1].name");
    same["zones"][2]["zone_id"] = json!("");
    assert!(read(&same.to_string(), &prices()).is_ok(), "one of them has an id");
    same["zones"][2]["name"] = json!("");
    assert_eq!(refused(&same, &prices()), "zones[2]: has neither \"name\" nor \"zone_id\"");
}

#[test]
fn equal_seats_are_refused_with_both_paths() {
    assert_eq!(
        problem_in("/zones/2/rows/0/seats/1/seat_guid", json!("s1")),
        "zones[2].rows[0].seats[1].seat_guid: \"s1\" stands twice, first at zones[1].rows[0].seats[0].seat_guid"
    );
    let halves = row("B", vec![seat("x", "4", "Gold"), seat("y", "2", "Gold")]);
    assert_eq!(
        problem_in("/zones/1/rows/1", halves),
        "zones[1].rows[1].seats[1].seat_number: \"2\" stands twice, first at zones[1].rows[0].seats[1].seat_number"
    );
    assert_eq!(
        problem_in("/categories/2/name", json!("Silver")),
        "categories[2].name: \"Silver\" stands twice, first at categories[0].name"
    );
}

#[test]
fn prices_are_asked_for_all_at_once() {
    let none = PlanPrices { currency: Some("EUR".to_owned()), ..PlanPrices::default() };
    assert_eq!(
        refused(&hall(), &none),
        "categories: no price for \"Silver\", \"Gold\": give one for each in minor units, as in --price \"Silver=4500\""
    );
    let mut prices = prices();
    prices.currency = None;
    assert_eq!(
        refused(&hall(), &prices),
        "prices.currency: a pretix plan has no currency: give one, as in --currency EUR"
    );
    prices.currency = Some("euro".to_owned());
    assert_eq!(refused(&hall(), &prices), "prices.currency: must be three capital letters (ISO 4217), is \"euro\"");
    prices.by_category.insert("Bronze".to_owned(), 1);
    assert_eq!(
        refused(&hall(), &prices),
        "prices[\"Bronze\"]: \"Bronze\" is not one of the plan's categories (\"Silver\", \"Unused\", \"Gold\")"
    );
    let mut dear = self::prices();
    dear.by_category.insert("Gold".to_owned(), u64::MAX);
    let message = format!("prices[\"Gold\"]: must be at most 1000000000000, is {}", u64::MAX);
    assert_eq!(refused(&hall(), &dear), message);
}

#[test]
fn wrong_shapes_are_refused_with_their_path() {
    let gone = "is not one of the plan's categories (\"Silver\", \"Unused\", \"Gold\")";
    let long = "x".repeat(33);
    for (pointer, value, message) in [
        ("/name", json!(""), "name: must be 1 to 200 bytes, is 0"),
        ("/zones", json!([]), "zones: have no seats"),
        ("/zones/0/areas", json!([]), "zones[0]: has neither rows nor areas"),
        ("/zones/1/rows/1/seats", json!([]), "zones[1].rows[1]: has no seats"),
        ("/zones/1/rows/1/row_number", json!(""), "zones[1].rows[1].row_number: must be 1 to 100 bytes, is 0"),
        (
            "/zones/1/rows/1/row_number",
            json!(5),
            "zones[1].rows[1].row_number: invalid type: integer `5`, expected a string",
        ),
        ("/zones/1/name", json!("x".repeat(101)), "zones[1].name: must be 1 to 100 bytes, is 101"),
        (
            "/zones/1/rows/0/seats/2/seat_number",
            json!(""),
            "zones[1].rows[0].seats[2].seat_number: must be 1 to 32 bytes, is 0",
        ),
        (
            "/zones/1/rows/0/seats/2/seat_number",
            json!(long),
            "zones[1].rows[0].seats[2].seat_number: must be 1 to 32 bytes, is 33",
        ),
        (
            "/zones/1/rows/0/seats/2/position/x",
            json!("1"),
            "zones[1].rows[0].seats[2].position.x: invalid type: string \"1\", expected f64",
        ),
        ("/zones/1/rows/0/seats/2/position", json!({"x": 1}), "zones[1].rows[0].seats[2].position: missing field `y`"),
        ("/zones/1/rows/0/seats/2/category", json!(""), &format!("zones[1].rows[0].seats[2].category: \"\" {gone}")),
        (
            "/zones/1/rows/0/seats/2/category",
            json!("Bronze"),
            &format!("zones[1].rows[0].seats[2].category: \"Bronze\" {gone}"),
        ),
        ("/zones/1/rows/0/seats/2", json!(null), "zones[1].rows[0].seats[2]: invalid type: null, expected struct Seat"),
        ("/categories", json!({}), "categories: invalid type: map, expected a sequence"),
    ] {
        assert_eq!(problem_in(pointer, value), message, "{pointer}");
    }
}

#[test]
fn huge_numbers_and_cut_files_say_where() {
    let huge = hall().to_string().replacen("2.5", "1e999", 1);
    let message = read(&huge, &prices()).unwrap_err().to_string();
    assert!(message.starts_with("zones[1].rows[0].seats[0].position.y: number out of range at line 1"), "{message}");
    let text = hall().to_string();
    let cut = &text[..text.find("\"s4").unwrap() + 2];
    let message = read(cut, &prices()).unwrap_err().to_string();
    let column = cut.len();
    let path = "zones[1].rows[1].seats[0].seat_guid";
    assert_eq!(message, format!("{path}: EOF while parsing a string at line 1 column {column}"));
}

/// The text is longer than a document may be, which the importer leaves to its caller.
#[test]
fn a_million_and_two_seats_are_too_many() {
    let seat = |number: usize| {
        let place = r#""position":{"x":0,"y":0},"category":"Gold""#;
        format!(r#"{{"seat_guid":"{number:x}","seat_number":"{}",{place}}}"#, number % 1_000)
    };
    let row = |row: usize, length: usize| {
        let seats: Vec<String> = (0..length).map(|position| seat(row * 1_000 + position)).collect();
        format!(r#"{{"row_number":"{row}","seats":[{}]}}"#, seats.join(","))
    };
    let rows: Vec<String> = (0..1_000).map(|number| row(number, 1_000)).chain([row(1_000, 2)]).collect();
    let zones = format!(r#"[{{"name":"W","position":{{"x":0,"y":0}},"rows":[{}]}}]"#, rows.join(","));
    let plan = format!(r#"{{"name":"Hall","categories":[{{"name":"Gold"}},{{"name":"Silver"}}],"zones":{zones}}}"#);
    let message = read(&plan, &prices()).unwrap_err().to_string();
    assert_eq!(message, "zones[0].rows[1000]: makes the show larger than 1000000 places");
}
