//! The making of the restored directory, and the proof that it is what it should be.

use std::path::Path;

use anyhow::ensure;
use usher_engine::shard::rebuild;
use usher_wal::{
    NewDirectory, ReadOnlyStore,
    backup::{self, SoundPart, Source as _, Target},
};

use super::{
    plan::{Plan, ShardPlan},
    sources::Sources,
};
use crate::cli::{backup::copying, output::print_error};

/// Builds the directory beside its place.
///
/// # Errors
/// What failed, or does not come out as it should; nothing is left then.
pub(super) fn build(place: &Path, plan: &Plan, sources: &Sources) -> anyhow::Result<NewDirectory> {
    let shards = std::num::NonZeroU32::new(u32::try_from(plan.shards.len())?);
    let mut new = NewDirectory::begin(place, shards.unwrap_or(std::num::NonZeroU32::MIN))?;
    match fill(&mut new, plan, sources) {
        Ok(()) => Ok(new),
        Err(error) => {
            // The next restore throws away what this one cannot.
            drop(new.discard());
            Err(error)
        }
    }
}

fn fill(new: &mut NewDirectory, plan: &Plan, sources: &Sources) -> anyhow::Result<()> {
    if let Some(id) = sources.identity()? {
        new.take_identity(id)?;
    }
    for own in &plan.shards {
        let bar = copying(&format!("shard {}", own.shard));
        let (source, what) = (own.source(sources), (own.shard, &own.point, own.epoch));
        let copied = backup::copy_shard(source, what, new, &mut |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        for path in copied? {
            let path = path.display();
            print_error(format_args!("warning: {path} is damaged and left out; the frames before it say the same"));
        }
    }
    new.seal()?;
    let restored = SoundPart(ReadOnlyStore::open(new.draft())?);
    plan.shards.iter().try_for_each(|own| verify(own, &restored))
}

fn verify(own: &ShardPlan, restored: &SoundPart) -> anyhow::Result<()> {
    let point = backup::find(restored, own.shard, Target::Newest)?;
    let state = rebuild(restored, own.shard, own.point.lsn)?;
    let (expected, found) = ((own.point.lsn, own.state_hash), (point.lsn, state.state_hash()));
    let is_same = expected == found && point.damage.is_none() && restored.epoch(own.shard)? >= own.epoch;
    ensure!(
        is_same,
        "shard {} came out at LSN {} with state hash {}, not at LSN {} with {}; nothing was changed, this is a bug",
        own.shard,
        found.0,
        found.1,
        expected.0,
        expected.1
    );
    Ok(())
}
