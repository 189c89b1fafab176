//! The way in: gRPC goes on to tonic's own routes untouched, so that it pays nothing for the others.

use std::task::{Context, Poll};

use tonic::{body::Body, codegen::http::Request, service::Routes};
use tower::Service;

use super::is_grpc;

/// Sends each request its way.
#[derive(Clone)]
pub struct Door {
    grpc: Routes,
    others: Routes,
}

impl Door {
    pub(crate) fn new(grpc: Routes, others: Routes) -> Self {
        Self { grpc, others }
    }
}

impl Service<Request<Body>> for Door {
    type Response = <Routes as Service<Request<Body>>>::Response;
    type Error = <Routes as Service<Request<Body>>>::Error;
    type Future = <Routes as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Routes always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_grpc(request.headers()) { self.grpc.call(request) } else { self.others.call(request) }
    }
}
