//! A sale that goes on for as long as a test wants: every seat of four large shows, one after the other, held and sold.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::task::JoinHandle;
use usher_proto::v1;

use super::{Clients, WAIT_MAX, now_ms, process::Process, wire};

pub(crate) const SHOWS: [&str; 4] = ["gala", "circus", "opera", "final"];
const SEATS: u32 = 100_000;

/// A sale that goes on until it is told to end.
pub(crate) struct Sale {
    /// Sold and answered so far.
    sold: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Sale {
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let mut clients = Clients::connect(address).await;
        for show in SHOWS {
            clients.shows.create_show(wire::hall(show, SEATS, 0)).await.unwrap();
        }
        let (sold, is_over) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
        let task = tokio::spawn(sell(clients, Arc::clone(&sold), Arc::clone(&is_over)));
        Self { sold, is_over, task }
    }

    pub(crate) fn sold(&self) -> u32 {
        self.sold.load(Ordering::SeqCst)
    }

    pub(crate) async fn wait_for(&self, sold: u32) {
        let enough = async {
            while self.sold() < sold {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, enough).await.unwrap();
    }

    pub(crate) async fn end(self) -> u32 {
        self.is_over.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        self.sold.load(Ordering::SeqCst)
    }
}

async fn sell(mut clients: Clients, sold: Arc<AtomicU32>, is_over: Arc<AtomicBool>) {
    for seat in 0..SEATS {
        for show in SHOWS {
            let (hold_id, buyer) = (u128::from(seat) + 1, format!("buyer-{seat}"));
            clients.inventory.hold_seats(wire::hold(show, hold_id, &buyer, wire::seats(&[seat]))).await.unwrap();
            let order = format!("{show}-{seat}");
            clients.inventory.confirm_hold(wire::confirm(show, hold_id, &buyer, &order)).await.unwrap();
            sold.fetch_add(1, Ordering::SeqCst);
        }
        if is_over.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// A new server on the directory has so many sales, and a newer one, too.
pub(crate) async fn assert_sold(data: &Path, shards: u32, sold: u32) {
    for _ in 0..2 {
        let (mut server, address) = Process::serve(data, shards);
        let mut clients = Clients::connect(address).await;
        let mut found = 0;
        for show in SHOWS {
            let request = v1::GetSeatMapRequest { show_id: show.to_owned(), min_version: 0 };
            let map = clients.availability.get_seat_map(request).await.unwrap().into_inner();
            assert!(map.as_of_ms <= now_ms());
            found += map.sold.iter().map(|byte| byte.count_ones()).sum::<u32>();
        }
        assert_eq!(found, sold);
        server.terminate();
        assert!(server.wait().success());
    }
}
