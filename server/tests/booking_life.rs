//! A booking's life through the real server: wished for, held, pinned, sold, given away, exchanged, taken back, offered to
//! who waits; and what its organiser sees of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use usher_proto::v1::{self, HoldState, change_manifest_request::Change, list_holds_request::By};

use common::{Clients, local::LocalServer, wire};

const SHOW: &str = "evening";
const ANNS: u128 = 1;
const BOBS: u128 = 2;
const EVES: u128 = 3;

/// Row 1 of ten seats for all, row 2 of two bays with companions' seats beside them, and a floor of 20.
fn hall() -> v1::CreateShowRequest {
    let mut show = wire::hall(SHOW, 10, 20);
    let manifest = show.manifest.as_mut().unwrap();
    let Some(v1::section::Kind::Reserved(stalls)) = &mut manifest.sections[0].kind else {
        panic!("a section of seats")
    };
    let run = |first, feature: v1::SeatFeature| v1::SeatRun {
        category: "Gold".to_owned(),
        names: Some(v1::seat_run::Names::Numbered(v1::NumberedSeats { first, count: 1, step: 1 })),
        features: vec![feature.into()],
    };
    let (bay, companion) = (v1::SeatFeature::Wheelchair, v1::SeatFeature::Companion);
    let runs = vec![run(1, bay), run(2, companion), run(3, bay), run(4, companion)];
    stalls.rows.push(v1::Row { name: "2".to_owned(), runs, rank: Some(7), ..v1::Row::default() });
    show
}

/// Whether a seat's bit is set.
fn has(bits: &[u8], seat: u32) -> bool {
    bits[seat as usize / 8] >> (seat % 8) & 1 == 1
}

fn indexes(hold: &v1::Hold) -> Vec<u32> {
    hold.seats.iter().map(|seat| seat.seat_index).collect()
}

async fn list(clients: &mut Clients, by: By, page_size: u32) -> Vec<v1::ListHoldsResponse> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListHoldsRequest { show_id: SHOW.to_owned(), by: Some(by.clone()), page_size, page_token };
        let page = clients.inventory.list_holds(request).await.unwrap().into_inner();
        page_token = page.next_page_token.clone();
        pages.push(page);
        if page_token.is_empty() {
            return pages;
        }
    }
}

async fn overview(clients: &mut Clients) -> v1::GetShowOverviewResponse {
    let request = v1::GetShowOverviewRequest { show_id: SHOW.to_owned() };
    clients.shows.get_show_overview(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn from_a_wish_to_an_offer() {
    let (server, mut clients) = LocalServer::with_show(hall()).await;
    hold_the_best(&mut clients).await;
    sell_and_give_away(&mut clients).await;
    exchange_and_take_back(&mut clients).await;
    offer_what_came_back(&mut clients).await;
    server.stop().await;
}

/// The best seats of the best row, together; a repeated wish gets the first answer.
async fn hold_the_best(clients: &mut Clients) {
    let tickets = [("adult".to_owned(), 2), ("child".to_owned(), 1)].into();
    let request = v1::HoldBestRequest { tickets, ..wire::best(SHOW, ANNS, "ann", 0) };
    let hold = clients.inventory.hold_best(request.clone()).await.unwrap().into_inner().hold.unwrap();
    let placement = hold.placement.as_deref().unwrap();
    assert_eq!((placement.step(), placement.is_together), (v1::PlacementStep::Together, true));
    assert_eq!(placement.groups.len(), 1);
    assert_eq!((placement.groups[0].row.as_str(), &placement.groups[0].seat_indexes), ("1", &indexes(&hold)));
    assert_eq!((hold.tickets["adult"], hold.tickets["child"], hold.total_minor), (2, 1, 3 * 4_500));
    let again = clients.inventory.hold_best(request).await.unwrap().into_inner().hold.unwrap();
    assert_eq!(again, hold);

    let bay = v1::Wish { quantity: 2, wheelchair_bays: 1, companions: 1, ..v1::Wish::default() };
    let request = v1::HoldBestRequest { wish: Some(bay), ..wire::best(SHOW, BOBS, "bob", 2) };
    let hold = clients.inventory.hold_best(request).await.unwrap().into_inner().hold.unwrap();
    assert!(matches!(indexes(&hold)[..], [10, 11] | [11, 12] | [12, 13]), "{hold:?}");
    clients.inventory.release_hold(wire::release(SHOW, BOBS, "bob")).await.unwrap();
}

/// Pinned while the payment is under way, sold late or not, then somebody else's.
async fn sell_and_give_away(clients: &mut Clients) {
    let pinned = clients.inventory.pin_hold(wire::pin(SHOW, ANNS, "ann")).await.unwrap().into_inner();
    assert!(pinned.expires_at_ms > pinned.extendable_until_ms);
    let found = clients.inventory.get_hold(wire::get(SHOW, ANNS)).await.unwrap().into_inner().hold.unwrap();
    assert!(found.is_pinned && found.expires_at_ms == pinned.expires_at_ms);
    let unpinned = clients.inventory.unpin_hold(wire::unpin(SHOW, ANNS, "ann")).await.unwrap().into_inner();
    assert!(unpinned.expires_at_ms < pinned.expires_at_ms);
    let confirm = v1::ConfirmHoldRequest { accept_late: true, ..wire::confirm(SHOW, ANNS, "ann", "order-1") };
    let sold = clients.inventory.confirm_hold(confirm).await.unwrap().into_inner().hold.unwrap();
    assert_eq!((sold.state(), sold.booking.unwrap().order_ref.as_str()), (HoldState::Confirmed, "order-1"));

    let request = wire::transfer(SHOW, ANNS, "ann", "bob");
    for _ in 0..2 {
        let given = clients.inventory.transfer_booking(request.clone()).await.unwrap().into_inner().hold.unwrap();
        assert_eq!((given.buyer_id.as_str(), given.seats.len()), ("bob", 3));
    }
}

/// At the new price for what is new; the old price for what stays.
async fn exchange_and_take_back(clients: &mut Clients) {
    let before = indexes(&clients.inventory.get_hold(wire::get(SHOW, ANNS)).await.unwrap().into_inner().hold.unwrap());
    let reprice = Change::Reprice(v1::Reprice { category: "Gold".to_owned(), price_minor: 5_000 });
    let change = v1::ChangeManifestRequest { show_id: SHOW.to_owned(), change: Some(reprice) };
    let changed = clients.shows.change_manifest(change).await.unwrap().into_inner();
    assert_eq!((changed.manifest_version, changed.over_committed.len()), (2, 0));
    let free = (0..10).find(|seat| !before.contains(seat)).unwrap();
    let mut wanted = vec![before[0], before[1], free];
    wanted.sort_unstable();
    let request = wire::exchange(SHOW, ANNS, "bob", wire::seats(&wanted));
    let exchanged = clients.inventory.exchange_seats(request).await.unwrap().into_inner().hold.unwrap();
    assert_eq!((indexes(&exchanged), exchanged.difference_minor), (wanted.clone(), Some(500)));
    let price = |seat: u32| exchanged.seats.iter().find(|own| own.seat_index == seat).unwrap().price_minor;
    assert_eq!((price(before[0]), price(free), exchanged.total_minor), (4_500, 5_000, 14_000));

    let camera = Some(v1::Mark { kind: v1::BlockKind::Kill.into(), reason: "camera".to_owned() });
    let places = Some(wire::seats(&[free]));
    let part = v1::CancelBookingRequest { places, return_to: camera, ..wire::cancel(SHOW, ANNS, "bob") };
    let left = clients.inventory.cancel_booking(part).await.unwrap().into_inner().hold.unwrap();
    assert_eq!((left.state(), indexes(&left)), (HoldState::Confirmed, vec![before[0], before[1]]));
    let map = clients.seat_map(SHOW).await;
    assert!(has(&map.blocked, free) && !has(&map.held, free) && map.manifest_version == 2);
    let counts = map.counts.unwrap();
    assert_eq!((counts.available, counts.held, counts.sold, counts.blocked), (31, 0, 2, 1));
    let overview = overview(clients).await;
    assert_eq!((overview.counts.unwrap(), overview.bookings, overview.taken), (counts, 1, 2));
    let block = &overview.blocks[0];
    assert_eq!((block.mark.clone().unwrap().reason.as_str(), block.seats), ("camera", 1));
}

/// The rest of the row is held; who waits gets what comes back before anybody else.
async fn offer_what_came_back(clients: &mut Clients) {
    let map = clients.seat_map(SHOW).await;
    let free: Vec<u32> = (0..10).filter(|seat| has(&map.available, *seat)).collect();
    let rest = wire::hold(SHOW, 4, "ann", wire::seats(&free));
    clients.inventory.hold_seats(rest).await.unwrap();
    let joined = clients.inventory.join_waitlist(wire::join(SHOW, EVES, "eve", 2)).await.unwrap().into_inner();
    let Some(v1::join_waitlist_response::Standing::Waiting(entry)) = joined.standing else { panic!("she waits") };
    assert_eq!((entry.waiting, entry.wish.unwrap().quantity), (1, 2));
    let found = clients.inventory.get_hold(wire::get(SHOW, EVES)).await.unwrap().into_inner();
    assert_eq!((found.hold.unwrap().state(), found.waiting.unwrap().buyer_id.as_str()), (HoldState::Waiting, "eve"));
    let pages = list(clients, By::BuyerId("eve".to_owned()), 0).await;
    assert_eq!((pages[0].holds.len(), pages[0].waiting.is_some()), (0, true));

    let cancelled = clients.inventory.cancel_booking(wire::cancel(SHOW, ANNS, "bob")).await.unwrap().into_inner();
    assert_eq!(cancelled.hold.unwrap().state(), HoldState::Cancelled);
    let offer = clients.inventory.get_hold(wire::get(SHOW, EVES)).await.unwrap().into_inner().hold.unwrap();
    assert!(offer.is_offer && offer.seats.len() == 2 && offer.state() == HoldState::Held, "{offer:?}");
    assert!(offer.seats.iter().all(|seat| seat.price_minor == 5_000), "at today's price");
    let sold = wire::confirm(SHOW, EVES, "eve", "order-2");
    clients.inventory.confirm_hold(sold).await.unwrap();

    let by_order = list(clients, By::OrderRef("order-2".to_owned()), 0).await;
    assert_eq!(by_order[0].holds.len(), 1);
    let all = list(clients, By::AllSales(true), 1).await;
    let states: Vec<HoldState> = all.iter().flat_map(|page| &page.holds).map(v1::Hold::state).collect();
    assert_eq!(states, [HoldState::Cancelled, HoldState::Confirmed], "in the order in which they were made");

    let cancel = |dry_run| v1::CancelShowRequest { show_id: SHOW.to_owned(), dry_run };
    let report = clients.shows.cancel_show(cancel(true)).await.unwrap().into_inner();
    assert_eq!((report.holds, report.bookings, report.refund_minor), (1, 1, 10_000));
    assert_eq!(report.show.unwrap().state(), v1::ShowState::OnSale, "it was a dry run");
    let report = clients.shows.cancel_show(cancel(false)).await.unwrap().into_inner();
    assert_eq!(report.show.unwrap().state(), v1::ShowState::Cancelled);
    let refund = clients.inventory.get_hold(wire::get(SHOW, EVES)).await.unwrap().into_inner().hold.unwrap();
    assert!(refund.refund_due && refund.state() == HoldState::Confirmed, "{refund:?}");
}

/// House seats, a channel and a timed release; nothing of it is for those without a key or a word.
#[tokio::test]
async fn what_is_kept_for_whom() {
    let (server, mut clients) = LocalServer::with_show(hall()).await;
    let show_id = || SHOW.to_owned();
    let house = || Some(v1::Mark { kind: v1::BlockKind::House.into(), reason: "sponsor".to_owned() });
    let select = |indexes: &[u32]| Some(v1::Selection { seat_indexes: indexes.to_vec(), ..v1::Selection::default() });
    clients.inventory.hold_seats(wire::hold(SHOW, 9, "zoe", wire::seats(&[3]))).await.unwrap();
    let selection = select(&[2, 3, 4]);
    let block = v1::BlockPlacesRequest { show_id: show_id(), selection, mark: house(), ..Default::default() };
    let report = clients.shows.block_places(block).await.unwrap().into_inner().report.unwrap();
    assert_eq!((report.changed, report.refused, report.refused_seats[0].seat_index), (2, 1, 3));
    let set = v1::SetChannelRequest { show_id: show_id(), key: "fans".to_owned(), public_at_ms: None };
    clients.shows.set_channel(set).await.unwrap();
    let key = "fans".to_owned();
    let assign = v1::AssignChannelRequest { show_id: show_id(), selection: select(&[6, 7]), key };
    assert_eq!(clients.shows.assign_channel(assign).await.unwrap().into_inner().report.unwrap().changed, 2);

    let terms = |house, keys: &[&str]| {
        let channel_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Some(Box::new(v1::Terms { house, channel_keys, ..v1::Terms::default() }))
    };
    for (id, seats, terms) in [(1, [2], terms(true, &[])), (2, [6], terms(false, &["fans"]))] {
        let plain = wire::hold(SHOW, id, "ann", wire::seats(&seats));
        assert!(clients.inventory.hold_seats(plain.clone()).await.is_err(), "seat {seats:?} is kept");
        clients.inventory.hold_seats(v1::HoldSeatsRequest { terms, ..plain }).await.unwrap();
    }
    let release = v1::ScheduleReleaseRequest { show_id: show_id(), mark: house(), at_ms: Some(1) };
    clients.shows.schedule_release(release).await.unwrap();
    clients.inventory.hold_seats(wire::hold(SHOW, 3, "bob", wire::seats(&[4]))).await.unwrap();
    let overview = overview(&mut clients).await;
    assert_eq!((overview.blocks.len(), overview.channels[0].key.as_str(), overview.live_holds), (0, "fans", 4));
    let update = v1::Policy { waitlist_order: Some(3), waitlist_lottery_seed: Some(42), ..v1::Policy::default() };
    let update = v1::UpdatePolicyRequest { show_id: show_id(), policy: Some(update) };
    let policy = clients.shows.update_policy(update).await.unwrap().into_inner().show.unwrap().policy.unwrap();
    assert_eq!((policy.waitlist_order(), policy.waitlist_lottery_seed), (v1::WaitlistOrder::Lottery, None));
    assert_eq!(policy.places_per_hold_max, Some(10), "what was not named stays");
    server.stop().await;
}

/// New seats are there for whoever asks next; a section that shrinks below what is taken says by how much.
#[tokio::test]
async fn a_show_changes_while_it_is_sold() {
    let (server, mut clients) = LocalServer::with_show(hall()).await;
    let show_id = || SHOW.to_owned();
    let change = |change| v1::ChangeManifestRequest { show_id: show_id(), change: Some(change) };
    let names = Some(v1::seat_run::Names::Numbered(v1::NumberedSeats { first: 1, count: 100, step: 1 }));
    let runs = vec![v1::SeatRun { category: "Gold".to_owned(), names, ..v1::SeatRun::default() }];
    let rows = vec![v1::Row { name: "3".to_owned(), runs, ..v1::Row::default() }];
    let rows = Change::AddRows(v1::AddRows { section: "Stalls".to_owned(), rows });
    clients.shows.change_manifest(change(rows)).await.unwrap();
    let new = v1::Places { seats: vec![wire::label("Stalls", "3", "100")], ..v1::Places::default() };
    let hold = clients.inventory.hold_seats(wire::hold(SHOW, 1, "ann", new)).await.unwrap().into_inner().hold.unwrap();
    assert_eq!(indexes(&hold), [113], "numbered behind all that were there before");

    let floor = v1::GaQuantity { section: "Floor".to_owned(), quantity: 5 };
    let floor = v1::Places { ga: vec![floor], ..v1::Places::default() };
    clients.inventory.hold_seats(wire::hold(SHOW, 2, "bob", floor)).await.unwrap();
    let fewer = Change::SetGaCapacity(v1::SetGaCapacity { section: "Floor".to_owned(), capacity: 3 });
    let changed = clients.shows.change_manifest(change(fewer)).await.unwrap().into_inner();
    assert_eq!((changed.manifest_version, changed.over_committed[0].places), (3, 2));
    let seat = v1::Selection { seat_indexes: vec![112], ..v1::Selection::default() };
    let retire = v1::RetireSeatsRequest { show_id: show_id(), selection: Some(seat) };
    assert_eq!(clients.shows.retire_seats(retire).await.unwrap().into_inner().report.unwrap().changed, 1);

    let map = clients.seat_map(SHOW).await;
    assert_eq!((map.seats, map.manifest_version, map.ga[0].over_committed), (114, 3, 2));
    assert_eq!((map.ga[0].capacity, map.ga[0].taken), (3, 5));
    assert!(has(&map.held, 113) && has(&map.retired, 112) && !has(&map.held, 112));
    let counts = map.counts.unwrap();
    assert_eq!((counts.available, counts.held, counts.sold, counts.blocked), (112, 6, 0, 0), "{counts:?}");
    let show = clients.shows.get_show(v1::GetShowRequest { show_id: show_id() }).await.unwrap().into_inner();
    assert_eq!(show.show.unwrap().manifest_version, 3);
    let copy = v1::CreateShowRequest { show_id: "copy".to_owned(), manifest: show.manifest, ..Default::default() };
    clients.shows.create_show(copy).await.unwrap();
    let last = v1::HoldSeatsRequest { show_id: "copy".to_owned(), ..wire::hold(SHOW, 1, "ann", wire::seats(&[113])) };
    let hold = clients.inventory.hold_seats(last).await.unwrap().into_inner().hold.unwrap();
    assert_eq!(hold.seats[0].label, Some(wire::label("Stalls", "3", "100")), "a copy has the same numbers");
    server.stop().await;
}
