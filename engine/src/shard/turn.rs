//! What a shard did in one turn, in numbers: counted once a command without looking anything up, told once a turn.

use std::time::Duration;

use super::request::Outcome;
use crate::{
    command::{Command, CommandKind},
    rejection::RejectionKind,
    time::Timestamp,
};

/// Between two counts of the holds that live.
const HOLDS_INTERVAL_MS: u64 = 1_000;

/// A turn that is durable, before it is answered.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Requests that were decided.
    pub requests: u32,
    /// Commands that were decided, by [`CommandKind::ALL`]: granted, and refused by the rules.
    pub commands: [[u32; 2]; CommandKind::ALL.len()],
    /// Refused commands, by [`RejectionKind::ALL`].
    pub rejections: [u32; RejectionKind::ALL.len()],
    /// How long the first of them had waited.
    pub waited: Duration,
    /// From the first request taken until all were decided, without the appends.
    pub decide: Duration,
    /// For the appends, until they were durable; nothing if there was nothing to log.
    pub append: Duration,
    /// Events that were logged.
    pub events: u32,
    /// Bytes of them.
    pub bytes: u64,
    /// Holds that expired.
    pub expired: u32,
    /// Milliseconds by which the first of these was late.
    pub late_ms: u64,
    /// Holds that live now, on all shows; told once a second.
    pub holds: Option<u64>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            requests: 0,
            commands: [[0; 2]; CommandKind::ALL.len()],
            rejections: [0; RejectionKind::ALL.len()],
            waited: Duration::ZERO,
            decide: Duration::ZERO,
            append: Duration::ZERO,
            events: 0,
            bytes: 0,
            expired: 0,
            late_ms: 0,
            holds: None,
        }
    }
}

impl Turn {
    /// Commands that were decided.
    #[must_use]
    pub fn decided(&self) -> u32 {
        self.commands.iter().flatten().sum()
    }

    /// Counts one.
    pub(super) fn note(&mut self, command: &Command, outcome: &Outcome) {
        let counts = &mut self.commands[command.kind() as usize];
        match outcome {
            Ok(_) => counts[0] += 1,
            Err(rejection) => {
                counts[1] += 1;
                self.rejections[rejection.kind() as usize] += 1;
            }
        }
    }
}

/// What is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// How long the first of the next turn has waited.
    pub(super) waited: Duration,
    holds_told_at: Option<Timestamp>,
}

impl Turns {
    /// Whether the holds are to be counted.
    pub(super) fn is_time_for_holds(&mut self, now: Timestamp) -> bool {
        let is_time = self.holds_told_at.is_none_or(|told_at| now.ms_since(told_at) >= HOLDS_INTERVAL_MS);
        if is_time {
            self.holds_told_at = Some(now);
        }
        is_time
    }
}
