//! How commands reach a server, and how its refusals read in a terminal.

use std::{future::Future, time::Duration};

use anyhow::Context as _;
use clap::Args;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use super::when::utc;

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
}

impl ServerArgs {
    /// Runs a call on a connection to the server.
    pub(super) fn block_on<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        call: impl FnOnce(Channel) -> F,
    ) -> anyhow::Result<T> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
        runtime.block_on(async { call(connect(&self.server).await?).await })
    }
}

/// Connects to a server.
pub(super) async fn connect(server: &str) -> anyhow::Result<Channel> {
    let endpoint =
        Endpoint::from_shared(server.to_owned()).with_context(|| format!("the server's address {server:?}"))?;
    let endpoint = endpoint.timeout(ANSWER_WAIT_MAX).tcp_nodelay(true);
    endpoint
        .connect()
        .await
        .with_context(|| format!("no server at {server}; start one with `usher serve` or name it with --server"))
}

/// 3 when the rules said no, 1 otherwise.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    let refused = error.downcast_ref::<Status>().is_some_and(|status| {
        matches!(status.code(), Code::FailedPrecondition | Code::NotFound | Code::InvalidArgument)
    });
    if refused { 3 } else { 1 }
}

/// A refusal in one or two lines: what, its reason, and what to do next.
pub(super) fn explain(status: &Status) -> String {
    let details = status.get_error_details();
    let reason = details.error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone());
    let advice = match reason.as_str() {
        "SHOW_UNKNOWN" => "\n`usher show list` tells which shows there are.",
        "PLACES_TAKEN" => "\nNothing was held. Choose other places; `usher show get SHOW` counts what is left.",
        "SOLD_OUT" => {
            "\nNothing was held. Ask for fewer, widen the wish, or wait: `usher waitlist join SHOW --quantity N`."
        }
        "NOT_TOGETHER" => "\nNothing was held. Allow a split with --adjacency preferred, or ask for fewer.",
        "PLACES_PROTECTED" => "\nAsk for them with --accessible, or with `usher best SHOW --bays N --companions N`.",
        "ORPHANS_LEFT" => "\nMove the choice so that no single seat is left, or let `usher best` choose.",
        "MANIFEST_CHANGED" => "\n`usher show get SHOW --plan` prints the present prices.",
        "SHOW_NOT_OPEN" => "\n`usher show get SHOW` tells its state; `usher show open SHOW` opens its sale.",
        "HOLD_PINNED" => "\nConfirm it, or `usher unpin` it first.",
        "HOLD_WAITING" => "\n`usher get SHOW ID` tells how it stands; `usher waitlist leave` ends it.",
        "HOLD_NOT_CONFIRMED" => "\nIt is no booking yet: `usher confirm` it, or `usher release` it.",
        "CHANNEL_UNKNOWN" => "\n`usher show get SHOW` lists the channels; `usher show channel set` defines one.",
        "HOLDS_LIVE" => "\nWait until they end; `usher show get SHOW` counts them.",
        "WAITLIST_CLOSED" => "\n`usher show policy SHOW` prints its rules.",
        "PLACES_UNKNOWN" => "\n`usher show get SHOW --plan` prints every section, row and seat.",
        "HOLD_EXPIRED" => {
            "\nThe places went back. Hold them again under a new id, or confirm with --accept-late if it was a moment ago."
        }
        "HOLD_RELEASED" => "\nThe places went back. Hold them again under a new id.",
        "OUTCOME_UNKNOWN" | "SHARD_RECOVERING" | "INBOX_FULL" => "\nSend it again with the same id.",
        _ => "",
    };
    let told = details.error_info().into_iter().flat_map(|info| &info.metadata);
    let instants = told.filter(|(name, _)| name.ends_with("_ms"));
    let instants = instants.filter_map(|(name, ms)| Some((name.trim_end_matches("_ms"), utc(ms.parse().ok()?))));
    let untold = instants.filter(|(_, at)| !status.message().contains(at));
    let instants: String = untold.map(|(name, at)| format!("\n{name}: {at}")).collect();
    format!("{} ({reason}){instants}{advice}", status.message())
}
