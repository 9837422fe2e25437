//! How many connections there are, altogether and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use encl::gate::answering::Place;

/// Connections altogether, and from one address.
const CONNECTIONS_MAX: usize = 500;
const CONNECTIONS_OF_PLACE: usize = 20;

/// Where connections come from.
pub(crate) struct Places {
    proxies: Vec<IpAddr>,
    open: Mutex<HashMap<Place, usize>>,
}

/// A connection that counts as long as it is there.
pub(crate) struct Connection {
    places: Arc<Places>,
    place: Place,
    /// Whether a reverse proxy is at the other end, which names those who ask.
    is_proxy: bool,
}

impl Places {
    pub(crate) fn new(proxies: Vec<IpAddr>) -> Self {
        Self {
            proxies,
            open: Mutex::default(),
        }
    }

    /// Counts a connection; `None` if there are too many.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Connection> {
        let place = Place::from(address);
        // A neighbour in its network is not the proxy.
        let same = |proxy: &IpAddr| proxy.to_canonical() == address.to_canonical();
        let is_proxy = self.proxies.iter().any(same);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&place).copied().unwrap_or(0);
        if all >= CONNECTIONS_MAX || (own >= CONNECTIONS_OF_PLACE && !is_proxy) {
            return None;
        }
        open.insert(place, own + 1);
        Some(Connection {
            places: Arc::clone(self),
            place,
            is_proxy,
        })
    }
}

impl Connection {
    /// Where a request comes from. `forwarded` is what a proxy says of it: the last address is the one that the proxy saw.
    pub(crate) fn place(&self, forwarded: Option<&str>) -> Place {
        let last = forwarded.and_then(|list| list.rsplit(',').next());
        let address = last.and_then(|last| last.trim().parse::<IpAddr>().ok());
        address
            .filter(|_| self.is_proxy)
            .map_or(self.place, Place::from)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self
            .places
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.place) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// An IPv6 network counts as one place, but only one address of it is the proxy.
    #[test]
    fn a_neighbour_of_the_proxy_is_not_believed() {
        let places = Arc::new(Places::new(vec![
            address("2001:db8::1"),
            address("192.0.2.1"),
        ]));
        let place_of = |from: &str| {
            let connection = places.enter(address(from)).unwrap();
            connection.place(Some("203.0.113.9, 198.51.100.7"))
        };
        let named = Place::from(address("198.51.100.7"));
        assert_eq!(place_of("2001:db8::1"), named);
        assert_eq!(place_of("192.0.2.1"), named);
        assert_eq!(place_of("::ffff:192.0.2.1"), named);
        for other in ["2001:db8::2", "2001:db8::1:0:0:1", "192.0.2.2"] {
            assert_eq!(place_of(other), Place::from(address(other)), "{other}");
        }
    }
}
