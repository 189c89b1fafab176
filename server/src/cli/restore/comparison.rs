//! The comparison of all shards then and now: also of shows that went from one shard to another in between.

use std::collections::BTreeMap;

use usher_engine::{
    ids::{ShowId, ShowNumber},
    inventory::{Inventory, Show, diff, stored},
};
use usher_wal::ShardId;

use super::differences::ShowDifferences;

/// Shows that were found on one side only, until the other side is found on another shard; and what differs.
#[derive(Default)]
pub(super) struct Comparison {
    then: BTreeMap<ShowId, (ShardId, Show)>,
    now: BTreeMap<ShowId, (ShardId, Show)>,
    found: Vec<(ShardId, ShowDifferences)>,
}

impl Comparison {
    /// Compares two states of a shard.
    pub(super) fn add(&mut self, shard: ShardId, then: &mut Inventory, now: &mut Inventory) {
        let differing = diff::diff(then, now);
        for show in differing.shows {
            let manifest = now.number(&show.show_id).and_then(|number| now.show(number)).map(Show::manifest).cloned();
            self.found.push((shard, ShowDifferences::new(show, manifest)));
        }
        self.then.extend(copies(shard, then, &differing.only_then));
        self.now.extend(copies(shard, now, &differing.only_now));
    }

    /// What differs of every show, with the shard that it was on, or is.
    pub(super) fn finish(mut self) -> Vec<(ShardId, ShowDifferences)> {
        for (id, (shard, then)) in std::mem::take(&mut self.then) {
            let now = self.now.remove(&id).map(|(_, show)| show);
            self.compare(shard, Some(&then), now.as_ref());
        }
        for (shard, now) in std::mem::take(&mut self.now).into_values() {
            self.compare(shard, None, Some(&now));
        }
        self.found
    }

    fn compare(&mut self, shard: ShardId, then: Option<&Show>, now: Option<&Show>) {
        let manifest = now.or(then).map(Show::manifest).cloned();
        let differing = diff::of_show(then, now).map(|show| (shard, ShowDifferences::new(show, manifest)));
        self.found.extend(differing);
    }
}

/// Copies of these shows, which outlive the state that they are of.
fn copies(shard: ShardId, state: &mut Inventory, numbers: &[ShowNumber]) -> Vec<(ShowId, (ShardId, Show))> {
    let copy = |number: &ShowNumber| stored::read(&state.freeze(*number).store()).ok();
    let shows: Vec<Show> = numbers.iter().filter_map(copy).collect();
    shows.into_iter().map(|show| (show.id().clone(), (shard, show))).collect()
}
