//! `usher log export`: events for scripts.

use std::ops::ControlFlow;

use clap::Args;

use super::{EventArgs, StoreArgs};
use crate::{cli::output::Lines, journal::Reader};

/// One JSON object a line, shard by shard, in the order of the log.
#[derive(Debug, Args)]
#[command(after_long_help = FIELDS)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    events: EventArgs,
    /// At most so many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print JSON, which it does anyway
    #[arg(long, hide = true)]
    json: bool,
}

const FIELDS: &str = r#"Every line has
  shard, lsn, epoch     where it stands; the events of one batch share a frame, and so an LSN
  clock_ms, time        the shard's clock when it happened: milliseconds since 1970, and UTC
  show_number, show_id  the show; the id is null if it was created before the first frame of the log
  event                 the kind: HoldGranted, HoldConfirmed, HoldExpired, ShowCreated, ...
and the fields of its kind, under names that never change:
  hold_id, rest_id      UUIDs; a booking and a waiting entry keep the id of their hold
  buyer                 text, or {"hex": ...} where it is none
  order, payment        as the frontend sent them
  places                {"seats": [{"index", "label"}], "ga": [{"section", "quantity"}]}; null means all that the hold had
  seats (in bulk)       consecutive ones: [{"first", "last", "count"}]
  ..._ms                an instant in milliseconds since 1970; `ttl_ms` and those with `_max` are lengths
  ..._minor             money in minor units of the show's currency
What the log does not know is null.

Where no event is what was asked for, or where it was trimmed, standard error says so.

Exit codes: 0 done; 1 there is no such show, the log is damaged, after all events before that, or cannot be read; 2 wrong
usage.

Example:
  $ usher log export --data-dir ./data --show gala --since 1h | jq -r 'select(.event == "HoldConfirmed") | .order'
  {"shard":0,"lsn":7,"epoch":1,"clock_ms":1766599200000,"time":"2025-12-24T18:00:00Z","show_number":0,
   "show_id":"gala","event":"HoldConfirmed","hold_id":"0190d3f1-0000-7000-8000-000000000001","order":"o-17",
   "payment":"p-4","places":null}        <- one line, before jq"#;

impl Export {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let store = self.store.open()?;
        let mut lines = Lines::default();
        let limit = self.limit.unwrap_or(u64::MAX);
        let mut left = limit;
        let mut readers: Vec<Reader> = self.store.shards(&store)?.into_iter().map(Reader::new).collect();
        for reader in &mut readers {
            let read = reader.read(&store, &mut |entry| {
                if left == 0 || self.events.is_past(entry) {
                    return ControlFlow::Break(());
                }
                if self.events.wants(entry) {
                    left -= 1;
                    lines.print(format_args!("{}", entry.to_json()));
                }
                ControlFlow::Continue(())
            });
            // What was read before the damage is printed before it is told.
            lines.flush();
            read?;
        }
        if limit == 0 {
            return Ok(());
        }
        self.events.tell_what_is_not_there(limit - left, &readers, &store)
    }
}
