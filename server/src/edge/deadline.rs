//! How long a call may take until its answer begins: what its caller gives it, and never longer than the server does.
//!
//! HTTP/JSON has its own header, which is looked at where JSON is read (`http::deadline`).

use std::{convert::Infallible, future::Future, time::Duration};

use tonic::{
    body::Body,
    codegen::http::{Request, Response},
};

use usher_engine::time::Clock as _;

use crate::{clock::WallClock, http, status::Refusal};

/// When it is too late for a call's command to be decided, by the clock that shards go by: it goes with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DecideBy(pub(crate) Duration);

impl DecideBy {
    /// Whether that is now.
    pub(crate) fn is_over(self) -> bool {
        WallClock.elapsed() >= self.0
    }

    /// So long from now.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(WallClock.elapsed().saturating_add(wait))
    }
}

/// The time that a call has.
pub(super) fn of(request: &Request<Body>, max: Duration) -> Duration {
    http::grpc_timeout(request.headers()).map_or(max, |asked| asked.min(max))
}

/// The answer, or that it came too late. What was asked for may have happened all the same.
pub(super) async fn within(
    wait: Duration,
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
) -> Response<Body> {
    match tokio::time::timeout(wait, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => too_late(),
    }
}

/// The answer to a call whose time is over.
pub(super) fn too_late() -> Response<Body> {
    Refusal::too_late().into_status().into_http()
}
