//! Segments: files of consecutive frames of one shard, byte for byte as they are in the log.
//!
//! ```text
//! segments/<shard>/<from>-<to>-<hash>.frames
//!
//! byte 0        4         6       8           12      16         24       32
//!      ├────────┼─────────┼───────┼───────────┼───────┼──────────┼────────┼───────────────────────────┬─────────────────┐
//!      │ "USHB" │version  │ zeros │ shard u32 │ zeros │ from u64 │ to u64 │ length u32, frame;        │ XXH3-128 of all │
//!      │        │u16      │ u16   │           │ u32   │          │        │ and so on                 │ before, 16 bytes│
//!      └────────┴─────────┴───────┴───────────┴───────┴──────────┴────────┴───────────────────────────┴─────────────────┘
//! ```
//! All numbers are little-endian. The name has the first half of the hash, so that two histories with the same LSNs are
//! two files. What has the name is whole, or the disk damaged it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::{BackupError, DRAFT, catalogue::FileHash, catalogue::Segment};
use crate::bytes::{take, take_u32, take_u64};
use crate::chain::Chain;
use crate::directory::{make_directory, sync_directory};
use crate::{EncodedVisit, LogError, Lsn, PAYLOAD_BYTES_MAX, ShardId};

const MAGIC: [u8; 4] = *b"USHB";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 32;
/// A frame is a little longer than its payload.
const FRAME_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 1024;

impl Segment {
    /// Where it is, below the directory of all segments.
    pub(super) fn path(&self, segments: &Path, shard: ShardId) -> PathBuf {
        let name = format!("{:020}-{:020}-{}.frames", self.from.0, self.to.0, short(self.hash));
        segments.join(shard.to_string()).join(name)
    }
}

/// The half of a hash that stands in a file's name.
pub(super) fn short(hash: FileHash) -> String {
    format!("{:016x}", hash.0 >> 64)
}

/// A segment being written.
pub(super) struct SegmentWriter {
    /// Of the shard's segments.
    dir: PathBuf,
    draft: PathBuf,
    file: BufWriter<File>,
    hash: Xxh3,
    shard: ShardId,
    segment: Segment,
}

impl SegmentWriter {
    /// Of the frames from `from` to `to`, which must follow.
    pub(super) fn begin(segments: &Path, shard: ShardId, (from, to): (Lsn, Lsn)) -> Result<Self, LogError> {
        let dir = segments.join(shard.to_string());
        make_directory(&dir)?;
        let draft = dir.join(format!("segment{DRAFT}"));
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let file = BufWriter::with_capacity(1 << 20, options.open(&draft).map_err(LogError::io(&draft))?);
        let segment = Segment { from, to, bytes: 0, hash: FileHash(0) };
        let mut writer = Self { dir, draft, file, hash: Xxh3::new(), shard, segment };
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&[0; 2]);
        header.extend_from_slice(&shard.0.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&from.0.to_le_bytes());
        header.extend_from_slice(&to.0.to_le_bytes());
        writer.write(&header)?;
        Ok(writer)
    }

    pub(super) fn add(&mut self, encoded: &[u8]) -> Result<(), LogError> {
        // A frame has at most 64 MiB.
        let length = u32::try_from(encoded.len()).unwrap_or(u32::MAX);
        self.write(&length.to_le_bytes())?;
        self.write(encoded)
    }

    /// Makes it durable under its name.
    pub(super) fn finish(mut self, segments: &Path) -> Result<Segment, LogError> {
        let hash = self.hash.digest128();
        self.write(&hash.to_le_bytes())?;
        self.segment.hash = FileHash(hash);
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).map_err(LogError::io(&self.draft))?;
        let path = self.segment.path(segments, self.shard);
        fs::rename(&self.draft, &path).map_err(LogError::io(&path))?;
        sync_directory(&self.dir)?;
        Ok(self.segment)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.hash.update(bytes);
        self.segment.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(LogError::io(&self.draft))
    }
}

/// Reads a segment's frames into a chain that has come to its beginning, and visits those that it says are to be. Returns
/// whether the visitor had enough; unless he had, the whole file has been found sound.
///
/// # Errors
/// [`BackupError::Segment`] and [`BackupError::Missing`] with the LSN up to which all was sound.
pub(super) fn read(
    (path, shard): (&Path, ShardId),
    segment: &Segment,
    chain: &mut Chain,
    visit: &mut EncodedVisit<'_>,
) -> Result<ControlFlow<()>, BackupError> {
    let mut reader = Reader::open(path, shard, segment)?;
    let mut encoded = Vec::new();
    let mut next = segment.from;
    while next <= segment.to {
        reader.frame(next, &mut encoded)?;
        let frame = chain.accept(next, &encoded).map_err(|error| reader.damaged(next, &reason(&error)))?;
        if chain.is_visited(next) {
            let visited = visit(frame, &encoded).map_err(|source| LogError::Rejected { shard, lsn: next, source })?;
            if visited.is_break() {
                return Ok(visited);
            }
        }
        next = next.next();
    }
    reader.end(segment)?;
    Ok(ControlFlow::Continue(()))
}

/// Without the remedy, which is that of a log, and without the position, which is told anyway.
fn reason(error: &LogError) -> String {
    match error {
        LogError::Corrupt { reason, .. } => reason.to_string(),
        LogError::ChainBroken { .. } => "it follows another frame than the one before it".to_owned(),
        LogError::Misplaced { .. } => "it is the frame of another place".to_owned(),
        other => other.to_string(),
    }
}

struct Reader<'a> {
    path: &'a Path,
    shard: ShardId,
    file: BufReader<File>,
    hash: Xxh3,
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path, shard: ShardId, segment: &Segment) -> Result<Self, BackupError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Missing { path: path.to_owned(), shard, lsn: segment.from });
            }
            file => BufReader::with_capacity(1 << 20, file.map_err(LogError::io(path))?),
        };
        let mut reader = Self { path, shard, file, hash: Xxh3::new() };
        let mut header = [0; HEADER_BYTES];
        reader.read(&mut header, segment.from)?;
        let mut rest = &header[..];
        let is_ours = take(&mut rest) == Some(MAGIC) && take(&mut rest).map(u16::from_le_bytes) == Some(VERSION);
        let _zeros: Option<[u8; 2]> = take(&mut rest);
        let of_shard = take_u32(&mut rest) == Some(shard.0);
        let _zeros: Option<[u8; 4]> = take(&mut rest);
        let range = (take_u64(&mut rest), take_u64(&mut rest));
        if !is_ours || !of_shard || range != (Some(segment.from.0), Some(segment.to.0)) {
            return Err(reader.damaged(segment.from, "its header is another one than its catalogue says"));
        }
        Ok(reader)
    }

    fn frame(&mut self, lsn: Lsn, encoded: &mut Vec<u8>) -> Result<(), BackupError> {
        let mut length = [0; 4];
        self.read(&mut length, lsn)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(self.damaged(lsn, "a frame is longer than frames can be"));
        }
        encoded.clear();
        encoded.resize(length, 0);
        self.read(encoded, lsn)
    }

    fn end(&mut self, segment: &Segment) -> Result<(), BackupError> {
        let computed = self.hash.digest128();
        let mut stated = [0; 16];
        self.read(&mut stated, segment.to)?;
        let at_end = self.file.read(&mut [0]).map_err(LogError::io(self.path))? == 0;
        if computed != segment.hash.0 || stated != computed.to_le_bytes() || !at_end {
            return Err(self.damaged(segment.to, "its checksum does not match"));
        }
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8], lsn: Lsn) -> Result<(), BackupError> {
        match self.file.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged(lsn, "it is too short"));
            }
            read => read.map_err(LogError::io(self.path))?,
        }
        self.hash.update(bytes);
        Ok(())
    }

    fn damaged(&self, lsn: Lsn, reason: &str) -> BackupError {
        BackupError::Segment { path: self.path.to_owned(), shard: self.shard, lsn, reason: reason.to_owned() }
    }
}
