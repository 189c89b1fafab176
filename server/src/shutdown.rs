//! When the process is to end: SIGTERM, or Ctrl-C.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Listens for both signals from now on, and gives what waits for the first of them. Called before anything takes long,
/// so that a signal that comes early is not lost and does not kill.
///
/// # Errors
/// When the system does not let it listen.
pub fn requested() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}
