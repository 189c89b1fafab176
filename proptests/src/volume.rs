//! A file system on a disk of ours: made, mounted, cut off, mounted again.
//!
//! Every mount is in a namespace that only the test's threads and their children see. So none outlives the test, however
//! it ends: the kernel unmounts what is left, and detaches the loop device, when the last process in it has gone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount, umount2},
    sched::{CloneFlags, setns, unshare},
};
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::{
    disk::{Disk, Fate},
    skipped,
};

/// Large enough for xfs, whose smallest is 300 MB. Only what is written takes memory.
const DISK_BYTES: usize = 448 << 20;

/// What the disk is formatted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// ext4, with its usual ordered journal.
    Ext4,
    /// xfs.
    Xfs,
}

impl FileSystem {
    /// As `mount` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::Xfs => "xfs",
        }
    }

    fn format(self, disk: &Path) -> Result<(), String> {
        let mut command = Command::new(format!("mkfs.{}", self.name()));
        match self {
            FileSystem::Ext4 => command.args(["-q", "-F", "-N", "4096", "-E", "nodiscard,lazy_itable_init=0"]),
            FileSystem::Xfs => command.args(["-q", "-f", "-K"]),
        };
        run(command.arg(disk))
    }
}

/// Whether this machine lets us make disks; otherwise says on standard error what is missing. A test that gets `false`
/// has nothing to test. With `USHER_REQUIRE_FUSE=1` it panics instead.
///
/// From here on the calling thread, and whatever it starts, has mounts of its own.
///
/// # Panics
/// As said.
#[must_use]
pub fn disks_work(file_system: FileSystem) -> bool {
    or_skip(file_system.name(), private_mounts().and_then(|()| check_parts(file_system)))
}

/// As [`disks_work`], for tests that need only [`SmallVolume`].
///
/// # Panics
/// As said there.
#[must_use]
pub fn mounts_work() -> bool {
    or_skip("tmpfs", private_mounts())
}

fn or_skip(on: &str, checked: Result<(), String>) -> bool {
    let Err(missing) = checked else { return true };
    let missing = format!("tests on {on} need {missing}");
    assert!(std::env::var("USHER_REQUIRE_FUSE").as_deref() != Ok("1"), "{missing}");
    skipped(&missing);
    false
}

/// Moves the calling thread into the mount namespace of these tests, from which nothing gets out. All threads of the
/// process share one: RocksDB's background threads stay in that of whoever first opened a database.
///
/// # Errors
/// What it takes.
fn private_mounts() -> Result<(), String> {
    static NAMESPACE: Mutex<Option<fs::File>> = Mutex::new(None);
    let mut namespace = NAMESPACE.lock();
    let entered = match &*namespace {
        // A thread that shares its working directory with others cannot enter.
        Some(namespace) => unshare(CloneFlags::CLONE_FS).and_then(|()| setns(namespace, CloneFlags::CLONE_NEWNS)),
        None => unshare(CloneFlags::CLONE_NEWNS).and_then(|()| {
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
            *namespace = fs::File::open("/proc/thread-self/ns/mnt").ok();
            Ok(())
        }),
    };
    entered.map_err(|error| format!("root: a mount namespace of its own was refused ({error})"))
}

fn check_parts(file_system: FileSystem) -> Result<(), String> {
    for device in ["/dev/fuse", "/dev/loop-control"] {
        fs::OpenOptions::new().read(true).write(true).open(device).map_err(|error| format!("{device}: {error}"))?;
    }
    let name = file_system.name();
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.split_whitespace().any(|known| known == name) {
        return Err(format!("{name} in the kernel"));
    }
    let maker = format!("mkfs.{name}");
    Command::new(&maker).arg("-V").output().map(drop).map_err(|error| format!("{maker}: {error}"))
}

/// A disk and the file system on it.
pub struct Volume {
    file_system: FileSystem,
    mounted: bool,
    // The disk must go before its mount point.
    disk: Disk,
    at: TempDir,
}

impl Volume {
    /// A new disk with an empty file system, mounted. Faults follow `seed`.
    ///
    /// # Panics
    /// When it cannot be had.
    #[must_use]
    pub fn new(file_system: FileSystem, seed: u64) -> Volume {
        let at = tempfile::tempdir().unwrap();
        let [fuse, files] = ["fuse", "files"].map(|name| at.path().join(name));
        fs::create_dir(&fuse).unwrap();
        fs::create_dir(&files).unwrap();
        let disk = Disk::serve(&fuse, DISK_BYTES, seed).unwrap();
        let mut volume = Volume { file_system, mounted: false, disk, at };
        volume.format();
        volume
    }

    /// Makes the file system anew and mounts it: whatever was there is gone.
    ///
    /// # Panics
    /// When that fails.
    pub fn format(&mut self) {
        self.unmount();
        self.file_system.format(self.disk.file()).unwrap();
        self.mount().unwrap();
    }

    /// Where its files are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.at.path().join("files")
    }

    /// The disk under it.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Mounts it, as a machine does that starts: the file system replays its journal.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn mount(&mut self) -> Result<(), String> {
        let files = self.path();
        run(Command::new("mount")
            .args(["-o", "loop", "-t", self.file_system.name()])
            .arg(self.disk.file())
            .arg(&files))?;
        self.mounted = true;
        Ok(())
    }

    /// Cuts the power as soon as `unsynced` sectors are (see [`Disk::power_off`]), then ends `users` of the volume, and brings the power back.
    ///
    /// # Errors
    /// When the file system does not accept what it finds.
    pub fn cut<T>(&mut self, fate: Fate, unsynced: usize, users: impl FnOnce() -> T) -> Result<T, String> {
        self.disk.power_off(fate, unsynced);
        let result = users();
        self.unmount();
        self.disk.power_on();
        self.mount().map(|()| result)
    }

    /// Unmounts it and mounts it again, as a machine that starts anew.
    ///
    /// # Errors
    /// When the file system does not accept what it finds.
    pub fn restart(&mut self) -> Result<(), String> {
        self.unmount();
        self.mount()
    }

    /// Unmounts it, whole or cut off.
    fn unmount(&mut self) {
        if !std::mem::take(&mut self.mounted) {
            return;
        }
        // Lazily would leave the old loop device over the disk, with all it remembers. A process that another thread is
        // just starting may have our files open for a moment.
        for _ in 0..50 {
            match umount(&self.path()) {
                Err(Errno::EBUSY) => thread::sleep(Duration::from_millis(20)),
                other => return other.unwrap_or_else(|error| panic!("{}: {error}", self.path().display())),
            }
        }
        panic!("{} is in use", self.path().display());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Also from under whoever still uses it, for a test that has failed.
        if self.mounted && umount2(&self.path(), MntFlags::MNT_DETACH).is_err() {
            eprintln!("{} stays mounted until the test ends", self.path().display());
        }
    }
}

/// A file system in memory of a fixed size, mounted in the calling thread's own namespace.
pub struct SmallVolume(TempDir);

impl SmallVolume {
    /// Mounts one of `bytes` bytes. Ask [`mounts_work`] before.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(bytes: usize) -> io::Result<SmallVolume> {
        let at = tempfile::tempdir()?;
        let options = format!("size={bytes}");
        mount(Some("usher"), at.path(), Some("tmpfs"), MsFlags::empty(), Some(options.as_str()))?;
        Ok(SmallVolume(at))
    }

    /// Makes it larger, with all that is in it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn grow(&self, bytes: usize) -> io::Result<()> {
        let options = format!("size={bytes}");
        Ok(mount(None::<&str>, self.path(), None::<&str>, MsFlags::MS_REMOUNT, Some(options.as_str()))?)
    }

    /// Where its files are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallVolume {
    fn drop(&mut self) {
        // Before the directory under it is removed.
        if umount2(self.path(), MntFlags::MNT_DETACH).is_err() {
            eprintln!("{} stays mounted until the test ends", self.path().display());
        }
    }
}

/// Runs a program to its end.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {} {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}
