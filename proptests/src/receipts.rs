//! What a log has acknowledged, kept outside of it, and whether a data directory still holds all of it.
//!
//! A receipt is an LSN with the hash of its payload. Whoever holds it may have told a buyer; so the frame must be there,
//! whatever happened to the process, the machine or the disk.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use usher_wal::{Log as _, LogError, Lsn, RocksLog, RocksStore, ShardId};
use xxhash_rust::xxh3::xxh3_64;

use crate::appender::SHARDS;

/// Bytes of a receipt on a pipe; so few are written whole or not at all.
const RECEIPT_BYTES: usize = 20;

/// One acknowledged frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose log.
    pub shard: ShardId,
    /// Where.
    pub lsn: Lsn,
    /// Of its payload.
    pub hash: u64,
}

impl Receipt {
    /// The receipt of a frame.
    #[must_use]
    pub fn of(shard: ShardId, lsn: Lsn, payload: &[u8]) -> Receipt {
        Receipt { shard, lsn, hash: xxh3_64(payload) }
    }

    /// Hands it over.
    ///
    /// # Errors
    /// When nobody takes it.
    pub fn write(self, mut pipe: impl Write) -> io::Result<()> {
        let mut bytes = [0; RECEIPT_BYTES];
        bytes[..4].copy_from_slice(&self.shard.0.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.lsn.0.to_le_bytes());
        bytes[12..].copy_from_slice(&self.hash.to_le_bytes());
        pipe.write_all(&bytes)
    }

    /// Takes the next one; `None` when the other side has ended.
    #[must_use]
    pub fn read(mut pipe: impl Read) -> Option<Receipt> {
        let (mut shard, mut lsn, mut hash) = ([0; 4], [0; 8], [0; 8]);
        pipe.read_exact(&mut shard).ok()?;
        pipe.read_exact(&mut lsn).ok()?;
        pipe.read_exact(&mut hash).ok()?;
        let (lsn, hash) = (Lsn(u64::from_le_bytes(lsn)), u64::from_le_bytes(hash));
        Some(Receipt { shard: ShardId(u32::from_le_bytes(shard)), lsn, hash })
    }
}

/// How a data directory stands to what was acknowledged from it.
#[derive(Debug)]
pub enum Verdict {
    /// Everything is there.
    Whole {
        /// Frames that are there beyond it, whose appends were never answered.
        unanswered: usize,
        /// Shards whose log begins behind its first frame: the rest is in snapshots.
        trimmed: usize,
    },
    /// It does not open, and says why.
    Refused(LogError),
    /// It opens as if all were well, and it is not: the one thing that must never be.
    Lost(String),
}

/// The receipts of one data directory.
#[derive(Debug, Default)]
pub struct Receipts {
    /// By shard, in the order of LSNs, the first one being 1: the hash of each payload.
    shards: [Vec<u64>; SHARDS as usize],
}

impl Receipts {
    /// Notes what was acknowledged, for the first time or again.
    ///
    /// # Panics
    /// When the same LSN was acknowledged with another payload, or one was left out.
    pub fn note(&mut self, receipts: impl IntoIterator<Item = Receipt>) {
        for Receipt { shard, lsn, hash } in receipts {
            let known = &mut self.shards[shard.0 as usize];
            let index = usize::try_from(lsn.0).unwrap() - 1;
            assert!(index <= known.len(), "shard {shard}: LSN {lsn} after LSN {}", known.len());
            match known.get(index) {
                Some(known) => assert_eq!(*known, hash, "shard {shard}: LSN {lsn} was acknowledged twice, and differs"),
                None => known.push(hash),
            }
        }
    }

    /// Notes all that a recovery has found in one shard's log: answers may rest on it.
    ///
    /// # Panics
    /// As [`Receipts::note`].
    pub fn found(&mut self, shard: ShardId, hashes: &[u64]) {
        self.note((1..).map(Lsn).zip(hashes).map(|(lsn, hash)| Receipt { shard, lsn, hash: *hash }));
    }

    /// How many frames were acknowledged.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.shards.iter().map(Vec::len).sum()
    }

    /// [`Receipts::check`] of a directory that must be whole.
    ///
    /// # Panics
    /// When it is not, with `what` had happened to it.
    pub fn assert_whole(&mut self, dir: &Path, what: &str) {
        match self.check(dir) {
            Verdict::Whole { .. } => {}
            other => panic!("{what}: {other:?}"),
        }
    }

    /// A directory that was restored from a backup, if it is there, has the first frames, at least so many of each shard.
    ///
    /// # Panics
    /// When it has not, with `what` had happened.
    pub fn assert_restored(&self, dir: &Path, frames_min: usize, what: &str) {
        if !dir.exists() {
            return;
        }
        let (found, _) = replay(dir).unwrap_or_else(|error| panic!("{what}, restored: {error}"));
        for (shard, (found, known)) in found.iter().zip(&self.shards).enumerate() {
            let (frames, shard) = (found.len(), format!("{what}, restored: shard {shard}"));
            assert!(frames >= frames_min.min(known.len()), "{shard} has {frames} of {} frames", known.len());
            assert!(known.starts_with(found), "{shard} has other frames");
        }
    }

    /// Opens the directory, replays all of it and compares. What it finds counts as acknowledged from now on, for
    /// answers may rest on it.
    pub fn check(&mut self, dir: &Path) -> Verdict {
        let (found, trimmed) = match replay(dir) {
            Ok(found) => found,
            Err(refused) => return Verdict::Refused(refused),
        };
        let mut unanswered = 0;
        for (shard, (found, known)) in found.iter().zip(&self.shards).enumerate() {
            if let Err(lost) = compare(found, known) {
                return Verdict::Lost(format!("shard {shard}: {lost}"));
            }
            unanswered += found.len() - known.len();
        }
        self.shards = found;
        Verdict::Whole { unanswered, trimmed }
    }
}

/// The hashes of a directory's payloads, by shard, and how many logs are trimmed.
fn replay(dir: &Path) -> Result<([Vec<u64>; SHARDS as usize], usize), LogError> {
    let _not_forking = crate::FORKS.read();
    let store = open(dir)?;
    let (mut found, mut trimmed) = ([const { Vec::new() }; SHARDS as usize], 0);
    for (shard, hashes) in (0..).map(ShardId).zip(&mut found) {
        let mut log = store.log(shard)?;
        *hashes = recover(&mut log)?;
        trimmed += usize::from(log.start()?.lsn > Lsn::ZERO);
    }
    Ok((found, trimmed))
}

/// Opens the directory as every process of these tests does.
///
/// # Errors
/// Those of the store.
pub fn open(dir: &Path) -> Result<Arc<RocksStore>, LogError> {
    RocksStore::open(dir, SHARDS.try_into().expect("some shards"))
}

/// The hash of each payload that a log ever got, by LSN: from its newest snapshot, and from the frames behind it.
///
/// # Errors
/// Those of the replay and of reading a snapshot.
///
/// # Panics
/// When snapshot and log do not fit together, which neither of them can tell.
pub fn recover(log: &mut RocksLog) -> Result<Vec<u64>, LogError> {
    let (shard, start, snapshots) = (log.shard(), log.start()?.lsn, log.snapshots());
    let newest = snapshots.list()?.pop();
    let mut hashes = newest.map_or(Ok(Vec::new()), |id| snapshots.read(id).map(|state| from_bytes(&state)))?;
    let snapshot = newest.map_or(Lsn::ZERO, |id| id.lsn);
    assert_eq!(hashes.len() as u64, snapshot.0, "shard {shard}: the snapshot is not that of its LSN");
    assert!(snapshot >= start, "shard {shard}: the log begins behind LSN {start}, the snapshot is of LSN {snapshot}");
    let tail = log.replay_from(Lsn::ZERO, &mut |frame| {
        let (index, hash) = (usize::try_from(frame.lsn.0).unwrap() - 1, xxh3_64(frame.payload));
        // The log says so too; but it is what is being tested.
        assert!(index <= hashes.len(), "shard {shard}: a hole before LSN {}", frame.lsn);
        match hashes.get(index) {
            Some(known) => assert_eq!(*known, hash, "shard {shard}: LSN {} is another in the snapshot", frame.lsn),
            None => hashes.push(hash),
        }
        Ok(())
    })?;
    if tail.lsn < snapshot {
        // As a shard's recovery refuses it.
        return Err(LogError::PastEnd { shard, from: snapshot });
    }
    assert_eq!(hashes.len() as u64, tail.lsn.0, "shard {shard}: neither snapshot nor log has them all");
    Ok(hashes)
}

/// A state as a snapshot's bytes.
#[must_use]
pub fn to_bytes(hashes: &[u64]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(|hash| u64::from_le_bytes(hash.try_into().unwrap())).collect()
}

fn compare(found: &[u64], known: &[u64]) -> Result<(), String> {
    if found.len() < known.len() {
        return Err(format!("ends at LSN {}, and LSN {} was acknowledged", found.len(), known.len()));
    }
    // A shard writes one frame at a time, so one at most was on its way.
    if found.len() > known.len() + 1 {
        return Err(format!("ends at LSN {}, and nothing after LSN {} was written", found.len(), known.len() + 1));
    }
    match found.iter().zip(known).position(|(found, known)| found != known) {
        Some(index) => Err(format!("LSN {} is another frame than the acknowledged one", index + 1)),
        None => Ok(()),
    }
}
