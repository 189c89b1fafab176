//! The process that appends until it dies, seen from both sides: what it does, and the test's handle of it.
//!
//! It writes nothing to standard output but receipts, each once its frame is acknowledged. It knows nothing of what will
//! happen to it.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, BufReader, Read as _, Seek as _},
    os::fd::AsFd,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use usher_wal::{
    Durability, Log as _, LogError, LogStart, Lsn, PartId, RocksLog, RocksStore, ShardId, SnapshotId, StoreOptions,
    backup::BackupError,
};

use crate::{
    keeping::back_up_and_restore,
    receipts::{Receipt, Receipts, open, recover, to_bytes},
};

/// Shards of every data directory of these tests.
pub const SHARDS: u32 = 4;
/// Frames that each shard gets in each half of a script: 200 in all.
pub const SCRIPT_FRAMES: usize = 25;
/// Of those, how many it is from one snapshot to the next.
const FRAMES_PER_SNAPSHOT: usize = 5;
/// Between two tries to recover.
const RECOVERY_WAIT: Duration = Duration::from_millis(20);
/// The largest frames of a load: much of one is unsynced at any moment.
const LARGE_FRAME_BYTES: usize = 512 * 1024;
/// The exit code of a script that could not recover.
pub const GAVE_UP: i32 = 3;

/// Appends from a thread for each shard, mostly little, now and then much, and takes snapshots, until `until` or the first
/// failure. Then it stays as it is, with the log open, until it is killed.
///
/// # Errors
/// Why the log does not open.
pub fn load(dir: &Path, seed: u64, until: Instant, durability: Durability) -> Result<Infallible, LogError> {
    let shards = SHARDS.try_into().expect("some shards");
    let store = RocksStore::open_with(dir, shards, StoreOptions { durability, ..StoreOptions::default() })?;
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

/// Creates the directory, appends, takes snapshots, trims, closes it, makes a backup and restores it elsewhere, opens it
/// again and does the same once more, always the same; recovers from failures of its log as a shard does, for as long as it
/// has `patience`.
///
/// # Errors
/// What it could not recover from.
pub fn script(dir: &Path, patience: Duration) -> Result<(), BackupError> {
    half(dir, 0, patience)?;
    back_up_and_restore(dir)?;
    half(dir, 1, patience)?;
    back_up_and_restore(dir)
}

/// From one opening of the directory to its closing, all from one thread.
fn half(dir: &Path, seed: u64, patience: Duration) -> Result<(), LogError> {
    let store = open(dir)?;
    let writers = (0..SHARDS).map(|shard| Writer::open(&store, ShardId(shard)));
    let mut writers = writers.collect::<Result<Vec<_>, _>>()?;
    let mut rng = StdRng::seed_from_u64(seed);
    for frame in 1..=SCRIPT_FRAMES {
        for writer in &mut writers {
            let bytes = if frame == 2 { 50_000 } else { 200 };
            if writer.append(&mut rng, bytes).is_err() {
                writer.recover_again(patience)?;
            }
            if frame.is_multiple_of(FRAMES_PER_SNAPSHOT) {
                // The log keeps everything if it fails.
                let _ = writer.take_snapshot();
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

    fn recover_again(&mut self, patience: Duration) -> Result<(), LogError> {
        let failed_at = Instant::now();
        while let Err(error) = self.log.reopen().and_then(|()| self.recover()) {
            if failed_at.elapsed() >= patience {
                return Err(error);
            }
            thread::sleep(RECOVERY_WAIT);
        }
        Ok(())
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
            let bytes = if rng.random_bool(0.8) {
                rng.random_range(1..2_000)
            } else {
                rng.random_range(1_024..LARGE_FRAME_BYTES)
            };
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

/// The command of [`script`], by the program that a test was built with.
#[must_use]
pub fn script_command(program: &str, dir: &Path, patience: Duration) -> Command {
    let mut command = Command::new(program);
    command.arg("script").arg(dir).arg(patience.as_millis().to_string());
    command
}

/// Runs a script to its end, and notes what it had acknowledged.
///
/// # Errors
/// What it could not recover from.
///
/// # Panics
/// When it ended in any other way; with `what` was done to it.
pub fn run(command: &mut Command, receipts: &mut Receipts, what: &str) -> Result<(), String> {
    Appender::start(command).finish(receipts, what)
}

/// As [`run`], when the trouble is over: now it must get through.
///
/// # Panics
/// When it does not; with `what` was done before.
pub fn run_again(command: &mut Command, receipts: &mut Receipts, what: &str) {
    let again = run(command, receipts, what);
    again.unwrap_or_else(|words| panic!("{what}, and later it does not get through: {words}"));
}

/// A running appender. Dropping it kills it.
pub struct Appender {
    child: Child,
    receipts: Arc<Mutex<Vec<Receipt>>>,
    reader: Option<JoinHandle<()>>,
    /// What it says besides.
    words: File,
}

impl Appender {
    /// Starts a command whose standard output is receipts.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Appender {
        let words = tempfile::tempfile().unwrap();
        let said = words.try_clone().unwrap();
        let forking = crate::FORKS.write();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        drop(forking);
        let mut pipe = BufReader::new(child.stdout.take().unwrap());
        let receipts = Arc::<Mutex<Vec<Receipt>>>::default();
        let shared = Arc::clone(&receipts);
        let reader = thread::spawn(move || {
            while let Some(receipt) = Receipt::read(&mut pipe) {
                shared.lock().push(receipt);
            }
        });
        Appender { child, receipts, reader: Some(reader), words }
    }

    /// How many receipts it has handed over so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.receipts.lock().len()
    }

    /// Whether it has come to its own end.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it, wherever it is, and returns what it had acknowledged.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) -> Vec<Receipt> {
        self.child.kill().unwrap();
        self.end().1
    }

    /// As [`run`], of a script that was started.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn finish(mut self, receipts: &mut Receipts, what: &str) -> Result<(), String> {
        let (status, acknowledged) = self.end();
        receipts.note(acknowledged);
        let mut words = String::new();
        self.words.rewind().and_then(|()| self.words.read_to_string(&mut words)).unwrap();
        assert!(status.success() || status.code() == Some(GAVE_UP), "{what}: {status}; {words}");
        if status.success() { Ok(()) } else { Err(words) }
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
