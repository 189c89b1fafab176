//! Who is not known, and who may not.

use std::time::Duration;

use tonic::Code;

use super::Refusal;
use crate::access::Scope;

impl Refusal {
    /// Nobody is known by what the caller shows.
    #[must_use]
    pub fn unauthenticated(reason: &'static str, message: &str) -> Self {
        Self::new(Code::Unauthenticated, reason, message)
    }

    /// The caller is known, and may not.
    #[must_use]
    pub fn forbidden(reason: &'static str, message: &str) -> Self {
        Self::new(Code::PermissionDenied, reason, message)
    }

    /// No rule names this method, so that nobody may call it; there is none.
    #[must_use]
    pub fn method_unknown() -> Self {
        Self::new(Code::Unimplemented, "METHOD_UNKNOWN", "there is no such method")
    }

    /// It is a method, which is not served on this port.
    pub(super) fn method_elsewhere() -> Self {
        let message = "this port does not serve the method: operators have one of their own (operations_listen)";
        Self::new(Code::Unimplemented, "METHOD_UNKNOWN", message)
    }

    /// The caller has none of the scopes that the method takes.
    #[must_use]
    pub fn scope_missing(scopes: &[Scope]) -> Self {
        let names: Vec<String> = scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
        let message = format!("the caller needs the scope {}", names.join(" or "));
        Self::new(Code::PermissionDenied, "SCOPE_MISSING", message).with("scopes", names.join(","))
    }

    /// The caller is bound to other shows.
    #[must_use]
    pub fn show_forbidden(show_id: &str) -> Self {
        let message = format!("the caller may not touch show {show_id:?}");
        Self::new(Code::PermissionDenied, "SHOW_FORBIDDEN", message).about("show", show_id.to_owned())
    }

    /// There is a limit to how fast that may be asked for, as `[limits]` says.
    #[must_use]
    pub fn rate_limited(limit: &str, max: u32, wait: Duration) -> Self {
        let message = format!("more than the limit {limit} allows, which is {max}");
        let refusal = Self::new(Code::ResourceExhausted, "RATE_LIMITED", message).with("limit", limit).with("max", max);
        // Rounded up: whoever comes a little too early is refused again.
        refusal.retry_after_ms(u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The caller has connections enough.
    #[must_use]
    pub fn connections_reached() -> Self {
        let message = "the caller has as many connections as he may have";
        Self::new(Code::ResourceExhausted, "CONNECTIONS_REACHED", message).retry_after_ms(1_000)
    }
}
