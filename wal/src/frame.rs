//! The bytes of one frame: encoding, decoding, checksum and hash.
//!
//! It does not know whether a frame is the right one at its place; that is `chain`'s question.
//!
//! All numbers are little-endian.
//!
//! ```text
//! byte   0          4        6         8       12            16
//!        ├──────────┼────────┼─────────┼───────┼─────────────┤
//!        │ "USHF"   │version │ zero    │ shard │ payload     │
//!        │ magic    │ u16    │ u16     │ u32   │ length u32  │
//! byte  16          24        32         40                 56
//!        ├──────────┼─────────┼──────────┼──────────────────┤
//!        │ epoch u64│ LSN u64 │ clock_ms │ hash of previous │
//!        │          │         │ u64      │ frame, 16 bytes  │
//! byte  56                    56 + length          60 + length
//!        ├─────────────────────┼───────────────────┤
//!        │ payload             │ CRC32C of all     │
//!        │                     │ before it, u32    │
//!        └─────────────────────┴───────────────────┘
//! ```
//!
//! The hash is XXH3-128 over the whole previous frame, checksum included; zeros before the first. It is no defence
//! against a forger, who could compute it too; it is there to find a frame that disk or software put in the wrong place.

use std::fmt;

use crc32c::crc32c;
use xxhash_rust::xxh3::xxh3_128;

use crate::bytes::{take, take_u32, take_u64};
use crate::{LogError, Lsn, ShardEpoch, ShardId};

/// The longest payload of one frame, in bytes. A batch larger than this must be split by whoever makes it.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

const MAGIC: [u8; 4] = *b"USHF";
/// The version of the frames that this release writes and reads.
pub const FRAME_VERSION: u16 = 1;
const VERSION: u16 = FRAME_VERSION;
const CHECKSUM_BYTES: usize = 4;
/// Everything but the payload.
const OVERHEAD_BYTES: usize = 56 + CHECKSUM_BYTES;

/// One frame, as a replay visits it. Its payload borrows from the log's buffer and is good until the visit returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The shard whose log this is.
    pub shard: ShardId,
    /// The opening that wrote it.
    pub epoch: ShardEpoch,
    /// Its position.
    pub lsn: Lsn,
    /// The writer's clock, in milliseconds since the Unix epoch; never less than the frame's before.
    pub clock_ms: u64,
    /// The caller's bytes, at most [`PAYLOAD_BYTES_MAX`].
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// How many bytes it takes in the log, without what storage adds.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        OVERHEAD_BYTES + self.payload.len()
    }
}

/// The XXH3-128 hash of a frame's encoded bytes: the link of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameHash(pub [u8; 16]);

impl FrameHash {
    /// What the first frame names as its previous one.
    pub const ZERO: FrameHash = FrameHash([0; 16]);

    /// The hash of a whole encoded frame.
    pub(crate) fn of(encoded: &[u8]) -> FrameHash {
        FrameHash(xxh3_128(encoded).to_le_bytes())
    }
}

impl fmt::Display for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_le_bytes(self.0))
    }
}

impl fmt::Debug for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameHash({self})")
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Shorter than the fields that every frame has.
    #[error("{bytes} bytes are too few for a frame")]
    TooShort {
        /// How many there are.
        bytes: usize,
    },
    /// The first four bytes are not a frame's.
    #[error("the magic is {found:02x?}, not a frame's")]
    BadMagic {
        /// The four bytes.
        found: [u8; 4],
    },
    /// Written by a release that knows a later layout.
    #[error("frame version {found} is unknown, this release reads version {supported}")]
    UnknownVersion {
        /// The version the frame states.
        found: u16,
        /// The version this release reads.
        supported: u16,
    },
    /// The payload is not as long as the header says.
    #[error("the header states a payload of {stated} bytes, there are {found}")]
    LengthMismatch {
        /// By the header.
        stated: u32,
        /// By the bytes.
        found: usize,
    },
    /// At least one bit is not as it was written.
    #[error("the checksum is {found:08x}, the bytes give {computed:08x}")]
    BadChecksum {
        /// By the frame.
        found: u32,
        /// By the bytes.
        computed: u32,
    },
}

/// Replaces what is in `buffer` by the encoded frame that follows the one hashed as `previous`.
///
/// # Errors
/// [`LogError::PayloadTooLarge`]; the buffer is then empty.
pub(crate) fn encode(frame: &Frame<'_>, previous: FrameHash, buffer: &mut Vec<u8>) -> Result<(), LogError> {
    buffer.clear();
    let bytes = frame.payload.len();
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= PAYLOAD_BYTES_MAX);
    let too_large = LogError::PayloadTooLarge { shard: frame.shard, bytes, bytes_max: PAYLOAD_BYTES_MAX };
    let length = length.ok_or(too_large)?;
    buffer.reserve(OVERHEAD_BYTES + bytes);
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&VERSION.to_le_bytes());
    buffer.extend_from_slice(&[0; 2]);
    buffer.extend_from_slice(&frame.shard.0.to_le_bytes());
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&frame.epoch.0.to_le_bytes());
    buffer.extend_from_slice(&frame.lsn.0.to_le_bytes());
    buffer.extend_from_slice(&frame.clock_ms.to_le_bytes());
    buffer.extend_from_slice(&previous.0);
    buffer.extend_from_slice(frame.payload);
    let checksum = crc32c(buffer);
    buffer.extend_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// The frame in these bytes, and the hash it gives its previous one. The bytes must be exactly one frame.
///
/// # Errors
/// [`FrameError`]. Magic, version and length are looked at before the checksum, because they say more.
pub(crate) fn decode(encoded: &[u8]) -> Result<(Frame<'_>, FrameHash), FrameError> {
    let too_short = FrameError::TooShort { bytes: encoded.len() };
    let Some((body, checksum)) = encoded.split_last_chunk::<CHECKSUM_BYTES>() else { return Err(too_short) };
    let fields = read_fields(body).ok_or(too_short)?;
    if fields.magic != MAGIC {
        return Err(FrameError::BadMagic { found: fields.magic });
    }
    if fields.version != VERSION {
        return Err(FrameError::UnknownVersion { found: fields.version, supported: VERSION });
    }
    let found = fields.frame.payload.len();
    if u32::try_from(found).ok() != Some(fields.length) {
        return Err(FrameError::LengthMismatch { stated: fields.length, found });
    }
    let (found, computed) = (u32::from_le_bytes(*checksum), crc32c(body));
    if found != computed {
        return Err(FrameError::BadChecksum { found, computed });
    }
    Ok((fields.frame, fields.previous))
}

/// A frame's fields as they stand, nothing yet believed.
struct Fields<'a> {
    magic: [u8; 4],
    version: u16,
    length: u32,
    previous: FrameHash,
    frame: Frame<'a>,
}

/// Reads the fields in the order of the picture; what is left is the payload. `None` when they end early.
fn read_fields(mut rest: &[u8]) -> Option<Fields<'_>> {
    let magic = take(&mut rest)?;
    let version = take(&mut rest).map(u16::from_le_bytes)?;
    // Written as zero and covered by the checksum; a later version may give it a meaning.
    let _reserved: [u8; 2] = take(&mut rest)?;
    let shard = ShardId(take_u32(&mut rest)?);
    let length = take_u32(&mut rest)?;
    let epoch = ShardEpoch(take_u64(&mut rest)?);
    let lsn = Lsn(take_u64(&mut rest)?);
    let clock_ms = take_u64(&mut rest)?;
    let previous = FrameHash(take(&mut rest)?);
    let frame = Frame { shard, epoch, lsn, clock_ms, payload: rest };
    Some(Fields { magic, version, length, previous, frame })
}

#[cfg(test)]
mod tests;
