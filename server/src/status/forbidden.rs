//! Who is not known, and who may not.

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

    /// The caller has connections enough.
    #[must_use]
    pub fn connections_reached() -> Self {
        let message = "the caller has as many connections as he may have";
        Self::new(Code::ResourceExhausted, "CONNECTIONS_REACHED", message).retry_after_ms(1_000)
    }
}
