//! `usher health`: whether a server serves, for containers and scripts.

use anyhow::bail;
use clap::Args;
use serde_json::json;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::client::ServerArgs;

/// Asks grpc.health.v1. Exit codes: 0 it serves; 1 it does not, or there is none; 3 it has no such shard.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Only this shard [default: all of them]
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
    #[command(flatten)]
    server: ServerArgs,
}

impl Health {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let service = self.shard.map(|shard| format!("shard-{shard}")).unwrap_or_default();
        let what = if service.is_empty() { "the server".to_owned() } else { service.clone() };
        let status = self.server.block_on_channel(async |channel| {
            let answer = HealthClient::new(channel).check(HealthCheckRequest { service }).await?;
            Ok(answer.into_inner().status())
        })?;
        if status != ServingStatus::Serving {
            bail!("{what} is not serving: {}", status.as_str_name());
        }
        if self.server.json() {
            println!("{}", json!({ "status": status.as_str_name() }));
        } else {
            println!("{what} is serving");
        }
        Ok(())
    }
}
