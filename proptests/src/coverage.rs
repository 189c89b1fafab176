//! What random histories have reached: how often each kind of command got each kind of outcome.
//!
//! The list of what must be reached is written out. A generator that misses one of them is a hole in every property
//! that is tested with it.

use std::{collections::BTreeMap, fmt};

use usher_engine::{command::Command, event::Event, ids::ShowNumber, rejection::Rejection, shard::Outcome};

mod names;
mod rare;
mod reachable;
use names::{of_answer, of_command, of_rejection};
use rare::RARE;
use reachable::REACHABLE;

/// Outcomes by command, and how often.
#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeMap<(&'static str, String), u64>);

impl Coverage {
    /// Counts what became of a command.
    pub fn note(&mut self, command: &Command, outcome: &Outcome) {
        self.count(of_command(command), outcome.as_ref().map_or_else(of_rejection, of_answer));
    }

    /// Counts what followed for those who wait, or was due.
    pub fn note_event(&mut self, kind: &'static str, what: &Event) {
        self.count(kind, names::of_event(what));
    }

    /// Counts what became of a show.
    pub fn note_create(&mut self, created: &Result<Option<ShowNumber>, Rejection>) {
        let what = match created {
            Ok(None) => "created".to_owned(),
            Ok(Some(_)) => "existed".to_owned(),
            Err(rejection) => of_rejection(rejection),
        };
        self.count("create", what);
    }

    fn count(&mut self, kind: &'static str, what: String) {
        *self.0.entry((kind, what)).or_default() += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        for (key, count) in other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }

    /// Commands in all, without the shows.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.0.iter().filter(|((kind, _), _)| !["create", "due", "follow"].contains(kind)).map(|(_, count)| count).sum()
    }

    /// What was reached less than `min` times.
    #[must_use]
    pub fn missing(&self, min: u64) -> Vec<String> {
        let all = REACHABLE.iter().copied().flat_map(|(kind, outcomes)| outcomes.iter().map(move |what| (kind, *what)));
        let count = |kind, what: &str| self.0.get(&(kind, what.to_owned())).copied().unwrap_or(0);
        let too_few = all.map(|(kind, what)| (kind, what, count(kind, what))).filter(|(.., count)| *count < min);
        too_few.map(|(kind, what, count)| format!("{kind} -> {what}: {count}")).collect()
    }

    /// What was reached and is not in the list: the list is wrong then.
    #[must_use]
    pub fn unlisted(&self) -> Vec<String> {
        let listed = |kind: &str, what: &str| {
            REACHABLE.iter().chain(RARE).any(|(other, outcomes)| *other == kind && outcomes.contains(&what))
        };
        let unlisted = self.0.keys().filter(|(kind, what)| !listed(kind, what));
        unlisted.map(|(kind, what)| format!("{kind} -> {what}")).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, what), count) in &self.0 {
            writeln!(f, "{kind:<16} {what:<36} {count:>9}")?;
        }
        Ok(())
    }
}
