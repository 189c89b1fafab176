//! Clients that mean harm: each is cut off or refused, takes little, and an honest client beside it is served.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/slow.rs"]
mod slow;

use std::{net::SocketAddr, time::Duration};

use common::{
    Clients,
    process::{Process, serve_command},
    wire,
};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Tests that measure run alone; the others run together.
static ALONE: RwLock<()> = RwLock::const_new(());

/// A server of its own, whose memory is nobody else's.
struct Victim {
    process: Process,
    address: SocketAddr,
    _data: TempDir,
    _turn: Turn,
}

enum Turn {
    Together(#[expect(dead_code, reason = "it is held")] RwLockReadGuard<'static, ()>),
    Alone(#[expect(dead_code, reason = "it is held")] RwLockWriteGuard<'static, ()>),
}

impl Victim {
    /// With these settings beside the usual ones.
    async fn start(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, Turn::Together(ALONE.read().await)).await
    }

    /// The same, with nobody else on the machine, as far as it is up to us.
    async fn alone(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, Turn::Alone(ALONE.write().await)).await
    }

    async fn with(settings: &[(&str, &str)], turn: Turn) -> Self {
        let data = common::fast_directory();
        let mut command = serve_command(data.path(), 1);
        command.envs(settings.iter().copied());
        let process = Process::spawn(command);
        let address = process.address();
        let victim = Self { process, address, _data: data, _turn: turn };
        let mut clients = Clients::connect(address).await;
        clients.shows.create_show(wire::hall("show", 1_000, 0)).await.unwrap();
        victim
    }

    /// Its resident memory, in bytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
    }

    /// That it still serves honest clients.
    async fn serves(&self) {
        let mut clients = Clients::connect(self.address).await;
        let status = clients.inventory.get_hold(wire::get("show", 99)).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::NotFound, "{status:?}");
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// What comes until the other side ends it, within a time.
async fn until_closed(stream: &mut TcpStream, within: Duration) -> Vec<u8> {
    let mut bytes = vec![0; 65_536];
    let mut last = Vec::new();
    let read = async {
        loop {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(count) => last = bytes[..count].to_vec(),
            }
        }
    };
    assert!(tokio::time::timeout(within, read).await.is_ok(), "still open after {within:?}");
    last
}
