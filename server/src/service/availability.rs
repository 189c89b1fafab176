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
    ids::ShowNumber,
    inventory::{manifest::Manifest, seat_bitmap::SeatBitmap, seat_map::SeatMap},
    router::{Router, ShowEntry},
    shard::{Request as ShardRequest, ShardHandle},
};
use usher_proto::v1::{self, availability_server::Availability};
use usher_wal::ShardId;

use super::ask;
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
        let map = take_map(shard, &show).await?;
        *last = Some((Instant::now(), map.clone()));
        if map.version < request.min_version {
            return Err(Refusal::version_not_reached(map.version));
        }
        Ok(map)
    }
}

async fn take_map(shard: &ShardHandle, show: &ShowEntry) -> Result<v1::GetSeatMapResponse, Refusal> {
    let number = show.number;
    let map = ask(|reply| shard.submit(ShardRequest::SeatMap { show: number, reply })).await?;
    Ok(to_wire(&map, &show.manifest))
}

fn to_wire(map: &SeatMap, manifest: &Manifest) -> v1::GetSeatMapResponse {
    let seats = manifest.seats();
    let (available, sold) = (map.available.count(), map.sold.count());
    let mut counts = v1::Counts { available, held: seats - available - sold, sold };
    let ga = map.ga.iter().map(|ga| {
        counts.available += ga.available;
        counts.held += ga.held;
        counts.sold += ga.sold;
        let counts = v1::Counts { available: ga.available, held: ga.held, sold: ga.sold };
        v1::GaCounts { section: manifest.section_name(ga.section).to_owned(), counts: Some(counts) }
    });
    let ga = ga.collect();
    let every = SeatBitmap::full(seats);
    let words = |bitmap: &SeatBitmap| bitmap.words().to_vec();
    let held = every.words().iter().zip(map.available.words()).zip(map.sold.words());
    v1::GetSeatMapResponse {
        version: map.version,
        as_of_ms: map.as_of.0,
        seats,
        available: bytes(words(&map.available), seats),
        held: bytes(held.map(|((every, available), sold)| every & !available & !sold).collect(), seats),
        sold: bytes(words(&map.sold), seats),
        ga,
        counts: Some(counts),
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
