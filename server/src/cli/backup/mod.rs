//! `usher backup`: copies of data directories, made beside their servers, and looked after.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use usher_wal::backup::{Backups, Catalogue, Kind, ShardBackup};

use super::when::utc;

mod create;
mod list;
mod prune;
mod verify;

/// Back up data directories, also while a server runs on them.
#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Copy what is new in a data directory since the last backup
    Create(create::Create),
    /// Say which backups there are, and what can be restored from them
    List(list::List),
    /// Prove that a backup is whole, sound, and leads to the states that it says
    Verify(verify::Verify),
    /// Remove old backups, and what only they need
    Prune(prune::Prune),
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Prune(command) => command.run(),
        }
    }
}

/// Which directory of backups.
#[derive(Debug, Args)]
struct BackupsArgs {
    /// Directory of the backups: of one data directory, and best on another disk
    #[arg(long, env = "USHER_BACKUPS", value_name = "DIR", default_value = "./backups")]
    backups: PathBuf,
}

impl BackupsArgs {
    fn open(&self) -> anyhow::Result<Backups> {
        Ok(Backups::open(&self.backups)?)
    }
}

/// Bytes as people say them.
pub(super) fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Tells how many bytes were copied. On standard error, and only where that is a terminal.
pub(super) fn copying(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner} {msg}  {bytes}  {bytes_per_sec}");
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn print(catalogue: &Catalogue) {
    let id = console::style(&catalogue.id).bold();
    let kind = if catalogue.is_incremental() { "incremental" } else { "full" };
    let new: u64 = catalogue.shards.iter().map(|shard| shard.new_bytes).sum();
    println!("{id}  {kind}, {} new of {}", bytes(new), bytes(catalogue.bytes()));
    for shard in &catalogue.shards {
        println!("  {}", line(shard));
    }
}

fn line(backup: &ShardBackup) -> String {
    let (shard, from, to) = (backup.shard, backup.start.from, backup.end.lsn);
    let why = match backup.kind {
        Kind::Incremental | Kind::First => "",
        Kind::Trimmed => "; whole, since the log was trimmed past the backup before: make them more often",
        Kind::Diverged => "; whole, since the log is not a continuation of the backup before",
    };
    if to.0 == 0 {
        return format!("shard {shard}: empty{why}");
    }
    let since = match from.0 {
        0 => "its beginning".to_owned(),
        lsn => format!("LSN {lsn}, {}", utc(backup.start.from_clock_ms)),
    };
    format!("shard {shard}: from {since} to LSN {to}, {}{why}", utc(backup.end.clock_ms))
}

fn to_json(catalogue: &Catalogue) -> Value {
    let shard = |own: &ShardBackup| {
        json!({
            "shard": own.shard.0, "kind": own.kind, "epoch": own.epoch.0, "acknowledged_lsn": own.acknowledged.0,
            "from_lsn": own.start.from.0, "from_clock_ms": own.start.from_clock_ms,
            "to_lsn": own.end.lsn.0, "to_clock_ms": own.end.clock_ms,
            "segments": own.segments.len(), "snapshots": own.snapshots.len(), "new_bytes": own.new_bytes,
        })
    };
    json!({
        "id": catalogue.id, "number": catalogue.number, "created_ms": catalogue.created_ms,
        "created": utc(catalogue.created_ms), "program": catalogue.program, "data_directory": catalogue.data_directory, "bytes": catalogue.bytes(),
        "new_bytes": catalogue.shards.iter().map(|shard| shard.new_bytes).sum::<u64>(),
        "incremental": catalogue.is_incremental(), "shards": catalogue.shards.iter().map(shard).collect::<Vec<_>>(),
    })
}
