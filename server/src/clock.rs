//! The one reading of the wall clock that decides anything.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use usher_engine::time::{Clock, Timestamp};

/// When this process first asked.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The system's clock, UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 0; the shard never goes below its last frame's time.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed(&self) -> Duration {
        BEGUN.elapsed()
    }
}
