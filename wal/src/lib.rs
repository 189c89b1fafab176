//! The durable log: one ordered stream of frames of bytes for each shard.
//!
//! It owns the bytes on disk, their order, and the proof that none is missing; and the snapshots that stand for the frames
//! before them. It does not own their meaning: a payload and a state are opaque here. It starts no recovery by itself.
//!
//! # The durability contract
//!
//! 1. **`Ok` means durable.** [`Log::append`] returns the LSN of a frame that has survived an fsync, whole. Only a store
//!    that was opened with [`Durability::Os`] promises less, and says so.
//! 2. **`Err` means unknown**, never "not written": a frame whose sync failed may be there after reopening. Such a log
//!    refuses to append until [`Log::reopen`], and what is true is what [`Log::replay_from`] then visits.
//! 3. **A replay visits every frame once, in order, or fails.** LSNs are contiguous, each frame carries the hash of the
//!    one before it, checksums hold, shard epochs and clock readings never fall.
//! 4. **What was acknowledged is there.** A file beside RocksDB names an LSN that each shard is known to have reached.
//!    A log that ends below it has lost answers that were given, and is refused. The file is at most 100 ms behind the
//!    log, so a loss of the very last 100 ms is the one loss that a single machine cannot see.
//! 5. **A log begins with the first frame, or behind a frame that every part's snapshot holds.** Trimming says so in the
//!    same write that removes the frames; a log that begins later than it says is refused.
//! 6. **One writer.** A second process is refused by a file lock; an older handle of a shard by its epoch.
//!
//! # A stream, seen as its frames
//!
//! ```text
//!  LSN 1              LSN 2              LSN 3
//! ┌──────────────┐   ┌──────────────┐   ┌──────────────┐
//! │ epoch 1      │   │ epoch 1      │   │ epoch 2      │◀─ raised by each opening
//! │ clock 10:00  │   │ clock 10:00  │   │ clock 10:07  │◀─ never falls
//! │ previous 0   │◀┐ │ previous ────┼─┐ │ previous ────┼─▶ the hash of all of frame 2
//! │ payload      │ └─┼─ of frame 1  │ └▶│ payload      │
//! │ CRC32C       │   │ CRC32C       │   │ CRC32C       │
//! └──────────────┘   └──────────────┘   └──────────────┘
//! ```
//!
//! # Reading order
//!
//! `ids`, `frame` (the bytes of one), `chain` (what makes them a sequence), `log` and `snapshot` (the traits), then the two
//! places they are kept: `rocks` (with `directory`, `acknowledged` and `snapshot_files` beside it) and `memory`. [`backup`] copies logs away, and `rocks` builds directories of
//! what was copied.

mod acknowledged;
pub mod backup;
mod bytes;
mod chain;
mod directory;
mod disk;
mod error;
mod frame;
mod identity;
mod ids;
mod log;
mod memory;
mod rocks;
mod settings;
mod snapshot;
mod snapshot_files;

pub use chain::Tail;
pub use directory::{DIRECTORY_FORMAT, SHARDS_MAX};
pub use error::LogError;
pub use frame::{FRAME_VERSION, Frame, FrameError, FrameHash, PAYLOAD_BYTES_MAX};
pub use identity::DirectoryId;
pub use ids::{Lsn, ShardEpoch, ShardId};
pub use log::{EncodedVisit, Log, ReplayStop};
pub use memory::{Crash, Failure, MemoryLog, MemoryStore};
pub use rocks::{Held, NewDirectory, ReadOnlyStore, RocksLog, RocksStore, TornTail, Writer, append_both};
pub use settings::{Durability, StoreOptions};
pub use snapshot::{LogStart, PartId, SnapshotId, SnapshotStore, Snapshots};
