//! `usher backup verify`: would a restore succeed?

use std::ops::ControlFlow;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use usher_engine::{
    inventory::invariants,
    shard::{Proof, ProofError},
};
use usher_wal::{
    LogError, Lsn, ShardId,
    backup::{self, BackupError, Source as _},
};

use super::BackupsArgs;
use crate::cli::{
    calm::{calm, silently},
    log::frames_bar,
    print::counted,
};

/// Reads every file, replays every event, and gives a verdict on each shard.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    backups: BackupsArgs,
    /// This backup, rather than the newest
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    backup: Option<String>,
    /// Every backup
    #[arg(long)]
    all: bool,
    /// Print JSON, one object a shard and line
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
For every shard: each file's checksum, each frame's, the unbroken chain of their hashes, LSNs
without a gap. Then its events are replayed on top of its first snapshots; at the LSN of each
later snapshot the state must have the same hash as the snapshot. The hash of the last state is
printed: it is the one that the server had at this LSN.

Exit codes: 0 sound; 1 damaged, naming file, shard, LSN and what to do; 2 wrong usage.";

/// What is found of one shard.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    backup: String,
    /// `None` where the catalogue is damaged.
    shard: Option<u32>,
    sound: bool,
    from_lsn: u64,
    to_lsn: u64,
    frames: u64,
    events: u64,
    /// Snapshots that the frames were found to lead to.
    snapshots_compared: u64,
    /// Of the state after the last frame; `None` where something is wrong.
    state_hash: Option<String>,
    /// What is wrong, and what to do.
    problem: Option<String>,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let backups = self.backups.open()?;
        let ids = if self.all { backups.list()? } else { Vec::new() };
        let wanted: Vec<Result<Option<String>, BackupError>> = if self.all {
            ids.into_iter().map(|found| found.map(|catalogue| Some(catalogue.id))).collect()
        } else {
            vec![Ok(self.backup.clone())]
        };
        let mut damaged = 0;
        for id in wanted {
            let backup = match id.and_then(|id| backups.backup(id.as_deref())) {
                Ok(backup) => backup,
                Err(error @ BackupError::Catalogue { .. }) => {
                    damaged += 1;
                    self.print(&Verdict { problem: Some(error.to_string()), ..Verdict::default() })?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for shard in (0..backup.shards().get()).map(ShardId) {
                let verdict = silently(|| verdict(&backup, shard));
                damaged += usize::from(!verdict.sound);
                self.print(&verdict)?;
            }
        }
        if damaged > 0 {
            bail!("damaged: {damaged}");
        }
        Ok(())
    }

    fn print(&self, verdict: &Verdict) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(verdict)?);
            return Ok(());
        }
        let shard = verdict.shard.map_or_else(String::new, |shard| format!(" shard {shard}"));
        let name = format!("{}{shard}", verdict.backup);
        let Some(hash) = &verdict.state_hash else {
            let problem = verdict.problem.as_deref().unwrap_or_default();
            println!("{name}: {}: {problem}", console::style("DAMAGED").red().bold());
            return Ok(());
        };
        let (from, to, sound) = (verdict.from_lsn, verdict.to_lsn, console::style("sound").green());
        if to == 0 {
            println!("{name}: {sound}, empty");
            return Ok(());
        }
        let (frames, events) = (counted(verdict.frames, "frame"), counted(verdict.events, "event"));
        let compared = match verdict.snapshots_compared {
            0 => String::new(),
            1 => ", 1 snapshot is what the frames before it lead to".to_owned(),
            count => format!(", {count} snapshots are what the frames before them lead to"),
        };
        println!("{name}: {sound}, LSN {from} to {to}, {frames}, {events}{compared}");
        println!("  state hash {hash} after LSN {to}");
        Ok(())
    }
}

fn verdict(backup: &backup::Backup, shard: ShardId) -> Verdict {
    let catalogue = backup.catalogue();
    let own = &catalogue.shards[shard.0 as usize];
    let mut verdict = Verdict {
        backup: catalogue.id.clone(),
        shard: Some(shard.0),
        from_lsn: own.start.from.0,
        to_lsn: own.end.lsn.0,
        ..Verdict::default()
    };
    match prove(backup, shard, &mut verdict) {
        Ok(hash) => (verdict.sound, verdict.state_hash) = (true, Some(hash)),
        Err(problem) => verdict.problem = Some(problem),
    }
    verdict
}

/// Returns the hash of the last state, or what is wrong.
fn prove(backup: &backup::Backup, shard: ShardId, verdict: &mut Verdict) -> Result<String, String> {
    let own = &backup.catalogue().shards[shard.0 as usize];
    let snapshots = backup.snapshots(shard).map_err(|error| error.to_string())?;
    let mut proof = Proof::begin(shard, snapshots, &own.start.log).map_err(|error| with_remedy(&error))?;
    let frames = own.end.lsn.0.saturating_sub(own.start.log.lsn.0);
    let bar = frames_bar(frames, shard);
    let read = backup.frames(shard, &mut |frame, _| {
        bar.inc(1);
        verdict.frames += 1;
        verdict.events += proof.apply(&frame)?;
        Ok(ControlFlow::Continue(()))
    });
    bar.finish_and_clear();
    match read {
        Ok(()) => {}
        Err(BackupError::Log(LogError::Rejected { lsn, source, .. })) => {
            return Err(format!("LSN {lsn} of shard {shard}: {source}; restore from another backup"));
        }
        Err(error) => return Err(error.to_string()),
    }
    verdict.snapshots_compared = proof.compared;
    let inventory = &proof.loaded.inventory;
    let broken = calm(|| invariants::check(inventory)).err();
    match broken.filter(|_| own.end.lsn > Lsn::ZERO) {
        Some(unfit) => Err(format!("the state after LSN {} contradicts itself: {}", own.end.lsn, unfit.0)),
        None => Ok(inventory.state_hash().to_string()),
    }
}

fn with_remedy(error: &ProofError) -> String {
    format!("{error}; restore from another backup")
}
