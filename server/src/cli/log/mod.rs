//! `usher log`: the log of a data directory, read beside whoever writes it. Nothing is written into the directory.

use std::{fmt, path::PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use usher_engine::time::Clock as _;
use usher_wal::{ReadOnlyStore, ShardId};

use super::{
    client::WrongUsage,
    output::print_error,
    print::first_of,
    when::{parse_age_ms, parse_when},
};
use crate::{
    clock::WallClock,
    journal::{self, Entry, Reader},
};

pub(super) use crate::load::report::thousands;

mod export;
mod inspect;
mod tail;
mod verify;

/// Look into the log of a data directory, also while a server runs on it.
#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// Say what each shard's log has: positions, times, events by kind, shows
    Inspect(inspect::Inspect),
    /// Print the latest events in words
    Tail(tail::Tail),
    /// Prove that the log is whole, sound, and makes sense
    Verify(verify::Verify),
    /// Print events as JSON, one a line
    Export(export::Export),
}

impl Log {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Inspect(command) => command.run(),
            Self::Tail(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Export(command) => command.run(),
        }
    }
}

/// Which data directory, and which of its shards.
#[derive(Debug, Args)]
struct StoreArgs {
    /// Data directory to read; nothing is written into it
    #[arg(long, env = "USHER_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    /// Only this shard, from 0
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
}

impl StoreArgs {
    fn open(&self) -> anyhow::Result<ReadOnlyStore> {
        let dir = self.data_dir.display();
        ensure!(self.data_dir.is_dir(), "{dir} is no directory; name the data directory with --data-dir");
        Ok(journal::open(&self.data_dir)?)
    }

    /// The shards that are asked for.
    fn shards(&self, store: &ReadOnlyStore) -> anyhow::Result<Vec<ShardId>> {
        let shards = store.shards().get();
        match self.shard {
            None => Ok((0..shards).map(ShardId).collect()),
            Some(shard) => {
                check_shard(shard, shards)?;
                Ok(vec![ShardId(shard)])
            }
        }
    }
}

/// Which events.
#[derive(Debug, Args)]
struct EventArgs {
    /// Only events of this show
    #[arg(long, value_name = "ID")]
    show: Option<String>,
    /// Only from this LSN on
    #[arg(long, value_name = "LSN")]
    from: Option<u64>,
    /// Only up to this LSN, inclusive
    #[arg(long, value_name = "LSN")]
    to: Option<u64>,
    /// Only since this time: UTC such as 2026-12-24T18:00:00Z, or how long ago, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_past)]
    since: Option<u64>,
    /// Only before this time, given as for --since
    #[arg(long, value_name = "TIME", value_parser = parse_past)]
    until: Option<u64>,
}

impl EventArgs {
    /// Says why nothing was printed, or not all that was asked for. Exact only for readers that were not stopped early.
    ///
    /// # Errors
    /// Where there is no such show.
    fn tell_what_is_not_there(&self, printed: u64, readers: &[Reader], store: &ReadOnlyStore) -> anyhow::Result<()> {
        self.warn_of_nameless(readers.iter());
        if let Some(show) = self.show.as_ref().filter(|_| printed == 0 && !readers.iter().any(Reader::lacks_names)) {
            let is_known = readers.iter().any(|reader| reader.knows(show));
            ensure!(is_known, "there is no show {show} in what was read of the log");
        }
        let mut ranges = Vec::new();
        for shard in readers.iter().map(Reader::shard) {
            let ends = store.ends(shard)?;
            if let Some((first, _)) = ends.filter(|(first, _)| self.from.is_some_and(|from| from.max(1) < first.0)) {
                print_error(format_args!(
                    "note: the log of shard {shard} begins at LSN {first}; what was before was trimmed"
                ));
            }
            ranges.extend(ends.map(|(first, last)| format!("of shard {shard} it has LSN {first} to {last}")));
        }
        if printed == 0 {
            let ranges = if ranges.is_empty() {
                "it is empty".to_owned()
            } else {
                first_of(ranges.iter().cloned(), ranges.len())
            };
            print_error(format_args!("note: the log has no event that was asked for; {ranges}"));
        }
        Ok(())
    }

    /// Says so where events may have been left out because the log no longer has their show's name.
    fn warn_of_nameless<'a>(&self, mut readers: impl Iterator<Item = &'a Reader>) {
        if self.show.is_some() && readers.any(Reader::lacks_names) {
            print_error(format_args!(
                "note: the log no longer says what all of its shows are called; theirs are not among these events"
            ));
        }
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let at = entry.position;
        self.from.is_none_or(|from| at.lsn.0 >= from)
            && self.since.is_none_or(|since| at.clock.0 >= since)
            && !self.is_past(entry)
            && self.show.as_ref().is_none_or(|show| entry.show_id().is_some_and(|id| id.as_str() == show))
    }

    /// Nothing behind this one is wanted: neither LSNs nor clock readings fall within a shard.
    fn is_past(&self, entry: &Entry<'_>) -> bool {
        let at = entry.position;
        self.to.is_some_and(|to| at.lsn.0 > to) || self.until.is_some_and(|until| at.clock.0 >= until)
    }
}

/// # Errors
/// [`WrongUsage`] of a shard that there is not.
pub(super) fn check_shard(shard: u32, shards: u32) -> Result<(), WrongUsage> {
    if shard < shards {
        return Ok(());
    }
    Err(WrongUsage(format!("there is no shard {shard}: they are counted from 0, and the last one is {}", shards - 1)))
}

/// An instant, or a length of time before now.
pub(super) fn parse_past(text: &str) -> anyhow::Result<u64> {
    if let Ok(ago) = parse_age_ms(text) {
        return Ok(WallClock.now().0.saturating_sub(ago));
    }
    let instant = (!text.starts_with('+')).then(|| parse_when(text).ok()).flatten();
    instant.context(
        "must be UTC such as 2026-12-24T18:00:00Z, how long ago such as 90s, 10m, 2h or 3d, or milliseconds since 1970",
    )
}

/// On standard error, and only where that is a terminal.
pub(super) fn frames_bar(frames: u64, shard: ShardId) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg}  {bar:24} {human_pos} of {human_len} frames  {eta}");
    let bar = ProgressBar::new(frames).with_message(format!("shard {shard}"));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Names in a line, or that there are none.
fn joined(names: impl Iterator<Item = impl fmt::Display>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { first_of(names.iter().cloned(), names.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn a_time_may_be_long_ago() {
        let (now, past) = (WallClock.now().0, parse_past("10m").unwrap());
        assert!((599_000..=660_000).contains(&(now.saturating_sub(past))), "{past} is not ten minutes before {now}");
        assert_eq!(parse_past("2001-09-09T01:46:40Z").unwrap(), 1_000_000_000_000);
        for wrong in ["yesterday", "+10m", "2026-02-30T00:00:00Z"] {
            let told = parse_past(wrong).unwrap_err().to_string();
            assert!(told.contains("how long ago such as 90s"), "{wrong}: {told}");
        }
    }
}
