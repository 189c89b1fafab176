//! How commands reach a server, and how its refusals read in a terminal.

use std::{future::Future, time::Duration};

use anyhow::Context as _;
use clap::Args;
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Endpoint};
use tonic_types::StatusExt as _;
use usher_wal::LogError;

use super::{
    advice,
    credentials::{Connection, Credentials},
    when::utc,
};
use crate::config::WrongSetting;

/// Longest wait for an answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// Which server, and how to print.
#[derive(Clone, Debug, Args)]
pub(super) struct ServerArgs {
    /// Server to call
    #[arg(long, env = "USHER_SERVER", value_name = "URL", default_value = "http://127.0.0.1:7421")]
    pub(super) server: String,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) credentials: Credentials,
}

impl ServerArgs {
    /// Runs a call on a connection to the server.
    pub(super) fn block_on<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        call: impl FnOnce(Connection) -> F,
    ) -> anyhow::Result<T> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
        runtime.block_on(async { call(connect(&self.server, &self.credentials).await?).await })
    }
}

/// Connects to a server.
pub(super) async fn connect(server: &str, credentials: &Credentials) -> anyhow::Result<Connection> {
    let no_address = |error| WrongUsage(format!("the server's address {server:?}: {error}"));
    let endpoint = Endpoint::from_shared(server.to_owned()).map_err(no_address)?;
    let endpoint = credentials.secure(endpoint.timeout(ANSWER_WAIT_MAX).tcp_nodelay(true))?;
    let bearer = credentials.bearer()?;
    let channel = endpoint
        .connect()
        .await
        .with_context(|| format!("no server at {server}; start one with `usher serve` or name it with --server"))?;
    Ok(InterceptedService::new(channel, bearer))
}

/// What was asked for cannot be meant: a repetition is hopeless.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongUsage(pub(super) String);

/// 2 when the request or a setting is wrong, whoever found it, 3 when the rules said no, 1 otherwise.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    let code = error.downcast_ref::<Status>().map(Status::code);
    match (code, error.downcast_ref()) {
        (Some(Code::InvalidArgument), _) => 2,
        (Some(Code::FailedPrecondition | Code::NotFound), _) => 3,
        (None, Some(LogError::ShardCount { .. } | LogError::TooManyShards { .. })) => 2,
        (None, _) if error.is::<WrongUsage>() || error.is::<WrongSetting>() => 2,
        _ => 1,
    }
}

/// An error with its causes, but for those that it has told itself.
pub(super) fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.contains(&cause) => told,
        told if told.is_empty() => cause,
        told => format!("{told}: {cause}"),
    })
}

/// What a command knows better than the table of reasons: what to do next.
#[derive(Debug)]
pub(super) struct Advice(pub(super) String);

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A refusal with this advice instead of the table's, if there is one.
pub(super) fn advised(status: Status, advice: Option<String>) -> anyhow::Error {
    match advice {
        Some(advice) => anyhow::Error::new(status).context(Advice(advice)),
        None => status.into(),
    }
}

/// Why a call was refused, as clients see it.
pub(super) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone())
}

/// A refusal in one or two lines: what, its reason, and what to do next.
pub(super) fn explain(status: &Status, advice: Option<&Advice>) -> String {
    let details = status.get_error_details();
    let told = details.error_info().map(|info| info.metadata.clone()).unwrap_or_default();
    let reason = reason(status);
    let advice = advice.map_or_else(|| advice::of(&reason, &told), |advice| advice.0.clone());
    let advice = if advice.is_empty() { advice } else { format!("\n{advice}") };
    let instants = told.iter().filter(|(name, _)| name.ends_with("_ms"));
    let instants = instants.filter_map(|(name, ms)| Some((name.trim_end_matches("_ms"), utc(ms.parse().ok()?))));
    let untold = instants.filter(|(_, at)| !status.message().contains(at));
    let instants: String = untold.map(|(name, at)| format!("\n{name}: {at}")).collect();
    format!("{} ({reason}){instants}{advice}", status.message())
}

#[cfg(test)]
mod tests {
    use std::{io, path::PathBuf};

    use anyhow::Error;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = LogError::Io { path: PathBuf::from("data"), source: io::Error::other("no such file") };
        assert_eq!(told(&Error::new(error).context("opening")), "opening: data: no such file");
        assert_eq!(told(&Error::msg("why").context("what")), "what: why");
    }

    #[test]
    fn wrong_settings_are_wrong_usage() {
        let wrong = LogError::TooManyShards { shards: 2_000, shards_max: 1_024 };
        assert_eq!(exit_code(&Error::new(wrong).context("opening")), 2);
        assert_eq!(exit_code(&Error::msg("failed")), 1);
    }
}
