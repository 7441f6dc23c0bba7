//! Wrong tokens: after a few, an address is not listened to for a while, and after many in all only those who had a
//! right one before.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// Wrong tokens that an address may offer in one window: people mistype.
const WRONG_MAX: usize = 5;
/// Wrong tokens in one window from all addresses together: who has many addresses guesses no faster than this.
const WRONG_OF_ALL_MAX: usize = 300;
/// How long they are remembered.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// How long an address is remembered that had a right token.
const KNOWN: SignedDuration = SignedDuration::from_hours(24);
/// Addresses remembered that had one.
const KNOWN_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    wrong: BTreeMap<IpAddr, Window>,
    /// Where a right token came from, and when last.
    known: BTreeMap<IpAddr, Timestamp>,
}

#[derive(Debug)]
struct Window {
    began: Timestamp,
    /// Hashes of the wrong tokens. One that is offered again is not guessed: a program with an old token must not lock
    /// out others at its address.
    tokens: BTreeSet<[u8; 32]>,
}

impl Attempts {
    /// What a token is worth. It is not even looked at where the address is not listened to: an answer to the right one
    /// would tell a guesser all that he wants to know. One at a time, so that guesses at once are counted, too.
    pub(super) fn weigh<T>(
        &self,
        client: IpAddr,
        token: &str,
        now: Timestamp,
        worth: impl FnOnce() -> Option<T>,
    ) -> Result<T, Problem> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let client = network(client);
        memory.check(client, now)?;
        if let Some(worth) = worth() {
            memory.know(client, now);
            return Ok(worth);
        }
        let window = memory.wrong.entry(client);
        let window = window.or_insert_with(|| Window { began: now, tokens: BTreeSet::new() });
        window.tokens.insert(Sha256::digest(token.as_bytes()).into());
        Err(Problem::wrong_token())
    }
}

impl Memory {
    /// Whether the address is listened to.
    fn check(&mut self, client: IpAddr, now: Timestamp) -> Result<(), Problem> {
        self.wrong.retain(|_, window| is_within(WINDOW, window.began, now));
        if let Some(window) = self.wrong.get(&client)
            && window.tokens.len() >= WRONG_MAX
        {
            let left = WINDOW - now.duration_since(window.began);
            return Err(Problem::too_many_attempts(left.as_secs().clamp(1, WINDOW.as_secs())));
        }
        let of_all: usize = self.wrong.values().map(|window| window.tokens.len()).sum();
        let is_known = self.known.get(&client).is_some_and(|at| is_within(KNOWN, *at, now));
        if of_all >= WRONG_OF_ALL_MAX && !is_known {
            return Err(Problem::too_many_attempts_of_all(WINDOW.as_secs()));
        }
        Ok(())
    }

    fn know(&mut self, client: IpAddr, now: Timestamp) {
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(&client) {
            let oldest = self.known.iter().min_by_key(|(_, at)| **at).map(|(address, _)| *address);
            oldest.map(|address| self.known.remove(&address));
        }
        self.known.insert(client, now);
    }
}

/// A clock that was set back ends a time, too.
fn is_within(length: SignedDuration, began: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(began);
    age >= SignedDuration::ZERO && age < length
}

/// One customer of a provider has a whole /64 of IPv6.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}
