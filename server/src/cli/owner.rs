//! Whom a data directory belongs to. A tool that is run as root leaves it to the user that the server runs as.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown},
    path::Path,
};

use anyhow::Context as _;

/// Whom a directory belongs to, or is to belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    user: u32,
    group: u32,
    /// `None` of one that is not there yet.
    mode: Option<u32>,
}

impl Owner {
    /// Of a directory; of one that is not there, the owner of the one in which it will be.
    ///
    /// # Errors
    /// Where neither can be looked at.
    pub(super) fn of(dir: &Path) -> anyhow::Result<Self> {
        let dir = super::apart::resolved(dir);
        let found = dir.ancestors().find(|ancestor| ancestor.exists()).context("there is no such place")?;
        let metadata = fs::metadata(found).with_context(|| found.display().to_string())?;
        let mode = (found == dir).then(|| metadata.permissions().mode() & 0o7777);
        Ok(Self { user: metadata.uid(), group: metadata.gid(), mode })
    }

    /// Gives him a directory with all that is in it, and the directory the mode that it is to have. Only root can give
    /// anything away; anybody else's is his own.
    ///
    /// # Errors
    /// What could not be given away.
    pub(super) fn give_all_below(self, dir: &Path) -> anyhow::Result<()> {
        if rustix::process::geteuid().is_root() {
            self.give(dir).with_context(|| format!("giving {} to user {}", dir.display(), self.user))?;
        }
        if let Some(mode) = self.mode {
            fs::set_permissions(dir, fs::Permissions::from_mode(mode)).with_context(|| dir.display().to_string())?;
        }
        Ok(())
    }

    fn give(self, path: &Path) -> std::io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_dir() {
            fs::read_dir(path)?.try_for_each(|entry| self.give(&entry?.path()))?;
        }
        if (metadata.uid(), metadata.gid()) != (self.user, self.group) {
            lchown(path, Some(self.user), Some(self.group))?;
        }
        Ok(())
    }
}
