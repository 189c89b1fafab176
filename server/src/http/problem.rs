//! Refusals as problem details (RFC 9457), with what gRPC says in its error details. Clients act on `reason`, as there.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::convert::Violations;

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// In front of the reason, in `type`: a name, nothing to be looked up.
pub(super) const TYPE_PREFIX: &str = "urn:usher:problem:";

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Problem(Box<Members>);

/// Its members, as they are written.
#[derive(Debug, Serialize)]
struct Members {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    reason: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seat_indexes: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip)]
    allow: Option<String>,
    /// As what it is counted, with the same over gRPC.
    #[serde(skip)]
    code: Code,
}

/// A field of the request and what is wrong with it.
#[derive(Debug, Serialize)]
struct Violation {
    field: String,
    description: String,
}

/// What there is not.
#[derive(Debug, Serialize)]
struct Resource {
    r#type: String,
    name: String,
}

impl Problem {
    /// One of HTTP's own, which gRPC does not have.
    pub(super) fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            r#type: format!("{TYPE_PREFIX}{reason}"),
            title: title(reason),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            reason: reason.to_owned(),
            metadata: BTreeMap::new(),
            seat_indexes: Vec::new(),
            violations: Vec::new(),
            resource: None,
            retry_after_ms: None,
            allow: None,
            code: code_of(status),
        }))
    }

    /// The code of the same over gRPC.
    pub(super) fn code(&self) -> Code {
        self.0.code
    }

    /// There is something, by these methods only.
    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this path takes {allow}");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail);
        problem.0.allow = Some(allow.to_owned());
        problem
    }

    /// The answer for this path.
    pub(super) fn into_response(self, path: &str) -> Response<Body> {
        let problem = Members { instance: path.to_owned(), ..*self.0 };
        // Its own texts and numbers can always be written.
        let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(ms) = problem.retry_after_ms {
            // In whole seconds, and not before.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        }
        if problem.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"usher\""));
        }
        if let Some(allow) = problem.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}

impl From<Violations> for Problem {
    fn from(violations: Violations) -> Self {
        Self::from(violations.into_refusal().into_status())
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = match details.error_info() {
            Some(info) => (info.reason.clone(), info.metadata.clone().into_iter().collect()),
            None => (format!("{:?}", status.code()).to_uppercase(), BTreeMap::new()),
        };
        let mut refusal = Self::new(http_status(status.code()), &reason, status.message());
        let problem = &mut refusal.0;
        problem.code = status.code();
        let indexes = metadata.get("seat_indexes").map(String::as_str).unwrap_or_default();
        problem.seat_indexes = indexes.split(',').filter_map(|index| index.parse().ok()).collect();
        problem.metadata = metadata;
        let violations = details.bad_request().map(|wrong| wrong.field_violations.as_slice()).unwrap_or_default();
        let violation = |(field, description): (&String, &String)| {
            let (field, description) = (field.clone(), description.clone());
            Violation { field, description }
        };
        problem.violations = violations.iter().map(|wrong| violation((&wrong.field, &wrong.description))).collect();
        let resource = details.resource_info();
        problem.resource = resource.map(|info| {
            let (r#type, name) = (info.resource_type.clone(), info.resource_name.clone());
            Resource { r#type, name }
        });
        let delay = details.retry_info().and_then(|info| info.retry_delay);
        problem.retry_after_ms = delay.map(|delay: Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        refusal
    }
}

/// As `google.rpc.Code` maps its codes, but for one: a precondition that failed is 409 here, not 400. The request is well
/// formed, and the very same one may succeed later or for somebody else: it conflicts with how things stand.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded | Code::Cancelled => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal | Code::DataLoss | Code::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What gRPC would say where HTTP refuses by itself. What is at no path, or by no such method, is no method of gRPC's.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::InvalidArgument,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Code::Unimplemented,
        StatusCode::PAYLOAD_TOO_LARGE => Code::OutOfRange,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        _ => Code::Unknown,
    }
}

/// `PLACES_TAKEN` is "Places taken".
fn title(reason: &str) -> String {
    let words = reason.replace('_', " ").to_lowercase();
    let first = words.get(..1).unwrap_or_default().to_uppercase();
    format!("{first}{}", words.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Refusal;

    fn written(problem: Problem) -> (Response<Body>, String) {
        let text = serde_json::to_string(&problem.0).unwrap();
        (problem.into_response("/v1/shows"), text)
    }

    #[test]
    fn a_refusal_becomes_a_problem_with_its_details() {
        let refusal = Refusal::from(usher_engine::shard::Fault::InboxFull);
        let (response, text) = written(Problem::from(refusal.into_status()));
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(text.contains("\"reason\":\"INBOX_FULL\"") && text.contains("\"retry_after_ms\":100"), "{text}");
        assert!(text.contains("\"type\":\"urn:usher:problem:INBOX_FULL\",\"title\":\"Inbox full\""), "{text}");
        let (response, text) = written(Problem::from(Refusal::wrong("ttl_ms", "is odd").into_status()));
        assert_eq!(response.status(), 400);
        assert!(text.contains("\"violations\":[{\"field\":\"ttl_ms\",\"description\":\"is odd\"}]"), "{text}");
    }

    #[test]
    fn a_status_without_details_has_its_code_for_a_reason() {
        let (response, text) = written(Problem::from(Status::unimplemented("no")));
        assert_eq!(response.status(), 501);
        assert!(text.contains("\"reason\":\"UNIMPLEMENTED\""), "{text}");
    }

    #[test]
    fn a_problem_is_counted_as_the_same_over_grpc() {
        assert_eq!(Problem::from(Status::unauthenticated("who?")).code(), Code::Unauthenticated);
        for (status, code) in [(404, Code::Unimplemented), (400, Code::InvalidArgument), (413, Code::OutOfRange)] {
            assert_eq!(Problem::new(StatusCode::from_u16(status).unwrap(), "WHY", "").code(), code);
        }
    }
}
