//! How fast this disk is: what stands beside every figure that rests on an fsync.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

const WRITES: usize = 300;

/// The median and the 99th percentile of appending 4 KiB and syncing it, in `dir`.
///
/// # Errors
/// When the file system does not let it write there.
pub fn probe_disk(dir: &Path) -> std::io::Result<(Duration, Duration)> {
    let path = dir.join("disk-probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&[0x5a; 4_096])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok((times[WRITES / 2], times[WRITES * 99 / 100]))
}
