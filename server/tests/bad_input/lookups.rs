//! Lookups that are malformed, and tokens of other lists.

use tonic::Code;
use usher_proto::v1::{self, list_holds_request::By};

use crate::{
    Named, check,
    common::{local::LocalServer, refusal::Refused, wire},
};

const SHOW: &str = "evening";

#[tokio::test]
async fn malformed_lookups_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let by = |by| v1::ListHoldsRequest { show_id: SHOW.to_owned(), by: Some(by), ..v1::ListHoldsRequest::default() };
    let ann = || by(By::BuyerId("ann".to_owned()));
    let paged = |request, page_token: &str| v1::ListHoldsRequest { page_token: page_token.to_owned(), ..request };
    let id = "h00000000000000000000000000000007";
    let cases = [
        ("nobody's", v1::ListHoldsRequest { by: None, ..ann() }, "by", "buyer_id, order_ref, all_sales or newest"),
        ("an empty buyer", by(By::BuyerId(String::new())), "buyer_id", "1 to 64 bytes, is 0"),
        ("a long order", by(By::OrderRef("o".repeat(129))), "order_ref", "is 129"),
        ("not all", by(By::AllSales(false)), "all_sales", "must be true"),
        ("1,001 a page", v1::ListHoldsRequest { page_size: 1_001, ..ann() }, "page_size", "at most 1000, is 1001"),
        ("another list's token", paged(ann(), "p7"), "page_token", "an earlier answer"),
        ("another list's token", paged(by(By::AllSales(true)), id), "page_token", "an earlier answer"),
        (
            "another list's token",
            paged(by(By::Newest(v1::NewestHolds::default())), "p7"),
            "page_token",
            "an earlier answer",
        ),
        ("no token", paged(ann(), "next"), "page_token", "an earlier answer"),
        ("a bad show", v1::ListHoldsRequest { show_id: "a/b".to_owned(), ..ann() }, "show_id", "1 to 64"),
    ];
    for (case, request, field, said) in cases {
        let refused = Refused::from(clients.inventory.list_holds(request).await.unwrap_err());
        check(case, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field(field, said));
    }
    let nowhere = v1::NewestHolds { sections: vec!["Roof".to_owned()], pool: "Standing".to_owned() };
    let refused = Refused::from(clients.inventory.list_holds(by(By::Newest(nowhere))).await.unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Some(Code::NotFound), "PLACES_UNKNOWN"));
    let unknown = v1::ListHoldsRequest { show_id: "matinee".to_owned(), ..ann() };
    let refused = Refused::from(clients.inventory.list_holds(unknown).await.unwrap_err());
    check("an unknown show", &refused, Code::NotFound, "SHOW_UNKNOWN", &Named::Resource("show", "matinee"));
    server.stop().await;
}

/// A show's id is no token, though tokens are made of them.
#[tokio::test]
async fn malformed_pages_of_shows_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    clients.shows.create_show(wire::hall("matinee", 10, 0)).await.unwrap();
    let page = |page_size, page_token: &str| v1::ListShowsRequest { page_size, page_token: page_token.to_owned() };
    for token in ["garbage", SHOW, "after=", "after=a/b", "after"] {
        let refused = Refused::from(clients.shows.list_shows(page(1, token)).await.unwrap_err());
        check(token, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field("page_token", "an earlier"));
    }
    let refused = Refused::from(clients.shows.list_shows(page(1_001, "garbage")).await.unwrap_err());
    let fields: Vec<&str> = refused.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["page_size", "page_token"]);
    let first = clients.shows.list_shows(page(1, "")).await.unwrap().into_inner();
    let second = clients.shows.list_shows(page(1, &first.next_page_token)).await.unwrap().into_inner();
    assert_eq!((first.shows[0].show_id.as_str(), second.shows[0].show_id.as_str()), (SHOW, "matinee"));
    assert_eq!(second.next_page_token, "");
    server.stop().await;
}
