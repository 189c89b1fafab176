//! What can be wrong with a backup, and what can then be done.
//!
//! What is wrong with a data directory is a [`LogError`], here as elsewhere.

use std::path::PathBuf;

use crate::{DirectoryId, LogError, Lsn, ShardId};

/// Why something could not be done with a backup.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named and explained by each variant's message")]
pub enum BackupError {
    /// The data directory, a frame in it or the file system.
    #[error(transparent)]
    Log(#[from] LogError),

    /// The directory holds something else, or nothing.
    #[error("{} is no directory of backups; `usher backup create` makes one where nothing is", dir.display())]
    NoBackups { dir: PathBuf },

    /// There is none that is asked for.
    #[error("there is no backup {id} in {}; `usher backup list` tells which there are", dir.display())]
    Unknown { dir: PathBuf, id: String },

    /// There is none at all.
    #[error("there is no backup in {} yet; `usher backup create` makes one", dir.display())]
    Empty { dir: PathBuf },

    /// Somebody else uses the directory of backups in a way that does not go together.
    #[error("{} is in use by another `usher backup` or `usher restore`; try again when that has ended", dir.display())]
    InUse { dir: PathBuf },

    /// Backups of two data directories do not go together.
    #[error(
        "{} holds backups of the data directory {theirs}, and {} is {}: another one, or restored elsewhere, which makes a \
         new one; name its own directory of backups with --backups",
        backups.display(),
        dir.display(),
        own.map_or_else(|| "an older one, without an id".to_owned(), |own| own.to_string())
    )]
    AnotherDirectory { backups: PathBuf, theirs: DirectoryId, dir: PathBuf, own: Option<DirectoryId> },

    /// A backup lacks what it relies on, and so would the next one.
    #[error(
        "backup {id} is not whole: {} {what}{}; put it back, or begin anew in another directory with --backups",
        path.display(),
        if *others == 0 { String::new() } else { format!(", and {others} more of its files are not as they were") }
    )]
    NotWhole { id: String, path: PathBuf, what: String, others: usize },

    /// A catalogue is not as it was written.
    #[error("the catalogue {} is damaged: {reason}; restore from another backup, and remove this file", path.display())]
    Catalogue { path: PathBuf, reason: String },

    /// A file that a catalogue names is gone.
    #[error(
        "{} of shard {shard} is missing, which has LSN {lsn}; restore from another backup, or up to the LSN before",
        path.display()
    )]
    Missing { path: PathBuf, shard: ShardId, lsn: Lsn },

    /// A segment is not as it was written.
    #[error(
        "{} of shard {shard} is damaged at LSN {lsn}: {reason}; restore from another backup, or up to the LSN before",
        path.display()
    )]
    Segment { path: PathBuf, shard: ShardId, lsn: Lsn, reason: String },

    /// What is asked for lies before what is there.
    #[error(
        "shard {shard} can be restored from LSN {from} on, not to LSN {wanted}; an older backup may reach further back"
    )]
    BeforeStart { shard: ShardId, wanted: Lsn, from: Lsn },

    /// Times too.
    #[error(
        "shard {shard} can be restored from LSN {from} on, which is later than the time asked for; an older backup may \
         reach further back"
    )]
    TimeBeforeStart { shard: ShardId, from: Lsn },

    /// What is asked for lies behind what is there.
    #[error("shard {shard} can be restored up to LSN {to}, not to LSN {wanted}{}", why.as_deref().unwrap_or_default())]
    BehindEnd { shard: ShardId, wanted: Lsn, to: Lsn, why: Option<String> },
}

impl BackupError {
    /// Trying again may help: a running server replaced or removed a file that was about to be read.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Log(error) if error.is_passing_for_readers())
    }
}
