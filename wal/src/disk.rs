//! The disk below a data directory: whether it has room for more, and takes it; and whether the directory is still the one
//! that was opened.
//!
//! It looks when it is asked, at most every 100 ms; whoever is refused asks again. It keeps no thread and frees nothing.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
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
    /// Device and number of the directory's lock, which is held.
    lock: (u64, u64),
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
    /// The disk that `path` is on, a directory whose `lock` is held, of which so many bytes are to stay free. It has a first
    /// look.
    ///
    /// # Errors
    /// [`LogError::Io`] when the system does not answer.
    pub(crate) fn below(path: &Path, lock: &File, reserve_bytes: u64) -> Result<Disk, LogError> {
        let found = look(path, reserve_bytes, Found::Room)?;
        let lock = lock.metadata().map_err(LogError::io(path))?;
        let last = Mutex::new(Look { at: Instant::now(), found });
        Ok(Disk { path: path.to_owned(), lock: (lock.dev(), lock.ino()), reserve_bytes, last })
    }

    /// Refuses where another directory, or none, is where the opened one was. Whatever is written by a path would then be
    /// written into that one.
    ///
    /// # Errors
    /// [`LogError::Exchanged`].
    pub(crate) fn check_in_place(&self) -> Result<(), LogError> {
        let found = fs::metadata(self.path.join("lock")).ok().map(|lock| (lock.dev(), lock.ino()));
        if found == Some(self.lock) { Ok(()) } else { Err(LogError::Exchanged { dir: self.path.clone() }) }
    }

    /// Refuses while the disk is nearly full or cannot be written.
    ///
    /// # Errors
    /// [`LogError::DiskFull`], [`LogError::DiskReadOnly`], [`LogError::Exchanged`]; [`LogError::Io`] when the system does not answer. Asked again,
    /// it may succeed.
    pub(crate) fn check_writable(&self) -> Result<(), LogError> {
        let mut last = self.last.lock();
        if last.at.elapsed() >= LOOK_INTERVAL {
            self.check_in_place()?;
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
        let lock = File::create(dir.path().join("lock")).unwrap();
        Disk::below(dir.path(), &lock, 0).unwrap().check_writable().unwrap();
        let refused = Disk::below(dir.path(), &lock, u64::MAX).unwrap().check_writable().unwrap_err();
        assert!(matches!(&refused, LogError::DiskFull { free_bytes: 1.., reserve_bytes: u64::MAX, .. }), "{refused}");
        assert!(Disk::below(&dir.path().join("absent"), &lock, 0).is_err());
    }

    #[test]
    fn another_directory_in_its_place_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (data, lock) = (dir.path().join("data"), dir.path().join("data/lock"));
        fs::create_dir(&data).unwrap();
        let disk = Disk::below(&data, &File::create(&lock).unwrap(), 0).unwrap();
        disk.check_in_place().unwrap();
        fs::rename(&data, dir.path().join("moved")).unwrap();
        assert!(matches!(disk.check_in_place(), Err(LogError::Exchanged { .. })), "there is none");
        fs::create_dir(&data).unwrap();
        File::create(&lock).unwrap();
        assert!(matches!(disk.check_in_place(), Err(LogError::Exchanged { .. })), "there is another");
    }
}
