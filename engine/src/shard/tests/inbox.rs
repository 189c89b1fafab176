//! Who is let in, for how long, and in which order.

use super::*;
use crate::{
    inventory::lookups::LookupBy,
    shard::inbox::{Entrance, Inbox, inbox},
};

/// A queue that a hundred commands fit in, whose new claims are put off after 400 ms.
fn queue(world: &World) -> (Entrance, Inbox) {
    let options = ShardOptions { inbox_commands_max: 100, queue_wait_ms_max: 400, ..ShardOptions::default() };
    inbox(&options, world.clock.clone())
}

fn pass_ms(world: &World, ms: u64) {
    world.clock.0.fetch_add(ms, Ordering::SeqCst);
}

fn release(number: u32) -> Command {
    let buyer = BuyerId::new(format!("buyer-{number}").as_bytes()).unwrap();
    Command::ReleaseHold(ReleaseHold { hold_id: hold_id(number), buyer, places: None })
}

/// The fault with which a request is refused at once.
fn refusal<T: std::fmt::Debug>(answer: &mpsc::Receiver<Result<T, Fault>>) -> Option<Fault> {
    answer.try_recv().ok().map(|answer| answer.unwrap_err())
}

#[test]
fn who_wants_something_is_put_off_before_who_has_something() {
    let world = World::new();
    let (entrance, mut shard) = queue(&world);
    let put = |commands| {
        let (request, answer) = execute(commands);
        entrance.put(request, None);
        refusal(&answer)
    };
    let look = || {
        let (reply, answer) = reply();
        entrance.put(Request::Lookup { show: SHOW, by: LookupBy::Show, from: None, max: 1, reply }, None);
        refusal(&answer)
    };
    let organise = || put(vec![Command::OpenSale]);
    let overloaded = |waited_ms| Some(Fault::Overloaded { waited_ms });
    assert_eq!([put(vec![hold(1, 1)]), look(), organise()], [None; 3]);
    pass_ms(&world, 150);
    assert_eq!([put(vec![hold(2, 2)]), look(), organise()], [None, None, overloaded(150)]);
    pass_ms(&world, 100);
    assert_eq!([put(vec![hold(3, 3)]), look()], [None, overloaded(250)]);
    pass_ms(&world, 200);
    assert_eq!([put(vec![hold(4, 4)]), put(vec![release(1)])], [overloaded(450), None]);
    // Where there are both, the first in line counts.
    assert_eq!(put(vec![hold(4, 4), release(1)]), None);
    assert_eq!(put(vec![Command::PauseSale { stop_clocks: false }]), None);
    pass_ms(&world, 1_200);
    assert_eq!(put(vec![release(1)]), overloaded(1_650));
    // Whatever the priorities, all are taken in the order in which they came.
    let taken: Vec<_> = shard.batch(usize::MAX).map(|request| request.priority().unwrap()).collect();
    use Priority::{Claim, Organise, Read, Settle};
    assert_eq!(taken, [Claim, Read, Organise, Claim, Read, Claim, Settle, Settle, Settle]);
    assert_eq!(organise(), None);
}

#[test]
fn of_much_that_waits_half_is_taken() {
    let world = World::new();
    let options = ShardOptions { inbox_commands_max: 10_000, ..ShardOptions::default() };
    let (entrance, mut shard) = inbox(&options, world.clock.clone());
    for _ in 0..40 {
        entrance.put(execute(vec![hold(1, 1); 100]).0, None);
    }
    let mut taken = |max| shard.batch(max).map(|request| request.commands()).sum::<usize>();
    // Whole requests, and of little everything.
    assert_eq!([2_000, 1_000, 600, 400, 0], [(); 5].map(|()| taken(usize::MAX)));
    entrance.put(execute(vec![hold(1, 1); 100]).0, None);
    entrance.put(execute(vec![hold(1, 1); 100]).0, None);
    assert_eq!([100, 100], [(); 2].map(|()| taken(50)));
}

#[test]
fn a_queue_that_was_empty_for_long_has_kept_nobody_waiting() {
    let world = World::new();
    let (entrance, mut shard) = queue(&world);
    for _ in 0..3 {
        let (request, _answer) = execute(vec![hold(1, 1)]);
        entrance.put(request, None);
        assert!(entrance.admission().check(Priority::Organise).is_ok());
        pass_ms(&world, 1_000);
        assert!(entrance.admission().check(Priority::Claim).is_err());
        assert_eq!(shard.batch(usize::MAX).count(), 1);
        pass_ms(&world, 10_000);
        assert!(entrance.admission().check(Priority::Organise).is_ok());
    }
}

#[test]
fn a_request_whose_time_is_over_is_not_decided() {
    let world = World::new();
    let (entrance, mut inbox) = queue(&world);
    let mut shard = world.shard_with_show();
    let put = |command, ms: u64| {
        let (request, answer) = execute(vec![command]);
        entrance.put(request, Some(world.clock.elapsed() + Duration::from_millis(ms)));
        answer
    };
    let (late, last) = (put(hold(1, 1), 10), put(hold(2, 2), 11));
    pass_ms(&world, 10);
    shard.turn(inbox.batch(usize::MAX)).unwrap();
    assert_eq!(refusal(&late), Some(Fault::DeadlinePassed));
    assert_eq!(states(last.recv().unwrap()), [Some(HoldState::Held)]);
    assert_eq!(shard.inventory.show(SHOW).unwrap().seat_map(Timestamp(0)).available.count(), 999);
}

#[test]
fn what_nobody_who_wants_something_may_fill_is_for_those_who_have_something() {
    let world = World::new();
    let (entrance, shard) = queue(&world);
    let put = |commands: Vec<Command>| {
        let (request, answer) = execute(commands);
        entrance.put(request, None);
        refusal(&answer)
    };
    assert_eq!(put((0..88).map(|number| hold(number, number)).collect()), None);
    assert_eq!([put(vec![hold(88, 88)]), put(vec![Command::OpenSale])], [Some(Fault::InboxFull); 2]);
    assert!((0..12).all(|number| put(vec![release(number)]).is_none()));
    assert_eq!(put(vec![release(12)]), Some(Fault::InboxFull));
    drop(shard);
}
