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
    codegen::http::{Extensions, HeaderMap, HeaderValue, Request, Response},
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

impl Noting {
    /// Begins with a call of the method at a path, which is never a label: whatever is no method is one more.
    pub(crate) fn begin(&self, path: &str, headers: &HeaderMap, extensions: &Extensions) -> Under {
        let metrics = Arc::clone(&self.0);
        let method = metrics.calls.position(path);
        Under::begin(metrics, method, headers, extensions.get::<DecideBy>().copied())
    }
}

impl<S> Layer<S> for Noting {
    type Service = Noted<S>;

    fn layer(&self, service: S) -> Noted<S> {
        Noted { noting: self.clone(), service }
    }
}

/// A service whose calls are noted.
#[derive(Clone)]
pub(crate) struct Noted<S> {
    noting: Noting,
    service: S,
}

/// A call under way. Dropped before its end, it was given up.
pub(crate) struct Under {
    metrics: Arc<Metrics>,
    method: usize,
    begun: Instant,
    trace: Option<Arc<Trace>>,
    request_id: Option<HeaderValue>,
    decide_by: Option<DecideBy>,
    is_over: bool,
}

impl<S, B, A> Service<Request<B>> for Noted<S>
where
    S: Service<Request<B>, Response = Response<A>, Error = Infallible>,
    S::Future: Send + 'static,
    A: 'static,
{
    type Response = Response<A>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let under = self.noting.begin(request.uri().path(), request.headers(), request.extensions());
        let answer = self.service.call(request);
        Box::pin(under.until(answer, |answer| {
            let refused = answer.as_ref().ok().and_then(|response| Status::from_header_map(response.headers()));
            refused.map_or(Code::Ok, |status| status.code())
        }))
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

    /// Until there is an answer, of which `code` tells how the call ended.
    pub(crate) async fn until<T>(mut self, answer: impl Future<Output = T>, code: impl FnOnce(&T) -> Code) -> T {
        let answer = traces::within(self.trace.clone(), answer).await;
        self.note(code(&answer));
        answer
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
