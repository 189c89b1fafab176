//! What each shard is restored to, from where, and how that differs from what there is now.

use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use usher_engine::inventory::{Inventory, StateHash};
use usher_wal::{
    Lsn, ShardEpoch, ShardId,
    backup::{self, Point, Source, Target},
};

use super::{
    Restore,
    comparison::Comparison,
    differences::ShowDifferences,
    places::Places,
    sources::{Sources, newest, state},
};
use crate::cli::client::WrongUsage;

/// An LSN, and of which shard, unless that is clear.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardLsn {
    pub(super) shard: Option<u32>,
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
    /// Up to which LSN it was acknowledged, where the source has less, and nobody asked for an earlier LSN.
    pub(super) lost: Option<Lsn>,
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
        if let Some(shard) = restore.shard {
            ensure!(shard < shards, "there is no shard {shard}: the {shards} shards are counted from 0");
            let replaced = sources.replaced.as_ref().map(|source| source.shards().get());
            ensure!(
                restore.in_place.is_none() || replaced == Some(shards),
                "the other shards cannot be read where they are, or are not as many; restore all, without --shard"
            );
        }
        let (mut plan, mut comparison, mut places) =
            (Self { shards: Vec::new() }, Comparison::default(), Places::default());
        for (shard, target) in (0..).map(ShardId).zip(targets(restore, shards, None)?) {
            let (mut own, mut then) = ShardPlan::make(restore, sources, shard, target)?;
            places.note(shard, &then);
            // What there is now may be damaged: then it is compared as far as it is sound, or not at all.
            match newest(sources.now(), shard).ok().filter(|_| !own.is_kept) {
                Some((point, mut now)) => {
                    own.now = point.lsn;
                    comparison.add(shard, &mut then, &mut now);
                }
                None if own.is_kept => own.now = own.point.lsn,
                None => {}
            }
            plan.shards.push(own);
        }
        for shard in (shards..sources.now().shards().get()).map(ShardId) {
            if let Ok((_, mut now)) = newest(sources.now(), shard) {
                comparison.add(shard, &mut Inventory::default(), &mut now);
            }
        }
        places.check()?;
        for (shard, show) in comparison.finish() {
            // One of a shard that would be gone is told with the last.
            let at = plan.shards.len().saturating_sub(1).min(shard.0 as usize);
            plan.shards[at].shows.push(show);
        }
        Ok(plan)
    }
}

/// By shard, the instant that is asked for; of `only` one, if that is given.
pub(super) fn targets(restore: &Restore, shards: u32, only: Option<ShardId>) -> anyhow::Result<Vec<Target>> {
    let wanted = restore.to_time.map_or(Target::Newest, Target::TimeMs);
    let only = only.map(|shard| shard.0).or(restore.shard);
    let is_restored = |shard| only.is_none_or(|only| only == shard);
    let targets = (0..shards).map(|shard| if is_restored(shard) { wanted } else { Target::Newest });
    let mut targets: Vec<Target> = targets.collect();
    for ShardLsn { shard, lsn } in restore.to_lsn.iter().copied() {
        let Some(shard) = shard.or(only).or((shards == 1).then_some(0)) else {
            return Err(
                WrongUsage(format!("there are {shards} shards: say which as SHARD:{lsn}, or with --shard")).into()
            );
        };
        if !is_restored(shard) {
            return Err(WrongUsage(format!("shard {shard} is not the one that is restored")).into());
        }
        *targets.get_mut(shard as usize).with_context(|| format!("there is no shard {shard}"))? = Target::Lsn(Lsn(lsn));
    }
    Ok(targets)
}

impl ShardPlan {
    /// What is done to a shard, and the state that it has then.
    fn make(restore: &Restore, sources: &Sources, shard: ShardId, target: Target) -> anyhow::Result<(Self, Inventory)> {
        let is_kept = restore.in_place.is_some() && restore.shard.is_some_and(|only| only != shard.0);
        let mut plan = Self {
            shard,
            is_kept,
            point: Point { lsn: Lsn::ZERO, clock_ms: 0, epoch: ShardEpoch::ZERO, damage: None },
            epoch: sources.epoch(shard)?,
            state_hash: StateHash(0),
            lost: None,
            now: Lsn::ZERO,
            shows: Vec::new(),
        };
        let source = plan.source(sources);
        plan.point = backup::find(source, shard, target)?;
        if let Some(damage) = plan.point.damage.as_ref().filter(|_| is_kept) {
            bail!("shard {shard}, which was to stay, is damaged: {damage}; restore all, without --shard");
        }
        let acknowledged = source.acknowledged(shard)?.max(plan.point.lsn);
        let is_less = match target {
            Target::Newest => plan.point.damage.is_some() || acknowledged > plan.point.lsn,
            Target::TimeMs(_) => plan.point.damage.is_some(),
            Target::Lsn(_) => false,
        };
        plan.lost = is_less.then_some(acknowledged);
        let then = state(source, shard, plan.point.lsn)?;
        plan.state_hash = then.state_hash();
        Ok((plan, then))
    }
}
