//! The numbers of a running server, for Prometheus ([`expose`]) and for `usher top` (`service::status`).
//!
//! Whoever counts has his place in an array before he begins: nothing is looked up for a command, and no lock is taken. A
//! shard's numbers come once a turn ([`shard`]), a call's once a call ([`calls`]); what can be asked is asked when somebody
//! wants to know ([`process`]). No label has more values than the code has names for, and none is a caller's word.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use histogram::{Histogram, TIMES};
use usher_engine::shard::Notice;
use usher_wal::ShardId;

pub(crate) mod calls;
mod expose;
pub(crate) mod histogram;
pub(crate) mod process;
mod serve;
pub(crate) mod shard;
mod text;

pub(crate) use expose::Sources;
pub(crate) use serve::door;

/// The numbers of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) calls: calls::Calls,
    pub(crate) shards: Vec<shard::OfShard>,
    pub(crate) connections: Connections,
    /// How long what comes in waits until the thread that serves it looks at it.
    pub(crate) edge_delay: Histogram,
}

/// Of its connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub(crate) taken: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) tls_failed: AtomicU64,
}

/// A connection, for as long as this lives.
pub(crate) struct Open(Arc<Metrics>);

impl Open {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.taken.fetch_add(1, Relaxed);
        Self(Arc::clone(metrics))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.ended.fetch_add(1, Relaxed);
    }
}

impl Connections {
    /// How many there are.
    pub(crate) fn now(&self) -> u64 {
        let ended = self.ended.load(Relaxed);
        self.taken.load(Relaxed).saturating_sub(ended)
    }

    /// One ended before it began.
    pub(crate) fn note_tls_failure(&self) {
        self.tls_failed.fetch_add(1, Relaxed);
    }
}

impl Metrics {
    /// Of a server with so many shards.
    pub(crate) fn new(shards: u32) -> Arc<Self> {
        process::begun();
        let shards = (0..shards).map(|_| shard::OfShard::new()).collect();
        let edge_delay = Histogram::new(TIMES);
        Arc::new(Self { calls: calls::Calls::new(), shards, connections: Connections::default(), edge_delay })
    }

    /// Takes in what a shard says. Called on its threads.
    pub(crate) fn note(&self, shard: ShardId, notice: &Notice) {
        if let Some(own) = self.shards.get(shard.0 as usize) {
            own.note(notice);
        }
    }
}
