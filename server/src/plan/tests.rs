//! What holds for both formats: telling them apart, limits, and no panic whatever the bytes.

use super::*;

const USHER: &str = r#"{"name":"A","currency":"EUR","categories":[{"name":"G","price_minor":1}],"sections":[
{"name":"W","rows":[{"name":"1","category":"G","seats":{"first":1,"count":3}},
{"name":"2","runs":[{"category":"G","seats":["é1","2"]}]}]},{"name":"F","capacity":5,"category":"G"}]}"#;
const PRETIX: &str = r#"{"name":"A","size":{"width":1,"height":1},"categories":[{"name":"G"}],"zones":[
{"name":"W","position":{"x":0,"y":0},"rows":[{"row_number":"1","seats":[
{"seat_guid":"a\u00e9","seat_number":"1","position":{"x":0.5,"y":-1e2},"category":"G"},
{"seat_guid":"b","seat_number":"2","position":{"x":1,"y":0},"category":"G"}]}]}]}"#;

fn prices() -> PlanPrices {
    PlanPrices { currency: Some("EUR".to_owned()), by_category: BTreeMap::from([("G".to_owned(), 100)]) }
}

fn problem(document: &[u8]) -> String {
    read(document, None, &prices()).unwrap_err().to_string()
}

#[test]
fn the_format_is_told_by_the_first_telling_key() {
    assert_eq!(PlanFormat::of(USHER).unwrap(), PlanFormat::UsherJson);
    assert_eq!(PlanFormat::of(PRETIX).unwrap(), PlanFormat::PretixJson);
    assert_eq!(read(USHER.as_bytes(), None, &prices()).unwrap().places(), 10);
    assert_eq!(read(PRETIX.as_bytes(), None, &prices()).unwrap().places(), 2);
    let with_mark = [b"\xef\xbb\xbf", USHER.as_bytes()].concat();
    assert!(read(&with_mark, None, &prices()).is_ok(), "a byte order mark does no harm");
}

#[test]
fn what_is_no_plan_is_refused() {
    let unknown = "document: has neither \"sections\" (an Usher plan) nor \"zones\" (a pretix seating plan) at its top";
    assert_eq!(problem(b"{}"), unknown);
    assert_eq!(problem(br#"{"name":"x","areas":[{"zones":[]}]}"#), unknown);
    let not_an_object = "expected a plan, which is an object at line 1 column";
    assert_eq!(problem(b"null"), format!("document: invalid type: null, {not_an_object} 4"));
    assert_eq!(problem(b"[]"), format!("document: invalid type: sequence, {not_an_object} 0"));
    assert_eq!(problem(b""), "document: EOF while parsing a value at line 1 column 0");
    assert_eq!(problem(b"{\n\"name\": \"\xff\"}"), "document: is not UTF-8 at line 2 column 10");
    let twice = format!("{USHER} {USHER}");
    assert_eq!(problem(twice.as_bytes()), "document: trailing characters at line 3 column 105");
    assert_eq!(problem(&vec![b' '; DOCUMENT_BYTES_MAX + 1]), "document: must be at most 67108864 bytes, is 67108865");
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let deep = "[".repeat(1_000_000);
    let usher = format!("{{\"sections\":{deep}");
    let message = problem(usher.as_bytes());
    assert!(message.starts_with("sections[0][0]: invalid type: sequence, expected a string"), "{message}");
    let before = format!("{{\"x\":{deep}");
    assert_eq!(problem(before.as_bytes()), "document: EOF while parsing a list at line 1 column 1000005");
    let in_a_zone = format!("{{\"name\":\"x\",\"categories\":[],\"zones\":[{{\"x\":{deep}");
    let message = problem(in_a_zone.as_bytes());
    assert!(message.starts_with("zones[0].x: EOF while parsing"), "{message}");
}

#[test]
fn no_cut_and_no_changed_byte_makes_it_panic() {
    for document in [USHER, PRETIX] {
        for length in 0..document.len() {
            assert!(read(&document.as_bytes()[..length], None, &prices()).is_err(), "cut to {length}");
        }
        let mut changed = document.as_bytes().to_vec();
        for position in 0..changed.len() {
            let original = changed[position];
            let flipped = (0..8).map(|bit| original ^ (1 << bit));
            for byte in flipped.chain(*b"\"\\{}[]:,-.0eEnt \0") {
                changed[position] = byte;
                if let Err(error) = read(&changed, None, &prices()) {
                    assert!(!error.path.is_empty() && !error.to_string().ends_with(": "), "{error}");
                }
            }
            changed[position] = original;
        }
    }
}
