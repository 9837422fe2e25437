//! How often something may happen: so many times at once, and so many a minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Budgets of one kind. Over so many, full ones are forgotten, and then all: a budget that is forgotten is a full one.
const KNOWN_MAX: usize = 65_536;

/// A budget for each id or place: it is spent, and fills again within a minute.
#[derive(Debug)]
pub struct Budget<K> {
    a_minute: f64,
    left: HashMap<K, (f64, Instant)>,
}

impl<K: Eq + Hash> Budget<K> {
    /// So many at once, and so many a minute.
    #[must_use]
    pub fn new(a_minute: u32) -> Self {
        Self {
            a_minute: f64::from(a_minute),
            left: HashMap::new(),
        }
    }

    /// Spends `cost` of a budget if there is as much in it.
    pub fn spend(&mut self, key: K, cost: u32, now: Instant) -> bool {
        let left = self.left(&key, now);
        let cost = f64::from(cost);
        let is_enough = left >= cost;
        if is_enough {
            self.set(key, left - cost, now);
        }
        is_enough
    }

    /// Spends `cost` of a budget, or what is in it.
    pub fn charge(&mut self, key: K, cost: u32, now: Instant) {
        let left = self.left(&key, now) - f64::from(cost);
        self.set(key, left.max(0.0), now);
    }

    fn left(&self, key: &K, now: Instant) -> f64 {
        let Some((left, at)) = self.left.get(key) else {
            return self.a_minute;
        };
        self.filled(*left, now.saturating_duration_since(*at))
    }

    fn filled(&self, left: f64, passed: Duration) -> f64 {
        (left + passed.as_secs_f64() / 60.0 * self.a_minute).min(self.a_minute)
    }

    fn set(&mut self, key: K, left: f64, now: Instant) {
        if self.left.len() >= KNOWN_MAX {
            let a_minute = Duration::from_mins(1);
            self.left
                .retain(|_, (_, at)| now.saturating_duration_since(*at) < a_minute);
            if self.left.len() >= KNOWN_MAX {
                self.left.clear();
            }
        }
        self.left.insert(key, (left, now));
    }
}

/// Where a connection comes from, as far as limits tell places apart: an IPv4 address, or the 64 bits of an IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(IpAddr);

impl From<IpAddr> for Place {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                Self(Ipv6Addr::from_bits(network).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_fills_again() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut budget = Budget::new(60);
        for _ in 0..60 {
            assert!(budget.spend("bob", 1, begin));
        }
        assert!(!budget.spend("bob", 1, begin));
        assert!(budget.spend("carol", 60, begin), "each has an own one");
        assert!(budget.spend("bob", 5, after(5)) && !budget.spend("bob", 1, after(5)));
        budget.charge("bob", 100, after(10));
        assert!(!budget.spend("bob", 1, after(10)) && budget.spend("bob", 1, after(11)));
        assert!(
            !budget.spend("bob", 61, after(9_999)),
            "never more than a minute's"
        );
        // A clock that steps back gives nothing.
        assert!(budget.spend("bob", 60, after(9_999)) && !budget.spend("bob", 1, begin));
    }

    #[test]
    fn many_places_do_not_fill_the_memory() {
        let mut budget = Budget::new(1);
        let now = Instant::now();
        for place in 0..3 * KNOWN_MAX {
            assert!(budget.spend(place, 1, now));
            assert!(budget.left.len() <= KNOWN_MAX);
        }
    }

    #[test]
    fn a_place_is_an_address_or_a_network() {
        let place = |text: &str| Place::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(place("2001:db8::1"), place("2001:db8:0:0:ffff::2"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
        assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
    }
}
