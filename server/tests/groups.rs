//! Groups: places in several shows, all or none, through the real server, and through its death at any moment.
//!
//! `USHER_GROUPS` sets how many groups meet how their server is killed (600), `USHER_SEED` repeats the choices of a run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "groups/killed.rs"]
mod killed;

use usher_proto::v1::{self, GroupState, HoldState};

use common::{Clients, local::LocalServer, refusal::Refused, wire};

const SEASON: [&str; 3] = ["monday", "tuesday", "wednesday"];

async fn season() -> (LocalServer, Clients) {
    let server = LocalServer::start(4).await;
    let mut clients = Clients::connect(server.address).await;
    for show in SEASON {
        clients.shows.create_show(wire::hall(show, 10, 0)).await.unwrap();
    }
    (server, clients)
}

impl Clients {
    async fn hold_group(&mut self, id: u128, buyer: &str, seat: u32) -> Result<v1::Group, Refused> {
        let held = self.groups.hold_group(wire::hold_group(id, buyer, &SEASON, seat)).await;
        Ok(held.map_err(Refused::from)?.into_inner().group.unwrap())
    }

    async fn confirm_group(&mut self, show: &str, id: u128, buyer: &str) -> Result<v1::Group, Refused> {
        let confirmed = self.groups.confirm_group(wire::confirm_group(show, id, buyer)).await;
        Ok(confirmed.map_err(Refused::from)?.into_inner().group.unwrap())
    }

    async fn release_group(&mut self, show: &str, id: u128, buyer: &str) -> Result<v1::Group, Refused> {
        let released = self.groups.release_group(wire::release_group(show, id, buyer)).await;
        Ok(released.map_err(Refused::from)?.into_inner().group.unwrap())
    }

    pub(crate) async fn group(&mut self, show: &str, id: u128) -> Result<v1::Group, Refused> {
        let request = v1::GetGroupRequest { group_id: wire::id(id), show_id: show.to_owned() };
        Ok(self.groups.get_group(request).await.map_err(Refused::from)?.into_inner().group.unwrap())
    }

    async fn free(&mut self, show: &str) -> u32 {
        self.seat_map(show).await.counts.unwrap().available
    }
}

fn states(group: &v1::Group) -> Vec<HoldState> {
    group.holds.iter().map(v1::Hold::state).collect()
}

fn why<T: std::fmt::Debug>(refused: Result<T, Refused>) -> (String, String) {
    let refused = refused.unwrap_err();
    (refused.reason.clone(), refused.said("show_id").to_owned())
}

#[tokio::test]
async fn a_season_is_held_and_sold_as_a_whole() {
    let (server, mut clients) = season().await;
    let held = clients.hold_group(1, "ann", 3).await.unwrap();
    assert_eq!((held.state(), states(&held)), (GroupState::Held, vec![HoldState::Held; 3]));
    assert_eq!(held.show_ids, SEASON);
    assert!(held.holds.iter().all(|hold| hold.group_show_ids == SEASON && hold.hold_id == held.group_id));
    assert_eq!(clients.hold_group(1, "ann", 3).await.unwrap(), held, "the same once more");
    assert_eq!(why(clients.hold_group(1, "ann", 4).await).0, "ID_REUSED");
    assert_eq!(clients.group("tuesday", 1).await.unwrap(), held, "which another request with its id does not touch");
    assert_eq!(why(clients.confirm_group("monday", 1, "bob").await).0, "HOLD_OF_ANOTHER_BUYER");
    assert_eq!(why(clients.confirm_group("monday", 2, "ann").await).0, "HOLD_UNKNOWN");
    let sold = clients.confirm_group("wednesday", 1, "ann").await.unwrap();
    assert_eq!((sold.state(), states(&sold)), (GroupState::Confirmed, vec![HoldState::Confirmed; 3]));
    assert_eq!(clients.confirm_group("monday", 1, "ann").await.unwrap(), sold);
    assert_eq!(clients.hold_group(1, "ann", 3).await.unwrap(), sold);
    assert_eq!(why(clients.release_group("monday", 1, "ann").await).0, "HOLD_CONFIRMED");
    // From then on each is a booking of its own.
    clients.inventory.cancel_booking(wire::cancel("monday", 1, "ann")).await.unwrap();
    let later = clients.confirm_group("tuesday", 1, "ann").await.unwrap();
    assert_eq!(states(&later), [HoldState::Cancelled, HoldState::Confirmed, HoldState::Confirmed]);
    assert_eq!(later.state(), GroupState::Confirmed);
    server.stop().await;
}

#[tokio::test]
async fn who_cannot_have_all_has_nothing() {
    let (server, mut clients) = season().await;
    clients.inventory.hold_seats(wire::hold("tuesday", 9, "bob", wire::seats(&[3]))).await.unwrap();
    assert_eq!(why(clients.hold_group(1, "ann", 3).await), ("PLACES_TAKEN".to_owned(), "tuesday".to_owned()));
    assert_eq!(
        [clients.free("monday").await, clients.free("tuesday").await, clients.free("wednesday").await],
        [10, 9, 10]
    );
    let gone = clients.group("monday", 1).await.unwrap();
    assert_eq!((gone.state(), states(&gone)), (GroupState::Ended, vec![HoldState::Released, HoldState::Released]));
    assert_eq!(why(clients.confirm_group("monday", 1, "ann").await).0, "HOLD_FENCED", "in the show that refused");
    server.stop().await;
}

/// A member whose deadline has come takes the others with it.
#[tokio::test]
async fn who_cannot_be_sold_is_released() {
    let (server, mut clients) = season().await;
    let request = v1::HoldGroupRequest { ttl_ms: Some(5_000), ..wire::hold_group(1, "ann", &SEASON, 3) };
    clients.groups.hold_group(request).await.unwrap();
    for show in &SEASON[1..] {
        clients.inventory.extend_hold(wire::extend(show, 1, "ann", Some(600_000))).await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
    assert_eq!(clients.group("monday", 1).await.unwrap().state(), GroupState::Incomplete);
    assert_eq!(why(clients.confirm_group("tuesday", 1, "ann").await), ("HOLD_EXPIRED".to_owned(), "monday".to_owned()));
    let gone = clients.group("tuesday", 1).await.unwrap();
    assert_eq!(states(&gone), [HoldState::Expired, HoldState::Released, HoldState::Released]);
    assert_eq!((gone.state(), clients.free("wednesday").await), (GroupState::Ended, 10));
    server.stop().await;
}

#[tokio::test]
async fn a_group_that_is_given_back_is_given_back_everywhere() {
    let (server, mut clients) = season().await;
    clients.hold_group(1, "ann", 3).await.unwrap();
    let released = clients.release_group("wednesday", 1, "ann").await.unwrap();
    assert_eq!((released.state(), states(&released)), (GroupState::Ended, vec![HoldState::Released; 3]));
    assert_eq!(clients.release_group("monday", 1, "ann").await.unwrap(), released);
    assert_eq!(clients.hold_group(1, "ann", 3).await.unwrap().state(), GroupState::Ended, "its id is used up");
    assert_eq!(why(clients.confirm_group("monday", 1, "ann").await).0, "HOLD_RELEASED");
    clients.hold_group(2, "ann", 3).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn every_wrong_field_of_every_member_is_named() {
    let (server, mut clients) = season().await;
    let mut request = wire::hold_group(1, "", &["monday", "monday", "nowhere"], 3);
    request.group_id = vec![1, 2].into();
    request.members[0].what = None;
    request.members[1].terms = Some(v1::Terms { replaces: wire::id(7), ..v1::Terms::default() });
    let status = clients.groups.hold_group(request).await.unwrap_err();
    let refused = Refused::from(status);
    let fields: Vec<&str> = refused.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["members[1].show_id", "members[1].terms.replaces", "group_id", "buyer_id", "members[0].what"]);
    let few = clients.groups.hold_group(wire::hold_group(1, "ann", &["monday"], 0)).await.unwrap_err();
    assert!(few.message().contains("members: must be 2 to 16, are 1"), "{few:?}");
    let unknown = clients.groups.hold_group(wire::hold_group(1, "ann", &["monday", "nowhere"], 0)).await.unwrap_err();
    assert_eq!(Refused::from(unknown).reason, "SHOW_UNKNOWN");
    server.stop().await;
}
