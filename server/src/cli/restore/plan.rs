//! What each shard is restored to, from where, and how that differs from what there is now.

use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use usher_engine::{
    inventory::{Inventory, StateHash},
    time::Clock as _,
};
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
use crate::{
    cli::{
        client::{WrongUsage, told},
        log::check_shard,
        when::utc,
    },
    clock::WallClock,
};

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
    pub(super) now: Now,
    pub(super) shows: Vec<ShowDifferences>,
}

/// What there is now of a shard.
#[derive(Default)]
pub(super) struct Now {
    /// The last LSN.
    pub(super) lsn: Lsn,
    /// It could be compared with what is restored, as far as that LSN.
    pub(super) is_compared: bool,
    /// Why no farther, or not at all.
    pub(super) damage: Option<String>,
}

impl Now {
    /// Reads it and compares it. A shard that is not there now has nothing.
    fn compare(now: &dyn Source, shard: ShardId, then: &mut Inventory, comparison: &mut Comparison) -> Self {
        if shard.0 >= now.shards().get() {
            comparison.add(shard, then, &mut Inventory::default());
            return Self { is_compared: true, ..Self::default() };
        }
        match newest(now, shard) {
            Ok((point, mut state)) => {
                comparison.add(shard, then, &mut state);
                Self { lsn: point.lsn, is_compared: true, damage: point.damage }
            }
            Err(error) => Self { damage: Some(told(&error)), ..Self::default() },
        }
    }
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
            check_shard(shard, shards)?;
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
            own.now = match sources.now() {
                _ if own.is_kept => Now { lsn: own.point.lsn, is_compared: true, damage: None },
                Ok(now) => Now::compare(now, shard, &mut then, &mut comparison),
                Err(why) => Now { damage: Some(why), ..Now::default() },
            };
            plan.shards.push(own);
        }
        let now = sources.now().ok();
        for shard in (shards..now.map_or(0, |now| now.shards().get())).map(ShardId) {
            if let Some((_, mut state)) = now.and_then(|now| newest(now, shard).ok()) {
                comparison.add(shard, &mut Inventory::default(), &mut state);
            }
        }
        let restored = plan.shards.iter().filter(|own| !own.is_kept);
        check_time(restore, sources, restored.map(|own| own.point.clock_ms).max().unwrap_or(0))?;
        places.check()?;
        for (shard, show) in comparison.finish() {
            // One of a shard that would be gone is told with the last.
            let at = plan.shards.len().saturating_sub(1).min(shard.0 as usize);
            plan.shards[at].shows.push(show);
        }
        Ok(plan)
    }
}

/// Refuses a time that what is restored from does not reach: it would be taken for what was then.
///
/// # Errors
/// [`WrongUsage`] of a time that has not come.
pub(super) fn check_time(restore: &Restore, sources: &Sources, newest_ms: u64) -> anyhow::Result<()> {
    let (Some(wanted), newest) = (restore.to_time, utc(newest_ms)) else { return Ok(()) };
    let said = format!("{} is", utc(wanted));
    let rest = format!("the newest frame is of {newest}, which is what there is without --to-time");
    if wanted > WallClock.now().0 {
        bail!(WrongUsage(format!("{said} in the future; {rest}")));
    }
    if let Some(made) = sources.backup_made_ms.filter(|made| wanted > *made) {
        bail!("{said} later than the backup, which was made at {}: it does not say what was then; {rest}", utc(made));
    }
    Ok(())
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
        check_shard(shard, shards)?;
        targets[shard as usize] = Target::Lsn(Lsn(lsn));
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
            now: Now::default(),
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
