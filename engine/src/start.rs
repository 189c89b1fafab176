//! Starts the shards of a process, each on its own thread, and ends them.
//!
//! It opens no log and reads no clock: both are given to it.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

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
}

impl Shards {
    /// Starts `count` shards and returns when each of them serves or has failed; they recover in parallel. The
    /// observer is told of both.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        count: u32,
        open_log: OpenLog,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        observer: Observer,
    ) -> std::io::Result<Self> {
        let catalog = Arc::new(Catalog::default());
        let (settled, settles) = mpsc::channel();
        let mut handles = Vec::new();
        let mut threads = Vec::new();
        for shard in (0..count).map(ShardId) {
            let (open_log, observer) = (Arc::clone(&open_log), watch(&catalog, &observer, settled.clone()));
            let (handle, thread) =
                ShardHandle::spawn(shard, move || open_log(shard), Arc::clone(&clock), options, observer)?;
            handles.push(handle);
            threads.push(thread);
        }
        for _ in 0..count {
            // The senders live as long as the threads, and each sends when it serves or has failed.
            let _ = settles.recv();
        }
        Ok(Self { router: Router::new(handles, catalog), threads })
    }

    /// The way to the shards.
    #[must_use]
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Answers what waits and ends every shard. Tells for each what it ended with.
    pub fn stop(self) -> Vec<(ShardId, Result<StopReport, Fault>)> {
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
        for (thread, (_, report)) in self.threads.into_iter().zip(&reports) {
            // A shard that did not take the order may be waiting for its disk for ever.
            if report.is_ok() {
                let _ = thread.join();
            }
        }
        reports
    }
}

/// Notes the shows of a shard that recovered, tells the process, and tells the start that it need not wait any more.
fn watch(catalog: &Arc<Catalog>, observer: &Observer, settled: mpsc::Sender<()>) -> Observer {
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
