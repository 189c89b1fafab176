//! Rejections and faults as clients see them. The only place that speaks of gRPC status codes.
//!
//! Clients act on `ErrorInfo.reason`, never on the text.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use usher_engine::{
    ids::{HoldId, ShowId},
    router::NotFound,
    shard::Fault,
};
use usher_proto::v1;

use crate::metrics::calls::note_refusals;

mod forbidden;
mod header;
mod rejections;
mod unexplained;
pub(crate) use unexplained::{explained, meant};

use header::{
    DESCRIPTION_BYTES_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, NAMED_SECTIONS_MAX, VIOLATIONS_MAX, clip, join_indexes,
    list,
};
pub(crate) use rejections::reason;

/// `ErrorInfo.domain` of everything that Usher refuses.
pub const DOMAIN: &str = "usher";

/// A refusal, before it becomes a status or a part of a batch's answer.
#[derive(Clone, Debug)]
pub struct Refusal(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    reason: &'static str,
    message: String,
    metadata: BTreeMap<String, String>,
    violations: Vec<Violation>,
    /// Type and name.
    resource: Option<(&'static str, String)>,
    retry_after: Option<Duration>,
    seat_indexes: Vec<u32>,
    ga: Vec<v1::GaShortage>,
    /// The rules said no, which shards count.
    is_of_rules: bool,
    /// That are refused with it.
    commands: u64,
}

/// A field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field.
    pub field: String,
    /// What is wrong, with the limit.
    pub description: String,
}

impl Refusal {
    fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            resource: None,
            retry_after: None,
            seat_indexes: Vec::new(),
            ga: Vec::new(),
            is_of_rules: false,
            commands: 1,
        }))
    }

    /// A malformed request; there must be a violation.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let parts: Vec<String> =
            violations.iter().map(|violation| format!("{}: {}", violation.field, violation.description)).collect();
        let mut refusal = Self::new(Code::InvalidArgument, "INVALID_REQUEST", parts.join("; "));
        refusal.0.violations = violations;
        refusal
    }

    /// A malformed request with one wrong field.
    #[must_use]
    pub fn wrong(field: &str, description: impl std::fmt::Display) -> Self {
        Self::invalid(vec![Violation { field: field.to_owned(), description: description.to_string() }])
    }

    /// This refusal with the wrong fields of another one, if both are of malformed requests; otherwise the one that is. Who
    /// may not ask at all is told only that.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0.code, other.0.code) {
            (Code::PermissionDenied | Code::Unauthenticated, _) => self,
            (_, Code::PermissionDenied | Code::Unauthenticated) => other,
            (Code::InvalidArgument, Code::InvalidArgument) => {
                let mut violations = self.0.violations;
                let others = other.0.violations.into_iter().filter(|other| !violations.contains(other));
                let others: Vec<_> = others.collect();
                violations.extend(others);
                Self::invalid(violations)
            }
            (_, Code::InvalidArgument) => other,
            _ => self,
        }
    }

    /// A bug of ours.
    #[must_use]
    pub fn internal(message: &str) -> Self {
        Self::new(Code::Internal, "INTERNAL", message)
    }

    /// No show has this id.
    #[must_use]
    pub fn show_not_found(show_id: &str, why: NotFound) -> Self {
        match why {
            NotFound::Unknown => Self::new(Code::NotFound, "SHOW_UNKNOWN", format!("there is no show {show_id:?}"))
                .about("show", show_id.to_owned()),
            NotFound::ShardNotServing => {
                let message = format!("a shard is not serving, and show {show_id:?} may be on it");
                Self::new(Code::Unavailable, "SHARD_NOT_SERVING", message).retry_after_ms(1_000)
            }
        }
    }

    /// Labels and sections that the show does not have.
    #[must_use]
    pub fn places_unknown(names: &[String]) -> Self {
        let message = format!("the show does not have {}", list(names.iter().cloned(), names.len()));
        let first = names.first().cloned().unwrap_or_default();
        let all = list(names.iter().cloned(), names.len());
        Self::new(Code::NotFound, "PLACES_UNKNOWN", message).with("places", all).about("place", first)
    }

    /// A reader asked for a version that is not reached.
    #[must_use]
    pub fn version_not_reached(version: u64) -> Self {
        Self::new(Code::FailedPrecondition, "VERSION_NOT_REACHED", format!("the show is at version {version}"))
            .with("version", version)
    }

    /// The time that a call was given is over.
    #[must_use]
    pub fn too_late() -> Self {
        let message = "the time for this call is over; what it asked for may or may not have happened: send it again";
        Self::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message)
    }

    /// What clients act on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// After how long the same may be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.metadata.insert(name.to_owned(), value.to_string());
        self
    }

    fn about(mut self, kind: &'static str, name: String) -> Self {
        self.0.resource = Some((kind, name));
        self
    }

    /// Names the hold that is refused, where it matters.
    #[must_use]
    pub fn of_hold(mut self, hold_id: Option<HoldId>) -> Self {
        if let (Some(("hold", name)), Some(hold_id)) = (&mut self.0.resource, hold_id) {
            *name = hold_id.to_string();
        }
        self
    }

    /// Says in which of several shows.
    #[must_use]
    pub fn in_show(self, show: &ShowId) -> Self {
        self.with("show_id", show)
    }

    /// Names a malformed field as an item of this list.
    #[must_use]
    pub fn in_list(mut self, list: &str, position: usize) -> Self {
        if self.0.violations.is_empty() {
            return self;
        }
        self.0.violations.iter_mut().for_each(|wrong| wrong.field = format!("{list}[{position}]"));
        Self::invalid(self.0.violations)
    }

    /// It stands for so many commands.
    #[must_use]
    pub fn of_commands(mut self, count: usize) -> Self {
        self.0.commands = count as u64;
        self
    }

    /// Names the fields as those of a group's member.
    #[must_use]
    pub fn of_member(mut self, position: usize) -> Self {
        for violation in &mut self.0.violations {
            match violation.field.as_str() {
                "hold_id" => "group_id".clone_into(&mut violation.field),
                "buyer_id" | "ttl_ms" => {}
                own => violation.field = format!("members[{position}].{own}"),
            }
        }
        self
    }

    fn retry_after_ms(mut self, ms: u64) -> Self {
        self.0.retry_after = Some(Duration::from_millis(ms));
        self
    }

    fn note(&self) {
        if !self.0.is_of_rules {
            note_refusals(self.0.reason, self.0.commands);
        }
    }

    /// As the answer to a unary call.
    #[must_use]
    pub fn into_status(self) -> Status {
        self.note();
        let mut parts = *self.0;
        if !parts.seat_indexes.is_empty() {
            let (seats, more) = join_indexes(&parts.seat_indexes);
            parts.metadata.insert("seat_indexes".to_owned(), seats);
            if more > 0 {
                parts.metadata.insert("seat_indexes_more".to_owned(), more.to_string());
            }
        }
        for shortage in parts.ga.iter().take(NAMED_SECTIONS_MAX) {
            let value = format!("requested {}, available {}", shortage.requested, shortage.available);
            parts.metadata.insert(format!("ga:{}", clip(&shortage.section, NAME_BYTES_MAX)), value);
        }
        let mut details =
            ErrorDetails::with_error_info(parts.reason, DOMAIN, parts.metadata.into_iter().collect::<HashMap<_, _>>());
        for violation in parts.violations.iter().take(VIOLATIONS_MAX) {
            let description = clip(&violation.description, DESCRIPTION_BYTES_MAX);
            details.add_bad_request_violation(clip(&violation.field, NAME_BYTES_MAX), description);
        }
        if let Some((kind, name)) = parts.resource {
            details.set_resource_info(kind, clip(&name, NAME_BYTES_MAX), "", "");
        }
        if let Some(after) = parts.retry_after {
            details.set_retry_info(Some(after));
        }
        Status::with_error_details(parts.code, clip(&parts.message, MESSAGE_BYTES_MAX), details)
    }

    /// As one outcome of a batch.
    #[must_use]
    pub fn into_rejection(self) -> v1::Rejection {
        self.note();
        let mut parts = *self.0;
        parts.metadata.extend(parts.violations.into_iter().map(|wrong| (wrong.field, wrong.description)));
        v1::Rejection {
            reason: parts.reason.to_owned(),
            message: clip(&parts.message, MESSAGE_BYTES_MAX),
            metadata: parts.metadata,
            seat_indexes: parts.seat_indexes,
            ga: parts.ga,
            code: parts.code.into(),
            retry_after_ms: parts.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (code, reason, after_ms) = match fault {
            Fault::InboxFull => (Code::ResourceExhausted, "INBOX_FULL", 100),
            // As long again as it took to get there.
            Fault::Overloaded { waited_ms } => (Code::ResourceExhausted, "OVERLOADED", u64::from(waited_ms).max(100)),
            Fault::DeadlinePassed => {
                return Self::new(Code::DeadlineExceeded, "DEADLINE_PASSED", fault.to_string());
            }
            Fault::DiskFull => (Code::ResourceExhausted, "DISK_FULL", 1_000),
            Fault::DiskUnwritable => (Code::Unavailable, "DISK_UNWRITABLE", 1_000),
            Fault::Recovering => (Code::Unavailable, "SHARD_RECOVERING", 500),
            Fault::NotServing => (Code::Unavailable, "SHARD_NOT_SERVING", 1_000),
            Fault::OutcomeUnknown => (Code::Unavailable, "OUTCOME_UNKNOWN", 500),
            Fault::SnapshotFailed => (Code::Unavailable, "SNAPSHOT_FAILED", 10_000),
        };
        Self::new(code, reason, fault.to_string()).retry_after_ms(after_ms)
    }
}
