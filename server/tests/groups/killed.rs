//! The server is killed again and again while groups are held and sold over all of its shards. In the end every group is
//! wholly sold or wholly gone, and what was acknowledged is what it is.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinSet;
use usher_proto::v1::{self, GroupState, HoldState, group_member::What};

use crate::common::{
    Clients, WAIT_MAX, fast_directory, now_ms, number_from_env, process::Process, refusal::Refused, wire,
};

const SHARDS: u32 = 4;
const SHOWS: usize = 8;
const SEATS: u32 = 2_000;
const CALLERS: usize = 24;
/// The shortest that can be: what a death left half held is gone soon.
const TTL_MS: u64 = 5_000;
/// How long a round of load lasts before the kill.
const LOAD_MS: std::ops::RangeInclusive<u64> = 10..=60;
/// Groups after which a new directory is begun, so that the house is never sold out.
const GROUPS_PER_DIRECTORY: usize = 1_000;

/// A group and what was acknowledged of it.
#[derive(Clone, Debug)]
struct Known {
    request: v1::HoldGroupRequest,
    /// It was answered that it is sold.
    sold: bool,
    /// It was answered that it is not, or never will be.
    gone: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_wholly_sold_or_wholly_gone_whenever_the_server_dies() {
    let groups = usize::try_from(number_from_env("USHER_GROUPS", 600)).unwrap();
    let (seed, started) = (number_from_env("USHER_SEED", now_ms()), Instant::now());
    println!("{groups} groups, USHER_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut done = 0;
    while done < groups {
        done += live_and_die(GROUPS_PER_DIRECTORY.min(groups - done), &mut rng).await;
        println!("{done} groups in {:.1?}", started.elapsed());
    }
}

async fn live_and_die(wanted: usize, rng: &mut StdRng) -> usize {
    let data = fast_directory();
    let (mut server, mut address) = Process::serve_with(data.path(), SHARDS, &[]);
    create_shows(address).await;
    let (mut known, mut kills) = (Vec::new(), 0);
    while known.len() < wanted {
        known.extend(load_and_kill(&mut server, address, rng).await);
        kills += 1;
        (server, address) = Process::serve_with(data.path(), SHARDS, &[]);
    }
    // What was left prepared is settled at once, what was half held ends by its deadline.
    tokio::time::sleep(Duration::from_millis(TTL_MS + 2_500)).await;
    let mut clients = Clients::connect(address).await;
    let mut counts: HashMap<GroupState, usize> = HashMap::new();
    for group in &known {
        *counts.entry(verify(&mut clients, group).await).or_default() += 1;
    }
    println!("{kills} kills, {counts:?}, {} acknowledged", known.iter().filter(|group| group.sold).count());
    assert!(counts.get(&GroupState::Confirmed) > Some(&0), "nothing was sold");
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", server.text());
    assert!(!server.text().contains("but not in this show"), "{}", server.text());
    known.len()
}

async fn create_shows(address: SocketAddr) {
    let mut clients = Clients::connect(address).await;
    let policy = v1::Policy { places_per_buyer_max: Some(1_000_000), ..v1::Policy::default() };
    for number in 0..SHOWS {
        let request = v1::CreateShowRequest { policy: Some(policy), ..wire::hall(&show_id(number), SEATS, 0) };
        clients.shows.create_show(request).await.unwrap();
    }
}

fn show_id(number: usize) -> String {
    format!("show-{number}")
}

/// Lets all callers hold, sell and release groups for a while, and kills the server.
async fn load_and_kill(server: &mut Process, address: SocketAddr, rng: &mut StdRng) -> Vec<Known> {
    let clients = Clients::connect(address).await;
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        tasks.spawn(buy(clients.clone(), StdRng::seed_from_u64(rng.random())));
    }
    tokio::time::sleep(Duration::from_millis(rng.random_range(LOAD_MS))).await;
    server.kill();
    tokio::time::timeout(WAIT_MAX, tasks.join_all()).await.unwrap().concat()
}

/// Until the connection breaks.
async fn buy(mut clients: Clients, mut rng: StdRng) -> Vec<Known> {
    let mut all = Vec::new();
    loop {
        let request = random_group(&mut rng);
        let mut group = Known { request: request.clone(), sold: false, gone: false };
        let is_broken = one(&mut clients, &mut group, &mut rng).await.is_err();
        all.push(group);
        if is_broken {
            return all;
        }
    }
}

/// An error is a connection that broke.
async fn one(clients: &mut Clients, group: &mut Known, rng: &mut StdRng) -> Result<(), ()> {
    let request = group.request.clone();
    let (id, show, buyer) = (request.group_id.clone(), request.members[0].show_id.clone(), request.buyer_id.clone());
    match clients.groups.hold_group(request).await.map_err(Refused::from) {
        Ok(held) => assert_eq!(held.into_inner().group.unwrap().state(), GroupState::Held),
        Err(refused) if refused.is_lost() => return Err(()),
        Err(refused) => {
            assert_eq!(refused.reason, "PLACES_TAKEN", "{refused:?}");
            group.gone = true;
            return Ok(());
        }
    }
    let answered = if rng.random_bool(0.8) {
        let (show_id, order_ref, payment_ref) = (show, "order".to_owned(), String::new());
        let confirm = v1::ConfirmGroupRequest { group_id: id, show_id, buyer_id: buyer, order_ref, payment_ref };
        clients.groups.confirm_group(confirm).await.map(|answer| answer.into_inner().group)
    } else {
        let release = v1::ReleaseGroupRequest { group_id: id, show_id: show, buyer_id: buyer };
        clients.groups.release_group(release).await.map(|answer| answer.into_inner().group)
    };
    match answered.map_err(Refused::from) {
        Ok(answer) => match answer.unwrap().state() {
            GroupState::Confirmed => group.sold = true,
            GroupState::Ended => group.gone = true,
            state => panic!("answered as {state:?}: {group:?}"),
        },
        Err(refused) => {
            assert!(refused.is_lost(), "{refused:?}");
            return Err(());
        }
    }
    Ok(())
}

/// 2 to 4 shows, in any order, and a few seats in each, which others may want as well.
fn random_group(rng: &mut StdRng) -> v1::HoldGroupRequest {
    let mut shows: Vec<usize> = (0..SHOWS).collect();
    let members = (0..rng.random_range(2..=4)).map(|_| {
        let show_id = show_id(shows.swap_remove(rng.random_range(0..shows.len())));
        let first = rng.random_range(0..SEATS - 3);
        let seats: Vec<u32> = (first..first + rng.random_range(1..=3)).collect();
        v1::GroupMember { show_id, what: Some(What::Places(wire::seats(&seats))), terms: None }
    });
    let members = members.collect();
    let number: u128 = rng.random::<u128>() | 1;
    v1::HoldGroupRequest { group_id: wire::id(number), buyer_id: format!("{number:x}"), members, ttl_ms: Some(TTL_MS) }
}

/// It is wholly sold or wholly gone, in each show as in the group.
async fn verify(clients: &mut Clients, known: &Known) -> GroupState {
    let mut sold = Vec::new();
    for member in &known.request.members {
        let get = v1::GetHoldRequest { show_id: member.show_id.clone(), hold_id: known.request.group_id.clone() };
        let found = match clients.inventory.get_hold(get).await.map_err(Refused::from) {
            Ok(found) => found.into_inner().hold,
            Err(refused) => {
                assert_eq!(refused.reason, "HOLD_UNKNOWN", "{refused:?}");
                None
            }
        };
        let state = found.as_ref().map(v1::Hold::state);
        assert_ne!(state, Some(HoldState::Held), "{known:?}: {found:?}");
        sold.push(state == Some(HoldState::Confirmed));
    }
    assert!(sold.iter().all(|other| *other == sold[0]), "sold in some shows only: {sold:?}, {known:?}");
    assert!(sold[0] || !known.sold, "the sale was acknowledged: {known:?}");
    assert!(!sold[0] || !known.gone, "its end was acknowledged: {known:?}");
    if sold[0] { GroupState::Confirmed } else { GroupState::Ended }
}
