//! What random histories have reached: how often each kind of command got each kind of outcome.
//!
//! The list of what must be reached is written out. A generator that misses one of them is a hole in every property
//! that is tested with it.

use std::{collections::BTreeMap, fmt};

use usher_engine::{
    command::Command,
    ids::ShowNumber,
    inventory::Answer,
    rejection::{Conflicts, Rejection},
    shard::Outcome,
};

/// All that can be answered to each command. Only the limit of shows of a shard, a million of them, is out of reach.
const REACHABLE: [(&str, &[&str]); 6] = [
    ("create", &["created", "existed", "show id reused: manifest", "show id reused: policy"]),
    (
        "hold",
        &[
            "Held",
            "Confirmed",
            "Released",
            "Expired",
            "fenced",
            "id reused: buyer_id",
            "id reused: places",
            "id reused: ttl_ms",
            "unknown: seats",
            "unknown: units",
            "unknown: both",
            "limit: places_per_hold_max",
            "limit: holds_per_show_max",
            "limit: live_holds_per_buyer_max",
            "limit: places_per_buyer_max",
            "taken: seats",
            "taken: units",
            "taken: both",
        ],
    ),
    ("extend", &["extended", "hold unknown", "another buyer's", "fenced", "released", "expired", "confirmed"]),
    (
        "release",
        &[
            "Held",
            "Released",
            "Expired",
            "Fenced",
            "another buyer's",
            "confirmed",
            "not in hold: seats",
            "not in hold: units",
            "not in hold: both",
        ],
    ),
    (
        "confirm",
        &[
            "Confirmed",
            "hold unknown",
            "another buyer's",
            "fenced",
            "released",
            "expired",
            "not in hold: seats",
            "not in hold: units",
            "not in hold: both",
        ],
    ),
    ("get", &["Held", "Confirmed", "Released", "Expired", "Fenced", "hold unknown"]),
];

/// Outcomes by command, and how often.
#[derive(Clone, Debug, Default)]
pub struct Coverage(BTreeMap<(&'static str, String), u64>);

impl Coverage {
    /// Counts what became of a command.
    pub fn note(&mut self, command: &Command, outcome: &Outcome) {
        let kind = match command {
            Command::HoldSeats(_) => "hold",
            Command::ExtendHold(_) => "extend",
            Command::ReleaseHold(_) => "release",
            Command::ConfirmHold(_) => "confirm",
            Command::GetHold(_) => "get",
        };
        self.count(kind, outcome.as_ref().map_or_else(of_rejection, of_answer));
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
        self.0.iter().filter(|((kind, _), _)| *kind != "create").map(|(_, count)| count).sum()
    }

    /// What was reached less than `min` times.
    #[must_use]
    pub fn missing(&self, min: u64) -> Vec<String> {
        let all = REACHABLE.into_iter().flat_map(|(kind, outcomes)| outcomes.iter().map(move |what| (kind, *what)));
        let count = |kind, what: &str| self.0.get(&(kind, what.to_owned())).copied().unwrap_or(0);
        let too_few = all.map(|(kind, what)| (kind, what, count(kind, what))).filter(|(.., count)| *count < min);
        too_few.map(|(kind, what, count)| format!("{kind} -> {what}: {count}")).collect()
    }

    /// What was reached and is not in the list: the list is wrong then.
    #[must_use]
    pub fn unlisted(&self) -> Vec<String> {
        let listed = |kind: &str, what: &str| {
            REACHABLE.iter().any(|(other, outcomes)| *other == kind && outcomes.contains(&what))
        };
        let unlisted = self.0.keys().filter(|(kind, what)| !listed(kind, what));
        unlisted.map(|(kind, what)| format!("{kind} -> {what}")).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, what), count) in &self.0 {
            writeln!(f, "{kind:<8} {what:<32} {count:>9}")?;
        }
        Ok(())
    }
}

fn of_answer(answer: &Answer) -> String {
    match answer {
        Answer::Held(hold) | Answer::Confirmed(hold) | Answer::Found(hold) => format!("{:?}", hold.state),
        Answer::Extended { .. } => "extended".to_owned(),
        Answer::Released(state) => format!("{state:?}"),
    }
}

fn of_rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::ShowIdReused { field } => format!("show id reused: {field}"),
        Rejection::IdReused { field } => format!("id reused: {field}"),
        Rejection::HoldUnknown => "hold unknown".to_owned(),
        Rejection::HoldOfAnotherBuyer => "another buyer's".to_owned(),
        Rejection::HoldFenced => "fenced".to_owned(),
        Rejection::HoldReleased => "released".to_owned(),
        Rejection::HoldExpired { .. } => "expired".to_owned(),
        Rejection::HoldConfirmed => "confirmed".to_owned(),
        Rejection::PlacesNotInHold(conflicts) => format!("not in hold: {}", of_conflicts(conflicts)),
        Rejection::PlacesUnknown(conflicts) => format!("unknown: {}", of_conflicts(conflicts)),
        Rejection::LimitReached { limit, .. } => format!("limit: {limit}"),
        Rejection::PlacesTaken(conflicts) => format!("taken: {}", of_conflicts(conflicts)),
    }
}

fn of_conflicts(conflicts: &Conflicts) -> &'static str {
    match (conflicts.seats.is_empty(), conflicts.ga.is_empty()) {
        (false, true) => "seats",
        (true, false) => "units",
        (false, false) => "both",
        (true, true) => "nothing",
    }
}
