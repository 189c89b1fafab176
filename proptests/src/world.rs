//! A shard on a log in memory that fails and crashes on demand, turned by hand, with a clock moved by hand.
//!
//! It keeps two books beside the shard. The ledger is what callers were told: it may only come true. The truths are the
//! naive models of what may be durable; after a failure there are several, for a batch is logged in frames and any number
//! of its first frames may have survived, and what is answered later tells them apart.

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
    shard::{CreateShow, Fault, Outcome, Reply, Request, Shard, ShardOptions, Shows, replay},
    time::{Clock, Timestamp},
};
use usher_wal::{Log, Lsn, MemoryStore, ShardId};

use crate::{agreement::compare_show, ledger::Ledger, naive::Naive};

/// The one shard.
pub const SHARD: ShardId = ShardId(0);

/// States that are told apart at most.
const CANDIDATES_MAX: usize = 64;

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
    /// What may be true. After a failed batch that is more than one; what is answered later tells them apart.
    truths: Vec<Naive>,
    /// What may be true once the shard is restarted: every state on the way of the last batch.
    on_the_way: Vec<Naive>,
}

impl World {
    /// An empty shard. A small `batch_bytes_max` makes several frames of a batch.
    #[must_use]
    pub fn new(now: Timestamp, batch_bytes_max: usize) -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(HandClock::default()));
        clock.0.store(now.0, Ordering::SeqCst);
        let options = ShardOptions { batch_bytes_max, clock_leap_ms: u64::MAX, ..ShardOptions::default() };
        let shard = start(&store, &clock, options).expect("an empty log");
        let (ledger, truths, on_the_way) = (Ledger::default(), vec![Naive::default()], Vec::new());
        Self { store, ledger, clock, options, shard, truths, on_the_way }
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
        self.truths[0].shows()
    }

    /// The last durable frame. Fences the shard, so that it must be restarted.
    #[must_use]
    pub fn last_frame(&self) -> Lsn {
        self.store.log(SHARD).expect("a sound log").tail().lsn
    }

    /// The frame behind which the log begins. Fences the shard, so that it must be restarted.
    #[must_use]
    pub fn log_start(&self) -> Lsn {
        self.store.log(SHARD).and_then(|log| log.start()).expect("a sound log").lsn
    }

    /// Takes snapshots of what has changed, and trims the log.
    pub fn take_snapshots(&mut self) {
        self.shard.take_snapshots();
    }

    /// Creates a show. The append must succeed.
    pub fn create(&mut self, created: &ShowCreated) {
        let (reply, answer) = reply();
        let create = CreateShow { created: Box::new(created.clone()), reply };
        self.shard.turn([Request::CreateShow(create)].into_iter()).expect("a durable show");
        answer.recv().unwrap().unwrap().expect("a new show");
        for truth in &mut self.truths {
            truth.create(created).expect("a new show");
        }
    }

    /// One turn with these requests, each a show and its commands. Says whether the batch was answered; if it was, the
    /// answers were those of the naive model.
    ///
    /// # Errors
    /// What was answered otherwise.
    pub fn turn(&mut self, requests: &[(ShowNumber, Vec<Command>)]) -> Result<bool, String> {
        let (mut batch, mut replies) = (Vec::new(), Vec::new());
        for (show, commands) in requests {
            self.ledger.note_sent(*show, commands);
            let (reply, answer) = reply();
            batch.push(Request::Execute { shows: Shows::One(*show), commands: commands.clone(), reply });
            replies.push(answer);
        }
        let futures: Vec<Future> = self.truths.iter().map(|truth| foresee(truth, requests, self.now())).collect();
        let turned = self.shard.turn(batch.into_iter());
        let answers: Vec<_> = replies.iter().map(|answer| answer.recv().unwrap()).collect();
        if turned.is_err() {
            self.on_the_way = futures.into_iter().flat_map(|future| future.states).collect();
            let unknown = answers.iter().all(|answer| matches!(answer, Err(Fault::OutcomeUnknown)));
            return if unknown { Ok(false) } else { Err(format!("answered {answers:?} in turn {turned:?}")) };
        }
        let answers: Vec<Vec<Outcome>> =
            answers.into_iter().collect::<Result<_, _>>().map_err(|fault| format!("answered {fault}"))?;
        let expected: Vec<_> = futures.iter().map(|future| future.outcomes.clone()).collect();
        self.truths = futures.into_iter().filter(|future| future.outcomes == answers).filter_map(Future::end).collect();
        if self.truths.is_empty() {
            return Err(format!("answered {answers:?}\nexpected one of {expected:?}"));
        }
        for ((show, commands), outcomes) in requests.iter().zip(&answers) {
            self.ledger.note(*show, commands, outcomes)?;
        }
        Ok(true)
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
        let mut candidates = std::mem::take(&mut self.on_the_way);
        candidates.append(&mut self.truths);
        let mut differences = Vec::new();
        for naive in candidates {
            match compare(inventory, &naive, now) {
                Ok(()) if self.truths.contains(&naive) => {}
                Ok(()) => self.truths.push(naive),
                Err(difference) => differences.push(difference),
            }
        }
        if self.truths.is_empty() {
            return Err(format!("no state on the way was recovered:\n{}", differences.join("\n")));
        }
        self.truths.truncate(CANDIDATES_MAX);
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

/// What a batch does to a state.
struct Future {
    outcomes: Vec<Vec<Outcome>>,
    /// Every state on the way, the last one last.
    states: Vec<Naive>,
}

impl Future {
    fn end(mut self) -> Option<Naive> {
        self.states.pop()
    }
}

/// Every state on the way through what is due, show by show.
fn fall_due(truth: &Naive, shows: impl Iterator<Item = ShowNumber>, now: Timestamp) -> Vec<Naive> {
    let mut state = truth.clone();
    let mut states = vec![state.clone()];
    for show in shows {
        for due in state.due(show, now) {
            state.fall_due(show, due, now);
            state.follow(show, now);
            note(&mut states, &state);
        }
    }
    states
}

/// Notes a state that is another one than the last.
fn note(states: &mut Vec<Naive>, state: &Naive) {
    if states.last() != Some(state) {
        states.push(state.clone());
    }
}

/// What the naive model does in a turn.
fn foresee(truth: &Naive, requests: &[(ShowNumber, Vec<Command>)], now: Timestamp) -> Future {
    // Which show's turn it is first is the shard's choice; there are two at most.
    let mut states = fall_due(truth, numbers(truth).rev(), now);
    states.extend(fall_due(truth, numbers(truth), now));
    let mut state = states[states.len() - 1].clone();
    let mut outcomes = Vec::new();
    for (show, commands) in requests {
        let mut of_request = Vec::new();
        for command in commands {
            let mut outcome = state.execute(*show, command, now);
            state.follow(*show, now);
            if matches!(command, Command::JoinWaitlist(_)) && outcome.is_ok() {
                // The answer tells of an offer that was made at once.
                outcome = state.execute(*show, command, now);
            }
            of_request.push(outcome);
            note(&mut states, &state);
        }
        outcomes.push(of_request);
    }
    Future { outcomes, states }
}

/// Whether callers can tell the two apart.
fn compare(inventory: &Inventory, naive: &Naive, now: Timestamp) -> Result<(), String> {
    numbers(naive).try_for_each(|show| compare_show(inventory, naive, show, now))
}

fn numbers(naive: &Naive) -> impl DoubleEndedIterator<Item = ShowNumber> + use<> {
    (0..u32::try_from(naive.shows()).unwrap()).map(ShowNumber)
}

fn reply<T: Send + 'static>() -> (Reply<T>, mpsc::Receiver<Result<T, Fault>>) {
    let (sender, receiver) = mpsc::channel();
    (Box::new(move |answer| drop(sender.send(answer))), receiver)
}
