//! Whether every show would be on one shard, and on one only.
//!
//! A show that went from one shard to another is in the logs of both. Restored to instants of which one lies before that and
//! one behind it, it would be there twice, and every seat of it could be sold twice; or nowhere.

use std::collections::BTreeMap;

use anyhow::bail;
use usher_engine::{ids::ShowId, inventory::Inventory};
use usher_wal::ShardId;

/// Which shows would be where.
#[derive(Default)]
pub(super) struct Places {
    here: BTreeMap<ShowId, Vec<ShardId>>,
    left: BTreeMap<ShowId, ShardId>,
}

impl Places {
    pub(super) fn note(&mut self, shard: ShardId, state: &Inventory) {
        for (number, show) in state.shows() {
            if state.has_left(number) {
                self.left.insert(show.id().clone(), shard);
            } else {
                self.here.entry(show.id().clone()).or_default().push(shard);
            }
        }
    }

    /// # Errors
    /// Which show would not be where it should.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let remedy = "restore all shards to one time or one backup, or the show alone, with --show";
        if let Some((show, shards)) = self.here.iter().find(|(_, shards)| shards.len() > 1) {
            let (one, other) = (shards[0], shards[1]);
            bail!("show {show} would be on the shards {one} and {other}: it went from one to the other; {remedy}");
        }
        if let Some((show, shard)) = self.left.iter().find(|(show, _)| !self.here.contains_key(*show)) {
            bail!("show {show} would be nowhere: it had left shard {shard} by then, and come to no other; {remedy}");
        }
        Ok(())
    }
}
