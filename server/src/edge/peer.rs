//! The other side of a connection, as far as the connection tells: it goes with each of its requests.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
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
    _place: Place<IpAddr>,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, names: Vec<String>, place: Place<IpAddr>) -> Self {
        Self(Arc::new(Known { address, names, callers: Mutex::default(), _place: place }))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0.names
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
