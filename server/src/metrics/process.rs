//! What the process takes of its machine: memory, processor time, files, disk. Asked when somebody wants to know.
//!
//! Where the system does not tell, nothing is told.

use std::{fs, path::Path, sync::LazyLock, time::SystemTime};

use rustix::{
    fs::statvfs,
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

/// When it began, or was first asked.
static BEGUN: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

/// What it takes now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Process {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) threads: Option<u64>,
    pub(crate) open_files: Option<usize>,
    pub(crate) open_files_max: Option<u64>,
}

/// The file system of a directory, and what is in the directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) size_bytes: u64,
    pub(crate) free_bytes: u64,
    pub(crate) used_bytes: u64,
}

/// Since when it runs.
pub(crate) fn begun() -> SystemTime {
    *BEGUN
}

impl Process {
    pub(crate) fn now() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        #[expect(clippy::cast_precision_loss, reason = "seconds to tell")]
        let cpu_seconds = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Self {
            cpu_seconds,
            resident_bytes: field("VmRSS:").map(|kib| kib * 1_024),
            threads: field("Threads:"),
            // The directory that is being read is one of them.
            open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1)),
            open_files_max: getrlimit(Resource::Nofile).current,
        }
    }
}

impl Disk {
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let system = statvfs(directory).ok()?;
        Some(Self {
            size_bytes: system.f_blocks * system.f_frsize,
            free_bytes: system.f_bavail * system.f_frsize,
            used_bytes: bytes_in(directory, 3),
        })
    }
}

/// Of the files in a directory and in those in it; what vanishes meanwhile is nothing.
fn bytes_in(directory: &Path, depth: u32) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() && depth > 0 => bytes_in(&entry.path(), depth - 1),
        Ok(found) if found.is_file() => found.len(),
        _ => 0,
    };
    entries.flatten().map(of_entry).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_something_and_files_are_found_at_every_depth() {
        let now = Process::now();
        assert!(now.cpu_seconds > 0.0 && now.open_files.unwrap() > 0 && now.resident_bytes.unwrap() > 1 << 20);
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        fs::write(dir.path().join("in/two"), [0; 200]).unwrap();
        fs::write(dir.path().join("one"), [0; 100]).unwrap();
        let disk = Disk::of(dir.path()).unwrap();
        assert!(disk.used_bytes == 300 && disk.size_bytes >= disk.free_bytes && disk.free_bytes > 0);
        assert!(Disk::of(Path::new("/nowhere")).is_none());
    }
}
