//! The ways in which the threads of many shards can share the fsyncs of a RocksDB: the one that Usher takes and those
//! that it does not, each as small as it can be.
//!
//! All of them write the same frames under the same options to databases of their own. They panic when a write fails:
//! there is nothing to measure then.

use std::{
    path::Path,
    thread::{self, JoinHandle},
};

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::{Condvar, Mutex};
use rocksdb::{DB, Options, WriteBatch, WriteOptions};

/// A way to make a shard's frame durable. `append` returns once it is.
pub trait Committer: Send + Sync {
    /// Writes a frame under a key of its own and waits for the fsync.
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]);
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Each shard writes for itself; RocksDB's write groups share the fsync.
    Own,
    /// Whoever finds no leader becomes it and writes the frames of all who wait, in so many log groups.
    Leader(u32),
    /// A thread writes the frames of all who wait, in so many log groups.
    Thread(u32),
    /// Usher's own store, whatever it does.
    Store,
}

impl Way {
    /// Opens what it needs for so many shards below `dir`.
    #[must_use]
    pub fn open(self, dir: &Path, shards: u32) -> Box<dyn Committer> {
        match self {
            Self::Store => Box::new(Store::create(dir, shards)),
            Self::Own => Box::new(open(dir, 0)),
            Self::Leader(groups) => {
                Box::new((0..groups).map(|group| Leader::new(open(dir, group))).collect::<Vec<_>>())
            }
            Self::Thread(groups) => {
                Box::new((0..groups).map(|group| Dedicated::new(open(dir, group))).collect::<Vec<_>>())
            }
        }
    }
}

/// With the options of the log that matter to a write.
fn open(dir: &Path, group: u32) -> DB {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_write_buffer_size(64 * 1024 * 1024);
    options.set_compression_type(rocksdb::DBCompressionType::None);
    let protection = "memtable_protection_bytes_per_key=8;block_protection_bytes_per_key=8";
    let options = options.get_options_from_string(protection).expect("options that RocksDB knows");
    DB::open(&options, dir.join(group.to_string())).expect("a database")
}

fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

fn key(shard: u32, lsn: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&shard.to_be_bytes());
    key[4..].copy_from_slice(&lsn.to_be_bytes());
    key
}

impl Committer for DB {
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]) {
        self.put_opt(key(shard, lsn), frame, &synced()).expect("a write");
    }
}

/// Log groups: a shard belongs to one of them.
impl<C: Committer> Committer for Vec<C> {
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]) {
        self[shard as usize % self.len()].append(shard, lsn, frame);
    }
}

/// Combining: the frames that come while a group is written are the next group, and one of their threads writes it.
struct Leader {
    db: DB,
    waiting: Mutex<Waiting>,
    /// By the parity of a group's number, so that nobody is woken for a group that is not his.
    turns: [Condvar; 2],
}

#[derive(Default)]
struct Waiting {
    batch: WriteBatch,
    /// The number of the group that `batch` will be.
    group: u64,
    /// Every group below it is durable.
    durable: u64,
    /// Whether a group is being written.
    led: bool,
}

impl Leader {
    fn new(db: DB) -> Self {
        Self { db, waiting: Mutex::default(), turns: [Condvar::new(), Condvar::new()] }
    }

    fn turn(&self, group: u64) -> &Condvar {
        &self.turns[usize::from(group % 2 == 1)]
    }
}

impl Committer for Leader {
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]) {
        let mut waiting = self.waiting.lock();
        waiting.batch.put(key(shard, lsn), frame);
        let group = waiting.group;
        while waiting.led {
            self.turn(group).wait(&mut waiting);
            if waiting.durable > group {
                return;
            }
        }
        waiting.led = true;
        waiting.group += 1;
        let batch = std::mem::take(&mut waiting.batch);
        drop(waiting);
        self.db.write_opt(batch, &synced()).expect("a write");
        let mut waiting = self.waiting.lock();
        (waiting.led, waiting.durable) = (false, group + 1);
        drop(waiting);
        self.turn(group).notify_all();
        self.turn(group + 1).notify_one();
    }
}

/// A frame on its way to the thread, with where its shard waits.
struct Ordered {
    key: [u8; 12],
    frame: Box<[u8]>,
    durable: Sender<()>,
}

/// One thread that writes for all. It ends when the last sender has gone.
struct Dedicated {
    orders: Option<Sender<Ordered>>,
    thread: Option<JoinHandle<()>>,
}

impl Dedicated {
    fn new(db: DB) -> Self {
        let (orders, ordered) = unbounded();
        let thread = thread::spawn(move || Self::write(&db, &ordered));
        Self { orders: Some(orders), thread: Some(thread) }
    }

    fn write(db: &DB, ordered: &Receiver<Ordered>) {
        let mut waiting = Vec::new();
        while let Ok(first) = ordered.recv() {
            let mut batch = WriteBatch::default();
            for order in std::iter::once(first).chain(ordered.try_iter()) {
                batch.put(order.key, &order.frame);
                waiting.push(order.durable);
            }
            db.write_opt(batch, &synced()).expect("a write");
            waiting.drain(..).for_each(|durable| durable.send(()).expect("the shard waits"));
        }
    }
}

impl Committer for Dedicated {
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]) {
        let (durable, written) = bounded(1);
        let order = Ordered { key: key(shard, lsn), frame: frame.into(), durable };
        self.orders.as_ref().expect("it was not dropped").send(order).expect("the thread runs");
        written.recv().expect("the thread runs");
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        drop(self.orders.take());
        // If it panicked, its message was printed, and every shard that waited for it has panicked too.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// The store as the process has it: each shard's log is behind a lock that nobody else asks for.
struct Store(Vec<Mutex<usher_wal::RocksLog>>);

impl Store {
    fn create(dir: &Path, shards: u32) -> Self {
        let shards = shards.try_into().expect("at least one shard");
        let store = usher_wal::RocksStore::open(dir, shards).expect("a store");
        let open = |shard| Mutex::new(store.log(usher_wal::ShardId(shard)).expect("a log"));
        let logs = (0..shards.get()).map(open).collect();
        Self(logs)
    }
}

impl Committer for Store {
    fn append(&self, shard: u32, lsn: u64, frame: &[u8]) {
        usher_wal::Log::append(&mut *self.0[shard as usize].lock(), lsn, frame).expect("an append");
    }
}
