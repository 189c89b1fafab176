//! The acknowledged watermark: for each shard an LSN that is known to have been acknowledged, in a file of its own.
//!
//! It exists because a log that was cut at a frame's boundary looks whole, to RocksDB and to the chain: only something
//! that the cut did not touch can tell. It does not know the log; its owner publishes to it and asks it.
//!
//! A shard has two slots of 64 bytes, written in turn, so that a write torn by a power cut leaves the other one. Slots of
//! shard `s` begin at byte `128 * s`; the one with the higher sequence counts. All numbers are little-endian.
//!
//! ```text
//! byte 0        4         8           16        24             32       60          64
//!      ├────────┼─────────┼───────────┼─────────┼──────────────┼────────┼───────────┤
//!      │ "USHA" │shard u32│ epoch u64 │ LSN u64 │ sequence u64 │ zeros  │ CRC32C u32│
//!      └────────┴─────────┴───────────┴─────────┴──────────────┴────────┴───────────┘
//! ```

use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crc32c::crc32c;
use parking_lot::Mutex;

use crate::bytes::{take, take_u32, take_u64};
use crate::directory::{replace_synced, write_synced};
use crate::{LogError, Lsn, ShardEpoch, ShardId};

/// Between two writes. With the sync itself the file stays within the promised 100 ms of the log.
const WRITE_INTERVAL: Duration = Duration::from_millis(50);
const SLOT_BYTES: usize = 64;
const MAGIC: [u8; 4] = *b"USHA";

/// The last acknowledged frame of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) epoch: ShardEpoch,
    pub(crate) lsn: Lsn,
}

impl Position {
    /// Nothing acknowledged yet.
    pub(crate) const NONE: Position = Position { epoch: ShardEpoch::ZERO, lsn: Lsn::ZERO };

    /// Refuses a log of `shard` that ends at `recovered`, below this position.
    ///
    /// # Errors
    /// [`LogError::AcknowledgedLost`].
    pub(crate) fn check_reached(self, shard: ShardId, recovered: Lsn) -> Result<(), LogError> {
        if recovered < self.lsn {
            return Err(LogError::AcknowledgedLost { shard, recovered, acknowledged: self.lsn });
        }
        Ok(())
    }
}

/// The watermark of an open store, with the thread that writes it. Dropping it writes what is left and ends the thread.
pub(crate) struct Acknowledged {
    shared: Arc<Shared>,
    /// Nothing is ever sent: dropping it is the signal.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the shards' threads and the writing thread both see.
struct Shared {
    path: PathBuf,
    /// By shard. Published before an append returns, written a little later.
    positions: Box<[Mutex<Position>]>,
    /// Why the last write failed; `None` once one has succeeded.
    failure: Mutex<Option<Arc<io::Error>>>,
}

/// Creates the file for a new data directory, whose logs are empty.
///
/// # Errors
/// [`LogError::Io`].
pub(crate) fn create(path: &Path, shards: NonZeroU32) -> Result<(), LogError> {
    create_at(path, (0..shards.get()).map(|_| Position::NONE))
}

/// Creates the file for a data directory whose logs have these tails, by shard.
///
/// # Errors
/// [`LogError::Io`].
pub(crate) fn create_at(path: &Path, positions: impl Iterator<Item = Position>) -> Result<(), LogError> {
    write_synced(path, &slots(0, positions))
}

/// Gives the file slots for more shards than `before`, whose logs are empty. What it said of those before, it says.
///
/// # Errors
/// As [`read`], and [`LogError::Io`].
pub(crate) fn extend(path: &Path, before: NonZeroU32, shards: NonZeroU32) -> Result<(), LogError> {
    read_slots(path, before)?;
    let mut bytes = fs::read(path).map_err(LogError::io(path))?;
    bytes.truncate(before.get() as usize * 2 * SLOT_BYTES);
    bytes.extend(slots(before.get(), (before.get()..shards.get()).map(|_| Position::NONE)));
    replace_synced(path, &path.with_extension("new"), &bytes)
}

/// Both slots of a shard are valid from the start, so that an unreadable one always means damage.
fn slots(first: u32, positions: impl Iterator<Item = Position>) -> Vec<u8> {
    let both = |(shard, position)| [0, 1].map(|sequence| Slot { position, sequence }.encode(ShardId(shard)));
    (first..).zip(positions).flat_map(both).flatten().collect()
}

/// Reads the position of every shard, also while another process writes them.
///
/// # Errors
/// [`LogError::WatermarkUnreadable`] when neither slot of a shard is valid, [`LogError::Io`].
pub(crate) fn read(path: &Path, shards: NonZeroU32) -> Result<Vec<Position>, LogError> {
    Ok(read_slots(path, shards)?.iter().map(|slot| slot.position).collect())
}

impl Acknowledged {
    /// Reads the file and starts the thread that keeps it up to date.
    ///
    /// # Errors
    /// Those of [`read`].
    pub(crate) fn open(path: &Path, shards: NonZeroU32) -> Result<Acknowledged, LogError> {
        let written = read_slots(path, shards)?;
        let file = OpenOptions::new().write(true).open(path).map_err(LogError::io(path))?;
        let positions = written.iter().map(|slot| Mutex::new(slot.position)).collect();
        let shared = Arc::new(Shared { path: path.to_owned(), positions, failure: Mutex::new(None) });
        let writer = Writer { shared: Arc::clone(&shared), file, written };
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("usher-watermark".to_owned());
        let thread = thread.spawn(move || writer.run(&stopped)).map_err(LogError::io(path))?;
        Ok(Acknowledged { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The last acknowledged frame of a shard, at once, before the file has it.
    pub(crate) fn position(&self, shard: ShardId) -> Position {
        self.shared.positions.get(shard.index()).map_or(Position::NONE, |position| *position.lock())
    }

    /// Notes a frame that answers may rest on: its append is about to return `Ok`, or a replay found it.
    pub(crate) fn publish(&self, shard: ShardId, position: Position) {
        if let Some(published) = self.shared.positions.get(shard.index()) {
            *published.lock() = position;
        }
    }

    /// Refuses while the file cannot be written.
    ///
    /// # Errors
    /// [`LogError::WatermarkStalled`]. Writing is retried, so a later call may succeed.
    pub(crate) fn check_writable(&self) -> Result<(), LogError> {
        match &*self.shared.failure.lock() {
            Some(source) => {
                Err(LogError::WatermarkStalled { path: self.shared.path.clone(), source: Arc::clone(source) })
            }
            None => Ok(()),
        }
    }

    /// Writes what is left and ends the thread.
    ///
    /// # Errors
    /// [`LogError::WatermarkStalled`] when that could not be written.
    pub(crate) fn close(&mut self) -> Result<(), LogError> {
        self.stop();
        self.check_writable()
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread does not panic; if it did, the file is merely older than it could be, which is safe.
            drop(thread.join());
        }
    }
}

impl Drop for Acknowledged {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The writing thread's own: the file and what is durable in it.
struct Writer {
    shared: Arc<Shared>,
    file: File,
    written: Vec<Slot>,
}

impl Writer {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let stop = stopped.recv_timeout(WRITE_INTERVAL) == Err(RecvTimeoutError::Disconnected);
            let failure = self.write_changed().err().map(Arc::new);
            *self.shared.failure.lock() = failure;
            if stop {
                return;
            }
        }
    }

    /// Writes the positions that have moved and syncs them together.
    fn write_changed(&mut self) -> io::Result<()> {
        let mut changed = Vec::new();
        for ((index, position), written) in self.shared.positions.iter().enumerate().zip(&self.written) {
            let position = *position.lock();
            if position != written.position {
                changed.push((index, Slot { position, sequence: written.sequence + 1 }));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        for (index, slot) in &changed {
            slot.write_at(&self.file, *index)?;
        }
        self.file.sync_data()?;
        // Only now: after a failed write or sync the same slots are written again, never the ones that are durable.
        for (index, slot) in changed {
            self.written[index] = slot;
        }
        Ok(())
    }
}

/// One slot's content.
#[derive(Clone, Copy)]
struct Slot {
    position: Position,
    sequence: u64,
}

impl Slot {
    fn encode(self, shard: ShardId) -> [u8; SLOT_BYTES] {
        let mut slot = [0; SLOT_BYTES];
        slot[0..4].copy_from_slice(&MAGIC);
        slot[4..8].copy_from_slice(&shard.0.to_le_bytes());
        slot[8..16].copy_from_slice(&self.position.epoch.0.to_le_bytes());
        slot[16..24].copy_from_slice(&self.position.lsn.0.to_le_bytes());
        slot[24..32].copy_from_slice(&self.sequence.to_le_bytes());
        let checksum = crc32c(&slot[..60]);
        slot[60..].copy_from_slice(&checksum.to_le_bytes());
        slot
    }

    /// `None` unless these are the bytes of a slot of `shard`.
    fn decode(shard: ShardId, bytes: &[u8]) -> Option<Slot> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        let mut rest = body;
        let ours = take(&mut rest)? == MAGIC && take_u32(&mut rest)? == shard.0;
        let epoch = ShardEpoch(take_u64(&mut rest)?);
        let lsn = Lsn(take_u64(&mut rest)?);
        let sequence = take_u64(&mut rest)?;
        let whole = u32::from_le_bytes(*checksum) == crc32c(body);
        (ours && whole).then_some(Slot { position: Position { epoch, lsn }, sequence })
    }

    /// Slots are written in turn: an even sequence goes to the first one, an odd one to the second.
    fn write_at(self, file: &File, index: usize) -> io::Result<()> {
        let shard = u32::try_from(index).map_err(io::Error::other)?;
        let slot = u64::from(shard) * 2 + self.sequence % 2;
        file.write_all_at(&self.encode(ShardId(shard)), slot * 64)
    }
}

/// The slot that counts, of each shard.
fn read_slots(path: &Path, shards: NonZeroU32) -> Result<Vec<Slot>, LogError> {
    let bytes = fs::read(path).map_err(LogError::io(path))?;
    let pairs = bytes.chunks(2 * SLOT_BYTES).chain(std::iter::repeat(&[][..]));
    let read_pair = |(shard, pair): (ShardId, &[u8])| {
        let slots = pair.chunks(SLOT_BYTES).filter_map(|slot| Slot::decode(shard, slot));
        let newest = slots.max_by_key(|slot| slot.sequence);
        newest.ok_or_else(|| LogError::WatermarkUnreadable { path: path.to_owned(), shard })
    };
    (0..shards.get()).map(ShardId).zip(pairs).map(read_pair).collect()
}

#[cfg(test)]
mod tests;
