//! `GET /metrics` and `GET /healthz`, on a listener of their own. Whoever reaches it may read it: it names no show, no buyer
//! and no caller.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tonic::service::Routes;

use super::{Sources, text::Format};
use crate::http::Door;

/// The way to them.
pub(crate) fn door(sources: Arc<Sources>) -> Door {
    let router = Router::new().route("/metrics", get(metrics)).route("/healthz", get(health)).with_state(sources);
    Door::new(None, Routes::from(router).prepare())
}

async fn metrics(State(sources): State<Arc<Sources>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::of_accept(accept);
    // It looks at files.
    match tokio::task::spawn_blocking(move || sources.text(format)).await {
        Ok(text) => ([(header::CONTENT_TYPE, format.media_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the process is alive; whether it serves, `grpc.health.v1` knows by shard.
async fn health() -> &'static str {
    "ok\n"
}
