//! What the doctor says about snapshots: whether a start can rely on them. It reads the newest one of each show, as a start
//! does; all of them are `usher log verify`'s.

use std::{collections::BTreeMap, io};

use serde_json::json;
use usher_wal::{LogError, LogStart, PartId, ReadOnlyStore, ShardId, SnapshotId, Snapshots};

use super::{
    Examined, Finding, Level, Shard,
    checks::{found, shards},
};
use crate::cli::print::counted;

/// More is not read of one directory: a second or two of a slow disk.
pub(super) const READ_BYTES_MAX: usize = 256 << 20;
/// What a server lets come together in its log before snapshots are taken, unless they are larger themselves.
const LOG_BYTES_OF_ROUND: u64 = 64 << 20;
/// Rounds that are too many: the log is kept from the one before the last on.
const ROUNDS_HIGH: u64 = 4;

/// The snapshots of one shard.
#[derive(Debug, Default)]
pub(super) struct FoundSnapshots {
    count: usize,
    newest: Option<u64>,
    /// Behind which frame the log begins.
    start: u64,
    /// Shows that the log rests on, of which no snapshot is sound.
    lacking: usize,
    /// In the words of whoever read them.
    damaged: Vec<String>,
    /// Shows of which none was read.
    unread: usize,
    /// Of those that were.
    bytes: u64,
}

impl FoundSnapshots {
    /// Reads of each show the newest one, and older ones as long as they are damaged. `left` is how much may be read yet.
    pub(super) fn of(store: &ReadOnlyStore, shard: ShardId, left: &mut usize) -> Result<Self, LogError> {
        let (start, there) = (store.start(shard)?, store.snapshots(shard));
        let all = there.list()?;
        let newest = all.iter().map(|id| id.lsn.0).max();
        let mut found = Self { count: all.len(), newest, start: start.lsn.0, ..Self::default() };
        for (is_needed, serving) in by_show(&all, &start) {
            let is_served = found.read(there.as_ref(), serving, left)?;
            found.lacking += usize::from(is_needed && !is_served);
        }
        Ok(found)
    }

    /// Whether one of these, the newest last, can be relied on as far as is known.
    fn read(&mut self, there: &dyn Snapshots, serving: Vec<SnapshotId>, left: &mut usize) -> Result<bool, LogError> {
        for id in serving.into_iter().rev() {
            if *left == 0 {
                self.unread += 1;
                return Ok(true);
            }
            match there.read(id) {
                Ok(state) => {
                    *left = left.saturating_sub(state.len());
                    self.bytes += state.len() as u64;
                    return Ok(true);
                }
                Err(error @ LogError::SnapshotDamaged { .. }) => self.damaged.push(error.to_string()),
                // A running server has newer ones by now.
                Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// Of each show whether the log rests on its snapshot, and those that would serve.
fn by_show(all: &[SnapshotId], start: &LogStart) -> Vec<(bool, Vec<SnapshotId>)> {
    let needed: BTreeMap<PartId, SnapshotId> = start.snapshots.iter().map(|id| (id.part, *id)).collect();
    let mut shows: BTreeMap<PartId, Vec<SnapshotId>> = needed.keys().map(|part| (*part, Vec::new())).collect();
    for id in all.iter().filter(|id| needed.get(&id.part).is_none_or(|needed| id.lsn >= needed.lsn)) {
        shows.entry(id.part).or_default().push(*id);
    }
    shows.into_iter().map(|(part, serving)| (needed.contains_key(&part), serving)).collect()
}

pub(super) fn check(examined: &Examined) -> Vec<Finding> {
    shards(examined).iter().map(of_shard).collect()
}

fn of_shard(shard: &Shard) -> Finding {
    let FoundSnapshots { count, newest, start, lacking, ref damaged, unread, bytes } = shard.snapshots;
    let number = shard.shard;
    let read = match unread {
        _ if !damaged.is_empty() => String::new(),
        0 => "; the newest of each show is sound".to_owned(),
        _ => format!("; those of {} were not read, `usher log verify` reads all", counted(unread as u64, "show")),
    };
    let text = match newest {
        Some(newest) => {
            format!("shard {number}: {count}, the newest of LSN {newest}, the log is kept behind {start}{read}")
        }
        None => format!("shard {number}: none yet"),
    };
    let values = json!({
        "shard": number.0, "count": count, "newest_lsn": newest, "log_start_lsn": start, "lacking": lacking,
        "damaged": damaged, "shows_unread": unread,
    });
    let finding = found("snapshots", text, values);
    if lacking > 0 {
        let advice = format!(
            "no sound one is left of {} that the log rests on: restore shard {number}",
            counted(lacking as u64, "show")
        );
        return finding.but(Level::Problem, advice);
    }
    if let Some(first) = damaged.first() {
        let others = damaged.len() - 1;
        let more = if others == 0 { String::new() } else { format!("; so are {others} more") };
        return finding.but(Level::Warning, format!("{first}{more}"));
    }
    let advice = "a start replays all of it: look for \"snapshot failed\" in the server's log, then `usher snapshot`";
    // How large they are is known of those that were read.
    let is_long = unread == 0 && shard.bytes > ROUNDS_HIGH * bytes.max(LOG_BYTES_OF_ROUND);
    if is_long { finding.but(Level::Warning, advice) } else { finding }
}

#[cfg(test)]
mod tests {
    use usher_wal::Lsn;

    use super::*;

    #[test]
    fn only_what_a_start_would_use_counts() {
        let id = |part, lsn| SnapshotId { part: PartId(part), lsn: Lsn(lsn) };
        let start = LogStart { lsn: Lsn(10), snapshots: vec![id(0, 10), id(1, 12)] };
        let all = [id(0, 5), id(0, 10), id(0, 20), id(2, 15)];
        let expected = [(true, vec![id(0, 10), id(0, 20)]), (true, vec![]), (false, vec![id(2, 15)])];
        assert_eq!(by_show(&all, &start), expected);
    }

    #[test]
    fn snapshots_that_are_gone_are_a_problem_damaged_ones_and_a_long_log_a_warning() {
        let of = |snapshots, bytes| of_shard(&Shard { snapshots, bytes, ..super::super::checks::tests::shard() });
        let fine = || FoundSnapshots { count: 2, newest: Some(70), start: 4, ..FoundSnapshots::default() };
        let text = "shard 3: 2, the newest of LSN 70, the log is kept behind 4; the newest of each show is sound";
        assert_eq!((of(fine(), 0).level, &*of(fine(), 0).text), (Level::Ok, text));
        assert_eq!(of(FoundSnapshots { lacking: 1, ..fine() }, 0).level, Level::Problem);
        assert_eq!(of(FoundSnapshots { damaged: vec!["x".to_owned()], ..fine() }, 0).level, Level::Warning);
        assert_eq!(of(fine(), 1 << 30).level, Level::Warning);
        assert_eq!(of(FoundSnapshots { bytes: 1 << 28, ..fine() }, 1 << 30).level, Level::Ok);
        assert!(of(FoundSnapshots { unread: 9, ..fine() }, 0).text.ends_with("`usher log verify` reads all"));
    }
}
