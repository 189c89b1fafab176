//! Why a call did not do what was asked.

use std::{collections::BTreeMap, fmt, time::Duration};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use usher_proto::v1;

use crate::reason::Reason;

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server said no. Act on the reason.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// No answer came in time. The command may have happened, or may happen still: repeat it with the same id.
    #[error("no answer within {} ms{}", waited.as_millis(), because(last.as_deref()))]
    TimedOut {
        /// How long the call took.
        waited: Duration,
        /// Why the last attempt failed, if one did.
        last: Option<Box<Refused>>,
    },
    /// The server's address is none.
    #[error("the server's address {address:?}: {problem}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No server is there.
    #[error("no server at {address}: {problem}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// Why it was not found.
        problem: String,
    },
    /// The command is larger than a server would read. Nothing was sent.
    #[error("the command has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Its size on the wire.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

fn because(last: Option<&Refused>) -> String {
    last.map_or_else(String::new, |last| format!("; last: {last}"))
}

impl Error {
    /// The reason of a refusal.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Refused(refused) => Some(&refused.reason),
            _ => None,
        }
    }
}

/// What a server says when it says no.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// As of the unary call.
    pub code: Code,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub message: String,
    /// The limit, the deadline, the field: what belongs to the reason.
    pub metadata: BTreeMap<String, String>,
    /// Seats that stand in the way.
    pub seat_indexes: Vec<u32>,
    /// Sections that have not enough.
    pub ga: Vec<v1::GaShortage>,
    /// Repeating it may help, but not before.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// Where the show is now, as `http://host:port`, if it is not at the server that was asked.
    #[must_use]
    pub fn moved_to(&self) -> Option<&str> {
        let address = self.metadata.get("address").map(String::as_str);
        address.filter(|_| self.reason == Reason::ShowMoved)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.reason == Reason::None { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

impl From<v1::Rejection> for Refused {
    fn from(wire: v1::Rejection) -> Self {
        Self {
            code: Code::from_i32(wire.code),
            reason: Reason::from(wire.reason.as_str()),
            message: wire.message,
            metadata: wire.metadata,
            seat_indexes: wire.seat_indexes,
            ga: wire.ga,
            retry_after: wire.retry_after_ms.map(Duration::from_millis),
        }
    }
}

impl Refused {
    /// The other side does not take the certificate, or there is none: asking again does not help.
    fn of_tls(cause: &str) -> Self {
        Self {
            code: Code::Unauthenticated,
            reason: Reason::CredentialsInvalid,
            message: format!("TLS: {cause}"),
            metadata: BTreeMap::new(),
            seat_indexes: Vec::new(),
            ga: Vec::new(),
            retry_after: None,
        }
    }
}

/// The innermost cause: what is around it says nothing.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// As rustls says that the other side ended the handshake.
fn is_of_tls(cause: &str) -> bool {
    cause.contains("received fatal alert") || cause.contains("invalid peer certificate")
}

fn with_cause(message: &str, cause: Option<String>) -> String {
    match cause.filter(|cause| !message.contains(cause.as_str())) {
        Some(cause) if message.is_empty() => cause,
        Some(cause) => format!("{message}: {cause}"),
        None => message.to_owned(),
    }
}

/// The seats of a unary refusal are in its metadata, as far as they fit.
impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let cause = std::error::Error::source(&status).map(innermost);
        if let Some(cause) = cause.as_deref().filter(|cause| is_of_tls(cause)) {
            return Self::of_tls(cause);
        }
        let details = status.get_error_details();
        let (reason, mut metadata) = match details.error_info() {
            Some(info) => (Reason::from(info.reason.as_str()), info.metadata.clone().into_iter().collect()),
            None => (Reason::None, BTreeMap::new()),
        };
        let violations = details.bad_request().map(|wrong| wrong.field_violations.as_slice()).unwrap_or_default();
        metadata.extend(violations.iter().map(|wrong| (wrong.field.clone(), wrong.description.clone())));
        Self {
            code: status.code(),
            reason,
            message: with_cause(status.message(), cause),
            metadata,
            seat_indexes: Vec::new(),
            ga: Vec::new(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}
