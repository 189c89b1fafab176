//! Making a backup: what is new in a data directory, copied beside its server.

use std::fs;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::catalogue::{BACKUP_FORMAT, Beginning, Catalogue, End, FileHash, Kind, Segment, ShardBackup};
use super::segment::SegmentWriter;
use super::source::restorable_from;
use super::{BACKUPS, BackupError, Backups, DRAFT, SEGMENTS, SNAPSHOTS, snapshots};
use crate::directory::{make_directory, sync_directory};
use crate::{DirectoryId, LogError, Lsn, PartId, ReadOnlyStore, ReplayStop, ShardId, SnapshotId, Snapshots as _, Tail};

/// A running server may trim its log and remove snapshots under the copying; the next try begins with what is there then.
const TRIES: u32 = 20;
const TRY_WAIT: Duration = Duration::from_millis(50);

/// What is noted of a new backup.
#[derive(Clone, Debug)]
pub struct NewBackup {
    /// Its name, unless another one has it: then a number is added.
    pub id: String,
    /// Now, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// What makes it, with its version.
    pub program: String,
}

impl Backups {
    /// Makes a backup of a data directory, also while a server runs on it. `copied` is told of bytes as they are written.
    ///
    /// # Errors
    /// [`BackupError::InUse`], [`BackupError::AnotherDirectory`], [`BackupError::NotWhole`], and whatever is wrong with the data directory: its frames and
    /// their chain are checked as they are copied. There is no new backup then.
    pub fn create(
        &self,
        data_dir: &Path,
        new: &NewBackup,
        copied: &mut dyn FnMut(u64),
    ) -> Result<Catalogue, BackupError> {
        let _lock = self.lock(fs::File::try_lock)?;
        self.sweep()?;
        let previous = self.newest_readable()?;
        // What it lacks, the next one would lack, and say that it is whole.
        previous.as_ref().map_or(Ok(()), |previous| self.check_files(previous))?;
        for part in [BACKUPS, SEGMENTS, SNAPSHOTS] {
            make_directory(&self.dir.join(part))?;
        }
        let mut tries = 1;
        let (data_directory, shards) = loop {
            let copies = ReadOnlyStore::open(data_dir).map_err(BackupError::from).and_then(|store| {
                let own = store.identity()?;
                self.check_same(previous.as_ref(), (data_dir, own))?;
                let copy = Copy { backups: self, store, previous: previous.as_ref() };
                Ok((own, copy.shards(copied)?))
            });
            match copies {
                Err(error) if error.is_passing() && tries < TRIES => thread::sleep(TRY_WAIT),
                copies => break copies?,
            }
            tries += 1;
        };
        let number = previous.map_or(1, |previous| previous.number + 1);
        let NewBackup { created_ms, program, .. } = new.clone();
        let id = self.free(&new.id);
        let catalogue = Catalogue { format: BACKUP_FORMAT, id, number, created_ms, program, data_directory, shards };
        self.publish(&catalogue)?;
        Ok(catalogue)
    }

    /// Refuses a directory that is not the one of the backup before. Backups of earlier releases do not say whose they are.
    fn check_same(
        &self,
        previous: Option<&Catalogue>,
        (dir, own): (&Path, Option<DirectoryId>),
    ) -> Result<(), BackupError> {
        match previous.and_then(|previous| previous.data_directory) {
            Some(theirs) if Some(theirs) != own => {
                let (backups, dir) = (self.dir.clone(), dir.to_owned());
                Err(BackupError::AnotherDirectory { backups, theirs, dir, own })
            }
            _ => Ok(()),
        }
    }

    fn free(&self, id: &str) -> String {
        let names = (2u32..).map(|number| format!("{id}-{number}"));
        let mut names = std::iter::once(id.to_owned()).chain(names);
        names.find(|name| !self.catalogue_path(name).exists()).unwrap_or_default()
    }

    /// From here on it is a backup.
    fn publish(&self, catalogue: &Catalogue) -> Result<(), BackupError> {
        let (dir, path) = (self.dir.join(BACKUPS), self.catalogue_path(&catalogue.id));
        let draft = dir.join(format!("catalogue{DRAFT}"));
        catalogue.write(&draft)?;
        fs::rename(&draft, &path).map_err(LogError::io(&path))?;
        Ok(sync_directory(&dir)?)
    }
}

/// One try.
struct Copy<'a> {
    backups: &'a Backups,
    store: ReadOnlyStore,
    previous: Option<&'a Catalogue>,
}

impl Copy<'_> {
    fn shards(&self, copied: &mut dyn FnMut(u64)) -> Result<Vec<ShardBackup>, BackupError> {
        let shards: NonZeroU32 = self.store.shards();
        (0..shards.get()).map(|shard| self.shard(ShardId(shard), copied)).collect()
    }

    fn shard(&self, shard: ShardId, copied: &mut dyn FnMut(u64)) -> Result<ShardBackup, BackupError> {
        let log_start = self.beginning(shard)?;
        let previous = self.previous.and_then(|previous| previous.shards.get(shard.index()));
        let kind = match previous {
            None => Kind::First,
            Some(previous) => self.kind(previous, &log_start)?,
        };
        let previous = previous.filter(|_| kind == Kind::Incremental);
        let (new, end) = self.frames(shard, previous, &log_start, copied)?;
        let start = previous.map_or(&log_start, |previous| &previous.log_start).clone();
        let kept = previous.map(|previous| previous.segments.as_slice()).unwrap_or_default();
        let kept = kept.iter().filter(|segment| segment.to >= start.log.lsn.max(Lsn::FIRST)).cloned();
        let mut backup = ShardBackup {
            shard,
            kind,
            epoch: self.store.highest_epoch(shard)?.max(end.epoch),
            acknowledged: self.store.acknowledged(shard)?,
            new_bytes: new.as_ref().map_or(0, |segment| segment.bytes),
            segments: kept.chain(new).collect(),
            snapshots: Vec::new(),
            start,
            log_start,
            end,
        };
        self.snapshots(&mut backup, previous, copied)?;
        Ok(backup)
    }

    fn beginning(&self, shard: ShardId) -> Result<Beginning, BackupError> {
        let log = self.store.start(shard)?;
        let (from, mut from_clock_ms) = (restorable_from(&log), 0);
        if from > Lsn::ZERO {
            self.store.export(shard, from, &mut |frame, _| {
                from_clock_ms = frame.clock_ms;
                Ok(ControlFlow::Break(()))
            })?;
        }
        Ok(Beginning { log, from, from_clock_ms })
    }

    /// Whether the log goes on where the backup before ended.
    fn kind(&self, previous: &ShardBackup, log_start: &Beginning) -> Result<Kind, BackupError> {
        let (shard, end) = (previous.shard, previous.end);
        if end.lsn < log_start.log.lsn {
            return Ok(Kind::Trimmed);
        }
        let last = self.store.ends(shard)?.map_or(Lsn::ZERO, |(_, last)| last);
        if last < end.lsn {
            return Ok(Kind::Diverged);
        }
        if end.lsn == Lsn::ZERO {
            return Ok(Kind::Incremental);
        }
        let (tail, _) = self.store.export(shard, end.lsn, &mut |_, _| Ok(ControlFlow::Break(())))?;
        Ok(if hash_of(&tail) == end.hash { Kind::Incremental } else { Kind::Diverged })
    }

    /// Copies the frames behind the previous backup, or all, and returns what they end with.
    fn frames(
        &self,
        shard: ShardId,
        previous: Option<&ShardBackup>,
        log_start: &Beginning,
        copied: &mut dyn FnMut(u64),
    ) -> Result<(Option<Segment>, End), BackupError> {
        let segments = self.backups.dir.join(SEGMENTS);
        let last = self.store.ends(shard)?.map_or(Lsn::ZERO, |(_, last)| last);
        // The frame before is read too: the next one is checked against it.
        let known = previous.map_or(Lsn::ZERO, |previous| previous.end.lsn);
        let read_from = known.max(log_start.log.lsn).max(Lsn::FIRST);
        let from = if known > Lsn::ZERO { known.next() } else { read_from };
        let mut writer = if from <= last { Some(SegmentWriter::begin(&segments, shard, (from, last))?) } else { None };
        let (tail, epoch) = self.store.export(shard, read_from, &mut |frame, encoded| {
            if let Some(writer) = writer.as_mut().filter(|_| frame.lsn >= from) {
                writer.add(encoded).map_err(ReplayStop::from)?;
                copied(encoded.len() as u64);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let segment = writer.map(|writer| writer.finish(&segments)).transpose()?;
        Ok((segment, End { lsn: tail.lsn, hash: hash_of(&tail), clock_ms: tail.clock_ms, epoch }))
    }

    /// Adds what snapshots there are of what the backup has: those of the one before, and those that are new.
    fn snapshots(
        &self,
        backup: &mut ShardBackup,
        previous: Option<&ShardBackup>,
        copied: &mut dyn FnMut(u64),
    ) -> Result<(), BackupError> {
        let needed = |part: PartId| backup.start.log.snapshots.iter().find(|id| id.part == part).map(|id| id.lsn);
        let is_kept = |id: SnapshotId| needed(id.part).is_none_or(|lsn| id.lsn >= lsn) && id.lsn <= backup.end.lsn;
        let kept = previous.map(|previous| previous.snapshots.as_slice()).unwrap_or_default();
        let mut files: Vec<_> = kept.iter().filter(|file| is_kept(file.id)).cloned().collect();
        let there = self.store.snapshot_files(backup.shard);
        let mut new_bytes = 0;
        for id in there.list()?.into_iter().filter(|id| is_kept(*id)) {
            let (file, bytes) = snapshots::copy(&there, (&self.backups.dir.join(SNAPSHOTS), backup.shard), id)?;
            copied(bytes);
            new_bytes += bytes;
            files.retain(|other| other.id != id);
            files.push(file);
        }
        files.sort_by_key(|file| file.id);
        // A log rests on these; a server that took the next ones meanwhile may have removed them.
        let is_there = |id: &&SnapshotId| files.iter().any(|file| file.id == **id);
        if let Some(gone) = backup.start.log.snapshots.iter().find(|id| !is_there(id)) {
            let path = self.backups.dir.join(format!("{SNAPSHOTS}/{}/{}-{}", backup.shard, gone.part, gone.lsn));
            return Err(LogError::Io { path, source: std::io::ErrorKind::NotFound.into() }.into());
        }
        backup.snapshots = files;
        backup.new_bytes += new_bytes;
        Ok(())
    }
}

fn hash_of(tail: &Tail) -> FileHash {
    FileHash(u128::from_le_bytes(tail.hash.0))
}
