//! `usher log tail`: what happened last, in words.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use usher_engine::{event::Event, ids::ShowNumber};
use usher_wal::{LogError, ReadOnlyStore};

use super::{EventArgs, StoreArgs};
use crate::journal::{Entry, Position, Reader};

/// Between two looks at the log, at least.
const FOLLOW_WAIT_MIN: Duration = Duration::from_millis(500);

/// One event a line, of several shards in the order of their clocks.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(in crate::cli) struct Tail {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    events: EventArgs,
    /// The last so many events
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Go on as events are appended, until this is ended
    #[arg(long, short)]
    follow: bool,
    /// Print JSON, as `usher log export` does
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
One event a line: when, shard/LSN, show, and what happened; of several shards in the order of
their clocks. The words are for people and may change: scripts take `usher log export`. Where no
event is what was asked for, or where it was trimmed, standard error says so.

Exit codes: 0 done; 1 there is no such show, the log is damaged, or cannot be read; 2 wrong usage.";

/// An event that may be printed.
struct Kept {
    reader: usize,
    position: Position,
    number: ShowNumber,
    event: Event,
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = self.store.open()?;
        let mut readers: Vec<Reader> = self.store.shards(&store)?.into_iter().map(Reader::new).collect();
        let printed = self.print(&mut readers, &store, self.limit)?;
        if !self.follow {
            let printed = if self.limit == 0 { 1 } else { printed };
            return self.events.tell_what_is_not_there(printed, &readers, &store);
        }
        self.events.warn_of_nameless(readers.iter());
        drop(store);
        let mut wait = FOLLOW_WAIT_MIN;
        loop {
            thread::sleep(wait);
            let started = Instant::now();
            self.print(&mut readers, &self.store.open()?, usize::MAX)?;
            // An opening reads all of RocksDB's own log: it must not keep a processor from the server.
            wait = FOLLOW_WAIT_MIN.max(started.elapsed() * 4);
        }
    }

    /// Prints the last `limit` events of those not yet read; how many those were.
    fn print(&self, readers: &mut [Reader], store: &ReadOnlyStore, limit: usize) -> Result<u64, LogError> {
        let mut kept = Vec::new();
        for (index, reader) in readers.iter_mut().enumerate() {
            kept.extend(self.last_of(index, reader, store, limit)?);
        }
        kept.sort_by_key(|kept| kept.position.clock);
        let last = &kept[kept.len().saturating_sub(limit)..];
        for kept in last {
            self.print_line(&readers[kept.reader].entry(kept.position, kept.number, &kept.event));
        }
        Ok(last.len() as u64)
    }

    fn last_of(
        &self,
        index: usize,
        reader: &mut Reader,
        store: &ReadOnlyStore,
        limit: usize,
    ) -> Result<VecDeque<Kept>, LogError> {
        let mut kept = VecDeque::new();
        reader.read(store, &mut |entry| {
            if self.events.wants(entry) && limit > 0 {
                if kept.len() == limit {
                    kept.pop_front();
                }
                let (position, number, event) = (entry.position, entry.number, entry.event.clone());
                kept.push_back(Kept { reader: index, position, number, event });
            }
            ControlFlow::Continue(())
        })?;
        Ok(kept)
    }

    fn print_line(&self, entry: &Entry<'_>) {
        if self.json {
            println!("{}", entry.to_json());
            return;
        }
        let Position { shard, lsn, clock, .. } = entry.position;
        let show = entry.show_id().map_or_else(|| format!("show {}", entry.number.0), ToString::to_string);
        println!("{clock}  {:<8}  {}  {}", format!("{shard}/{lsn}"), console::style(show).bold(), entry.to_words());
    }
}
