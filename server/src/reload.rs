//! Certificates, revocations, keys and signers are read again when their files change, and on SIGHUP.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, sync::Arc, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use crate::{access::Known, config::Config, edge::Tls};

/// How often the files are looked at: a key that is revoked is good for so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What tells one state of a file from another: device, inode, size, and when it was written.
type State = Option<(u64, u64, u64, i64, i64)>;

/// Looks until it is told to end. What cannot be read leaves in force what was; the log says so.
pub(crate) async fn follow(config: Config, known: Arc<Known>, tls: Option<Arc<Tls>>) {
    let Ok(mut told) = signal(SignalKind::hangup()) else {
        return tracing::error!("SIGHUP cannot be listened for: changed keys and certificates need a restart");
    };
    let mut before = states(&config);
    loop {
        let is_told = tokio::select! {
            _ = told.recv() => true,
            () = tokio::time::sleep(LOOK_INTERVAL) => false,
        };
        let now = states(&config);
        if !is_told && now == before {
            continue;
        }
        before = now;
        let read = known.reload().and_then(|()| tls.as_ref().map_or(Ok(()), |tls| tls.reload()));
        match read {
            Ok(()) => tracing::info!("keys and certificates were read again"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "keys and certificates stay as they were"),
        }
    }
}

fn states(config: &Config) -> Vec<State> {
    let (tls, access) = (&config.tls, &config.access);
    let files = [&tls.certificate, &tls.key, &tls.client_ca, &tls.client_crl, &access.keys_file];
    let signers = access.tokens.as_ref().map(|tokens| tokens.jwks_file.as_path());
    files.into_iter().filter_map(Option::as_deref).chain(signers).map(state).collect()
}

fn state(path: &Path) -> State {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}
