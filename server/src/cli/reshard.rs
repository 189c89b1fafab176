//! `usher reshard`: another number of shards, and shows on other shards than they were created on.

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;
use usher_engine::{
    ids::ShowId,
    inventory::Inventory,
    resharding::{Move, move_shows, plan},
    router::home_of,
    shard::{Loaded, RecoveryError},
    time::Clock as _,
};
use usher_wal::{ReadOnlyStore, RocksLog, RocksStore, ShardId, append_both};

use super::{ask, client::WrongUsage, owner::Owner, print::counted};
use crate::{clock::WallClock, journal};

/// Nothing is lost, and nothing is dumped: a show's state becomes an event of the log that it goes to, and the logs keep
/// what they had. The server must be stopped.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Reshard {
    /// Directory of the log, which no server has open
    #[arg(long, env = "USHER_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    /// Number of shards that there are to be; shows are spread over them anew
    #[arg(long, value_name = "N", required_unless_present = "shows")]
    shards: Option<NonZeroU32>,
    /// A show and the shard that it goes to, such as gala=3; may stand several times
    #[arg(long = "show", value_name = "ID=SHARD", value_parser = parse_place)]
    shows: Vec<(ShowId, u32)>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only say what would move
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, one object a show and line
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
A show that is expected to be hot may have a shard of its own: --show moves it there. With
--shards alone every show goes where one of its id is created under that number. Interrupted, it
is simply run again.

With fewer shards the last ones go, and their logs with what happened on them: shows take their
state along, not their past. Make a backup before, which keeps it.

Exit codes: 0 done; 1 it failed, and what was moved before stays where it went; 2 wrong usage.";

fn parse_place(text: &str) -> anyhow::Result<(ShowId, u32)> {
    let (id, shard) = text.rsplit_once('=').context("a show and a shard, such as gala=3")?;
    Ok((ShowId::new(id)?, shard.parse().context("the number of a shard")?))
}

impl Reshard {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let before = RocksStore::shards_of(&self.data_dir)?
            .with_context(|| format!("there is no data directory {}", self.data_dir.display()))?;
        let after = self.shards.unwrap_or(before);
        if let Some((show, shard)) = self.shows.iter().find(|(_, shard)| *shard >= after.get()) {
            let shards = after.get();
            bail!(WrongUsage(format!("show {show} cannot go to shard {shard}: {shards} shards are counted from 0")));
        }
        let explicit: BTreeMap<&ShowId, u32> = self.shows.iter().map(|(id, shard)| (id, *shard)).collect();
        let place = |id: &ShowId, at: ShardId| match explicit.get(id) {
            Some(shard) => ShardId(*shard),
            None if self.shards.is_some() => home_of(id, after.get()),
            None => at,
        };
        ensure!(
            self.dry_run || ReadOnlyStore::writer(&self.data_dir)?.is_none(),
            "a server has {} open; stop it first",
            self.data_dir.display()
        );
        let found = inventories(&self.data_dir)?;
        let is_there = |id: &ShowId| found.iter().any(|inventory| inventory.number(id).is_some());
        if let Some((show, _)) = self.shows.iter().find(|(id, _)| !is_there(id)) {
            bail!("there is no show {show} in {}", self.data_dir.display());
        }
        let moves = plan(&found, &place);
        drop(found);
        if self.dry_run {
            moves.iter().for_each(|moved| self.print(moved));
        } else {
            if after < before {
                let going = match before.get() - 1 {
                    last if last == after.get() => format!("The log of shard {after} goes, with what it says"),
                    last => format!("The logs of shards {after} to {last} go, with what they say"),
                };
                ask::go_on(&format!("{going} of the past."), self.yes)?;
            }
            let owner = Owner::of(&self.data_dir)?;
            let moved = self.move_all(before.max(after), &place).and_then(|()| match after < before {
                true => Ok(RocksStore::resize(&self.data_dir, after)?),
                false => Ok(()),
            });
            // Whatever became of it, the server's user must be able to read it.
            owner.give_all_below(&self.data_dir)?;
            moved?;
        }
        if !self.json {
            let (would, shows) = (if self.dry_run { "would go" } else { "went" }, counted(moves.len() as u64, "show"));
            println!("{shows} {would} to another shard; {} before, {after} after", counted(before.get(), "shard"));
        }
        Ok(())
    }

    fn move_all(&self, shards: NonZeroU32, place: &dyn Fn(&ShowId, ShardId) -> ShardId) -> anyhow::Result<()> {
        RocksStore::resize(&self.data_dir, shards)?;
        let store = RocksStore::open(&self.data_dir, shards)?;
        let logs: Result<Vec<RocksLog>, _> = (0..shards.get()).map(|shard| store.log(ShardId(shard))).collect();
        move_shows(&mut logs?, WallClock.now(), place, append_both, &mut |moved| self.print(moved))?;
        Ok(())
    }

    fn print(&self, moved: &Move) {
        let Move { show_id, from, to } = moved;
        if self.json {
            println!("{}", json!({ "show_id": show_id.as_str(), "from_shard": from.0, "to_shard": to.0 }));
        } else {
            println!("{show_id}: shard {from} -> {to}");
        }
    }
}

/// The state of every shard, read without changing anything.
fn inventories(data_dir: &std::path::Path) -> anyhow::Result<Vec<Inventory>> {
    let store = journal::open(data_dir)?;
    let of_shard = |shard| recovered(&store, ShardId(shard));
    (0..store.shards().get()).map(of_shard).collect::<Result<_, _>>().map_err(Into::into)
}

fn recovered(store: &ReadOnlyStore, shard: ShardId) -> Result<Inventory, RecoveryError> {
    let mut loaded = Loaded::load(shard, store.snapshots(shard).as_ref(), &store.start(shard)?)?;
    store.replay(shard, &mut |frame| {
        loaded.apply(&frame)?;
        Ok(())
    })?;
    Ok(loaded.inventory)
}
