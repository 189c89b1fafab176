//! A shard's state as it was after some frame, from wherever its frames and snapshots are.

use std::{ops::ControlFlow, sync::Arc};

use usher_wal::{LogError, Lsn, ShardId, SnapshotId, Snapshots, backup::Source};

use super::{Loaded, RecoveryError};
use crate::{
    ids::ShowId,
    inventory::{Inventory, stored::FrozenShow},
};

/// The state of a shard after the frame at `lsn`, or as the source begins where that is before it.
///
/// # Errors
/// What is wrong with the source before that frame.
pub fn rebuild(source: &dyn Source, shard: ShardId, lsn: Lsn) -> Result<Inventory, RecoveryError> {
    let earlier = UpTo { snapshots: source.snapshots(shard)?, lsn };
    let mut loaded = Loaded::load(shard, &earlier, &source.start(shard)?)?;
    if lsn == Lsn::ZERO {
        return Ok(loaded.inventory);
    }
    source.frames(shard, &mut |frame, _| {
        loaded.apply(&frame)?;
        Ok(if frame.lsn >= lsn { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(loaded.inventory)
}

/// One show as it was after the frame at `lsn`, to be stored or loaded elsewhere; `None` where there was none.
///
/// # Errors
/// As [`rebuild`].
pub fn show_at(
    source: &dyn Source,
    (shard, lsn): (ShardId, Lsn),
    show: &ShowId,
) -> Result<Option<FrozenShow>, RecoveryError> {
    let mut inventory = rebuild(source, shard, lsn)?;
    Ok(inventory.number(show).map(|number| inventory.freeze(number)))
}

/// The snapshots that were taken by then.
struct UpTo {
    snapshots: Arc<dyn Snapshots>,
    lsn: Lsn,
}

impl Snapshots for UpTo {
    fn list(&self) -> Result<Vec<SnapshotId>, LogError> {
        Ok(self.snapshots.list()?.into_iter().filter(|id| id.lsn <= self.lsn).collect())
    }

    fn read(&self, id: SnapshotId) -> Result<Vec<u8>, LogError> {
        self.snapshots.read(id)
    }
}
