//! `usher snapshot`: snapshots of what has changed, now.

use anyhow::bail;
use clap::Args;
use serde_json::json;
use usher_proto::v1::{self, shard_snapshots::Outcome};

use super::{client::ServerArgs, format::List, log::thousands};

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
        let mut list = List::new(server.format(), &[]);
        let mut failed = 0;
        for of_shard in &answer.shards {
            failed += usize::from(!matches!(of_shard.outcome, Some(Outcome::Taken(_))));
            if server.json() {
                list.add(|| to_json(of_shard), Vec::new);
            } else {
                print(of_shard);
            }
        }
        list.end();
        if failed > 0 {
            bail!("{failed} of {} shards took no snapshots; the server's log says why", answer.shards.len());
        }
        Ok(())
    }
}

fn print(of_shard: &v1::ShardSnapshots) {
    let title = console::style(format!("shard {}", of_shard.shard)).bold();
    match &of_shard.outcome {
        Some(Outcome::Taken(taken)) => {
            let (shows, bytes) = (thousands(taken.shows.into()), thousands(taken.bytes));
            let plural = if taken.shows == 1 { "show" } else { "shows" };
            println!(
                "{title}: {shows} changed {plural}, {bytes} bytes; all is covered up to LSN {}, the log begins at LSN {}",
                taken.lsn, taken.log_start_lsn
            );
        }
        Some(Outcome::Rejection(rejection)) => println!("{title}: {} ({})", rejection.message, rejection.reason),
        None => println!("{title}: an answer of a newer server"),
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
