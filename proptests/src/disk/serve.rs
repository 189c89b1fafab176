//! The disk as a file of a FUSE file system: a root with one file in it, whose bytes are the platter's.
//!
//! Nothing of it is cached by the kernel: what the loop device writes is what the platter is told, in that order.

use std::{
    ffi::OsStr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use parking_lot::Mutex;

use super::platter::{Failed, Platter, SECTOR_BYTES};

/// The file's name.
pub(super) const NAME: &str = "disk";
const FILE: INodeNo = INodeNo(2);
/// Nothing here changes behind the kernel's back.
const VALID: Duration = Duration::from_secs(3_600);

pub(super) struct Served(pub(super) Arc<Mutex<Platter>>);

impl Served {
    fn attributes(&self, node: INodeNo) -> FileAttr {
        let size = self.0.lock().bytes() as u64;
        let (kind, size) = if node == FILE { (FileType::RegularFile, size) } else { (FileType::Directory, 0) };
        FileAttr {
            ino: node,
            size,
            blocks: size / SECTOR_BYTES as u64,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4_096,
            flags: 0,
        }
    }
}

/// The disk's only error.
fn eio(_: Failed) -> Errno {
    Errno::EIO
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("a 64-bit machine")
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&VALID, &self.attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&VALID, &self.attributes(node));
    }

    /// Programs that make file systems set sizes and times; a disk has its own.
    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        _size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        reply.attr(&VALID, &self.attributes(node));
    }

    fn open(&self, _: &Request, _node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _node: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.0.lock().read(position(offset), bytes as usize);
        match read {
            Ok(read) => reply.data(&read),
            Err(failed) => reply.error(eio(failed)),
        }
    }

    fn write(
        &self,
        _: &Request,
        _node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.0.lock().write(position(offset), data);
        match written {
            Ok(()) => reply.written(u32::try_from(data.len()).expect("a request of FUSE is small")),
            Err(failed) => reply.error(eio(failed)),
        }
    }

    fn fsync(&self, _: &Request, _node: INodeNo, _: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        let synced = self.0.lock().sync();
        match synced {
            Ok(()) => reply.ok(),
            Err(failed) => reply.error(eio(failed)),
        }
    }

    /// Comes with each closing, and makes nothing durable.
    fn flush(&self, _: &Request, _node: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    /// The loop device discards by it; this disk cannot.
    fn fallocate(
        &self,
        _: &Request,
        _node: INodeNo,
        _: FileHandle,
        _offset: u64,
        _bytes: u64,
        _mode: i32,
        reply: ReplyEmpty,
    ) {
        reply.error(Errno::EOPNOTSUPP);
    }
}
