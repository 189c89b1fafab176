//! The Rust client against real servers: answers and refusals, many callers at once, and a server that is killed meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "client/elsewhere.rs"]
mod elsewhere;

use std::{collections::BTreeSet, net::SocketAddr, path::Path, time::Duration};

use tokio::task::JoinSet;
use usher_client::{Error, Inventory, Options, Reason, v1};

use common::{
    Clients,
    local::LocalServer,
    process::{self, Process},
    wire,
};

const SHOW: &str = "gala";

fn client(address: SocketAddr) -> Inventory {
    let options = Options { timeout: common::WAIT_MAX, ..Options::default() };
    Inventory::with_options(&format!("http://{address}"), &options).unwrap()
}

#[tokio::test]
async fn a_seat_is_sold_and_a_refusal_says_why() {
    let (server, _) = LocalServer::with_show(wire::hall(SHOW, 10, 0)).await;
    let inventory = client(server.address);
    let held = inventory.hold_seats(wire::hold(SHOW, 1, "ada", wire::seats(&[3, 4]))).await.unwrap();
    assert_eq!(held.hold.unwrap().state(), v1::HoldState::Held);
    let refused = inventory.hold_seats(wire::hold(SHOW, 2, "bob", wire::seats(&[4, 5]))).await.unwrap_err();
    let Error::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(
        (refused.reason, refused.seat_indexes, refused.code),
        (Reason::PlacesTaken, vec![4], tonic::Code::FailedPrecondition)
    );
    inventory.confirm_hold(wire::confirm(SHOW, 1, "ada", "o-1")).await.unwrap();
    let nowhere = inventory.hold_seats(wire::hold("no-show", 2, "bob", wire::seats(&[4]))).await.unwrap_err();
    assert_eq!(nowhere.reason(), Some(&Reason::ShowUnknown));
    let malformed = inventory.hold_seats(wire::hold(SHOW, 0, "", wire::seats(&[4]))).await.unwrap_err();
    assert_eq!(malformed.reason(), Some(&Reason::InvalidRequest));
    let Error::Refused(malformed) = malformed else { panic!("{malformed}") };
    assert_eq!(malformed.metadata.keys().collect::<Vec<_>>(), ["buyer_id", "hold_id"]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_not_sent_and_who_is_not_there_is_waited_for_in_vain() {
    let inventory = Inventory::connect("http://127.0.0.1:1").unwrap().with_timeout(Duration::from_millis(300));
    let error = inventory.get_hold(v1::GetHoldRequest { show_id: "x".repeat(5 << 20), ..Default::default() }).await;
    assert!(matches!(error, Err(Error::TooLarge { .. })), "{error:?}");
    let error = inventory.get_hold(v1::GetHoldRequest { show_id: SHOW.to_owned(), ..Default::default() }).await;
    assert!(matches!(&error, Err(Error::TimedOut { last: Some(_), .. })), "{error:?}");
    for wrong in ["not an address", "127.0.0.1:7421", ""] {
        assert!(matches!(Inventory::connect(wrong), Err(Error::Address { .. })), "{wrong}");
    }
    let away = Inventory::connect("http://127.0.0.1:1").unwrap().ready().await;
    assert!(matches!(away, Err(Error::Unreachable { .. })), "{away:?}");
}

/// Many callers, several shows and shards: each gets his own answer.
#[tokio::test]
async fn everybody_gets_his_own_answer() {
    const CALLERS: u32 = 256;
    let server = LocalServer::start(4).await;
    let mut clients = Clients::connect(server.address).await;
    for show in 0..8 {
        clients.shows.create_show(wire::hall(&format!("show-{show}"), 1_000, 0)).await.unwrap();
    }
    let inventory = client(server.address);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let inventory = inventory.clone();
        callers.spawn(async move {
            for round in 0..10 {
                let (seat, show) = (caller, format!("show-{}", (caller + round) % 8));
                let (id, buyer) = (u128::from(caller * 100 + round + 1), format!("buyer-{caller}"));
                let held = inventory.hold_seats(wire::hold(&show, id, &buyer, wire::seats(&[seat]))).await;
                match held {
                    Ok(held) => assert_eq!(held.hold.unwrap().buyer_id, buyer),
                    Err(error) => assert_eq!(error.reason(), Some(&Reason::PlacesTaken), "{error}"),
                }
            }
        });
    }
    callers.join_all().await;
    server.stop().await;
}

/// A server that is killed while it sells, and started again on its port: every call is answered in the end, and what was
/// answered is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_waited_for() {
    const SEATS: u32 = 2_000;
    let data = common::fast_directory();
    let (mut server, address) = Process::serve(data.path(), 1);
    let mut clients = Clients::connect(address).await;
    clients.shows.create_show(wire::hall(SHOW, SEATS, 0)).await.unwrap();
    let inventory = client(address);
    let mut callers = JoinSet::new();
    for caller in 0..50 {
        let inventory = inventory.clone();
        callers.spawn(async move {
            for seat in (caller..SEATS).step_by(50) {
                let (id, buyer) = (u128::from(seat) + 1, format!("buyer-{seat}"));
                inventory.hold_seats(wire::hold(SHOW, id, &buyer, wire::seats(&[seat]))).await.unwrap();
                inventory.confirm_hold(wire::confirm(SHOW, id, &buyer, "o")).await.unwrap();
            }
        });
    }
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.kill();
        server = serve_again(data.path(), address);
    }
    callers.join_all().await;
    let mut seats = BTreeSet::new();
    for seat in 0..SEATS {
        let request = v1::GetHoldRequest { show_id: SHOW.to_owned(), hold_id: wire::id(u128::from(seat) + 1) };
        let hold = inventory.get_hold(request).await.unwrap().hold.unwrap();
        assert_eq!(hold.state(), v1::HoldState::Confirmed, "{seat}");
        seats.extend(hold.seats.into_iter().map(|seat| seat.seat_index));
    }
    assert_eq!(seats.len(), SEATS as usize);
}

/// `usher serve` again where it was.
fn serve_again(data: &Path, address: SocketAddr) -> Process {
    let mut command = process::program(env!("CARGO_BIN_EXE_usher"));
    command.arg("serve").arg("--data-dir").arg(data).args(["--log-format", "json", "--listen", &address.to_string()]);
    Process::spawn(command)
}

/// The server's table and the client's are the same.
#[test]
fn every_reason_of_the_server_is_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = [
        "src/status.rs",
        "src/status/rejections.rs",
        "src/status/forbidden.rs",
        "src/status/unexplained.rs",
        "src/access/caller.rs",
        "src/access/guard.rs",
        "src/access/known.rs",
    ];
    let sources = sources.map(|path| std::fs::read_to_string(root.join(path)).unwrap());
    let is_name =
        |text: &&str| text.len() > 4 && text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    let said: BTreeSet<&str> = sources.iter().flat_map(|text| text.split('"')).filter(is_name).collect();
    // What a show's state is called.
    let states = BTreeSet::from(["ARCHIVED", "CANCELLED", "CLOSED", "DRAFT", "ON_SALE", "PAUSED", "SCHEDULED"]);
    // No server says so before there are several for one inventory.
    let mut known: BTreeSet<&str> = Reason::ALL.iter().map(Reason::as_str).collect();
    known.remove(Reason::ShowMoved.as_str());
    assert_eq!(said.difference(&states).copied().collect::<BTreeSet<_>>(), known);
}
