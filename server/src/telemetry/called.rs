//! Around every call, whoever may make it: it is counted, traced where it is to be, and told of in the log.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use tonic::{
    Code, Status,
    codegen::http::{HeaderMap, HeaderValue, Request, Response},
};
use tower::{Layer, Service};

use super::{
    request_id,
    traces::{self, Trace},
};
use crate::{edge::DecideBy, metrics::Metrics};

/// Notes calls.
#[derive(Clone)]
pub(crate) struct Noting(pub(crate) Arc<Metrics>);

impl<S> Layer<S> for Noting {
    type Service = Noted<S>;

    fn layer(&self, service: S) -> Noted<S> {
        Noted { metrics: Arc::clone(&self.0), service }
    }
}

/// A service whose calls are noted.
#[derive(Clone)]
pub(crate) struct Noted<S> {
    metrics: Arc<Metrics>,
    service: S,
}

/// A call under way. Dropped before its end, it was given up.
struct Under {
    metrics: Arc<Metrics>,
    method: usize,
    begun: Instant,
    trace: Option<Arc<Trace>>,
    request_id: Option<HeaderValue>,
    decide_by: Option<DecideBy>,
    is_over: bool,
}

impl<S, B> Service<Request<B>> for Noted<S>
where
    S: Service<Request<B>, Response = Response<axum::body::Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let metrics = Arc::clone(&self.metrics);
        let method = metrics.calls.position(request.uri().path());
        let decide_by = request.extensions().get::<DecideBy>().copied();
        let under = Under::begin(metrics, method, request.headers(), decide_by);
        let trace = under.trace.clone();
        let answer = self.service.call(request);
        Box::pin(async move {
            let response = traces::within(trace, answer).await?;
            under.end(Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code()));
            Ok(response)
        })
    }
}

impl Under {
    fn begin(metrics: Arc<Metrics>, method: usize, headers: &HeaderMap, decide_by: Option<DecideBy>) -> Self {
        let name = metrics.calls.all()[method].name;
        let request_id = headers.get(request_id::HEADER).cloned();
        let trace = traces::of_call(name, headers);
        if let Some(trace) = &trace {
            trace.note("rpc.system.name", "grpc");
            trace.note("rpc.method", name);
            trace.note("usher.request_id", text(request_id.as_ref()).to_owned());
        }
        Self { metrics, method, begun: Instant::now(), trace, request_id, decide_by, is_over: false }
    }

    fn end(mut self, code: Code) {
        self.note(code);
    }

    fn note(&mut self, code: Code) {
        self.is_over = true;
        let took = self.begun.elapsed();
        let of_method = &self.metrics.calls.all()[self.method];
        of_method.ended(code, took, self.trace.as_ref().map(|trace| trace.id()));
        let (method, request_id) = (of_method.name, text(self.request_id.as_ref()));
        let trace_id = || self.trace.as_ref().map(|trace| format!("{:032x}", trace.id()));
        if let Some(trace) = &self.trace {
            trace.ended(code);
        }
        // Our fault; whoever asked gets no details.
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            tracing::error!(request_id, trace_id = trace_id(), method, ?code, "a call failed");
        } else {
            let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(request_id, trace_id = trace_id(), method, ?code, took_us, "called");
        }
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        if !self.is_over {
            let is_late = self.decide_by.is_some_and(|end| end.is_over());
            self.note(if is_late { Code::DeadlineExceeded } else { Code::Cancelled });
        }
    }
}

fn text(id: Option<&HeaderValue>) -> &str {
    id.and_then(|id| id.to_str().ok()).unwrap_or_default()
}
