//! Starts the shards of a process, each on its own thread, and ends them.
//!
//! It opens no log and reads no clock: both are given to it.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam::channel::{Receiver, Sender, after, select, unbounded};
use usher_wal::{Log, LogError, ShardId};

use crate::{
    router::{Catalog, Router},
    shard::{Fault, Notice, Observer, Request, ShardHandle, ShardOptions, StopReport},
    time::Clock,
};

/// Opens the log of one shard, on that shard's thread.
pub type OpenLog = Arc<dyn Fn(ShardId) -> Result<Box<dyn Log>, LogError> + Send + Sync>;

/// The running shards.
pub struct Shards {
    router: Router,
    threads: Vec<JoinHandle<()>>,
    /// A shard serves, or has failed.
    settles: Receiver<()>,
}

impl Shards {
    /// Starts `count` shards and returns when each of them serves or has failed.
    ///
    /// # Errors
    /// As [`Self::spawn`].
    pub fn start(
        count: u32,
        open_log: OpenLog,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        observer: Observer,
    ) -> std::io::Result<Self> {
        let shards = Self::spawn(count, open_log, clock, options, observer)?;
        // The senders live as long as the threads, and each sends when it serves or has failed.
        shards.settles.iter().take(count as usize).for_each(drop);
        Ok(shards)
    }

    /// Starts `count` shards, which recover in parallel; each answers as soon as it has. The observer is told of it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        count: u32,
        open_log: OpenLog,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        observer: Observer,
    ) -> std::io::Result<Self> {
        let catalog = Arc::new(Catalog::default());
        let (settled, settles) = unbounded();
        let mut handles = Vec::new();
        let mut threads = Vec::new();
        for shard in (0..count).map(ShardId) {
            let (open_log, observer) = (Arc::clone(&open_log), watch(&catalog, &observer, settled.clone()));
            let (handle, thread) =
                ShardHandle::spawn(shard, move || open_log(shard), Arc::clone(&clock), options, observer)?;
            handles.push(handle);
            threads.push(thread);
        }
        Ok(Self { router: Router::new(handles, catalog), threads, settles })
    }

    /// Waits until every shard answers or has failed; after `patience` it is enough that one answers. Returns whether one
    /// does; all have failed otherwise.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> bool {
        let answers = || self.router.shards().iter().any(|shard| shard.status().has_recovered());
        let (mut settled, mut is_patient, over) = (0, true, after(patience));
        while settled < self.threads.len() && (is_patient || !answers()) {
            select! {
                recv(self.settles) -> _ => settled += 1,
                recv(over) -> _ => is_patient = false,
            }
        }
        answers()
    }

    /// The way to the shards.
    #[must_use]
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Answers what waits and ends every shard. Tells for each what it ended with.
    pub fn stop(mut self) -> Vec<(ShardId, Result<StopReport, Fault>)> {
        self.end()
    }

    fn end(&mut self) -> Vec<(ShardId, Result<StopReport, Fault>)> {
        let (sender, reports) = mpsc::channel();
        for handle in self.router.shards() {
            let (sender, shard) = (sender.clone(), handle.shard());
            // The receiver outlives the wait below.
            handle.submit(Request::Stop(Box::new(move |report| {
                let _ = sender.send((shard, report));
            })));
        }
        drop(sender);
        let mut reports: Vec<_> = reports.into_iter().collect();
        reports.sort_by_key(|(shard, _)| *shard);
        for (thread, (_, report)) in self.threads.drain(..).zip(&reports) {
            // A shard that did not take the order may be waiting for its disk for ever.
            if report.is_ok() {
                let _ = thread.join();
            }
        }
        reports
    }
}

impl Drop for Shards {
    /// A process must not end while they write.
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.end();
        }
    }
}

/// Notes the shows of a shard that recovered, tells the process, and tells the start that it need not wait any more.
fn watch(catalog: &Arc<Catalog>, observer: &Observer, settled: Sender<()>) -> Observer {
    let (catalog, observer) = (Arc::clone(catalog), Arc::clone(observer));
    Arc::new(move |shard, notice| {
        let settles = matches!(notice, Notice::Serving | Notice::Failed(_));
        match &notice {
            Notice::Recovered(recovered) => recovered.shows.iter().for_each(|show| drop(catalog.insert(shard, show))),
            Notice::ShowChanged(show) => drop(catalog.insert(shard, show)),
            _ => {}
        }
        observer(shard, notice);
        if settles {
            // Nobody listens after the start.
            let _ = settled.send(());
        }
    })
}
