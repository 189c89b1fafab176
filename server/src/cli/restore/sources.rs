//! Where a restore reads from: what is restored, what is replaced, and what there is now.

use std::path::Path;

use anyhow::Context as _;
use usher_engine::{inventory::Inventory, shard::rebuild};
use usher_wal::{
    LogError, Lsn, ReadOnlyStore, ShardEpoch, ShardId,
    backup::{self, Backups, Point, SoundPart, Source, Target},
};

use super::Restore;
use crate::{cli::client::WrongUsage, journal};

/// Above whatever a directory that cannot be read may have reached.
const EPOCHS_UNKNOWN: u64 = 1_000;

/// Where things are read from.
pub(super) struct Sources {
    pub(super) from: Box<dyn Source>,
    /// The directory that is replaced, if it can be read.
    pub(super) replaced: Option<SoundPart>,
    /// What there is now, if that is another one than these.
    now: Option<SoundPart>,
    /// Nobody knows how far the directory that is replaced had come.
    is_replaced_unreadable: bool,
}

impl Sources {
    pub(super) fn open(restore: &Restore) -> anyhow::Result<Self> {
        let from: Box<dyn Source> = match Backups::open(&restore.from) {
            Ok(backups) => Box::new(backups.backup(restore.backup.as_deref())?),
            Err(_) if restore.backup.is_some() => {
                return Err(WrongUsage(format!("{} is no directory of backups", restore.from.display())).into());
            }
            Err(_) => Box::new(data_directory(&restore.from).with_context(|| {
                format!("{} is neither a directory of backups nor a readable data directory", restore.from.display())
            })?),
        };
        let replaced = restore.in_place.as_deref().map(data_directory);
        let is_replaced_unreadable = replaced.as_ref().is_some_and(Result::is_err);
        let now = match (&restore.in_place, restore.data_dir.as_deref()) {
            (None, Some(dir)) => Some(data_directory(dir)?),
            _ => None,
        };
        Ok(Self { from, replaced: replaced.and_then(Result::ok), now, is_replaced_unreadable })
    }

    /// What there is now.
    pub(super) fn now(&self) -> &dyn Source {
        let data_directory = self.replaced.as_ref().or(self.now.as_ref());
        data_directory.map_or(self.from.as_ref(), |source| source)
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
