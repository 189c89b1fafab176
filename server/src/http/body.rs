//! The body of a request: how large it may be, how long it may take, and of which type it must be.
//!
//! Its JSON is read in `request`.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use tokio_stream::StreamExt as _;

use super::{
    problem::Problem,
    routes::{self, Route},
};
use crate::service::{COMMANDS_BYTES_MAX, PLAN_BYTES_MAX};

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/json";
/// How long a body may take to arrive.
const READ_MAX: Duration = Duration::from_secs(60);

/// The largest body that a method takes: what the same method takes over gRPC.
pub(super) fn bytes_max(route: &Route) -> usize {
    if route.rpc.parent_service().name() == "Shows" { PLAN_BYTES_MAX } else { COMMANDS_BYTES_MAX }
}

/// Reads a body; empty if there is none, or it means nothing.
///
/// # Errors
/// When it is too large, too slow or of another type.
pub(super) async fn read(route: &Route, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    if matches!(route.body, routes::Body::None) {
        return Ok(Bytes::new());
    }
    let read = tokio::time::timeout(READ_MAX, collect(body, bytes_max(route))).await;
    let bytes = read.unwrap_or_else(|_| {
        let detail = format!("the body did not arrive within {} s", READ_MAX.as_secs());
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", detail))
    })?;
    if !bytes.is_empty() && !is_json(headers) {
        let detail = format!("the body must be {MEDIA_TYPE}, as Content-Type has to say");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MEDIA_TYPE_UNSUPPORTED", detail));
    }
    Ok(bytes)
}

async fn collect(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "BODY_BROKEN", error.to_string()))?;
        if bytes.len() + chunk.len() > bytes_max {
            let detail = format!("the body is larger than {bytes_max} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// Whether the type is JSON's, whatever its parameters: JSON is UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(MEDIA_TYPE)
}
