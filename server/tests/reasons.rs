//! Every reason for which the rules say no, by its name, from real calls: what came before, what was asked, and what the
//! refusal says, over gRPC, as JSON, and through the client for Python where that is installed.
//!
//! The table stands in the modules; this one asks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "reasons/holds.rs"]
mod holds;
#[path = "reasons/places.rs"]
mod places;
#[path = "reasons/shows.rs"]
mod shows;

use std::{collections::BTreeSet, future::Future, pin::Pin, time::Duration};

use tonic::Code;
use usher_client::Reason;
use usher_proto::v1;

use common::{Clients, local::LocalServer, python::Python, refusal::Refused, twin, wire};

/// What no rule says: the machine does, or a cluster, or who calls.
const NOT_OF_THE_RULES: [Reason; 23] = [
    Reason::CallerBound,
    Reason::ConnectionsReached,
    Reason::CredentialsExpired,
    Reason::CredentialsInvalid,
    Reason::CredentialsMissing,
    Reason::CredentialsRevoked,
    Reason::DeadlineExceeded,
    Reason::DeadlinePassed,
    Reason::DiskFull,
    Reason::DiskUnwritable,
    Reason::InboxFull,
    Reason::Internal,
    Reason::MessageTooLarge,
    Reason::MethodUnknown,
    Reason::OutcomeUnknown,
    Reason::Overloaded,
    Reason::RateLimited,
    Reason::ScopeMissing,
    Reason::ShardNotServing,
    Reason::ShardRecovering,
    Reason::ShowForbidden,
    Reason::ShowMoved,
    Reason::SnapshotFailed,
];

type Answer = Pin<Box<dyn Future<Output = Result<(), Refused>>>>;

/// A call of one of the services.
struct Ask {
    call: Box<dyn FnOnce(Clients) -> Answer>,
    /// Its method's name in Rust, and its request's bytes.
    same: (&'static str, Vec<u8>),
}

/// A call of one of the services with a request.
macro_rules! ask {
    ($client:ident.$call:ident($request:expr)) => {{
        let request = $request;
        let same = (stringify!($call), prost::Message::encode_to_vec(&request));
        let call = Box::new(move |mut clients: $crate::Clients| -> $crate::Answer {
            Box::pin(async move {
                clients.$client.$call(request).await.map(drop).map_err($crate::common::refusal::Refused::from)
            })
        });
        $crate::Ask { call, same }
    }};
}
pub(crate) use ask;

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

/// With threads for the server: this one waits for Python.
#[tokio::test(flavor = "multi_thread")]
async fn every_reason_of_the_rules_by_every_road() {
    let server = LocalServer::start(2).await;
    let mut clients = Clients::connect(server.address).await;
    let mut python = Python::if_installed(server.address);
    let mut met = BTreeSet::new();
    for Row { reason, said, show, before, asked } in
        holds::rows().into_iter().chain(shows::rows()).chain(places::rows())
    {
        let show_id = show.show_id.clone();
        clients.shows.create_show(show).await.unwrap();
        for ask in before {
            (ask.call)(clients.clone()).await.unwrap_or_else(|no| panic!("{show_id}, before {reason}: {no:?}"));
        }
        let version = clients.version(&show_id).await;
        let (method, request) = asked.same;
        let refused = (asked.call)(clients.clone()).await.unwrap_err();
        assert_eq!((refused.reason.as_str(), refused.code), (reason, Some(code_of(reason))), "{show_id}: {refused:?}");
        for (name, value) in said {
            assert_eq!(refused.said(name), value, "{show_id}: {name} of {refused:?}");
        }
        if let Some(python) = &mut python {
            python.is_refused_alike(method, &request, &refused);
        }
        twin::refuses_alike(server.address, method, request, &refused).await;
        assert_eq!(clients.version(&show_id).await, version, "{show_id}: {reason} changed something");
        met.insert(reason);
    }
    let rules = Reason::ALL.iter().filter(|reason| !NOT_OF_THE_RULES.contains(reason));
    assert_eq!(met, rules.map(Reason::as_str).collect());
    server.stop().await;
}

fn code_of(reason: &str) -> Code {
    match reason {
        "INVALID_REQUEST" => Code::InvalidArgument,
        _ if reason.ends_with("_UNKNOWN") => Code::NotFound,
        _ => Code::FailedPrecondition,
    }
}

fn hold(show: &str, id: u128, buyer: &str, seats: &[u32]) -> Ask {
    ask!(inventory.hold_seats(wire::hold(show, id, buyer, wire::seats(seats))))
}

/// A hold of the first seat, for as short as can be.
fn short_hold(show: &str, id: u128, buyer: &str) -> Ask {
    let request = wire::hold(show, id, buyer, wire::seats(&[0]));
    ask!(inventory.hold_seats(v1::HoldSeatsRequest { ttl_ms: Some(5_000), ..request }))
}

fn until_it_expired() -> Ask {
    let call = |_| -> Answer {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5_500)).await;
            Ok(())
        })
    };
    Ask { call: Box::new(call), same: ("", Vec::new()) }
}

fn ruled(show: v1::CreateShowRequest, policy: v1::Policy) -> v1::CreateShowRequest {
    v1::CreateShowRequest { policy: Some(policy), ..show }
}
