//! The disk below a data directory: whether it has room for more, and takes it.
//!
//! It looks when it is asked, at most every 100 ms; whoever is refused asks again. It keeps no thread and frees nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::LogError;

/// How old an answer may be. In this time a fast disk can take some 100 MB, which the reserve must hold.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What is known of the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    reserve_bytes: u64,
    last: Mutex<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    found: Found,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Room,
    Full { free_bytes: u64 },
    ReadOnly,
}

impl Disk {
    /// The disk that `path` is on, of which so many bytes are to stay free. It has a first look.
    ///
    /// # Errors
    /// [`LogError::Io`] when the system does not answer.
    pub(crate) fn below(path: &Path, reserve_bytes: u64) -> Result<Disk, LogError> {
        let found = look(path, reserve_bytes, Found::Room)?;
        Ok(Disk { path: path.to_owned(), reserve_bytes, last: Mutex::new(Look { at: Instant::now(), found }) })
    }

    /// Refuses while the disk is nearly full or cannot be written.
    ///
    /// # Errors
    /// [`LogError::DiskFull`], [`LogError::DiskReadOnly`]; [`LogError::Io`] when the system does not answer. Asked again,
    /// it may succeed.
    pub(crate) fn check_writable(&self) -> Result<(), LogError> {
        let mut last = self.last.lock();
        if last.at.elapsed() >= LOOK_INTERVAL {
            *last = Look { at: Instant::now(), found: look(&self.path, self.reserve_bytes, last.found)? };
        }
        let path = || self.path.clone();
        match last.found {
            Found::Room => Ok(()),
            Found::Full { free_bytes } => {
                Err(LogError::DiskFull { path: path(), free_bytes, reserve_bytes: self.reserve_bytes })
            }
            Found::ReadOnly => Err(LogError::DiskReadOnly { path: path() }),
        }
    }
}

fn look(path: &Path, reserve_bytes: u64, before: Found) -> Result<Found, LogError> {
    let disk = statvfs(path).map_err(|error| LogError::Io { path: path.to_owned(), source: error.into() })?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(Found::ReadOnly);
    }
    Ok(judge(disk.f_bavail.saturating_mul(disk.f_frsize), reserve_bytes, before))
}

/// A full disk has room again when an eighth more than the reserve is free: without that it would be full again with the
/// next frame, and callers would be let in and refused by turns.
fn judge(free_bytes: u64, reserve_bytes: u64, before: Found) -> Found {
    let was_full = matches!(before, Found::Full { .. });
    let wanted_bytes = if was_full { reserve_bytes.saturating_add(reserve_bytes / 8) } else { reserve_bytes };
    if free_bytes < wanted_bytes { Found::Full { free_bytes } } else { Found::Room }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_needs_more_than_the_reserve_to_have_room_again() {
        let after = |free_bytes, before| judge(free_bytes, 800, before) == Found::Room;
        let full = Found::Full { free_bytes: 700 };
        assert!(after(800, Found::Room) && !after(799, Found::Room));
        assert!(after(900, full) && !after(899, full));
        assert!(after(800, Found::ReadOnly));
        assert_eq!(judge(0, 0, full), Found::Room);
    }

    #[test]
    fn a_disk_without_room_refuses_and_says_how_much_is_free() {
        let dir = tempfile::tempdir().unwrap();
        Disk::below(dir.path(), 0).unwrap().check_writable().unwrap();
        let refused = Disk::below(dir.path(), u64::MAX).unwrap().check_writable().unwrap_err();
        assert!(matches!(&refused, LogError::DiskFull { free_bytes: 1.., reserve_bytes: u64::MAX, .. }), "{refused}");
        assert!(Disk::below(&dir.path().join("absent"), 0).is_err());
    }
}
