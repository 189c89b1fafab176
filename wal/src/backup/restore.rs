//! To which instant a shard is restored, and the copying of it up to there.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::source::restorable_from;
use super::{BackupError, Source};
use crate::{LogError, Lsn, NewDirectory, ReplayStop, ShardEpoch, ShardId, Tail};

/// Frames that are written at once, in bytes.
const WRITE_BYTES: usize = 4 << 20;

/// The instant that is wanted of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// After this frame.
    Lsn(Lsn),
    /// After the last frame whose clock had not passed this time, in milliseconds since the Unix epoch.
    TimeMs(u64),
    /// After the last frame that there is.
    Newest,
}

/// The instant that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// After this frame.
    pub lsn: Lsn,
    /// Its clock, in milliseconds since the Unix epoch; 0 before the first frame.
    pub clock_ms: u64,
    /// The opening that wrote it.
    pub epoch: ShardEpoch,
    /// What ends the source before its end.
    pub damage: Option<String>,
}

/// From which LSN on a shard can be restored, and the last LSN and the last clock, in milliseconds since the Unix epoch.
///
/// # Errors
/// As [`find`] for the newest frame.
pub fn range(source: &dyn Source, shard: ShardId) -> Result<(Lsn, Point), BackupError> {
    Ok((restorable_from(&source.start(shard)?), find(source, shard, Target::Newest)?))
}

/// Finds the frame that a shard is to be restored to. Whatever lies before it has been found sound.
///
/// # Errors
/// [`BackupError::BeforeStart`] and the like where the source does not have it; what is wrong with a frame before it, unless
/// the source is to be saved as far as it goes.
pub fn find(source: &dyn Source, shard: ShardId, target: Target) -> Result<Point, BackupError> {
    let from = restorable_from(&source.start(shard)?);
    match target {
        Target::Lsn(wanted) if wanted < from => return Err(BackupError::BeforeStart { shard, wanted, from }),
        _ => {}
    }
    let mut point = Point { lsn: Lsn::ZERO, clock_ms: 0, epoch: ShardEpoch::ZERO, damage: None };
    let read = source.frames(shard, &mut |frame, _| {
        let is_past = match target {
            Target::Lsn(wanted) => frame.lsn > wanted,
            Target::TimeMs(wanted) => frame.clock_ms > wanted,
            Target::Newest => false,
        };
        if is_past {
            return Ok(ControlFlow::Break(()));
        }
        (point.lsn, point.clock_ms, point.epoch) = (frame.lsn, frame.clock_ms, frame.epoch);
        // What lies behind the frame that is wanted does not matter, sound or not.
        Ok(if target == Target::Lsn(frame.lsn) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    if let Err(error) = read {
        if !source.is_salvaged() {
            return Err(error);
        }
        point.damage = Some(error.to_string());
    }
    match target {
        Target::Lsn(wanted) if point.lsn < wanted => {
            let why = point.damage.map(|damage| format!(": {damage}"));
            Err(BackupError::BehindEnd { shard, wanted, to: point.lsn, why })
        }
        _ if point.lsn < from => Err(BackupError::TimeBeforeStart { shard, from }),
        _ => Ok(point),
    }
}

/// Copies a shard up to a point into a new directory, whose log then ends there; later openings are above `epoch`.
/// `copied` is told of bytes as they are written. Returns the snapshots that are damaged and left out: the log does not rest on
/// them, so that its frames, or older ones and its frames, say the same.
///
/// # Errors
/// What is wrong with the source, which changed since the point was found; what the file system says.
pub fn copy_shard(
    source: &dyn Source,
    (shard, point, epoch): (ShardId, &Point, ShardEpoch),
    into: &mut NewDirectory,
    copied: &mut dyn FnMut(u64),
) -> Result<Vec<PathBuf>, BackupError> {
    let start = source.start(shard)?;
    let mut left_out = Vec::new();
    into.put_beginning(shard, &start, epoch.max(point.epoch))?;
    let snapshots = source.snapshots(shard)?;
    for id in snapshots.list()?.into_iter().filter(|id| id.lsn <= point.lsn) {
        let is_needed = start.snapshots.contains(&id);
        match snapshots.read(id) {
            Ok(state) => into.put_snapshot(shard, id, &state)?,
            Err(LogError::SnapshotDamaged { path, .. }) if !is_needed => left_out.push(path),
            Err(error) => return Err(error.into()),
        }
    }
    let (mut batch, mut batch_bytes, mut last) = (Vec::new(), 0, Lsn::ZERO);
    if point.lsn > Lsn::ZERO {
        source.frames(shard, &mut |frame, encoded| {
            batch.push((frame.lsn, encoded.to_vec()));
            batch_bytes += encoded.len();
            last = frame.lsn;
            if batch_bytes >= WRITE_BYTES {
                into.put_frames(shard, &batch).map_err(ReplayStop::from)?;
                copied(batch_bytes as u64);
                batch.clear();
                batch_bytes = 0;
            }
            Ok(if frame.lsn == point.lsn { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    if last != point.lsn {
        return Err(BackupError::BehindEnd { shard, wanted: point.lsn, to: last, why: None });
    }
    into.put_frames(shard, &batch)?;
    copied(batch_bytes as u64);
    let tail = Tail { lsn: point.lsn, ..Tail::EMPTY };
    into.put_end(shard, &tail, point.epoch)?;
    Ok(left_out)
}
