//! HTTP/JSON and gRPC-Web against the real server: a seat is sold, refusals are problems, repeating is safe, and the
//! OpenAPI document says what is so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;
#[path = "http/openapi.rs"]
mod openapi;

use common::{
    http::{Http, wrong_fields},
    process::Process,
};
use serde_json::{Value, json};

const ADA: &str = "0193a5f2-7c1e-7000-8000-000000000001";
const BOB: &str = "0193a5f2-7c1e-7000-8000-000000000002";
/// One row of thirty seats, and a floor.
const CLUB: &str = r#"{"show_id": "club", "manifest": {"name": "Club", "currency": "EUR",
    "categories": [{"name": "Gold", "price_minor": "9000"}, {"name": "Floor", "price_minor": 4500}],
    "sections": [
        {"name": "West", "reserved": {"rows": [
            {"name": "A", "runs": [{"category": "Gold", "numbered": {"first": 1, "count": 30, "step": 1}}]}]}},
        {"name": "Floor", "generalAdmission": {"capacity": 500, "category": "Floor"}}]}}"#;

/// A server with one show.
struct Served {
    http: Http,
    _server: Process,
    _data: tempfile::TempDir,
}

fn serve() -> Served {
    let data = common::fast_directory();
    let (server, address) = Process::serve(&data.path().join("data"), 1);
    let http = Http::to(address);
    assert_eq!(http.post("/v1/shows", CLUB).ok()["existed"], false);
    Served { http, _server: server, _data: data }
}

fn hold(id: &str, buyer: &str, seat: u32) -> String {
    json!({"hold_id": id, "buyer_id": buyer, "places": {"seat_indexes": [seat]}}).to_string()
}

#[test]
fn a_seat_is_sold_once() {
    let Served { http, .. } = &serve();
    assert_eq!(http.post("/v1/shows", CLUB).ok()["existed"], true);
    let held = http.post("/v1/shows/club/holds", &hold(ADA, "ada", 6)).ok();
    let hold_of_ada = &held["hold"];
    assert_eq!((&hold_of_ada["hold_id"], &hold_of_ada["state"]), (&json!(ADA), &json!("HOLD_STATE_HELD")));
    assert_eq!((&hold_of_ada["total_minor"], &hold_of_ada["ga"]), (&json!("9000"), &json!([])));
    assert_eq!(hold_of_ada["seats"][0]["label"], json!({"section": "West", "row": "A", "seat": "7"}));

    let refused = http.post("/v1/shows/club/holds", &hold(BOB, "bob", 6)).problem(409, "PLACES_TAKEN");
    assert_eq!((&refused["title"], &refused["instance"]), (&json!("Places taken"), &json!("/v1/shows/club/holds")));
    assert_eq!((&refused["seat_indexes"], &refused["metadata"]["seat_indexes"]), (&json!([6]), &json!("6")));

    let confirm = format!("/v1/shows/club/holds/{ADA}:confirm");
    for _repeated in 0..2 {
        let sold = http.post(&confirm, r#"{"buyerId": "ada", "order_ref": "o-1", "payment_ref": null}"#).ok();
        assert_eq!(
            (&sold["hold"]["state"], &sold["hold"]["booking"]["order_ref"]),
            (&json!("HOLD_STATE_CONFIRMED"), &json!("o-1"))
        );
    }
    let map = http.get("/v1/shows/club/seats?min_version=1").ok();
    assert_eq!(
        (&map["sold"], &map["counts"]["sold"], &map["counts"]["held"]),
        (&json!("QAAAAA=="), &json!(1), &json!(0))
    );
    let found = http.get(&format!("/v1/shows/club/holds/{ADA}")).ok();
    assert_eq!(http.get("/v1/shows/club/holds?order_ref=o-1").ok()["holds"], json!([found["hold"]]));
    assert_eq!(
        http.get("/v1/shows/club/holds?newest.sections=West&newest.sections=Floor").ok()["holds"],
        json!([found["hold"]])
    );
    assert_eq!(http.get("/v1/shows/club/holds?newest.pool=").ok()["holds"], json!([found["hold"]]));

    let unknown = http.get(&format!("/v1/shows/club/holds/{BOB}")).problem(404, "HOLD_UNKNOWN");
    assert_eq!(unknown["resource"], json!({"type": "hold", "name": BOB}));
    let later = http.get("/v1/shows/club/seats?min_version=1000000").problem(409, "VERSION_NOT_REACHED");
    assert_eq!(later["metadata"]["version"], map["version"]);
}

#[test]
fn every_kind_of_field_goes_in_and_comes_out() {
    let Served { http, .. } = &serve();
    let changed = http
        .send(
            "PATCH",
            "/v1/shows/club/policy",
            &[("content-type", "Application/JSON; charset=utf-8")],
            r#"{"holdTtlMsDefault": "20000", "lapses_max": 2}"#,
        )
        .ok();
    assert_eq!(
        (&changed["show"]["policy"]["hold_ttl_ms_default"], &changed["show"]["policy"]["lapses_max"]),
        (&json!("20000"), &json!(2))
    );
    let channel =
        http.send("PUT", "/v1/shows/club/channels/fan%20club%2F1", &[("content-type", "application/json")], "{}");
    assert_eq!(channel.ok(), json!({}));
    let best = r#"{"buyer_id": "ada", "hold_id": "AZOl8nwecACAAAAAAAAAAQ==", "wish": {"quantity": 3, "adjacency": "ADJACENCY_REQUIRED"},
        "tickets": {"child": 1, "adult": 2.0}, "ttl_ms": 30000, "terms": {"channelKeys": ["fan club/1"]}}"#;
    let held = http.post("/v1/shows/club/holds:best", best).ok();
    assert_eq!((&held["hold"]["hold_id"], &held["hold"]["placement"]["is_together"]), (&json!(ADA), &json!(true)));
    assert_eq!(held["hold"]["tickets"].to_string(), r#"{"adult":2,"child":1}"#);
    let overview = http.get("/v1/shows/club/overview").ok();
    assert_eq!((&overview["channels"][0]["key"], &overview["live_holds"]), (&json!("fan club/1"), &json!(1)));
    let batch =
        json!({"commands": [{"get_hold": {"hold_id": ADA}}, {"pin_hold": {"hold_id": BOB, "buyer_id": "bob"}}]});
    let outcomes = http.post("/v1/shows/club:execute", &batch.to_string()).ok();
    assert_eq!(outcomes["outcomes"][0]["get_hold"]["hold"], held["hold"]);
    assert_eq!(outcomes["outcomes"][1]["rejection"]["reason"], "HOLD_UNKNOWN");
    // Without a body, too.
    assert_eq!(http.send("POST", "/v1/shows/club:pause", &[], "").ok()["show"]["state"], "SHOW_STATE_PAUSED");
    assert_eq!(http.send("HEAD", "/v1/shows/club", &[], "").status, 200);
}

#[test]
fn a_key_stands_for_the_same_hold_whenever_it_is_sent() {
    let Served { http, .. } = &serve();
    let path = "/v1/shows/club/holds";
    let ask = |key: &str, seat: u32| {
        let body = json!({"buyer_id": "ada", "places": {"seat_indexes": [seat]}});
        http.post_with(path, ("Idempotency-Key", key), &body.to_string())
    };
    let first = ask("cart 7", 1).problem(400, "INVALID_REQUEST");
    assert_eq!(wrong_fields(&first), ["Idempotency-Key"]);
    let first = ask("cart-7", 1).ok();
    assert_eq!(ask("cart-7", 1).ok(), first);
    assert_eq!(ask("\"cart-7\"", 1).ok(), first);
    assert_eq!(ask("cart-7", 2).problem(409, "ID_REUSED")["metadata"]["field"], "places");
    assert_ne!(ask("cart-8", 2).ok()["hold"]["hold_id"], first["hold"]["hold_id"]);
    assert_eq!(ask(BOB, 3).ok()["hold"]["hold_id"], BOB);

    let other = http.post_with(path, ("Idempotency-Key", BOB), &hold(ADA, "ada", 4)).problem(400, "INVALID_REQUEST");
    assert_eq!(wrong_fields(&other), ["hold_id"]);
    http.post_with(path, ("Idempotency-Key", ADA), &hold(ADA, "ada", 4)).ok();
    let neither = http.post(path, r#"{"places": {"seat_indexes": [1]}}"#).problem(400, "INVALID_REQUEST");
    assert_eq!(wrong_fields(&neither), ["hold_id", "buyer_id"]);
}

/// What was sent, and what it is refused with: status, reason, and the fields that are named.
type Refused<'a> = (&'a str, &'a str, &'a str, u16, &'a str, &'a [&'a str]);

fn check(http: &Http, cases: &[Refused<'_>]) {
    for (method, path, body, status, reason, fields) in cases {
        let answer = http.send(method, path, &[("content-type", "application/json")], *body);
        let problem = answer.problem(*status, reason);
        assert_eq!(wrong_fields(&problem), *fields, "{method} {path} {body}: {problem}");
    }
}

#[test]
fn what_is_no_path_or_query_is_refused_by_name() {
    let Served { http, .. } = &serve();
    let cases: &[Refused<'_>] = &[
        ("GET", "/", "", 404, "PATH_UNKNOWN", &[]),
        ("POST", "/v1/shows/club", "{}", 405, "METHOD_NOT_ALLOWED", &[]),
        ("POST", "/v1/openapi.json", "{}", 405, "METHOD_NOT_ALLOWED", &[]),
        ("GET", "/v1/shows/club:open", "", 405, "METHOD_NOT_ALLOWED", &[]),
        ("GET", "/v1/shows/club%3Aopen", "", 404, "SHOW_UNKNOWN", &[]),
        ("GET", "/v1/shows/club%zz", "", 400, "INVALID_REQUEST", &["show_id"]),
        ("GET", "/v1/shows/cl%C3%BCb", "", 400, "INVALID_REQUEST", &["show_id"]),
        ("GET", "/v1/shows/club/holds/7", "", 400, "INVALID_REQUEST", &["hold_id"]),
        ("GET", "/v1/shows?page_size=1001", "", 400, "INVALID_REQUEST", &["page_size"]),
        ("GET", "/v1/shows?page_size=07&page=2", "", 400, "INVALID_REQUEST", &["page_size", "page"]),
        ("GET", "/v1/shows?page_size=0&page_size=0", "", 400, "INVALID_REQUEST", &["page_size"]),
        ("GET", "/v1/shows/club/holds?buyer_id=a&order_ref=b", "", 400, "INVALID_REQUEST", &["order_ref"]),
        ("GET", "/v1/shows/club/holds?newest=x", "", 400, "INVALID_REQUEST", &["newest"]),
        ("GET", "/v1/shows/club/holds?show_id=hall", "", 400, "INVALID_REQUEST", &["show_id"]),
        ("POST", "/v1/shows/club/holds?buyer_id=a", "{}", 400, "INVALID_REQUEST", &["buyer_id"]),
    ];
    check(http, cases);
    assert_eq!(http.post("/v1/shows/club", "{}").header("allow"), "GET, HEAD");
    assert_eq!(http.send("DELETE", "/v1/shows", &[], "").header("allow"), "POST, GET, HEAD");
}

#[test]
fn what_is_no_body_is_refused_by_name() {
    let Served { http, .. } = &serve();
    let twice =
        r#"{"buyer_id": "a", "buyerId": "b", "hold_id": "AZOl", "places": {"seats": [{"sections": "West"}, 7]}}"#;
    let cases: &[Refused<'_>] = &[
        ("POST", "/v1/shows/club:open", "[]", 400, "INVALID_REQUEST", &["body"]),
        ("POST", "/v1/shows/club:open", r#"{"show_id": "club"}"#, 400, "INVALID_REQUEST", &["show_id"]),
        ("POST", "/v1/shows/club:open", "{", 400, "JSON_MALFORMED", &[]),
        (
            "POST",
            "/v1/shows/club:pause",
            r#"{"stop_clocks": 1, "x": 2}"#,
            400,
            "INVALID_REQUEST",
            &["stop_clocks", "x"],
        ),
        (
            "POST",
            "/v1/shows/club/holds",
            twice,
            400,
            "INVALID_REQUEST",
            &["buyer_id", "hold_id", "places.seats[0].sections", "places.seats[1]"],
        ),
        (
            "PATCH",
            "/v1/shows/club/policy",
            r#"{"orphan_rule": "OFTEN", "lapses_max": -1}"#,
            400,
            "INVALID_REQUEST",
            &["policy.lapses_max", "policy.orphan_rule"],
        ),
        (
            "POST",
            "/v1/shows/club/manifest:change",
            r#"{"remove_pool": "a", "reprice": {}}"#,
            400,
            "INVALID_REQUEST",
            &["reprice"],
        ),
    ];
    check(http, cases);
    let malformed = http.post("/v1/shows/club:open", "{\n\"a\" 1}").problem(400, "JSON_MALFORMED");
    assert!(malformed["detail"].as_str().unwrap().ends_with("at line 2 column 5"), "{malformed}");
}

#[test]
fn a_body_has_a_type_and_a_size_and_a_caller_has_a_deadline() {
    let Served { http, .. } = &serve();
    let typed = |media_type| http.send("POST", "/v1/shows/club:open", &[("content-type", media_type)], "{}");
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        typed(media_type).problem(415, "MEDIA_TYPE_UNSUPPORTED");
    }
    typed("application/json;charset=UTF-8").ok();
    let spaces = |bytes: usize| http.post("/v1/shows/club/holds", &" ".repeat(bytes));
    spaces(4 << 20).problem(400, "JSON_MALFORMED");
    spaces((4 << 20) + 1).problem(413, "BODY_TOO_LARGE");
    let many = format!(r#"{{"selection": {{"seat_indexes": [{}0]}}}}"#, "1,".repeat(8_000_000));
    http.post("/v1/shows/club/places:retire", &many).problem(413, "BODY_TOO_LARGE");

    let timed = |header| http.post_with("/v1/shows/club:open", header, "{}");
    timed(("Request-Timeout", "5")).ok();
    assert_eq!(wrong_fields(&timed(("Request-Timeout", "soon")).problem(400, "INVALID_REQUEST")), ["Request-Timeout"]);
    timed(("grpc-timeout", "1n")).problem(504, "DEADLINE_EXCEEDED");
}

/// A message of gRPC-Web: five bytes of prefix, and itself.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

#[test]
fn browsers_have_grpc_web_on_the_same_port() {
    let Served { http, .. } = &serve();
    let web = [("content-type", "application/grpc-web+proto"), ("accept", "application/grpc-web+proto")];
    let call =
        |method: &str, message: &[u8]| http.send("POST", &format!("/usher.v1.Shows/{method}"), &web, frame(message));
    let found = call("GetShow", b"\x0a\x04club");
    assert_eq!((found.status.as_u16(), found.header("content-type")), (200, "application/grpc-web+proto"));
    let text = String::from_utf8_lossy(&found.bytes);
    assert!(text.contains("Club") && text.contains("grpc-status:0"), "{text:?}");
    let unknown = call("GetShow", b"\x0a\x04hall");
    assert!(unknown.header("grpc-status") == "5" || String::from_utf8_lossy(&unknown.bytes).contains("grpc-status:5"));
    let nowhere = http.send("POST", "/usher.v1.Nothing/Do", &web, frame(b""));
    assert_eq!(nowhere.header("grpc-status"), "12", "as before there was anything but gRPC");
}

#[test]
fn pages_of_allowed_origins_may_call_and_others_may_not() {
    let data = common::fast_directory();
    let arguments = ["--http-allowed-origin", "https://tickets.example"];
    let (_server, address) = Process::serve_with(&data.path().join("data"), 1, &arguments);
    let http = Http::to(address);
    let from = |method: &str, path: &str, origin: &str| {
        http.send(method, path, &[("origin", origin), ("access-control-request-method", "POST")], "")
    };
    for path in ["/v1/shows", "/usher.v1.Shows/ListShows"] {
        let asked = from("OPTIONS", path, "https://tickets.example");
        assert_eq!(
            (asked.status.as_u16(), asked.header("access-control-allow-origin")),
            (204, "https://tickets.example")
        );
        for header in ["idempotency-key", "x-request-id"] {
            assert!(asked.header("access-control-allow-headers").contains(header), "{header}");
        }
        let refused = from("OPTIONS", path, "https://other.example");
        assert!(!refused.status.is_success() && refused.header("access-control-allow-origin").is_empty());
    }
    let answer = from("GET", "/v1/shows", "https://tickets.example");
    assert_eq!((answer.ok(), answer.header("vary")), (json!({"shows": [], "next_page_token": ""}), "origin"));
    assert_eq!(answer.header("access-control-allow-origin"), "https://tickets.example");
    assert!(answer.header("access-control-expose-headers").contains("x-request-id"));
    assert!(
        serve().http.send("GET", "/v1/shows", &[("origin", "https://tickets.example")], "").header("vary").is_empty()
    );
}

/// A value somewhere in a document.
fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there"))
}
