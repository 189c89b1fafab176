//! A disk of our own, whose power can be cut: one file served through FUSE, on which a file system is mounted.
//!
//! It owns the file and its faults. What a file system makes of it is `volume`'s; which bytes survive is `platter`'s.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use fuser::{BackgroundSession, Config};
use parking_lot::Mutex;

mod platter;
mod serve;

use platter::Platter;
pub use platter::{Counts, Fate};

/// Longest wait for something unsynced: whoever writes may have ended, or waits itself.
const UNSYNCED_WAIT_MAX: Duration = Duration::from_millis(100);
/// How often is looked whether something is unsynced: shorter than a sync takes.
const UNSYNCED_POLL: Duration = Duration::from_micros(20);

/// A disk while it is served. Dropping it ends the service.
pub struct Disk {
    platter: Arc<Mutex<Platter>>,
    file: PathBuf,
    _session: BackgroundSession,
}

impl Disk {
    /// Serves an empty disk of `bytes` bytes as a file in the directory `at`. Choices of faults follow `seed`.
    ///
    /// # Errors
    /// When the kernel refuses to mount it.
    pub fn serve(at: &Path, bytes: usize, seed: u64) -> io::Result<Disk> {
        let platter = Arc::new(Mutex::new(Platter::new(bytes, seed)));
        let session = fuser::spawn_mount(serve::Served(Arc::clone(&platter)), at, &Config::default())?;
        Ok(Disk { platter, file: at.join(serve::NAME), _session: session })
    }

    /// The file that is the disk.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// From now on every access fails; what was not synced meets its fate. Waits until `sectors` writes of a sector are
    /// unsynced, as a cut between two syncs proves nothing, but not longer than `UNSYNCED_WAIT_MAX`.
    pub fn power_off(&self, fate: Fate, sectors: usize) {
        let latest = Instant::now() + UNSYNCED_WAIT_MAX;
        loop {
            let mut platter = self.platter.lock();
            if platter.unsynced() >= sectors || Instant::now() > latest {
                return platter.power_off(fate);
            }
            drop(platter);
            thread::sleep(UNSYNCED_POLL);
        }
    }

    /// What is durable can be read again.
    pub fn power_on(&self) {
        self.platter.lock().power_on();
    }

    /// Whether syncs are answered without anything being made durable.
    pub fn lie(&self, lies: bool) {
        self.platter.lock().lies = lies;
    }

    /// The `count`-th sync from now on fails, counted from 1, and what it was to make durable is dropped.
    pub fn fail_sync(&self, count: u64) {
        self.platter.lock().fail_sync_in = Some(count);
    }

    /// Calls off a failure that has not come yet; says whether it had.
    pub fn call_off_failure(&self) -> bool {
        self.platter.lock().fail_sync_in.take().is_none()
    }

    /// What has happened to it so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.platter.lock().counts
    }
}
