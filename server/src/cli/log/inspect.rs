//! `usher log inspect`: what each shard's log has.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use usher_engine::{codec::read_payload, event::Event, time::Timestamp};
use usher_wal::{Frame, LogError, ReadOnlyStore, ReplayStop, ShardId};

use super::{StoreArgs, joined, thousands};
use crate::{
    cli::{print::counted, when::utc},
    journal::kind_of,
};

/// Reads every frame and counts what is in it.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Inspect {
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON, one object a shard and line
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
Every frame is read and verified, no event is replayed; `usher log verify` does that. Bytes are
those of the frames, before storage adds its own.

Exit codes: 0 done; 1 a shard's log is damaged, or cannot be read; 2 wrong usage.";

/// What a shard's log has. Bytes are those of the frames, before storage adds its own.
#[derive(Debug, Serialize)]
struct Summary {
    shard: u32,
    epoch: u64,
    acknowledged_lsn: u64,
    first_lsn: Option<u64>,
    last_lsn: Option<u64>,
    first_clock_ms: Option<u64>,
    last_clock_ms: Option<u64>,
    frames: u64,
    bytes: u64,
    events: u64,
    events_by_kind: BTreeMap<&'static str, u64>,
    shows: Vec<String>,
    /// What ends the log before its end.
    damage: Option<String>,
    #[serde(skip)]
    show_ids: BTreeMap<u32, Option<String>>,
}

impl Inspect {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = self.store.open()?;
        let shards = self.store.shards(&store)?;
        let mut damaged = 0;
        for shard in &shards {
            let summary = Summary::of(&store, *shard)?;
            damaged += usize::from(summary.damage.is_some());
            if self.json {
                println!("{}", serde_json::to_string(&summary)?);
            } else {
                summary.print();
            }
        }
        if damaged > 0 {
            bail!("{damaged} of {} shards are damaged; `usher log verify` says more", shards.len());
        }
        Ok(())
    }
}

impl Summary {
    fn of(store: &ReadOnlyStore, shard: ShardId) -> Result<Self, LogError> {
        let mut summary = Self {
            shard: shard.0,
            epoch: store.epoch(shard)?.0,
            acknowledged_lsn: store.acknowledged(shard)?.0,
            first_lsn: None,
            last_lsn: None,
            first_clock_ms: None,
            last_clock_ms: None,
            frames: 0,
            bytes: 0,
            events: 0,
            events_by_kind: BTreeMap::new(),
            shows: Vec::new(),
            damage: None,
            show_ids: BTreeMap::new(),
        };
        summary.damage = store.replay(shard, &mut |frame| summary.add(&frame)).err().map(|error| error.to_string());
        let named = |(number, id): (&u32, &Option<String>)| id.clone().unwrap_or_else(|| format!("number {number}"));
        summary.shows = summary.show_ids.iter().map(named).collect();
        Ok(summary)
    }

    fn add(&mut self, frame: &Frame<'_>) -> Result<(), ReplayStop> {
        self.first_lsn.get_or_insert(frame.lsn.0);
        self.first_clock_ms.get_or_insert(frame.clock_ms);
        (self.last_lsn, self.last_clock_ms) = (Some(frame.lsn.0), Some(frame.clock_ms));
        self.frames += 1;
        self.bytes += frame.encoded_bytes() as u64;
        for record in read_payload(frame.payload, Timestamp(frame.clock_ms)) {
            let (number, event) = record?;
            self.events += 1;
            *self.events_by_kind.entry(kind_of(&event)).or_default() += 1;
            let id = self.show_ids.entry(number.0).or_default();
            if let Event::ShowCreated(created) = &event {
                *id = Some(created.show_id.to_string());
            }
        }
        Ok(())
    }

    fn print(&self) {
        let title = console::style(format!("shard {}", self.shard)).bold();
        let (epoch, acknowledged) = (self.epoch, self.acknowledged_lsn);
        match (self.first_lsn.zip(self.last_lsn), self.first_clock_ms.zip(self.last_clock_ms)) {
            (Some((first, last)), Some((from, to))) => {
                println!("{title}: LSN {first} to {last}, acknowledged {acknowledged}, epoch {epoch}");
                println!("  written  {} to {}", utc(from), utc(to));
            }
            _ => println!("{title}: empty, acknowledged {acknowledged}, epoch {epoch}"),
        }
        let (frames, events) = (counted(self.frames, "frame"), counted(self.events, "event"));
        println!("  size     {frames}, {}, {events}", counted(self.bytes, "byte"));
        println!("  shows    {}", joined(self.shows.iter()));
        for (kind, count) in &self.events_by_kind {
            println!("  {:>12}  {kind}", thousands(*count));
        }
        if let Some(damage) = &self.damage {
            println!("  {} {damage}", console::style("damaged:").red().bold());
        }
    }
}
