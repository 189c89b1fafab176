//! `usher restore`: a data directory as it was, and what that undoes.
//!
//! This file has the command; `plan` decides what each shard is restored to, `comparison` and `differences` say what that
//! undoes, `build` makes the directory. `one_show` puts a single show back.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;
use usher_engine::time::Clock as _;
use usher_wal::{Held, NewDirectory, backup::Backups};

use super::{
    apart::{check_apart, check_no_mount_point, resolved},
    ask,
    calm::silently,
    client::WrongUsage,
    log::parse_past,
    owner::Owner,
    when::utc,
};
use crate::clock::WallClock;

mod build;
mod comparison;
mod differences;
mod one_show;
mod places;
mod plan;
mod sources;

use one_show::ShowPlan;
use plan::{Plan, ShardLsn};
use sources::Sources;

/// Restores into a new directory, or in place of one, which is kept.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Restore {
    /// Directory of backups or data directory to restore from; nothing is written into it
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// This backup, rather than the newest
    #[arg(long, value_name = "ID")]
    backup: Option<String>,
    /// To the state after this LSN; may stand once a shard, as SHARD:LSN
    #[arg(long, value_name = "[SHARD:]LSN")]
    to_lsn: Vec<ShardLsn>,
    /// To the state at this time: UTC such as 2026-12-24T18:00:00Z, or how long ago, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_past, conflicts_with = "to_lsn")]
    to_time: Option<u64>,
    /// Only this shard; all others are taken whole, in place from the directory that is replaced
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
    /// Only this show, in place: all others go on, and what it was until now stays in the log
    #[arg(long, value_name = "ID", conflicts_with = "into")]
    show: Option<String>,
    /// Make this directory, which must be absent or empty
    #[arg(long, value_name = "NEW_DIR", conflicts_with = "in_place")]
    into: Option<PathBuf>,
    /// Replace this data directory, whose server must be stopped; it is kept beside it
    #[arg(long, value_name = "DATA_DIR")]
    in_place: Option<PathBuf>,
    /// What there is now, to compare with: by default what is replaced, otherwise the newest of what is restored from
    #[arg(long, env = "USHER_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Restore what is sound, although something that was acknowledged behind it cannot be read
    #[arg(long)]
    accept_loss: bool,
    /// Only say what would differ
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Name at most so many seats, and as many sales and holds, of each show
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Print one JSON object, with everything that differs
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
Without --to-lsn or --to-time everything that there is is restored; of a data directory that is
damaged all that is sound before the damage, if --accept-loss says so. A time is that of the
shards' clocks: of each shard the last frame counts whose clock had not passed it. What a shard can
be restored to, `usher backup list` says.

A new directory is built beside its place and verified by a replay; then one rename puts it there.
It belongs to whom the old one, or the one around it, belongs to. It is another data directory than
what it was restored from, and its backups go elsewhere. In place, it stays the directory that it
was, whose backups go on, and the old one is kept as DATA_DIR.replaced-TIME. One show is put back by an event of its log, and nothing else changes.
Frames are the same bytes as before; what was behind the target is only in what is kept: `usher log
export --from` prints it. Afterwards `usher serve` runs on the new directory as on any other.

Exit codes: 0 done, or only said; 1 nothing was changed: the target is not there, what is restored
from is damaged before it, the server still runs, the answer was no; 2 wrong usage.

Examples:
  $ usher restore --from ./backups --to-time 10m --data-dir ./data --dry-run
  $ usher restore --from ./data --shard 1 --to-lsn 4711 --in-place ./data
  $ usher restore --from ./data --show gala --to-time 10m --in-place ./data
  $ usher restore --from ./backups --into ./data-looked-at";

impl Restore {
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        self.check()?;
        // Taken first: while the differences are told, nobody must add to them.
        let held = match &self.in_place {
            Some(dir) if !self.dry_run => Some(Held::take(dir)?),
            _ => None,
        };
        let sources = Sources::open(&self)?;
        if let Some(show) = &self.show {
            return self.put_back(show, &sources, held);
        }
        let plan = silently(|| Plan::make(&self, &sources))?;
        if !self.json {
            plan.print(&self);
        }
        let kept = self.in_place.as_deref().map(|dir| beside(dir, &format!("replaced-{}", file_time())));
        if !self.dry_run {
            ensure!(
                self.accept_loss || plan.shards.iter().all(|own| own.lost.is_none()),
                "something that was acknowledged cannot be read from {}: restore from a backup that has it, or say --accept-loss",
                self.from.display()
            );
            if let Some(dir) = &self.in_place {
                ask::go_on(&format!("Replace {}?", dir.display()), self.yes)?;
            }
            let place = self.place()?;
            let owner = Owner::of(place)?;
            let new = silently(|| build::build(place, &plan, &sources))?;
            owner.give_all_below(new.draft())?;
            put(new, held, kept.as_deref())?;
        }
        self.print_end(&plan, kept.as_deref())
    }

    /// Restores one show.
    fn put_back(&self, show: &str, sources: &Sources, held: Option<Held>) -> anyhow::Result<()> {
        let plan = silently(|| ShowPlan::make(self, sources, show))?;
        if !self.json {
            plan.print(self.limit);
        }
        let mut told = plan.to_json();
        let mut put_at = None;
        if let (Some(held), Some(dir)) = (held, &self.in_place) {
            ask::go_on(&format!("Put show {show} back in {}?", dir.display()), self.yes)?;
            let owner = Owner::of(dir)?;
            let put = silently(|| plan.put(dir, sources, held));
            owner.give_all_below(dir)?;
            put_at = Some(put?);
        }
        told["dry_run"] = self.dry_run.into();
        told["put_back_by_lsn"] = put_at.map(|lsn| lsn.0).into();
        match put_at {
            _ if self.json => println!("{told}"),
            Some(lsn) => println!("put back by LSN {lsn}, and verified by a replay; what it was is in the log before"),
            None => println!("nothing was changed"),
        }
        Ok(())
    }

    /// The shard on which the show that is restored was, if that is said.
    fn shard_of_show(&self) -> Option<u32> {
        self.shard.or_else(|| self.to_lsn.iter().find_map(|own| own.shard))
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let wrong = |text: &str| Err(WrongUsage(text.to_owned()).into());
        if self.into.is_none() && self.in_place.is_none() && !self.dry_run {
            return wrong("say where to: --into a new directory, or --in-place of one; or only look, with --dry-run");
        }
        let from = self.from.display();
        ensure!(
            self.from.is_dir(),
            "{from} is no directory; name a directory of backups or a data directory with --from"
        );
        if let Some(dir) = &mut self.in_place {
            ensure!(dir.is_dir(), "{} is no directory; use --into for a new one", dir.display());
            // What cannot be opened can be replaced; what was never a data directory is a mistake.
            let is_ours = ["format", "rocksdb", "acknowledged"].iter().any(|part| dir.join(part).exists());
            ensure!(is_ours, "{} is no data directory; use --into for a new one", dir.display());
            // What is renamed must not be a link to it, nor `.`.
            *dir = dir.canonicalize().with_context(|| dir.display().to_string())?;
            if resolved(&self.from) != *dir {
                check_apart(("--from", &self.from), ("--in-place", dir))?;
            }
            if self.show.is_none() {
                check_no_mount_point("--in-place", dir)?;
            }
        }
        if let Some(dir) = &mut self.into {
            check_apart(("--from", &self.from), ("--into", dir))?;
            if let Some(now) = self.data_dir.as_deref().filter(|now| resolved(now) != resolved(dir)) {
                check_apart(("--into", dir), ("--data-dir", now))?;
            }
            // A draft is made beside it: neither may be a link, nor `.`.
            *dir = resolved(dir);
            check_no_mount_point("--into", dir)?;
            let is_free = !dir.exists() || dir.read_dir().is_ok_and(|mut entries| entries.next().is_none());
            ensure!(is_free, "{} is not empty; name a directory that is absent or empty", dir.display());
        }
        Ok(())
    }

    /// Whose log tells what happened until now; `None` where only backups do.
    fn log_of_now(&self) -> Option<&Path> {
        let from = Backups::open(&self.from).is_err().then_some(self.from.as_path());
        self.in_place.as_deref().or(self.data_dir.as_deref()).or(from)
    }

    fn place(&self) -> anyhow::Result<&Path> {
        self.into.as_deref().or(self.in_place.as_deref()).context("there is no place for it")
    }

    fn print_end(&self, plan: &Plan, kept: Option<&Path>) -> anyhow::Result<()> {
        if self.json {
            let kept = kept.filter(|_| !self.dry_run);
            let head = json!({
                "dry_run": self.dry_run, "from": self.from, "into": self.into.as_ref().or(self.in_place.as_ref()),
                "kept": kept, "shards": plan.to_json(),
            });
            println!("{head}");
        } else if self.dry_run {
            println!("nothing was changed");
        } else {
            if let Some(kept) = kept {
                println!("what was there is kept: {}", kept.display());
            }
            if self.in_place.is_none() {
                println!("it is a new data directory: its backups begin anew, in another directory");
            }
            println!("restored, and verified by a replay: {}", self.place()?.display());
        }
        Ok(())
    }
}

fn put(new: NewDirectory, held: Option<Held>, kept: Option<&Path>) -> anyhow::Result<()> {
    match held.zip(kept) {
        Some((held, kept)) => new.replace(held, kept).context(
            "the directories could not be exchanged; the restored one is whole at one of the paths that end in .restoring or \
             .replaced-..., and can be moved to its place by hand",
        ),
        None => new.place().map_err(Into::into),
    }
}

fn beside(dir: &Path, what: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    let first = dir.with_file_name(&name);
    let others = (2u32..).map(|number| {
        let mut name = name.clone();
        name.push(format!("-{number}"));
        dir.with_file_name(name)
    });
    std::iter::once(first).chain(others).find(|path| !path.exists()).unwrap_or_default()
}

fn file_time() -> String {
    utc(WallClock.now().0).chars().filter(char::is_ascii_alphanumeric).collect()
}
