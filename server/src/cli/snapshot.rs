//! `usher snapshot`: snapshots of what has changed, now.

use anyhow::bail;
use clap::Args;
use serde_json::json;
use usher_proto::v1::{self, shard_snapshots::Outcome};

use super::{
    client::ServerArgs,
    format::{Column, List},
    log::thousands,
};

/// Returns when they are durable; the server goes on serving meanwhile.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(super) struct Snapshot {
    /// Only of this shard; may stand several times
    #[arg(long = "shard", value_name = "N")]
    shards: Vec<u32>,
    #[command(flatten)]
    server: ServerArgs,
}

const NOTES: &str = "\
A server takes snapshots by itself (see --snapshot-log-bytes and --snapshot-interval-ms of `usher
serve`), and whenever it is stopped. Of each show the last two are kept, and the log from the
earlier round on.

Exit codes: 0 done; 1 a shard could not take them, and the log has everything as before; 2 wrong
usage.";

impl Snapshot {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self { shards, server } = self;
        let request = v1::TakeSnapshotsRequest { shards };
        let answer = server.block_on(async |inventory| Ok(inventory.take_snapshots(request).await?))?;
        let mut list = List::new(server.format(), COLUMNS);
        answer.shards.iter().for_each(|of_shard| list.add(|| to_json(of_shard), || row(of_shard)));
        list.end("There are no shards.");
        let is_taken = |of_shard: &&v1::ShardSnapshots| matches!(of_shard.outcome, Some(Outcome::Taken(_)));
        let failed = answer.shards.len() - answer.shards.iter().filter(is_taken).count();
        if failed > 0 {
            bail!("{failed} of {} shards took no snapshots; the server's log says why", answer.shards.len());
        }
        Ok(())
    }
}

/// What was taken; all events up to the one LSN are covered, and the log is kept from the other one on.
const COLUMNS: &[Column] = &[
    Column::Right("SHARD"),
    Column::Right("CHANGED SHOWS"),
    Column::Right("BYTES"),
    Column::Right("COVERED TO LSN"),
    Column::Right("LOG FROM LSN"),
    Column::Left("PROBLEM"),
];

fn row(of_shard: &v1::ShardSnapshots) -> Vec<String> {
    let shard = of_shard.shard.to_string();
    let failed = |why: String| vec![shard.clone(), String::new(), String::new(), String::new(), String::new(), why];
    match &of_shard.outcome {
        Some(Outcome::Taken(taken)) => {
            let counts = [taken.shows.into(), taken.bytes].map(thousands);
            let lsns = [taken.lsn, taken.log_start_lsn].map(|lsn| lsn.to_string());
            [shard].into_iter().chain(counts).chain(lsns).chain([String::new()]).collect()
        }
        Some(Outcome::Rejection(rejection)) => failed(format!("{} ({})", rejection.message, rejection.reason)),
        None => failed("an answer of a newer server".to_owned()),
    }
}

fn to_json(of_shard: &v1::ShardSnapshots) -> serde_json::Value {
    let shard = of_shard.shard;
    match &of_shard.outcome {
        Some(Outcome::Taken(taken)) => json!({
            "shard": shard, "lsn": taken.lsn, "shows": taken.shows, "bytes": taken.bytes,
            "log_start_lsn": taken.log_start_lsn,
        }),
        Some(Outcome::Rejection(rejection)) => {
            json!({ "shard": shard, "reason": rejection.reason, "message": rejection.message })
        }
        None => json!({ "shard": shard }),
    }
}
