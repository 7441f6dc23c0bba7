//! Real chance, for jitter.

use std::sync::{Mutex, PoisonError};

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use sync_core::port::Dice;

/// Random numbers, seeded by the system.
#[derive(Debug)]
pub(crate) struct SystemDice(Mutex<SmallRng>);

impl SystemDice {
    /// Dice that nobody can foresee.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(SmallRng::from_os_rng()))
    }
}

impl Dice for SystemDice {
    fn below(&self, bound: u64) -> u64 {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bound == 0 { 0 } else { numbers.random_range(0..bound) }
    }
}
