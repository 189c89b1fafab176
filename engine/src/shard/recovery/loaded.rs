//! A state on its way back: shows from their snapshots, and what the log adds to them.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use usher_wal::{Frame, LogError, LogStart, Lsn, PartId, ShardId, SnapshotId, Snapshots};

use super::RecoveryError;
use crate::{
    codec::{CodecError, read_payload},
    event::Event,
    ids::ShowNumber,
    inventory::Inventory,
    time::Timestamp,
};

/// Why a frame could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Its bytes are no events, or those of a show that is not there.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// They are events, but cannot have followed from the state.
    #[error("its events do not fit what was before them: {0}")]
    DoesNotFit(String),
}

/// A state that was loaded from snapshots, and what was applied to it since.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The state.
    pub inventory: Inventory,
    /// By number of the show: up to which frame its snapshot has everything. None of a show that had no snapshot.
    pub lsns: Vec<Lsn>,
    /// By show: its version in the snapshot, and when that was taken.
    pub covered: BTreeMap<ShowNumber, (u64, Lsn)>,
    /// Snapshots that are damaged, where an older one served.
    pub damaged: Vec<String>,
}

impl Loaded {
    /// Loads the shows of a shard, in the order of their numbers, as far as their snapshots go. Those that were created
    /// behind the start of the log are in it, whatever became of their snapshots.
    ///
    /// # Errors
    /// When a snapshot is missing or damaged that the log rests on; when they cannot be listed or read.
    pub fn load(shard: ShardId, snapshots: &dyn Snapshots, start: &LogStart) -> Result<Self, RecoveryError> {
        let (all, mut loaded) = (snapshots.list()?, Self::default());
        for number in (0u32..).map(ShowNumber) {
            let needed = start.snapshots.get(number.0 as usize).map(|needed| needed.lsn);
            let (part, from) = (PartId(number.0), needed.unwrap_or(Lsn::ZERO));
            // What lies between an older one and the one that is needed is not in the log any more.
            let first = all.partition_point(|id| (id.part, id.lsn) < (part, from));
            let serving = all[first..].iter().take_while(|id| id.part == part);
            let is_loaded = loaded.load_show(shard, snapshots, serving.copied().collect())?;
            match needed {
                Some(lsn) if !is_loaded => return Err(RecoveryError::SnapshotMissing { shard, number, lsn }),
                None if !is_loaded => break,
                _ => {}
            }
        }
        Ok(loaded)
    }

    /// Loads the last of these snapshots of the next show that is whole. Returns whether there is one.
    fn load_show(
        &mut self,
        shard: ShardId,
        snapshots: &dyn Snapshots,
        serving: Vec<SnapshotId>,
    ) -> Result<bool, RecoveryError> {
        for id in serving.into_iter().rev() {
            match self.load_snapshot(shard, snapshots, id) {
                Ok(()) => return Ok(true),
                Err(
                    error @ (RecoveryError::Snapshot { .. } | RecoveryError::Log(LogError::SnapshotDamaged { .. })),
                ) => {
                    self.damaged.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn load_snapshot(
        &mut self,
        shard: ShardId,
        snapshots: &dyn Snapshots,
        id: SnapshotId,
    ) -> Result<(), RecoveryError> {
        let (state, lsn, number) = (snapshots.read(id)?, id.lsn, ShowNumber(id.part.0));
        let loaded = self.inventory.load(&state, Timestamp(0));
        let number = loaded.map_err(|source| RecoveryError::Snapshot { shard, number, lsn, source })?;
        let version = self.inventory.show(number).map_or(0, crate::inventory::Show::version);
        self.covered.insert(number, (version, lsn));
        self.lsns.push(lsn);
        Ok(())
    }

    /// Applies a frame's events, but for those that a show has already, and counts them.
    ///
    /// # Errors
    /// [`ApplyError`]; the state means nothing any more then.
    pub fn apply(&mut self, frame: &Frame<'_>) -> Result<u64, ApplyError> {
        // A log may say what cannot be, and a state that must not be panics.
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply_fitting(frame)));
        applied.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            ApplyError::DoesNotFit(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no words").to_owned())
        })?
    }

    fn apply_fitting(&mut self, frame: &Frame<'_>) -> Result<u64, ApplyError> {
        let at = Timestamp(frame.clock_ms);
        let (mut events, mut last) = (0, None);
        for record in read_payload(frame.payload, at) {
            let (show, mut event) = record.map_err(ApplyError::from)?;
            if self.lsns.get(show.0 as usize).is_some_and(|lsn| frame.lsn <= *lsn) {
                continue;
            }
            let next = self.inventory.next_number();
            if event.begins_show(show, next) != (show == next) || show > next || self.inventory.has_left(show) {
                return Err(CodecError::Stored { what: "the log has events of a show that is not there" }.into());
            }
            if let Event::ShowLoaded(loaded) = &event {
                self.inventory.check_load(show, loaded)?;
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
