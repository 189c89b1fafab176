//! What an interruption left at the end of RocksDB's WAL, read without RocksDB, which cannot tell a torn record from a rotten
//! one: both fail their checksum.
//!
//! Each record is synced before the next one is written. So the record that an interruption tore is the last, and was never
//! acknowledged; whatever fails its checksum with a whole record behind it was synced, and is damaged.
//!
//! RocksDB is not shown what is damaged: of a record whose type belongs to a recycled file it reads the header again and again
//! and never ends (`log_reader.cc`, `kBadRecord`). Its manifest has the same format, and the same is true of it.
//!
//! The format is RocksDB's (`db/log_format.h`): blocks of 32 KiB; a record is a masked CRC32C over type and content, a length, a
//! type, the content. A long one goes on in the next block, in fragments whose types say which they are.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crc32c::{crc32c, crc32c_append};

use crate::LogError;

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 7;
/// Types of fragments that go on with a record; every other one begins a record.
const GOES_ON: [u8; 2] = [3, 4];
/// Every type that RocksDB writes into a WAL that is not recycled: records, and what it notes about its files.
const TYPES: [u8; 7] = [1, 2, 3, 4, 9, 10, 130];
/// Types of recycled files. Ours never are.
const RECYCLED_TYPES: [u8; 6] = [5, 6, 7, 8, 11, 131];
/// The least content of a record: the header of a write batch. Less is no proof of a record that is looked for.
const CONTENT_BYTES_MIN: usize = 12;

/// The remains of a record at the end of the newest WAL, which goes when the database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The WAL's file.
    pub path: PathBuf,
    /// Where what cannot be read begins.
    pub at_byte: u64,
    /// What lies there.
    pub bytes: u64,
}

/// The torn tail of the WAL in RocksDB's directory. `None` also where files are missing: RocksDB knows which there were.
///
/// # Errors
/// [`LogError::StorageDamaged`] where more than a tail is wrong, also with the manifest; [`LogError::Io`].
pub(super) fn torn_tail(dir: &Path) -> Result<Option<TornTail>, LogError> {
    if let Some(manifest) = manifest(dir) {
        read_whole_or_torn(&manifest)?;
    }
    let mut wals = wals(dir)?;
    let Some(newest) = wals.pop() else { return Ok(None) };
    let mut are_whole = true;
    for older in wals {
        are_whole &= read_whole_or_torn(&older)? == Reading::Whole;
    }
    Ok(match read_whole_or_torn(&newest)? {
        Reading::Torn { at_byte, bytes } if are_whole => Some(TornTail { path: newest, at_byte, bytes }),
        _ => None,
    })
}

/// RocksDB's WAL files, the oldest first.
fn wals(dir: &Path) -> Result<Vec<PathBuf>, LogError> {
    let mut wals = Vec::new();
    for entry in fs::read_dir(dir).map_err(LogError::io(dir))? {
        let path = entry.map_err(LogError::io(dir))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|extension| extension == "log")) {
            wals.push((number, path));
        }
    }
    wals.sort_unstable();
    Ok(wals.into_iter().map(|(_, path)| path).collect())
}

/// The manifest that counts, if it can be told which.
fn manifest(dir: &Path) -> Option<PathBuf> {
    let name = fs::read_to_string(dir.join("CURRENT")).ok()?;
    Some(dir.join(name.trim_end())).filter(|path| path.is_file())
}

fn read_whole_or_torn(path: &Path) -> Result<Reading, LogError> {
    match read(path)? {
        Reading::Damaged { at_byte } => {
            let name = path.file_name().unwrap_or_default().display();
            let message = format!("{name} cannot be read at byte {at_byte}, and that is not its end");
            Err(LogError::StorageDamaged { path: path.parent().unwrap_or(path).to_owned(), message })
        }
        reading => Ok(reading),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Nothing but whole records, and zeros behind the last.
    Whole,
    Torn {
        at_byte: u64,
        bytes: u64,
    },
    /// Something unreadable, with a whole record behind it, or such as no interruption leaves.
    Damaged {
        at_byte: u64,
    },
}

fn read(path: &Path) -> Result<Reading, LogError> {
    let file = File::open(path).map_err(LogError::io(path))?;
    // Not beyond what is there now: a writer may be at its end.
    let length = file.metadata().map_err(LogError::io(path))?.len();
    let mut blocks = BufReader::with_capacity(1 << 20, file.take(length));
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let (mut before, mut torn_at, mut end) = (0, None, 0);
    loop {
        block.clear();
        let read = blocks.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block).map_err(LogError::io(path))?;
        if read == 0 {
            break;
        }
        let mut at = whole_records(&block);
        let is_recycled = block.get(at + HEADER_BYTES - 1).is_some_and(|kind| RECYCLED_TYPES.contains(kind));
        if torn_at.is_some() {
            at = 0;
        } else if !is_empty(&block[at..]) {
            torn_at = Some(before + at as u64);
            at += 1;
        }
        if let Some(at_byte) = torn_at
            && (is_recycled || (at..block.len()).any(|at| begins_record(&block[at..])))
        {
            return Ok(Reading::Damaged { at_byte });
        }
        before += read as u64;
        end = if is_empty(&block) { end } else { before };
    }
    Ok(torn_at.map_or(Reading::Whole, |at_byte| Reading::Torn { at_byte, bytes: end.max(at_byte) - at_byte }))
}

/// Where the whole records at the beginning of a block end.
fn whole_records(block: &[u8]) -> usize {
    let mut at = 0;
    while let Some((_, content)) = whole(&block[at..]) {
        at += HEADER_BYTES + content.len();
    }
    at
}

/// What is left of a block when no record fits any more, and what was never written, is zero.
fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn begins_record(bytes: &[u8]) -> bool {
    whole(bytes).is_some_and(|(kind, content)| !GOES_ON.contains(&kind) && content.len() >= CONTENT_BYTES_MIN)
}

/// Type and content of the record that these bytes begin with, if it is whole.
fn whole(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [c0, c1, c2, c3, l0, l1, kind] = *header;
    let content = rest.get(..usize::from(u16::from_le_bytes([l0, l1])))?;
    let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
    (TYPES.contains(&kind) && checksum == masked(crc32c_append(crc32c(&[kind]), content))).then_some((kind, content))
}

/// As RocksDB stores a checksum, so that checksums of what has checksums in it stay good (`util/crc32c.h`).
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests;
