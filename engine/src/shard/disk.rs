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
}

/// Who is told of slow appends, and how often.
#[derive(Debug, Default)]
pub(super) struct SlowAppends {
    told_at: Option<Timestamp>,
}

impl SlowAppends {
    /// What is worth telling of an append, by the clock: when that jumps, an append seems slow that was not.
    pub(super) fn note(&mut self, began: Timestamp, ended: Timestamp) -> Option<Notice> {
        let took_ms = ended.ms_since(began);
        let is_news = self.told_at.is_none_or(|told_at| ended.ms_since(told_at) >= SLOW_NOTICE_MS);
        (took_ms > SLOW_APPEND_MS && is_news).then(|| {
            self.told_at = Some(ended);
            Notice::SlowAppend { took_ms }
        })
    }
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
    /// Asks the log how its disk is, and tells the process when that has changed. While an append is under way, it is as it was
    /// before that.
    pub(super) fn look_at_disk(&mut self) {
        let Some(writer) = self.committer.writer() else { return };
        let (refuses, notice) = match writer.log.check_writable() {
            Ok(()) => (None, Notice::DiskWritable),
            Err(error) => (Some(fault_of(&error)), Notice::DiskRefuses(error)),
        };
        if refuses != self.disk.refuses {
            self.disk.refuses = refuses;
            (self.observer)(self.shard, notice);
        }
    }
}

fn fault_of(error: &LogError) -> Fault {
    match error {
        LogError::DiskFull { .. } => Fault::DiskFull,
        _ => Fault::DiskUnwritable,
    }
}
