//! What the tests of the server share: the server as a process or within the test, clients of it, requests, and
//! refusals as data.
//!
//! It asserts nothing about what the server says; that is each test's business.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![allow(dead_code, reason = "each test uses another part")]

pub(crate) mod callers;
pub(crate) mod http;
pub(crate) mod local;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod refusal;
pub(crate) mod sale;
pub(crate) mod twin;
pub(crate) mod wire;

use std::{
    io::Write as _,
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tonic::transport::{Channel, Endpoint};
use usher_proto::v1::{
    availability_client::AvailabilityClient, groups_client::GroupsClient, inventory_client::InventoryClient,
    shows_client::ShowsClient,
};

/// Longest wait for anything that must come: far beyond what a slow machine needs.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// One connection and the clients on it.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) inventory: InventoryClient<Channel>,
    pub(crate) shows: ShowsClient<Channel>,
    pub(crate) groups: GroupsClient<Channel>,
    pub(crate) availability: AvailabilityClient<Channel>,
}

impl Clients {
    /// Connects to a server that listens.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let endpoint = endpoint.connect_timeout(WAIT_MAX).timeout(WAIT_MAX).tcp_nodelay(true);
        let channel = endpoint.connect().await.unwrap();
        Self {
            address,
            inventory: InventoryClient::new(channel.clone()),
            shows: ShowsClient::new(channel.clone()),
            groups: GroupsClient::new(channel.clone()),
            availability: AvailabilityClient::new(channel.clone()),
            channel,
        }
    }
}

/// The wall clock, as the server on the same machine reads it.
pub(crate) fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since_epoch.as_millis()).unwrap()
}

/// The number in an environment variable, or the default.
pub(crate) fn number_from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// A new directory in memory where there is such a place: for processes that die there, not machines.
pub(crate) fn fast_directory() -> tempfile::TempDir {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }.unwrap()
}

/// Says that a test did not run, and why; also where the output of tests that pass is swallowed.
pub(crate) fn skipped(why: &str) {
    // Nobody to tell is no failure of the test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
