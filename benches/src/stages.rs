//! The stages that a command passes through, each by itself and always the same work: for timing, for counting its instructions,
//! and for the table of where the time goes. They work on batches of [`BATCH`] commands of the `spike` mix.

use std::{hint::black_box, sync::Arc};

use prost::{Message as _, bytes::Bytes};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use usher_client::{Batch, v1};
use usher_engine::{
    codec::{PayloadWriter, read_payload},
    command::{Command, ConfirmHold, HoldSeats, ReleaseHold},
    event::Event,
    ids::Reference,
    inventory::{Inventory, manifest::Manifest},
    shard::{Outcome, Request, Shard, ShardOptions, Shows},
    time::{Clock, Timestamp},
};
use usher_server::{convert, status::Refusal};
use usher_wal::{MemoryStore, ShardId};

use crate::workload::{NOW, SHOW, hold, plain_show, show};

/// Commands of a batch.
pub const BATCH: usize = 1_024;
/// Of the show.
pub const SEATS: u32 = 100_000;
/// Batches of a sale: about ten attempts for each seat.
pub const BATCHES_MAX: usize = 1_000;
const SEED: u64 = 2_028;
const SHOW_ID: &str = "stadium";

/// A piece of work that is done for a batch of commands.
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// How often it can be done, where it uses something up.
    pub times_max: Option<usize>,
    /// Makes what it needs.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

/// All of them, in the order in which a command passes through them.
pub const STAGES: [Stage; 11] = [
    Stage { name: "client/columns", times_max: None, prepare: client_columns },
    Stage { name: "client/encode", times_max: None, prepare: client_encode },
    Stage { name: "server/decode", times_max: None, prepare: server_decode },
    Stage { name: "server/read", times_max: None, prepare: server_read },
    Stage { name: "core/decide+apply", times_max: Some(BATCHES_MAX), prepare: core },
    Stage { name: "core/refuse", times_max: None, prepare: core_refuse },
    Stage { name: "log/encode", times_max: None, prepare: log_encode },
    Stage { name: "log/decode", times_max: None, prepare: log_decode },
    Stage { name: "shard/turn", times_max: Some(BATCHES_MAX), prepare: shard_turn },
    Stage { name: "server/outcomes", times_max: None, prepare: server_outcomes },
    Stage { name: "server/encode", times_max: None, prepare: server_encode },
];

/// What buyers do one after the other: they try random seats; of ten who get one nine pay, and one gives it back.
struct Sale {
    random: StdRng,
    inventory: Inventory,
    /// What those do next who hold something.
    next: Vec<Command>,
    events: Vec<Event>,
}

impl Sale {
    fn new() -> Self {
        Self { random: StdRng::seed_from_u64(SEED), inventory: show(SEATS), next: Vec::new(), events: Vec::new() }
    }

    /// The next batch. What became of it is decided here as well, so that the next one goes on from there.
    fn batch(&mut self) -> (Vec<Command>, Vec<Outcome>, Vec<Event>) {
        let mut commands = std::mem::take(&mut self.next);
        while commands.len() < BATCH {
            commands.push(self.attempt());
        }
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        for command in &commands {
            let outcome = self.inventory.decide(SHOW, command, NOW, &mut self.events);
            for mut event in self.events.drain(..) {
                events.push(event.clone());
                self.inventory.apply(SHOW, &mut event, NOW);
            }
            if let (Command::HoldSeats(held), Ok(_)) = (command, &outcome) {
                self.next.push(settle(&mut self.random, held));
            }
            outcomes.push(outcome);
        }
        (commands, outcomes, events)
    }

    fn attempt(&mut self) -> Command {
        let seat = self.random.random_range(0..SEATS);
        Command::HoldSeats(hold(&mut self.random, seat))
    }
}

fn settle(random: &mut StdRng, held: &HoldSeats) -> Command {
    let (hold_id, buyer) = (held.hold_id, held.buyer.clone());
    if random.random_range(0..10) == 0 {
        return Command::ReleaseHold(ReleaseHold { hold_id, buyer, places: None });
    }
    let order = Reference::order("order-12345678").expect("an order");
    let payment = Reference::default();
    Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, payment, part: None, accept_late: false })
}

/// A batch from the middle of the sale's rush, where something is granted and something is refused.
struct Sample {
    commands: Vec<Command>,
    outcomes: Vec<Outcome>,
    events: Vec<Event>,
    manifest: Arc<Manifest>,
}

impl Sample {
    fn new() -> Self {
        let mut sale = Sale::new();
        let (commands, outcomes, events) = (0..BATCHES_MAX / 10).map(|_| sale.batch()).last().expect("a batch");
        let manifest = Arc::clone(sale.inventory.show(SHOW).expect("the show").manifest());
        Self { commands, outcomes, events, manifest }
    }

    fn columns(&self) -> v1::CommandColumns {
        columns(&self.commands)
    }

    fn request(&self) -> v1::SessionRequest {
        let (show_id, columns) = (SHOW_ID.to_owned(), Some(self.columns()));
        let batch = v1::SessionBatch { tag: 1, show_id, columns, timeout_ms: Some(60_000), ..Default::default() };
        v1::SessionRequest { batches: vec![batch] }
    }

    fn answers(&self, asked: &v1::CommandColumns) -> v1::OutcomeColumns {
        let tell = |_, asked: &_, became: Result<Outcome, Refusal>| match became {
            Ok(decided) => convert::answers::decided(asked, decided, SHOW_ID, &self.manifest),
            Err(refusal) => v1::outcome::Outcome::Rejection(refusal.into_rejection()),
        };
        convert::columns::outcomes(asked, self.outcomes.iter().cloned().map(Ok), tell)
    }
}

fn columns(commands: &[Command]) -> v1::CommandColumns {
    let mut batch = Batch::with_capacity(commands.len());
    for command in commands {
        match command {
            Command::HoldSeats(HoldSeats { hold_id, buyer, places, .. }) => {
                let seats: Vec<u32> = places.seats().map(|seat| seat.0).collect();
                batch.hold(*hold_id.as_bytes(), &buyer.to_string(), &seats);
            }
            Command::ConfirmHold(ConfirmHold { hold_id, buyer, order, .. }) => {
                batch.confirm(*hold_id.as_bytes(), &buyer.to_string(), &order.to_string(), "");
            }
            Command::ReleaseHold(ReleaseHold { hold_id, buyer, .. }) => {
                batch.release(*hold_id.as_bytes(), &buyer.to_string());
            }
            _ => unreachable!("nobody does anything else"),
        }
    }
    batch.into()
}

/// Columns from what a frontend knows.
fn client_columns() -> Box<dyn FnMut()> {
    let ids: Vec<[u8; 16]> = (0..BATCH as u128).map(u128::to_be_bytes).collect();
    Box::new(move || {
        let mut batch = Batch::with_capacity(BATCH);
        for (seat, id) in (0..).zip(&ids) {
            batch.hold(*id, "0198c5f0-7c1e-7abc-8def-0123456789ab", &[seat]);
        }
        black_box(v1::CommandColumns::from(batch));
    })
}

fn client_encode() -> Box<dyn FnMut()> {
    let request = Sample::new().request();
    Box::new(move || drop(black_box(request.encode_to_vec())))
}

fn server_decode() -> Box<dyn FnMut()> {
    let bytes = Bytes::from(Sample::new().request().encode_to_vec());
    Box::new(move || drop(black_box(v1::SessionRequest::decode(bytes.clone()).expect("a request"))))
}

/// From the wire's types to the engine's.
fn server_read() -> Box<dyn FnMut()> {
    let sample = Sample::new();
    let columns = sample.columns();
    Box::new(move || {
        let mut commands = Vec::with_capacity(BATCH);
        let read = convert::columns::read(&columns, |_| &sample.manifest, |_, command| commands.extend(command.ok()));
        assert!(read.is_ok() && commands.len() == BATCH, "all can be read");
        black_box(commands);
    })
}

/// A whole sale, batch by batch.
fn core() -> Box<dyn FnMut()> {
    let (mut inventory, mut events) = (show(SEATS), Vec::with_capacity(4));
    let mut batches = batches().into_iter();
    Box::new(move || {
        let commands = batches.next().expect("no more often than it can be done");
        run(&mut inventory, &commands, &mut events);
        black_box(commands);
    })
}

/// As a shard does, but for the log.
fn run(inventory: &mut Inventory, commands: &[Command], events: &mut Vec<Event>) {
    for some in commands.chunks(Inventory::TOUCHED_AT_ONCE) {
        inventory.touch(some, |_| SHOW);
        for command in some {
            let _ = black_box(inventory.decide(SHOW, command, NOW, events));
            events.drain(..).for_each(|mut event| inventory.apply(SHOW, &mut event, NOW));
        }
    }
}

/// All batches of a sale, as they are sent while the shard answers them in their order.
#[must_use]
pub fn batches() -> Vec<Vec<Command>> {
    let mut sale = Sale::new();
    (0..BATCHES_MAX).map(|_| sale.batch().0).collect()
}

/// The house is sold out.
fn core_refuse() -> Box<dyn FnMut()> {
    let mut sale = Sale::new();
    (0..BATCHES_MAX).for_each(|_| drop(sale.batch()));
    let commands: Vec<Command> = (0..BATCH).map(|_| sale.attempt()).collect();
    let mut events = Vec::new();
    Box::new(move || run(&mut sale.inventory, &commands, &mut events))
}

fn log_encode() -> Box<dyn FnMut()> {
    let (events, mut payload) = (Sample::new().events, PayloadWriter::default());
    Box::new(move || {
        payload.clear();
        events.iter().for_each(|event| payload.push(SHOW, event, NOW));
        black_box(payload.bytes());
    })
}

fn log_decode() -> Box<dyn FnMut()> {
    let mut payload = PayloadWriter::default();
    Sample::new().events.iter().for_each(|event| payload.push(SHOW, event, NOW));
    Box::new(move || read_payload(payload.bytes(), NOW).for_each(|event| drop(black_box(event.expect("an event")))))
}

/// Everything that a shard does but for the disk: its log is in memory.
fn shard_turn() -> Box<dyn FnMut()> {
    struct Standing;
    impl Clock for Standing {
        fn now(&self) -> Timestamp {
            NOW
        }
    }
    let log = Box::new(MemoryStore::new().log(ShardId(0)).expect("a log"));
    let shard = Shard::recover(log, Arc::new(Standing), ShardOptions::default(), Arc::new(|_, _| {}));
    let mut shard = shard.expect("an empty log");
    let created = usher_engine::shard::CreateShow {
        created: Box::new(plain_show(SHOW_ID, SEATS)),
        reply: Box::new(|created| drop(created.expect("it serves").expect("a new show"))),
    };
    shard.turn(std::iter::once(Request::CreateShow(created))).expect("an append");
    let mut batches = batches().into_iter();
    Box::new(move || {
        let commands = batches.next().expect("no more often than it can be done");
        let reply = Box::new(|outcomes| drop(black_box(outcomes)));
        let request = Request::Execute { shows: Shows::One(SHOW), commands, reply };
        shard.turn(std::iter::once(request)).expect("an append");
    })
}

/// From the engine's types to the wire's.
fn server_outcomes() -> Box<dyn FnMut()> {
    let sample = Sample::new();
    let asked = sample.columns();
    Box::new(move || drop(black_box(sample.answers(&asked))))
}

fn server_encode() -> Box<dyn FnMut()> {
    let sample = Sample::new();
    let columns = Some(sample.answers(&sample.columns()));
    let batch = v1::SessionOutcomes { tag: 1, columns, ..Default::default() };
    let response = v1::SessionResponse { batches: vec![batch] };
    Box::new(move || drop(black_box(response.encode_to_vec())))
}
