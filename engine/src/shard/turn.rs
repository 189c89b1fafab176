//! What a shard did in one turn, in numbers: counted once a command without looking anything up, told once a turn.

use std::time::Duration;

use super::request::Outcome;
use crate::{
    command::{Command, CommandKind},
    rejection::RejectionKind,
};

/// A turn that is durable, before it is answered.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Requests that were decided.
    pub requests: u32,
    /// Commands that were decided, by [`CommandKind::ALL`]: granted, and refused by the rules.
    pub commands: [[u32; 2]; CommandKind::ALL.len()],
    /// Refused commands, by [`RejectionKind::ALL`].
    pub rejections: [u32; RejectionKind::ALL.len()],
    /// Requests whose time was over, or that would have changed something while the disk takes nothing.
    pub refused: u32,
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
    /// Holds that live now, on all shows.
    pub holds: u64,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            requests: 0,
            commands: [[0; 2]; CommandKind::ALL.len()],
            rejections: [0; RejectionKind::ALL.len()],
            refused: 0,
            waited: Duration::ZERO,
            decide: Duration::ZERO,
            append: Duration::ZERO,
            events: 0,
            bytes: 0,
            expired: 0,
            late_ms: 0,
            holds: 0,
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
