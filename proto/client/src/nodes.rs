//! At which server a show is asked: at home, the one that the client was made for, until a server says where the show is now.
//!
//! That is remembered for a while, and forgotten as soon as the other server cannot be asked: home knows better then.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::RwLock;
use tokio::time::Instant;

use crate::{Error, Options, node::Node};

/// How long it is remembered where a show is.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Servers that are known at once, beside home.
const NODES_MAX: usize = 64;
/// Shows that are remembered at once.
const SHOWS_MAX: usize = 65_536;

/// The servers of a client.
#[derive(Debug)]
pub(crate) struct Nodes {
    home: Arc<Node>,
    home_address: Box<str>,
    options: Options,
    away: RwLock<Away>,
}

#[derive(Debug, Default)]
struct Away {
    nodes: HashMap<Box<str>, Arc<Node>>,
    /// Where a show is, and until when that is believed.
    shows: HashMap<Box<str>, (Box<str>, Instant)>,
}

impl Nodes {
    pub(crate) fn new(home: &str, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            home: Node::open(home, options)?,
            home_address: home.into(),
            options: options.clone(),
            away: RwLock::default(),
        })
    }

    pub(crate) fn home(&self) -> &Node {
        &self.home
    }

    /// Whom to ask about a show.
    pub(crate) fn of(&self, show_id: &str) -> Arc<Node> {
        let away = self.away.read();
        let found = away.shows.get(show_id).filter(|(_, until)| Instant::now() < *until);
        found.and_then(|(address, _)| away.nodes.get(address)).unwrap_or(&self.home).clone()
    }

    /// A server said that a show is there. Whether that is an address.
    pub(crate) fn moved(&self, show_id: &str, address: &str) -> bool {
        // Nobody is led from TLS into the open, with the key in his hand.
        if self.home_address.starts_with("https:") && !address.starts_with("https:") {
            return false;
        }
        let mut away = self.away.write();
        if address == &*self.home_address {
            away.shows.remove(show_id);
            return true;
        }
        if away.nodes.len() >= NODES_MAX || away.shows.len() >= SHOWS_MAX {
            // They are told again.
            *away = Away::default();
        }
        if !away.nodes.contains_key(address) {
            let Ok(node) = Node::open(address, &self.options) else { return false };
            away.nodes.insert(address.into(), node);
        }
        away.shows.insert(show_id.into(), (address.into(), Instant::now() + REMEMBERED));
        true
    }

    /// The show is asked for at home again.
    pub(crate) fn forget(&self, show_id: &str) {
        if self.away.read().shows.contains_key(show_id) {
            self.away.write().shows.remove(show_id);
        }
    }
}
