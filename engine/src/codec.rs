//! Events to bytes and back. The only place that calls bincode.
//!
//! A frame's payload is a run of records:
//! ```text
//! | version u16 | record | record | ...      record = | show number u32 | event |
//! ```
//! A snapshot's state is a run of values behind a version of its own (`inventory/stored.rs`).
//! Little-endian. In the log an integer takes as many bytes as it needs, but for the version: a byte up to 250, otherwise a
//! byte that says how many follow. In version 1 of payloads, and in snapshots, integers are of fixed size; lengths are u64.
//! Up to version 2 texts were stored as they are (`crate::text`), and every grant with its deadline (`plain_grant.rs`).
//! Integrity is the frame's business (CRC and hash chain); the limit here only keeps a hostile length from asking for
//! memory.

use bincode::{
    config::{Configuration, Fixint, Limit, LittleEndian, Varint},
    error::DecodeError,
};

use self::plain_grant::{PLAIN_GRANT, PlainGrant};
use crate::{event::Event, ids::ShowNumber, time::Timestamp};

mod plain_grant;

/// The version of the records that this code writes.
pub const PAYLOAD_VERSION: u16 = 3;
const FIXED_SIZE_VERSION: u16 = 1;
const RECORD_BYTES_MAX: usize = 64 << 20;
/// Of the log.
const COMPACT: Configuration<LittleEndian, Varint, Limit<RECORD_BYTES_MAX>> =
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>();
/// Of all else.
const CONFIG: Configuration<LittleEndian, Fixint, Limit<RECORD_BYTES_MAX>> =
    bincode::config::standard().with_fixed_int_encoding().with_limit::<RECORD_BYTES_MAX>();

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Too short to have a version.
    #[error("a payload of {0} bytes has no version")]
    NoVersion(usize),
    /// Written by another version.
    #[error("version {found} is not known, only those up to {PAYLOAD_VERSION}: was it written by a newer usher?")]
    UnknownVersion {
        /// The version found.
        found: u16,
    },
    /// There is more than the state, or the state does not hash to what it did when it was stored.
    #[error("the state of a show is not what was stored: {what}")]
    Stored {
        /// What differs.
        what: &'static str,
    },
    /// Not a record.
    #[error("record {record} at byte {offset} cannot be decoded: {source}")]
    Record {
        /// From 0.
        record: usize,
        /// Within the payload.
        offset: usize,
        /// bincode's reason.
        source: DecodeError,
    },
}

/// The payload of the frame to come, in a buffer that is reused from frame to frame.
#[derive(Debug, Default)]
pub struct PayloadWriter {
    bytes: Vec<u8>,
    events: u32,
}

impl PayloadWriter {
    /// Adds an event of the frame of this clock reading.
    pub fn push(&mut self, show: ShowNumber, event: &Event, at: Timestamp) {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(&PAYLOAD_VERSION.to_le_bytes());
        }
        let written = match PlainGrant::record(show, event, at) {
            Some(grant) => bincode::encode_into_std_write(grant, &mut self.bytes, COMPACT),
            None => bincode::encode_into_std_write((show, event), &mut self.bytes, COMPACT),
        };
        // Writing to memory fails only on what our own types cannot produce.
        written.expect("an event can be encoded");
        self.events += 1;
    }

    /// The payload so far; empty if there is no event.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Events so far.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events
    }

    /// Starts the next payload.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.events = 0;
    }
}

/// The events of the payload of a frame of this clock reading, in order.
///
/// # Errors
/// The iterator ends after its first [`CodecError`].
pub fn read_payload(
    payload: &[u8],
    at: Timestamp,
) -> impl Iterator<Item = Result<(ShowNumber, Event), CodecError>> + '_ {
    let mut offset = 2;
    let mut record = 0;
    let version = version_of(payload);
    let is_compact = !matches!(version, Ok(FIXED_SIZE_VERSION));
    let mut failed = version.err();
    let mut ended = false;
    std::iter::from_fn(move || {
        if let Some(error) = failed.take() {
            ended = true;
            return Some(Err(error));
        }
        if ended || offset >= payload.len() {
            return None;
        }
        let rest = &payload[offset..];
        let decoded = if is_compact { read_record(rest, at) } else { bincode::decode_from_slice(rest, CONFIG) };
        match decoded {
            Ok(((show, event), length)) => {
                offset += length;
                record += 1;
                Some(Ok((show, as_of_today(event))))
            }
            Err(source) => {
                ended = true;
                Some(Err(CodecError::Record { record, offset, source }))
            }
        }
    })
}

fn read_record(bytes: &[u8], at: Timestamp) -> Result<((ShowNumber, Event), usize), DecodeError> {
    let (show, length) = bincode::decode_from_slice(bytes, COMPACT)?;
    let event = &bytes[length..];
    if let Some((&PLAIN_GRANT, grant)) = event.split_first() {
        let (grant, rest): (PlainGrant, usize) = bincode::decode_from_slice(grant, COMPACT)?;
        return Ok(((show, grant.event(at)), length + 1 + rest));
    }
    let (event, rest) = bincode::decode_from_slice(event, COMPACT)?;
    Ok(((show, event), length + rest))
}

#[inline]
fn as_of_today(mut event: Event) -> Event {
    if let Event::ShowCreatedV1(old) = event {
        event = Event::ShowCreated(Box::new((*old).into()));
    }
    event
}

/// The bytes of a value, for hashing it: equal values have equal bytes.
pub(crate) fn stable_bytes(value: &impl bincode::Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    add_stable_bytes(value, &mut bytes);
    bytes
}

/// Adds [`stable_bytes`] to others.
pub(crate) fn add_stable_bytes(value: &impl bincode::Encode, bytes: &mut Vec<u8>) {
    bincode::encode_into_std_write(value, bytes, CONFIG).expect("a value of our own can be encoded");
}

/// A state on its way into a snapshot: values one behind the other.
#[derive(Debug, Default)]
pub(crate) struct StateWriter {
    pub(crate) bytes: Vec<u8>,
}

impl StateWriter {
    pub(crate) fn put(&mut self, value: &impl bincode::Encode) {
        add_stable_bytes(value, &mut self.bytes);
    }

    /// So many values behind each other, with their number before them.
    pub(crate) fn put_all<T: bincode::Encode>(&mut self, values: impl ExactSizeIterator<Item = T>) {
        self.put(&(values.len() as u64));
        values.for_each(|value| self.put(&value));
    }
}

/// The values of a state, in the order in which they were written.
#[derive(Debug)]
pub(crate) struct StateReader<'a> {
    bytes: &'a [u8],
    read: usize,
    values: usize,
}

impl<'a> StateReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, read: 0, values: 0 }
    }

    /// # Errors
    /// [`CodecError::Record`], with the position of the value.
    pub(crate) fn take<T: bincode::Decode<()>>(&mut self) -> Result<T, CodecError> {
        let (record, offset) = (self.values, self.read);
        let decoded = bincode::decode_from_slice(&self.bytes[offset..], CONFIG);
        let (value, length) = decoded.map_err(|source| CodecError::Record { record, offset, source })?;
        self.read += length;
        self.values += 1;
        Ok(value)
    }

    /// What was written by [`StateWriter::put_all`].
    pub(crate) fn take_all<T: bincode::Decode<()>>(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<T, CodecError>> + use<'a, '_, T>, CodecError> {
        let count: u64 = self.take()?;
        Ok((0..count).map(move |_| self.take()))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.read == self.bytes.len()
    }
}

fn version_of(payload: &[u8]) -> Result<u16, CodecError> {
    match payload.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes)) {
        None => Err(CodecError::NoVersion(payload.len())),
        Some(known @ FIXED_SIZE_VERSION..=PAYLOAD_VERSION) => Ok(known),
        Some(found) => Err(CodecError::UnknownVersion { found }),
    }
}

#[cfg(test)]
mod tests;
