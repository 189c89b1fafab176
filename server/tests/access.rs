//! Who may do what, over the wire: every method with every scope, for the right show and for others', with credentials
//! that are good, missing, wrong, expired and revoked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;
#[path = "access/files.rs"]
mod files;
#[path = "access/headers.rs"]
mod headers;

use std::{sync::Arc, time::Duration};

use common::{
    Clients, WAIT_MAX,
    callers::{Callers, grant},
    http::Http,
    local::LocalServer,
    process::Process,
    wire,
};
use serde_json::json;
use tonic::{
    Code, Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, metadata::MetadataValue, transport::Channel,
};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;
use usher_proto::v1::{
    self, inventory_client::InventoryClient, operations_client::OperationsClient, shows_client::ShowsClient,
};
use usher_server::{
    access::{
        Grant, Scope,
        audit::chain,
        table::{RULES, Rule},
    },
    config::Config,
};

const SCOPES: [Scope; 4] = [Scope::Sell, Scope::Read, Scope::Admin, Scope::Operate];
const SHOW: &str = "acme.gala";

/// What every request about a show begins with.
#[derive(Clone, PartialEq, prost::Message)]
struct AboutShow {
    #[prost(string, tag = "1")]
    show_id: String,
}

async fn start(callers: &Callers) -> LocalServer {
    LocalServer::start_with(1, Config { access: callers.access(), ..Config::default() }).await
}

fn with<T>(message: T, bearer: &str) -> Request<T> {
    let mut request = Request::new(message);
    if !bearer.is_empty() {
        let value: MetadataValue<_> = format!("Bearer {bearer}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// How a method refuses; nothing where it goes beyond who calls. A session's first answer tells.
async fn refusal(channel: &Channel, path: &'static str, bearer: &str) -> Option<String> {
    if path.ends_with("/Session") {
        return refusal_of_session(channel, bearer).await;
    }
    let (show_id, group_id, buyer_id) = (SHOW.to_owned(), wire::id(1), "ada".to_owned());
    match path {
        "/usher.v1.Groups/HoldGroup" => {
            let what = Some(v1::group_member::What::Places(wire::seats(&[0])));
            let member =
                |show_id: &str| v1::GroupMember { show_id: show_id.to_owned(), terms: None, what: what.clone() };
            let members = vec![member(SHOW), member("acme.g2")];
            let request = v1::HoldGroupRequest { group_id, buyer_id, members, ..v1::HoldGroupRequest::default() };
            refusal_of(channel, path, with(request, bearer)).await
        }
        "/usher.v1.Groups/ConfirmGroup" => {
            let (order_ref, payment_ref) = ("o-1".to_owned(), "p-1".to_owned());
            let request = v1::ConfirmGroupRequest { group_id, show_id, buyer_id, order_ref, payment_ref };
            refusal_of(channel, path, with(request, bearer)).await
        }
        "/usher.v1.Groups/ReleaseGroup" => {
            refusal_of(channel, path, with(v1::ReleaseGroupRequest { group_id, show_id, buyer_id }, bearer)).await
        }
        "/usher.v1.Groups/GetGroup" => {
            refusal_of(channel, path, with(v1::GetGroupRequest { group_id, show_id }, bearer)).await
        }
        _ => refusal_of(channel, path, with(AboutShow { show_id }, bearer)).await,
    }
}

async fn refusal_of<T: prost::Message + Default + 'static>(
    channel: &Channel,
    path: &'static str,
    request: Request<T>,
) -> Option<String> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let answer = grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::<T, ()>::default()).await;
    answer.err().and_then(|status| reason(&status))
}

async fn refusal_of_session(channel: &Channel, bearer: &str) -> Option<String> {
    let command = Some(v1::command::Command::GetHold(wire::get(SHOW, 1)));
    let batch = v1::SessionBatch {
        tag: 1,
        show_id: SHOW.to_owned(),
        commands: vec![v1::Command { command }],
        ..Default::default()
    };
    let asked = tokio_stream::once(v1::SessionRequest { batches: vec![batch] });
    match InventoryClient::new(channel.clone()).session(with(asked, bearer)).await {
        Err(status) => reason(&status),
        Ok(answers) => {
            let answer = answers.into_inner().message().await.unwrap().unwrap();
            let refused = answer.batches[0].refused.clone();
            refused.map(|refused| refused.reason).filter(|reason| reason != "SHOW_UNKNOWN")
        }
    }
}

/// The reason of a refusal that is about who calls.
fn reason(status: &Status) -> Option<String> {
    let is_about_caller = matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied);
    is_about_caller.then(|| status.get_error_details().error_info().unwrap().reason.clone())
}

/// Every method of ours, and the scopes that its line in the table names.
fn methods() -> impl Iterator<Item = (&'static str, &'static [Scope], bool)> {
    RULES.iter().filter_map(|(path, rule)| match rule {
        Rule::Scopes(scopes) => Some((*path, *scopes, false)),
        Rule::Unbound(scopes) => Some((*path, *scopes, true)),
        Rule::Open | Rule::Anybody => None,
    })
}

#[tokio::test]
async fn every_method_takes_its_scopes_and_no_other_for_the_callers_own_shows_and_no_others() {
    let mut callers = Callers::new();
    let mut cases = Vec::new();
    for scope in SCOPES {
        for (tenant, shows, is_own, is_bound) in [
            (None, &[][..], true, false),
            (Some("acme"), &["acme.g"][..], true, true),
            (Some("other"), &[][..], false, true),
            (None, &["opera-"][..], false, true),
            (Some("acme"), &["opera-"][..], false, true),
        ] {
            let grant = grant(scope, tenant, shows);
            let mut token = json!({"tenant": grant.tenant});
            if !shows.is_empty() {
                token["shows"] = json!(shows);
            }
            let token = callers.token("ed", &format!("{scope:?}").to_lowercase(), &token);
            let key = callers.key(grant).reveal().to_owned();
            cases.extend([(scope, key, is_own, is_bound), (scope, token, is_own, is_bound)]);
        }
    }
    callers.write();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    let mut calls = 0;
    for (path, scopes, is_about_all) in methods() {
        for (scope, bearer, is_own, is_bound) in &cases {
            let expected = match scopes.contains(scope) {
                false => Some("SCOPE_MISSING"),
                true if is_about_all => is_bound.then_some("CALLER_BOUND"),
                true if path.ends_with("/ListShows") => None,
                true => (!is_own).then_some("SHOW_FORBIDDEN"),
            };
            let found = refusal(&channel, path, bearer).await;
            assert_eq!(found.as_deref(), expected, "{path} with {scope:?}, own {is_own}, bound {is_bound}");
            calls += 1;
        }
    }
    assert!(calls > 1_000, "{calls}");
    server.stop().await;
}

#[tokio::test]
async fn no_method_takes_credentials_that_are_missing_wrong_expired_or_revoked() {
    let mut callers = Callers::new();
    let key = callers.key(Grant::everything()).reveal().to_owned();
    let revoked = callers.key(Grant::everything()).reveal().to_owned();
    let id = callers.keys.keys[1].id.clone();
    callers.keys.revoke(&id).unwrap();
    callers.write();
    let scopes = "sell read admin operate";
    let past = common::now_ms() / 1_000 - 60;
    let good = callers.token("ed", scopes, &json!({}));
    let (head, rest) = good.split_once('.').unwrap();
    let unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiZWQifQ";
    let cases = [
        ("nothing", String::new(), "CREDENTIALS_MISSING"),
        ("nonsense", "hello".to_owned(), "CREDENTIALS_INVALID"),
        ("another secret", format!("{}x", &key[..key.len() - 1]), "CREDENTIALS_INVALID"),
        ("an id alone", key[..key.rfind('_').unwrap()].to_owned(), "CREDENTIALS_INVALID"),
        ("a revoked key", revoked, "CREDENTIALS_INVALID"),
        ("an expired token", callers.token("ed", scopes, &json!({"exp": past})), "CREDENTIALS_EXPIRED"),
        ("a token of later", callers.token("ed", scopes, &json!({"nbf": past + 600})), "CREDENTIALS_INVALID"),
        ("another issuer", callers.token("ed", scopes, &json!({"iss": "https://evil"})), "CREDENTIALS_INVALID"),
        ("another audience", callers.token("ed", scopes, &json!({"aud": "mail"})), "CREDENTIALS_INVALID"),
        ("an unknown signer", callers.token("unknown", scopes, &json!({})), "CREDENTIALS_INVALID"),
        ("a changed token", format!("{head}.A{}", &rest[1..]), "CREDENTIALS_INVALID"),
        ("an unsigned token", format!("{unsigned}.{}.", rest.split_once('.').unwrap().0), "CREDENTIALS_INVALID"),
        ("the public key as a secret", callers.confused_token(), "CREDENTIALS_INVALID"),
    ];
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    for (path, ..) in methods() {
        for (what, bearer, expected) in &cases {
            assert_eq!(refusal(&channel, path, bearer).await.as_deref(), Some(*expected), "{path} with {what}");
        }
        for good in [&key, &good, &callers.token("shared", scopes, &json!({}))] {
            assert_eq!(refusal(&channel, path, good).await, None, "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_is_useless_within_seconds_also_on_a_stream_that_is_open() {
    let mut callers = Callers::new();
    let key = callers.key(Grant::everything()).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    let (send, asked) = tokio::sync::mpsc::channel(1);
    let asked = tokio_stream::wrappers::ReceiverStream::new(asked);
    let mut answers = InventoryClient::new(channel.clone()).session(with(asked, &key)).await.unwrap().into_inner();
    let mut ask = async || {
        let command = Some(v1::command::Command::GetHold(wire::get(SHOW, 1)));
        let batch = v1::SessionBatch {
            tag: 1,
            show_id: SHOW.to_owned(),
            commands: vec![v1::Command { command }],
            ..Default::default()
        };
        send.send(v1::SessionRequest { batches: vec![batch] }).await.unwrap();
        answers.message().await.unwrap().unwrap().batches[0].refused.clone().unwrap().reason
    };
    assert_eq!(ask().await, "SHOW_UNKNOWN");
    let id = callers.keys.keys[0].id.clone();
    callers.keys.revoke(&id).unwrap();
    callers.write();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ask().await, "CREDENTIALS_REVOKED");
    assert_eq!(refusal(&channel, "/usher.v1.Shows/ListShows", &key).await.as_deref(), Some("CREDENTIALS_INVALID"));
    server.stop().await;
}

#[tokio::test]
async fn lists_name_the_callers_own_shows_only() {
    let mut callers = Callers::new();
    let all = callers.key(Grant::everything()).reveal().to_owned();
    let own = callers.key(grant(Scope::Read, Some("acme"), &[])).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let mut shows = ShowsClient::new(Clients::connect(server.address).await.channel);
    for show in ["acme.a", "acme.b", "acmeco.x", "other.a", "zeta.a"] {
        shows.create_show(with(wire::hall(show, 10, 0), &all)).await.unwrap();
    }
    let mut named = Vec::new();
    let mut page_token = String::new();
    loop {
        let page =
            shows.list_shows(with(v1::ListShowsRequest { page_size: 1, page_token }, &own)).await.unwrap().into_inner();
        named.extend(page.shows.into_iter().map(|show| show.show_id));
        assert!(!page.next_page_token.contains("other") && !page.next_page_token.contains("zeta"));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(named, ["acme.a", "acme.b"]);
    server.stop().await;
}

#[tokio::test]
async fn http_refuses_alike_and_the_trail_tells_of_it() {
    let mut callers = Callers::new();
    let seller = callers.key(grant(Scope::Sell, None, &[])).reveal().to_owned();
    let admin = callers.key(grant(Scope::Admin, None, &[])).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let mut shows = ShowsClient::new(Clients::connect(server.address).await.channel);
    shows.create_show(with(wire::hall("gala", 10, 0), &admin)).await.unwrap();
    let address = server.address;
    let http = move || {
        let http = Arc::new(Http::to(address));
        let missing = http.get("/v1/shows/gala");
        missing.problem(401, "CREDENTIALS_MISSING");
        assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"usher\"");
        let bearer = format!("Bearer {seller}");
        http.send("GET", "/v1/shows/gala", &[("authorization", &bearer)], "").ok();
        let refused = http.post_with("/v1/shows/gala:pause", ("authorization", &bearer), "{}");
        assert_eq!(refused.problem(403, "SCOPE_MISSING")["metadata"]["scopes"], "admin");
    };
    tokio::time::timeout(WAIT_MAX, tokio::task::spawn_blocking(http)).await.unwrap().unwrap();
    server.stop().await;
    let mut told = Vec::new();
    let read = || chain::verify(&callers.directory().join("audit"), |_, _| Ok(()));
    while read().map_or(0, |end| end.number) < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    chain::verify(&callers.directory().join("audit"), |_, entry| {
        told.push(format!(
            "{} {} {:?} {}",
            entry.who.split(':').next().unwrap(),
            entry.method,
            entry.show,
            entry.result
        ));
        Ok(())
    })
    .unwrap();
    assert_eq!(
        told,
        [
            "key /usher.v1.Shows/CreateShow Some(\"gala\") OK",
            "address /usher.v1.Shows/GetShow None CREDENTIALS_MISSING",
            "key /usher.v1.Shows/PauseSale None SCOPE_MISSING",
        ]
    );
}

#[tokio::test]
async fn operators_have_a_port_of_their_own_where_it_is_set() {
    let data = tempfile::tempdir().unwrap();
    let (server, address) = Process::serve_with(data.path(), 1, &["--operations-listen", "127.0.0.1:0"]);
    let apart = server.wait_for("listening for operators")["address"].as_str().unwrap().parse().unwrap();
    let (everybody, operators) = (Clients::connect(address).await, Clients::connect(apart).await);
    let snapshots = async |clients: &Clients| {
        let mut client = OperationsClient::new(clients.channel.clone());
        let taken = client.take_snapshots(v1::TakeSnapshotsRequest::default());
        taken.await.map_or_else(|status| status.code(), |_| Code::Ok)
    };
    assert_eq!((snapshots(&everybody).await, snapshots(&operators).await), (Code::Unimplemented, Code::Ok));
    let shows = async |clients: &Clients| {
        let listed = clients.shows.clone().list_shows(v1::ListShowsRequest::default()).await;
        listed.map_or_else(|status| status.code(), |_| Code::Ok)
    };
    assert_eq!((shows(&everybody).await, shows(&operators).await), (Code::Ok, Code::Unimplemented));
}

#[tokio::test]
async fn a_group_is_out_of_reach_for_whoever_may_not_touch_each_of_its_shows() {
    let mut callers = Callers::new();
    let all = callers.key(Grant::everything()).reveal().to_owned();
    let some = callers.key(grant(Scope::Sell, None, &["acme."])).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let channel = Clients::connect(server.address).await.channel;
    let mut shows = ShowsClient::new(channel.clone());
    for show in ["acme.a", "other.a"] {
        shows.create_show(with(wire::hall(show, 10, 0), &all)).await.unwrap();
    }
    let mut groups = v1::groups_client::GroupsClient::new(channel);
    let (group_id, buyer_id, show_id) = (wire::id(1), "ada".to_owned(), "acme.a".to_owned());
    let what = Some(v1::group_member::What::Places(wire::seats(&[0])));
    let member = |show_id: &str| v1::GroupMember { show_id: show_id.to_owned(), terms: None, what: what.clone() };
    let (members, own) = (vec![member("acme.a"), member("other.a")], group_id.clone());
    let hold = v1::HoldGroupRequest { group_id: own, buyer_id: buyer_id.clone(), members, ..Default::default() };
    let refused = |status: Status| reason(&status).unwrap();
    assert_eq!(
        groups.hold_group(with(hold.clone(), &some)).await.map(drop).map_err(refused),
        Err("SHOW_FORBIDDEN".into())
    );
    groups.hold_group(with(hold, &all)).await.unwrap();
    let get = v1::GetGroupRequest { group_id: group_id.clone(), show_id: show_id.clone() };
    assert_eq!(groups.get_group(with(get, &some)).await.map(drop).map_err(refused), Err("SHOW_FORBIDDEN".into()));
    let release = v1::ReleaseGroupRequest { group_id, show_id, buyer_id };
    assert_eq!(
        groups.release_group(with(release.clone(), &some)).await.map(drop).map_err(refused),
        Err("SHOW_FORBIDDEN".into())
    );
    groups.release_group(with(release, &all)).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn who_may_only_read_sends_batches_of_lookups_and_no_others() {
    let mut callers = Callers::new();
    let reader = callers.key(grant(Scope::Read, None, &[])).reveal().to_owned();
    callers.write();
    let server = start(&callers).await;
    let mut inventory = InventoryClient::new(Clients::connect(server.address).await.channel);
    let get = v1::command::Command::GetHold(wire::get(SHOW, 1));
    let hold = v1::command::Command::HoldSeats(wire::hold(SHOW, 1, "ada", wire::seats(&[0])));
    for (commands, expected) in [(vec![get.clone()], None), (vec![get, hold], Some("SCOPE_MISSING"))] {
        let commands = commands.into_iter().map(|command| v1::Command { command: Some(command) }).collect();
        let request = v1::ExecuteRequest { show_id: SHOW.to_owned(), commands };
        let refused = inventory.execute(with(request, &reader)).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), expected, "{refused:?}");
    }
    server.stop().await;
}
