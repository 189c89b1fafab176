//! A connection whose patience ends: its first bytes must come in time, and what is written must be read in time.
//!
//! HTTP/2's own pings and the timeout for the headers of HTTP/1.1 take over once it has begun.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// HTTP/2's preface; no shorter request of HTTP/1.1 names a host.
const FIRST_BYTES: usize = 24;

pub(super) struct Patient<I> {
    io: I,
    patience: Duration,
    clock: Pin<Box<Sleep>>,
    /// Of the first bytes.
    missing: usize,
    /// The other side reads nothing at the moment.
    stalls: bool,
}

impl<I> Patient<I> {
    pub(super) fn new(io: I, patience: Duration) -> Self {
        Self { io, patience, clock: Box::pin(sleep(patience)), missing: FIRST_BYTES, stalls: false }
    }

    /// What a write said, or that it took too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalls = false;
            return written;
        }
        if !self.stalls {
            self.stalls = true;
            self.clock.as_mut().reset(Instant::now() + self.patience);
        }
        self.or_too_late(cx)
    }

    fn or_too_late<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.clock.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buffer);
        this.missing = this.missing.saturating_sub(buffer.filled().len() - before);
        if read.is_pending() && this.missing > 0 { this.or_too_late(cx) } else { read }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(cx);
        this.written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.io).poll_shutdown(cx);
        this.written(cx, shut)
    }
}
