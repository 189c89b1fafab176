//! One connection from its first byte to its last: TLS where it is set, then HTTP/2 or HTTP/1.1 within the limits.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tonic::{body::Body, codegen::http::Request};
use tower::Service as _;

use super::{
    Connections, DecideBy, deadline,
    patient::Patient,
    peer::Peer,
    places::{Place, Places},
    tls::Tls,
};
use crate::{
    config::Limits,
    http::Door,
    metrics::{Metrics, Open},
    service::Draining,
    telemetry::request_id,
};

/// Bytes of one call that are taken before they are read, and of all calls of a connection: a session that is not read from
/// for a while must not keep the calls beside it waiting.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;

/// How connections are served: on which services, within which limits.
#[derive(Clone)]
pub(crate) struct Serving {
    /// By the port that a connection came in on.
    pub(crate) doors: Arc<[Door]>,
    pub(crate) tls: Option<Arc<Tls>>,
    /// Those of the next connection.
    pub(crate) limits: watch::Receiver<Arc<Limits>>,
    pub(crate) places: Arc<Places<IpAddr>>,
    pub(crate) draining: Draining,
    pub(crate) metrics: Arc<Metrics>,
    /// The port of whoever reads them.
    pub(crate) metrics_port: usize,
}

/// A connection that was let in.
pub(crate) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    /// Which of the listeners let it in.
    pub(super) port: usize,
    pub(super) place: Place<IpAddr>,
    /// One more with each.
    pub(super) number: u32,
    pub(super) open: Open,
}

/// Serves connections as they come, and returns once there are no more and the last one has ended.
pub(super) async fn serve(mut connections: Connections, serving: Serving) {
    let mut limits = Arc::clone(&serving.limits.borrow());
    let mut builder = Arc::new(builder_of(&limits));
    let mut running = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = connections.0.recv() => match accepted {
                Some(accepted) => {
                    let now = Arc::clone(&serving.limits.borrow());
                    if !Arc::ptr_eq(&limits, &now) {
                        (builder, limits) = (Arc::new(builder_of(&now)), now);
                    }
                    running.spawn(one(accepted, serving.clone(), Arc::clone(&limits), Arc::clone(&builder)));
                }
                None => break,
            },
            Some(_) = running.join_next() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn one(accepted: Accepted, serving: Serving, limits: Arc<Limits>, builder: Arc<Builder<TokioExecutor>>) {
    let Accepted { stream, port, place, number, open: _open } = accepted;
    let patience = Duration::from_millis(limits.patience_ms);
    let begun = TcpStream::from_std(stream).and_then(|stream| {
        // Small answers are sent at once.
        stream.set_nodelay(true)?;
        Ok((stream.peer_addr()?, stream))
    });
    let Ok((address, stream)) = begun else { return };
    let Some(door) = serving.doors.get(port).cloned() else { return };
    let unused = if port == 0 { Duration::from_millis(limits.connection_unused_ms_max) } else { Duration::MAX };
    let ages = (age(&limits, number), unused);
    let (limits, draining) = (&*limits, serving.draining);
    match serving.tls {
        None => http(stream, door, Peer::new(address, Vec::new(), place), limits, ages, &builder, draining).await,
        Some(tls) => match timeout(patience, tls.accept(stream)).await {
            Ok(Ok((stream, names))) => {
                http(stream, door, Peer::new(address, names, place), limits, ages, &builder, draining).await;
            }
            Ok(Err(error)) => {
                serving.metrics.connections.note_tls_failure();
                tracing::debug!(%address, %error, "no TLS came about");
            }
            Err(_) => {
                serving.metrics.connections.note_tls_failure();
                tracing::debug!(%address, "the TLS handshake took too long");
            }
        },
    }
}

/// Serves HTTP until the other side ends it, it is too old or nobody uses it, or the process drains.
async fn http<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: I,
    door: Door,
    peer: Peer,
    limits: &Limits,
    (age, unused): (Duration, Duration),
    builder: &Builder<TokioExecutor>,
    mut draining: Draining,
) {
    let (address, call_max) = (peer.address(), Duration::from_millis(limits.call_ms_max));
    let other_side = peer.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let wait = deadline::of(&request, call_max);
        request.extensions_mut().insert(DecideBy::after(wait));
        let request_id = request_id::ensure(request.headers_mut());
        let mut door = door.clone();
        async move {
            // Nothing is begun for whom it is too late already.
            let mut response = match wait.is_zero() {
                true => deadline::too_late(),
                false => deadline::within(wait, door.call(request)).await,
            };
            response.headers_mut().insert(request_id::HEADER, request_id);
            Ok::<_, Infallible>(response)
        }
    });
    let io = TokioIo::new(Patient::new(io, Duration::from_millis(limits.patience_ms)));
    // Apart, so that it is not moved around with what surrounds it: there are ten thousands of them.
    let mut connection = Box::pin(builder.serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async {
            tokio::select! {
                () = async {
                    let (first, rest) = (age.min(unused), age.saturating_sub(unused));
                    tokio::time::sleep(first).await;
                    if other_side.is_used() {
                        tokio::time::sleep(rest).await;
                    }
                } => {}
                // An error means that nobody can say it any more.
                _ = draining.wait_for(|drains| *drains) => {}
            }
        } => {
            connection.as_mut().graceful_shutdown();
            let grace = Duration::from_millis(limits.connection_grace_ms);
            timeout(grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, error, "a connection ended early");
    }
}

/// Not all at once: those that came together do not go together.
fn age(limits: &Limits, number: u32) -> Duration {
    let steps = u64::from(number.wrapping_mul(0x9E37_79B9) >> 24);
    Duration::from_millis(limits.connection_age_ms_max * (900 + steps * 200 / 255) / 1_000)
}

fn builder_of(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.patience_ms))
        // Which the headers of a request have to fit in.
        .max_buf_size(limits.header_bytes_max as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(limits.keepalive_ms))
        .keep_alive_timeout(Duration::from_millis(limits.keepalive_answer_ms))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(limits.header_bytes_max)
        .max_pending_accept_reset_streams(limits.resets_pending_max)
        .max_local_error_reset_streams(limits.resets_of_errors_max)
        .max_send_buf_size(limits.send_buffer_bytes);
    builder
}
