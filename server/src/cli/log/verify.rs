//! `usher log verify`: is the log whole, sound, and does it make sense?

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use usher_engine::{
    audit::Audit,
    inventory::invariants,
    shard::{Proof, ProofError, RecoveryError},
};
use usher_wal::{Frame, LogError, Lsn, ReadOnlyStore, ReplayStop, ShardId};

use super::{StoreArgs, frames_bar};
use crate::cli::{
    calm::{Unfit, calm, silently},
    client::told,
    print::counted,
};

/// Reads every frame, replays every event, and gives a verdict on each shard.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON, one object a shard and line
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
For every shard: each frame's checksum, the chain of their hashes, LSNs without a gap, epochs and
clocks that never fall, and the acknowledged LSN, which the log must reach. Then its events are
replayed, on top of the snapshots where it was trimmed: they must fit the state before them, lead
to every later snapshot, and leave the state's invariants true; an independent audit must find no
seat sold twice, and the hash of the state is printed. It must be the one that the server logs
when it stops at this LSN.

Exit codes: 0 sound; 1 damaged, naming shard, LSN and what to do; 2 wrong usage.";

/// What is found of one shard.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    /// `None` where the directory cannot be opened at all.
    shard: Option<u32>,
    sound: bool,
    first_lsn: Option<u64>,
    last_lsn: u64,
    acknowledged_lsn: u64,
    frames: u64,
    events: u64,
    /// Snapshots that were found to be what the frames lead to.
    snapshots_compared: u64,
    shows: usize,
    /// Of the state that the events lead to; `None` where something is wrong.
    state_hash: Option<String>,
    /// What is wrong, and what to do.
    problem: Option<String>,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = match self.store.open() {
            Ok(store) => store,
            Err(error) => {
                // RocksDB's own words know no remedy.
                let remedy = matches!(error.downcast_ref(), Some(LogError::Storage { .. }))
                    .then_some("; restore the directory from a backup if trying again does not help");
                let problem = Some(format!("{}{}", told(&error), remedy.unwrap_or_default()));
                self.print(&Verdict { problem, ..Verdict::default() });
                bail!("the log of {} cannot be read", self.store.data_dir.display());
            }
        };
        let shards = self.store.shards(&store)?;
        let mut damaged = 0;
        for shard in &shards {
            // A panic of the state is this command's finding, not its end.
            let verdict = silently(|| verdict(&store, *shard));
            damaged += usize::from(!verdict.sound);
            self.print(&verdict);
        }
        if damaged > 0 {
            bail!("{damaged} of {} shards are damaged", shards.len());
        }
        Ok(())
    }

    fn print(&self, verdict: &Verdict) {
        if self.json {
            println!("{}", serde_json::to_string(verdict).expect("numbers and text can be written"));
            return;
        }
        let name = verdict.shard.map_or_else(|| "all shards".to_owned(), |shard| format!("shard {shard}"));
        if let Some(problem) = &verdict.problem {
            println!("{name}: {}: {problem}", console::style("DAMAGED").red().bold());
            return;
        }
        let sound = console::style("sound").green();
        let (frames, events) = (counted(verdict.frames, "frame"), counted(verdict.events, "event"));
        let first = verdict.first_lsn.unwrap_or_default();
        let (last, acknowledged) = (verdict.last_lsn, verdict.acknowledged_lsn);
        let shows = counted(verdict.shows as u64, "show");
        match &verdict.state_hash {
            Some(_) if last == 0 => println!("{name}: {sound}, empty"),
            Some(hash) => println!(
                "{name}: {sound}, LSN {first} to {last}, acknowledged {acknowledged}, {frames}, {events}, \
                 {shows}\n  state hash {hash} after LSN {last}"
            ),
            None => {}
        }
    }
}

fn verdict(store: &ReadOnlyStore, shard: ShardId) -> Verdict {
    let mut replay = match Replay::beginning(store, shard) {
        Ok(replay) => replay,
        Err(error) => {
            return Verdict { shard: Some(shard.0), problem: Some(error.to_string()), ..Verdict::default() };
        }
    };
    let frames = store.ends(shard).ok().flatten().map_or(0, |(first, last)| last.0 - first.0 + 1);
    let bar = frames_bar(frames, shard);
    let read = store.replay(shard, &mut |frame| {
        bar.inc(1);
        replay.add(&frame)
    });
    bar.finish_and_clear();
    let problem = match read {
        Ok(_) => replay.inconsistency().map(|what| format!("{what}; restore the shard")),
        // The others name their remedy themselves.
        Err(error @ LogError::Storage { .. }) => Some(format!("{error}; restore the shard")),
        Err(error) => Some(error.to_string()),
    };
    Verdict {
        shard: Some(shard.0),
        sound: problem.is_none(),
        first_lsn: replay.first.map(|lsn| lsn.0),
        last_lsn: replay.last,
        acknowledged_lsn: store.acknowledged(shard).map_or(0, |lsn| lsn.0),
        frames: replay.frames,
        events: replay.events,
        snapshots_compared: replay.proof.compared,
        shows: replay.proof.loaded.inventory.shows().len(),
        state_hash: problem.is_none().then(|| replay.proof.loaded.inventory.state_hash().to_string()),
        problem,
    }
}

/// A shard's state, as its snapshots and its events lead to it.
struct Replay {
    proof: Proof,
    audit: Audit,
    first: Option<Lsn>,
    last: u64,
    frames: u64,
    events: u64,
}

impl Replay {
    /// Of a shard's log, with the snapshots that it rests on.
    fn beginning(store: &ReadOnlyStore, shard: ShardId) -> Result<Self, ProofError> {
        let start = store.start(shard).map_err(RecoveryError::from)?;
        let proof = Proof::begin(shard, store.snapshots(shard), &start)?;
        let audit = Audit::of_snapshots(&proof.loaded);
        Ok(Self { proof, audit, first: None, last: start.lsn.0, frames: 0, events: 0 })
    }

    fn add(&mut self, frame: &Frame<'_>) -> Result<(), ReplayStop> {
        self.first.get_or_insert(frame.lsn);
        (self.last, self.frames) = (frame.lsn.0, self.frames + 1);
        self.events += self.proof.apply(frame)?;
        self.audit.read(frame)?;
        Ok(())
    }

    /// What must not be of a state after the last event.
    fn inconsistency(&self) -> Option<String> {
        let after = format!("after LSN {}", self.last);
        if let Some(violation) = self.audit.violations().first() {
            let count = self.audit.violations_count;
            return Some(format!("{after} the audit finds {count} contradictions, first: {violation}"));
        }
        let broken = calm(|| invariants::check(&self.proof.loaded.inventory)).err();
        broken.map(|Unfit(what)| format!("{after} the state contradicts itself: {what}"))
    }
}
