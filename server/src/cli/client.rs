//! How commands reach a server, and how its refusals read in a terminal.

use std::{future::Future, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::Args;
use tonic::{Code, Status, transport::Endpoint};
use usher_client::{Error, Inventory, Options, Reason, Refused};
use usher_wal::LogError;

use super::{
    advice,
    credentials::{Connection, Credentials},
    format::{Format, FormatArgs, HEADING},
    places::parse_length_ms,
    when::utc,
};
use crate::config::WrongSetting;

/// What to do where there was no answer, and nothing better is known.
const REPEAT: &str = "It may have happened all the same: send it again, which is safe, or wait longer with --timeout.";

/// Which server, how long to wait for it, and how to print.
#[derive(Clone, Debug, Args)]
pub(super) struct ServerArgs {
    /// Server to call
    #[arg(long, env = "USHER_SERVER", value_name = "URL", default_value = "http://127.0.0.1:7421", help_heading = HEADING)]
    server: String,
    /// How long to wait for an answer; until then the call is repeated where that may help, as after a crash of the server
    #[arg(long, env = "USHER_TIMEOUT", value_name = "LENGTH", default_value = "30s", value_parser = parse_length_ms, help_heading = HEADING)]
    timeout: u64,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    credentials: Credentials,
}

impl ServerArgs {
    /// Runs calls of a client of the server, which must be there now.
    pub(super) fn block_on<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        calls: impl FnOnce(Inventory) -> F,
    ) -> anyhow::Result<T> {
        runtime()?.block_on(async { calls(self.ready().await?).await })
    }

    /// Runs calls that the client does not know.
    pub(super) fn block_on_channel<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        calls: impl FnOnce(Connection) -> F,
    ) -> anyhow::Result<T> {
        runtime()?.block_on(async {
            self.ready().await?;
            let endpoint = Endpoint::from_shared(self.server.clone())?.timeout(self.timeout()).tcp_nodelay(true);
            calls(self.credentials.connect(endpoint).await?).await
        })
    }

    async fn ready(&self) -> anyhow::Result<Inventory> {
        let inventory = inventory_as(&self.server, &self.credentials)?.with_timeout(self.timeout());
        match inventory.ready().await {
            Ok(()) => Ok(inventory),
            Err(Error::Unreachable { problem, .. }) => Err(no_server(&self.server, &problem)),
            Err(error) => Err(error.into()),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout)
    }

    pub(super) fn format(&self) -> Format {
        self.format.format()
    }

    /// Whether JSON is wanted, of either kind: they differ in lists only.
    pub(super) fn json(&self) -> bool {
        self.format() != Format::Table
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")
}

/// A client of a server that does not ask who calls. Must be called within a runtime.
pub(super) fn inventory(server: &str) -> anyhow::Result<Inventory> {
    inventory_as(server, &Credentials::default())
}

fn inventory_as(server: &str, credentials: &Credentials) -> anyhow::Result<Inventory> {
    let (bearer, tls) = (credentials.bearer()?, Some(credentials.tls()?));
    let options = Options { connections: 1, bearer, tls, ..Options::default() };
    Inventory::with_options(server, &options).map_err(|error| WrongUsage(error.to_string()).into())
}

fn no_server(server: &str, problem: &str) -> anyhow::Error {
    // As rustls says that there is one whose certificate is not believed; and then, that its authority is not known.
    if problem.contains("invalid peer certificate") {
        let is_unknown = problem.contains("UnknownIssuer");
        let advice = if is_unknown { "\nName the authority that vouches for it with --server-ca." } else { "" };
        return anyhow!("the server at {server} is not believed: {problem}{advice}");
    }
    anyhow!("no server at {server}: {problem}\nStart one with `usher serve`, or name it with --server.")
}

/// What was asked for cannot be meant: a repetition is hopeless.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongUsage(pub(super) String);

/// 2 when the request or a setting is wrong, whoever found it, 3 when the rules said no, 1 otherwise.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    let code = refusal(error).map(|refused| refused.code);
    match (code, error.downcast_ref()) {
        (Some(Code::InvalidArgument), _) => 2,
        (Some(Code::FailedPrecondition | Code::NotFound), _) => 3,
        (None, Some(LogError::ShardCount { .. } | LogError::TooManyShards { .. })) => 2,
        (None, _) if error.is::<WrongUsage>() || error.is::<WrongSetting>() => 2,
        (None, _) if matches!(error.downcast_ref(), Some(Error::TooLarge { .. })) => 2,
        _ => 1,
    }
}

/// What the server said, if the error is that it said no.
fn refusal(error: &anyhow::Error) -> Option<Refused> {
    match error.downcast_ref() {
        Some(Error::Refused(refused)) => Some((**refused).clone()),
        _ => error.downcast_ref::<Status>().map(|status| status.clone().into()),
    }
}

/// An error as people read it: what, why, and what to do next.
pub(super) fn explain(error: &anyhow::Error) -> String {
    let advice = error.downcast_ref::<Advice>();
    match (refusal(error), error.downcast_ref()) {
        (Some(refused), _) => explain_refusal(&refused, advice),
        (None, Some(late @ Error::TimedOut { last, .. })) => {
            let known = last.as_ref().map(|last| advice::of(&last.reason, &last.metadata));
            let known = known.filter(|known| !known.is_empty()).unwrap_or_else(|| REPEAT.to_owned());
            format!("{late}{}", on_a_line(&advice.map_or(known, |advice| advice.0.clone())))
        }
        _ => told(error),
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
struct Advice(String);

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error with this advice instead of the table's, if there is one.
pub(super) fn advised(error: Error, advice: Option<String>) -> anyhow::Error {
    match advice {
        Some(advice) => anyhow::Error::new(error).context(Advice(advice)),
        None => error.into(),
    }
}

/// An error of a call that makes something new: where there was no answer, how to learn what became of it.
pub(super) fn of_new(show: &str, id: uuid::Uuid, error: Error) -> anyhow::Error {
    let is_open = matches!(error, Error::TimedOut { .. });
    advised(error, is_open.then(|| format!("It may have happened all the same: `usher get {show} {id}` tells.")))
}

/// A refusal in one or two lines: what, its reason, and what to do next.
fn explain_refusal(refused: &Refused, advice: Option<&Advice>) -> String {
    let reason = match &refused.reason {
        Reason::None => format!("{:?}", refused.code),
        reason => reason.to_string(),
    };
    let advice = advice.map_or_else(|| advice::of(&refused.reason, &refused.metadata), |advice| advice.0.clone());
    let instants = refused.metadata.iter().filter(|(name, _)| name.ends_with("_ms"));
    let instants = instants.filter_map(|(name, ms)| Some((name.trim_end_matches("_ms"), utc(ms.parse().ok()?))));
    let untold = instants.filter(|(_, at)| !refused.message.contains(at));
    let instants: String = untold.map(|(name, at)| format!("\n{name}: {at}")).collect();
    format!("{} ({reason}){instants}{}", refused.message, on_a_line(&advice))
}

fn on_a_line(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!("\n{advice}") }
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

    #[test]
    fn a_server_that_is_not_believed_is_told_from_none() {
        let said = |problem| explain(&no_server("https://seats", problem));
        assert!(said("connection refused").contains("usher serve"));
        let unknown = said("invalid peer certificate: UnknownIssuer");
        assert!(unknown.contains("--server-ca") && !unknown.contains("usher serve"), "{unknown}");
        assert_eq!(
            said("invalid peer certificate: Expired"),
            "the server at https://seats is not believed: invalid peer certificate: Expired"
        );
    }

    #[test]
    fn who_got_no_answer_is_told_what_to_do() {
        let none = || usher_client::Error::TimedOut { waited: Duration::from_secs(1), last: None };
        let said = explain(&of_new("gala", uuid::Uuid::nil(), none()));
        assert!(said.ends_with("usher get gala 00000000-0000-0000-0000-000000000000` tells."), "{said}");
        assert_eq!(explain(&none().into()), format!("no answer within 1000 ms\n{REPEAT}"));
        assert_eq!(exit_code(&none().into()), 1);
    }
}
