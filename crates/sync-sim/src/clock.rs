//! Virtual time: tokio's paused clock, and chance from a seed.

use std::{
    cell::Cell,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use sync_core::port::{Boxed, Clock, Dice};
use tokio::time::Instant;

/// A clock that stands still until everybody waits. Must be used on a paused tokio runtime.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    base: Timestamp,
    start: Instant,
}

impl SimClock {
    /// A clock that shows `base` now.
    pub fn new(base: Timestamp) -> Self {
        Self { base, start: Instant::now() }
    }
}

thread_local! {
    static EACH_LOOK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static LOOKED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// From now on each look at a clock of this thread takes so long, as on a machine with much to do.
pub fn looks_take(length: Duration) {
    EACH_LOOK.set(length);
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        LOOKED.set(LOOKED.get() + EACH_LOOK.get());
        self.base.saturating_add(self.elapsed()).unwrap_or(self.base)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed() + LOOKED.get()
    }

    fn sleep(&self, length: Duration) -> Boxed<'static, ()> {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        Box::pin(tokio::time::sleep(length))
    }
}

/// Chance from a seed.
#[derive(Debug)]
pub struct SimDice(Mutex<SmallRng>);

impl SimDice {
    /// The same seed throws the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }
}

impl Dice for SimDice {
    fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..bound)
    }
}
