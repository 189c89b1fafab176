//! `usher doctor`: one look at a data directory. It gathers and prints; what is looked for is in `checks`.

use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use usher_engine::time::Clock as _;
use usher_wal::{DirectoryId, Durability, LogError, ReadOnlyStore, ShardId, Writer, backup::BackupError};

use crate::{clock::WallClock, journal};
use backup::FoundBackups;
use snapshots::{FoundSnapshots, READ_BYTES_MAX};

mod backup;
mod checks;
mod snapshots;

/// Looks at a data directory, also while a server runs on it.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Doctor {
    /// Data directory to look at
    #[arg(long, env = "USHER_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    /// Directory of its backups, to look whether they are up to date
    #[arg(long, env = "USHER_BACKUPS", value_name = "DIR")]
    backups: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
It looks at versions, who has the directory open, sizes, the log of every shard, snapshots, the
backups, the disk, the clock, permissions and limits. Each line is ok, a warning or a problem, and
says what to do. Every frame is read and verified, and the newest snapshot of each show, up to 256
MiB of them; of the backups only whether their files are there and as long as they were. `usher
log verify` and `usher backup verify` read all, and ask whether it makes sense. Nothing is written
into the directory.

Exit codes: 0 no problem, whatever the warnings; 1 problems; 2 wrong usage.";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Problem,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    text: String,
    /// What to do, unless it is ok.
    advice: Option<String>,
    /// The figures in it.
    values: Value,
}

/// A data directory as it was found.
struct Examined {
    dir: PathBuf,
    now_ms: u64,
    writer: Result<Option<Writer>, LogError>,
    /// Bytes of each entry of the directory, with all that is in it.
    sizes: io::Result<BTreeMap<String, u64>>,
    /// By shard; why the log cannot be opened, otherwise.
    shards: Result<Vec<Shard>, LogError>,
    durability: Option<Durability>,
    /// Which directory it is, if it says so.
    id: Option<DirectoryId>,
    /// Its backups; `None` if nobody asked.
    backup: Option<Result<FoundBackups, BackupError>>,
}

/// One shard's log.
struct Shard {
    shard: ShardId,
    epoch: u64,
    acknowledged: u64,
    first: u64,
    last: u64,
    last_clock_ms: u64,
    frames: u64,
    bytes: u64,
    damage: Option<LogError>,
    snapshots: FoundSnapshots,
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let examined = Examined::of(&self.data_dir, self.backups.as_deref());
        let findings: Vec<Finding> = checks::ALL.iter().flat_map(|check| check(&examined)).collect();
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
        if self.json {
            let level = findings.iter().map(|finding| finding.level).max();
            println!("{}", serde_json::json!({ "data_dir": self.data_dir, "level": level, "findings": findings }));
        } else {
            findings.iter().for_each(print);
        }
        if problems > 0 {
            bail!("problems: {problems}, warnings: {warnings}");
        }
        if !self.json {
            println!(
                "{}",
                if warnings == 0 { "all well".to_owned() } else { format!("no problem, warnings: {warnings}") }
            );
        }
        Ok(())
    }
}

fn print(finding: &Finding) {
    let level = match finding.level {
        Level::Ok => console::style("ok      ").green(),
        Level::Warning => console::style("warning ").yellow().bold(),
        Level::Problem => console::style("PROBLEM ").red().bold(),
    };
    println!("{level} {:<12} {}", finding.check, finding.text);
    if let Some(advice) = &finding.advice {
        println!("         {:<12} -> {advice}", "");
    }
}

impl Examined {
    fn of(dir: &Path, backups: Option<&Path>) -> Self {
        // A copy or a backup has no lock file, and nobody who holds it.
        let writer = match ReadOnlyStore::writer(dir) {
            Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found,
        };
        let (mut durability, mut id, mut left) = (None, None, READ_BYTES_MAX);
        let shards = journal::open(dir).and_then(|store| {
            (durability, id) = (store.durability().ok(), store.identity()?);
            let shards = (0..store.shards().get()).map(ShardId);
            shards.map(|shard| Shard::of(&store, shard, &mut left)).collect()
        });
        let backup = backups.map(FoundBackups::at);
        // After the log has been read: its last frame must not be younger than now.
        let (dir, now_ms, sizes) = (dir.to_owned(), WallClock.now().0, sizes(dir));
        Self { dir, now_ms, writer, sizes, shards, durability, id, backup }
    }
}

impl Shard {
    fn of(store: &ReadOnlyStore, shard: ShardId, left: &mut usize) -> Result<Self, LogError> {
        let (epoch, acknowledged) = (store.epoch(shard)?.0, store.acknowledged(shard)?.0);
        let mut found = Self {
            shard,
            epoch,
            acknowledged,
            first: 0,
            last: 0,
            last_clock_ms: 0,
            frames: 0,
            bytes: 0,
            damage: None,
            snapshots: FoundSnapshots::of(store, shard, left)?,
        };
        let read = store.replay(shard, &mut |frame| {
            if found.frames == 0 {
                found.first = frame.lsn.0;
            }
            (found.last, found.last_clock_ms) = (frame.lsn.0, frame.clock_ms);
            found.frames += 1;
            found.bytes += frame.encoded_bytes() as u64;
            Ok(())
        });
        found.damage = read.err();
        Ok(found)
    }
}

fn sizes(dir: &Path) -> io::Result<BTreeMap<String, u64>> {
    let size = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), size_of(&entry.path())))
    };
    fs::read_dir(dir)?.map(size).collect()
}

/// Bytes of a file, or of all files in a directory. What a running server deletes meanwhile counts as nothing.
fn size_of(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size_of(&entry.path())).sum()
}
