//! Wrong tokens by address: after a few, the address is not listened to for a while.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::problem::Problem;

/// Wrong tokens that an address may offer in one window: people mistype.
const WRONG_MAX: u32 = 5;
/// How long they are remembered.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Addresses remembered. Whoever has more of them than this is not kept out by counting.
const ADDRESSES_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeMap<IpAddr, Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    wrong: u32,
}

impl Attempts {
    /// Whether the address is listened to.
    pub(super) fn check(&self, peer: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&network(peer)) {
            Some(window) if window.wrong >= WRONG_MAX && is_open(*window, now) => {
                let left = WINDOW - now.duration_since(window.began);
                Err(Problem::too_many_attempts(left.as_secs().clamp(1, WINDOW.as_secs())))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a wrong token.
    pub(super) fn count(&self, peer: IpAddr, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = network(peer);
        if all.len() >= ADDRESSES_MAX && !all.contains_key(&peer) {
            all.retain(|_, window| is_open(*window, now));
            if all.len() >= ADDRESSES_MAX {
                all.pop_first();
            }
        }
        let window = all.entry(peer).or_insert(Window { began: now, wrong: 0 });
        if !is_open(*window, now) {
            *window = Window { began: now, wrong: 0 };
        }
        window.wrong += 1;
    }
}

/// A clock that was set back ends a window too.
fn is_open(window: Window, now: Timestamp) -> bool {
    let age = now.duration_since(window.began);
    age >= SignedDuration::ZERO && age < WINDOW
}

/// One customer of a provider has a whole /64 of IPv6.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
        IpAddr::V4(_) => peer,
    }
}
