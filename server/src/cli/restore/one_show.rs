//! One show put back to what it was, by an event of its own log that carries it whole. Nothing is replaced: what it was until
//! then stays in the log before, and all other shows go on.

use std::path::Path;

use anyhow::{Context as _, Error, ensure};
use serde_json::{Value, json};
use usher_engine::{
    event::ShowLoaded, ids::ShowId, inventory::diff, restoring::restore_show, router::home_of, time::Clock as _,
};
use usher_wal::{
    Held, Lsn, RocksStore, ShardId,
    backup::{self, Point, Source},
};

use super::{
    Restore,
    differences::ShowDifferences,
    plan::{check_time, targets},
    sources::{Sources, newest, state},
};
use crate::{
    cli::{log::check_shard, when::utc},
    clock::WallClock,
};

/// What is done to one show.
pub(super) struct ShowPlan {
    id: ShowId,
    /// Where it was then, and how far that shard had come.
    of: ShardId,
    point: Point,
    /// The show as it was.
    state: Vec<u8>,
    /// Where it is now, or is to be.
    to: ShardId,
    now: Lsn,
    differences: Option<ShowDifferences>,
}

impl ShowPlan {
    pub(super) fn make(restore: &Restore, sources: &Sources, id: &str) -> anyhow::Result<Self> {
        let id = ShowId::new(id)?;
        let (from, shards) = (sources.from.as_ref(), sources.from.shards().get());
        let of = match restore.shard_of_show() {
            Some(shard) => ShardId(shard),
            None => shard_of(from, &id)?.with_context(|| {
                format!(
                    "there is no show {id} in what is restored from; if there was one, say on which shard with --shard"
                )
            })?,
        };
        check_shard(of.0, shards)?;
        let target = targets(restore, shards, Some(of))?[of.0 as usize];
        let point = backup::find(from, of, target)?;
        let mut then = state(from, of, point.lsn)?;
        check_time(restore, sources, point.clock_ms)?;
        let now = sources.now().map_err(Error::msg).context("what there is now cannot be read")?;
        let here = shard_of(now, &id)?;
        let number = then.number(&id).with_context(|| not_there(&id, (of, point.lsn), here))?;
        let bytes = then.freeze(number).store();
        let to = here.unwrap_or_else(|| home_of(&id, now.shards().get()));
        let (at, state_now) = newest(now, to)?;
        let show_now = state_now.number(&id).and_then(|number| state_now.show(number));
        let show_then = then.show(number);
        let manifest = show_now.or(show_then).map(|show| show.manifest().clone());
        let differences = diff::of_show(show_then, show_now).map(|found| ShowDifferences::new(found, manifest));
        Ok(Self { id, of, point, state: bytes, to, now: at.lsn, differences })
    }

    pub(super) fn print(&self, limit: usize) {
        let (of, lsn, time) = (self.of, self.point.lsn, utc(self.point.clock_ms));
        println!("to shard {of} after LSN {lsn}, {time}; now on shard {}, at LSN {}", self.to, self.now);
        match &self.differences {
            Some(differences) => differences.print(limit),
            None => println!("  nothing differs"),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "show_id": self.id.as_str(), "of_shard": self.of.0, "lsn": self.point.lsn.0,
            "clock_ms": self.point.clock_ms, "time": utc(self.point.clock_ms), "shard": self.to.0, "now_lsn": self.now.0,
            "shows": self.differences.iter().map(ShowDifferences::to_json).collect::<Vec<_>>(),
        })
    }

    /// Appends the event to the log of a data directory that nobody has open, and proves what follows from it.
    ///
    /// # Errors
    /// What the log says; whether the show was put back is then told by doing it again with `--dry-run`.
    pub(super) fn put(self, dir: &Path, sources: &Sources, held: Held) -> anyhow::Result<Lsn> {
        let shards = sources.now().map_err(Error::msg)?.shards();
        let loaded = ShowLoaded { of_shard: self.of.0, of_lsn: self.point.lsn.0, state: self.state };
        let then = state(sources.from.as_ref(), self.of, self.point.lsn)?;
        // The store takes the lock itself.
        drop(held);
        let store = RocksStore::open(dir, shards)?;
        let (_, lsn) = restore_show(&mut store.log(self.to)?, WallClock.now(), loaded)?;
        drop(store);
        let (_, now) = newest(&super::sources::data_directory(dir)?, self.to)?;
        let show = |state: &usher_engine::inventory::Inventory| state.number(&self.id);
        let (then, now) =
            (show(&then).and_then(|number| then.show(number)), show(&now).and_then(|number| now.show(number)));
        let differs = diff::of_show(then, now).map(|found| ShowDifferences::new(found, None));
        let is_as_it_was = differs.is_none_or(|found| found.is_of_version_only());
        ensure!(is_as_it_was, "LSN {lsn} put show {} back, but not to what it was: this is a bug", self.id);
        Ok(lsn)
    }
}

/// What to say of a show that was not on a shard after an LSN, and where it is now.
fn not_there(id: &ShowId, (of, lsn): (ShardId, Lsn), here: Option<ShardId>) -> String {
    let where_now = match here {
        None => String::new(),
        Some(here) if here == of => format!(
            "; if it came from another one later, as `usher log tail --show {id}` tells, say which with --to-lsn SHARD:LSN \
             or --shard"
        ),
        Some(here) => format!("; it is on shard {here} now: say so with --to-lsn {here}:LSN or --shard {here}"),
    };
    format!("there was no show {id} on shard {of} after LSN {lsn}{where_now}")
}

/// The shard on which a show is at the end of a source.
fn shard_of(source: &dyn Source, id: &ShowId) -> anyhow::Result<Option<ShardId>> {
    for shard in (0..source.shards().get()).map(ShardId) {
        if newest(source, shard)?.1.number(id).is_some() {
            return Ok(Some(shard));
        }
    }
    Ok(None)
}
