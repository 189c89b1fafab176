//! A state on its way back: shows from their snapshots, and what the log adds to them.

use std::collections::BTreeMap;

use usher_wal::{Frame, LogError, Lsn, PartId, ShardId, SnapshotId, SnapshotStore};

use super::RecoveryError;
use crate::{
    codec::{CodecError, read_payload},
    event::Event,
    ids::ShowNumber,
    inventory::Inventory,
    time::Timestamp,
};

/// What was loaded, and what was applied since.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) inventory: Inventory,
    /// By number of the show: up to which frame it has everything.
    pub(super) lsns: Vec<Lsn>,
    /// By show: its version in the snapshot.
    pub(super) covered: BTreeMap<ShowNumber, u64>,
    /// Snapshots that are damaged, where an older one served.
    pub(super) damaged: Vec<String>,
    /// Why the first show that no snapshot gave was not loaded, if there was one. It may be in the log from its creation
    /// on.
    pub(super) missing: Option<RecoveryError>,
}

impl Loaded {
    /// Loads the shows of a shard, in the order of their numbers, as far as their snapshots go.
    ///
    /// # Errors
    /// When the snapshots cannot be listed or read.
    pub(super) fn load(
        shard: ShardId,
        snapshots: &dyn SnapshotStore,
        log_start: Lsn,
    ) -> Result<Self, RecoveryError> {
        let (all, mut loaded) = (snapshots.list()?, Self::default());
        for (number, of_a_show) in (0u32..).zip(all.chunk_by(|one, other| one.part == other.part)) {
            if of_a_show[0].part != PartId(number) || !loaded.load_show(shard, snapshots, of_a_show, log_start)? {
                break;
            }
        }
        Ok(loaded)
    }

    /// Loads the newest snapshot of a show that is whole, the oldest coming first. Returns whether there is one.
    fn load_show(
        &mut self,
        shard: ShardId,
        snapshots: &dyn SnapshotStore,
        of_a_show: &[SnapshotId],
        log_start: Lsn,
    ) -> Result<bool, RecoveryError> {
        let newest = of_a_show.last().map(|newest| newest.lsn);
        // What lies between an older one and the newest must be in the log.
        let serves = |id: &&SnapshotId| Some(id.lsn) == newest || id.lsn >= log_start;
        let mut damages = Vec::new();
        for &id in of_a_show.iter().rev().take_while(serves) {
            match self.load_snapshot(shard, snapshots, id) {
                Ok(()) => {
                    self.damaged.extend(damages.iter().map(ToString::to_string));
                    return Ok(true);
                }
                Err(error @ (RecoveryError::Snapshot { .. } | RecoveryError::Log(LogError::SnapshotDamaged { .. }))) => {
                    damages.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.missing = damages.into_iter().next();
        Ok(false)
    }

    fn load_snapshot(
        &mut self,
        shard: ShardId,
        snapshots: &dyn SnapshotStore,
        id: SnapshotId,
    ) -> Result<(), RecoveryError> {
        let (state, lsn, number) = (snapshots.read(id)?, id.lsn, ShowNumber(id.part.0));
        let loaded = self.inventory.load(&state, Timestamp(0));
        let number = loaded.map_err(|source| RecoveryError::Snapshot { shard, number, lsn, source })?;
        let version = self.inventory.show(number).map_or(0, crate::inventory::Show::version);
        self.covered.insert(number, version);
        self.lsns.push(lsn);
        Ok(())
    }

    /// Applies a frame's events, but for those that a show has already, and counts them.
    pub(super) fn apply(&mut self, frame: &Frame<'_>) -> Result<u64, CodecError> {
        let at = Timestamp(frame.clock_ms);
        let (mut events, mut last) = (0, None);
        for record in read_payload(frame.payload) {
            let (show, mut event) = record?;
            if self.lsns.get(show.0 as usize).is_some_and(|lsn| frame.lsn <= *lsn) {
                continue;
            }
            let is_next = show == self.inventory.next_number();
            if matches!(event, Event::ShowCreated(_)) != is_next || show > self.inventory.next_number() {
                return Err(CodecError::Stored { what: "the log has events of a show that is not there" });
            }
            if let Some(before) = last.replace(show).filter(|before| *before != show) {
                self.inventory.replayed(before, at);
            }
            self.inventory.apply(show, &mut event, at);
            events += 1;
        }
        if let Some(last) = last {
            self.inventory.replayed(last, at);
        }
        Ok(events)
    }
}
