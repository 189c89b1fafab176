//! A client that holds, extends, confirms and releases, alone and in batches, until the connection breaks.

use rand::{RngExt as _, rngs::StdRng};
use usher_proto::v1::outcome::Outcome;

use crate::{
    common::{Clients, refusal::Refused},
    ledger::{Call, Entry, Known},
};

/// Calls of one buyer in one round, at most.
const CALLS_MAX: usize = 5_000;
/// Commands of one batch, at most.
const BATCH_MAX: usize = 8;
/// Half of the shortest holds live as long as a round or two, the others longer than the test.
const TTLS_MS: [u64; 3] = [5_000, 7_000, 600_000];

/// A buyer and everything he ever asked for.
pub(crate) struct Buyer {
    pub(crate) buyer_id: String,
    pub(crate) rng: StdRng,
    pub(crate) entries: Vec<Entry>,
    /// Calls that were answered.
    pub(crate) answered: usize,
}

impl Buyer {
    /// Buys until the connection breaks.
    pub(crate) async fn buy(mut self, mut clients: Clients, shows: Vec<String>, seats: u32) -> Self {
        for _ in 0..CALLS_MAX {
            let show_id = &shows[self.rng.random_range(0..shows.len())];
            let count = if self.rng.random_bool(0.3) { self.rng.random_range(2..=BATCH_MAX) } else { 1 };
            let calls = self.choose(show_id, count, seats);
            let commands: Vec<_> = calls.iter().map(|&(entry, call)| self.entries[entry].command(call)).collect();
            let answers: Vec<Result<Outcome, Refused>> = match <[_; 1]>::try_from(commands) {
                Ok([command]) => vec![clients.call(command).await],
                Err(commands) => match clients.batch(show_id, commands).await {
                    Ok(answers) => answers,
                    Err(refused) => vec![Err(refused); calls.len()],
                },
            };
            for (&(entry, call), answer) in calls.iter().zip(&answers) {
                self.entries[entry].settle(call, answer);
            }
            if answers.iter().any(|answer| answer.as_ref().is_err_and(Refused::is_lost)) {
                return self;
            }
            self.answered += 1;
        }
        panic!("{} was not interrupted in {CALLS_MAX} calls", self.buyer_id);
    }

    /// Calls about different holds of one show: new ones and live ones.
    fn choose(&mut self, show_id: &str, count: usize, seats: u32) -> Vec<(usize, Call)> {
        // The newest first: the old ones have been dealt with, or will expire.
        let live = |entry: &Entry| entry.show_id == show_id && matches!(entry.known, Known::Held { .. });
        let live: Vec<usize> =
            (0..self.entries.len()).rev().filter(|&entry| live(&self.entries[entry])).take(count).collect();
        let mut live = live.into_iter();
        let mut calls = Vec::new();
        for _ in 0..count {
            let call = match self.rng.random_range(0..100) {
                0..45 => Call::Hold,
                45..65 => Call::Confirm,
                65..85 => Call::Release,
                _ => Call::Extend,
            };
            match live.next().filter(|_| call != Call::Hold) {
                Some(entry) => calls.push((entry, call)),
                None => calls.push((self.new_entry(show_id, seats), Call::Hold)),
            }
        }
        calls
    }

    fn new_entry(&mut self, show_id: &str, seats: u32) -> usize {
        let count = self.rng.random_range(1..=4);
        let mut wanted: Vec<u32> = (0..count).map(|_| self.rng.random_range(0..seats)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        self.entries.push(Entry {
            show_id: show_id.to_owned(),
            hold_id: self.rng.random::<u128>() | 1,
            // A buyer of its own: seats that one buyer holds already would move into his new hold.
            buyer_id: format!("{}-{}", self.buyer_id, self.entries.len()),
            seats: wanted,
            ttl_ms: TTLS_MS[self.rng.random_range(0..TTLS_MS.len())],
            known: Known::Nothing,
            lost: None,
            changed: true,
        });
        self.entries.len() - 1
    }
}
