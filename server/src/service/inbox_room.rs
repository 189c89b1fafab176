//! Room in the inboxes of shards, for sessions: whoever finds none waits for it, in the order in which he came.
//!
//! What a session has with a shard counts until it is answered, not only until it is taken: while a shard decides what sessions
//! sent, its inbox has as much room for single calls.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use usher_engine::{
    router::Router,
    shard::{Priority, ShardHandle},
    time::Clock as _,
};

use crate::clock::WallClock;

/// Of every shard, in the order of their ids.
#[derive(Clone)]
pub(super) struct InboxRoom(Arc<[Arc<Semaphore>]>);

impl InboxRoom {
    /// As much as their inboxes take of those who only want something.
    pub(super) fn of(router: &Router) -> Self {
        let room = |shard: &ShardHandle| Arc::new(Semaphore::new(room_in(shard)));
        Self(router.shards().iter().map(room).collect())
    }

    /// Takes room for so many commands if nobody else waits for it.
    pub(super) fn try_take(&self, shard: &ShardHandle, commands: usize) -> Option<OwnedSemaphorePermit> {
        let (room, commands) = self.place(shard, commands);
        room.try_acquire_many_owned(commands).ok()
    }

    /// Waits for it, until then by [`Clock::elapsed`](usher_engine::time::Clock::elapsed). It keeps its place in the line for as
    /// long as it is not dropped.
    pub(super) fn take(
        &self,
        shard: &ShardHandle,
        commands: usize,
        until: Duration,
    ) -> impl Future<Output = Option<OwnedSemaphorePermit>> + use<> {
        let (room, commands) = self.place(shard, commands);
        async move {
            let left = until.saturating_sub(WallClock.elapsed());
            tokio::time::timeout(left, room.acquire_many_owned(commands)).await.ok()?.ok()
        }
    }

    /// An empty inbox takes any one request, however large.
    fn place(&self, shard: &ShardHandle, commands: usize) -> (Arc<Semaphore>, u32) {
        let commands = commands.min(room_in(shard));
        (Arc::clone(&self.0[shard.shard().0 as usize]), u32::try_from(commands).unwrap_or(u32::MAX))
    }
}

/// As much as whoever only wants something may fill.
fn room_in(shard: &ShardHandle) -> usize {
    Priority::Claim.inbox_max(shard.inbox_commands_max())
}
