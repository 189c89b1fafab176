//! `usher backup prune`: old backups go.

use clap::Args;
use serde_json::json;
use usher_engine::time::Clock as _;
use usher_wal::backup::Catalogue;

use super::{BackupsArgs, bytes};
use crate::{
    cli::{ask, client::WrongUsage, print::counted, when::parse_age_ms},
    clock::WallClock,
};

/// The newest one always stays.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Prune {
    #[command(flatten)]
    backups: BackupsArgs,
    /// Keep the newest so many, however old they are [default with --older-than: 1]
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Of the others remove only those that were made longer ago, such as 30d or 12h
    #[arg(long, value_name = "LENGTH", value_parser = parse_age_ms)]
    older_than: Option<u64>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
What stays can be restored as before: files go only when no backup that stays needs them.

Exit codes: 0 done; 1 nothing was removed: the answer was no, another `usher backup` is at work,
or a catalogue is damaged, so that nobody knows what it needs; 2 wrong usage.";

impl Prune {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.keep.is_none() && self.older_than.is_none() {
            return Err(WrongUsage("say how many to --keep, or what to remove with --older-than".to_owned()).into());
        }
        let backups = self.backups.open()?;
        let keep = self.keep.unwrap_or(1);
        let made_before = self.older_than.map(|age| WallClock.now().0.saturating_sub(age));
        let mut pruning = backups.prune(keep, made_before, true)?;
        if !self.dry_run && !pruning.removed.is_empty() {
            let question =
                format!("Remove {} of {} backups?", pruning.removed.len(), pruning.kept.len() + pruning.removed.len());
            ask::go_on(&question, self.yes)?;
            pruning = backups.prune(keep, made_before, false)?;
        }
        let ids = |all: &[Catalogue]| all.iter().map(|catalogue| catalogue.id.clone()).collect::<Vec<_>>();
        if self.json {
            let (removed, kept) = (ids(&pruning.removed), ids(&pruning.kept));
            let (dry_run, files, size) = (self.dry_run, pruning.files, pruning.bytes);
            println!(
                "{}",
                json!({ "dry_run": dry_run, "removed": removed, "kept": kept, "files": files, "bytes": size })
            );
            return Ok(());
        }
        let done = if self.dry_run { "would be removed" } else { "removed" };
        for id in ids(&pruning.removed) {
            println!("{id} {done}");
        }
        let (removed, files) = (counted(pruning.removed.len() as u64, "backup"), counted(pruning.files, "file"));
        println!("{removed} {done}, {files}, {}; {} kept", bytes(pruning.bytes), pruning.kept.len());
        Ok(())
    }
}
