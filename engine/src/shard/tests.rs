//! The shard against a log in memory that fails on demand: what leaves it, when, and what it is worth.

mod clock;
mod disk;
mod inbox;
mod meanwhile;
mod resharding;
mod snapshots;
mod turns;
mod waiting;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

use usher_wal::{Failure, Lsn, MemoryStore, ShardId};

use super::*;
use crate::{
    command::{Command, HoldSeats, ReleaseHold},
    event::ShowCreated,
    ids::{BuyerId, HoldId, SeatIndex, ShowId, ShowNumber},
    inventory::{
        Answer, HoldState, invariants,
        manifest::{Category, CategoryIndex, ManifestParts, Row, SeatNames, SeatRun, Section, SectionKind},
        places::Places,
        policy::Policy,
        sale::Sale,
    },
    rejection::Rejection,
    start::Shards,
    time::HoldTtl,
};

const SHARD: ShardId = ShardId(0);
const SHOW: ShowNumber = ShowNumber(0);

/// A clock that stands until it is moved.
#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    store: MemoryStore,
    clock: Arc<HandClock>,
}

impl World {
    fn new() -> Self {
        let clock = HandClock::default();
        clock.0.store(1_000, Ordering::SeqCst);
        Self { store: MemoryStore::new(), clock: Arc::new(clock) }
    }

    fn shard(&self) -> Shard {
        self.shard_with(ShardOptions::default())
    }

    /// Its clock is moved by hand, however far.
    fn shard_with(&self, options: ShardOptions) -> Shard {
        let options = ShardOptions { clock_leap_ms: u64::MAX, ..options };
        let log = Box::new(self.store.log(SHARD).unwrap());
        let clock: Arc<dyn Clock> = self.clock.clone();
        Shard::recover(log, clock, options, Arc::new(|_, _| {})).unwrap()
    }

    fn shard_with_show(&self) -> Shard {
        let mut shard = self.shard();
        let (reply, created) = reply();
        shard.turn([create("gala", reply)].into_iter()).unwrap();
        assert_eq!(created.recv().unwrap().unwrap().unwrap().number, SHOW);
        shard
    }
}

impl Shard {
    fn log(&mut self) -> &mut dyn Log {
        self.committer.settled().unwrap().log.as_mut()
    }

    fn tail(&mut self) -> usher_wal::Tail {
        self.log().tail()
    }
}

fn reply<T: Send + 'static>() -> (Reply<T>, mpsc::Receiver<Result<T, Fault>>) {
    let (sender, receiver) = mpsc::channel();
    (Box::new(move |answer| sender.send(answer).unwrap()), receiver)
}

fn create(id: &str, reply: Reply<Result<CreatedShow, Rejection>>) -> Request {
    let names = SeatNames::Numbered { first: 1, step: 1, count: 1_000 };
    let row = Row::new("1", vec![SeatRun::new(CategoryIndex(0), names)]);
    let manifest = ManifestParts {
        name: "Arena".to_owned(),
        currency: "EUR".to_owned(),
        categories: vec![Category { name: "Seat".to_owned(), price_minor: 100 }],
        sections: vec![Section { name: "A".to_owned(), kind: SectionKind::Reserved(vec![row]) }],
        capacity: None,
        pools: Vec::new(),
    };
    let (show_id, policy, sale) = (ShowId::new(id).unwrap(), Policy::default(), Sale::default());
    let created = Box::new(ShowCreated { show_id, manifest, policy, sale });
    Request::CreateShow(CreateShow { created, reply })
}

fn hold_id(number: u32) -> HoldId {
    HoldId::new(&(u128::from(number) + 1).to_be_bytes()).unwrap()
}

fn hold(number: u32, seat: u32) -> Command {
    let buyer = BuyerId::new(format!("buyer-{number}").as_bytes()).unwrap();
    let ttl = Some(HoldTtl::from_ms(5_000).unwrap());
    let places = Places::new([SeatIndex(seat)], []).unwrap();
    Command::HoldSeats(HoldSeats { hold_id: hold_id(number), buyer, places, ttl, terms: None })
}

fn execute(commands: Vec<Command>) -> (Request, mpsc::Receiver<Result<Vec<Outcome>, Fault>>) {
    let (reply, outcomes) = reply();
    (Request::Execute { shows: Shows::One(SHOW), commands, reply }, outcomes)
}

fn states(outcomes: Result<Vec<Outcome>, Fault>) -> Vec<Option<HoldState>> {
    let state = |outcome| match outcome {
        Ok(Answer::Held(hold) | Answer::Found(hold) | Answer::Confirmed(hold)) => Some(hold.state),
        Ok(Answer::Released { state, .. }) => Some(state),
        Ok(_) | Err(_) => None,
    };
    outcomes.unwrap().into_iter().map(state).collect()
}

#[test]
fn a_batch_is_one_frame_and_refusals_are_none() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    assert_eq!(shard.tail().lsn, Lsn(1));
    let (first, first_outcomes) = execute((0..10).map(|number| hold(number, number)).collect());
    let (second, second_outcomes) = execute(vec![hold(99, 3), hold(10, 10)]);
    shard.turn([first, second].into_iter()).unwrap();
    assert_eq!(shard.tail().lsn, Lsn(2));
    assert_eq!(states(first_outcomes.recv().unwrap()), [Some(HoldState::Held); 10]);
    assert_eq!(states(second_outcomes.recv().unwrap()), [None, Some(HoldState::Held)]);
    let (refused, outcomes) = execute(vec![hold(98, 3)]);
    shard.turn([refused].into_iter()).unwrap();
    assert_eq!(shard.tail().lsn, Lsn(2), "a refusal is not logged");
    assert_eq!(states(outcomes.recv().unwrap()), [None]);
}

#[test]
fn a_large_batch_is_several_frames_and_still_answered_once() {
    let world = World::new();
    drop(world.shard_with_show());
    let mut shard = world.shard_with(ShardOptions { batch_bytes_max: 300, ..ShardOptions::default() });
    let (request, outcomes) = execute((0..100).map(|number| hold(number, number)).collect());
    shard.turn([request].into_iter()).unwrap();
    assert!(shard.tail().lsn > Lsn(10));
    assert_eq!(states(outcomes.recv().unwrap()), [Some(HoldState::Held); 100]);
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

#[test]
fn the_clock_never_runs_backwards() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    world.clock.0.store(500, Ordering::SeqCst);
    let (request, outcomes) = execute(vec![hold(1, 1)]);
    shard.turn([request].into_iter()).unwrap();
    let outcomes = outcomes.recv().unwrap().unwrap();
    let Ok(Answer::Held(held)) = &outcomes[0] else { panic!("held") };
    assert_eq!(held.granted_at, Timestamp(1_000));
    drop(shard);
    assert_eq!(world.shard().advance_clock(), Timestamp(1_000), "nor after a restart");
}

#[test]
fn holds_expire_by_logged_events_even_when_nobody_asks() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let (request, _outcomes) = execute(vec![hold(1, 1), hold(2, 2)]);
    shard.turn([request].into_iter()).unwrap();
    world.clock.0.store(6_000, Ordering::SeqCst);
    let before = shard.tail().lsn;
    shard.turn(std::iter::empty()).unwrap();
    assert_eq!(shard.tail().lsn, before.next());
    assert_eq!(shard.inventory.next_deadline(), None);
    invariants::check(&shard.inventory);
    assert_eq!(world.shard().inventory.state_hash(), shard.inventory.state_hash());
}

#[test]
fn after_a_failed_append_the_outcome_is_unknown_and_the_log_tells_the_truth() {
    for failure in [Failure::Lost, Failure::Kept] {
        let world = World::new();
        let mut shard = world.shard_with_show();
        world.store.fail_next_append(SHARD, failure);
        let (granted, granted_outcomes) = execute(vec![hold(1, 1)]);
        let (refused, refused_outcomes) = execute(vec![hold(2, 1)]);
        shard.turn([granted, refused].into_iter()).unwrap_err();
        assert_eq!(granted_outcomes.recv().unwrap(), Err(Fault::OutcomeUnknown));
        // It was refused because of a hold that may not exist.
        assert_eq!(refused_outcomes.recv().unwrap(), Err(Fault::OutcomeUnknown));
        // Repeating with the same id is safe either way.
        let mut shard = world.shard();
        let (again, outcomes) = execute(vec![hold(1, 1)]);
        shard.turn([again].into_iter()).unwrap();
        assert_eq!(states(outcomes.recv().unwrap()), [Some(HoldState::Held)]);
        let expected = Lsn(2);
        assert_eq!(shard.tail().lsn, expected);
        invariants::check(&shard.inventory);
    }
}

fn start(world: &World, options: ShardOptions) -> Shards {
    let store = world.store.clone();
    let open: crate::start::OpenLog = Arc::new(move |shard| Ok(Box::new(store.log(shard)?)));
    let clock: Arc<dyn Clock> = world.clock.clone();
    Shards::start(1, open, clock, options, Arc::new(|_, _| {})).unwrap()
}

fn ask(handle: &ShardHandle, commands: Vec<Command>) -> Result<Vec<Outcome>, Fault> {
    let (request, outcomes) = execute(commands);
    handle.submit(request);
    outcomes.recv().unwrap()
}

#[test]
fn a_running_shard_recovers_from_a_failed_append_and_goes_on() {
    let world = World::new();
    drop(world.shard_with_show());
    let shards = start(&world, ShardOptions::default());
    let handle = shards.router().shards()[0].clone();
    assert_eq!(states(ask(&handle, vec![hold(1, 1)])), [Some(HoldState::Held)]);
    world.store.fail_next_append(SHARD, Failure::Lost);
    assert_eq!(ask(&handle, vec![hold(2, 2)]), Err(Fault::OutcomeUnknown));
    let again = loop {
        match ask(&handle, vec![hold(2, 2)]) {
            Err(Fault::Recovering) => std::thread::yield_now(),
            answer => break answer,
        }
    };
    assert_eq!(states(again), [Some(HoldState::Held)]);
    let reports = shards.stop();
    let report = reports[0].1.unwrap();
    assert_eq!(world.shard().inventory.state_hash(), report.state_hash);
    assert_eq!(handle.status(), ShardStatus::NotServing);
    assert_eq!(ask(&handle, vec![hold(3, 3)]), Err(Fault::NotServing));
}

#[test]
fn a_damaged_log_is_refused_and_said() {
    let world = World::new();
    drop(world.shard_with_show());
    assert!(world.store.corrupt_frame(SHARD, Lsn(1), 50));
    let (sender, notices) = mpsc::channel();
    let store = world.store.clone();
    let open: crate::start::OpenLog = Arc::new(move |shard| Ok(Box::new(store.log(shard)?)));
    let clock: Arc<dyn Clock> = world.clock.clone();
    let observer: Observer = Arc::new(move |_, notice| drop(sender.send(format!("{notice:?}"))));
    let shards = Shards::start(1, open, clock, ShardOptions::default(), observer).unwrap();
    let notice = notices.recv().unwrap();
    assert!(notice.contains("Failed") && notice.contains("LSN 1 of shard 0"), "{notice}");
    assert_eq!(ask(&shards.router().shards()[0], vec![]), Err(Fault::NotServing));
}

#[test]
fn a_full_inbox_refuses_at_once() {
    let options = ShardOptions { inbox_commands_max: 4, ..ShardOptions::default() };
    let world = World::new();
    drop(world.shard_with_show());
    let shards = start(&world, options);
    let handle = shards.router().shards()[0].clone();
    // The shard waits in a reply, so that the inbox fills behind it.
    let (entered, enter) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let block = Box::new(move |_| {
        entered.send(()).unwrap();
        released.recv().unwrap();
    });
    handle.submit(Request::Execute { shows: Shows::One(SHOW), commands: vec![hold(1, 1)], reply: block });
    enter.recv().unwrap();
    let (fits, fitted) = execute(vec![hold(2, 2), hold(3, 3), hold(4, 4)]);
    handle.submit(fits);
    assert_eq!(ask(&handle, vec![hold(5, 5), hold(6, 6)]), Err(Fault::InboxFull));
    release.send(()).unwrap();
    assert_eq!(states(fitted.recv().unwrap()), [Some(HoldState::Held); 3]);
    let buyer = BuyerId::new(b"buyer-2").unwrap();
    let release = Command::ReleaseHold(ReleaseHold { hold_id: hold_id(2), buyer, places: None });
    assert_eq!(states(ask(&handle, vec![release])), [Some(HoldState::Released)]);
}

#[test]
fn creating_a_show_twice_is_a_success_and_another_one_is_refused() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let (same, same_reply) = reply();
    let (other, other_reply) = reply();
    let Request::CreateShow(mut changed) = create("gala", other) else { panic!("a show") };
    changed.created.policy.places_per_hold_max = 4;
    shard.turn([create("gala", same), Request::CreateShow(changed)].into_iter()).unwrap();
    assert!(same_reply.recv().unwrap().unwrap().unwrap().existed);
    let refused = other_reply.recv().unwrap().unwrap().unwrap_err();
    assert_eq!(refused.to_string(), "a show with this id exists, with another policy");
    assert_eq!(shard.tail().lsn, Lsn(1));
}

/// While the first is not durable yet, its repetition gets the same answer, and nothing is done twice.
#[test]
fn a_request_twice_in_one_batch_is_done_once() {
    let world = World::new();
    let mut shard = world.shard_with_show();
    let (first, first_outcomes) = execute(vec![hold(1, 1)]);
    let (second, second_outcomes) = execute(vec![hold(1, 1), hold(1, 2)]);
    shard.turn([first, second].into_iter()).unwrap();
    let (first, second) = (first_outcomes.recv().unwrap().unwrap(), second_outcomes.recv().unwrap().unwrap());
    assert_eq!(first[0], second[0]);
    assert!(matches!(&second[1], Err(Rejection::IdReused { .. })));
    assert_eq!(shard.inventory.show(SHOW).unwrap().seat_map(Timestamp(0)).available.count(), 999);
}

/// Large batches wait in memory, and each command and outcome in them is moved several times.
#[test]
fn commands_and_outcomes_are_small() {
    assert_eq!((size_of::<Command>(), size_of::<Outcome>()), (112, 56));
}
