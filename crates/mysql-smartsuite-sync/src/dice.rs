//! Real chance, for jitter.

use rand::Rng as _;
use sync_core::port::Dice;

/// The thread's random numbers, seeded by the system.
#[derive(Debug)]
pub(crate) struct SystemDice;

impl Dice for SystemDice {
    fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { rand::rng().random_range(0..bound) }
    }
}
