//! What organisers ask for that is malformed, or names what is not there. Nothing of it changes the show.

use tonic::Code;
use usher_proto::v1::{self, change_manifest_request::Change};

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, refusal::Refused, wire},
};

const SHOW: &str = "evening";

/// Checks that a call is refused so, and that the show's version stays.
macro_rules! refused {
    ($clients:ident.$call:ident($request:expr), $code:ident, $reason:literal, $named:expr) => {
        let before = $clients.version(SHOW).await;
        let refused = Refused::from($clients.shows.$call($request).await.unwrap_err());
        check(stringify!($request), &refused, Code::$code, $reason, &$named);
        assert_eq!($clients.version(SHOW).await, before, "{} changed something", stringify!($request));
    };
    ($clients:ident.$call:ident($request:expr), $field:expr, $part:expr) => {
        refused!($clients.$call($request), InvalidArgument, "INVALID_REQUEST", Named::Field($field, $part));
    };
}

fn show_id() -> String {
    SHOW.to_owned()
}

fn mark(kind: v1::BlockKind, reason: &str) -> Option<v1::Mark> {
    Some(v1::Mark { kind: kind.into(), reason: reason.to_owned() })
}

fn block(selection: v1::Selection) -> v1::BlockPlacesRequest {
    let mark = mark(v1::BlockKind::Block, "camera");
    v1::BlockPlacesRequest { show_id: show_id(), selection: Some(selection), mark, ga: Vec::new() }
}

fn seats(indexes: &[u32]) -> v1::Selection {
    v1::Selection { seat_indexes: indexes.to_vec(), ..v1::Selection::default() }
}

fn none() -> v1::Selection {
    v1::Selection::default()
}

fn units(units: u32) -> v1::GaBlocked {
    v1::GaBlocked { section: "Floor".to_owned(), units }
}

fn block_units(ga: Vec<v1::GaBlocked>) -> v1::BlockPlacesRequest {
    v1::BlockPlacesRequest { ga, ..block(none()) }
}

#[tokio::test]
async fn malformed_selections_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 1_500, 50)).await;
    let row = |row: &str| v1::RowLabel { section: "Stalls".to_owned(), row: row.to_owned() };
    let million: Vec<u32> = vec![0; 1_000_001];
    refused!(clients.block_places(block(none())), "selection", "or `ga` units");
    refused!(
        clients.block_places(v1::BlockPlacesRequest { selection: None, ..block(none()) }),
        "selection",
        "must name"
    );
    refused!(clients.block_places(block(seats(&million))), "selection.seat_indexes", "at most 1000000, are 1000001");
    refused!(
        clients.block_places(block(v1::Selection { rows: vec![row("1"); 10_001], ..none() })),
        "selection.rows",
        "at most 10000"
    );
    refused!(
        clients.block_places(block(v1::Selection { sections: vec!["Stalls".to_owned(); 4_097], ..none() })),
        "selection.sections",
        "at most 4096"
    );
    refused!(
        clients.block_places(block(v1::Selection { categories: vec!["Gold".to_owned(); 256], ..none() })),
        "selection.categories",
        "at most 255"
    );
    refused!(clients.block_places(block_units(vec![units(0); 4_097])), "ga", "at most 4096");
    refused!(clients.block_places(block_units(vec![units(1), units(2)])), "ga", "twice");
    let floor = v1::Selection { sections: vec!["Floor".to_owned()], ..none() };
    let twice = v1::BlockPlacesRequest { ga: vec![units(1)], ..block(floor) };
    refused!(clients.block_places(twice), "ga", "twice");
    server.stop().await;
}

#[tokio::test]
async fn what_a_selection_names_must_be_there() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 1_500, 50)).await;
    let row = |row: &str| v1::RowLabel { section: "Stalls".to_owned(), row: row.to_owned() };
    let named = |name: &str| vec![name.to_owned()];
    let place = |name| Named::Resource("place", name);
    refused!(
        clients.block_places(block(v1::Selection { rows: vec![row("9")], ..none() })),
        NotFound,
        "PLACES_UNKNOWN",
        place("row Stalls/9")
    );
    refused!(
        clients.block_places(block(v1::Selection { sections: named("Roof"), ..none() })),
        NotFound,
        "PLACES_UNKNOWN",
        place("section \"Roof\"")
    );
    let stalls = v1::GaBlocked { section: "Stalls".to_owned(), units: 1 };
    refused!(
        clients.block_places(block_units(vec![stalls])),
        NotFound,
        "PLACES_UNKNOWN",
        place("general admission \"Stalls\"")
    );
    let floor = Some(v1::Selection { sections: named("Floor"), ..none() });
    let retire = v1::RetireSeatsRequest { show_id: show_id(), selection: floor.clone() };
    refused!(clients.retire_seats(retire), NotFound, "PLACES_UNKNOWN", place("section of seats \"Floor\""));
    let assign = v1::AssignChannelRequest { show_id: show_id(), selection: floor, key: String::new() };
    refused!(clients.assign_channel(assign), NotFound, "PLACES_UNKNOWN", place("section of seats \"Floor\""));
    refused!(
        clients.block_places(block(v1::Selection { categories: named("Golf"), ..none() })),
        NotFound,
        "PLACES_UNKNOWN",
        place("category \"Golf\"")
    );
    refused!(
        clients.block_places(block(seats(&[1_500]))),
        NotFound,
        "PLACES_UNKNOWN",
        Named::Said("seat_indexes", "1500")
    );
    server.stop().await;
}

#[tokio::test]
async fn malformed_marks_channels_and_times_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 50)).await;
    for kind in [v1::BlockKind::Unspecified, v1::BlockKind::Returning] {
        refused!(
            clients.block_places(v1::BlockPlacesRequest { mark: mark(kind, "x"), ..block(seats(&[1])) }),
            "mark.kind",
            "HOUSE, KILL or BLOCK"
        );
    }
    refused!(clients.block_places(v1::BlockPlacesRequest { mark: None, ..block(seats(&[1])) }), "mark.reason", "is 0");
    let unblock = v1::UnblockPlacesRequest { show_id: show_id(), ..v1::UnblockPlacesRequest::default() };
    refused!(clients.unblock_places(unblock), "mark.kind", "HOUSE, KILL or BLOCK");
    let retire = v1::RetireSeatsRequest { show_id: show_id(), selection: None };
    refused!(clients.retire_seats(retire), "selection", "must name");
    let key = "k".repeat(65);
    let assign = v1::AssignChannelRequest { show_id: show_id(), selection: Some(seats(&[1])), key: key.clone() };
    refused!(clients.assign_channel(assign), "key", "is 65");
    let set = v1::SetChannelRequest { show_id: show_id(), key, public_at_ms: Some(u64::MAX) };
    refused!(clients.set_channel(set.clone()), "key", "is 65");
    refused!(clients.set_channel(set), "public_at_ms", "before the year 10000");
    let release = v1::ScheduleReleaseRequest { show_id: show_id(), at_ms: Some(u64::MAX), ..Default::default() };
    refused!(clients.schedule_release(release), "at_ms", "before the year 10000");
    server.stop().await;
}

#[tokio::test]
async fn malformed_sales_and_rules_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let schedule =
        |opens_at_ms, closes_at_ms| v1::ScheduleSaleRequest { show_id: show_id(), opens_at_ms, closes_at_ms };
    refused!(clients.schedule_sale(schedule(u64::MAX, None)), "opens_at_ms", "before the year 10000");
    refused!(
        clients.schedule_sale(schedule(5, Some(5))),
        "closes_at_ms",
        "must be after opens_at_ms, 1970-01-01T00:00:00Z"
    );
    let update = |policy| v1::UpdatePolicyRequest { show_id: show_id(), policy: Some(policy) };
    let rules = v1::Policy::default;
    let cases = [
        (v1::Policy { orphan_rule: Some(9), ..rules() }, "policy.orphan_rule", "OFF, AVOID or FORBID"),
        (
            v1::Policy { late_confirm_ms_max: Some(600_001), ..rules() },
            "policy.late_confirm_ms_max",
            "0 to 600000, is 600001",
        ),
        (v1::Policy { pin_ms_max: Some(86_400_001), ..rules() }, "policy.pin_ms_max", "is 86400001"),
        (v1::Policy { lapses_max: Some(1_001), ..rules() }, "policy.lapses_max", "is 1001"),
        (v1::Policy { cool_down_ms: Some(86_400_001), ..rules() }, "policy.cool_down_ms", "is 86400001"),
        (v1::Policy { return_spread_ms: Some(600_001), ..rules() }, "policy.return_spread_ms", "is 600001"),
        (v1::Policy { waitlist_max: Some(1_000_001), ..rules() }, "policy.waitlist_max", "is 1000001"),
        (v1::Policy { waitlist_order: Some(0), ..rules() }, "policy.waitlist_order", "FIFO, PRIORITY or LOTTERY"),
        (v1::Policy { waitlist_order: Some(3), ..rules() }, "policy.waitlist_lottery_seed", "must be set"),
        (v1::Policy { waitlist_lottery_seed: Some(3), ..rules() }, "policy.waitlist_lottery_seed", "must be absent"),
        (v1::Policy { waitlist_closes_at_ms: Some(u64::MAX), ..rules() }, "policy.waitlist_closes_at_ms", "year 10000"),
        (
            v1::Policy { orphan_rule_ends_at_ms: Some(u64::MAX), ..rules() },
            "policy.orphan_rule_ends_at_ms",
            "year 10000",
        ),
        (v1::Policy { offer_ttl_ms: Some(1), ..rules() }, "policy.offer_ttl_ms", "5000 to 7200000 ms, is 1"),
        (v1::Policy { gather_ms_max: Some(3_600_001), ..rules() }, "policy.gather_ms_max", "is 3600001"),
        (
            v1::Policy { returns_per_second_max: Some(0), ..rules() },
            "policy.returns_per_second_max",
            "1 to 100000, is 0",
        ),
    ];
    for (policy, field, part) in cases {
        refused!(clients.update_policy(update(policy)), field, part);
    }
    let draft = Some(v1::Sale { is_draft: true, opens_at_ms: 5, closes_at_ms: Some(9) });
    let create = v1::CreateShowRequest { sale: draft, ..wire::hall("matinee", 10, 0) };
    refused!(clients.create_show(create.clone()), "sale.opens_at_ms", "a draft has no times");
    refused!(clients.create_show(create), "sale.closes_at_ms", "a draft has no times");
    let closed = Some(v1::Sale { is_draft: false, opens_at_ms: 9, closes_at_ms: Some(5) });
    let create = v1::CreateShowRequest { sale: closed, ..wire::hall("matinee", 10, 0) };
    refused!(clients.create_show(create), "sale.closes_at_ms", "must be after sale.opens_at_ms, 1970-01-01T00:00:00Z");
    server.stop().await;
}

#[tokio::test]
async fn malformed_changes_are_refused() {
    let (server, mut clients) = LocalServer::with_show(wire::hall(SHOW, 10, 5)).await;
    let change = |change| v1::ChangeManifestRequest { show_id: show_id(), change: Some(change) };
    let rows = |section: &str, rows| Change::AddRows(v1::AddRows { section: section.to_owned(), rows });
    let run = |category: &str, features: Vec<i32>| {
        let names = Some(v1::seat_run::Names::Numbered(v1::NumberedSeats { first: 1, count: 2, step: 1 }));
        v1::SeatRun { category: category.to_owned(), names, features }
    };
    let row = |name: &str, run| v1::Row { name: name.to_owned(), runs: vec![run], ..v1::Row::default() };
    let place = |name| Named::Resource("place", name);
    let (gold, golf) = ("Gold".to_owned(), "Golf".to_owned());
    refused!(
        clients.change_manifest(v1::ChangeManifestRequest { show_id: show_id(), change: None }),
        "change",
        "must be set"
    );
    refused!(clients.change_manifest(change(rows("Stalls", vec![]))), "add_rows.rows", "1 to 10000, are 0");
    refused!(
        clients.change_manifest(change(rows("Stalls", vec![row("2", run("Golf", vec![]))]))),
        "add_rows.rows[0].runs[0].category",
        "no category \"Golf\""
    );
    refused!(
        clients.change_manifest(change(rows("Stalls", vec![row("2", run("Gold", vec![7]))]))),
        "add_rows.rows[0].runs[0].features",
        "7 is not a known feature"
    );
    refused!(
        clients.change_manifest(change(rows("Floor", vec![row("2", run("Gold", vec![]))]))),
        NotFound,
        "PLACES_UNKNOWN",
        place("section of seats \"Floor\"")
    );
    let kindless = v1::Section { name: "Pit".to_owned(), kind: None };
    refused!(
        clients.change_manifest(change(Change::AddSection(kindless))),
        "add_section",
        "reserved or general_admission"
    );
    let reprice = v1::Reprice { category: golf.clone(), price_minor: 1 };
    refused!(
        clients.change_manifest(change(Change::Reprice(reprice))),
        NotFound,
        "PLACES_UNKNOWN",
        place("category \"Golf\"")
    );
    let recategorise = v1::Recategorise { selection: None, category: gold };
    refused!(clients.change_manifest(change(Change::Recategorise(recategorise))), "selection", "must name");
    let capacity = v1::SetGaCapacity { section: "Stalls".to_owned(), capacity: 1 };
    refused!(
        clients.change_manifest(change(Change::SetGaCapacity(capacity))),
        NotFound,
        "PLACES_UNKNOWN",
        place("general admission \"Stalls\"")
    );
    let pool = v1::Pool { name: "Standing".to_owned(), capacity: 1, sections: vec![golf] };
    refused!(clients.change_manifest(change(Change::SetPool(pool))), "set_pool.sections", "no section \"Golf\"");
    invalid_manifests(&mut clients).await;
    server.stop().await;
}

/// Well formed, but the manifest would be none.
async fn invalid_manifests(clients: &mut Clients) {
    let change = |change| v1::ChangeManifestRequest { show_id: show_id(), change: Some(change) };
    let category = v1::Category { name: "Gold".to_owned(), price_minor: 1 };
    refused!(
        clients.change_manifest(change(Change::AddCategory(category))),
        FailedPrecondition,
        "MANIFEST_INVALID",
        Named::Said("spot", "categories[1]")
    );
    let capacity = v1::SetCapacity { capacity: Some(0) };
    refused!(
        clients.change_manifest(change(Change::SetCapacity(capacity))),
        FailedPrecondition,
        "MANIFEST_INVALID",
        Named::Said("spot", "capacity")
    );
}
