//! Where a restore reads from: what is restored, what is replaced, and what there is now.

use std::path::Path;

use anyhow::Context as _;
use usher_engine::{inventory::Inventory, shard::rebuild};
use usher_wal::{
    DirectoryId, LogError, Lsn, ReadOnlyStore, ShardEpoch, ShardId,
    backup::{self, Backups, Point, SoundPart, Source, Target},
};

use super::Restore;
use crate::{cli::client::WrongUsage, journal};

/// Above whatever a directory that cannot be read may have reached.
const EPOCHS_UNKNOWN: u64 = 1_000;

/// Where things are read from.
pub(super) struct Sources {
    pub(super) from: Box<dyn Source>,
    /// When the backup was made that is restored from, if it is one.
    pub(super) backup_made_ms: Option<u64>,
    /// Whose backup that is, if it says so.
    backup_of: Option<DirectoryId>,
    /// The directory that is replaced, if it can be read.
    pub(super) replaced: Option<SoundPart>,
    /// What there is now, if that is another one than these; or why it cannot be read.
    now: Option<Result<SoundPart, String>>,
    /// Nobody knows how far the directory that is replaced had come.
    is_replaced_unreadable: bool,
}

impl Sources {
    pub(super) fn open(restore: &Restore) -> anyhow::Result<Self> {
        let (mut backup_made_ms, mut backup_of) = (None, None);
        let from: Box<dyn Source> = match Backups::open(&restore.from) {
            Ok(backups) => {
                let backup = backups.backup(restore.backup.as_deref())?;
                (backup_made_ms, backup_of) = (Some(backup.catalogue().created_ms), backup.catalogue().data_directory);
                Box::new(backup)
            }
            Err(_) if restore.backup.is_some() => {
                return Err(WrongUsage(format!("{} is no directory of backups", restore.from.display())).into());
            }
            Err(_) => Box::new(data_directory(&restore.from).with_context(|| {
                format!("{} is neither a directory of backups nor a readable data directory", restore.from.display())
            })?),
        };
        let read = |dir: &Path| match dir.is_dir() {
            true => data_directory(dir).map_err(|error| error.to_string()),
            false => Err(format!("{} is no directory", dir.display())),
        };
        let replaced = restore.in_place.as_deref().map(read);
        let is_replaced_unreadable = replaced.as_ref().is_some_and(Result::is_err);
        let (replaced, now) = match replaced {
            Some(Ok(replaced)) => (Some(replaced), None),
            Some(Err(why)) => (None, Some(Err(why))),
            None => (None, restore.data_dir.as_deref().map(read)),
        };
        Ok(Self { from, backup_made_ms, backup_of, replaced, now, is_replaced_unreadable })
    }

    /// What there is now; why it cannot be read, otherwise.
    pub(super) fn now(&self) -> Result<&dyn Source, String> {
        match (&self.replaced, &self.now) {
            (Some(replaced), _) => Ok(replaced),
            (None, Some(Ok(now))) => Ok(now),
            (None, Some(Err(why))) => Err(why.clone()),
            (None, None) => Ok(self.from.as_ref()),
        }
    }

    /// The id of the directory that is replaced, which the restored one has too; what is restored elsewhere gets its own.
    pub(super) fn identity(&self) -> anyhow::Result<Option<DirectoryId>> {
        match &self.replaced {
            Some(replaced) => Ok(replaced.0.identity()?),
            None if self.is_replaced_unreadable => Ok(self.backup_of),
            None => Ok(None),
        }
    }

    /// Above every epoch that is known of a shard.
    pub(super) fn epoch(&self, shard: ShardId) -> anyhow::Result<ShardEpoch> {
        let mut epoch = self.from.epoch(shard)?;
        if let Some(replaced) = &self.replaced {
            // It may have had fewer shards.
            epoch = epoch.max(replaced.epoch(shard).unwrap_or(ShardEpoch::ZERO));
        }
        Ok(if self.is_replaced_unreadable { ShardEpoch(epoch.0 + EPOCHS_UNKNOWN) } else { epoch })
    }
}

/// A data directory, or what is sound of it.
pub(super) fn data_directory(dir: &Path) -> Result<SoundPart, LogError> {
    journal::open(dir).or_else(|_| ReadOnlyStore::open_sound_part(dir)).map(SoundPart)
}

/// The state of a shard after an LSN.
pub(super) fn state(source: &dyn Source, shard: ShardId, lsn: Lsn) -> anyhow::Result<Inventory> {
    rebuild(source, shard, lsn).with_context(|| format!("shard {shard} up to LSN {lsn}"))
}

/// The last state of a shard that there is, with its LSN.
pub(super) fn newest(source: &dyn Source, shard: ShardId) -> anyhow::Result<(Point, Inventory)> {
    let point = backup::find(source, shard, Target::Newest)?;
    let state = state(source, shard, point.lsn)?;
    Ok((point, state))
}
