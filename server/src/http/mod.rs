//! The same services over HTTP/JSON, and over gRPC-Web, on the same port.
//!
//! Paths come from the `.proto` files ([`routes`]). A request becomes the method's message ([`request`], [`from_json`]),
//! goes through the very service that gRPC calls, and its answer is written as JSON ([`to_json`]) or as a problem
//! ([`problem`]). Nothing is decided here, nor checked beyond what JSON can get wrong. [`openapi`] describes all of it.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts},
    middleware,
};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor};
use tokio::sync::{Semaphore, watch};
use tonic::{Code, Request, Status, client::Grpc, metadata::MetadataMap, service::Routes};
use tonic_web::GrpcWebLayer;
use tower::Layer as _;

use crate::{
    access::guard::{Guard, Guarded},
    dynamic::DynamicCodec,
    edge::DecideBy,
    service::PLAN_BYTES_MAX,
    status::Refusal,
    telemetry::{called::Noting, request_id},
};
pub(crate) use deadline::of_headers as grpc_timeout;
pub use door::Door;
use problem::Problem;
use routes::{Found, Route};

mod body;
mod cors;
mod deadline;
mod door;
mod from_json;
mod idempotency;
mod ids;
mod openapi;
mod problem;
mod request;
mod routes;
mod to_json;

/// Where the description of all of it is.
const OPENAPI_PATH: &str = "/v1/openapi.json";
/// A body that is larger is read where that keeps nobody waiting.
const BYTES_AT_ONCE_MAX: usize = 64 << 10;
/// Headers that are the caller's word to the service, as gRPC metadata.
const PASSED_ON: [&str; 4] = ["authorization", "traceparent", "tracestate", request_id::HEADER];

/// The ways to the services: gRPC, gRPC-Web on the same paths, HTTP/JSON everywhere else. Pages of `allowed_origins` may use
/// the latter two.
///
/// # Errors
/// When the `.proto` files are wrong.
pub(crate) fn door(
    services: Routes,
    guard: &Guard,
    noting: &Noting,
    allowed_origins: watch::Receiver<Arc<[String]>>,
) -> anyhow::Result<Door> {
    let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET).context("the descriptors")?;
    let routes: Vec<Arc<Route>> = routes::routes(&pool)?.into_iter().map(Arc::new).collect();
    let openapi = Bytes::from(serde_json::to_vec(&openapi::document(&routes)).context("the OpenAPI document")?);
    let guarded = guard.layer(services.clone().prepare());
    let json = Arc::new(Json {
        routes,
        openapi,
        services: guarded.clone(),
        guard: guard.clone(),
        noting: noting.clone(),
        reading: Arc::new(Semaphore::new(PLAN_BYTES_MAX)),
    });
    let for_web = services.into_axum_router().layer(guard.clone()).layer(noting.clone()).layer(GrpcWebLayer::new());
    let mut router: Router = for_web.fallback(move |request| {
        let json = Arc::clone(&json);
        async move { json.answer(request).await }
    });
    router = router.layer(middleware::from_fn_with_state(allowed_origins, cors::allow));
    Ok(Door::new(Some(noting.layer(guarded)), Routes::from(router).prepare()))
}

/// What a path says of a message's fields, still percent-encoded.
type PathValues = Vec<(FieldDescriptor, String)>;

/// What is needed for an answer.
struct Json {
    routes: Vec<Arc<Route>>,
    openapi: Bytes,
    /// Behind the guard. Their calls are noted here: many are refused before they get there.
    services: Guarded<Routes>,
    guard: Guard,
    noting: Noting,
    /// Bytes of the large bodies that are read together: while that lasts they take many times as much.
    reading: Arc<Semaphore>,
}

impl Json {
    async fn answer(&self, request: axum::extract::Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let found = self.find(&parts);
        // The caller's path is no name of a method, whatever stands in it.
        let method = found.as_ref().ok().and_then(Option::as_ref).map_or("", |(route, _)| route.grpc_path.path());
        let under = self.noting.begin(method, &parts.headers, &parts.extensions);
        // In a browser, too.
        if media_type(&parts.headers).starts_with(b"application/grpc") {
            let nowhere = async { Status::unimplemented("there is no such service").into_http() };
            return under.until(nowhere, |_| Code::Unimplemented).await;
        }
        let answer = async {
            match found? {
                Some((route, values)) => self.call(route, values, parts, body).await,
                None => Ok(json(self.openapi.clone())),
            }
        };
        let answer = under.until(answer, |answer| answer.as_ref().map_or_else(Problem::code, |_| Code::Ok)).await;
        answer.unwrap_or_else(|problem| problem.into_response(&path))
    }

    /// The method that a request is for, with what its path says; none where it is for their description.
    fn find(&self, parts: &Parts) -> Result<Option<(Arc<Route>, PathValues)>, Problem> {
        // Of an answer to HEAD, the body is not sent.
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let path = parts.uri.path();
        if path == OPENAPI_PATH {
            let found = method == Method::GET;
            return if found { Ok(None) } else { Err(Problem::method_not_allowed("GET, HEAD")) };
        }
        match routes::find(&self.routes, &method, path) {
            Found::Route(route, values) => Ok(Some((Arc::clone(route), values))),
            Found::ByOtherMethods(methods) => {
                let names =
                    methods.iter().map(|method| if **method == Method::GET { "GET, HEAD" } else { method.as_str() });
                Err(Problem::method_not_allowed(&names.collect::<Vec<_>>().join(", ")))
            }
            Found::Nothing => {
                let detail = format!("there is nothing at this path; {OPENAPI_PATH} lists what there is");
                Err(Problem::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", detail))
            }
        }
    }

    async fn call(
        &self,
        route: Arc<Route>,
        values: PathValues,
        parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Problem> {
        let wait = deadline::of(&parts.headers).map_err(|wrong| request::wrong(deadline::HEADER, wrong))?;
        let ends = wait.map(DecideBy::after).into_iter().chain(parts.extensions.get::<DecideBy>().copied()).min();
        let ask = async {
            // Of whoever may not, nothing is read.
            let admitted = self.guard.admit(route.grpc_path.path(), &parts.headers, &parts.extensions);
            admitted.map_err(Refusal::into_status)?;
            let bytes = body::read(&route, &parts.headers, body).await?;
            let (metadata, mut extensions) = (passed_on(&parts.headers), parts.extensions.clone());
            if let Some(end) = ends {
                extensions.insert(end);
            }
            let message = self.read(Arc::clone(&route), values, parts, bytes).await?;
            let mut request = Request::from_parts(metadata, extensions, message);
            wait.into_iter().for_each(|wait| request.set_timeout(wait));
            let mut services = Grpc::new(self.services.clone()).max_decoding_message_size(usize::MAX);
            let codec = DynamicCodec(route.rpc.output());
            let answer: tonic::Response<DynamicMessage> =
                services.unary(request, route.grpc_path.clone(), codec).await?;
            let text = serde_json::to_vec(&to_json::Message(answer.get_ref()));
            text.map(|text| json(text.into())).map_err(|error| Problem::from(Status::internal(error.to_string())))
        };
        match wait {
            Some(Duration::ZERO) => Err(too_late()),
            Some(wait) => tokio::time::timeout(wait, ask).await.unwrap_or_else(|_| Err(too_late())),
            None => ask.await,
        }
    }

    async fn read(&self, route: Arc<Route>, values: PathValues, parts: Parts, bytes: Bytes) -> Result<Bytes, Problem> {
        if bytes.len() <= BYTES_AT_ONCE_MAX {
            return request::read(&route, &values, &parts, &bytes);
        }
        // It is never closed.
        let turn = Arc::clone(&self.reading).acquire_many_owned(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).await;
        let read = tokio::task::spawn_blocking(move || {
            // It goes on if the caller goes.
            let _turn = turn;
            request::read(&route, &values, &parts, &bytes)
        })
        .await;
        read.unwrap_or_else(|_| Err(Problem::from(Status::internal("reading the request failed"))))
    }
}

/// Whether it is gRPC itself, which has HTTP/2 and no browser.
fn is_grpc(headers: &HeaderMap) -> bool {
    let suffix = media_type(headers).strip_prefix(b"application/grpc");
    suffix.is_some_and(|suffix| !suffix.starts_with(b"-"))
}

fn media_type(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default()
}

fn json(text: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(body::MEDIA_TYPE));
    response
}

fn too_late() -> Problem {
    let detail =
        "the time that the request gave is over; what it asked for may or may not have happened: send it again";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", detail)
}

fn passed_on(headers: &HeaderMap) -> MetadataMap {
    let passed = PASSED_ON.iter().flat_map(|name| headers.get_all(*name).iter().map(move |value| (name, value)));
    let mut metadata = HeaderMap::new();
    for (name, value) in passed {
        metadata.append(*name, value.clone());
    }
    MetadataMap::from_headers(metadata)
}
