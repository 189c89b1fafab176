//! How many connections there are, of whom: each takes a place and gives it back when it ends.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Places, so many in all and so many for each one of whom they are.
pub(crate) struct Places<K> {
    taken: Mutex<Taken<K>>,
}

struct Taken<K> {
    max: u32,
    each_max: u32,
    all: u32,
    by: HashMap<K, u32>,
}

/// A place that is taken for as long as this lives.
pub(crate) struct Place<K: Eq + Hash> {
    of: K,
    places: Arc<Places<K>>,
}

impl<K: Eq + Hash + Clone> Places<K> {
    pub(crate) fn new(max: u32, each_max: u32) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::new(Taken { max, each_max, all: 0, by: HashMap::new() }) })
    }

    /// From now on there are so many. Who has one beyond that keeps it.
    pub(crate) fn limit(&self, max: u32, each_max: u32) {
        let mut taken = self.taken.lock();
        (taken.max, taken.each_max) = (max, each_max);
    }

    /// A place, if there is one.
    pub(crate) fn take(self: &Arc<Self>, of: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock();
        let own = taken.by.get(&of).copied().unwrap_or(0);
        if taken.all >= taken.max || own >= taken.each_max {
            return None;
        }
        taken.all += 1;
        taken.by.insert(of.clone(), own + 1);
        Some(Place { of, places: Arc::clone(self) })
    }
}

impl<K: Eq + Hash> Place<K> {
    pub(crate) fn of(&self) -> &K {
        &self.of
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.all -= 1;
        if let Some(own) = taken.by.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                taken.by.remove(&self.of);
            }
        }
    }
}

/// As connections are counted: whoever has one IPv6 address has the 2^64 of its network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_place_beyond_either_limit_and_one_that_is_given_back_is_there_again() {
        let places = Places::new(3, 2);
        let (one, _two) = (places.take("a"), places.take("a"));
        assert!(one.is_some() && places.take("a").is_none());
        let _b = places.take("b").unwrap();
        assert!(places.take("c").is_none(), "three in all");
        drop(one);
        assert!(places.take("c").is_some());
        places.limit(2, 1);
        assert!(places.take("d").is_none(), "two are left, none more is there");
        places.limit(9, 1);
        assert!(places.take("d").is_some() && places.take("a").is_none());
        assert_eq!(places.taken.lock().by.len(), 2, "who is gone is forgotten");
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
