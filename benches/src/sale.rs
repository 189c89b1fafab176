//! Sales from the first hold to the last seat, as the log has them, and shows in the middle of one.
//!
//! A party wants seats side by side. Most parties pay, some give their seats back, some let them expire; the next one takes
//! those. It decides and applies as a shard does, and appends to nothing.

use std::collections::VecDeque;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use usher_engine::{
    codec::PayloadWriter,
    command::{Command, ConfirmHold, HoldSeats, ReleaseHold},
    event::{Event, ShowCreated},
    ids::{Reference, SeatIndex},
    inventory::{Inventory, places::Places},
    time::{HOLD_TTL_MS_MIN, HoldTtl, Timestamp},
};
use usher_wal::{Frame, Lsn, ShardEpoch, ShardId};

use crate::workload::{NOW, SHOW, created, random_buyer, random_id};

/// Seats of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parties {
    /// One each: the most holds that there can be.
    Single,
    /// One to four, 2.4 on average, as tickets are bought.
    Mixed,
}

/// Of ten parties.
const MIXED: [u32; 10] = [1, 1, 2, 2, 2, 2, 2, 4, 4, 4];
const ROW_SEATS: u32 = 50;
const SEED: u64 = 2_027;
/// Between two frames of a sale.
const FRAME_MS: u64 = 2;

/// A run of frames.
#[derive(Debug, Default)]
pub struct SaleLog {
    /// Clock readings, and payloads as they are appended.
    pub frames: Vec<(u64, Vec<u8>)>,
    /// In all frames.
    pub events: u64,
    /// Holds that were sold.
    pub sales: u64,
    /// The state after all of them.
    pub inventory: Inventory,
}

impl SaleLog {
    /// The frames as a replay visits them.
    pub fn visit(&self, mut each: impl FnMut(Frame<'_>)) {
        for (lsn, (clock_ms, payload)) in (1..).map(Lsn).zip(&self.frames) {
            each(Frame { shard: ShardId(0), epoch: ShardEpoch(1), lsn, clock_ms: *clock_ms, payload });
        }
    }
}

/// All seats as parties in random order, each within a row.
#[must_use]
pub fn parties(seats: u32, kind: Parties, seed: u64) -> Vec<Places> {
    let mut rng = StdRng::seed_from_u64(SEED + seed);
    let (mut parties, mut first) = (Vec::new(), 0);
    while first < seats {
        let left_of_row = ROW_SEATS - first % ROW_SEATS;
        let size = match kind {
            Parties::Single => 1,
            Parties::Mixed => MIXED[rng.random_range(0..MIXED.len())].min(left_of_row),
        };
        parties.push(Places::new((first..first + size).map(SeatIndex), []).expect("neighbours"));
        first += size;
    }
    parties.shuffle(&mut rng);
    parties
}

/// A hold of these places by somebody new, and the confirm that may follow. The texts are of usual lengths: a buyer has
/// 36 bytes, an order and its payment 14 and 16.
pub fn hold_and_confirm(rng: &mut StdRng, places: Places, ttl: Option<HoldTtl>) -> (Command, Command) {
    let (hold_id, buyer) = (random_id(rng), random_buyer(rng));
    let number: u32 = rng.random_range(10_000_000..100_000_000);
    let order = Reference::order(&format!("order-{number}")).expect("an order");
    let payment = Reference::payment(&format!("payment-{number}")).expect("a payment");
    let hold = HoldSeats { hold_id, buyer: buyer.clone(), places, ttl, terms: None };
    let confirm = ConfirmHold { hold_id, buyer, order, payment, part: None, accept_late: false };
    (Command::HoldSeats(hold), Command::ConfirmHold(confirm))
}

/// What becomes of a hold.
enum Fate {
    Pays(Command),
    GivesBack(Command),
    Expires,
}

/// A sale under way.
struct Sale {
    log: SaleLog,
    payload: PayloadWriter,
    events: Vec<Event>,
    now: Timestamp,
}

impl Sale {
    fn of(show: ShowCreated) -> Self {
        let mut payload = PayloadWriter::default();
        payload.push(SHOW, &Event::ShowCreated(Box::new(show.clone())), NOW);
        let log = SaleLog { inventory: created(show), ..SaleLog::default() };
        let mut sale = Self { log, payload, events: Vec::new(), now: NOW };
        sale.end_frame();
        sale
    }

    fn run(&mut self, command: &Command) -> bool {
        let decided = self.log.inventory.decide(SHOW, command, self.now, &mut self.events);
        self.apply();
        decided.is_ok()
    }

    fn apply(&mut self) {
        for mut event in self.events.drain(..) {
            self.payload.push(SHOW, &event, self.now);
            self.log.inventory.apply(SHOW, &mut event, self.now);
        }
    }

    fn end_frame(&mut self) {
        if self.payload.events() > 0 {
            self.log.events += u64::from(self.payload.events());
            self.log.frames.push((self.now.0, self.payload.bytes().to_vec()));
            self.payload.clear();
        }
        self.now = self.now.plus_ms(FRAME_MS);
    }

    /// Takes back what time takes back, and says which of `expiring` are free again.
    fn expire(&mut self, expiring: &mut VecDeque<(Timestamp, Places)>, free: &mut Vec<Places>) {
        for (show, due) in self.log.inventory.take_due(self.now, usize::MAX) {
            self.log.inventory.fall_due(show, due, &mut self.events);
            self.apply();
        }
        while expiring.front().is_some_and(|(at, _)| *at <= self.now) {
            free.extend(expiring.pop_front().map(|(_, places)| places));
        }
    }
}

/// The log of a show's sale until all is sold, so many commands a frame: of a hundred holds 75 are sold, 12 given back, and
/// 13 expire.
#[must_use]
pub fn whole_sale(show: ShowCreated, seats: u32, kind: Parties, commands_per_frame: usize) -> SaleLog {
    let (mut sale, mut rng) = (Sale::of(show), StdRng::seed_from_u64(SEED));
    let mut free = parties(seats, kind, 0);
    let ttl = HoldTtl::from_ms(HOLD_TTL_MS_MIN).ok();
    let (mut pending, mut expiring) = (VecDeque::new(), VecDeque::new());
    while !free.is_empty() || !pending.is_empty() || !expiring.is_empty() {
        sale.expire(&mut expiring, &mut free);
        for _ in 0..commands_per_frame / 2 {
            if let Some(places) = free.pop() {
                let (hold, confirm) = hold_and_confirm(&mut rng, places.clone(), ttl);
                assert!(sale.run(&hold), "the seats are free");
                match fate(&mut rng, confirm) {
                    Fate::Expires => expiring.push_back((sale.now.plus_ms(HOLD_TTL_MS_MIN), places)),
                    fate => pending.push_back((fate, places)),
                }
            }
            // Who pays does so some thousand commands later.
            if pending.len() > 2_000 || free.is_empty() {
                match pending.pop_front() {
                    Some((Fate::Pays(confirm), _)) => sale.log.sales += u64::from(sale.run(&confirm)),
                    Some((Fate::GivesBack(release), places)) => {
                        assert!(sale.run(&release), "it is held");
                        free.push(places);
                    }
                    Some((Fate::Expires, _)) | None => {}
                }
            }
        }
        sale.end_frame();
    }
    sale.log
}

fn fate(rng: &mut StdRng, confirm: Command) -> Fate {
    let Command::ConfirmHold(of) = &confirm else { return Fate::Expires };
    match rng.random_range(0..100) {
        0..75 => Fate::Pays(confirm),
        75..87 => {
            let (hold_id, buyer) = (of.hold_id, of.buyer.clone());
            Fate::GivesBack(Command::ReleaseHold(ReleaseHold { hold_id, buyer, places: None }))
        }
        _ => Fate::Expires,
    }
}

/// A show in the middle of its sale, and how many holds it has: this percentage of its seats is sold, and so much more is held.
#[must_use]
pub fn half_sold(
    show: ShowCreated,
    seats: u32,
    kind: Parties,
    (sold, held): (u32, u32),
    seed: u64,
) -> (Inventory, u32) {
    let (mut sale, mut rng) = (Sale::of(show), StdRng::seed_from_u64(SEED + seed));
    let (mut taken, mut holds) = (0, 0);
    for places in parties(seats, kind, seed) {
        if taken >= seats / 100 * (sold + held) {
            break;
        }
        let is_sold = taken < seats / 100 * sold;
        taken += places.count();
        holds += 1;
        let (hold, confirm) = hold_and_confirm(&mut rng, places, None);
        assert!(sale.run(&hold) && (!is_sold || sale.run(&confirm)), "it is free");
        sale.payload.clear();
    }
    (sale.log.inventory, holds)
}
