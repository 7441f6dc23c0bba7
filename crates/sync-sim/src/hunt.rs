//! The hunt: worlds of many seeds on several threads, with or without a mutation, until something goes wrong.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sync_core::mutation::{self, Mutation};

use crate::{
    coverage::Tally,
    draw::{draw, theme_of},
    life::{Failure, live},
};

/// What to hunt in.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The seeds, in this order.
    pub seeds: Range<u64>,
    /// The mistake that the program makes.
    pub mutation: Option<Mutation>,
    /// Only worlds with this theme.
    pub theme: Option<String>,
    /// Threads.
    pub threads: usize,
    /// How long at most.
    pub time: Duration,
    /// Failures after which the hunt is over.
    pub failures_max: usize,
}

/// What a hunt came to.
#[derive(Debug, Default)]
pub struct Bag {
    /// Seeds that went wrong, in order, with what was wrong.
    pub failures: Vec<(u64, Failure)>,
    /// What the worlds were made of.
    pub tally: Tally,
    /// Worlds lived through.
    pub worlds: u64,
}

/// Hunts.
pub fn hunt(ground: &Ground) -> Bag {
    let (next, bag) = (AtomicU64::new(ground.seeds.start), Mutex::new(Bag::default()));
    let is_over = AtomicBool::new(false);
    #[expect(clippy::disallowed_methods, reason = "people wait in real time")]
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..ground.threads {
            scope.spawn(|| {
                mutation::turn_on(ground.mutation);
                while !is_over.load(Ordering::SeqCst) && began.elapsed() < ground.time {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= ground.seeds.end {
                        break;
                    }
                    if ground.theme.is_some() && theme_of(seed) != ground.theme {
                        continue;
                    }
                    let lived = live(&draw(seed));
                    let mut bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
                    bag.worlds += 1;
                    match lived {
                        Ok(tally) => bag.tally.add(tally),
                        Err(failure) => bag.failures.push((seed, *failure)),
                    }
                    if bag.failures.len() >= ground.failures_max {
                        is_over.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let mut bag = bag.into_inner().unwrap_or_else(PoisonError::into_inner);
    bag.failures.sort_by_key(|(seed, _)| *seed);
    bag
}
