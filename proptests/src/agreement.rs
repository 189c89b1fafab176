//! The engine and the naive model side by side: the same steps, the same outcomes, the same places.
//!
//! It also holds what needs no model: the invariants after each step, and that the logged bytes, replayed, give the same
//! state. It finds differences and does not explain them.

use std::collections::BTreeMap;

use usher_engine::{
    codec::{PayloadWriter, read_payload},
    command::Command,
    event::{Event, ShowCreated},
    ids::{HoldId, SeatIndex, ShowNumber},
    inventory::{Inventory, invariants},
    time::Timestamp,
};

use crate::{
    commands::{HOLD_IDS, Step, Timed, hold_id},
    coverage::Coverage,
    naive::{Naive, SeatStatus},
};

/// Takes both through a history.
///
/// # Errors
/// What they differ in, and at which step, counted from 0.
///
/// # Panics
/// When an invariant of the engine is broken.
pub fn check(history: &[Timed]) -> Result<Coverage, String> {
    let mut pair = Pair::default();
    for (position, timed) in history.iter().enumerate() {
        pair.step(timed).map_err(|difference| format!("step {position}, {timed}: {difference}"))?;
    }
    let last = history.last().map_or(Timestamp(0), |timed| timed.at);
    pair.compare_fates(last)?;
    pair.compare_replay()?;
    Ok(pair.coverage)
}

#[derive(Default)]
struct Pair {
    engine: Inventory,
    naive: Naive,
    log: Vec<(Timestamp, Vec<u8>)>,
    coverage: Coverage,
}

impl Pair {
    fn step(&mut self, timed: &Timed) -> Result<(), String> {
        match &timed.step {
            Step::Create(created) => self.create(created, timed.at)?,
            Step::Sweep { max } => self.sweep(*max, timed.at)?,
            // A shortened history may lack the show.
            Step::Ask(show, _) if show.0 as usize >= self.naive.shows() => {}
            Step::Ask(show, command) => self.ask(*show, command, timed.at)?,
        }
        invariants::check(&self.engine);
        self.compare_places(timed.at)
    }

    fn create(&mut self, created: &ShowCreated, at: Timestamp) -> Result<(), String> {
        let (number, mut events) = (self.engine.next_number(), Vec::new());
        let decided = self.engine.decide_create(created.clone(), &mut events);
        self.commit(number, events, at);
        let expected = self.naive.create(created);
        self.coverage.note_create(&decided);
        same("created", &decided, &expected)
    }

    fn sweep(&mut self, max: usize, at: Timestamp) -> Result<(), String> {
        let mut taken: BTreeMap<ShowNumber, Vec<HoldId>> = BTreeMap::new();
        let due = self.engine.take_due(at, max);
        for (show, hold_id) in &due {
            taken.entry(*show).or_default().push(*hold_id);
            self.commit(*show, vec![Event::HoldExpired { hold_id: *hold_id }], at);
        }
        let all: usize = self.numbers().map(|show| self.naive.due(show, at).len()).sum();
        same("holds expired", &due.len(), &all.min(max))?;
        for (show, taken) in taken {
            let mut expected = self.naive.due(show, at);
            expected.truncate(taken.len());
            same("holds due", &taken, &expected)?;
            taken.into_iter().for_each(|hold_id| self.naive.expire(show, hold_id, at));
        }
        Ok(())
    }

    fn ask(&mut self, show: ShowNumber, command: &Command, at: Timestamp) -> Result<(), String> {
        let mut events = Vec::new();
        let decided = self.engine.decide(show, command, at, &mut events);
        if decided.is_err() && !events.is_empty() {
            return Err(format!("a rejection with {events:?}"));
        }
        self.commit(show, events, at);
        let expected = self.naive.execute(show, command, at);
        self.coverage.note(command, &decided);
        same("outcome", &decided, &expected)
    }

    /// Logs and applies.
    fn commit(&mut self, show: ShowNumber, events: Vec<Event>, at: Timestamp) {
        let mut payload = PayloadWriter::default();
        for event in events {
            payload.push(show, &event);
            self.engine.apply(show, event, at);
        }
        if payload.events() > 0 {
            self.log.push((at, payload.bytes().to_vec()));
        }
    }

    fn numbers(&self) -> impl Iterator<Item = ShowNumber> + use<> {
        (0u32..).map(ShowNumber).take(self.naive.shows())
    }

    fn compare_places(&self, at: Timestamp) -> Result<(), String> {
        for number in self.numbers() {
            compare_show(&self.engine, &self.naive, number, at)?;
        }
        Ok(())
    }

    /// What every id is told in the end.
    fn compare_fates(&self, at: Timestamp) -> Result<(), String> {
        for (show, number) in self.numbers().flat_map(|show| (0..HOLD_IDS).map(move |number| (show, number))) {
            let command = Command::GetHold(hold_id(number));
            let found = self.engine.decide(show, &command, at, &mut Vec::new());
            let expected = self.naive.clone().execute(show, &command, at);
            same(&format!("in the end, fate of {:?}", hold_id(number)), &found, &expected)?;
        }
        Ok(())
    }

    fn compare_replay(&self) -> Result<(), String> {
        let mut replayed = Inventory::default();
        for (at, payload) in &self.log {
            for record in read_payload(payload) {
                let (show, event) = record.map_err(|error| error.to_string())?;
                replayed.apply(show, event, *at);
            }
        }
        invariants::check(&replayed);
        same("in the end, state hash of the replay", &replayed.state_hash(), &self.engine.state_hash())
    }
}

/// Whether both give the places of a show the same statuses.
///
/// # Errors
/// What they differ in.
pub fn compare_show(engine: &Inventory, naive: &Naive, number: ShowNumber, at: Timestamp) -> Result<(), String> {
    let map = engine.show(number).ok_or("the engine lacks a show")?.seat_map(at);
    let naive = naive.show(number);
    for (seat, status) in (0u32..).map(SeatIndex).zip(naive.seats()) {
        let found = (map.available.contains(seat), map.sold.contains(seat));
        let expected = (*status == SeatStatus::Available, matches!(status, SeatStatus::Sold(_)));
        same(&format!("availability and sale of {seat:?}"), &found, &expected)?;
    }
    same("units", &map.ga, &naive.ga_counts())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, engine: &T, naive: &T) -> Result<(), String> {
    if engine == naive {
        return Ok(());
    }
    Err(format!("{what}:\n  engine {engine:?}\n  naive  {naive:?}"))
}
