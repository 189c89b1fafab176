//! What follows for those who wait, in the same frame; what readers are told, and when; and what a recovery keeps.

use std::sync::Mutex;

use super::*;
use crate::{
    codec::read_payload,
    command::{Adjacency, CancelBooking, ConfirmHold, JoinWaitlist, ReturnTo, SellPlaces, Terms, Wish},
    event::Event,
    ids::{Name, Reference},
    inventory::{
        lookups::{Cursor, LookupBy, Page},
        overview::Overview,
        sale::ShowState,
    },
};

/// Seats of the show.
const SEATS: u32 = 1_000;

fn buyer(number: u32) -> BuyerId {
    BuyerId::new(format!("buyer-{number}").as_bytes()).unwrap()
}

/// Sells all seats from `free` on, ten at a time, under the ids from 1,000 on.
fn sell_out(shard: &mut Shard, free: u32) {
    let sell = |first: u32| {
        let places = Places::new((first..(first + 10).min(SEATS)).map(SeatIndex), []).unwrap();
        let (order, payment) = (Reference::order("o").unwrap(), Reference::default());
        let (hold_id, terms) = (hold_id(1_000 + first), Terms::default());
        Command::SellPlaces(Box::new(SellPlaces { hold_id, buyer: buyer(first), places, order, payment, terms }))
    };
    let outcomes = turn(shard, (free..SEATS).step_by(10).map(sell).collect());
    assert!(outcomes.iter().all(Result::is_ok));
}

fn turn(shard: &mut Shard, commands: Vec<Command>) -> Vec<Outcome> {
    let (request, outcomes) = execute(commands);
    shard.turn([request].into_iter()).unwrap();
    outcomes.recv().unwrap().unwrap()
}

fn join(number: u32, quantity: u32) -> Command {
    let (wish, channels) = (Wish::seats(quantity, Adjacency::Preferred), Vec::new());
    let (hold_id, buyer) = (hold_id(number), buyer(number));
    Command::JoinWaitlist(Box::new(JoinWaitlist { hold_id, buyer, wish, priority: 0, channels }))
}

/// Cancels some seats of a sale of `sell_out`.
fn cancel(first: u32, seats: &[u32]) -> Command {
    let places = Some(Places::new(seats.iter().copied().map(SeatIndex), []).unwrap());
    let (hold_id, return_to) = (hold_id(1_000 + first), ReturnTo::Available);
    Command::CancelBooking(CancelBooking { hold_id, buyer: buyer(first), places, return_to })
}

/// The events of every frame from one on.
fn frames(world: &World, from: Lsn) -> Vec<Vec<Event>> {
    let mut frames = Vec::new();
    let mut log = world.store.log(SHARD).unwrap();
    log.replay_from(Lsn::ZERO.next(), &mut |frame| {
        if frame.lsn >= from {
            frames
                .push(read_payload(frame.payload, Timestamp(frame.clock_ms)).map(|record| record.unwrap().1).collect());
        }
        Ok(())
    })
    .unwrap();
    frames
}

fn lookup(by: LookupBy, from: Option<Cursor>, max: usize) -> (Request, mpsc::Receiver<Result<Page, Fault>>) {
    let (reply, page) = reply();
    (Request::Lookup { show: SHOW, by, from, max, reply }, page)
}

fn overview() -> (Request, mpsc::Receiver<Result<Overview, Fault>>) {
    let (reply, overview) = reply();
    (Request::Overview { show: SHOW, reply }, overview)
}

/// What comes back for who waits is never anybody else's, not even after a crash: one frame has both.
#[test]
fn a_cancelled_place_and_its_offer_are_one_frame() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell_out(&mut shard, 0);
    turn(&mut shard, vec![join(1, 2)]);
    let before = shard.tail().lsn;
    // In the same batch somebody else asks for the very seats.
    let outcomes = turn(&mut shard, vec![cancel(40, &[43, 44]), hold(2, 43), hold(3, 44)]);
    assert!(outcomes[0].is_ok());
    assert!(matches!(&outcomes[1], Err(Rejection::PlacesTaken(_))));
    assert!(matches!(&outcomes[2], Err(Rejection::PlacesTaken(_))));
    drop(shard);
    let frames = frames(&world, before.next());
    let [events] = frames.as_slice() else { panic!("one frame, not {frames:?}") };
    let [Event::BookingCancelled { .. }, Event::OfferMade(made)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(made.granted.hold_id, hold_id(1));
    assert_eq!(made.granted.places.seats().collect::<Vec<_>>(), [SeatIndex(43), SeatIndex(44)]);
}

/// Whoever joins while there is what he wants is told of the offer, and one after the other.
#[test]
fn an_entry_that_is_satisfied_at_once_is_answered_with_its_offer() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell_out(&mut shard, 2);
    let outcomes = turn(&mut shard, vec![join(1, 2), join(2, 1), join(1, 2)]);
    let offer = |outcome: &Outcome| matches!(outcome, Ok(Answer::Found(offer)) if offer.state == HoldState::Held);
    assert!(offer(&outcomes[0]) && offer(&outcomes[2]), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Ok(Answer::Waiting(entry)) if entry.waiting == 1), "{outcomes:?}");
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

/// A place that time gives back goes to who waits before the commands of the same turn are decided.
#[test]
fn an_expired_place_is_offered_before_anybody_who_asks_in_the_same_turn() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell_out(&mut shard, 1);
    turn(&mut shard, vec![hold(1, 0), join(2, 1)]);
    world.clock.0.store(6_000, Ordering::SeqCst);
    let outcomes = turn(&mut shard, vec![hold(3, 0), Command::GetHold(hold_id(2))]);
    assert!(matches!(&outcomes[0], Err(Rejection::PlacesTaken(_))));
    assert!(matches!(&outcomes[1], Ok(Answer::Found(offer)) if offer.state == HoldState::Held));
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

#[test]
fn after_a_failed_append_neither_the_cancellation_nor_the_offer_is_answered_or_half_there() {
    for failure in [Failure::Lost, Failure::Kept] {
        let world = World::new();
        let mut shard = world.shard_with_show();
        sell_out(&mut shard, 0);
        turn(&mut shard, vec![join(1, 1)]);
        world.store.fail_next_append(SHARD, failure);
        let (request, outcomes) = execute(vec![cancel(40, &[43])]);
        let (looking, page) = lookup(LookupBy::Buyer(buyer(1)), None, 10);
        let (asking, overviewed) = overview();
        shard.turn([request, looking, asking].into_iter()).unwrap_err();
        assert_eq!(outcomes.recv().unwrap(), Err(Fault::OutcomeUnknown));
        assert_eq!(page.recv().unwrap(), Err(Fault::OutcomeUnknown), "it may rest on what is not durable");
        assert_eq!(overviewed.recv().unwrap(), Err(Fault::OutcomeUnknown));
        let mut shard = world.shard();
        invariants::check(&shard.inventory);
        let outcomes = turn(&mut shard, vec![cancel(40, &[43]), Command::GetHold(hold_id(1))]);
        assert!(matches!(&outcomes[0], Ok(Answer::Booking(_))));
        assert!(matches!(&outcomes[1], Ok(Answer::Found(offer)) if offer.state == HoldState::Held));
    }
}

#[test]
fn lookups_and_overviews_are_in_order_with_the_commands_before_them() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let (held, _outcomes) = execute(vec![hold(1, 1)]);
    let (first, first_page) = lookup(LookupBy::Buyer(buyer(1)), None, 10);
    let (before, first_overview) = overview();
    let (order, payment) = (Reference::order("order-1").unwrap(), Reference::default());
    let confirm = ConfirmHold { hold_id: hold_id(1), buyer: buyer(1), order, payment, part: None, accept_late: false };
    let (sold, _outcomes) = execute(vec![Command::ConfirmHold(confirm)]);
    let (second, second_page) = lookup(LookupBy::Order(Reference::order("order-1").unwrap()), None, 10);
    let (third, third_page) = lookup(LookupBy::Show, None, 10);
    let (after, second_overview) = overview();
    shard.turn([held, first, before, sold, second, third, after].into_iter()).unwrap();
    let states = |page: mpsc::Receiver<Result<Page, Fault>>| {
        page.recv().unwrap().unwrap().holds.iter().map(|hold| (hold.hold_id, hold.state)).collect::<Vec<_>>()
    };
    assert_eq!(states(first_page), [(hold_id(1), HoldState::Held)]);
    assert_eq!(states(second_page), [(hold_id(1), HoldState::Confirmed)]);
    assert_eq!(states(third_page), [(hold_id(1), HoldState::Confirmed)]);
    let overview = first_overview.recv().unwrap().unwrap();
    assert_eq!((overview.state, overview.live_holds, overview.bookings), (ShowState::OnSale, 1, 0));
    let overview = second_overview.recv().unwrap().unwrap();
    assert_eq!((overview.live_holds, overview.bookings, overview.as_of), (0, 1, Timestamp(1_000)));
}

#[test]
fn a_page_goes_on_where_the_last_one_ended() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell_out(&mut shard, 0);
    let (mut from, mut sales) = (None, Vec::new());
    loop {
        let (request, page) = lookup(LookupBy::Show, from, 7);
        shard.turn([request].into_iter()).unwrap();
        let page = page.recv().unwrap().unwrap();
        assert!(page.holds.len() <= 7);
        sales.extend(page.holds.iter().map(|hold| hold.hold_id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(sales, (0..SEATS).step_by(10).map(|first| hold_id(1_000 + first)).collect::<Vec<_>>());
}

/// Whoever asked for the change finds the changed show when he hears of it.
#[test]
fn a_changed_show_is_told_before_the_answer_and_after_it_is_durable() {
    let world = World::new();
    drop(world.shard_with_show());
    let told = Arc::new(Mutex::new(Vec::new()));
    let (log, clock): (_, Arc<dyn Clock>) = (Box::new(world.store.log(SHARD).unwrap()), world.clock.clone());
    let own = Arc::clone(&told);
    let observer: Observer = Arc::new(move |_, notice| {
        if let Notice::ShowChanged(show) = notice {
            own.lock().unwrap().push(format!("told {:?} {}", show.sale.state_at(Timestamp(1_000)), show.existed));
        }
    });
    let mut shard = Shard::recover(log, clock, ShardOptions::default(), observer).unwrap();
    let answer = |commands: Vec<Command>| {
        let own = Arc::clone(&told);
        let reply: Reply<Vec<Outcome>> = Box::new(move |outcomes| {
            own.lock().unwrap().push(if outcomes.is_ok() { "answered".to_owned() } else { "unknown".to_owned() });
        });
        Request::Execute { shows: Shows::One(SHOW), commands, reply }
    };
    let pause = || Command::PauseSale { stop_clocks: false };
    shard.turn([answer(vec![hold(1, 1)]), answer(vec![pause()]), answer(vec![pause()])].into_iter()).unwrap();
    assert_eq!(*told.lock().unwrap(), ["told Paused true", "answered", "answered", "answered"]);
    told.lock().unwrap().clear();
    shard.turn([answer(vec![pause()])].into_iter()).unwrap();
    assert_eq!(*told.lock().unwrap(), ["answered"], "nothing changed");
    told.lock().unwrap().clear();
    world.store.fail_next_append(SHARD, Failure::Lost);
    shard.turn([answer(vec![Command::OpenSale])].into_iter()).unwrap_err();
    assert_eq!(*told.lock().unwrap(), ["unknown"], "nobody hears of what is not durable");
}

/// An offer, a party that something is gathered for, and one who waits: all of them go on where they stood.
#[test]
fn a_recovery_in_the_middle_keeps_offers_and_gatherings() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    sell_out(&mut shard, 0);
    turn(&mut shard, vec![join(1, 1), join(2, 3), join(3, 1)]);
    turn(&mut shard, vec![cancel(0, &[1]), cancel(10, &[12]), cancel(20, &[20, 23])]);
    let before = shard.inventory.state_hash();
    drop(shard);
    let mut shard = world.shard();
    assert_eq!(shard.inventory.state_hash(), before);
    let stands = |shard: &mut Shard, number: u32| match turn(shard, vec![Command::GetHold(hold_id(number))]).remove(0) {
        Ok(Answer::Found(hold)) => format!("{:?} {}", hold.state, hold.places.count()),
        Ok(Answer::Waiting(entry)) => format!("waits with {}", entry.gathered),
        other => panic!("{other:?}"),
    };
    let standing = |shard: &mut Shard| [1, 2, 3].map(|number| stands(shard, number));
    assert_eq!(standing(&mut shard), ["Held 1", "waits with 2", "Held 1"]);
    // The next place completes the party, after another recovery too.
    drop(shard);
    let mut shard = world.shard();
    turn(&mut shard, vec![cancel(500, &[505])]);
    assert_eq!(standing(&mut shard), ["Held 1", "Held 3", "Held 1"]);
    // Offers that nobody took end by themselves, and everything is free.
    world.clock.0.store(700_000, Ordering::SeqCst);
    shard.turn(std::iter::empty()).unwrap();
    assert_eq!(standing(&mut shard), ["Expired 0", "Expired 0", "Expired 0"]);
    assert_eq!(shard.inventory.show(SHOW).unwrap().seat_map(Timestamp(0)).available.count(), 5);
    invariants::check(&shard.inventory);
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

/// What is due beyond the bound of one turn comes in the next ones, in the same order.
#[test]
fn a_turn_does_a_bounded_part_of_what_is_due() {
    let world = World::new();
    drop(world.shard_with_show());
    let mut shard = world.shard_with(ShardOptions { expiries_per_batch_max: 3, ..ShardOptions::default() });
    turn(&mut shard, (0..10).map(|number| hold(number, number)).collect());
    world.clock.0.store(6_000, Ordering::SeqCst);
    let mut held = Vec::new();
    for _ in 0..5 {
        shard.turn(std::iter::empty()).unwrap();
        let (request, page) = overview();
        shard.turn([request].into_iter()).unwrap();
        held.push(page.recv().unwrap().unwrap().live_holds);
    }
    assert_eq!(held, [4, 0, 0, 0, 0]);
    assert_eq!(shard.inventory.next_deadline(), None);
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

/// A channel of a show that nobody asks anything of opens all the same.
#[test]
fn what_time_brings_about_needs_no_caller() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let key = Name::new("fans").unwrap();
    let set = crate::command::SetChannel { key: key.clone(), public_at: Some(Timestamp(5_000)) };
    turn(&mut shard, vec![Command::SetChannel(set)]);
    assert_eq!(shard.inventory.next_deadline(), Some(Timestamp(5_000)));
    world.clock.0.store(5_000, Ordering::SeqCst);
    shard.turn(std::iter::empty()).unwrap();
    let (request, page) = overview();
    shard.turn([request].into_iter()).unwrap();
    let channels = page.recv().unwrap().unwrap().channels;
    assert!(channels.iter().any(|channel| channel.key == key && channel.is_public));
    assert_eq!(shard.inventory.next_deadline(), None);
}
