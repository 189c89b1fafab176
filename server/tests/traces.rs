//! Traces of a running server, as a collector gets them; and the request's id, wherever it goes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use common::{
    Clients,
    http::Http,
    process::{Process, serve_command},
    wire,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use usher_proto::v1;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// What came to the collector.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|of| of.scope_spans);
        self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = TraceServiceServer::new(collector.clone());
        let serving = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
        (collector, address)
    }

    /// The one span of this name in a trace.
    #[track_caller]
    fn one(&self, trace: Option<&str>, name: &str) -> Span {
        let spans = self.0.lock().unwrap();
        let is_of = |span: &&Span| span.name == name && trace.is_none_or(|trace| hex(&span.trace_id) == trace);
        let found: Vec<&Span> = spans.iter().filter(is_of).collect();
        assert_eq!(found.len(), 1, "{name} of {trace:?} in {spans:#?}");
        found[0].clone()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|span| span.name.clone()).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A server that traces one call in so many, for this collector.
fn serve(data: &Path, collector: SocketAddr, sample_ratio: &str) -> (Process, SocketAddr) {
    let mut command = serve_command(data, 1);
    command.args(["--log-level", "debug", "--metrics-listen", "127.0.0.1:0"]);
    command.env("USHER_TELEMETRY__ENDPOINT", format!("http://{collector}"));
    command.env("USHER_TELEMETRY__SAMPLE_RATIO", sample_ratio);
    let process = Process::spawn(command);
    let address = process.address();
    (process, address)
}

/// A request of a caller who says whether he traces it.
fn with_parent<T>(message: T, flags: &str, request_id: &'static str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("traceparent", format!("00-{TRACE}-{CALLER}-{flags}").parse().unwrap());
    request.metadata_mut().insert("x-request-id", request_id.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_its_caller_traces_has_a_span_for_each_stage_and_others_have_none() {
    let (collector, address) = Collector::start().await;
    let data = tempfile::tempdir().unwrap();
    let (mut server, server_address) = serve(data.path(), address, "0");
    let mut clients = Clients::connect(server_address).await;
    clients.shows.create_show(wire::hall("gala", 100, 0)).await.unwrap();
    let hold = |number: u8| wire::hold("gala", number.into(), "ada", wire::seats(&[number.into()]));
    let answer = clients.inventory.hold_seats(with_parent(hold(1), "01", "order-7")).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "order-7");
    let quiet = clients.inventory.hold_seats(with_parent(hold(2), "00", "order-8")).await.unwrap();
    assert_eq!(quiet.metadata().get("x-request-id").unwrap(), "order-8");
    let made = clients.inventory.hold_seats(hold(3)).await.unwrap();
    assert_eq!(made.metadata().get("x-request-id").unwrap().len(), 16);

    let metrics: SocketAddr = server.wait_for("listening for metrics")["address"].as_str().unwrap().parse().unwrap();
    let text = tokio::task::spawn_blocking(move || {
        let accept = ("accept", "application/openmetrics-text; version=1.0.0");
        String::from_utf8(Http::to(metrics).send("GET", "/metrics", &[accept], "").bytes).unwrap()
    });
    let text = text.await.unwrap();
    for stage in ["stage=\"queue\"", "stage=\"append\"", "rpc_method=\"usher.v1.Inventory/HoldSeats\""] {
        let exemplar = format!("# {{trace_id=\"{TRACE}\"}}");
        assert!(text.lines().any(|line| line.contains(stage) && line.contains(&exemplar)), "{stage} in {text}");
    }
    // What is not sent yet is sent at the end.
    server.terminate();
    assert!(server.wait().success(), "{}", server.text());
    let call = collector.one(Some(TRACE), "usher.v1.Inventory/HoldSeats");
    assert_eq!(hex(&call.parent_span_id), CALLER);
    for (name, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", "usher.v1.Inventory/HoldSeats"),
        ("rpc.response.status_code", "OK"),
        ("usher.request_id", "order-7"),
        ("usher.batch_commands", "1"),
    ] {
        assert_eq!(attribute(&call, name).as_deref(), Some(value), "{name}");
    }
    let mut last = call.start_time_unix_nano;
    for stage in ["queue", "decide", "append", "answer"] {
        let span = collector.one(Some(TRACE), stage);
        assert_eq!(span.parent_span_id, call.span_id, "{stage}");
        assert!(last <= span.start_time_unix_nano && span.start_time_unix_nano <= span.end_time_unix_nano, "{stage}");
        last = span.end_time_unix_nano;
    }
    assert!(last <= call.end_time_unix_nano);
    let append = collector.one(Some(TRACE), "append");
    assert!(append.end_time_unix_nano > append.start_time_unix_nano, "an fsync takes its time");
    assert_eq!(collector.names().len(), 5, "{:?}", collector.names());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_sessions_and_calls_as_json_are_traced_and_told_of_by_their_request_id() {
    let (collector, address) = Collector::start().await;
    let data = tempfile::tempdir().unwrap();
    let (mut server, server_address) = serve(data.path(), address, "1");
    let mut clients = Clients::connect(server_address).await;
    clients.shows.create_show(wire::hall("gala", 100, 0)).await.unwrap();
    let command = Some(v1::command::Command::HoldSeats(wire::hold("gala", 1, "ada", wire::seats(&[1]))));
    let commands = vec![v1::Command { command }];
    let batch = v1::SessionBatch { tag: 1, show_id: "gala".to_owned(), commands, ..v1::SessionBatch::default() };
    let session = clients.inventory.session(tokio_stream::once(v1::SessionRequest { batches: vec![batch] }));
    let mut answers = session.await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some() && answers.message().await.unwrap().is_none());
    drop(answers);
    let refused = tokio::task::spawn_blocking(move || {
        let header = ("x-request-id", "web-1");
        Http::to(server_address).send("GET", "/v1/shows/nothing", &[header], "")
    });
    let refused = refused.await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.headers.get("x-request-id").unwrap().to_str().unwrap()),
        (404, "web-1")
    );
    drop(clients);
    server.terminate();
    assert!(server.wait().success(), "{}", server.text());
    let session = collector.one(None, "usher.v1.Inventory/Session");
    let batch = collector.one(None, "batch");
    assert_eq!((&batch.trace_id, &batch.parent_span_id), (&session.trace_id, &session.span_id));
    let trace = hex(&batch.trace_id);
    assert_eq!(collector.one(Some(&trace), "append").parent_span_id, batch.span_id);
    let call = collector.one(None, "usher.v1.Shows/GetShow");
    assert_eq!(attribute(&call, "rpc.response.status_code").as_deref(), Some("NOT_FOUND"));
    let lines = server.lines_of("called");
    let line = lines.iter().find(|line| line["request_id"] == "web-1").unwrap();
    let expected = (hex(&call.trace_id), "usher.v1.Shows/GetShow".to_owned());
    let found = |name: &str| line[name].as_str().unwrap().to_owned();
    assert_eq!((found("trace_id"), found("method")), expected, "{line}");
}
