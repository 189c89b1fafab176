//! Traces of calls, as OTLP to a collector: one call in many, or those that their callers trace.
//!
//! Whether a call is traced is decided before anything else, so that the others pay for nothing. A trace has a span of the
//! call and one for each stage of its way through a shard: how long these took is told by the shard when it answers, and they
//! become spans when the call has ended.

use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, Status as SpanStatus, TraceContextExt as _, TraceFlags, TraceId,
        TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use parking_lot::Mutex;
use tonic::{
    Code,
    codegen::http::HeaderMap,
    transport::{Certificate, ClientTlsConfig},
};

use crate::{
    config::Telemetry,
    metrics::{calls, shard},
};

/// Longest wait for the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// The header of W3C Trace Context.
const PARENT: &str = "traceparent";

/// The traces of this process, if there are any.
static TRACES: OnceLock<Traces> = OnceLock::new();

thread_local! {
    /// How much of a trace this thread has saved up: at one, it traces a call.
    static SAVED: Cell<f64> = const { Cell::new(0.0) };
}

tokio::task_local! {
    /// The trace of the call that the running task answers, where it is traced.
    static TRACE: Arc<Trace>;
}

struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    sample_ratio: f64,
}

/// Something that is traced. Its spans are sent when it is dropped.
pub(crate) struct Trace {
    context: Context,
    begun: (Instant, SystemTime),
    passages: Mutex<Vec<Passage>>,
    /// It is told what became of it.
    code: Mutex<Option<Code>>,
}

/// A way through a shard.
struct Passage {
    submitted: Instant,
    answered: Instant,
    stages: shard::Stages,
}

/// Something that is traced is with a shard.
pub(crate) struct Submitted {
    trace: Arc<Trace>,
    submitted: Instant,
}

/// Ends what was not sent yet when the process ends.
pub struct Flush(());

/// Starts traces for the whole process, where they are wanted. Must be called within a runtime, which sends them.
///
/// # Errors
/// When the collector's address or authority cannot be read.
pub fn start(settings: &Telemetry) -> anyhow::Result<Option<Flush>> {
    let Some(endpoint) = &settings.endpoint else { return Ok(None) };
    let mut exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT);
    if endpoint.starts_with("https://") {
        let mut tls = ClientTlsConfig::new();
        if let Some(path) = &settings.ca {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        exporter = exporter.with_tls_config(tls);
    }
    let exporter = exporter.build().with_context(|| format!("traces to {endpoint}"))?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // What is not to be sampled never comes here.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(Resource::builder().with_service_name("usher").with_attribute(version).build())
        .build();
    let tracer = provider.tracer("usher");
    let traces = Traces { provider, tracer, sample_ratio: settings.sample_ratio };
    anyhow::ensure!(TRACES.set(traces).is_ok(), "traces were started before");
    Ok(Some(Flush(())))
}

impl Flush {
    /// Sends what was not sent yet, as far as the collector takes it in time.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(|| TRACES.get().map(|traces| traces.provider.shutdown())).await;
        if let Ok(Some(Err(error))) = ended {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The trace of a call with these headers, if it has one: as its caller says, or one in so many.
pub(crate) fn of_call(method: &'static str, headers: &HeaderMap) -> Option<Arc<Trace>> {
    let traces = TRACES.get()?;
    match headers.get(PARENT).and_then(|value| parent(value.to_str().ok()?)) {
        Some(parent) if !parent.is_sampled() => None,
        Some(parent) => Some(traces.begin(method, SpanKind::Server, &Context::new().with_remote_span_context(parent))),
        None => traces.is_turn().then(|| traces.begin(method, SpanKind::Server, &Context::new())),
    }
}

/// The trace of a batch of a session, if it has one: one in so many, in the session's own trace where that has one.
pub(crate) fn of_batch() -> Option<Arc<Trace>> {
    let traces = TRACES.get()?;
    let parent = || current().map(|session| session.context.clone()).unwrap_or_default();
    traces.is_turn().then(|| traces.begin("batch", SpanKind::Internal, &parent()))
}

/// The trace of the call that the running task answers.
pub(crate) fn current() -> Option<Arc<Trace>> {
    TRACE.try_with(Arc::clone).ok()
}

/// Goes on with a trace in another task.
pub(crate) async fn within<T>(trace: Option<Arc<Trace>>, task: impl Future<Output = T>) -> T {
    match trace {
        Some(trace) => TRACE.scope(trace, task).await,
        None => task.await,
    }
}

impl Traces {
    fn is_turn(&self) -> bool {
        let saved = SAVED.get() + self.sample_ratio;
        let is_turn = saved >= 1.0;
        SAVED.set(if is_turn { saved - 1.0 } else { saved });
        is_turn
    }

    fn begin(&self, name: &'static str, kind: SpanKind, parent: &Context) -> Arc<Trace> {
        let begun = (Instant::now(), SystemTime::now());
        let span = self.tracer.span_builder(name).with_kind(kind).with_start_time(begun.1);
        let context = parent.with_span(span.start_with_context(&self.tracer, parent));
        Arc::new(Trace { context, begun, passages: Mutex::default(), code: Mutex::new(None) })
    }
}

impl Trace {
    /// Its id.
    pub(crate) fn id(&self) -> u128 {
        u128::from_be_bytes(self.context.span().span_context().trace_id().to_bytes())
    }

    /// Says something of it.
    pub(crate) fn note(&self, name: &'static str, value: impl Into<opentelemetry::Value>) {
        self.context.span().set_attribute(KeyValue::new(name, value));
    }

    /// What became of it.
    pub(crate) fn ended(&self, code: Code) {
        *self.code.lock() = Some(code);
    }

    /// It goes to a shard now.
    pub(crate) fn submitted(self: Arc<Self>) -> Submitted {
        Submitted { trace: self, submitted: Instant::now() }
    }

    fn at(&self, instant: Instant) -> SystemTime {
        self.begun.1 + instant.saturating_duration_since(self.begun.0)
    }

    fn stage(&self, name: &'static str, from: Instant, to: Instant) -> Option<opentelemetry_sdk::trace::Span> {
        let tracer = &TRACES.get()?.tracer;
        let span = tracer.span_builder(name).with_kind(SpanKind::Internal).with_start_time(self.at(from));
        let mut span = span.start_with_context(tracer, &self.context);
        span.end_with_timestamp(self.at(to));
        Some(span)
    }
}

impl Submitted {
    /// The shard answers. Called within the reply, on its thread.
    pub(crate) fn answered(self) {
        let stages = shard::stages_for(self.trace.id());
        let passage = Passage { submitted: self.submitted, answered: Instant::now(), stages };
        self.trace.passages.lock().push(passage);
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let now = Instant::now();
        for passage in self.passages.lock().iter() {
            let Passage { submitted, answered, stages } = passage;
            // Backwards from the answer: a turn ends with it.
            let decided = answered.checked_sub(stages.append).unwrap_or(*submitted).max(*submitted);
            let taken = decided.checked_sub(stages.decide).unwrap_or(*submitted).max(*submitted);
            self.note("usher.batch_commands", i64::from(stages.commands));
            self.stage("queue", *submitted, taken);
            self.stage("decide", taken, decided);
            self.stage("append", decided, *answered);
            self.stage("answer", *answered, now);
        }
        let span = self.context.span();
        let code = self.code.get_mut().take();
        let name = code.map_or("CANCELLED", calls::code_name);
        span.set_attribute(KeyValue::new("rpc.response.status_code", name));
        // As the conventions have it for servers: what is the caller's fault is no error of this side.
        if matches!(
            code,
            Some(
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            )
        ) {
            span.set_status(SpanStatus::error(name));
        }
        span.end_with_timestamp(self.at(now));
    }
}

/// `00-{trace id}-{span id}-{flags}`: <https://www.w3.org/TR/trace-context/>. Later versions may say more behind it.
fn parent(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let is_hex =
        |part: &str, length| part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_whole = version != "ff" && (version != "00" || parts.next().is_none());
    if !(is_whole && is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
    parent.is_valid().then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_and_nonsense_is_none() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let found = parent(text).unwrap();
        assert!(found.is_sampled() && found.is_remote());
        assert_eq!(found.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(!parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_sampled());
        assert!(parent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_some());
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        ] {
            assert!(parent(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn one_call_in_a_hundred_is_traced_by_a_ratio_of_one_percent() {
        let provider = SdkTracerProvider::builder().build();
        let tracer = provider.tracer("test");
        let traces = Traces { provider, tracer, sample_ratio: 0.01 };
        assert_eq!((0..1_000).filter(|_| traces.is_turn()).count(), 10);
    }
}
