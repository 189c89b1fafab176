//! Who the server is and whom it knows: the files that `[tls]` and `[access]` name, as they are in force.
//!
//! They are read before anything is made or opened, and again when they change ([`crate::reload`]).

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, sync::Arc};

use anyhow::{Context as _, ensure};

use crate::{access::Known, config::Config, edge::Tls};

/// What tells one state of a file from another: device, inode, size, and when it was written.
pub(crate) type State = Option<(u64, u64, u64, i64, i64)>;

/// What was read.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// Nothing if TLS is not set.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) known: Arc<Known>,
    /// In which the files were before they were first read.
    pub(crate) states: Vec<State>,
}

impl Credentials {
    /// Reads the files.
    ///
    /// # Errors
    /// Which setting's file is wrong, and why.
    pub(crate) fn read(config: &Config) -> anyhow::Result<Self> {
        let states = states(config);
        unreadable(config).next().map_or(Ok(()), Err)?;
        Ok(Self { tls: Tls::open(&config.tls)?, known: Arc::new(Known::open(&config.access)?), states })
    }

    /// Reads the files again. One that is wrong holds back none of the others, by which somebody may be revoked.
    ///
    /// # Errors
    /// As [`Self::read`], of all that are wrong; what was in force of these stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        all_of([self.known.reload(), self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())])
    }
}

/// What is wrong with each.
pub(crate) fn all_of<const N: usize>(each: [anyhow::Result<()>; N]) -> anyhow::Result<()> {
    let wrong: Vec<String> = each.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// Files that are not there or cannot be opened, each with its setting.
pub(crate) fn unreadable(config: &Config) -> impl Iterator<Item = anyhow::Error> {
    let open = |(setting, path): (&str, &Path)| {
        fs::File::open(path).with_context(|| format!("{setting} {}", path.display())).err()
    };
    files(config).filter_map(open)
}

/// The states of the files.
pub(crate) fn states(config: &Config) -> Vec<State> {
    files(config).map(|(_, path)| state(path)).collect()
}

fn files(config: &Config) -> impl Iterator<Item = (&'static str, &Path)> {
    config.tls.files().chain(config.access.files())
}

fn state(path: &Path) -> State {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}
