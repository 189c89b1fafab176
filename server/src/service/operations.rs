//! `usher.v1.Operations`: what whoever runs a server asks of its shards.

use std::{collections::BTreeSet, sync::Arc};

use tonic::{Request, Response, Status};
use usher_engine::{
    router::Router,
    shard::{Request as ShardRequest, ShardHandle, SnapshotReport},
};
use usher_proto::v1::{self, operations_server::Operations, shard_snapshots::Outcome};

use super::{
    Draining, ask,
    status::{self, StatusStream},
};
use crate::{metrics::Sources, status::Refusal};

/// The service.
pub struct OperationsService {
    router: Router,
    sources: Arc<Sources>,
    draining: Draining,
}

impl OperationsService {
    /// Over the shards of this process.
    #[must_use]
    pub(crate) fn new(router: Router, sources: Arc<Sources>, draining: Draining) -> Self {
        Self { router, sources, draining }
    }

    /// The shards of these numbers, each once; all if there is none.
    fn shards(&self, numbers: &[u32]) -> Result<Vec<ShardHandle>, Refusal> {
        let shards = self.router.shards();
        let unknown = numbers.iter().position(|number| *number as usize >= shards.len());
        if let Some(position) = unknown {
            let there_are = format!("there are shards 0 to {}, is {}", shards.len() - 1, numbers[position]);
            return Err(Refusal::wrong(&format!("shards[{position}]"), there_are));
        }
        if numbers.is_empty() {
            return Ok(shards.to_vec());
        }
        let numbers: BTreeSet<usize> = numbers.iter().map(|number| *number as usize).collect();
        Ok(numbers.into_iter().map(|number| shards[number].clone()).collect())
    }
}

#[tonic::async_trait]
impl Operations for OperationsService {
    async fn take_snapshots(
        &self,
        request: Request<v1::TakeSnapshotsRequest>,
    ) -> Result<Response<v1::TakeSnapshotsResponse>, Status> {
        let asked = self.shards(&request.get_ref().shards).map_err(Refusal::into_status)?;
        // All at once: each shard has its own thread for it.
        let running: Vec<_> = asked.into_iter().map(|shard| tokio::spawn(take_snapshots(shard))).collect();
        let mut shards = Vec::with_capacity(running.len());
        for running in running {
            shards.push(running.await.map_err(|_| Refusal::internal("taking snapshots was broken off").into_status())?);
        }
        Ok(Response::new(v1::TakeSnapshotsResponse { shards }))
    }

    type WatchStatusStream = StatusStream;

    async fn watch_status(
        &self,
        request: Request<v1::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let watched = status::watch(&self.sources, request.get_ref(), self.draining.clone());
        watched.map(Response::new).map_err(Refusal::into_status)
    }
}

async fn take_snapshots(shard: ShardHandle) -> v1::ShardSnapshots {
    let outcome = match ask(|reply| shard.submit(ShardRequest::Snapshot(reply))).await {
        Ok(report) => Outcome::Taken(taken(report)),
        Err(refusal) => Outcome::Rejection(refusal.into_rejection()),
    };
    v1::ShardSnapshots { shard: shard.shard().0, outcome: Some(outcome) }
}

fn taken(report: SnapshotReport) -> v1::SnapshotsTaken {
    let SnapshotReport { lsn, shows, bytes, log_start, .. } = report;
    v1::SnapshotsTaken { lsn: lsn.0, shows, bytes, log_start_lsn: log_start.0 }
}
