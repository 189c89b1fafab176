//! Every reason for which the rules say no, by its name, from real calls: what came before, what was asked, and what the
//! refusal says, over gRPC and as JSON.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{future::Future, pin::Pin, time::Duration};

use prost::Message as _;
use tonic::Code;
use usher_proto::v1::{self, change_manifest_request::Change};

use common::{Clients, local::LocalServer, now_ms, refusal::Refused, twin, wire};

/// A call, and whether it was refused.
type Ask = Box<dyn FnOnce(Clients) -> Pin<Box<dyn Future<Output = Result<(), Refused>>>>>;

/// A call of one of the services with a request. If it is refused, the same is asked as JSON, and refused alike.
macro_rules! ask {
    ($client:ident.$call:ident($request:expr)) => {{
        let request = $request;
        Box::new(move |mut clients: Clients| -> Pin<Box<dyn Future<Output = Result<(), Refused>>>> {
            Box::pin(async move {
                let same = request.encode_to_vec();
                let answer = clients.$client.$call(request).await.map(drop).map_err(Refused::from);
                if let Err(refused) = &answer {
                    twin::refuses_alike(clients.address, stringify!($call), same, refused).await;
                }
                answer
            })
        }) as Ask
    }};
}

struct Row {
    reason: &'static str,
    /// Metadata that must be there.
    said: Vec<(&'static str, String)>,
    show: v1::CreateShowRequest,
    before: Vec<Ask>,
    asked: Ask,
}

/// `show` is the row's own: its id stands in all of its requests.
fn row(reason: &'static str, show: v1::CreateShowRequest, before: Vec<Ask>, asked: Ask) -> Row {
    Row { reason, said: Vec::new(), show, before, asked }
}

impl Row {
    fn says(mut self, name: &'static str, value: impl ToString) -> Self {
        self.said.push((name, value.to_string()));
        self
    }
}

async fn check(rows: Vec<Row>) {
    let server = LocalServer::start(2).await;
    let mut clients = Clients::connect(server.address).await;
    for Row { reason, said, show, before, asked } in rows {
        let show_id = show.show_id.clone();
        clients.shows.create_show(show).await.unwrap();
        for ask in before {
            ask(clients.clone()).await.unwrap_or_else(|refused| panic!("{show_id}, before {reason}: {refused:?}"));
        }
        let version = clients.version(&show_id).await;
        let refused = asked(clients.clone()).await.unwrap_err();
        assert_eq!(refused.reason, reason, "{show_id}: {refused:?}");
        let code = if reason == "CHANNEL_UNKNOWN" { Code::NotFound } else { Code::FailedPrecondition };
        assert_eq!(refused.code, Some(code), "{show_id}: {refused:?}");
        for (name, value) in said {
            assert_eq!(refused.said(name), value, "{show_id}: {name} of {refused:?}");
        }
        assert_eq!(clients.version(&show_id).await, version, "{show_id}: {reason} changed something");
    }
    server.stop().await;
}

fn hold(show: &str, id: u128, buyer: &str, seats: &[u32]) -> Ask {
    ask!(inventory.hold_seats(wire::hold(show, id, buyer, wire::seats(seats))))
}

fn hold_on_terms(show: &str, id: u128, seats: &[u32], terms: v1::Terms) -> Ask {
    let request = wire::hold(show, id, "bob", wire::seats(seats));
    ask!(inventory.hold_seats(v1::HoldSeatsRequest { terms: Some(Box::new(terms)), ..request }))
}

fn confirm(show: &str, id: u128, buyer: &str) -> Ask {
    ask!(inventory.confirm_hold(wire::confirm(show, id, buyer, "order")))
}

fn join(show: &str, id: u128, buyer: &str) -> Ask {
    ask!(inventory.join_waitlist(wire::join(show, id, buyer, 1)))
}

fn best(show: &str, quantity: u32) -> Ask {
    let wish = v1::Wish { quantity, adjacency: v1::Adjacency::Required.into(), ..v1::Wish::default() };
    ask!(inventory.hold_best(v1::HoldBestRequest { wish: Some(wish), ..wire::best(show, 9, "bob", quantity) }))
}

fn change(show: &str, change: Change) -> Ask {
    ask!(shows.change_manifest(v1::ChangeManifestRequest { show_id: show.to_owned(), change: Some(change) }))
}

fn ruled(show: v1::CreateShowRequest, policy: v1::Policy) -> v1::CreateShowRequest {
    v1::CreateShowRequest { policy: Some(policy), ..show }
}

fn on_sale(show: v1::CreateShowRequest, sale: v1::Sale) -> v1::CreateShowRequest {
    v1::CreateShowRequest { sale: Some(sale), ..show }
}

#[tokio::test]
async fn how_a_hold_stands() {
    check(vec![
        row(
            "HOLD_CANCELLED",
            wire::hall("cancelled", 5, 0),
            vec![
                ask!(inventory.sell_places(wire::sell("cancelled", 1, "ann", "order", wire::seats(&[0])))),
                ask!(inventory.cancel_booking(wire::cancel("cancelled", 1, "ann"))),
            ],
            ask!(inventory.exchange_seats(wire::exchange("cancelled", 1, "ann", wire::seats(&[1])))),
        ),
        row(
            "HOLD_PINNED",
            wire::hall("pinned", 5, 0),
            vec![hold("pinned", 1, "ann", &[0]), ask!(inventory.pin_hold(wire::pin("pinned", 1, "ann")))],
            ask!(inventory.release_hold(wire::release("pinned", 1, "ann"))),
        ),
        row(
            "HOLD_NOT_CONFIRMED",
            wire::hall("unconfirmed", 5, 0),
            vec![hold("unconfirmed", 1, "ann", &[0])],
            ask!(inventory.transfer_booking(wire::transfer("unconfirmed", 1, "ann", "bob"))),
        ),
        row(
            "HOLD_WAITING",
            wire::hall("waiting", 1, 0),
            vec![hold("waiting", 1, "ann", &[0]), join("waiting", 2, "bob")],
            confirm("waiting", 2, "bob"),
        ),
        row(
            "HOLD_NOT_WAITING",
            wire::hall("holding", 1, 0),
            vec![hold("holding", 1, "ann", &[0])],
            ask!(inventory.leave_waitlist(wire::leave("holding", 1, "ann"))),
        ),
        row(
            "ID_REUSED",
            wire::hall("reused", 5, 0),
            vec![ask!(inventory.sell_places(wire::sell("reused", 1, "ann", "order", wire::seats(&[0]))))],
            ask!(inventory.sell_places(wire::sell("reused", 1, "ann", "another", wire::seats(&[0])))),
        )
        .says("field", "order_ref"),
    ])
    .await;
}

#[tokio::test]
async fn when_a_show_is_sold() {
    let opens_at_ms = now_ms() + 3_600_000;
    let scheduled = v1::Sale { opens_at_ms, ..v1::Sale::default() };
    let draft = v1::Sale { is_draft: true, ..v1::Sale::default() };
    let of = |show: &str| show.to_owned();
    check(vec![
        row("SHOW_NOT_OPEN", on_sale(wire::hall("draft", 5, 0), draft), vec![], hold("draft", 1, "ann", &[0]))
            .says("state", "DRAFT"),
        row("SHOW_NOT_OPEN", on_sale(wire::hall("early", 5, 0), scheduled), vec![], hold("early", 1, "ann", &[0]))
            .says("state", "SCHEDULED")
            .says("opens_at_ms", opens_at_ms),
        row(
            "SHOW_NOT_OPEN",
            wire::hall("over", 5, 0),
            vec![ask!(shows.cancel_show(v1::CancelShowRequest { show_id: of("over"), dry_run: false }))],
            ask!(shows.open_sale(v1::OpenSaleRequest { show_id: of("over") })),
        )
        .says("state", "CANCELLED"),
        row(
            "HOLDS_LIVE",
            wire::hall("live", 5, 0),
            vec![hold("live", 1, "ann", &[0]), ask!(shows.close_sale(v1::CloseSaleRequest { show_id: of("live") }))],
            ask!(shows.archive_show(v1::ArchiveShowRequest { show_id: of("live") })),
        )
        .says("holds", 1),
    ])
    .await;
}

#[tokio::test]
async fn who_may_have_what() {
    let forbidding = v1::Policy { orphan_rule: Some(v1::OrphanRule::Forbid.into()), ..v1::Policy::default() };
    let fans = v1::Terms { channel_keys: vec!["fans".to_owned()], ..v1::Terms::default() };
    let seen = v1::Terms { manifest_version: Some(1), ..v1::Terms::default() };
    let reprice = v1::Reprice { category: "Gold".to_owned(), price_minor: 1 };
    check(vec![
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
    ])
    .await;
}

#[tokio::test]
async fn how_many_may_be_taken_and_by_whom() {
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
    check(vec![
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
    ])
    .await;
}

#[tokio::test]
async fn who_may_wait_and_who_must() {
    let none = v1::Policy { waitlist_max: Some(0), ..v1::Policy::default() };
    let one = v1::Policy { waitlist_max: Some(1), ..v1::Policy::default() };
    let strict = v1::Policy { lapses_max: Some(1), cool_down_ms: Some(60_000), ..v1::Policy::default() };
    let short = v1::HoldSeatsRequest { ttl_ms: Some(5_000), ..wire::hold("lapsed", 1, "ann", wire::seats(&[0])) };
    let until_it_expired: Ask = Box::new(|_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5_500)).await;
            Ok(())
        })
    });
    let waits = format!("{:08x}-0000-0000-0000-{:012x}", 0, 2);
    check(vec![
        row("WAITLIST_CLOSED", ruled(wire::hall("closed", 1, 0), none), vec![], join("closed", 1, "ann")),
        row(
            "WAITS_ALREADY",
            wire::hall("twice", 1, 0),
            vec![hold("twice", 1, "ann", &[0]), join("twice", 2, "bob")],
            join("twice", 3, "bob"),
        )
        .says("hold_id", waits),
        row(
            "LIMIT_REACHED",
            ruled(wire::hall("crowded", 1, 0), one),
            vec![hold("crowded", 1, "ann", &[0]), join("crowded", 2, "bob")],
            join("crowded", 3, "eve"),
        )
        .says("limit", "waitlist_max")
        .says("max", 1),
        row(
            "COOLING_DOWN",
            ruled(wire::hall("lapsed", 5, 0), strict),
            vec![ask!(inventory.hold_seats(short)), until_it_expired],
            hold("lapsed", 2, "ann", &[1]),
        ),
    ])
    .await;
}
