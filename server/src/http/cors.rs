//! Pages of other origins: browsers let them call this server only if it says so.
//!
//! It keeps nobody out: who is no browser does not ask.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tokio::sync::watch;

/// What a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, grpc-timeout, idempotency-key, request-timeout, traceparent, tracestate, x-grpc-web, \
     x-request-id, x-user-agent",
);
/// What a page may read besides the body.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("allow, grpc-message, grpc-status, grpc-status-details-bin, retry-after, x-request-id");
/// How long a browser may remember it, in seconds; most remember two hours at most.
const REMEMBERED_S: HeaderValue = HeaderValue::from_static("7200");

/// Answers the question that a browser asks before the request, and adds to every answer what it wants to see.
pub(super) async fn allow(
    State(origins): State<watch::Receiver<Arc<[String]>>>,
    request: Request,
    next: Next,
) -> Response {
    let origins = Arc::clone(&origins.borrow());
    if origins.is_empty() {
        return next.run(request).await;
    }
    let is_allowed = |origin: &&HeaderValue| origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
    let origin = request.headers().get(header::ORIGIN).filter(is_allowed).cloned();
    let is_question =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_question && origin.is_some() { permission() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn permission() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S);
    response
}
