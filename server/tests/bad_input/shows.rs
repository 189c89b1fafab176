//! Shows that cannot be created: rules out of range, manifests with a mistake, ids that are taken.

use tonic::Code;
use usher_proto::v1;

use crate::{
    Named, check,
    common::{Clients, local::LocalServer, refusal::Refused, wire},
};

async fn refused(clients: &mut Clients, request: v1::CreateShowRequest) -> Refused {
    Refused::from(clients.shows.create_show(request).await.unwrap_err())
}

async fn shows(clients: &mut Clients) -> usize {
    clients.shows.list_shows(v1::ListShowsRequest::default()).await.unwrap().into_inner().shows.len()
}

#[tokio::test]
async fn a_rule_out_of_range_is_named() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    let none = v1::Policy::default;
    let cases = [
        (
            v1::Policy { hold_ttl_ms_default: Some(4_999), ..none() },
            "policy.hold_ttl_ms_default",
            "5000 to 7200000 ms, is 4999",
        ),
        (
            v1::Policy { hold_ttl_ms_default: Some(u64::MAX), ..none() },
            "policy.hold_ttl_ms_default",
            "is 18446744073709551615",
        ),
        (v1::Policy { hold_life_ms_max: Some(0), ..none() }, "policy.hold_life_ms_max", "5000 to 86400000, is 0"),
        (v1::Policy { hold_life_ms_max: Some(86_400_001), ..none() }, "policy.hold_life_ms_max", "is 86400001"),
        (v1::Policy { places_per_hold_max: Some(0), ..none() }, "policy.places_per_hold_max", "1 to 1000, is 0"),
        (v1::Policy { places_per_hold_max: Some(1_001), ..none() }, "policy.places_per_hold_max", "is 1001"),
        (
            v1::Policy { live_holds_per_buyer_max: Some(100_001), ..none() },
            "policy.live_holds_per_buyer_max",
            "is 100001",
        ),
        (v1::Policy { extends_max: Some(1_000_001), ..none() }, "policy.extends_max", "0 to 1000000, is 1000001"),
        (v1::Policy { places_per_buyer_max: Some(0), ..none() }, "policy.places_per_buyer_max", "1 to 1000000, is 0"),
        (v1::Policy { holds_per_show_max: Some(1_000_001), ..none() }, "policy.holds_per_show_max", "is 1000001"),
    ];
    for (policy, field, said) in cases {
        let request = v1::CreateShowRequest { policy: Some(policy), ..wire::hall("show", 10, 0) };
        let refused = refused(&mut clients, request).await;
        check(field, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field(field, said));
        assert_eq!(shows(&mut clients).await, 0, "{field}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_rule_out_of_range_is_named() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    let policy = v1::Policy {
        hold_ttl_ms_default: Some(1),
        places_per_hold_max: Some(0),
        holds_per_show_max: Some(0),
        ..v1::Policy::default()
    };
    let refused =
        refused(&mut clients, v1::CreateShowRequest { policy: Some(policy), ..wire::hall("show", 10, 0) }).await;
    let fields: Vec<&str> = refused.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["policy.hold_ttl_ms_default", "policy.places_per_hold_max", "policy.holds_per_show_max"]);
    server.stop().await;
}

#[tokio::test]
async fn a_manifest_with_a_mistake_is_refused_with_its_place() {
    let server = LocalServer::start(1).await;
    let mut clients = Clients::connect(server.address).await;
    let changed = |change: &dyn Fn(&mut v1::Manifest)| {
        let mut request = wire::hall("show", 10, 5);
        change(request.manifest.as_mut().unwrap());
        request
    };
    let repeated = |manifest: &mut v1::Manifest| manifest.sections[1].name = "Stalls".to_owned();
    let cases = [
        (v1::CreateShowRequest { manifest: None, ..wire::hall("show", 10, 0) }, "manifest", "must be set"),
        (changed(&|manifest| manifest.currency = "euro".to_owned()), "manifest.currency", "three capital letters"),
        (changed(&|manifest| manifest.name.clear()), "manifest.name", "1 to 200 bytes, is 0"),
        (changed(&|manifest| manifest.categories[0].price_minor = u64::MAX), "manifest.categories[0]", "at most"),
        (changed(&|manifest| manifest.sections.clear()), "manifest.sections", "1 to 4096, are 0"),
        (
            changed(&|manifest| manifest.sections[1].kind = None),
            "manifest.sections[1]",
            "reserved or general_admission",
        ),
        (changed(&repeated), "manifest.sections[1]", "\"Stalls\" stands twice"),
        (wire::hall("show", 1_000_001, 0), "manifest.sections[0].rows[1000]", "larger than 1000000"),
        (wire::hall("show", 1_000_000, 1), "manifest.sections[1]", "larger than 1000000"),
        (wire::hall("a/b", 10, 0), "show_id", "1 to 64"),
    ];
    for (request, field, said) in cases {
        let refused = refused(&mut clients, request).await;
        check(said, &refused, Code::InvalidArgument, "INVALID_REQUEST", &Named::Field(field, said));
        assert_eq!(shows(&mut clients).await, 0, "{field}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_show_is_created_once() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("show", 10, 0)).await;
    clients.inventory.hold_seats(wire::hold("show", 1, "ann", wire::seats(&[3]))).await.unwrap();
    let before = clients.version("show").await;
    let again = clients.shows.create_show(wire::hall("show", 10, 0)).await.unwrap().into_inner();
    assert!(again.existed);
    let policy = Some(v1::Policy { places_per_hold_max: Some(9), ..v1::Policy::default() });
    let cases = [
        ("manifest", wire::hall("show", 11, 0)),
        ("policy", v1::CreateShowRequest { policy, ..wire::hall("show", 10, 0) }),
    ];
    for (field, request) in cases {
        let refused = refused(&mut clients, request).await;
        check(field, &refused, Code::FailedPrecondition, "SHOW_ID_REUSED", &Named::Said("field", field));
        assert_eq!((clients.version("show").await, shows(&mut clients).await), (before, 1), "{field}");
    }
    server.stop().await;
}
