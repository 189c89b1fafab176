//! A directory for what a bench writes: empty at first, gone afterwards.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Dropping it removes it, however the bench ends.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let path = match wanted {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("usher-bench-{}", std::process::id())),
        };
        std::fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        let is_empty = path.read_dir().with_context(|| format!("reading {}", path.display()))?.next().is_none();
        ensure!(is_empty, "{} is not empty", path.display());
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is found by whoever looks for disk space.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
