//! A backup of a data directory and a new directory restored from it, as `usher backup create` and `usher restore` make
//! them. Both lie beside the directory. What is in them is `receipts`' to judge.

use std::path::{Path, PathBuf};

use usher_wal::{
    NewDirectory, ShardId,
    backup::{BackupError, Backups, NewBackup, Target, copy_shard, find},
};

use crate::appender::SHARDS;

/// Where a data directory is restored to.
#[must_use]
pub fn restored(dir: &Path) -> PathBuf {
    dir.with_extension("restored")
}

/// Makes a backup and, unless that was done before, restores the newest one.
///
/// # Errors
/// What either says.
pub fn back_up_and_restore(dir: &Path) -> Result<(), BackupError> {
    let _not_forking = crate::FORKS.read();
    let backups = Backups::open_or_create(&dir.with_extension("backups"))?;
    let new = NewBackup { id: "backup".to_owned(), created_ms: 1, program: "test".to_owned() };
    backups.create(dir, &new, &mut |_| ())?;
    let (backup, into) = (backups.backup(None)?, restored(dir));
    if into.exists() {
        return Ok(());
    }
    let mut new = NewDirectory::begin(&into, SHARDS.try_into().expect("some shards"))?;
    for shard in (0..SHARDS).map(ShardId) {
        let point = find(&backup, shard, Target::Newest)?;
        copy_shard(&backup, (shard, &point, point.epoch), &mut new, &mut |_| ())?;
    }
    new.seal()?;
    Ok(new.place()?)
}
