//! More or fewer shards in a data directory, and one write to two logs, which is how a show goes from one to another.
//!
//! What is in a shard's log is its owner's business: whoever takes a shard away has moved what was in it.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use super::database::Database;
use super::{RocksLog, RocksStore, open_marked};
use crate::acknowledged::{self, Position};
use crate::chain::encode_next;
use crate::directory::{Directory, SHARDS_MAX};
use crate::snapshot_files::SnapshotFiles;
use crate::{Log as _, LogError, ShardId};

impl RocksStore {
    /// How many shards the data directory `dir` has; `None` where there is none yet.
    ///
    /// # Errors
    /// Why it is not one of ours.
    pub fn shards_of(dir: &Path) -> Result<Option<NonZeroU32>, LogError> {
        Directory::at(dir).shards()
    }

    /// Gives the data directory `dir`, which nobody has open, another number of shards. New ones are empty; the logs of
    /// those that go, the last ones, are removed with their snapshots, whatever is in them.
    ///
    /// # Errors
    /// [`LogError::TooManyShards`], [`LogError::InUse`], and whatever an opening finds. Doing it again helps as soon as the
    /// cause has gone: before the last step the directory has the number that it had.
    pub fn resize(dir: &Path, shards: NonZeroU32) -> Result<(), LogError> {
        if shards.get() > SHARDS_MAX {
            return Err(LogError::TooManyShards { shards: shards.get(), shards_max: SHARDS_MAX });
        }
        let directory = Directory::at(dir);
        // Before the lock, which makes a directory where there is none.
        directory.check_whole()?;
        let _lock = directory.lock()?;
        let before = directory.check_whole()?;
        directory.bring_up_to_date()?;
        let database = open_marked(&directory)?;
        if shards > before {
            // One that was taken away before may have left something behind.
            forget(&database, &directory, before.get()..shards.get())?;
            acknowledged::extend(&directory.acknowledged(), before, shards)?;
            directory.set_shards(shards)?;
        } else if shards < before {
            directory.set_shards(shards)?;
            forget(&database, &directory, shards.get()..before.get())?;
        }
        database.close_in_order()?;
        directory.mark_clean()
    }
}

/// Removes the logs and snapshots of these shards. Their epochs stay: one that comes back goes on from there.
fn forget(database: &Database, directory: &Directory, shards: std::ops::Range<u32>) -> Result<(), LogError> {
    for shard in shards.map(ShardId) {
        database.forget(shard)?;
        SnapshotFiles::new(&directory.snapshots(), shard).remove_all()?;
    }
    Ok(())
}

/// Appends a payload to each of two logs of one store: both are durable when it returns `Ok`, and either both or none are
/// there if it does not.
///
/// # Errors
/// As [`Log::append`](crate::Log::append) of either.
///
/// # Panics
/// Where the logs are of different stores, or of one shard.
pub fn append_both(
    clock_ms: u64,
    (one, one_payload): (&mut RocksLog, &[u8]),
    (other, other_payload): (&mut RocksLog, &[u8]),
) -> Result<(), LogError> {
    assert!(Arc::ptr_eq(&one.store, &other.store) && one.shard != other.shard, "two shards of one store");
    if one.shard > other.shard {
        return append_both(clock_ms, (other, other_payload), (one, one_payload));
    }
    let mut tails = [one.tail, other.tail];
    for (log, payload, tail) in [(&mut *one, one_payload, 0), (&mut *other, other_payload, 1)] {
        if log.failed {
            return Err(log.poisoned());
        }
        let clock_ms = clock_ms.max(log.tail.clock_ms);
        tails[tail] = encode_next((log.shard, log.epoch), &log.tail, (clock_ms, payload), &mut log.buffer)?;
    }
    let store = Arc::clone(&one.store);
    store.acknowledged.check_writable()?;
    // In the order of the shards, so that no two of these wait for each other.
    let (newest, newest_other) = (store.epoch_lock(one.shard)?.lock(), store.epoch_lock(other.shard)?.lock());
    one.check_newest(*newest)?;
    other.check_newest(*newest_other)?;
    let frames = [(one.shard, tails[0].lsn, &*one.buffer), (other.shard, tails[1].lsn, &*other.buffer)];
    let written = store.current.read().database()?.put_frames(&frames, store.options.durability);
    for (log, tail) in [(&mut *one, tails[0]), (&mut *other, tails[1])] {
        log.failed = written.is_err();
        if written.is_ok() {
            log.tail = tail;
            store.acknowledged.publish(log.shard(), Position { epoch: log.epoch, lsn: tail.lsn });
        }
    }
    written
}

#[cfg(test)]
mod tests;
