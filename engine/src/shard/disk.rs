//! What the shard does when its disk does not do what it should: it takes only what the log can keep.
//!
//! It looks before each turn. While the disk is full or cannot be written, nothing that would change something is decided,
//! and nothing expires; reads are answered. It goes on by itself.

use std::time::Duration;

use usher_wal::LogError;

use super::{Notice, Shard, ShardStatus, request::Fault};
use crate::time::Timestamp;

/// Longest sleep while commands are refused: the disk may be in order again.
pub(super) const LOOK_WAIT: Duration = Duration::from_millis(100);
/// An append that took as long is worth a word: callers wait.
const SLOW_APPEND_MS: u64 = 1_000;
/// Between two such words.
const SLOW_NOTICE_MS: u64 = 10_000;

/// What is known of the disk.
#[derive(Debug, Default)]
pub(super) struct DiskState {
    /// Why commands are refused, if they are.
    refuses: Option<Fault>,
    /// When a slow append was last told of.
    told_at: Option<Timestamp>,
}

impl DiskState {
    /// With what a command that may change something is refused now.
    pub(super) fn refuses(&self) -> Option<Fault> {
        self.refuses
    }

    /// What that means for those who ask how the shard is.
    pub(super) fn status(&self) -> ShardStatus {
        if self.refuses.is_some() { ShardStatus::ReadOnly } else { ShardStatus::Serving }
    }
}

impl Shard {
    /// Asks the log how its disk is, and tells the process when that has changed.
    pub(super) fn look_at_disk(&mut self) {
        let (refuses, notice) = match self.log.check_writable() {
            Ok(()) => (None, Notice::DiskWritable),
            Err(error) => (Some(fault_of(&error)), Notice::DiskRefuses(error)),
        };
        if refuses != self.disk.refuses {
            self.disk.refuses = refuses;
            (self.observer)(self.log.shard(), notice);
        }
    }

    /// An append began at `began` and has ended. By the clock: when that jumps, an append seems slow that was not.
    pub(super) fn note_append(&mut self, began: Timestamp) {
        let ended = self.clock.now();
        let took_ms = ended.ms_since(began);
        let is_news = self.disk.told_at.is_none_or(|told_at| ended.ms_since(told_at) >= SLOW_NOTICE_MS);
        if took_ms > SLOW_APPEND_MS && is_news {
            self.disk.told_at = Some(ended);
            (self.observer)(self.log.shard(), Notice::SlowAppend { took_ms });
        }
    }
}

fn fault_of(error: &LogError) -> Fault {
    match error {
        LogError::DiskFull { .. } => Fault::DiskFull,
        _ => Fault::DiskUnwritable,
    }
}
