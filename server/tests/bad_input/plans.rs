//! Plans that cannot become a show: the path inside the document is named, and no show comes to be.

use serde_json::{Value, json};
use tonic::Code;
use usher_proto::v1;

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, refusal::Refused},
};

fn plan(sections: &Value) -> Value {
    json!({
        "name": "Hall", "currency": "EUR", "sections": sections,
        "categories": [{"name": "Gold", "price_minor": 4500}],
    })
}

fn row(name: &str, seats: &Value) -> Value {
    json!({"name": name, "category": "Gold", "seats": seats})
}

fn rows(rows: &[Value]) -> Value {
    json!([{"name": "Stalls", "rows": rows}])
}

fn pretix() -> Value {
    let seat = json!({
        "seat_guid": "s1", "seat_number": "1", "position": {"x": 1, "y": 1}, "category": "Gold", "tooltip": []
    });
    let row = json!({"row_number": "A", "row_label": null, "seats": [seat]});
    let zone = json!({
        "name": "Stalls", "zone_id": "z", "uuid": "u", "position": {"x": 0, "y": 0}, "rows": [row], "areas": []
    });
    json!({
        "name": "Hall", "size": {"width": 9, "height": 9}, "zones": [zone],
        "categories": [{"name": "Gold", "color": "red"}],
    })
}

fn import(show_id: &str, plan: Vec<u8>) -> v1::ImportShowRequest {
    v1::ImportShowRequest { show_id: show_id.to_owned(), plan: plan.into(), ..v1::ImportShowRequest::default() }
}

async fn shows(clients: &mut Clients) -> usize {
    clients.shows.list_shows(v1::ListShowsRequest::default()).await.unwrap().into_inner().shows.len()
}

#[tokio::test]
async fn a_plan_with_a_mistake_becomes_no_show() {
    let server = LocalServer::start(2).await;
    let mut clients = Clients::connect(server.address).await;
    let text = |plan: Value| plan.to_string().into_bytes();
    let good = text(plan(&rows(&[row("A", &json!(["1", "2"]))])));
    let truncated = good[..good.len() / 2].to_vec();
    let million: Vec<Value> =
        (0..100).map(|name: u32| row(&name.to_string(), &json!({"first": 1, "count": 10_000}))).collect();
    let two_more = [million, vec![row("Z", &json!(["1", "2"]))]].concat();
    let cases = [
        (
            "two equal seats",
            text(plan(&rows(&[row("A", &json!(["1", "2", "1"]))]))),
            "sections[0].rows[0].seats[2]: \"1\" stands twice",
        ),
        ("an empty section", text(plan(&rows(&[]))), "sections[0].rows: has no rows"),
        ("no sections", text(plan(&json!([]))), "sections: must be 1 to 4096, are 0"),
        ("a million and two seats", text(plan(&rows(&two_more))), "sections[0]"),
        ("a million and two seats", text(plan(&rows(&two_more))), "larger than 1000000 places"),
        ("a truncated file", truncated, "EOF while parsing"),
        ("an empty file", Vec::new(), "document: EOF while parsing"),
        ("no text", vec![b'{', 0xff], "document: is not UTF-8 at line 1 column 2"),
        ("another document", b"{\"seats\": []}".to_vec(), "document: has neither"),
        (
            "an unknown category",
            text(plan(&json!([{"name": "Floor", "capacity": 5, "category": "Golf"}]))),
            "\"Golf\" is not one of",
        ),
        (
            "a misspelt key",
            text(plan(&json!([{"name": "Floor", "capazity": 5, "category": "Gold"}]))),
            "sections[0].capazity: unknown field",
        ),
        ("pretix, without prices", text(pretix()), "categories: no price for \"Gold\""),
    ];
    for (case, plan, said) in cases {
        let refused = Refused::from(clients.shows.import_show(import("show", plan)).await.unwrap_err());
        check(case, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field("plan", said));
        assert_eq!(shows(&mut clients).await, 0, "{case}");
    }
    server.stop().await;
}

#[tokio::test]
async fn prices_belong_to_the_plan() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    let pretix = |prices: &[(&str, u64)]| v1::ImportShowRequest {
        currency: "EUR".to_owned(),
        prices_minor: prices.iter().map(|(name, price)| ((*name).to_owned(), *price)).collect(),
        ..import("show", pretix().to_string().into_bytes())
    };
    let currency = |currency: &str| v1::ImportShowRequest { currency: currency.to_owned(), ..pretix(&[("Gold", 1)]) };
    let cases = [
        ("without prices", pretix(&[]), "plan", "no price for \"Gold\""),
        ("a price of no category", pretix(&[("Gold", 1), ("Silver", 1)]), "plan", "prices[\"Silver\"]"),
        ("a price too high", pretix(&[("Gold", u64::MAX)]), "plan", "prices[\"Gold\"]: must be at most"),
        ("no currency", currency(""), "plan", "prices.currency: a pretix plan has no currency"),
        ("a currency in words", currency("euro"), "plan", "prices.currency: must be three capital letters"),
        (
            "an unknown format",
            v1::ImportShowRequest { format: 3, ..pretix(&[("Gold", 1)]) },
            "format",
            "3 is not a known format",
        ),
        (
            "a bad id",
            v1::ImportShowRequest { show_id: "a/b".to_owned(), ..pretix(&[("Gold", 1)]) },
            "show_id",
            "1 to 64",
        ),
    ];
    for (case, request, field, said) in cases {
        let refused = Refused::from(clients.shows.import_show(request).await.unwrap_err());
        check(case, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field(field, said));
        assert_eq!(shows(&mut clients).await, 0, "{case}");
    }
    let made = clients.shows.import_show(pretix(&[("Gold", 900)])).await.unwrap().into_inner();
    assert_eq!((made.show.unwrap().places, made.existed), (1, false));
    server.stop().await;
}
