//! Removing old backups, and the files that no backup needs any more.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{BACKUPS, BackupError, Backups, Catalogue, DRAFT, SEGMENTS, SNAPSHOTS};
use crate::LogError;
use crate::directory::sync_directory;

/// What pruning removes, or would remove.
#[derive(Clone, Debug, Default)]
pub struct Pruning {
    /// The backups, the oldest first.
    pub removed: Vec<Catalogue>,
    /// Those that stay.
    pub kept: Vec<Catalogue>,
    /// Files of the removed ones that no other needs.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Backups {
    /// Removes the backups beyond the newest `keep`, of which there is always one, or of these only those that were made
    /// before `made_before_ms`. With `dry_run` it only says so.
    ///
    /// # Errors
    /// [`BackupError::InUse`]; [`BackupError::Catalogue`]: as long as one is damaged, nobody knows what it needs.
    pub fn prune(&self, keep: usize, made_before_ms: Option<u64>, dry_run: bool) -> Result<Pruning, BackupError> {
        let _lock = self.lock(fs::File::try_lock)?;
        let all = self.list()?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let beyond = all.len().saturating_sub(keep.max(1));
        let is_old = |catalogue: &Catalogue| made_before_ms.is_none_or(|before| catalogue.created_ms < before);
        let (mut pruning, mut removed) = (Pruning::default(), Vec::new());
        for (position, catalogue) in all.into_iter().enumerate() {
            let goes = position < beyond && is_old(&catalogue);
            if goes { removed.push(catalogue) } else { pruning.kept.push(catalogue) }
        }
        let unneeded = self.unneeded(&pruning.kept)?;
        pruning.files = unneeded.len() as u64;
        pruning.bytes = unneeded.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum();
        if !dry_run {
            // First what makes them backups.
            for catalogue in &removed {
                remove(&self.catalogue_path(&catalogue.id))?;
            }
            if !removed.is_empty() {
                sync_directory(&self.dir.join(BACKUPS))?;
            }
            unneeded.iter().try_for_each(|path| remove(path))?;
        }
        pruning.removed = removed;
        Ok(pruning)
    }

    /// Removes what an interrupted backup or pruning left. The caller holds the lock alone.
    pub(super) fn sweep(&self) -> Result<(), BackupError> {
        // What a damaged one needs is not known.
        let Ok(all) = self.list()?.into_iter().collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        Ok(self.unneeded(&all)?.iter().try_for_each(|path| remove(path))?)
    }

    /// Drafts, and files that none of these needs.
    fn unneeded(&self, kept: &[Catalogue]) -> Result<Vec<PathBuf>, LogError> {
        let needed: BTreeSet<PathBuf> = kept.iter().flat_map(|own| self.files(own)).map(|(path, _)| path).collect();
        let mut found = Vec::new();
        for dir in [&self.dir.join(SEGMENTS), &self.dir.join(SNAPSHOTS)] {
            for shard in entries(dir)? {
                found.extend(entries(&shard)?);
            }
        }
        let drafts = entries(&self.dir.join(BACKUPS))?.into_iter().filter(|path| is_draft(path));
        Ok(found.into_iter().filter(|path| !needed.contains(path)).chain(drafts).collect())
    }
}

fn is_draft(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(DRAFT))
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, LogError> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => {
            let paths = entries.map_err(LogError::io(dir))?.map(|entry| Ok(entry.map_err(LogError::io(dir))?.path()));
            paths.collect()
        }
    }
}

fn remove(path: &Path) -> Result<(), LogError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(LogError::Io { path: path.to_owned(), source: error }),
        _ => Ok(()),
    }
}
