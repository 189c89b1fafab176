//! `usher.v1.Availability`: what is free, for readers.
//!
//! Readers do not burden the shard: one copy of a show's map is taken at most every 50 ms while someone looks, and all
//! readers of that time share it. Whoever must see his own write names its version.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tonic::{Request, Response, Status};
use usher_engine::{
    ids::{ShowId, ShowNumber},
    inventory::{manifest::Manifest, seat_bitmap::SeatBitmap, seat_map::SeatMap},
    router::{Router, ShowEntry},
    shard::{Request as ShardRequest, ShardHandle},
};
use usher_proto::v1::{self, availability_server::Availability};
use usher_wal::ShardId;

use super::{ask, newest, submit};
use crate::{convert, status::Refusal};

/// How old an answer may be.
const MAP_AGE_MAX: Duration = Duration::from_millis(50);

/// The last map of a show. Whoever holds the lock is asking the shard for the next one.
type Cell = Arc<tokio::sync::Mutex<Option<(Instant, v1::GetSeatMapResponse)>>>;

/// The service.
pub struct AvailabilityService {
    router: Router,
    /// As many as there are shows that were looked at.
    cells: Mutex<BTreeMap<(ShardId, ShowNumber), Cell>>,
}

impl AvailabilityService {
    /// Over the shards of this process.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, cells: Mutex::default() }
    }

    async fn seat_map(&self, request: &v1::GetSeatMapRequest) -> Result<v1::GetSeatMapResponse, Refusal> {
        let id = convert::show_id(&request.show_id)?;
        let (show, shard) = self.router.find(&id).map_err(|why| Refusal::show_not_found(&request.show_id, why))?;
        let cell = Arc::clone(self.cells.lock().entry((show.shard, show.number)).or_default());
        let mut last = cell.lock().await;
        if let Some((taken, map)) = &*last
            && taken.elapsed() <= MAP_AGE_MAX
            && map.version >= request.min_version
        {
            return Ok(map.clone());
        }
        let map = self.take_map(shard, &id, show).await?;
        *last = Some((Instant::now(), map.clone()));
        if map.version < request.min_version {
            return Err(Refusal::version_not_reached(map.version));
        }
        Ok(map)
    }

    /// Asks the shard, and once more if the manifest changed meanwhile: a map is read with the manifest it is about.
    async fn take_map(
        &self,
        shard: &ShardHandle,
        id: &ShowId,
        show: Arc<ShowEntry>,
    ) -> Result<v1::GetSeatMapResponse, Refusal> {
        let mut show = show;
        // It ends: a show's manifest changes a bounded number of times.
        loop {
            let number = show.number;
            let map = ask(|reply| submit(shard, ShardRequest::SeatMap { show: number, reply })).await?;
            show = newest(&self.router, id, show);
            if show.manifest_version == map.manifest_version {
                return Ok(to_wire(&map, &show.manifest));
            }
        }
    }
}

fn to_wire(map: &SeatMap, manifest: &Manifest) -> v1::GetSeatMapResponse {
    let seats = manifest.seats();
    let none = SeatBitmap::empty(seats);
    let (blocked, retired) = (map.blocked.as_ref().unwrap_or(&none), map.retired.as_ref().unwrap_or(&none));
    let every = SeatBitmap::full(seats);
    let others = [&map.available, &map.sold, blocked, retired];
    let held = (0..).zip(every.words()).map(|(word, every)| {
        others.iter().fold(*every, |held, other| held & !other.words().get(word).copied().unwrap_or(0))
    });
    let held: Vec<u64> = held.collect();
    let mut counts = v1::Counts {
        available: map.available_at_once,
        held: held.iter().map(|word| word.count_ones()).sum(),
        sold: map.sold.count(),
        blocked: blocked.count(),
    };
    let ga = map.ga.iter().map(|ga| {
        let own = v1::Counts { available: ga.available, held: ga.held, sold: ga.sold, blocked: ga.blocked };
        counts.held += own.held;
        counts.sold += own.sold;
        counts.blocked += own.blocked;
        let section = manifest.section_name(ga.section).to_owned();
        let (capacity, taken) = (ga.capacity, ga.held + ga.sold);
        v1::GaCounts { section, counts: Some(own), over_committed: ga.over_committed, capacity, taken }
    });
    let ga = ga.collect();
    let words = |bitmap: &SeatBitmap| bytes(bitmap.words().to_vec(), seats);
    let some = |bitmap: &Option<SeatBitmap>| {
        bitmap.as_ref().filter(|bitmap| bitmap.count() > 0).map(words).unwrap_or_default()
    };
    v1::GetSeatMapResponse {
        version: map.version,
        as_of_ms: map.as_of.0,
        seats,
        available: words(&map.available),
        held: bytes(held, seats),
        sold: words(&map.sold),
        blocked: some(&map.blocked),
        retired: some(&map.retired),
        ga,
        counts: Some(counts),
        manifest_version: map.manifest_version,
    }
}

/// One bit a seat, in as many bytes as that takes.
fn bytes(words: Vec<u64>, seats: u32) -> prost::bytes::Bytes {
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    bytes.truncate(seats.div_ceil(8) as usize);
    bytes.into()
}

#[tonic::async_trait]
impl Availability for AvailabilityService {
    async fn get_seat_map(
        &self,
        request: Request<v1::GetSeatMapRequest>,
    ) -> Result<Response<v1::GetSeatMapResponse>, Status> {
        self.seat_map(request.get_ref()).await.map(Response::new).map_err(Refusal::into_status)
    }
}
