//! A refused call, or a refused command of a batch, as the same plain data.

use std::collections::BTreeMap;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use usher_proto::v1;

/// What a client can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Of a unary call only.
    pub(crate) code: Option<Code>,
    /// `ErrorInfo.reason`; empty when the server did not say it, as when the connection broke.
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `BadRequest`: field and description.
    pub(crate) violations: Vec<(String, String)>,
    /// `ResourceInfo`: type and name.
    pub(crate) resource: Option<Box<(String, String)>>,
    /// `RetryInfo` is there.
    pub(crate) retry: bool,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = details
            .error_info()
            .map_or_else(Default::default, |info| (info.reason.clone(), info.metadata.clone().into_iter().collect()));
        let violations = details.bad_request().map_or(&[][..], |request| &request.field_violations[..]);
        let resource = details.resource_info();
        Self {
            code: Some(status.code()),
            reason,
            message: status.message().to_owned(),
            metadata,
            violations: violations.iter().map(|found| (found.field.clone(), found.description.clone())).collect(),
            resource: resource.map(|it| Box::new((it.resource_type.clone(), it.resource_name.clone()))),
            retry: details.retry_info().is_some(),
        }
    }
}

impl From<v1::Rejection> for Refused {
    fn from(rejection: v1::Rejection) -> Self {
        let mut metadata = rejection.metadata;
        if !rejection.seat_indexes.is_empty() {
            // As the unary call says it.
            let seats: Vec<String> = rejection.seat_indexes.iter().map(u32::to_string).collect();
            metadata.insert("seat_indexes".to_owned(), seats.join(","));
        }
        Self {
            code: None,
            reason: rejection.reason,
            message: rejection.message,
            metadata,
            violations: Vec::new(),
            resource: None,
            retry: false,
        }
    }
}

impl Refused {
    /// The server gave no answer: what became of the call is not known.
    pub(crate) fn is_lost(&self) -> bool {
        self.reason.is_empty() || self.reason == "OUTCOME_UNKNOWN"
    }

    /// What the metadata says under a name; empty if nothing.
    pub(crate) fn said(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }
}
