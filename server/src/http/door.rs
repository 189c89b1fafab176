//! The way in: gRPC goes straight to tonic's own routes, so that it pays nothing for the others.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{
    body::Body,
    codegen::http::{Request, Response},
    service::Routes,
};
use tower::Service;

use super::is_grpc;
use crate::{access::guard::Guarded, telemetry::called::Noted};

/// Sends each request its way.
#[derive(Clone)]
pub struct Door {
    /// Behind the guard as a whole: behind it route by route, each call would be boxed three times.
    grpc: Option<Noted<Guarded<Routes>>>,
    others: Routes,
}

impl Door {
    pub(crate) fn new(grpc: Option<Noted<Guarded<Routes>>>, others: Routes) -> Self {
        Self { grpc, others }
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.grpc {
            Some(grpc) if is_grpc(request.headers()) => grpc.call(request),
            _ => Box::pin(self.others.call(request)),
        }
    }
}
