//! Who may do what. A call's rule is in [`table`]; who calls is found in [`keys`], [`tokens`] and the names of a
//! certificate; [`guard`] decides before a service is called, and [`permit`] before a show is touched.
//!
//! Whatever is not allowed is refused: a method without a rule, a show that is looked at outside of a call.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use usher_engine::{ids::ShowId, time::Clock as _};

use crate::{clock::WallClock, status::Refusal};

pub mod audit;
mod caller;
mod grant;
pub(crate) mod guard;
pub mod keys;
mod known;
mod priority;
mod rates;
mod secret;
pub mod table;
mod tokens;

pub use caller::Caller;
pub use grant::{Grant, Scope};
pub(crate) use known::Known;
pub(crate) use rates::{Claims, Rates};
pub use secret::Secret;

/// A call under way: whose it is, and what it is about.
#[derive(Clone)]
pub(crate) struct Call {
    caller: Arc<Caller>,
    method: Arc<str>,
    audit: Option<Arc<audit::Audit>>,
    /// The trail names it also where it is not refused.
    is_audited: bool,
    rates: Arc<Rates>,
    /// When it is too late for its command.
    decide_by: Option<Duration>,
    /// The first show that it named, for the trail.
    show: Arc<OnceLock<ShowId>>,
}

impl Call {
    fn charge(&self, count: usize) -> Result<(), Refusal> {
        self.rates.take(&self.caller.name, count, WallClock.elapsed())
    }
}

tokio::task_local! {
    /// The call that the running task answers.
    static CALL: Call;
}

/// The call that the running task answers: for what goes on in a task of its own.
pub(crate) fn current() -> Option<Call> {
    CALL.try_with(Clone::clone).ok()
}

/// Goes on with a call in another task.
pub(crate) async fn within<T>(call: Option<Call>, task: impl Future<Output = T>) -> T {
    match call {
        Some(call) => CALL.scope(call, task).await,
        None => task.await,
    }
}

/// When it is too late for the command of the running call to be decided, by [`Clock::elapsed`].
///
/// [`Clock::elapsed`]: usher_engine::time::Clock::elapsed
pub(crate) fn decide_by() -> Option<Duration> {
    CALL.try_with(|call| call.decide_by).ok().flatten()
}

/// Whether the caller may touch this show. Every service asks, through the one way to read a show's id.
///
/// # Errors
/// The refusal. Who may not touch a show does not learn whether there is one.
pub(crate) fn permit(show: &ShowId) -> Result<(), Refusal> {
    let asked = CALL.try_with(|call| {
        let _ = call.show.set(show.clone());
        let refused = match call.caller.check_valid() {
            Ok(()) if call.caller.grant.covers(show.as_str()) => return Ok(()),
            Ok(()) => Refusal::show_forbidden(show.as_str()),
            Err(refused) => refused,
        };
        if let Some(audit) = &call.audit {
            audit.refused(&call.caller.name, true, &call.method, Some(show.as_str()), refused.reason());
        }
        Err(refused)
    });
    asked.unwrap_or_else(|_| Err(Refusal::show_forbidden(show.as_str())))
}

/// Whether the caller of the running call is still known: streams ask again and again.
///
/// # Errors
/// The refusal.
pub(crate) fn check_valid() -> Result<(), Refusal> {
    CALL.try_with(|call| call.caller.check_valid()).unwrap_or(Ok(()))
}

/// Whether the caller may ask for so much more at once than the one call that it came in.
///
/// # Errors
/// The refusal.
pub(crate) fn charge(commands: usize) -> Result<(), Refusal> {
    CALL.try_with(|call| call.charge(commands)).unwrap_or(Ok(()))
}

/// How fast the caller may claim places of the show. None where there is no limit.
pub(crate) fn claims(show: &ShowId) -> Option<Claims> {
    let of = |call: &Call| call.rates.claims(call.caller.grant.tenant.as_deref(), show.as_str());
    CALL.try_with(of).ok().flatten()
}

/// Whether the caller may send a batch: one that changes nothing takes `read`, too.
///
/// # Errors
/// The refusal.
pub(crate) fn permit_batch(changes: bool) -> Result<(), Refusal> {
    let may_sell = || CALL.try_with(|call| call.caller.grant.has_any(&[Scope::Sell])).unwrap_or(false);
    if changes && !may_sell() { Err(Refusal::scope_missing(&[Scope::Sell])) } else { Ok(()) }
}

/// Whether the caller is for some shows only.
pub(crate) fn is_bound() -> bool {
    CALL.try_with(|call| call.caller.grant.is_bound()).unwrap_or(true)
}

/// Whether a list may name this show to the caller.
pub(crate) fn may_see(show: &ShowId) -> bool {
    CALL.try_with(|call| call.caller.grant.covers(show.as_str())).unwrap_or(false)
}

/// Refuses a file with a secret in it that others may read.
///
/// # Errors
/// When it is not there, or others may read it.
pub(crate) fn check_private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path).with_context(|| path.display().to_string())?.mode();
    ensure!(mode & 0o007 == 0, "{} can be read by everybody: chmod o= it", path.display());
    Ok(())
}
