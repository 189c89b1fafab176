//! A shard on a log in memory that fails and crashes on demand, turned by hand, with a clock moved by hand.
//!
//! It keeps two books beside the shard. The ledger is what callers were told: it may only come true. The truth is the
//! naive model of what is durable; after a failure it is one of several candidates, for a batch is logged in frames and
//! any number of its first frames may have survived.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

use usher_engine::{
    command::Command,
    event::ShowCreated,
    ids::{HoldId, ShowNumber},
    inventory::{Inventory, StateHash, invariants},
    shard::{CreateShow, Fault, Outcome, Reply, Request, Shard, ShardOptions, replay},
    time::{Clock, Timestamp},
};
use usher_wal::{Log, Lsn, MemoryStore, ShardId};

use crate::{
    agreement::compare_show,
    ledger::Ledger,
    naive::Naive,
};

/// The one shard.
pub const SHARD: ShardId = ShardId(0);

/// A clock that stands until it is moved.
#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The shard and what is known of it.
pub struct World {
    /// The disk.
    pub store: MemoryStore,
    /// What callers were told.
    pub ledger: Ledger,
    clock: Arc<HandClock>,
    options: ShardOptions,
    shard: Shard,
    truth: Naive,
    /// What may be true after a failed batch, and until then nothing.
    candidates: Vec<Naive>,
}

impl World {
    /// An empty shard. A small `batch_bytes_max` makes several frames of a batch.
    #[must_use]
    pub fn new(now: Timestamp, batch_bytes_max: usize) -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(HandClock::default()));
        clock.0.store(now.0, Ordering::SeqCst);
        let options = ShardOptions { batch_bytes_max, ..ShardOptions::default() };
        let shard = start(&store, &clock, options).expect("an empty log");
        let (ledger, truth, candidates) = (Ledger::default(), Naive::default(), Vec::new());
        Self { store, ledger, clock, options, shard, truth, candidates }
    }

    /// What the shard's time is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.0.store(now.0, Ordering::SeqCst);
    }

    /// How many shows there are for certain.
    #[must_use]
    pub fn shows(&self) -> usize {
        self.truth.shows()
    }

    /// The last durable frame. Fences the shard, so that it must be restarted.
    #[must_use]
    pub fn last_frame(&self) -> Lsn {
        self.store.log(SHARD).expect("a sound log").tail().lsn
    }

    /// Creates a show. The append must succeed.
    pub fn create(&mut self, created: &ShowCreated) {
        let (reply, answer) = reply();
        let create = CreateShow { created: Box::new(created.clone()), reply };
        self.shard.turn([Request::CreateShow(create)].into_iter()).expect("a durable show");
        answer.recv().unwrap().unwrap().expect("a new show");
        self.truth.create(created).expect("a new show");
    }

    /// One turn with these requests, each a show and its commands. Says whether the batch was answered; if it was, the
    /// answers were those of the naive model.
    ///
    /// # Errors
    /// What was answered otherwise.
    pub fn turn(&mut self, requests: &[(ShowNumber, Vec<Command>)]) -> Result<bool, String> {
        let now = self.now();
        let expected = self.foresee(requests, now);
        let (mut batch, mut replies) = (Vec::new(), Vec::new());
        for (show, commands) in requests {
            self.ledger.note_sent(*show, commands);
            let (reply, answer) = reply();
            batch.push(Request::Execute { show: *show, commands: commands.clone(), reply });
            replies.push(answer);
        }
        let turned = self.shard.turn(batch.into_iter());
        for ((answer, expected), (show, commands)) in replies.iter().zip(expected).zip(requests) {
            match (&turned, answer.recv().unwrap()) {
                (Ok(_), Ok(outcomes)) if outcomes == expected => {
                    self.ledger.note(*show, commands, &outcomes)?;
                }
                (Err(_), Err(Fault::OutcomeUnknown)) => {}
                (_, answer) => return Err(format!("answered {answer:?}\nexpected {expected:?}\nturn {turned:?}")),
            }
        }
        if turned.is_ok() {
            self.truth = self.candidates.pop().unwrap();
            self.candidates.clear();
        }
        Ok(turned.is_ok())
    }

    /// What the naive model answers, and every state on the way there.
    fn foresee(&mut self, requests: &[(ShowNumber, Vec<Command>)], now: Timestamp) -> Vec<Vec<Outcome>> {
        let mut state = self.truth.clone();
        let mut states = vec![state.clone()];
        for show in numbers(&self.truth) {
            for due in state.due(show, now) {
                state.fall_due(show, due, now);
                state.follow(show, now);
                states.push(state.clone());
            }
        }
        let mut expected = Vec::new();
        for (show, commands) in requests {
            let mut outcomes = Vec::new();
            for command in commands {
                outcomes.push(state.execute(*show, command, now));
                state.follow(*show, now);
                states.push(state.clone());
            }
            expected.push(outcomes);
        }
        self.candidates = states;
        expected
    }

    /// Starts the shard again from its log, and compares it with everything that is known.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn restart(&mut self) -> Result<(), String> {
        let replayed = self.replay_from_zero()?;
        self.shard = start(&self.store, &self.clock, self.options)?;
        let inventory = self.shard.inventory();
        invariants::check(inventory);
        if inventory.state_hash() != replayed {
            return Err("the recovered state is not the replayed one".to_owned());
        }
        let now = self.now();
        self.candidates.push(self.truth.clone());
        let differences: Vec<String> =
            self.candidates.iter().filter_map(|naive| compare(inventory, naive, now).err()).collect();
        let found = self.candidates.iter().position(|naive| compare(inventory, naive, now).is_ok());
        let Some(found) = found else {
            return Err(format!("no state on the way was recovered:\n{}", differences.join("\n")));
        };
        self.truth = self.candidates.swap_remove(found);
        self.candidates.clear();
        self.check_ledger()
    }

    /// The state hash of a replay that knows nothing but the log.
    fn replay_from_zero(&self) -> Result<StateHash, String> {
        let mut log = self.store.log(SHARD).map_err(|error| error.to_string())?;
        let (inventory, recovered) = replay(&mut log).map_err(|error| error.to_string())?;
        if inventory.state_hash() != recovered.state_hash {
            return Err("recovery names another state hash than its state has".to_owned());
        }
        Ok(recovered.state_hash)
    }

    fn check_ledger(&self) -> Result<(), String> {
        let (inventory, now) = (self.shard.inventory(), self.now());
        let get = |show, id: HoldId| inventory.decide(show, &Command::GetHold(id), now, &mut Vec::new());
        self.ledger.check(get, now)
    }
}

/// Opens the log and recovers from it.
///
/// # Errors
/// Why not.
fn start(store: &MemoryStore, clock: &Arc<HandClock>, options: ShardOptions) -> Result<Shard, String> {
    let log = store.log(SHARD).map_err(|error| error.to_string())?;
    let clock: Arc<dyn Clock> = clock.clone();
    Shard::recover(Box::new(log), clock, options, Arc::new(|_, _| {})).map_err(|error| error.to_string())
}

/// Whether callers can tell the two apart.
fn compare(inventory: &Inventory, naive: &Naive, now: Timestamp) -> Result<(), String> {
    numbers(naive).try_for_each(|show| compare_show(inventory, naive, show, now))
}

fn numbers(naive: &Naive) -> impl Iterator<Item = ShowNumber> + use<> {
    (0u32..).map(ShowNumber).take(naive.shows())
}

fn reply<T: Send + 'static>() -> (Reply<T>, mpsc::Receiver<Result<T, Fault>>) {
    let (sender, receiver) = mpsc::channel();
    (Box::new(move |answer| drop(sender.send(answer))), receiver)
}
