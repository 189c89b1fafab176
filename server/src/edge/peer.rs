//! The other side of a connection, as far as the connection tells: it goes with each of its requests.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use super::places::{Place, Places};

/// The other side.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Known>);

struct Known {
    address: SocketAddr,
    /// DNS names and URIs in the certificate that it showed.
    names: Vec<String>,
    /// Callers who were known on this connection.
    callers: Mutex<Vec<Place<String>>>,
    /// A call of a caller was let in.
    is_used: AtomicBool,
    _place: Place<IpAddr>,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, names: Vec<String>, place: Place<IpAddr>) -> Self {
        Self(Arc::new(Known {
            address,
            names,
            callers: Mutex::default(),
            is_used: AtomicBool::new(false),
            _place: place,
        }))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0.names
    }

    /// A caller's call was let in.
    pub(crate) fn note_call(&self) {
        // Looked at first: calls on other threads share the line.
        if !self.is_used() {
            self.0.is_used.store(true, Relaxed);
        }
    }

    /// Whether one ever was.
    pub(super) fn is_used(&self) -> bool {
        self.0.is_used.load(Relaxed)
    }

    /// Counts this connection as one of a caller's, once. False where he has too many.
    pub(crate) fn is_counted(&self, places: &Arc<Places<String>>, caller: &str) -> bool {
        let mut callers = self.0.callers.lock();
        if callers.iter().any(|place| place.of() == caller) {
            return true;
        }
        let place = places.take(caller.to_owned());
        let is_counted = place.is_some();
        callers.extend(place);
        is_counted
    }
}
