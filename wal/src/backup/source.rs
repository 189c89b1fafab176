//! Where a shard can be restored from: a data directory or a backup, read alike.

use std::fs::File;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::segment;
use super::snapshots::BackupSnapshots;
use super::{BackupError, Catalogue, ShardBackup};
use crate::chain::Chain;
use crate::{EncodedVisit, LogError, LogStart, Lsn, ReadOnlyStore, ShardEpoch, ShardId, Snapshots};

/// Frames and snapshots of several shards, to be read.
pub trait Source {
    /// How many shards there are, counted from 0.
    fn shards(&self) -> NonZeroU32;

    /// Where a shard's log begins here.
    ///
    /// # Errors
    /// [`LogError::UnknownShard`], [`LogError::Storage`].
    fn start(&self, shard: ShardId) -> Result<LogStart, BackupError>;

    /// The highest epoch that is known of a shard.
    ///
    /// # Errors
    /// As [`Self::start`].
    fn epoch(&self, shard: ShardId) -> Result<ShardEpoch, BackupError>;

    /// How far a shard was known to have come: with less, something that was acknowledged is lost.
    ///
    /// # Errors
    /// As [`Self::start`].
    fn acknowledged(&self, shard: ShardId) -> Result<Lsn, BackupError>;

    /// The snapshots of a shard.
    ///
    /// # Errors
    /// As [`Self::start`].
    fn snapshots(&self, shard: ShardId) -> Result<Arc<dyn Snapshots>, BackupError>;

    /// Visits every frame of a shard in order, the one at which the log begins first, all verified, until the visitor has
    /// enough. Unless he has, everything behind them has been verified too.
    ///
    /// # Errors
    /// What is wrong, with file or shard and LSN; all before that has been visited.
    fn frames(&self, shard: ShardId, visit: &mut EncodedVisit<'_>) -> Result<(), BackupError>;

    /// Whether what is sound before some damage is wanted without further question: of a directory that is to be saved.
    fn is_salvaged(&self) -> bool;
}

/// The first LSN at which every snapshot had been taken that a log rests on: from there on it can be restored.
pub(super) fn restorable_from(start: &LogStart) -> Lsn {
    start.snapshots.iter().map(|id| id.lsn).fold(start.lsn, Lsn::max)
}

/// A data directory as the source of a restore, as far as it is sound.
pub struct SoundPart(pub ReadOnlyStore);

impl Source for SoundPart {
    fn shards(&self) -> NonZeroU32 {
        self.0.shards()
    }

    fn start(&self, shard: ShardId) -> Result<LogStart, BackupError> {
        Ok(self.0.start(shard)?)
    }

    fn epoch(&self, shard: ShardId) -> Result<ShardEpoch, BackupError> {
        Ok(self.0.highest_epoch(shard)?)
    }

    fn acknowledged(&self, shard: ShardId) -> Result<Lsn, BackupError> {
        Ok(self.0.acknowledged(shard)?)
    }

    fn snapshots(&self, shard: ShardId) -> Result<Arc<dyn Snapshots>, BackupError> {
        Ok(self.0.snapshots(shard))
    }

    fn frames(&self, shard: ShardId, visit: &mut EncodedVisit<'_>) -> Result<(), BackupError> {
        let from = self.0.start(shard)?.lsn.max(Lsn::FIRST);
        self.0.export(shard, from, visit)?;
        Ok(())
    }

    fn is_salvaged(&self) -> bool {
        true
    }
}

/// One backup, which stays as it is as long as this lives.
pub struct Backup {
    pub(super) catalogue: Catalogue,
    /// The directory of all backups.
    pub(super) dir: PathBuf,
    /// Shared by all who read.
    pub(super) _lock: File,
}

impl Backup {
    /// What it has.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn shard(&self, shard: ShardId) -> Result<&ShardBackup, BackupError> {
        let unknown = || LogError::UnknownShard { shard, shards: self.shards().get() };
        Ok(self.catalogue.shards.get(shard.index()).ok_or_else(unknown)?)
    }
}

impl Source for Backup {
    fn shards(&self) -> NonZeroU32 {
        let shards = u32::try_from(self.catalogue.shards.len()).unwrap_or(u32::MAX);
        NonZeroU32::new(shards).unwrap_or(NonZeroU32::MIN)
    }

    fn start(&self, shard: ShardId) -> Result<LogStart, BackupError> {
        Ok(self.shard(shard)?.start.log.clone())
    }

    fn epoch(&self, shard: ShardId) -> Result<ShardEpoch, BackupError> {
        Ok(self.shard(shard)?.epoch)
    }

    fn acknowledged(&self, shard: ShardId) -> Result<Lsn, BackupError> {
        Ok(self.shard(shard)?.end.lsn)
    }

    fn snapshots(&self, shard: ShardId) -> Result<Arc<dyn Snapshots>, BackupError> {
        let files = self.shard(shard)?.snapshots.clone();
        Ok(Arc::new(BackupSnapshots::new(self.dir.join(super::SNAPSHOTS), shard, files)))
    }

    fn frames(&self, shard: ShardId, visit: &mut EncodedVisit<'_>) -> Result<(), BackupError> {
        let backup = self.shard(shard)?;
        let Some(first) = backup.segments.first() else { return Ok(()) };
        let start = backup.start.log.lsn.max(Lsn::FIRST);
        let mut chain = Chain::anchored(shard, first.from, start);
        for segment in &backup.segments {
            let path = segment.path(&self.dir.join(super::SEGMENTS), shard);
            if segment::read((&path, shard), segment, &mut chain, visit)? == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        let (tail, _) = chain.end()?;
        if tail.lsn != backup.end.lsn || u128::from_le_bytes(tail.hash.0) != backup.end.hash.0 {
            let path = self.dir.join(super::BACKUPS).join(format!("{}.json", self.catalogue.id));
            return Err(BackupError::Catalogue { path, reason: format!("shard {shard} ends otherwise than it says") });
        }
        Ok(())
    }

    fn is_salvaged(&self) -> bool {
        false
    }
}
