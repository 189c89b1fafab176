//! The engine and the naive model side by side: the same steps, the same outcomes, the same places.
//!
//! It also holds what needs no model: the invariants after each step, that the logged bytes, replayed, give the same
//! state, and that a crash at any point changes nothing of what comes later. It finds differences and does not explain
//! them. What is compared is in `compare`.

use std::collections::BTreeMap;

use usher_engine::{
    codec::{PayloadWriter, read_payload},
    command::Command,
    event::{Event, ShowCreated},
    ids::ShowNumber,
    inventory::{Due, Inventory, invariants},
    time::Timestamp,
};

use crate::{
    commands::{Step, Timed},
    coverage::Coverage,
    naive::Naive,
};

mod compare;
pub use compare::{compare_places, compare_show};

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
    pair.numbers().try_for_each(|show| compare_show(&pair.engine, &pair.naive, show, last))?;
    pair.crash(last)?;
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
            Step::Crash => self.crash(timed.at)?,
            // A shortened history may lack the show.
            Step::Ask(show, _) if show.0 as usize >= self.naive.shows() => {}
            Step::Ask(show, command) => self.ask(*show, command, timed.at)?,
        }
        invariants::check(&self.engine);
        self.numbers().try_for_each(|show| compare_places(&self.engine, &self.naive, show, timed.at))
    }

    fn create(&mut self, created: &ShowCreated, at: Timestamp) -> Result<(), String> {
        let (number, mut events) = (self.engine.next_number(), Vec::new());
        let decided = self.engine.decide_create(created.clone(), &mut events);
        self.commit(number, events, at);
        let expected = self.naive.create(created);
        self.coverage.note_create(&decided);
        same("created", &decided, &expected)
    }

    /// What is due is the same; how shows take turns when not all is done at once is the engine's choice.
    fn sweep(&mut self, max: usize, at: Timestamp) -> Result<(), String> {
        let due = self.engine.take_due(at, max);
        let expected: BTreeMap<ShowNumber, Vec<Due>> =
            self.numbers().map(|show| (show, self.naive.due(show, at))).collect();
        same("things due", &due.len(), &expected.values().map(Vec::len).sum::<usize>().min(max))?;
        let mut taken: BTreeMap<ShowNumber, usize> = BTreeMap::new();
        for (show, due) in due {
            let position = taken.entry(show).or_default();
            same("thing due", &Some(&due), &expected[&show].get(*position))?;
            *position += 1;
            let mut events = Vec::new();
            self.engine.fall_due(show, due, &mut events);
            events.iter().for_each(|event| self.coverage.note_event("due", event));
            self.commit(show, events, at);
            self.naive.fall_due(show, due, at);
            self.naive.follow(show, at);
            compare_places(&self.engine, &self.naive, show, at).map_err(|what| format!("after {due:?}: {what}"))?;
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
        self.naive.follow(show, at);
        self.coverage.note(command, &decided);
        same("outcome", &decided, &expected)
    }

    /// Logs and applies, with all that follows, in one frame.
    fn commit(&mut self, show: ShowNumber, events: Vec<Event>, at: Timestamp) {
        let mut payload = PayloadWriter::default();
        for mut event in events {
            payload.push(show, &event, at);
            self.engine.apply(show, &mut event, at);
        }
        while let Some(mut event) = self.engine.follow(show, at) {
            self.coverage.note_event("follow", &event);
            payload.push(show, &event, at);
            self.engine.apply(show, &mut event, at);
        }
        if payload.events() > 0 {
            self.log.push((at, payload.bytes().to_vec()));
        }
    }

    fn numbers(&self) -> impl Iterator<Item = ShowNumber> + use<> {
        (0u32..).map(ShowNumber).take(self.naive.shows())
    }

    /// The process dies: what is known is what the log says, and that is the same.
    fn crash(&mut self, at: Timestamp) -> Result<(), String> {
        let mut replayed = Inventory::default();
        for (at, payload) in &self.log {
            for record in read_payload(payload, *at) {
                let (show, mut event) = record.map_err(|error| error.to_string())?;
                replayed.apply(show, &mut event, *at);
                replayed.replayed(show, *at);
            }
        }
        invariants::check(&replayed);
        let before = self.engine.state_hash();
        self.engine = replayed;
        same("state hash of the replay", &self.engine.state_hash(), &before)?;
        // What was looked at when the sale opened by time may be looked at once more, if nothing was logged since.
        for show in self.numbers().filter(|show| !self.naive.is_to_serve(*show)) {
            same("what follows from the crash", &self.engine.follow(show, at), &None)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, engine: &T, naive: &T) -> Result<(), String> {
    if engine == naive {
        return Ok(());
    }
    Err(format!("{what}:\n  engine {engine:?}\n  naive  {naive:?}"))
}
