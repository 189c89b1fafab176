//! What each shard is restored to, from where, and how that differs from what there is now.

use std::{path::Path, str::FromStr};

use anyhow::{Context as _, bail, ensure};
use usher_engine::{
    inventory::{Inventory, StateHash, diff},
    shard::rebuild,
};
use usher_wal::{
    LogError, Lsn, ReadOnlyStore, ShardEpoch, ShardId,
    backup::{self, Backups, Point, SoundPart, Source, Target},
};

use super::{Restore, differences::ShowDifferences};
use crate::{cli::client::WrongUsage, journal};

/// Above whatever a directory that cannot be read may have reached.
const EPOCHS_UNKNOWN: u64 = 1_000;

/// An LSN, and of which shard, unless that is clear.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardLsn {
    shard: Option<u32>,
    lsn: u64,
}

impl FromStr for ShardLsn {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (shard, lsn) = match text.split_once(':') {
            Some((shard, lsn)) => (Some(shard), lsn),
            None => (None, text),
        };
        let shard = shard.map(str::parse).transpose().context("the shard must be a number")?;
        Ok(Self { shard, lsn: lsn.parse().context("must be [SHARD:]LSN, such as 4711 or 0:4711")? })
    }
}

/// Where things are read from.
pub(super) struct Sources {
    from: Box<dyn Source>,
    /// The directory that is replaced, if it can be read.
    replaced: Option<SoundPart>,
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
    fn now(&self) -> &dyn Source {
        let data_directory = self.replaced.as_ref().or(self.now.as_ref());
        data_directory.map_or(self.from.as_ref(), |source| source)
    }

    /// Above every epoch that is known of a shard.
    fn epoch(&self, shard: ShardId) -> anyhow::Result<ShardEpoch> {
        let mut epoch = self.from.epoch(shard)?;
        if let Some(replaced) = &self.replaced {
            epoch = epoch.max(replaced.epoch(shard)?);
        }
        Ok(if self.is_replaced_unreadable { ShardEpoch(epoch.0 + EPOCHS_UNKNOWN) } else { epoch })
    }
}

/// A data directory, or what is sound of it.
fn data_directory(dir: &Path) -> Result<SoundPart, LogError> {
    journal::open(dir).or_else(|_| ReadOnlyStore::open_sound_part(dir)).map(SoundPart)
}

/// What a restore does.
pub(super) struct Plan {
    pub(super) shards: Vec<ShardPlan>,
}

/// What a restore does to one shard.
pub(super) struct ShardPlan {
    pub(super) shard: ShardId,
    /// Taken whole from the directory that is replaced.
    pub(super) is_kept: bool,
    pub(super) point: Point,
    pub(super) epoch: ShardEpoch,
    /// Of the state at that point.
    pub(super) state_hash: StateHash,
    /// The last LSN that there is now.
    pub(super) now: Lsn,
    pub(super) shows: Vec<ShowDifferences>,
}

impl ShardPlan {
    pub(super) fn source<'a>(&self, sources: &'a Sources) -> &'a dyn Source {
        match &sources.replaced {
            Some(replaced) if self.is_kept => replaced,
            _ => sources.from.as_ref(),
        }
    }
}

impl Plan {
    pub(super) fn make(restore: &Restore, sources: &Sources) -> anyhow::Result<Self> {
        let shards = sources.from.shards().get();
        let now = sources.now().shards().get();
        ensure!(now == shards, "what is restored has {shards} shards, what there is now has {now}; use --into");
        if let Some(shard) = restore.shard {
            ensure!(shard < shards, "there is no shard {shard}: the {shards} shards are counted from 0");
            let is_whole = restore.in_place.is_none() || sources.replaced.is_some();
            ensure!(is_whole, "the other shards cannot be read where they are; restore all, without --shard");
        }
        let targets = targets(restore, shards)?;
        let of_shard = |(shard, target): (u32, Target)| ShardPlan::make(restore, sources, ShardId(shard), target);
        Ok(Self { shards: (0..).zip(targets).map(of_shard).collect::<anyhow::Result<_>>()? })
    }
}

/// By shard, the instant that is asked for.
fn targets(restore: &Restore, shards: u32) -> anyhow::Result<Vec<Target>> {
    let wanted = restore.to_time.map_or(Target::Newest, Target::TimeMs);
    let is_restored = |shard| restore.shard.is_none_or(|only| only == shard);
    let targets = (0..shards).map(|shard| if is_restored(shard) { wanted } else { Target::Newest });
    let mut targets: Vec<Target> = targets.collect();
    for ShardLsn { shard, lsn } in restore.to_lsn.iter().copied() {
        let Some(shard) = shard.or(restore.shard).or((shards == 1).then_some(0)) else {
            return Err(
                WrongUsage(format!("there are {shards} shards: say which as SHARD:{lsn}, or with --shard")).into()
            );
        };
        if !is_restored(shard) {
            return Err(WrongUsage(format!("shard {shard} is not the one that --shard names")).into());
        }
        *targets.get_mut(shard as usize).with_context(|| format!("there is no shard {shard}"))? = Target::Lsn(Lsn(lsn));
    }
    Ok(targets)
}

impl ShardPlan {
    fn make(restore: &Restore, sources: &Sources, shard: ShardId, target: Target) -> anyhow::Result<Self> {
        let is_kept = restore.in_place.is_some() && restore.shard.is_some_and(|only| only != shard.0);
        let mut plan = Self {
            shard,
            is_kept,
            point: Point { lsn: Lsn::ZERO, clock_ms: 0, epoch: ShardEpoch::ZERO, damage: None },
            epoch: sources.epoch(shard)?,
            state_hash: StateHash(0),
            now: Lsn::ZERO,
            shows: Vec::new(),
        };
        let source = plan.source(sources);
        plan.point = backup::find(source, shard, target)?;
        if let Some(damage) = plan.point.damage.as_ref().filter(|_| is_kept) {
            bail!("shard {shard}, which was to stay, is damaged: {damage}; restore all, without --shard");
        }
        let then = state(source, shard, plan.point.lsn)?;
        plan.state_hash = then.state_hash();
        if is_kept {
            plan.now = plan.point.lsn;
            return Ok(plan);
        }
        // What there is now may be damaged: then it is compared as far as it is sound, or not at all.
        let last = backup::find(sources.now(), shard, Target::Newest).map(|point| point.lsn);
        let now = last.map_err(anyhow::Error::from).and_then(|lsn| Ok((lsn, state(sources.now(), shard, lsn)?)));
        if let Ok((lsn, now)) = now {
            plan.now = lsn;
            let differing = diff::diff(&then, &now).into_iter();
            let differing = differing.filter(|show| restore.show.as_ref().is_none_or(|id| show.show_id.as_str() == id));
            plan.shows = differing.map(|show| ShowDifferences::new(show, &then, &now)).collect();
        }
        Ok(plan)
    }
}

fn state(source: &dyn Source, shard: ShardId, lsn: Lsn) -> anyhow::Result<Inventory> {
    rebuild(source, shard, lsn).with_context(|| format!("shard {shard} up to LSN {lsn}"))
}
