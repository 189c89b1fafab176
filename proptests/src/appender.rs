//! The process that appends until it dies, seen from both sides: what it does, and the test's handle of it.
//!
//! It writes nothing to standard output but receipts, each once its frame is acknowledged. It knows nothing of what will
//! happen to it.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, BufReader},
    os::fd::AsFd,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use usher_wal::{Log as _, LogError, LogStart, Lsn, PartId, RocksLog, RocksStore, ShardId, SnapshotId};

use crate::receipts::{Receipt, Receipts, open, recover, to_bytes};

/// Shards of every data directory of these tests.
pub const SHARDS: u32 = 4;
/// Frames that each shard gets in each half of a script.
const SCRIPT_FRAMES: usize = 6;
/// How often a script tries to recover from one failure.
const RECOVERIES_MAX: usize = 3;
/// The exit code of a script that could not recover.
pub const GAVE_UP: i32 = 3;

/// Appends from a thread for each shard, mostly little, now and then much, and takes snapshots, until `until` or the first
/// failure. Then it stays as it is, with the log open, until it is killed.
///
/// # Errors
/// Why the log does not open.
pub fn load(dir: &Path, seed: u64, until: Instant) -> Result<Infallible, LogError> {
    let store = open(dir)?;
    let writers = (0..SHARDS).map(|shard| Writer::open(&store, ShardId(shard))).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        for writer in writers {
            scope.spawn(move || writer.write_until(seed, until));
        }
    });
    loop {
        thread::park();
    }
}

/// Creates the directory, appends, takes snapshots, trims, closes it, opens it again and does the same once more, all
/// from one thread and always the same; recovers from failures as a shard does.
///
/// # Errors
/// What it could not recover from.
pub fn script(dir: &Path) -> Result<(), LogError> {
    for half in 0..2 {
        let store = open(dir)?;
        let writers = (0..SHARDS).map(|shard| Writer::open(&store, ShardId(shard)));
        let mut writers = writers.collect::<Result<Vec<_>, _>>()?;
        let mut rng = StdRng::seed_from_u64(half);
        for frame in 0..SCRIPT_FRAMES {
            for writer in &mut writers {
                let bytes = if frame == 1 { 50_000 } else { 200 };
                if writer.append(&mut rng, bytes).is_err() {
                    writer.recover_again()?;
                }
                if frame % 3 == 2 {
                    // The log keeps everything if it fails.
                    let _ = writer.take_snapshot();
                }
            }
        }
    }
    Ok(())
}

/// One shard's log, its state, and the way to whoever wants receipts. The state is what was appended: the hash of each
/// payload, by LSN.
struct Writer {
    log: RocksLog,
    state: Vec<u64>,
    pipe: File,
}

impl Writer {
    fn open(store: &Arc<RocksStore>, shard: ShardId) -> Result<Writer, LogError> {
        let mut writer = Writer { log: store.log(shard)?, state: Vec::new(), pipe: receipts_pipe() };
        writer.recover()?;
        Ok(writer)
    }

    /// Snapshot and log; answers may rest on what they show.
    fn recover(&mut self) -> Result<(), LogError> {
        self.state = recover(&mut self.log)?;
        for (lsn, hash) in (1..).map(Lsn).zip(&self.state) {
            self.hand_over(Receipt { shard: self.log.shard(), lsn, hash: *hash });
        }
        Ok(())
    }

    fn recover_again(&mut self) -> Result<(), LogError> {
        for _ in 1..RECOVERIES_MAX {
            if self.log.reopen().and_then(|()| self.recover()).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.log.reopen().and_then(|()| self.recover())
    }

    /// Appends random bytes, and hands over the receipt once they are acknowledged.
    fn append(&mut self, rng: &mut StdRng, bytes: usize) -> Result<(), LogError> {
        let mut payload = vec![0; bytes];
        rng.fill_bytes(&mut payload);
        let lsn = self.log.append(self.log.tail().clock_ms + 1, &payload)?;
        let receipt = Receipt::of(self.log.shard(), lsn, &payload);
        self.hand_over(receipt);
        self.state.push(receipt.hash);
        Ok(())
    }

    /// Takes one at the log's end, then lets the snapshot before it stand for the frames up to it.
    fn take_snapshot(&mut self) -> Result<(), LogError> {
        let (snapshots, id) = (self.log.snapshots(), SnapshotId { part: PartId(0), lsn: self.log.tail().lsn });
        let older = snapshots.list()?;
        snapshots.put(id, &to_bytes(&self.state))?;
        let Some((newest, rest)) = older.split_last() else { return Ok(()) };
        snapshots.trim_log(&LogStart { lsn: newest.lsn, snapshots: vec![*newest] })?;
        rest.iter().try_for_each(|oldest| snapshots.remove(*oldest))
    }

    fn write_until(mut self, seed: u64, until: Instant) {
        let mut rng = StdRng::seed_from_u64(seed ^ u64::from(self.log.shard().0) << 32);
        while Instant::now() < until {
            let bytes =
                if rng.random_bool(0.8) { rng.random_range(1..2_000) } else { rng.random_range(1_024..262_144) };
            let snapshot = rng.random_bool(0.1);
            if self.append(&mut rng, bytes).is_err() || snapshot && self.take_snapshot().is_err() {
                return;
            }
        }
    }

    fn hand_over(&self, receipt: Receipt) {
        receipt.write(&self.pipe).expect("the test reads receipts to the end");
    }
}

/// Standard output without its buffer: a receipt is out, or was never given.
fn receipts_pipe() -> File {
    File::from(io::stdout().as_fd().try_clone_to_owned().expect("standard output is open"))
}

/// Runs a script to its end, which may be that it gave up, and notes what it had acknowledged. Returns whether it got
/// through.
///
/// # Panics
/// When it ended in any other way; with `what` was done to it.
pub fn run(command: &mut Command, receipts: &mut Receipts, what: &str) -> bool {
    let (status, acknowledged) = Appender::start(command).wait();
    receipts.note(acknowledged);
    assert!(status.success() || status.code() == Some(GAVE_UP), "{what}: {status}");
    status.success()
}

/// A running appender. Dropping it kills it.
pub struct Appender {
    child: Child,
    receipts: Arc<Mutex<Vec<Receipt>>>,
    reader: Option<JoinHandle<()>>,
}

impl Appender {
    /// Starts a command whose standard output is receipts.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Appender {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut pipe = BufReader::new(child.stdout.take().unwrap());
        let receipts = Arc::<Mutex<Vec<Receipt>>>::default();
        let shared = Arc::clone(&receipts);
        let reader = thread::spawn(move || {
            while let Some(receipt) = Receipt::read(&mut pipe) {
                shared.lock().push(receipt);
            }
        });
        Appender { child, receipts, reader: Some(reader) }
    }

    /// Kills it, wherever it is, and returns what it had acknowledged.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) -> Vec<Receipt> {
        self.child.kill().unwrap();
        self.end().1
    }

    /// Waits for its own end and returns how it ended and what it had acknowledged.
    #[must_use]
    pub fn wait(mut self) -> (ExitStatus, Vec<Receipt>) {
        self.end()
    }

    fn end(&mut self) -> (ExitStatus, Vec<Receipt>) {
        let status = self.child.wait().unwrap();
        self.reader.take().into_iter().for_each(|reader| reader.join().unwrap());
        (status, std::mem::take(&mut *self.receipts.lock()))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        if self.reader.is_some() {
            // It may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
