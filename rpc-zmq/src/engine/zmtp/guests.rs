//! Whose connections there are, and how many more may be. No I/O.
//!
//! A peer is an address until it has proved to own a key, and then that key.

use super::Options;
use rpc_core::exchange::{Account, Reasons};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// How many seconds' worth of handshakes may come at once.
const BURST: u32 = 4;

/// How many peers are remembered. Those that have no connection and did nothing for a while are forgotten first.
const REMEMBERED: usize = 16 * 1024;

/// Who is at the other end, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    V4(Ipv4Addr),
    /// The first half of an address: whoever has one of IPv6 has all that begin like it.
    V6(u64),
    /// All processes of this machine, over the loopback interface or a Unix socket.
    ThisMachine,
    /// Whoever has proved to own this key, wherever it is.
    Key([u8; 32]),
}

impl Origin {
    /// `None` is a Unix socket.
    pub(super) fn of(address: Option<SocketAddr>) -> Self {
        match address.map(|address| address.ip().to_canonical()) {
            None => Self::ThisMachine,
            Some(ip) if ip.is_loopback() => Self::ThisMachine,
            Some(IpAddr::V4(ip)) => Self::V4(ip),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }

    /// The least that whoever has many addresses has in common: a /24, or a /48 of IPv6, which anybody is given and which has 65,536
    /// of those halves.
    fn network(self) -> Self {
        match self {
            Self::V4(ip) => Self::V4(Ipv4Addr::from_bits(ip.to_bits() & !0xff)),
            Self::V6(half) => Self::V6(half & !0xffff),
            other => other,
        }
    }
}

/// Everybody who has a connection, or had one lately.
#[derive(Debug)]
pub(super) struct Guests {
    /// How many connections one may have.
    connections: usize,
    /// How many handshakes one may begin in a second, after the first few.
    handshakes: u32,
    known: HashMap<Origin, (Arc<Guest>, Bucket)>,
}

/// One of them.
#[derive(Debug)]
struct Guest {
    account: Arc<Account>,
    network: Origin,
    connections: AtomicUsize,
    pending: AtomicUsize,
    /// Why its handshakes failed, since one did not.
    refused: Mutex<Reasons>,
}

/// A connection of somebody.
#[derive(Debug)]
pub(super) struct Presence {
    guest: Arc<Guest>,
    pending: bool,
}

impl Presence {
    fn new(guest: Arc<Guest>) -> Self {
        guest.connections.fetch_add(1, Ordering::Relaxed);
        guest.pending.fetch_add(1, Ordering::Relaxed);
        Self {
            guest,
            pending: true,
        }
    }

    /// Its handshake is over.
    pub(super) fn settled(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.guest.pending.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.guest.account)
    }

    /// Its handshake failed. `true` if no other of the same peer did for this reason lately.
    pub(super) fn is_refused(&self, reason: &str) -> bool {
        let refused = self.guest.refused.lock();
        let mut refused = refused.unwrap_or_else(PoisonError::into_inner);
        refused.is_news(reason)
    }

    /// Its handshake succeeded: what fails from now on is news.
    pub(super) fn is_let_in(&self) {
        let refused = self.guest.refused.lock();
        *refused.unwrap_or_else(PoisonError::into_inner) = Reasons::default();
    }

    /// How to count the handshakes of whoever this is.
    pub(super) fn counter(&self) -> Pending {
        Pending(Arc::clone(&self.guest))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.settled();
        self.guest.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many handshakes somebody has begun.
#[derive(Debug)]
pub(super) struct Pending(Arc<Guest>);

impl Pending {
    pub(super) fn count(&self) -> usize {
        self.0.pending.load(Ordering::Relaxed)
    }
}

/// Which of these handshakes is given up for another: the oldest of whoever has begun most. If several have, which a crowd of addresses
/// with one handshake each makes of everybody, it is one of those whose network has begun most.
pub(super) fn first_to_go<'a>(shaking: impl Iterator<Item = &'a Pending> + Clone) -> Option<usize> {
    let mut networks: HashMap<Origin, usize> = HashMap::new();
    for pending in shaking.clone() {
        *networks.entry(pending.0.network).or_default() += 1;
    }
    let mut first = None;
    for (at, pending) in shaking.enumerate() {
        let crowd = (pending.count(), networks.get(&pending.0.network));
        if first.is_none_or(|(_, before)| crowd > before) {
            first = Some((at, crowd));
        }
    }
    first.map(|(at, _)| at)
}

impl Guests {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            connections: options.peer_connections,
            handshakes: options.handshakes,
            known: HashMap::new(),
        }
    }

    /// Takes in a connection, or says why not.
    pub(super) fn admit(
        &mut self,
        origin: Origin,
        account: impl FnOnce() -> Arc<Account>,
        now: Instant,
    ) -> Result<Presence, &'static str> {
        let (rate, full) = (f64::from(self.handshakes), self.burst());
        let (guest, bucket) = self.guest(origin, account, now)?;
        // all processes of this machine look the same: they are not made to wait for each other
        if origin != Origin::ThisMachine && !bucket.take(now, rate, full) {
            return Err("it connects more often than it may");
        }
        Ok(Presence::new(Arc::clone(guest)))
    }

    /// A connection has turned out to be of whoever has this key, or may not be.
    pub(super) fn identified(
        &mut self,
        key: [u8; 32],
        account: impl FnOnce() -> Arc<Account>,
        now: Instant,
    ) -> Result<Presence, &'static str> {
        let (guest, _) = self.guest(Origin::Key(key), account, now)?;
        let mut presence = Presence::new(Arc::clone(guest));
        presence.settled();
        Ok(presence)
    }

    /// Who has room for another connection.
    fn guest(
        &mut self,
        origin: Origin,
        account: impl FnOnce() -> Arc<Account>,
        now: Instant,
    ) -> Result<&mut (Arc<Guest>, Bucket), &'static str> {
        let full = self.burst();
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&origin) {
            let rate = f64::from(self.handshakes);
            self.known.retain(|_, (guest, bucket)| {
                guest.connections.load(Ordering::Relaxed) > 0 || bucket.at(now, rate, full) < full
            });
            if self.known.len() >= REMEMBERED {
                return Err("more peers than can be remembered have come lately");
            }
        }
        let known = self.known.entry(origin).or_insert_with(|| {
            let guest = Guest {
                account: account(),
                network: origin.network(),
                connections: AtomicUsize::new(0),
                pending: AtomicUsize::new(0),
                refused: Mutex::default(),
            };
            let bucket = Bucket {
                left: full,
                at: now,
            };
            (Arc::new(guest), bucket)
        });
        if known.0.connections.load(Ordering::Relaxed) >= self.connections {
            return Err(
                "there are as many connections of its address, or its key, as one may have",
            );
        }
        Ok(known)
    }

    /// How many handshakes one may begin at once.
    fn burst(&self) -> f64 {
        f64::from(self.handshakes) * f64::from(BURST)
    }
}

/// What is left of a rate.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn at(&self, now: Instant, rate: f64, full: f64) -> f64 {
        let passed = now.saturating_duration_since(self.at);
        (self.left + passed.as_secs_f64() * rate).min(full)
    }

    fn take(&mut self, now: Instant, rate: f64, full: f64) -> bool {
        self.left = self.at(now, rate, full);
        self.at = now;
        let some = self.left >= 1.0;
        if some {
            self.left -= 1.0;
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, Guests, Origin, Pending, Presence, REMEMBERED, first_to_go};
    use std::collections::HashMap;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn guests() -> Guests {
        Guests {
            connections: 3,
            handshakes: 10,
            known: HashMap::new(),
        }
    }

    fn origin(address: &str) -> Origin {
        Origin::of(Some(address.parse::<SocketAddr>().unwrap()))
    }

    #[test]
    fn who_is_who() {
        let v6 = origin("[2001:db8:1:2:3::4]:1");
        assert_eq!(v6, origin("[2001:db8:1:2:9::9]:2"));
        assert_ne!(v6, origin("[2001:db8:1:3:3::4]:1"));
        assert_eq!(origin("10.1.2.3:1"), origin("[::ffff:10.1.2.3]:2"));
        assert_ne!(origin("10.1.2.3:1"), origin("10.1.2.4:1"));
        for here in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(origin(here), Origin::of(None), "{here}");
        }
    }

    #[test]
    fn one_address_has_so_many_connections_and_shares_an_account() {
        let (mut guests, now) = (guests(), Instant::now());
        let mut admit = |address| guests.admit(origin(address), Arc::default, now);
        let mut first: Vec<_> = (0..3).map(|_| admit("10.0.0.1:1").unwrap()).collect();
        assert!(Arc::ptr_eq(&first[0].account(), &first[2].account()));
        assert!(admit("10.0.0.1:2").unwrap_err().contains("connections"));
        let other = admit("10.0.0.2:1").unwrap();
        assert!(!Arc::ptr_eq(&first[0].account(), &other.account()));
        // those that shake hands are told apart from those that have
        first[0].settled();
        assert_eq!(first[1].counter().count(), 2);
        drop(first.pop());
        assert_eq!(first[1].counter().count(), 1);
        assert!(admit("10.0.0.1:3").is_ok());
    }

    /// Handshakes from these addresses, in this order.
    fn shaking(guests: &mut Guests, addresses: &[String]) -> Vec<(Presence, Pending)> {
        let now = Instant::now();
        let admit = |address: &String| {
            let presence = guests.admit(origin(address), Arc::default, now).unwrap();
            let pending = presence.counter();
            (presence, pending)
        };
        addresses.iter().map(admit).collect()
    }

    fn goes(guests: &mut Guests, addresses: &[String]) -> usize {
        let shaking = shaking(guests, addresses);
        first_to_go(shaking.iter().map(|(_, pending)| pending)).unwrap()
    }

    #[test]
    fn one_of_a_crowded_network_goes_first() {
        let with = |good: &[&str], bad: &dyn Fn(u8) -> String| {
            let mut all: Vec<String> = good.iter().map(|good| (*good).to_owned()).collect();
            all.extend((1..=250).map(bad));
            goes(&mut guests(), &all)
        };
        let v6 = |n| format!("[2001:db8:bad:{n:x}::1]:1");
        let v4 = |n| format!("10.6.6.{n}:1");
        // the oldest is somebody else's
        assert_eq!(with(&["[2001:db8:1::1]:1"], &v6), 1);
        assert_eq!(with(&["10.1.2.3:1", "[2001:db8:1::1]:1"], &v6), 2);
        assert_eq!(with(&["10.6.7.1:1", "[2001:db8:1::1]:1"], &v4), 2);
        assert_eq!(with(&["127.0.0.1:1"], &v4), 1);
        // one address that has begun more than any other goes before all of them
        let twice = ["[2001:db8:1::1]:1", "10.1.2.3:1", "10.1.2.3:2"];
        assert_eq!(with(&twice, &v6), 1);
        // and where nobody has begun more, the oldest does
        let apart = |n| format!("10.6.{n}.1:1");
        assert_eq!(with(&["10.1.2.3:1"], &apart), 0);
        assert_eq!(first_to_go([].into_iter()), None);
    }

    #[test]
    fn why_an_address_is_refused_is_news_once_until_it_is_let_in() {
        let (mut guests, now) = (guests(), Instant::now());
        let mut admit = |address| guests.admit(origin(address), Arc::default, now).unwrap();
        let (first, again) = (admit("10.0.0.1:1"), admit("10.0.0.1:2"));
        assert!(first.is_refused("its key") && !again.is_refused("its key"));
        assert!(again.is_refused("its mechanism") && admit("10.0.0.2:1").is_refused("its key"));
        again.is_let_in();
        assert!(first.is_refused("its key"));
    }

    #[test]
    fn whoever_has_a_key_is_one_peer_wherever_it_is() {
        let (mut guests, now) = (guests(), Instant::now());
        let mut identified = |key, at| {
            let arrived = guests.admit(origin(at), Arc::default, now).unwrap();
            let known = guests.identified([key; 32], Arc::default, now);
            known.map(|known| (known, arrived))
        };
        let (first, arrived) = identified(1, "10.0.0.1:1").unwrap();
        assert_eq!(first.counter().count(), 0);
        let (second, _) = identified(1, "10.0.0.2:1").unwrap();
        assert!(Arc::ptr_eq(&first.account(), &second.account()));
        // and is not the one whose address it has
        assert!(!Arc::ptr_eq(&first.account(), &arrived.account()));
        let (other, _) = identified(2, "10.0.0.1:1").unwrap();
        assert!(!Arc::ptr_eq(&first.account(), &other.account()));
        let third = identified(1, "10.0.0.3:1").unwrap();
        assert!(identified(1, "10.0.0.4:1").unwrap_err().contains("key"));
        drop(third);
        assert!(identified(1, "10.0.0.4:1").is_ok());
    }

    #[test]
    fn one_address_connects_so_often_and_this_machine_as_it_likes() {
        let (mut guests, start) = (guests(), Instant::now());
        let mut count = |address, after| {
            let now = start + Duration::from_millis(after);
            let admitted = (0..1000).filter(|_| {
                let admitted = guests.admit(origin(address), Arc::default, now);
                admitted.is_ok()
            });
            u32::try_from(admitted.count()).unwrap()
        };
        assert_eq!(count("10.0.0.1:1", 0), 10 * BURST);
        assert_eq!(count("10.0.0.1:1", 500), 5);
        assert_eq!(count("10.0.0.2:1", 500), 10 * BURST);
        assert_eq!(count("10.0.0.1:1", 60_000), 10 * BURST);
        assert_eq!(count("127.0.0.1:1", 0), 1000);
    }

    #[test]
    fn those_that_are_gone_are_forgotten() {
        let (mut guests, start) = (guests(), Instant::now());
        let at = |number: usize| Origin::V6(number as u64);
        let stays = guests.admit(at(0), Arc::default, start).unwrap();
        for number in 1..REMEMBERED {
            guests.admit(at(number), Arc::default, start).unwrap();
        }
        let crowded = guests.admit(at(REMEMBERED), Arc::default, start);
        assert!(crowded.is_err());
        let later = start + Duration::from_secs(1);
        guests.admit(at(REMEMBERED), Arc::default, later).unwrap();
        assert_eq!(guests.known.len(), 2);
        drop(stays);
    }
}
